"""The desk at which applications are worked: opens one, moves it to its next state, leaves the trail."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.services.items import ServiceBook, service_book
from yibao.domains.services.model import NOT_ACCEPTED, REJECTED, WITHDRAWN, Application, Item, Step
from yibao.domains.services.operations import add_step, change_application
from yibao.domains.services.queries import find_application, list_pauses, list_steps
from yibao.domains.services.rules import refuse_deed, refuse_place
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.claims.release_claim import release_of
from yibao.usecases.deadlines.clocks import standstills
from yibao.usecases.services.window_intake import follow_in_register
from yibao.usecases.trail import write_trail


class Sheet(msgspec.Struct, frozen=True):
    """An application with its item and everything that happened to it.

    Attributes:
        used_days: working days since acceptance, without pauses; 0 before.
        calendar_note: says that the public holidays of a year of the clock are not known, ``""`` otherwise.
    """

    application: Application
    item: Item
    steps: tuple[Step, ...]
    used_days: int
    calendar_note: str = ""


def application_unknown(application_id: str) -> Refusal:
    """Return the refusal of an application that is not there, or not for this region."""
    return refuse("APPLICATION_NOT_FOUND", "没有这个申请", field="application_id", received=application_id[:40],
                  remedy="请核对申请编号")


async def open_application(
    tx: Connection, application_id: str, *, deed: str, actor: Actor, decides: bool = False
) -> Application | Refusal:
    """Return an application, held for this transaction, if the deed may be done with it by this actor."""
    application = await find_application(tx, application_id, lock=True)
    if application is None or application.admdvs not in actor.regions:
        return application_unknown(application_id)
    return (refuse_place(application, actor.division, decides=decides) or refuse_deed(application, deed)) or application


async def move(
    tx: Connection, application: Application, *, what: str, actor: Actor, now: datetime, ids: Ids, says: str = "",
    book: ServiceBook | None = None, **changes: Any,
) -> Application:
    """Write the next state of an application with its step and its audit row."""
    changed = await change_application(tx, application, **changes)
    used = await used_days(tx, changed, on=business_date(now), book=book or service_book())
    await add_step(tx, changed, Step(what, changed.state, now, actor.login, actor.channel, actor.division, used, says))
    if changed.state in (REJECTED, NOT_ACCEPTED, WITHDRAWN):
        # The bills of a claim may be settled or claimed in another way from now on.
        await release_of(tx, changed.application_id, reason=changed.reason or says, reviewed_by=changed.reviewed_by or "",
                         actor=actor, now=now, ids=ids)
    await write_trail(tx, actor, verb=f"service_{what}", object_id=changed.application_id, admdvs=changed.admdvs,
                      state=changed, now=now, ids=ids, rule=changed.item_code)
    if changed.register_no:
        await follow_in_register(tx, changed, actor=actor, now=now, ids=ids)
    return changed


async def used_days(tx: Connection, application: Application, *, on: date, book: ServiceBook) -> int:
    """Return the working days that an application has taken, up to its end or to a day; days of a window do not count."""
    if application.accepted_at is None:
        return 0
    until = business_date(application.closed_at) if application.closed_at else on
    pauses = await list_pauses(tx, application.application_id) + await standstills(tx, admdvs=application.admdvs)
    return book.calendar.count(business_date(application.accepted_at), until, pauses)


async def sheet_of(
    tx: Connection, application_id: str, *, on: date, actor: Actor | None = None, book: ServiceBook | None = None
) -> Sheet | Refusal:
    """Return an application as everybody sees it on a day."""
    book = book or service_book()
    application = await find_application(tx, application_id)
    if application is None or (actor is not None and application.admdvs not in actor.regions):
        return application_unknown(application_id)
    if actor is not None and not application.division.startswith(actor.division):
        return application_unknown(application_id)
    begin = business_date(application.accepted_at or application.submitted_at)
    known = book.calendar.knows(begin, application.due_on or on)
    return Sheet(
        application, book.items[application.item_code], tuple(await list_steps(tx, application_id)),
        await used_days(tx, application, on=on, book=book),
        "" if known else "办理期间有年份的节假日安排尚未公布，期限只扣除了周末",
    )
