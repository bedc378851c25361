"""Put a person's year into the order of service after a window: what came late goes to its place, what rests on it follows.

A bill that is entered late is settled at once on what stands, and in the next transaction it and everything that serves a
later day is decided again in the order of service. Only what comes out otherwise is cancelled and settled again, and
everything after it; so entering in any order ends where entering in the order of service ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.registers.model import CASH_DIFFERENCE, NewEntry
from yibao.domains.settlements.model import Settlement, from_row
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.posting import is_claim_desk
from yibao.policy.decision import Decision
from yibao.usecases.backfill.decide_in_order import decide_in_order
from yibao.usecases.backfill.service_order import Standing, blocked_by, first_moved, in_service_order
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.resettlement.decide_again import DecidedAgain
from yibao.usecases.resettlement.resettle_person import BALANCE, LOCK_PERSON, TAKE_TURN, refuse_lines
from yibao.usecases.resettlement.rewrite_year import Books, YearWriter
from yibao.usecases.settlement.shelf import PolicyShelf

OPERATOR = "补录排序"
# Discharged at midnight means that the day is known and not the hour: the stay ends after everything of that day.
IN_FORCE = """
select s as settlement, coalesce(l.psn_no is not null, false) as is_late, c.setl_id is not null as is_stay,
       coalesce(l.plan, '') as plan,
       case when c.setl_id is null then e.begin_at
            when c.is_interim or (v.discharged_at at time zone 'Asia/Shanghai')::time = '00:00'
            then (c.end_on + 1)::timestamp at time zone 'Asia/Shanghai'
            else v.discharged_at end as service_at
from settlements.settlement s
join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
left join encounters.stay v on v.psn_no = s.psn_no and v.mdtrt_id = s.mdtrt_id
left join settlements.stay_settlement c on c.psn_no = s.psn_no and c.setl_id = s.setl_id
left join backfill.late_entry l on l.psn_no = s.psn_no and l.mdtrt_id = s.mdtrt_id and l.chrg_bchno = s.chrg_bchno
where s.psn_no = $1 and s.insutype = $2 and s.year = $3 and s.kind = 'settlement' and s.state = 'active'
order by s.settled_at, s.setl_id
"""
LOCK_ENCOUNTERS = """
select e.mdtrt_id from encounters.encounter e
where e.psn_no = $1 and e.mdtrt_id in (
    select s.mdtrt_id from settlements.settlement s where s.psn_no = $1 and s.insutype = $2 and s.year = $3)
