"""Take in a payment told by the tax bureau, or its return before it arrived. Money is never turned away and never lost.

What pays a bill exactly pays it. What does not (too little, too much, twice, for an unknown bill, by somebody else) stays
its payer's and becomes a case that says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.closing.open_month import refuse_closed
from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.model import Bill, PaymentRow, WorkCase
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.contributions.bills import cover, free_bill, unpay, work_case
from yibao.usecases.contributions.book_arrival import book_waiting
from yibao.usecases.contributions.late import charge_late
from yibao.usecases.contributions.openings import closed_by
from yibao.usecases.contributions.send_back import note_sent_back, send_back, sends_back
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail
from yibao.usecases.windows.pass_gate import Gate

TAKE = "select pg_advisory_xact_lock(hashtextextended('dues-payment/' || $1, 0))"
IS_OF_HOUSEHOLD = "select exists (select from people.person where psn_no = $1 and household_no = $2)"
SHARES_HOUSEHOLD = """
select exists (select from people.person a join people.person b on b.household_no = a.household_no
               where a.psn_no = $1 and b.psn_no = $2 and a.household_no <> '')
"""
EARLIER = """
select bill_id, month from contributions.bill
where payer_no = $1 and kind = 'regular' and state in ('open', 'sent') and month < $2
order by month limit 1
"""
RETURN = "update contributions.payment set state = 'returned', allocated_fen = 0 where payment_id = $1"
BILLS_OF = "select bill_id from contributions.allocation where payment_id = $1 and amount_fen > 0 order by bill_id"


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as told: amount in fen; ``payer_no`` '' where it is not known; ``admdvs`` of the message, if it had one."""

    payment_id: str
    bill_id: str
    amount_fen: int
    channel: str
    paid_at: datetime
    payer_no: str = ""
    admdvs: str = ""
    origin: str = "tax"


class PaymentReturned(msgspec.Struct, frozen=True, kw_only=True):
    """The tax bureau took a payment back before it arrived."""

    payment_id: str
    reason: str = ""
    returned_on: date | None = None


class Received(msgspec.Struct, frozen=True):
    """What became of a payment.

    Attributes:
        outcome: ``paid`` (a bill is paid by it), ``held`` (it stays the payer's), ``sent_back`` (ordered back, for it came after
            a window stopped collection), ``repeated``, ``returned``, ``case`` (nothing was taken in).
        paid_bills: bills it paid; credit_fen: what of it stays the payer's; cases: kinds of the cases it opened.
    """

    payment_id: str
    outcome: str
    paid_bills: tuple[str, ...] = ()
    credit_fen: int = 0
    cases: tuple[str, ...] = ()


async def receive_payment(
    tx: Connection, command: Payment, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf, gate: Gate | None = None
) -> Received | Refusal:
    """Take in a payment exactly once; the same again has no effect, the same id with other words is a case.

    Refused only where nobody can say which region it is for. One that was paid after a window stopped collection, where its
    plan says so, pays nothing: it is listed and ordered back in this transaction.
    """
    await tx.execute(TAKE, command.payment_id)
    bill = await queries.find_bill(tx, command.bill_id, lock=True)
    admdvs = _region(command, bill, actor, shelf)
    if isinstance(admdvs, Refusal):
        return admdvs
    earlier = await queries.find_payment(tx, command.payment_id)
    if earlier is not None:
        return await _again(tx, command, earlier, now=now)
    closed = await refuse_closed(tx, admdvs=admdvs, on=business_date(now))
    if closed is not None:
        return closed
    if command.amount_fen <= 0:
        return await _not_taken(tx, "NEGATIVE_AMOUNT", command, admdvs, now=now)
    back = await sends_back(tx, gate, bill, admdvs=admdvs, channel=command.channel, payer_kind=bill.payer_kind if bill else "",
                      paid_at=command.paid_at)
    cases = [] if back else await _doubts(tx, command, bill, admdvs, now=now)
    held = back is not None or any(c.kind in ("UNKNOWN_BILL", "CANCELLED_BILL", "WRONG_PAYER") for c in cases)
    row = PaymentRow(
        command.payment_id, admdvs, command.bill_id, command.payer_no or (bill.payer_no if bill else ""), command.amount_fen,
        command.channel, command.paid_at, business_date(command.paid_at), now, "received", 0, 0, None, None, None,
        command.origin, held,
    )
    await operations.add_payment(tx, row)
    paid: tuple[str, ...] = ()
    if bill is not None and not held:
        paid, more = await _pay(tx, row, bill, now=now, ids=ids, shelf=shelf)
        cases += more
    await operations.open_cases(tx, cases)
    await operations.close_cases(tx, [f"MISSING_HERE/{row.payment_id}"], now=now, by=actor.login, outcome="已补收")
    await book_waiting(tx, row, now=now)
    if back is not None and gate is not None:
        await send_back(tx, row, back, gate=gate, actor=actor, now=now, ids=ids)
    after = await queries.find_payment(tx, row.payment_id)
    assert after is not None
    await write_trail(tx, actor, verb="receive_payment", object_id=row.payment_id, admdvs=admdvs, state=after, now=now, ids=ids)
    outcome = "sent_back" if back else "paid" if paid else "held"
    return Received(row.payment_id, outcome, paid, after.free_fen, tuple(c.kind for c in cases))


