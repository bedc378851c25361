"""Assess what employees, flexible workers and retirees owe for a month."""

from __future__ import annotations

from datetime import date, datetime

from yibao.domains.contributions import members
from yibao.domains.contributions.rules import first_of_month, month_after
from yibao.infra.database import Connection, Database
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.collection import last_day, may_pay_from
from yibao.usecases.contributions.assessing import Assessed, Progress, Round
from yibao.usecases.contributions.cards import EMPLOYEES, Deck
from yibao.usecases.settlement.shelf import PolicyShelf

EARLIER = """
select (select state from contributions.run where admdvs = $1 and insutype = '310' and month = $2) as before,
       exists (select from contributions.run where admdvs = $1 and insutype = '310' and month < $3) as is_running
"""


async def assess_month(
    database: Database, *, admdvs: str, month: date, now: datetime, shelf: PolicyShelf, progress: Progress | None = None,
    chunk: int = 10_000,
) -> Assessed | Refusal:
    """Assess a month for everybody with an employees' relation, and write the open bills of their payers.

    The law is asked once for each distinct case. What is there already stays: killed at any point and run again, the
    same dues stand. Who cannot be assessed (no base, no unit, a resident's due in the same month) becomes a case.
    Months are assessed in their order: refused where the month before was begun by nobody or not finished.

    Args:
        month: first day of the month. chunk: members in a transaction.
    """
    policy = shelf.of(admdvs)
    if isinstance(policy, Refusal):
        return policy
    if month.day != 1:
        return refuse("MONTH_WRONG", "月份应为当月第一天", field="month", received=month.isoformat())
    async with database.transaction() as tx:
        refusal = await _refuse_order(tx, admdvs, month)
    if refusal is not None:
        return refusal
    return await Round(
        database=database, admdvs=admdvs, insutype=EMPLOYEES, sql=members.EMPLOYEES, month=month, before=month_after(month),
        due_on=payable_until(policy, month, now), now=now, shelf=shelf, chunk=chunk, progress=progress,
        deck=Deck(policy, insutype=EMPLOYEES, month=month), cases={},
        pay_from=lambda day: max(month, may_pay_from(policy, day, insutype=EMPLOYEES)),
    ).run()


def payable_until(policy: RegionPolicy, month: date, now: datetime) -> date:
    """Return the last day on which a month that is assessed now is paid in time.

    It is the month's own last day; who is told of it only later has until the next such day.
    """
    today = business_date(now)
    for candidate in (month, first_of_month(today), month_after(first_of_month(today))):
        day = last_day(policy, candidate, insutype=EMPLOYEES)
        if day >= today:
            return day
    raise AssertionError("a month has a last day of payment")


async def _refuse_order(tx: Connection, admdvs: str, month: date) -> Refusal | None:
    row = await tx.fetchrow(EARLIER, admdvs, month_after(month, -1), month)
    assert row is not None
    if row["before"] == "done" or (row["before"] is None and not row["is_running"]):
        return None
    return refuse(
        "EARLIER_MONTH_OPEN", "上月尚未核定完毕，费用须逐月滚动核定", field="month", received=f"{month:%Y-%m}",
        remedy=f"请先核定 {month_after(month, -1):%Y-%m}",
    )