order by e.mdtrt_id for update
"""
COUNTERS = """
select code, used_fen, cap_fen from settlements.counter where psn_no = $1 and insutype = $2 and year in (0, $3)
"""
IN_ORDER = """
update backfill.late_entry set reorder = false where psn_no = $1 and insutype = $2 and year = $3 and reorder
"""
REPORT = "insert into backfill.reordering select ($1::backfill.reordering).*"
NAME = "select name from people.person where psn_no = $1"


class Year(msgspec.Struct, frozen=True):
    """A benefit year of somebody in an insurance."""

    psn_no: str
    insutype: str
    year: int


class Reordered(msgspec.Struct, frozen=True):
    """A row of ``backfill.reordering``; the fields stand in the order of the table. Amounts new less old, fen."""

    psn_no: str
    insutype: str
    year: int
    at: datetime
    admdvs: str
    settlements: int
    cash_fen: int
    fund_fen: int
    refusal: str


async def reorder_year(
    tx: Connection, asked: Year, *, shelf: PolicyShelf, clock: Clock, ids: Ids
) -> Reordered | None:
    """Put a year into the order of service, all or nothing; None where it stands in it already.

    What cannot be done by itself is reported with its reason and left as it is, for somebody to look at.
    """
    psn_no, insutype, year = msgspec.structs.astuple(asked)
    await tx.execute(TAKE_TURN, psn_no)
    await tx.fetch(LOCK_ENCOUNTERS, psn_no, insutype, year)
    await tx.fetchval(LOCK_PERSON, psn_no)
    held = [_standing(row) for row in await tx.fetch(IN_FORCE, psn_no, insutype, year)]
    order = in_service_order(held)
    first = first_moved(held, order)
    await tx.execute(IN_ORDER, psn_no, insutype, year)
    admdvs, note = held[0].settlement.admdvs if held else "", _note(blocked_by(held))
    if first is None:
        return await _report(tx, asked, (), at=clock.now(), admdvs=admdvs, refusal=note) if note else None
    counters = await tx.fetch(COUNTERS, psn_no, insutype, year)
    balance = await tx.fetchval(BALANCE, psn_no) or 0
    decided = decide_in_order(
        order, first, counted=held, used={r["code"]: r["used_fen"] for r in counters}, balance=balance, shelf=shelf
    )
    again = _from_first_change(decided)
    if not again:
        return await _report(tx, asked, (), at=clock.now(), admdvs=admdvs, refusal=note) if note else None
    refusal = _refuse_by_hand(again) or await refuse_lines(tx, psn_no, again)
    if refusal is not None:
        return await _report(tx, asked, (), at=clock.now(), admdvs=admdvs, refusal=refusal.sentence())
    books = Books(
        used={(insutype, r["code"]): r["used_fen"] for r in counters},
        caps={(insutype, r["code"]): r["cap_fen"] for r in counters}, balance=balance,
    )
    writer = await YearWriter.open(tx, psn_no=psn_no, operator=OPERATOR, books=books, clock=clock, ids=ids)
    _, replaced = await writer.rewrite(again)
    now = clock.now()
    plan = next(one.plan for one in order if one.plan)
    for one in again:
        await _tell_difference(tx, one, replaced[one.settlement.setl_id], plan=plan, now=now, ids=ids)
    return await _report(tx, asked, again, at=now, admdvs=admdvs, refusal=note)


def _standing(row: object) -> Standing:
    r = dict(row)  # type: ignore[call-overload]
    return Standing(
        settlement=from_row(r["settlement"]), service_at=r["service_at"], is_late=r["is_late"],
        is_fixed=is_claim_desk(r["settlement"]["fixmedins_code"]), is_stay=r["is_stay"],
        plan=r["plan"],
    )


def _note(fixed: Standing | None) -> str:
    if fixed is None:
        return ""
    s = fixed.settlement
    return f"手工报销结算{s.setl_id}（{s.service_on}）先于补录结算支付，未随就诊先后重新计算，请经办人员核对"


def _from_first_change(decided: Sequence[DecidedAgain]) -> list[DecidedAgain]:
    """Return what comes out otherwise and everything that serves a later instant: what comes before it can stay."""
    first = next((n for n, one in enumerate(decided) if one.comes_out_differently), None)
    return [] if first is None else list(decided[first:])


def _refuse_by_hand(again: Sequence[DecidedAgain]) -> Refusal | None:
    for one in again:
        s = one.settlement
        if isinstance(one.decision, Refusal):
            return refuse("LAW_REFUSES", f"结算{s.setl_id}（{s.service_on}）按现行政策不能重新结算：{one.decision.sentence()}",
                          remedy="请由经办人员逐笔核对")
        reason = ""
        if one.decision.year != s.year:
            reason = "按现行政策归属另一待遇年度"
        elif s.shared_fen or one.decision.shared_pay:
            reason = "共济账户参与了支付"
        if reason:
            return refuse("REORDER_BY_HAND", f"结算{s.setl_id}（{s.service_on}）{reason}，不能自动按就诊先后重新结算",
                          remedy="请由经办人员逐笔撤销后按就诊先后重新结算")
    return None


async def _tell_difference(
    tx: Connection, one: DecidedAgain, new_id: str, *, plan: str, now: datetime, ids: Ids
) -> None:
    """Give the institution that holds the patient's cash a row about what has to go back or is still due."""
    s, d = one.settlement, one.decision
    assert isinstance(d, Decision)
    if d.cash == s.cash_fen:
        return
    entry = await add_entry(tx, NewEntry(
        admdvs=s.admdvs, kind=CASH_DIFFERENCE, plan=plan, applicant_name=await tx.fetchval(NAME, s.psn_no),
        psn_no=s.psn_no, fixmedins_code=s.fixmedins_code, amount_fen=s.medfee_fen, paid_fen=max(s.cash_fen, 0),
        origin=f"settlement/{new_id}",
        body={"setl_id": s.setl_id, "new_setl_id": new_id, "service_on": f"{s.service_on}", "due_fen": d.cash,
              "change_fen": d.cash - s.cash_fen},
    ), actor=_actor(s), now=now, ids=ids)
    if isinstance(entry, Refusal):
        raise AssertionError(entry.sentence())


def _actor(s: Settlement) -> Actor:
    return Actor(login=OPERATOR, channel="worker", regions=(s.admdvs,))


async def _report(
    tx: Connection, asked: Year, again: Sequence[DecidedAgain], *, at: datetime, admdvs: str, refusal: str = ""
) -> Reordered:
    told = [one.difference for one in again if one.difference is not None]
    done = Reordered(
        psn_no=asked.psn_no, insutype=asked.insutype, year=asked.year, at=at, admdvs=admdvs, settlements=len(again),
        cash_fen=sum(d.cash for d in told), fund_fen=sum(d.fund_total for d in told), refusal=refusal,
    )
    await tx.execute(REPORT, msgspec.structs.astuple(done))
    return done
