"""Book what has reached the bank: each payment once, each bill once all its payments are there."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.closing.open_month import refuse_closed
from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.model import PaymentRow
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.contributions.bills import arrive_when_all, book_payment, work_case
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

TAKE = "select pg_advisory_xact_lock(hashtextextended('dues-arrival/' || $1, 0))"
STORED = "select admdvs, arrived_on, amount_fen, payment_ids, booked_fen, state from contributions.arrival where arrival_id = $1"
INSERT = """
insert into contributions.arrival (arrival_id, admdvs, arrived_on, amount_fen, payment_ids, state, recorded_at)
values ($1, $2, $3, $4, $5, 'waiting', $6)
"""
REGION_OF = "select min(admdvs) from contributions.payment where payment_id = any($1::text[])"
MARK = """
update contributions.payment set state = 'arrived', arrival_id = $2, arrived_on = $3, arrived_at = $4 where payment_id = $1
"""
BILLS_OF = "select bill_id from contributions.allocation where payment_id = $1 and amount_fen > 0 order by bill_id"
BOOKED = """
update contributions.arrival set booked_fen = $2, state = $3 where arrival_id = $1
"""
WAITING = "select arrival_id from contributions.arrival where state = 'waiting' and $1 = any(payment_ids) and admdvs = $2"
SUMS = """
select count(*) filter (where arrival_id = $2) as here, coalesce(sum(amount_fen) filter (where arrival_id = $2), 0)::bigint as fen
from contributions.payment where payment_id = any($1::text[])
"""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What the tax bureau says it sent to the bank: the payments and their sum in fen."""

    arrival_id: str
    arrived_on: date
    payment_ids: tuple[str, ...]
    amount_fen: int
    admdvs: str = ""


class Booked(msgspec.Struct, frozen=True):
    """What of an arrival is booked. ``state`` ``waiting``: for payments that were not told yet."""

    arrival_id: str
    state: str
    booked_fen: int
    missing: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()


async def book_arrival(
    tx: Connection, command: Arrival, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Booked | Refusal:
    """Book an arrival exactly once: the bank has it, the funds get what pays their bills, the rest stays the payers'.

    A payment that was not told yet is waited for and booked when it comes. Another sum than the payments come to, a
    payment that arrived before, or other words under the same id are cases; the payments themselves are booked.
    """
    del shelf
    await tx.execute(TAKE, command.arrival_id)
    stored = await tx.fetchrow(STORED, command.arrival_id)
    payment_ids = sorted(set(command.payment_ids))
    if stored is not None:
        same = (stored["arrived_on"], stored["amount_fen"], sorted(stored["payment_ids"])) == (
            command.arrived_on, command.amount_fen, payment_ids)
        if same:
            return Booked(command.arrival_id, stored["state"], stored["booked_fen"])
        await operations.open_cases(tx, [work_case(
            "ARRIVAL_CHANGED", f"{command.arrival_id}/{command.amount_fen}", admdvs=stored["admdvs"], now=now,
            amount_fen=command.amount_fen, says=f"到账批次 {command.arrival_id}")])
        return Booked(command.arrival_id, stored["state"], stored["booked_fen"], cases=("ARRIVAL_CHANGED",))
    admdvs = command.admdvs or await tx.fetchval(REGION_OF, payment_ids) or (actor.regions[0] if actor.regions else "")
    if not admdvs:
        return refuse("REGION_UNKNOWN", "看不出到账属于哪个统筹区", field="payment_ids",
                      remedy="请税务部门在到账通知中写明统筹区")
    closed = await refuse_closed(tx, admdvs=admdvs, on=business_date(now))
    if closed is not None:
        return closed
    await tx.execute(INSERT, command.arrival_id, admdvs, command.arrived_on, command.amount_fen, payment_ids, now)
    booked = await _book(tx, command.arrival_id, now=now)
    await write_trail(tx, actor, verb="book_arrival", object_id=command.arrival_id, admdvs=admdvs, state=booked, now=now,
                      ids=ids)
    return booked


async def book_waiting(tx: Connection, payment: PaymentRow, *, now: datetime) -> None:
    """Book a payment whose arrival was told before it."""
    for row in await tx.fetch(WAITING, payment.payment_id, payment.admdvs):
        await _book(tx, row["arrival_id"], now=now)


async def _book(tx: Connection, arrival_id: str, *, now: datetime) -> Booked:
    arrival = await tx.fetchrow(STORED + " for update", arrival_id)
    assert arrival is not None
    missing, cases = [], []
    for payment_id in arrival["payment_ids"]:
        payment = await queries.find_payment(tx, payment_id, lock=True)
        if payment is None:
            missing.append(payment_id)
        elif payment.state == "received":
            await _arrive(tx, payment, arrival_id, arrival["arrived_on"], now=now)
        elif payment.arrival_id != arrival_id:
            cases.append(work_case(
                "ARRIVAL_TWICE", f"{arrival_id}/{payment_id}", admdvs=arrival["admdvs"], payment_id=payment_id, now=now,
                amount_fen=payment.amount_fen,
                says=f"缴费流水 {payment_id} 已在 {payment.arrival_id or '撤回'} 中办理"))
    sums = await tx.fetchrow(SUMS, arrival["payment_ids"], arrival_id)
    assert sums is not None
    state = "waiting" if missing else "booked"
    waiting = f"ARRIVAL_WAITING/{arrival_id}"
    if missing:
        cases.append(work_case("ARRIVAL_WAITING", arrival_id, admdvs=arrival["admdvs"], now=now,
                               says=f"到账批次 {arrival_id} 中 {'、'.join(missing[:5])} 等 {len(missing)} 笔"))
    elif sums["fen"] != arrival["amount_fen"]:
        cases.append(work_case(
            "ARRIVAL_TOTAL", arrival_id, admdvs=arrival["admdvs"], now=now, amount_fen=arrival["amount_fen"] - sums["fen"],
            says=f"到账批次 {arrival_id} 为 {yuan_text(arrival['amount_fen'])} 元，已入账 {yuan_text(sums['fen'])} 元"))
    if not missing:
        await operations.close_cases(tx, [waiting], now=now, by="YIBAO", outcome="缴费均已收到并入账")
    await operations.open_cases(tx, cases)
    await tx.execute(BOOKED, arrival_id, sums["fen"], state)
    return Booked(arrival_id, state, sums["fen"], tuple(missing), tuple(c.kind for c in cases))


async def _arrive(tx: Connection, payment: PaymentRow, arrival_id: str, arrived_on: date, *, now: datetime) -> None:
    await tx.execute(MARK, payment.payment_id, arrival_id, arrived_on, now)
    await book_payment(tx, payment, now=now)
    for row in await tx.fetch(BILLS_OF, payment.payment_id):
        bill = await queries.find_bill(tx, row["bill_id"], lock=True)
        assert bill is not None
        await arrive_when_all(tx, bill, now=now)
