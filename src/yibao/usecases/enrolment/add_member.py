"""Joiners: an employee begins at an employer."""

from __future__ import annotations

from datetime import date, datetime

from yibao.domains.enrolment.model import EMPLOYEE, Employer
from yibao.domains.enrolment.months import month_after
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.enrolment.commands import AddMember
from yibao.usecases.enrolment.finding import find_active_employer
from yibao.usecases.enrolment.joining import Answer, begin_one
from yibao.usecases.enrolment.judging import Wish
from yibao.usecases.settlement.shelf import PolicyShelf

VERB = "add_member"
ACCOUNT_KINDS = ("with_account", "pool_only")


async def add_member(
    tx: Connection, command: AddMember, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Answer:
    """Enrol an employee through an employer.

    Who was a resident goes over; who paid alone does too. A number that is known under another name is not enrolled: a case
    is opened (``Held``). Where the month of joining was insured through the employer before, the relation begins with the
    next month.
    """
    employer = await find_active_employer(tx, command.emp_no, actor=actor)
    if isinstance(employer, Refusal):
        return employer
    wish = wish_of(command, employer, today=business_date(now))
    if isinstance(wish, Refusal):
        return wish
    return await begin_one(tx, wish, admdvs=employer.admdvs, verb=VERB, actor=actor, now=now, ids=ids, shelf=shelf)


def wish_of(command: AddMember, employer: Employer, *, today: date, path: str = "") -> Wish | Refusal:
    """Return what an employer's joiner wishes, or what is wrong with it before anybody is looked up."""
    faults = []
    if EMPLOYEE not in employer.insurances:
        faults.append(Fault("EMPLOYER_WITHOUT_INSURANCE", "该单位没有办理职工医保参保登记", f"{path}emp_no", employer.emp_no,
                            "请先办理单位参保信息变更"))
    if not command.psn_type.startswith("11"):
        faults.append(Fault("NOT_AN_EMPLOYEE", "增员的人员类别须为在职", f"{path}psn_type", command.psn_type,
                            "退休请办理在职转退休"))
    kind = command.account_kind or employer.account_kind
    if kind not in ACCOUNT_KINDS:
        faults.append(Fault("ACCOUNT_KIND_UNKNOWN", "账户类型须为with_account或pool_only", f"{path}account_kind", kind, "请更正"))
    if command.wage_fen is not None and command.wage_fen < 0:
        faults.append(Fault("WAGE_NEGATIVE", "工资不能为负", f"{path}wage_fen", str(command.wage_fen), "请更正"))
    if faults:
        return Refusal(tuple(faults))
    return Wish(
        name=command.name, certno=command.certno, cert_type=command.cert_type, sex=command.sex, birth_on=command.birth_on,
        nation=command.nation, phone=command.phone, division=command.division or employer.division, insutype=EMPLOYEE,
        psn_type=command.psn_type, enrolment_kind="employed", account_kind=kind, emp_no=employer.emp_no,
        civil_servant=command.civil_servant, insured_on=command.insured_on, wage_fen=command.wage_fen, cause="joined",
        latest=month_after(today), evidence=command.evidence, path=path,
    )


def refuse_negative_wage(wage_fen: int | None) -> Refusal | None:
    """Refuse a wage below zero."""
    if wage_fen is not None and wage_fen < 0:
        return refuse("WAGE_NEGATIVE", "缴费工资不能为负", field="wage_fen", received=str(wage_fen), remedy="请更正")
    return None
