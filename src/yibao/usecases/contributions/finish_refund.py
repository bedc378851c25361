"""The tax bureau has given a refund back: the money leaves the bank."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.closing.open_month import refuse_closed
from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.model import Refund
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.posting import bank, payout
from yibao.usecases.contributions.bills import book
from yibao.usecases.contributions.send_back import note_sent_back
from yibao.usecases.trail import write_trail

DONE = "update contributions.refund set state = 'done', done_on = $2 where refund_id = $1"


class RefundDone(msgspec.Struct, frozen=True, kw_only=True):
    """The tax bureau's word that a refund was paid out on a day."""

    refund_id: str
    done_on: date


async def finish_refund(
    tx: Connection, command: RefundDone, *, actor: Actor, now: datetime, ids: Ids
) -> Refund | Refusal:
    """Book that an approved refund was paid out; told twice it is booked once.

    An answer to a refund that is unknown or not approved books nothing and is refused: whoever relays it makes a case.
    """
    refund = await queries.find_refund(tx, command.refund_id)
    if refund is not None and refund.state == "done":
        return refund
    if refund is None or refund.state != "approved":
        return refuse("REFUND_UNKNOWN", "退费回执没有对应的已复核退费", field="refund_id", received=command.refund_id,
                      remedy="请税务部门核对退费单号")
    closed = await refuse_closed(tx, admdvs=refund.admdvs, on=business_date(now))
    if closed is not None:
        return closed
    await tx.execute(DONE, refund.refund_id, command.done_on)
    await book(tx, "contribution_refund", f"{refund.refund_id}-done", refund.payer_no, refund.admdvs,
               [(payout(refund.admdvs), -refund.amount_fen)], bank(refund.admdvs), now=now)
    payment = await queries.find_payment(tx, refund.payment_id)
    if payment is not None and not payment.free_fen:
        ended = [c["case_id"] for c in await queries.list_open_of(tx, payment_id=payment.payment_id)]
        await operations.close_cases(tx, ended, now=now, by=actor.login, outcome=f"已退费 {refund.refund_id}")
        await note_sent_back(tx, payment, result=f"已退费{refund.refund_id}", actor=actor, now=now, ids=ids)
    done = msgspec.structs.replace(refund, state="done", done_on=command.done_on)
    await write_trail(tx, actor, verb="finish_refund", object_id=refund.refund_id, admdvs=refund.admdvs, state=done, now=now,
                      ids=ids)
    return done