def _region(command: Payment, bill: Bill | None, actor: Actor, shelf: PolicyShelf) -> str | Refusal:
    if bill is not None:
        return bill.admdvs
    named = (command.admdvs, command.bill_id[1:7], *(actor.regions if len(actor.regions) == 1 else ()))
    found = next((code for code in named if code in shelf.regions), None)
    return found or refuse("REGION_UNKNOWN", "缴费单不存在，也看不出属于哪个统筹区", field="bill_id", received=command.bill_id,
                           remedy="请税务部门核对缴费单号后重发")


async def _again(tx: Connection, command: Payment, earlier: PaymentRow, *, now: datetime) -> Received:
    same = (earlier.bill_id, earlier.amount_fen, earlier.channel, earlier.paid_at) == (
        command.bill_id, command.amount_fen, command.channel, command.paid_at)
    if same and (not command.payer_no or command.payer_no == earlier.payer_no):
        return Received(command.payment_id, "repeated")
    return await _not_taken(tx, "PAYMENT_CHANGED", command, earlier.admdvs, now=now)


async def _not_taken(tx: Connection, kind: str, command: Payment, admdvs: str, *, now: datetime) -> Received:
    await operations.open_cases(tx, [work_case(
        kind, f"{command.payment_id}/{command.amount_fen}", admdvs=admdvs, payment_id=command.payment_id,
        bill_id=command.bill_id, payer_no=command.payer_no, amount_fen=command.amount_fen, now=now,
        says=f"缴费流水 {command.payment_id}，缴费单 {command.bill_id}，{yuan_text(command.amount_fen)} 元",
    )])
    return Received(command.payment_id, "case", cases=(kind,))


async def _doubts(
    tx: Connection, command: Payment, bill: Bill | None, admdvs: str, *, now: datetime
) -> list[WorkCase]:
    """Return what is doubtful about a payment before its money is looked at."""
    def doubt(kind: str, says: str) -> WorkCase:
        return work_case(kind, command.payment_id, admdvs=admdvs, says=says, now=now, payment_id=command.payment_id,
                         bill_id=command.bill_id, payer_no=command.payer_no, amount_fen=command.amount_fen)

    if bill is None:
        return [doubt("UNKNOWN_BILL", f"缴费流水 {command.payment_id} 指向 {command.bill_id}")]
    if bill.state == "cancelled":
        return [doubt("CANCELLED_BILL", f"缴费流水 {command.payment_id} 指向已作废的 {command.bill_id}")]
    found = []
    if not await may_pay(tx, command.payer_no, bill):
        found.append(doubt("WRONG_PAYER", f"{command.bill_id} 由 {bill.payer_no} 缴纳，收到 {command.payer_no} 的缴费"))
    on = business_date(command.paid_at)
    closed = closed_by(admdvs, channel=command.channel, payer_kind=bill.payer_kind, on=on)
    if closed is not None:
        found.append(doubt("CHANNEL_CLOSED", closed.says))
    if on < bill.pay_from:
        found.append(doubt("PAID_TOO_EARLY", f"{command.bill_id} 自 {bill.pay_from} 起可缴，{on} 缴费"))
    return found


async def may_pay(tx: Connection, payer_no: str, bill: Bill) -> bool:
    """Say whether somebody's money pays a bill without being asked: the payer's own, or of the same household."""
    if not payer_no or payer_no == bill.payer_no or bill.payer_kind == "state":
        return True
    if bill.payer_kind == "household":
        return bool(await tx.fetchval(IS_OF_HOUSEHOLD, payer_no, bill.payer_no))
    return bill.payer_kind == "person" and bool(await tx.fetchval(SHARES_HOUSEHOLD, payer_no, bill.payer_no))


