"""The intake desk: accept an application, say once what is missing, refuse it, or register it in a window."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.deadlines.queries import terms_of
from yibao.domains.services.items import ServiceBook, service_book
from yibao.domains.services.model import (
    ACCEPTED,
    NONE,
    NOT_ACCEPTED,
    REGISTERED,
    RETURNED,
    Application,
    Paper,
)
from yibao.domains.services.queries import list_given
from yibao.domains.services.rules import missing, missing_faults, refuse_notice
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.deadline import OPEN
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.deadlines.clocks import keep_move
from yibao.usecases.deadlines.working_days import working_due
from yibao.usecases.services.commands import OnApplication, RegisterApplication
from yibao.usecases.services.decide_application import finish
from yibao.usecases.services.desk import move, open_application
from yibao.usecases.services.window_intake import put_into_register
from yibao.usecases.settlement.shelf import PolicyShelf


async def accept_application(
    tx: Connection, command: OnApplication, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    book: ServiceBook | None = None,
) -> Application | Refusal:
    """Accept an application whose papers are all there; the clock starts. What nobody has to review is done at once.

    Missing papers are refused with all of them; ``return_application`` tells the applicant.
    """
    book = book or service_book()
    application = await open_application(tx, command.application_id, deed="accept", actor=actor)
    if isinstance(application, Refusal):
        return application
    item = book.items[application.item_code]
    lacking = await _lacking(tx, application, book)
    if lacking:
        return refuse_notice(application, lacking) or Refusal(missing_faults(lacking))
    today = business_date(now)
    limit = book.limit_of(item.code, admdvs=application.admdvs, on=today)
    due = await working_due(
        tx, book.calendar, await terms_of(tx, [application.admdvs]), application_id=application.application_id,
        accepted_on=today, working_days=limit.working_days)
    await keep_move(tx, due, object_kind="application", object_id=application.application_id, admdvs=application.admdvs,
                    psn_no=application.applicant_no if application.applicant_kind == "person" else "", now=now)
    application = await move(
        tx, application, what="accept", state=ACCEPTED, accepted_at=now, accepted_by=actor.login,
        division=application.division or actor.division, limit_days=limit.working_days,
        limit_source=f"{limit.region or '全国'} {limit.valid_from} {limit.source}",
        due_on=None if due.due_on == OPEN else due.due_on, says=command.says, actor=actor, now=now, ids=ids, book=book,
    )
    if item.review != NONE:
        return application
    return await finish(tx, application, item=item, actor=actor, now=now, ids=ids, shelf=shelf, book=book)


async def return_application(
    tx: Connection, command: OnApplication, *, actor: Actor, now: datetime, ids: Ids, book: ServiceBook | None = None
) -> Application | Refusal:
    """Tell the applicant everything that is missing, once and all of it; a later notice may only repeat the first."""
    book = book or service_book()
    application = await open_application(tx, command.application_id, deed="notify", actor=actor)
    if isinstance(application, Refusal):
        return application
    lacking = await _lacking(tx, application, book)
    if not lacking:
        return refuse("NOTHING_MISSING", "材料齐全，无需补正", field="application_id", received=application.application_id,
                      remedy="请受理")
    refusal = refuse_notice(application, lacking)
    if refusal is not None:
        return refusal
    return await move(
        tx, application, what="notify", state=RETURNED, notice=application.notice or [p.material for p in lacking],
        says="请一次补齐：" + "；".join(p.title for p in lacking), actor=actor, now=now, ids=ids, book=book,
    )


async def refuse_application(
    tx: Connection, command: OnApplication, *, actor: Actor, now: datetime, ids: Ids, book: ServiceBook | None = None
) -> Application | Refusal:
    """Refuse to accept an application, with the reason and how to object."""
    book = book or service_book()
    application = await open_application(tx, command.application_id, deed="refuse_intake", actor=actor)
    if isinstance(application, Refusal):
        return application
    if not command.says.strip():
        return reason_missing("不予受理")
    return await move(tx, application, what="refuse_intake", state=NOT_ACCEPTED, reason=command.says.strip(), closed_at=now,
                      says=f"{command.says.strip()}。{book.appeal}", actor=actor, now=now, ids=ids, book=book)


async def register_application(
    tx: Connection, command: RegisterApplication, *, actor: Actor, now: datetime, ids: Ids, book: ServiceBook | None = None
) -> Application | Refusal:
    """Register an application while its business stands still: it has a number and keeps its day; accepted afterwards.

    Numbers of a book have no gaps. The clock starts with the acceptance after the window.
    """
    application = await open_application(tx, command.application_id, deed="register", actor=actor)
    if isinstance(application, Refusal):
        return application
    plan = command.window_id.strip()
    if not plan:
        return refuse("WINDOW_MISSING", "须写明停办窗口", field="window_id", remedy="请填写停办公告的编号")
    number = await put_into_register(
        tx, application, await list_given(tx, application.application_id), intake="accept_register", plan=plan, actor=actor,
        now=now, ids=ids)
    if isinstance(number, Refusal):
        return number
    return await move(tx, application, what="register", state=REGISTERED, register_no=number, window_id=plan,
                      says=f"登记号{number}", actor=actor, now=now, ids=ids, book=book)


async def _lacking(tx: Connection, application: Application, book: ServiceBook) -> list[Paper]:
    given = await list_given(tx, application.application_id)
    return missing(book.papers[application.item_code], given, frozenset(application.traits))


def reason_missing(what: str) -> Refusal:
    """Return the refusal of a no without its reason."""
    return refuse("REASON_MISSING", f"{what}须写明理由", field="says", remedy="请填写理由")
