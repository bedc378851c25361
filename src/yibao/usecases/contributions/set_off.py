"""Let a payer's credit pay a bill: what was paid too much, twice, or for a bill that is no more."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.closing.open_month import refuse_closed
from yibao.domains.contributions import operations, queries
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.contributions.bills import cover, mark_paid
from yibao.usecases.contributions.late import charge_late
from yibao.usecases.contributions.receive_payment import Received, may_pay
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


class SetOff(msgspec.Struct, frozen=True, kw_only=True):
    """Which payment's credit pays which bill; fen, None for as much as there is and is needed."""

    payment_id: str
    bill_id: str
    amount_fen: int | None = None


async def set_off(
    tx: Connection, command: SetOff, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Received | Refusal:
    """Set a credit off against a bill, in part or in full; the bill is paid once all of it is covered.

    The payment's own cases are closed when nothing of it is left. The day of the set-off is the day of payment, never
    earlier than the money's.
    """
    bill = await queries.find_bill(tx, command.bill_id, lock=True)
    payment = await queries.find_payment(tx, command.payment_id, lock=True)
    if bill is None or bill.state not in ("open", "sent"):
        return refuse("BILL_NOT_OPEN", "缴费单不存在、已作废或已缴清", field="bill_id", received=command.bill_id,
                      remedy="请选择尚未缴清的缴费单")
    if payment is None or payment.free_fen <= 0 or payment.admdvs != bill.admdvs:
        return refuse("NO_CREDIT", "这笔缴费没有可抵缴的余额", field="payment_id", received=command.payment_id,
                      remedy="请核对缴费流水及其统筹区")
    if not await may_pay(tx, payment.payer_no, bill):
        return refuse("OTHER_PAYER", "这笔缴费是他人的，不能抵缴此缴费单", field="payment_id", received=payment.payer_no,
                      remedy="请退还缴费人，由缴费单的缴费人自行缴纳")
    closed = await refuse_closed(tx, admdvs=bill.admdvs, on=business_date(now))
    if closed is not None:
        return closed
    missing = bill.amount_fen - await queries.allocated_to(tx, bill.bill_id)
    wanted = min(missing, payment.free_fen) if command.amount_fen is None else command.amount_fen
    if not 0 < wanted <= min(missing, payment.free_fen):
        return refuse("SET_OFF_TOO_LARGE", f"最多可抵缴 {yuan_text(min(missing, payment.free_fen))} 元", field="amount_fen",
                      received=yuan_text(wanted), remedy="请核对金额")
    await operations.allocate(tx, payment_id=payment.payment_id, bill_id=bill.bill_id, admdvs=bill.admdvs, amount_fen=wanted,
                              now=now)
    after = await cover(tx, bill, now=now, ids=ids, shelf=shelf) if wanted < missing else await mark_paid(
        tx, bill, paid_on=max(business_date(now), payment.paid_on), now=now, ids=ids, shelf=shelf)
    is_paid = after.state in ("paid", "arrived")
    if is_paid:
        await charge_late(tx, after, now=now, ids=ids, shelf=shelf)
    rest = payment.free_fen - wanted
    if not rest:
        ended = [c["case_id"] for c in await queries.list_open_of(tx, payment_id=payment.payment_id)]
        await operations.close_cases(tx, ended, now=now, by=actor.login, outcome=f"已抵缴 {bill.bill_id}")
    await write_trail(tx, actor, verb="set_off", object_id=f"{payment.payment_id}/{bill.bill_id}", admdvs=bill.admdvs,
                      state=command, now=now, ids=ids)
    return Received(payment.payment_id, "paid" if is_paid else "held", (bill.bill_id,) if is_paid else (), rest)
