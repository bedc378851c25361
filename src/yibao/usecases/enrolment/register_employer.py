"""An employer, school or village office enrols."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.enrolment.credit_code import credit_code_faults
from yibao.domains.enrolment.model import BASIC, Employer
from yibao.domains.enrolment.operations import add_employer
from yibao.domains.enrolment.queries import find_by_credit_code
from yibao.domains.people.rules import tidy_number
from yibao.infra.database import Connection
from yibao.kernel import identity_number
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.enrolment.commands import RESIDENT_CARD, RegisterEmployer
from yibao.usecases.enrolment.finding import refuse_outside
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

KINDS = {"enterprise": "企业", "public": "机关事业单位", "school": "学校", "village": "村（居）委会", "other": "其他"}
ACCOUNT_KINDS = ("with_account", "pool_only")
_DIVISION_LENGTHS = (0, 6, 9, 12)


class EmployerDone(msgspec.Struct, frozen=True):
    """An employer as it stands after the deed; ``members`` who went with it (moved, split, merged)."""

    emp_no: str
    admdvs: str
    name: str
    uscc: str
    state: str
    ended_on: date | None = None
    members: int = 0


async def register_employer(
    tx: Connection, command: RegisterEmployer, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> EmployerDone | Refusal:
    """Enrol an employer; one unified social credit code is enrolled once in a region."""
    faults = employer_faults(command, today=business_date(now))
    division = command.division or actor.division
    refusal = refuse_outside(actor, admdvs=command.admdvs, division=division, field="admdvs")
    if faults or refusal is not None:
        return Refusal((*faults, *(refusal.faults if refusal else ())))
    if isinstance(policy := shelf.of(command.admdvs), Refusal):
        return policy
    known = await find_by_credit_code(tx, admdvs=command.admdvs, uscc=tidy_number(command.uscc))
    if known is not None:
        return refuse("EMPLOYER_ENROLLED", f"该统一社会信用代码已参保登记，单位编号{known.emp_no}", field="uscc",
                      received=command.uscc, remedy="无需重复登记；信息有变的请办理变更")
    employer = employer_of(command, emp_no=ids.new(now), division=division, now=now)
    await add_employer(tx, employer)
    done = done_of(employer)
    await write_trail(tx, actor, verb="register_employer", object_id=employer.emp_no, admdvs=employer.admdvs, state=done,
                      now=now, ids=ids)
    return done


def done_of(employer: Employer, *, members: int = 0) -> EmployerDone:
    """Return what is told of an employer after a deed."""
    return EmployerDone(employer.emp_no, employer.admdvs, employer.name, employer.uscc, employer.state, employer.ended_on,
                        members)


def employer_of(command: RegisterEmployer, *, emp_no: str, division: str, now: datetime) -> Employer:
    """Return the employer of a form."""
    said = {f: getattr(command, f) for f in command.__struct_fields__ if f not in ("evidence", "division", "uscc")}
    return Employer(**{
        **said, "emp_no": emp_no, "uscc": tidy_number(command.uscc), "division": division,
        "enrolled_on": command.enrolled_on or business_date(now), "recorded_at": now,
    })


def employer_faults(command: RegisterEmployer, *, today: date, path: str = "") -> list[Fault]:
    """Return everything that is wrong with a form."""
    faults = credit_code_faults(tidy_number(command.uscc), field=f"{path}uscc")
    if not command.name.strip():
        faults.append(Fault("NAME_MISSING", "单位名称未填写", f"{path}name", remedy="请按证照填写"))
    if command.kind not in KINDS:
        faults.append(Fault("EMPLOYER_KIND_UNKNOWN", f"单位类型须为{'、'.join(KINDS)}", f"{path}kind", command.kind, "请更正"))
    if command.account_kind not in ACCOUNT_KINDS:
        faults.append(Fault("ACCOUNT_KIND_UNKNOWN", "账户类型须为with_account或pool_only", f"{path}account_kind",
                            command.account_kind, "请更正"))
    if not command.insurances or set(command.insurances) - set(BASIC):
        faults.append(Fault("INSURANCE_UNKNOWN", "参保险种须为310或390", f"{path}insurances", ",".join(command.insurances),
                            "请更正"))
    if len(command.division) not in _DIVISION_LENGTHS or not (command.division or "0").isdigit():
        faults.append(Fault("DIVISION_MALFORMED", "所属区划须为6、9或12位数字", f"{path}division", command.division, "请更正"))
    if command.legal_cert_type == RESIDENT_CARD and not identity_number.is_valid(tidy_number(command.legal_certno)):
        faults.append(Fault("LEGAL_CERTNO_INVALID", "法定代表人身份证号码有误", f"{path}legal_certno",
                            identity_number.mask(command.legal_certno), "请核对"))
    if command.enrolled_on is not None and command.enrolled_on > today:
        faults.append(Fault("ENROLLED_LATER", "参保登记日期晚于今天", f"{path}enrolled_on", command.enrolled_on.isoformat(),
                            "请更正"))
    return faults
