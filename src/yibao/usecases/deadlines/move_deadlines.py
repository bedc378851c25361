"""Move what runs already when a plan is published or amended: in chunks, and again with the same result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.deadlines import queries
from yibao.domains.deadlines.model import EXTENSION, TRANSIT, WAIVER, Term
from yibao.domains.deadlines.rules import Due
from yibao.domains.services.calendar import Calendar
from yibao.domains.services.items import service_book
from yibao.infra.database import Connection, Database
from yibao.infra.failpoints import reached
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.deadline import OPEN
from yibao.kernel.ids import Ids
from yibao.usecases.deadlines.clocks import keep_move, payable_with
from yibao.usecases.deadlines.in_transit import lapse, presume
from yibao.usecases.deadlines.working_days import moved_by, working_due
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.notices.tell import Message, tell
from yibao.usecases.settlement.shelf import PolicyShelf

Progress = Callable[[str], None]
# What the law alone said is what stood before the first move.
BILLS = """
select b.bill_id as key, b.month, b.due_on, coalesce(m.was_on, b.due_on) as law_on,
       coalesce((select min(d.insutype) from contributions.due d where d.bill_id = b.bill_id), '310') as insutype
from contributions.bill b
left join lateral (select min(x.was_on) as was_on from deadlines.move x
                   where x.object_kind = 'bill' and x.object_id = b.bill_id and x.clock = 'due') m on true
where b.admdvs = $1 and b.state in ('open', 'sent') and b.kind = 'regular' and b.payer_kind <> 'state' and b.bill_id > $2
order by b.bill_id limit $3 for update of b
"""
MOVE_BILL = "update contributions.bill set due_on = $2 where bill_id = $1"
TRANSFERS = """
select t.transfer_id as key, t.psn_no, t.begun_on, t.due_on, coalesce(m.was_on, t.due_on) as law_on
from transfers.transfer t
left join lateral (select min(x.was_on) as was_on from deadlines.move x
                   where x.object_kind = 'transfer' and x.object_id = t.transfer_id and x.clock = 'transfer'
                     and (x.moved_at at time zone 'Asia/Shanghai')::date >= t.begun_on) m on true
where t.admdvs = $1 and t.state not in ('closed', 'refused', 'cancelled') and t.transfer_id > $2
order by t.transfer_id limit $3 for update of t
"""
MOVE_TRANSFER = "update transfers.transfer set due_on = $3 where psn_no = $1 and transfer_id = $2"
APPLICATIONS = """
select application_id as key, applicant_kind, applicant_no, accepted_at, limit_days, due_on
from services.application
where admdvs = $1 and state in ('accepted', 'reviewing') and accepted_at is not null and application_id > $2
order by application_id limit $3 for update
"""
MOVE_APPLICATION = "update services.application set due_on = $2 where application_id = $1"
# Unpaid, and nothing older is unpaid: who was in arrears before is in arrears.
PRESUMED = """
select d.psn_no, d.due_id, d.admdvs, d.month from contributions.due d
where d.admdvs = $1 and d.psn_no > $2 and d.insutype = $3 and d.kind = 'regular' and d.state in ('assessed', 'sent')
  and ($3 = '310' and d.month = $4 or $3 = '390' and extract(year from d.month) = extract(year from $4::date))
  and not exists (select from contributions.due o where o.psn_no = d.psn_no and o.insutype = d.insutype
      and o.kind = 'regular' and o.state in ('assessed', 'sent') and o.month < d.month)
  and not exists (select from deadlines.transit t where t.psn_no = d.psn_no and t.insutype = d.insutype and t.month = d.month)
order by d.psn_no limit $5
"""
CONCERNED = """
select distinct psn_no from contributions.due
where admdvs = $1 and psn_no > $2 and insutype in ('310', '390') and kind in ('regular', 'back')
  and state not in ('cancelled', 'refunded') and month + make_interval(months => months) > $3 and month < $4
  and (state in ('assessed', 'sent') or paid_on >= month + interval '1 month')