async def _pay(
    tx: Connection, row: PaymentRow, bill: Bill, *, now: datetime, ids: Ids, shelf: PolicyShelf
) -> tuple[tuple[str, ...], list[WorkCase]]:
    was_open = bill.state in ("open", "sent")
    after = await cover(tx, bill, now=now, ids=ids, shelf=shelf)
    is_paid = was_open and after.state in ("paid", "arrived")
    cases: Sequence[WorkCase | None] = [await _money_case(tx, row, after, was_open=was_open, now=now)]
    if is_paid:
        await charge_late(tx, after, now=now, ids=ids, shelf=shelf)
        cases = [*cases, await _earlier_case(tx, after, now=now)]
    return ((bill.bill_id,) if is_paid else ()), [c for c in cases if c is not None]


async def _money_case(
    tx: Connection, row: PaymentRow, bill: Bill, *, was_open: bool, now: datetime
) -> WorkCase | None:
    stands = await queries.find_payment(tx, row.payment_id)
    assert stands is not None
    free = stands.free_fen
    if not free:
        return None
    said = {"admdvs": bill.admdvs, "bill_id": bill.bill_id, "payer_no": bill.payer_no}
    if bill.state in ("open", "sent"):
        missing = bill.amount_fen - await queries.allocated_to(tx, bill.bill_id)
        has = sum(p.free_fen for p in await queries.take_payments_named(tx, bill.bill_id) if not p.is_held)
        return work_case("SHORT_PAYMENT", bill.bill_id, **said, now=now, amount_fen=missing - has,
                         says=f"{bill.bill_id} 应缴 {yuan_text(missing)} 元，"
                              f"已收 {yuan_text(has)} 元，差 {yuan_text(missing - has)} 元")
    kind = "OVER_PAYMENT" if was_open else "DOUBLE_PAYMENT"
    return work_case(kind, row.payment_id, **said, payment_id=row.payment_id, now=now, amount_fen=free,
                     says=f"{bill.bill_id}，缴费流水 {row.payment_id} 余 {yuan_text(free)} 元")


async def _earlier_case(tx: Connection, bill: Bill, *, now: datetime) -> WorkCase | None:
    if bill.kind != "regular":
        return None
    row = await tx.fetchrow(EARLIER, bill.payer_no, bill.month)
    if row is None:
        return None
    return work_case("EARLIER_UNPAID", row["bill_id"], admdvs=bill.admdvs, bill_id=row["bill_id"], payer_no=bill.payer_no,
                     now=now, says=f"{bill.month:%Y-%m} 已缴，{row['month']:%Y-%m} 的 {row['bill_id']} 尚未缴清")


async def return_payment(
    tx: Connection, command: PaymentReturned, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Received | Refusal:
    """Take a payment back that the tax bureau has returned before it arrived: what it paid is owed again.

    Other payments of the same bill stay their payer's and count again once enough is there. Unknown, arrived or refunded
    payments are not touched: a case.
    """
    await tx.execute(TAKE, command.payment_id)
    row = await queries.find_payment(tx, command.payment_id, lock=True)
    if row is not None and row.state == "returned":
        return Received(row.payment_id, "repeated")
    if row is None or row.state != "received" or row.refunded_fen:
        kind = "RETURN_UNKNOWN" if row is None else "RETURN_TOO_LATE"
        told = Payment(payment_id=command.payment_id, bill_id="", amount_fen=0, channel="", paid_at=now)
        region = row.admdvs if row else (actor.regions[0] if actor.regions else "")
        if not region:
            return refuse("PAYMENT_NOT_FOUND", "没有这笔缴费", field="payment_id", received=command.payment_id)
        return await _not_taken(tx, kind, told, region, now=now)
    touched = [found["bill_id"] for found in await tx.fetch(BILLS_OF, row.payment_id)]
    for bill_id in touched:
        bill = await queries.find_bill(tx, bill_id, lock=True)
        assert bill is not None
        await free_bill(tx, bill.bill_id)
        if bill.state == "paid":
            await unpay(tx, bill, now=now, shelf=shelf)
    await tx.execute(RETURN, row.payment_id)
    for bill_id in touched:
        # What was paid twice is still paid once.
        bill = await queries.find_bill(tx, bill_id)
        assert bill is not None
        after = await cover(tx, bill, now=now, ids=ids, shelf=shelf)
        if after.state in ("paid", "arrived"):
            await charge_late(tx, after, now=now, ids=ids, shelf=shelf)
    ended = [c["case_id"] for c in await queries.list_open_of(tx, payment_id=row.payment_id)]
    await operations.close_cases(tx, ended, now=now, by=actor.login, outcome=f"税务已撤回：{command.reason}")
    await note_sent_back(tx, row, result="税务已退回", actor=actor, now=now, ids=ids)
    await write_trail(tx, actor, verb="return_payment", object_id=row.payment_id, admdvs=row.admdvs, state=command, now=now,
                      ids=ids)
    return Received(row.payment_id, "returned")


