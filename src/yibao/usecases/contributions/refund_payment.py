"""Give money back to who paid it: asked for by one, approved by another, carried out by the tax bureau."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.clearing.rules import same_person
from yibao.domains.closing.open_month import refuse_closed
from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.model import Due, PaymentRow, Refund
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.posting import fund_account, payout
from yibao.usecases.contributions.bills import book, unallocated
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.exchange.put_out import put_out
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

RESERVE = "update contributions.payment set refunded_fen = refunded_fen + $2 where payment_id = $1"
MOVE = """
update contributions.payment set refunded_fen = refunded_fen + $2, allocated_fen = allocated_fen - $2 where payment_id = $1
"""
SHRINK = "update contributions.allocation set amount_fen = amount_fen - $3 where payment_id = $1 and bill_id = $2"
REFUND_DUE = "update contributions.due set state = 'refunded' where psn_no = $1 and due_id = $2"
DECIDE = "update contributions.refund set state = $2, checked_by = $3, checked_at = $4 where refund_id = $1"
SHARE = "select coalesce(amount_fen, 0)::bigint from contributions.allocation where payment_id = $1 and bill_id = $2"


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked back of a payment: fen, why, and the dues (person, id) that it undoes; none: credit only."""

    refund_id: str
    payment_id: str
    amount_fen: int
    reason: str
    dues: tuple[tuple[str, str], ...] = ()


async def request_refund(
    tx: Connection, command: RefundRequest, *, actor: Actor, now: datetime, ids: Ids
) -> Refund | Refusal:
    """Ask for money back and set it aside; the same id again with the same words has no effect.

    Only money that has arrived can be given back, and only what is credit or pays the named dues. A due that was credited
    to the personal account is not undone here.
    """
    earlier = await queries.find_refund(tx, command.refund_id)
    if earlier is not None:
        return _same(earlier, command)
    payment = await queries.find_payment(tx, command.payment_id, lock=True)
    dues = await queries.take_dues_by_key(tx, command.dues)
    refusal = await _refuse(tx, command, payment, dues)
    if refusal is not None:
        return refusal
    assert payment is not None
    credit = command.amount_fen - sum(d.owed_fen for d in dues)
    refund = Refund(
        command.refund_id, payment.admdvs, payment.payment_id, payment.payer_no, command.amount_fen,
        sorted(d.key for d in dues), command.reason, "requested", actor.login, now, None, None, None,
    )
    await operations.add_refund(tx, refund)
    await tx.execute(RESERVE, payment.payment_id, credit)
    await write_trail(tx, actor, verb="request_refund", object_id=refund.refund_id, admdvs=refund.admdvs, state=refund, now=now,
                      ids=ids)
    return refund


def _same(earlier: Refund, command: RefundRequest) -> Refund | Refusal:
    keys = sorted(f"{psn_no}/{due_id}" for psn_no, due_id in command.dues)
    if (earlier.payment_id, earlier.amount_fen, earlier.due_keys) == (command.payment_id, command.amount_fen, keys):
        return earlier
    return refuse("REFUND_ID_USED", "退费单号已用于另一笔退费", field="refund_id", received=command.refund_id,
                  remedy="请使用新的退费单号")


async def _refuse(
    tx: Connection, command: RefundRequest, payment: PaymentRow | None, dues: list[Due]
) -> Refusal | None:
    if not command.reason.strip():
        return refuse("REASON_MISSING", "退费须写明理由", field="reason", remedy="请填写理由")
    if payment is None:
        return refuse("PAYMENT_NOT_FOUND", "没有这笔缴费", field="payment_id", received=command.payment_id,
                      remedy="请核对缴费流水")
    if payment.state != "arrived":
        return refuse("PAYMENT_NOT_ARRIVED", "款项尚未到账，不能退费", field="payment_id", received=command.payment_id,
                      remedy="请在到账后办理，或由税务部门撤回")
    if len(dues) != len(set(command.dues)):
        return refuse("DUE_NOT_FOUND", "退费涉及的应缴记录不存在", field="dues", remedy="请核对人员和应缴编号")
    wrong = [d.key for d in dues if d.state != "arrived"]
    if wrong:
        return refuse("DUE_NOT_REFUNDABLE", "应缴记录未到账、已划入个人账户或已退", field="dues", received="、".join(wrong[:5]),
                      remedy="已划入个人账户的请先扣回")
    refusal = await _refuse_share(tx, payment.payment_id, dues)
    if refusal is not None:
        return refusal
    credit = command.amount_fen - sum(d.owed_fen for d in dues)
    if command.amount_fen <= 0 or not 0 <= credit <= payment.free_fen:
        most = sum(d.owed_fen for d in dues) + payment.free_fen
        return refuse("REFUND_TOO_LARGE", f"可退 {yuan_text(most)} 元", field="amount_fen",
                      received=yuan_text(command.amount_fen),
                      remedy="请核对退费金额；涉及的应缴记录须全额退")
    return None


async def _refuse_share(tx: Connection, payment_id: str, dues: list[Due]) -> Refusal | None:
    """Refuse dues that the payment did not pay, or of whose bill another refund has taken its part."""
    for bill_id in sorted({d.bill_id for d in dues}):
        share = await tx.fetchval(SHARE, payment_id, bill_id) or 0
        if sum(d.owed_fen for d in dues if d.bill_id == bill_id) > share:
            return refuse("DUE_OF_OTHER_PAYMENT", "应缴记录不是由这笔缴费缴清的", field="dues", received=bill_id,
                          remedy="请选择缴清该缴费单的缴费流水")
    return None


