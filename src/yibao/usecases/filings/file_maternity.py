"""Register a pregnancy for the agency, so that maternity visits can be settled where the region's law asks for it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from yibao.domains.applications import operations, queries
from yibao.domains.applications.model import Registration
from yibao.domains.deadlines.queries import open_transits
from yibao.domains.institutions.model import HOSPITAL
from yibao.domains.institutions.queries import find_institution
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.reckoning.benefit_words import REASONS
from yibao.policy.reckoning.filings import filing_row
from yibao.usecases.deadlines.promised import IN_TRANSIT
from yibao.usecases.filings.insured import (
    Cancelling,
    Insured,
    Operator,
    in_use,
    insured_person,
    not_found,
    period_faults,
)
from yibao.usecases.settlement.shelf import PolicyShelf

FEMALE = "2"


class MaternityCommand(msgspec.Struct, frozen=True):
    """A pregnancy; ``fixmedins_code`` is the prenatal institution, ``""`` for any; ``end`` is the last day."""

    psn_no: str
    insutype: str
    fixmedins_code: str
    due_on: date | None
    spouse_psn_no: str
    begin: date
    end: date | None


async def file_maternity(
    tx: Connection, *, command: MaternityCommand, operator: Operator, shelf: PolicyShelf, filing_id: str, now: datetime
) -> Registration | Refusal:
    """Register a pregnancy, or refuse with every fault; one registration at a time."""
    insured = await insured_person(tx, command.psn_no, insutype=command.insutype, on=command.begin)
    if isinstance(insured, Refusal):
        return insured
    policy = shelf.of(insured.admdvs)
    if isinstance(policy, Refusal):
        return policy
    today = business_date(now)
    faults = period_faults(command.begin, command.end, field="registration")
    if await open_transits(tx, command.psn_no):
        # The law's limits are extended until the dues have arrived; nothing is lost by waiting.
        reason = REASONS[IN_TRANSIT]
        faults.append(Fault(reason.fault, "缴费信息尚未传到，暂不能登记", "psn_no", command.psn_no,
                            "可在缴费信息到达后办理，办结时限同时顺延"))
    begin = filing_row(policy, "registration_begin", today, insutype=insured.insutype)
    if begin is not None and begin.word == "filing_day" and command.begin != today:
        faults.append(Fault("REGISTRATION_NOT_TODAY", f"起始日期只能是登记当日{today}：{begin.used.clause}", "begin",
                            f"{command.begin}", f"请填写{today}", begin.used.rule))
    if insured.person["sex"] != FEMALE:
        faults.append(Fault("REGISTRATION_SEX", "生育登记的参保人应为女性", "psn_no", command.psn_no,
                            "男职工为配偶申领的，请在配偶处登记本人的人员编号"))
    faults += await _institution_faults(tx, command, insured)
    other = await queries.find_registration(tx, command.psn_no, on=command.begin)
    if other is not None:
        faults.append(Fault("REGISTRATION_REPEATED", f"已有一次有效的生育登记（{other}）", "psn_no", command.psn_no,
                            "产检机构选定后不能更换；登记有误的请先撤销"))
    if faults:
        return Refusal(tuple(faults))
    registration = Registration(
        psn_no=command.psn_no, filing_id=filing_id, admdvs=insured.admdvs, insutype=insured.insutype,
        fixmedins_code=command.fixmedins_code, due_on=command.due_on, spouse_psn_no=command.spouse_psn_no or None,
        valid_from=command.begin, valid_to=command.end + timedelta(days=1) if command.end is not None else None,
        detail="{}", filed_by=operator.filed_by or insured.admdvs, filed_at=now, opter=operator.code,
        opter_name=operator.name,
    )
    await operations.add_registration(tx, registration)
    return registration


async def _institution_faults(tx: Connection, command: MaternityCommand, insured: Insured) -> list[Fault]:
    if not command.fixmedins_code:
        return []
    institution = await find_institution(tx, command.fixmedins_code)
    if institution is None or institution.kind != HOSPITAL or institution.region != insured.admdvs:
        return [Fault("PRENATAL_UNKNOWN", "产检机构不是本统筹区的定点医疗机构", "institution", command.fixmedins_code,
                      "请核对产检机构编号")]
    return []


async def cancel_maternity(tx: Connection, cancelling: Cancelling, *, maternal_classes: list[str]) -> Refusal | None:
    """Take a registration back that no settlement rests on.

    Args:
        maternal_classes: visit classes that may ask for a registration.
    """
    await operations.lock_person(tx, cancelling.psn_no)
    row = await queries.find_registered(tx, cancelling.psn_no, cancelling.filing_id)
    if row is None:
        return not_found(cancelling.filing_id)
    if row["cancelled_at"] is not None:
        return refuse("FILING_CANCELLED", "这条登记已经撤销", field="filing_id", received=cancelling.filing_id,
                      remedy="如需恢复请重新登记")
    used = await queries.find_use(
        tx, cancelling.psn_no, begin=row["valid_from"], end=row["valid_to"], since=row["filed_at"],
        med_types=maternal_classes,
    )
    if used is not None:
        return in_use(used, filing_id=cancelling.filing_id)
    await operations.cancel_registration(
        tx, cancelling.psn_no, cancelling.filing_id, at=cancelling.at, reason=cancelling.reason
    )
    return None
