"""Service items and applications: from the paper at the counter to the closed file."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from yibao.domains.services.items import service_book
from yibao.domains.services.model import STATES, Application
from yibao.domains.services.queries import list_applications
from yibao.entrypoints.api.fields import Id, Limit, MaybeWords, Region, Words
from yibao.entrypoints.api.routing import deed, public, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal
from yibao.usecases.services import accept_application as intake
from yibao.usecases.services import decide_application as office
from yibao.usecases.services.commands import (
    OnApplication,
    PaperGiven,
    RateApplication,
    RegisterApplication,
    SubmitApplication,
    SupplementApplication,
    SuspendApplication,
)
from yibao.usecases.services.desk import Sheet, sheet_of
from yibao.usecases.services.rate_application import rate_application
from yibao.usecases.services.submit_application import (
    submit_application,
    supplement_application,
    withdraw_application,
)
from yibao.usecases.services.suspend_application import resume_application, suspend_application

MaybeCode = Annotated[str, Meta(max_length=40, pattern=r"^[0-9A-Za-z_]*$", description="空为全部")]


class PaperView(msgspec.Struct, frozen=True):
    """A paper that an item asks for; ``rule`` is ``required``, ``substitute`` or ``when:<word>``."""

    material: str
    title: str
    rule: str


class ItemView(msgspec.Struct, frozen=True):
    """A service item as it is today; ``instead`` says where to go for one that is not offered here."""

    code: str
    title: str
    applicants: list[str]
    channels: list[str]
    reviewers: int
    working_days: int
    limit_source: str
    offered: bool
    instead: str
    papers: list[PaperView]


class Items(msgspec.Struct, frozen=True):
    """All service items."""

    rows: list[ItemView]


class StepView(msgspec.Struct, frozen=True):
    """Something that happened to an application; ``working_day`` counts from acceptance."""

    what: str
    state: str
    at: datetime
    actor: str
    working_day: int
    says: str


class ApplicationRow(msgspec.Struct, frozen=True, kw_only=True):
    """An application as it stands; ``due_on`` is its last day."""

    application_id: str
    admdvs: str
    division: str
    item_code: str
    title: str
    applicant_no: str
    applicant_name: str
    state: str
    state_text: str
    submitted_at: datetime
    limit_days: int | None
    due_on: date | None
    register_no: str
    notice: list[str]
    reason: str
    rating: int | None
    result: Any


class Applications(msgspec.Struct, frozen=True):
    """Applications, the first due first."""

    rows: list[ApplicationRow]


class ApplicationView(msgspec.Struct, frozen=True):
    """An application with everything that happened to it."""

    application: ApplicationRow
    used_days: int
    calendar_note: str
    steps: list[StepView]


class Says(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An opinion or a reason."""

    says: MaybeWords = ""


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The announced window in which the business stands still."""

    window_id: Words


class Stand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the clock stands."""

    reason: Words
    window_id: MaybeWords = ""


class Papers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Papers that come later."""

    materials: list[PaperGiven]


class Rating(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How content the applicant was."""

    stars: Annotated[int, Meta(ge=1, le=5)]
    says: MaybeWords = ""


@public("/service-items")
async def list_service_items(call: Call, admdvs: Region) -> Items:
    """List what may be asked of a region's agency, with papers, channels and limits of today."""
    book, today, rows = service_book(), business_date(call.now), []
    for item in book.items.values():
        limit = book.limit_of(item.code, admdvs=admdvs, on=today)
        papers = [PaperView(p.material, p.title, p.rule) for p in book.papers[item.code]]
        rows.append(ItemView(
            item.code, item.title, list(item.applicants), list(item.channels), 2 if item.review == "two" else 1,
            limit.working_days, limit.source, bool(item.effect), item.instead, papers))
    return Items(rows)


@deed("/applications", verb="apply_service", status=201)
async def submit_service(call: Call, data: SubmitApplication) -> ApplicationRow | Refusal:
    """Take in an application; papers that are missing are asked for once."""
    return _row(await submit_application(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, gate=call.services.gate))


