"""Every clock asks here when its last day is now: the law's day, moved by the plans in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.deadlines.model import WAIVER, Term
from yibao.domains.deadlines.operations import add_moves
from yibao.domains.deadlines.queries import list_moves, terms_of
from yibao.domains.deadlines.rules import Due, concerning, due_after
from yibao.domains.services.model import Pause
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.deadline import CONDITION, OPEN, WINDOW
from yibao.kernel.refusal import Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.collection import Season, season_of

ARRIVED = """
select max(ended_at) filter (where state = 'arrived') as arrived_at, count(*) filter (where state = 'in_transit') as open
from deadlines.transit where psn_no = $1
"""


async def due_by(
    tx: Connection, *, admdvs: str, clock: str, due_on: date, begun_on: date | None = None, business: str = "", psn_no: str = ""
) -> Due:
    """Return a last day as the plans of a region have moved it; unmoved where no plan says anything.

    Args:
        due_on: the last day by law. begun_on: when the clock began, None if long before.
        psn_no: whose clock it is: one that waits for the person's dues stands while they are in transit.
    """
    terms = concerning(await terms_of(tx, [admdvs]), clock=clock, business=business)
    waiting = [t for t in terms if t.way == CONDITION]
    if not waiting:
        return due_after(due_on, terms, begun_on=begun_on)
    row = await tx.fetchrow(ARRIVED, psn_no) if psn_no else None
    met = row["arrived_at"] if row is not None else None
    if row is None or (met is None and not row["open"]):
        return due_after(due_on, [t for t in terms if t.way != CONDITION], begun_on=begun_on)
    return due_after(due_on, terms, begun_on=begun_on,
                     met_on=business_date(met) if met is not None and not row["open"] else None)


async def keep_move(
    tx: Connection, due: Due, *, object_kind: str, object_id: str, admdvs: str, psn_no: str = "", now: datetime
) -> None:
    """Keep why a last day is what it is, once for each step; nothing where it did not move."""
    await add_moves(tx, due.moves, object_kind=object_kind, object_id=object_id, admdvs=admdvs, psn_no=psn_no, now=now)


async def standstills(tx: Connection, *, admdvs: str, clock: str = "application", business: str = "") -> list[Pause]:
    """Return the days on which clocks of working days stand in a region because of a window."""
    return pauses_of(await terms_of(tx, [admdvs]), clock=clock, business=business)


def pauses_of(terms: Sequence[Term], *, clock: str, business: str = "") -> list[Pause]:
    """Return the days on which a clock of working days stands; an end that nobody knows is far away."""
    return [
        Pause(t.window.begin, t.window.end or OPEN)
        for t in concerning(terms, clock=clock, business=business) if t.way == WINDOW
    ]


def season_with(terms: Sequence[Term], season: Season | None, *, admdvs: str, year: int) -> Season | None:
    """Return the residents' season of a year with its last day as the plans of the region moved it."""
    if season is None:
        return None
    named = [
        # A rule that names the year counts whenever its season ended.
        msgspec.structs.replace(t, begin_on=season.last) if t.year == year and t.window.begin > season.last else t
        for t in concerning(terms, clock="season") if t.admdvs == admdvs and t.year in (0, year)
    ]
    due = due_after(season.last, named, begun_on=season.first)
    return Season(season.first, due.due_on, "、".join([season.rule, *(m.rule for m in due.moves)]))


async def season_now(
    tx: Connection, policy: RegionPolicy | Refusal, year: int, *, admdvs: str, insutype: str
) -> Season | None:
    """Return when residents pay for a year, by law and plans; None where the law has no season."""
    if isinstance(policy, Refusal):
        return None
    season = season_of(policy, year, insutype=insutype)
    return season_with(await terms_of(tx, [admdvs]), season, admdvs=admdvs, year=year)


def waiver_of(terms: Sequence[Term], *, insutype: str, month: date) -> Term | None:
    """Return the promise that an unpaid month costs nothing until a day, None where there is none."""
    return next((
        t for t in terms if t.kind == WAIVER and t.what in ("", insutype)
        and t.first_month is not None and t.until_month is not None and t.first_month <= month < t.until_month
    ), None)


def payable_with(terms: Sequence[Term], due_on: date, *, insutype: str, month: date) -> Due:
    """Return the last day without surcharge of a month's dues: moved by extensions, and by a waiver to its day.

    The clock of a month begins with its first day: a window before it moves nothing.
    """
    due = due_after(due_on, concerning(terms, clock="due"), begun_on=month)
    waiver = waiver_of(terms, insutype=insutype, month=month)
    if waiver is None or (pay_by := waiver.until_on or OPEN) <= due.due_on:
        return due
    return due_after(due_on, [*concerning(terms, clock="due"), _until(waiver, due_on, pay_by)], begun_on=month)


async def payable_until(
    tx: Connection, *, admdvs: str, bill_id: str, due_on: date, insutype: str, month: date
) -> date:
    """Return the last day without surcharge of a bill, whether or not its own day has been moved yet."""
    moves = await list_moves(tx, "bill", bill_id)
    by_law = min((m.was_on for m in moves), default=due_on)
    return payable_with(await terms_of(tx, [admdvs]), by_law, insutype=insutype, month=month).due_on


async def newborn_until(tx: Connection, last: date, *, admdvs: str, born_on: date) -> date:
    """Return the last day on which a newborn enrols with benefits from birth, as windows have moved it."""
    return due_after(last, concerning(await terms_of(tx, [admdvs]), clock="newborn"), begun_on=born_on).due_on


def _until(waiver: Term, due_on: date, pay_by: date) -> Term:
    return Term(
        admdvs=waiver.admdvs, plan=waiver.plan, version=waiver.version, rule=waiver.rule, kind="extension", what="due",
        business=waiver.business, way="fixed", begin_on=due_on, end_on=pay_by, until_on=pay_by, says=waiver.says,
        noted_at=waiver.noted_at,
    )