order by psn_no limit $5
"""


class MovedAll(msgspec.Struct, frozen=True):
    """How many last days moved in this run, whose dues are taken to be on their way, and whose status was looked at."""

    admdvs: str
    bills: int
    transfers: int
    applications: int
    in_transit: int
    lapsed: int
    persons: int


async def move_deadlines(
    database: Database, *, admdvs: str, now: datetime, ids: Ids, actor: Actor, shelf: PolicyShelf,
    progress: Progress | None = None, chunk: int = 1_000,
) -> MovedAll:
    """Bring a region's last days and benefit status up to its published plans, each chunk one transaction.

    Every last day is reckoned from what the law alone said, so that an amendment takes the place of what stood before and
    a second run moves nothing. Who is concerned is told once for each step. A shorter window moves a day back again, but
    never before today.
    """
    mover = _Mover(database, admdvs=admdvs, now=now, ids=ids, actor=actor, shelf=shelf, chunk=chunk)
    async with database.transaction() as tx:
        mover.terms = await queries.terms_of(tx, [admdvs])
    in_transit, lapsed = await mover.presume(), await mover.lapse()
    done = MovedAll(
        admdvs, await mover.each(BILLS, mover.bill), await mover.each(TRANSFERS, mover.transfer),
        await mover.each(APPLICATIONS, mover.application), in_transit, lapsed, await mover.refresh(),
    )
    if progress is not None:
        progress(f"缴费单{done.bills}、转移{done.transfers}、申请{done.applications}件顺延，缴费在途{done.in_transit}人")
    return done


class _Mover:
    """One run over a region."""

    terms: Sequence[Term] = ()

    def __init__(
        self, database: Database, *, admdvs: str, now: datetime, ids: Ids, actor: Actor, shelf: PolicyShelf, chunk: int
    ) -> None:
        self._database, self._admdvs, self._now, self._ids = database, admdvs, now, ids
        self._actor, self._shelf, self._chunk = actor, shelf, chunk
        self._calendar: Calendar = service_book().calendar

    async def each(self, sql: str, deed: Callable[[Connection, asyncpg.Record], object]) -> int:
        """Do something to every row of a statement that walks by its key; return how many moved."""
        moved, after = 0, ""
        while True:
            async with self._database.transaction() as tx:
                rows = await tx.fetch(sql, self._admdvs, after, self._chunk)
                if not rows:
                    return moved
                for row in rows:
                    moved += await deed(tx, row)  # type: ignore[misc]
                after = rows[-1]["key"]
                reached("chunk_written")

    async def bill(self, tx: Connection, row: asyncpg.Record) -> int:
        """Move the day until which a bill is paid without surcharge."""
        due = payable_with(self.terms, row["law_on"], insutype=row["insutype"], month=row["month"])
        day = self._not_before(due.due_on, row["due_on"]) if due.due_on != OPEN else row["due_on"]
        if day == row["due_on"]:
            return 0
        await tx.execute(MOVE_BILL, row["key"], day)
        await keep_move(tx, due, object_kind="bill", object_id=row["key"], admdvs=self._admdvs, now=self._now)
        return 1

    async def transfer(self, tx: Connection, row: asyncpg.Record) -> int:
        """Move the last day of a transfer's side."""
        due = moved_by(self.terms, self._calendar, clock="transfer", begun_on=row["begun_on"], due_on=row["law_on"])
        day = self._not_before(due.due_on, row["due_on"])
        if day in (row["due_on"], OPEN):
            return 0
        await tx.execute(MOVE_TRANSFER, row["psn_no"], row["key"], day)
        await keep_move(tx, due, object_kind="transfer", object_id=row["key"], admdvs=self._admdvs,
                        psn_no=row["psn_no"], now=self._now)
        await self._tell(tx, due, f"转移接续（编号{row['key']}）", about=row["key"], psn_no=row["psn_no"])
        return 1

    async def application(self, tx: Connection, row: asyncpg.Record) -> int:
        """Move the last day of an application; one whose restart nobody knows has none until it is known."""
        due = await working_due(
            tx, self._calendar, self.terms, application_id=row["key"], accepted_on=business_date(row["accepted_at"]),
            working_days=row["limit_days"] or 0,
        )
        day = None if due.due_on == OPEN else self._not_before(due.due_on, row["due_on"])
        if day == row["due_on"]:
            return 0
        await tx.execute(MOVE_APPLICATION, row["key"], day)
        is_person = row["applicant_kind"] in ("person", "heir")
        await keep_move(tx, due, object_kind="application", object_id=row["key"], admdvs=self._admdvs,
                        psn_no=row["applicant_no"] if is_person else "", now=self._now)
        if row["applicant_no"]:
            to = {"psn_no" if is_person else "emp_no": row["applicant_no"]}
            await self._tell(tx, due, f"申请（编号{row['key']}）", about=row["key"], **to)
        return 1

    def _not_before(self, day: date, stood: date | None) -> date:
        """Return a last day that is taken back at most to today: nobody is late by an amendment."""
        return day if stood is None or day >= stood else max(day, min(business_date(self._now), stood))

    async def presume(self) -> int:
        """Take dues to be on their way where the plan says that everybody's may be."""
        found = 0
        for term in self.terms:
            starts = term.kind == TRANSIT and term.is_wide and (term.from_at is None or term.from_at <= self._now)
            if starts and (term.until_on is None or business_date(self._now) <= term.until_on):
                for month in _months(term):
                    found += await self._presume(term, month)
        return found

    async def _presume(self, term: Term, month: date) -> int:
        found, after = 0, ""
        while True:
            async with self._database.transaction() as tx:
                rows = await tx.fetch(PRESUMED, self._admdvs, after, term.what, month, self._chunk)
                if not rows:
                    return found
                found += await presume(
                    tx, [(r["psn_no"], r["due_id"], r["admdvs"], r["month"]) for r in rows], term, actor=self._actor,
                    now=self._now, ids=self._ids, shelf=self._shelf)
                after = rows[-1]["psn_no"]
                reached("chunk_written")

    async def lapse(self) -> int:
        """Believe no longer what was to be believed until a day that has passed."""
        async with self._database.transaction() as tx:
            over = await queries.lapsing(tx, self._admdvs, before=business_date(self._now))
            return len(await lapse(tx, over, now=self._now, ids=self._ids, shelf=self._shelf))

    async def refresh(self) -> int:
        """Let benefit status follow what the plans promise, for whoever has an unpaid or late month that they name."""
        terms = [t for t in self.terms if t.kind in (WAIVER, TRANSIT) or (t.kind == EXTENSION and t.what in ("season", "gap"))]
        months = [t.first_month or t.window.begin.replace(day=1) for t in terms]
        ends = [t.until_month or t.window.end or OPEN for t in terms]
        if not terms:
            return 0
        looked, after = 0, ""
        while True:
            async with self._database.transaction() as tx:
                rows = await tx.fetch(CONCERNED, self._admdvs, after, min(months), max(ends), self._chunk)
                if not rows:
                    return looked
                people = [r["psn_no"] for r in rows]
                await refresh_entitlement(tx, people, now=self._now, shelf=self._shelf)
                looked, after = looked + len(people), people[-1]

    async def _tell(self, tx: Connection, due: Due, what: str, *, about: str, psn_no: str = "", emp_no: str = "") -> None:
        if not due.moves:
            return
        last = due.moves[-1]
        await tell(tx, Message(
            admdvs=self._admdvs, psn_no=psn_no, emp_no=emp_no, kind="deadline_moved", plan=last.plan, version=last.version,
            rule=last.rule, about=about, key=f"{about}:{due.due_on}", text=f"您的{what}：{last.says}。",
        ), now=self._now, ids=self._ids)


def _months(term: Term) -> list[date]:
    assert term.first_month is not None
    assert term.until_month is not None
    if term.what == "390":
        return [term.first_month.replace(month=1)]
    months = [term.first_month]
    while (after := (months[-1].replace(day=28) + (date(2000, 1, 5) - date(2000, 1, 1))).replace(day=1)) < term.until_month:
        months.append(after)
    return months
