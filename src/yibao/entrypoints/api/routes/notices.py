"""Notices of windows: texts for everybody, messages to whom it concerns, subscriptions, bulletins."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.notices.model import Subscription, Told
from yibao.domains.notices.queries import (
    count_told,
    find_kept,
    list_bulletins,
    list_subscriptions,
    list_told,
)
from yibao.entrypoints.api.fields import EmpNo, Id, Limit, PsnNo, Region
from yibao.entrypoints.api.routing import PDF, deed, public, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.notices.commands import PublishBulletin, SendNotices, Subscribe
from yibao.usecases.notices.concerns import GROUPS, find_concerns
from yibao.usecases.notices.print_notice import print_notice
from yibao.usecases.notices.promises import Promise, promises
from yibao.usecases.notices.publish_bulletin import publish_bulletin
from yibao.usecases.notices.published import find_published
from yibao.usecases.notices.send_notices import Sent, send_notices
from yibao.usecases.notices.subscribe import note_read, subscribe, unsubscribe
from yibao.usecases.notices.writing import long_text, phone_text

PlanName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$", description="切换方案名称")]
View = Annotated[Literal["person", "employer", "institution", "phone"], Meta(description="参保人、单位、医药机构、手机短文")]
Version = Annotated[int, Meta(ge=0, le=9999, description="方案版本，0 为现行版")]
MessageId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$", description="消息编号")]
Institution = Annotated[str, Meta(pattern=r"^[0-9A-Z]{12}$", description="定点医药机构编号")]


class NoticeText(msgspec.Struct, frozen=True):
    """A notice in words."""

    plan: str
    version: int
    view: str
    text: str


class Promises(msgspec.Struct, frozen=True):
    """What a notice promises, line by line, for programs."""

    version: int
    rows: list[Promise]


class ConcernRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom a rule concerns before the stop; amounts in fen."""

    rule: str
    track: str
    group: str
    group_text: str
    psn_no: str
    emp_no: str
    fixmedins_code: str
    about: str
    on_day: date | None
    amount_fen: int
    name: str
    business: str


class Concerned(msgspec.Struct, frozen=True):
    """Whom a plan concerns: how many by rule and group, and the first rows."""

    counts: dict[str, int]
    rows: list[ConcernRow]


class SentCount(msgspec.Struct, frozen=True):
    """How many messages of a kind and rule were sent, and how many of them read."""

    version: int
    kind: str
    rule: str
    told: int
    read: int


class SentCounts(msgspec.Struct, frozen=True):
    """What was sent of a plan."""

    rows: list[SentCount]


class Messages(msgspec.Struct, frozen=True):
    """Messages of one addressee, the newest first."""

    rows: list[Told]


class Read(msgspec.Struct, frozen=True):
    """Since when a message is read."""

    read_at: datetime


class Subscriptions(msgspec.Struct, frozen=True):
    """Subscriptions of one, the newest first."""

    rows: list[Subscription]


class BulletinRow(msgspec.Struct, frozen=True):
    """What was published of a day after the opening."""

    on_day: date
    text: str


class Bulletins(msgspec.Struct, frozen=True):
    """Bulletins of a plan, the newest first."""

    rows: list[BulletinRow]


class OfRegion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose plan it is."""

    admdvs: Region


class OfSubscriber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose subscription it is; empty for one of an employer or institution."""

    psn_no: Annotated[str, Meta(max_length=32, pattern=r"^[0-9A-Za-z]*$")] = ""


@public("/notices/{plan}")
async def show_notice(
    call: Call, plan: PlanName, admdvs: Region, view: View = "person", version: Version = 0
) -> NoticeText | Refusal:
    """Show a published notice as people, employers or institutions read it, or as a short text for phones."""
    return await _text(call, plan, admdvs, view, version)


@public("/notices/{plan}/pdf", produces=PDF)
async def print_one_notice(
    call: Call, plan: PlanName, admdvs: Region, view: View = "person", version: Version = 0
) -> bytes | Refusal:
    """Print a published notice."""
    found = await _text(call, plan, admdvs, view, version)
    return found if isinstance(found, Refusal) else print_notice(found.text)


@public("/notices/{plan}/promises")
async def list_promises(call: Call, plan: PlanName, admdvs: Region) -> Promises | Refusal:
    """List what a notice promises: for each business and way in, from when to when it is open."""
    found = await find_published(call.tx, admdvs, plan)
    return found if isinstance(found, Refusal) else Promises(found.version, promises(found))


@public("/notices/{plan}/bulletins")
async def list_notice_bulletins(call: Call, plan: PlanName, admdvs: Region) -> Bulletins:
    """List what was published after the opening: how many cases are repaired and how many wait."""
    return Bulletins([BulletinRow(b.on_day, b.text) for b in await list_bulletins(call.tx, admdvs, plan)])


@read("/notices/{plan}/concerned", verb="list_concerned")
async def list_concerned(
    call: Call, plan: PlanName, admdvs: Region, rule: Annotated[str, Meta(max_length=40)] = "", limit: Limit = 50
) -> Concerned | Refusal:
    """List whom the rules of a plan concern before its stop: the last-call list of this instant."""
    found = await find_published(call.tx, admdvs, plan)
    if isinstance(found, Refusal):
        return found
    rows = [c for c in await find_concerns(call.tx, found, at=call.now) if not rule or c.rule == rule]
    counts: dict[str, int] = {}
    for row in rows:
        counts[f"{row.rule}/{row.group}"] = counts.get(f"{row.rule}/{row.group}", 0) + 1
    return Concerned(counts, [ConcernRow(group_text=GROUPS[c.group], **msgspec.structs.asdict(c)) for c in rows[:limit]])


