"""Subscribe to a restart, end a subscription, and note that a message was read."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.notices.model import Subscription
from yibao.domains.notices.operations import add_subscription, end_subscription, mark_read
from yibao.domains.notices.queries import find_message, find_subscription
from yibao.domains.notices.rules import addressee_faults, digest_of
from yibao.domains.windows.model import Plan, Track
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.notices.commands import Subscribe
from yibao.usecases.notices.published import find_published
from yibao.usecases.trail import write_trail


async def subscribe(
    tx: Connection, command: Subscribe, *, actor: Actor, now: datetime, ids: Ids
) -> Subscription | Refusal:
    """Note that somebody wants to be told when a track opens or its restart moves; asked twice, it is one subscription."""
    faults = addressee_faults((command.psn_no, command.emp_no, command.fixmedins_code))
    if faults:
        return Refusal(tuple(faults))
    if command.admdvs not in actor.regions or (actor.fixmedins_code and command.fixmedins_code != actor.fixmedins_code):
        return refuse("SUBSCRIBER_NOT_YOURS", "只能为本统筹区的参保人、单位或本机构订阅", field="admdvs",
                      received=command.admdvs, remedy="请由所属经办机构办理")
    plan = await find_published(tx, command.admdvs, command.plan)
    if isinstance(plan, Refusal):
        return plan
    track = _track(plan, command)
    if track is None:
        return refuse("TRACK_NOT_FOUND", "方案中没有这项停办业务", field="track", received=command.track or command.business,
                      remedy=f"可订阅：{'、'.join(f'{t.code} {t.title}' for t in plan.tracks)}")
    if track.restart is not None and now >= track.restart:
        return refuse("TRACK_OPEN", f"{track.title}已经恢复，无需订阅", field="track", received=track.code,
                      remedy="可以直接办理")
    made = Subscription(
        psn_no=command.psn_no, emp_no=command.emp_no, fixmedins_code=command.fixmedins_code, admdvs=plan.admdvs,
        subscription_id=digest_of(command.psn_no, command.emp_no, command.fixmedins_code, plan.name, track.code),
        plan=plan.name, track=track.code, phone=command.phone, since=now,
    )
    await add_subscription(tx, made)
    await write_trail(tx, actor, verb="subscribe", object_id=made.subscription_id, admdvs=made.admdvs, state=made, now=now,
                      ids=ids)
    kept = await find_subscription(tx, made.psn_no, made.subscription_id)
    assert kept is not None
    return kept


async def unsubscribe(
    tx: Connection, psn_no: str, subscription_id: str, *, actor: Actor, now: datetime, ids: Ids
) -> Subscription | Refusal:
    """End a subscription; ended twice, it has ended once.

    Args:
        psn_no: ``""`` for one of an employer or institution.
    """
    kept = await find_subscription(tx, psn_no, subscription_id)
    if kept is None or kept.admdvs not in actor.regions or (
        actor.fixmedins_code and kept.fixmedins_code != actor.fixmedins_code
    ):
        return refuse("SUBSCRIPTION_NOT_FOUND", "没有这项订阅", field="subscription_id", received=subscription_id[:40],
                      remedy="请核对编号")
    if await end_subscription(tx, psn_no, subscription_id, at=now):
        await write_trail(tx, actor, verb="unsubscribe", object_id=subscription_id, admdvs=kept.admdvs, state="ended",
                          now=now, ids=ids)
        kept = await find_subscription(tx, psn_no, subscription_id)
        assert kept is not None
    return kept


async def note_read(
    tx: Connection, psn_no: str, message_id: str, *, actor: Actor, now: datetime, ids: Ids
) -> datetime | Refusal:
    """Note that a message was read, or shown to its addressee at the counter; return since when it is."""
    row = await find_message(tx, psn_no, message_id)
    if row is None or row["admdvs"] not in actor.regions or (
        actor.fixmedins_code and row["fixmedins_code"] != actor.fixmedins_code
    ):
        return refuse("MESSAGE_NOT_FOUND", "没有这条消息", field="message_id", received=message_id[:40], remedy="请核对编号")
    if await mark_read(tx, psn_no, message_id, at=now):
        await write_trail(tx, actor, verb="note_read", object_id=message_id, admdvs=row["admdvs"], state="read", now=now,
                          ids=ids)
        return now
    read_at: datetime = row["read_at"]
    return read_at


def _track(plan: Plan, command: Subscribe) -> Track | None:
    return plan.track(command.track) if command.track else plan.track_of(command.business)
