"""Recognise months that count towards retirement beside what was paid here."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.enrolment.model import YearCredit
from yibao.domains.enrolment.months import first_of_month, months_between
from yibao.domains.enrolment.operations import add_credit
from yibao.domains.enrolment.queries import list_credits
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.enrolment.commands import RecordYears
from yibao.usecases.enrolment.finding import find_member
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

KINDS = ("deemed", "transferred", "bought")


async def record_years(
    tx: Connection, command: RecordYears, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> YearCredit | Refusal:
    """Record deemed, transferred or bought months of a person with the paper that proves them.

    The same months from the same place again are the same credit and change nothing.
    """
    member = await find_member(tx, actor=actor, psn_no=command.psn_no)
    if isinstance(member, Refusal):
        return member
    faults = _faults(command, now)
    if faults:
        return Refusal(tuple(faults))
    first, until = command.first_month, command.until_month
    first, until = first and first_of_month(first), until and first_of_month(until)
    months = months_between(first, until) if first and until else command.months
    named = f"{first:%Y%m}-{until:%Y%m}" if first and until else f"{months}m-{ids.new(now)}"
    credit = YearCredit(
        psn_no=member.person.psn_no, credit_id=f"{command.insutype}-{command.kind}-{command.elsewhere or 'here'}-{named}",
        admdvs=member.person.admdvs, insutype=command.insutype, kind=command.kind, first_month=first, until_month=until,
        months=months, elsewhere=command.elsewhere, evidence=command.evidence, recorded_by=actor.login, recorded_at=now,
    )
    for known in await list_credits(tx, credit.psn_no, insutype=credit.insutype):
        if known.credit_id == credit.credit_id:
            return known
    await add_credit(tx, credit)
    await refresh_entitlement(tx, [credit.psn_no], now=now, shelf=shelf)
    await write_trail(tx, actor, verb="record_years", object_id=f"{credit.psn_no}/{credit.credit_id}", admdvs=credit.admdvs,
                      state=credit, now=now, ids=ids)
    return credit


def _faults(command: RecordYears, now: datetime) -> list[Fault]:
    faults = []
    if command.kind not in KINDS:
        faults.append(Fault("YEARS_KIND_UNKNOWN", "年限类别须为deemed、transferred或bought", "kind", command.kind, "请更正"))
    if not command.evidence:
        faults.append(Fault("EVIDENCE_MISSING", "认定年限须有依据", "evidence", remedy="请填写材料名称与文号"))
    first, until = command.first_month, command.until_month
    if (first is None) != (until is None):
        faults.append(Fault("MONTHS_HALF_SAID", "起止月须同时填写", "until_month", remedy="请补充"))
    elif first is not None and until is not None:
        if months_between(first, until) <= 0 or until > first_of_month(business_date(now)):
            faults.append(Fault("MONTHS_WRONG", "止月须晚于起月，且不晚于本月", "until_month", until.isoformat(), "请更正"))
        elif command.months not in (0, months_between(first, until)):
            faults.append(Fault("MONTHS_DIFFER", "月数与起止月不符", "months", str(command.months), "请核对"))
    elif command.months <= 0:
        faults.append(Fault("MONTHS_MISSING", "须填写起止月或月数", "months", str(command.months), "请补充"))
    return faults