@read("/notices/{plan}/sent", verb="list_concerned")
async def count_sent(call: Call, plan: PlanName, admdvs: Region) -> SentCounts:
    """Count what was sent of a plan and what was read."""
    return SentCounts([SentCount(**row) for row in await count_told(call.tx, admdvs, plan)])


@deed("/notices/{plan}/send", verb="send_notices")
async def send_all_notices(call: Call, plan: PlanName, data: OfRegion) -> Sent | Refusal:
    """Tell whom it concerns: reminders, changes and openings that were not told before; call again while some are left."""
    command = SendNotices(admdvs=data.admdvs, plan=plan)
    return await send_notices(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)


@deed("/notices/{plan}/bulletins", verb="publish_bulletin", status=201)
async def publish_one_bulletin(call: Call, plan: PlanName, data: OfRegion) -> BulletinRow | Refusal:
    """Publish the bulletin of today."""
    command = PublishBulletin(admdvs=data.admdvs, plan=plan)
    made = await publish_bulletin(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)
    return made if isinstance(made, Refusal) else BulletinRow(made.on_day, made.text)


@deed("/notices/subscriptions", verb="subscribe", status=201)
async def add_one_subscription(call: Call, data: Subscribe) -> Subscription | Refusal:
    """Subscribe a person, employer or institution to the restart of a business."""
    return await subscribe(call.tx, data, actor=call.actor, now=call.now, ids=call.ids)


@deed("/notices/subscriptions/{subscription_id}/end", verb="subscribe")
async def end_one_subscription(call: Call, subscription_id: MessageId, data: OfSubscriber) -> Subscription | Refusal:
    """End a subscription."""
    return await unsubscribe(call.tx, data.psn_no, subscription_id, actor=call.actor, now=call.now, ids=call.ids)


@read("/people/{psn_no}/messages", verb="list_messages")
async def list_person_messages(call: Call, psn_no: PsnNo, limit: Limit = 50) -> Messages:
    """List what a person was told."""
    return Messages(await list_told(call.tx, psn_no=psn_no, most=limit))


@read("/people/{psn_no}/subscriptions", verb="list_messages")
async def list_person_subscriptions(call: Call, psn_no: PsnNo) -> Subscriptions:
    """List what a person wants to be told of."""
    return Subscriptions(await list_subscriptions(call.tx, psn_no=psn_no))


@deed("/people/{psn_no}/messages/{message_id}/read", verb="note_read")
async def read_person_message(call: Call, psn_no: PsnNo, message_id: MessageId) -> Read | Refusal:
    """Note that a person has read a message, or was shown it at the counter."""
    return await _note_read(call, psn_no, message_id)


@read("/employers/{emp_no}/messages", verb="list_employer_messages")
async def list_messages_of_employer(call: Call, emp_no: EmpNo, limit: Limit = 50) -> Messages:
    """List what an employer was told."""
    return Messages(await list_told(call.tx, emp_no=emp_no, most=limit))


@read("/institutions/{fixmedins_code}/messages", verb="list_institution_messages")
async def list_messages_of_institution(call: Call, fixmedins_code: Institution, limit: Limit = 50) -> Messages | Refusal:
    """List what an institution was told."""
    if call.actor.fixmedins_code and call.actor.fixmedins_code != fixmedins_code:
        return refuse("INSTITUTION_NOT_FOUND", "没有该编号的定点医药机构", field="fixmedins_code", received=fixmedins_code,
                      remedy="请核对编号")
    return Messages(await list_told(call.tx, fixmedins_code=fixmedins_code, most=limit))


@deed("/notices/messages/{message_id}/read", verb="note_read_elsewhere")
async def read_other_message(call: Call, message_id: MessageId) -> Read | Refusal:
    """Note that an employer or institution has read a message."""
    return await _note_read(call, "", message_id)


async def _note_read(call: Call, psn_no: str, message_id: Id) -> Read | Refusal:
    done = await note_read(call.tx, psn_no, message_id, actor=call.actor, now=call.now, ids=call.ids)
    return done if isinstance(done, Refusal) else Read(done)


async def _text(call: Call, plan: str, admdvs: str, view: str, version: int) -> NoticeText | Refusal:
    """Return a text as it was kept when it was published, or, before anything was sent of it, as it will be kept."""
    found = await find_published(call.tx, admdvs, plan, version=version)
    if isinstance(found, Refusal):
        return found
    kept = await find_kept(call.tx, admdvs=admdvs, plan=plan, view=view, version=found.version)
    text = kept["text"] if kept else phone_text(found) if view == "phone" else long_text(found, view=view)
    return NoticeText(plan, found.version, view, text)


ROUTES = (
    show_notice, print_one_notice, list_promises, list_notice_bulletins, list_concerned, count_sent, send_all_notices,
    publish_one_bulletin, add_one_subscription, end_one_subscription, list_person_messages, list_person_subscriptions,
    read_person_message, list_messages_of_employer, list_messages_of_institution, read_other_message,
)
