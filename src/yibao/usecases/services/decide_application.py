"""The back office: review by one, decision by another, the deed that the decision runs, and the payment after it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.services.items import ServiceBook, service_book
from yibao.domains.services.model import (
    ACCEPTED,
    APPROVED,
    CLOSED,
    PAID,
    PAY_FAILED,
    PAYING,
    REJECTED,
    REVIEWING,
    SUSPENDED,
    Application,
    Item,
)
from yibao.domains.services.operations import begin_pause
from yibao.domains.services.queries import list_in_state
from yibao.domains.services.rules import refuse_checker
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.joining import Held
from yibao.usecases.payouts.order_payout import PayoutRow, open_payout
from yibao.usecases.services.commands import OnApplication
from yibao.usecases.services.desk import move, open_application
from yibao.usecases.services.effects import run_effect
from yibao.usecases.settlement.shelf import PolicyShelf


async def review_application(
    tx: Connection, command: OnApplication, *, actor: Actor, now: datetime, ids: Ids
) -> Application | Refusal:
    """Review an accepted application with an opinion; somebody else decides."""
    application = await open_application(tx, command.application_id, deed="review", actor=actor, decides=True)
    if isinstance(application, Refusal):
        return application
    if not command.says.strip():
        return refuse("OPINION_MISSING", "须写明审核意见", field="says", remedy="请填写审核意见")
    return await move(tx, application, what="review", state=REVIEWING, reviewed_by=actor.login, says=command.says.strip(),
                      actor=actor, now=now, ids=ids)


async def send_back_application(
    tx: Connection, command: OnApplication, *, actor: Actor, now: datetime, ids: Ids
) -> Application | Refusal:
    """Send a reviewed application back to review."""
    application = await open_application(tx, command.application_id, deed="send_back", actor=actor, decides=True)
    if isinstance(application, Refusal):
        return application
    return await move(tx, application, what="send_back", state=ACCEPTED, reviewed_by=None, says=command.says, actor=actor,
                      now=now, ids=ids)


async def approve_application(
    tx: Connection, command: OnApplication, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    book: ServiceBook | None = None,
) -> Application | Refusal:
    """Approve a reviewed application and run its deed in the same transaction; a deed that is refused approves nothing."""
    book = book or service_book()
    application = await open_application(tx, command.application_id, deed="approve", actor=actor, decides=True)
    if isinstance(application, Refusal):
        return application
    refusal = refuse_checker([application.reviewed_by], actor.login)
    if refusal is not None:
        return refusal
    application = await move(tx, application, what="approve", state=APPROVED, decided_by=actor.login, says=command.says,
                             actor=actor, now=now, ids=ids, book=book)
    item = book.items[application.item_code]
    return await finish(tx, application, item=item, actor=actor, now=now, ids=ids, shelf=shelf, book=book)


async def reject_application(
    tx: Connection, command: OnApplication, *, actor: Actor, now: datetime, ids: Ids, book: ServiceBook | None = None
) -> Application | Refusal:
    """Reject a reviewed application, with the reason and how to object."""
    book = book or service_book()
    application = await open_application(tx, command.application_id, deed="reject", actor=actor, decides=True)
    if isinstance(application, Refusal):
        return application
    refusal = refuse_checker([application.reviewed_by], actor.login)
    if refusal is None and not command.says.strip():
        refusal = refuse("REASON_MISSING", "未通过须写明理由", field="says", remedy="请填写理由")
    if refusal is not None:
        return refusal
    return await move(tx, application, what="reject", state=REJECTED, decided_by=actor.login, reason=command.says.strip(),
                      closed_at=now, says=f"{command.says.strip()}。{book.appeal}", actor=actor, now=now, ids=ids, book=book)


async def finish(
    tx: Connection, application: Application, *, item: Item, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    book: ServiceBook,
) -> Application | Refusal:
    """Run the deed of an application and close it, or wait for the bank where the deed pays.

    Where it is in doubt who somebody is, nothing was done: the clock stands until the doubt is settled and the application
    is resumed.
    """
    result = await run_effect(tx, application, effect=item.effect, actor=actor, now=now, ids=ids, shelf=shelf)
    if isinstance(result, Refusal):
        return result
    if isinstance(result, Held):
        says = f"{Refusal(result.faults).sentence()}（待核实事项{result.doubt_id}）"
        await begin_pause(tx, application, on=business_date(now), window_id="", says=says)
        return await move(tx, application, what="suspend", state=SUSPENDED, due_on=None, decided_by=None, says=says,
                          actor=actor, now=now, ids=ids, book=book)
    text = msgspec.json.encode(result).decode()
    payout_id = await _payout_of(tx, result)
    if payout_id:
        return await move(tx, application, what="pay", state=PAYING, result=text, payout_id=payout_id, actor=actor, now=now,
                          ids=ids, book=book)
    return await move(tx, application, what="close", state=CLOSED, result=text, closed_at=now, actor=actor, now=now, ids=ids,
                      book=book)


async def _payout_of(tx: Connection, result: object) -> str:
    """Return the payout that a deed ordered, ``""`` where it pays nobody through the bank."""
    withdrawal = getattr(result, "withdrawal_id", "")
    payout_id = str(getattr(result, "payout_id", "") or (f"wd-{withdrawal}" if withdrawal else ""))
    return "" if not payout_id or isinstance(await open_payout(tx, payout_id), Refusal) else payout_id


async def follow_payments(
    tx: Connection, *, admdvs: str, actor: Actor, now: datetime, ids: Ids
) -> list[Application]:
    """Bring a region's applications that wait for the bank up to what it answered; return those that moved."""
    moved = []
    for state in (PAYING, PAY_FAILED):
        for application_id in await list_in_state(tx, admdvs, state):
            application = await open_application(tx, application_id, deed="pay" if state == PAYING else "pay_again", actor=actor)
            if isinstance(application, Refusal):
                continue
            payout = await open_payout(tx, application.payout_id)
            if isinstance(payout, Refusal):
                continue
            moved += await _follow(tx, application, payout, actor=actor, now=now, ids=ids)
    return moved


async def _follow(
    tx: Connection, application: Application, payout: PayoutRow, *, actor: Actor, now: datetime, ids: Ids
) -> list[Application]:
    if payout.state == "paid":
        application = await move(tx, application, what="paid", state=PAID, actor=actor, now=now, ids=ids)
        return [await move(tx, application, what="close", state=CLOSED, closed_at=now, actor=actor, now=now, ids=ids)]
    if payout.state == "failed" and application.state == PAYING:
        return [await move(tx, application, what="pay_failed", state=PAY_FAILED, says=payout.reason, actor=actor, now=now,
                           ids=ids)]
    if payout.state != "failed" and application.state == PAY_FAILED:
        return [await move(tx, application, what="pay", state=PAYING, says="已重新支付", actor=actor, now=now, ids=ids)]
    return []