@deed("/applications/{application_id}/papers", verb="apply_service")
async def add_service_papers(call: Call, application_id: Id, data: Papers) -> ApplicationRow | Refusal:
    """Add papers to an application that is not accepted yet."""
    command = SupplementApplication(application_id=application_id, materials=data.materials)
    return _row(await supplement_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/accept", verb="apply_service")
async def accept_service(call: Call, application_id: Id, data: Says) -> ApplicationRow | Refusal:
    """Accept an application whose papers are all there: its clock starts. What nobody reviews is done at once."""
    command = OnApplication(application_id=application_id, says=data.says)
    return _row(await intake.accept_application(
        call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf))


@deed("/applications/{application_id}/return", verb="return_service")
async def return_service(call: Call, application_id: Id, data: Says) -> ApplicationRow | Refusal:
    """Tell the applicant everything that is missing, once."""
    command = OnApplication(application_id=application_id, says=data.says)
    return _row(await intake.return_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/refuse", verb="return_service")
async def refuse_service(call: Call, application_id: Id, data: Says) -> ApplicationRow | Refusal:
    """Refuse to accept an application, with the reason."""
    command = OnApplication(application_id=application_id, says=data.says)
    return _row(await intake.refuse_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/register", verb="return_service")
async def register_service(call: Call, application_id: Id, data: Window) -> ApplicationRow | Refusal:
    """Register an application while its business stands still."""
    command = RegisterApplication(application_id=application_id, window_id=data.window_id)
    return _row(await intake.register_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/withdraw", verb="withdraw_service")
async def withdraw_service(call: Call, application_id: Id, data: Says) -> ApplicationRow | Refusal:
    """Take an application back before it is decided."""
    command = OnApplication(application_id=application_id, says=data.says)
    return _row(await withdraw_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/suspend", verb="suspend_service")
async def suspend_service(call: Call, application_id: Id, data: Stand) -> ApplicationRow | Refusal:
    """Let the clock of an application stand."""
    command = SuspendApplication(application_id=application_id, reason=data.reason, window_id=data.window_id)
    return _row(await suspend_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/resume", verb="suspend_service")
async def resume_service(call: Call, application_id: Id, data: Says) -> ApplicationRow | Refusal:
    """Let the clock run again; the due date moves by the working days in between."""
    command = OnApplication(application_id=application_id, says=data.says)
    return _row(await resume_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/review", verb="review_service")
async def review_service(call: Call, application_id: Id, data: Says) -> ApplicationRow | Refusal:
    """Review an application with an opinion; somebody else decides."""
    command = OnApplication(application_id=application_id, says=data.says)
    return _row(await office.review_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/send-back", verb="approve_service")
async def send_back_service(call: Call, application_id: Id, data: Says) -> ApplicationRow | Refusal:
    """Send a reviewed application back to review."""
    command = OnApplication(application_id=application_id, says=data.says)
    return _row(await office.send_back_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/approve", verb="approve_service")
async def approve_service(call: Call, application_id: Id, data: Says) -> ApplicationRow | Refusal:
    """Approve a reviewed application and do what it asks for; not by whoever reviewed it."""
    command = OnApplication(application_id=application_id, says=data.says)
    return _row(await office.approve_application(
        call.tx, command, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf))


@deed("/applications/{application_id}/reject", verb="approve_service")
async def reject_service(call: Call, application_id: Id, data: Says) -> ApplicationRow | Refusal:
    """Reject a reviewed application, with the reason and how to object."""
    command = OnApplication(application_id=application_id, says=data.says)
    return _row(await office.reject_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/applications/{application_id}/rate", verb="rate_service")
async def rate_service(call: Call, application_id: Id, data: Rating) -> ApplicationRow | Refusal:
    """Note how content the applicant was, once."""
    command = RateApplication(application_id=application_id, stars=data.stars, says=data.says)
    return _row(await rate_application(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/regions/{admdvs}/applications/follow", verb="follow_service")
async def follow_application_payments(call: Call, admdvs: Region) -> Applications:
    """Bring applications that wait for the bank up to what it answered; list those that moved."""
    moved = await office.follow_payments(call.tx, admdvs=admdvs, actor=call.actor, now=call.now, ids=call.ids)
    return Applications([_view(a) for a in moved])


@read("/applications", verb="list_services")
async def find_applications(
    call: Call, state: MaybeCode = "", item_code: MaybeCode = "", applicant_no: MaybeCode = "",
    due_before: date | None = None, limit: Limit = 50,
) -> Applications:
    """List applications, the first due first; ``due_before`` finds what is late."""
    rows = await list_applications(
        call.tx, "", state, item_code, applicant_no, call.actor.division, due_before, limit)
    return Applications([_view(a) for a in rows])


@read("/applications/{application_id}", verb="list_services")
async def show_application(call: Call, application_id: Id) -> ApplicationView | Refusal:
    """Show an application with its clock and everything that happened to it."""
    sheet = await sheet_of(call.tx, application_id, on=business_date(call.now), actor=call.actor)
    return sheet if isinstance(sheet, Refusal) else _sheet(sheet)


def _row(answer: Application | Refusal) -> ApplicationRow | Refusal:
    return answer if isinstance(answer, Refusal) else _view(answer)


def _view(a: Application) -> ApplicationRow:
    return ApplicationRow(
        application_id=a.application_id, admdvs=a.admdvs, division=a.division, item_code=a.item_code,
        title=service_book().items[a.item_code].title, applicant_no=a.applicant_no, applicant_name=a.applicant_name,
        state=a.state, state_text=STATES[a.state], submitted_at=a.submitted_at, limit_days=a.limit_days, due_on=a.due_on,
        register_no=a.register_no, notice=a.notice, reason=a.reason, rating=a.rating, result=msgspec.json.decode(a.result),
    )


def _sheet(sheet: Sheet) -> ApplicationView:
    steps = [StepView(s.what, s.state, s.at, s.actor, s.working_day, s.says) for s in sheet.steps]
    return ApplicationView(_view(sheet.application), sheet.used_days, sheet.calendar_note, steps)


ROUTES = (
    list_service_items, submit_service, add_service_papers, accept_service, return_service, refuse_service, register_service,
    withdraw_service, suspend_service, resume_service, review_service, send_back_service, approve_service, reject_service,
    rate_service, follow_application_payments, find_applications, show_application,
)