async def approve_refund(
    tx: Connection, refund_id: str, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Refund | Refusal:
    """Approve a refund that somebody else asked for: its dues are undone, benefit follows, and the tax bureau is told."""
    refund = await _take(tx, refund_id, actor)
    if isinstance(refund, Refusal) or refund.state == "approved":
        return refund
    closed = await refuse_closed(tx, admdvs=refund.admdvs, on=business_date(now))
    if closed is not None:
        return closed
    keys = [(k.split("/", 1)[0], k.split("/", 1)[1]) for k in refund.due_keys]
    dues = await queries.take_dues_by_key(tx, keys)
    if any(d.state != "arrived" for d in dues):
        return refuse("DUE_NOT_REFUNDABLE", "应缴记录的状态已变化，不能退", field="refund_id", received=refund_id,
                      remedy="请驳回后重新申请")
    refusal = await _refuse_share(tx, refund.payment_id, dues)
    if refusal is not None:
        return refusal
    legs: list[tuple[str, int]] = []
    for due in dues:
        await tx.execute(REFUND_DUE, due.psn_no, due.due_id)
        await tx.execute(SHRINK, refund.payment_id, due.bill_id, due.owed_fen)
        legs += [(fund_account(refund.admdvs, f), -fen) for f, fen in zip(due.funds, due.amounts, strict=True)]
        legs += [(fund_account(refund.admdvs, due.funds[0]), -due.surcharge_fen)]
    await tx.execute(MOVE, refund.payment_id, sum(d.owed_fen for d in dues))
    # What the dues do not give back was credit; all of it is owed to the payer from now on.
    credit = refund.amount_fen - sum(d.owed_fen for d in dues)
    await book(tx, "contribution_refund", refund_id, refund.payer_no, refund.admdvs,
               [*_added(legs), (unallocated(refund.admdvs), -credit)], payout(refund.admdvs), now=now)
    await tx.execute(DECIDE, refund_id, "approved", actor.login, now)
    if dues:
        await refresh_entitlement(tx, sorted({d.psn_no for d in dues}), now=now, shelf=shelf)
    approved = msgspec.structs.replace(refund, state="approved", checked_by=actor.login, checked_at=now)
    await write_trail(tx, actor, verb="approve_refund", object_id=refund_id, admdvs=refund.admdvs, state=approved, now=now,
                      ids=ids)
    body = {"refund_id": refund_id, "payment_id": refund.payment_id, "amount_fen": refund.amount_fen}
    await put_out(tx, party="tax", kind="refund", key=refund_id, body=body, admdvs=refund.admdvs, now=now, ids=ids)
    return approved


def _added(legs: list[tuple[str, int]]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for account, fen in legs:
        sums[account] = sums.get(account, 0) + fen
    return sorted(sums.items())


async def refund_payment(
    tx: Connection, command: RefundRequest, *, checker: Actor, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Refund | Refusal:
    """Ask for a refund and approve it in one transaction, by two people who stand at the desk together."""
    asked = await request_refund(tx, command, actor=actor, now=now, ids=ids)
    if isinstance(asked, Refusal) or asked.state != "requested":
        return asked
    return await approve_refund(tx, command.refund_id, actor=checker, now=now, ids=ids, shelf=shelf)


async def reject_refund(
    tx: Connection, refund_id: str, *, actor: Actor, now: datetime, ids: Ids
) -> Refund | Refusal:
    """Reject a refund that somebody else asked for; the money is the payer's credit again."""
    refund = await _take(tx, refund_id, actor)
    if isinstance(refund, Refusal) or refund.state != "requested":
        return refund
    keys = [(k.split("/", 1)[0], k.split("/", 1)[1]) for k in refund.due_keys]
    credit = refund.amount_fen - sum(d.owed_fen for d in await queries.take_dues_by_key(tx, keys))
    await tx.execute(RESERVE, refund.payment_id, -credit)
    await tx.execute(DECIDE, refund_id, "rejected", actor.login, now)
    rejected = msgspec.structs.replace(refund, state="rejected", checked_by=actor.login, checked_at=now)
    await write_trail(tx, actor, verb="reject_refund", object_id=refund_id, admdvs=refund.admdvs, state=rejected, now=now,
                      ids=ids)
    return rejected


async def _take(tx: Connection, refund_id: str, actor: Actor) -> Refund | Refusal:
    refund = await queries.find_refund(tx, refund_id)
    if refund is None:
        return refuse("REFUND_NOT_FOUND", "没有这笔退费", field="refund_id", received=refund_id, remedy="请核对退费单号")
    if refund.state == "approved" and same_person(refund.checked_by or "", actor.login):
        return refund
    if refund.state != "requested":
        return refuse("REFUND_DECIDED", "退费已经办结", field="refund_id", received=f"{refund_id} {refund.state}",
                      remedy="请查询退费状态")
    if same_person(refund.made_by, actor.login):
        return refuse("SAME_PERSON", "退费须由申请人以外的人复核", field="refund_id", received=refund_id, remedy="请换人复核")
    return refund


