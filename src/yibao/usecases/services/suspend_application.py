"""Let the clock of an application stand and run again; the due date moves by the working days in between."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.deadlines.queries import terms_of
from yibao.domains.deadlines.rules import say_day
from yibao.domains.services.items import ServiceBook, service_book
from yibao.domains.services.model import ACCEPTED, REVIEWING, SUSPENDED, Application
from yibao.domains.services.operations import begin_pause, end_pause
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.deadline import OPEN
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.deadlines.working_days import working_due
from yibao.usecases.services.commands import OnApplication, SuspendApplication
from yibao.usecases.services.desk import move, open_application


async def suspend_application(
    tx: Connection, command: SuspendApplication, *, actor: Actor, now: datetime, ids: Ids
) -> Application | Refusal:
    """Let the clock stand from today: the day of suspension no longer counts."""
    application = await open_application(tx, command.application_id, deed="suspend", actor=actor)
    if isinstance(application, Refusal):
        return application
    if not command.reason.strip():
        return refuse("REASON_MISSING", "中止须写明原因", field="reason", remedy="请填写原因")
    await begin_pause(tx, application, on=business_date(now), window_id=command.window_id, says=command.reason.strip())
    return await move(tx, application, what="suspend", state=SUSPENDED, due_on=None, window_id=command.window_id,
                      says=command.reason.strip(), actor=actor, now=now, ids=ids)


async def resume_application(
    tx: Connection, command: OnApplication, *, actor: Actor, now: datetime, ids: Ids, book: ServiceBook | None = None
) -> Application | Refusal:
    """Let the clock run again from today; the application is where it was before."""
    book = book or service_book()
    application = await open_application(tx, command.application_id, deed="resume", actor=actor)
    if isinstance(application, Refusal):
        return application
    assert application.accepted_at is not None
    assert application.limit_days is not None
    await end_pause(tx, application, on=business_date(now))
    due = await working_due(
        tx, book.calendar, await terms_of(tx, [application.admdvs]), application_id=application.application_id,
        accepted_on=business_date(application.accepted_at), working_days=application.limit_days)
    return await move(tx, application, what="resume", state=REVIEWING if application.reviewed_by else ACCEPTED,
                      due_on=None if due.due_on == OPEN else due.due_on, says=f"期限顺延至{say_day(due.due_on)}", actor=actor,
                      now=now, ids=ids, book=book)
