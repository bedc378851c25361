"""Open a closed month again: one asks with a reason, another one agrees or declines."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.closing.model import Event, Month
from yibao.domains.closing.operations import add_event, ask_open, decline_open, open_again
from yibao.domains.closing.queries import find_month, last_closed, take_region
from yibao.domains.closing.rules import refuse_ask, refuse_decision, refuse_nobody
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.usecases.trail import write_trail


class AskReopen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which month is to be opened again, and why."""

    admdvs: str
    month: date
    reason: str


class DecideReopen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a month that was asked for is opened."""

    admdvs: str
    month: date
    agree: bool = True
    reason: str = ""


async def ask_reopen(tx: Connection, command: AskReopen, *, actor: Actor, now: datetime, ids: Ids) -> Month | Refusal:
    """Ask for the newest closed month to be opened again. It stays closed until somebody else agrees."""
    admdvs, month = command.admdvs, command.month
    await take_region(tx, admdvs)
    refusal = refuse_nobody(actor.login) or refuse_ask(
        await find_month(tx, admdvs, month, lock=True), await last_closed(tx, admdvs), asked=month, reason=command.reason
    )
    if refusal is not None:
        return refusal
    await ask_open(tx, admdvs, month, by=actor.login, now=now, reason=command.reason)
    return await _done(tx, admdvs, month, "asked", command.reason, actor=actor, now=now, ids=ids)


async def reopen_month(tx: Connection, command: DecideReopen, *, actor: Actor, now: datetime, ids: Ids) -> Month | Refusal:
    """Agree (or decline) that a month is opened; not by the one who asked.

    What the month said stays under its revision; postings dated in it are taken again until it is closed anew.
    """
    admdvs, month = command.admdvs, command.month
    await take_region(tx, admdvs)
    refusal = refuse_nobody(actor.login) or refuse_decision(
        await find_month(tx, admdvs, month, lock=True), asked=month, by=actor.login
    )
    if refusal is not None:
        return refusal
    if command.agree:
        await open_again(tx, admdvs, month, by=actor.login, now=now)
    else:
        await decline_open(tx, admdvs, month)
    return await _done(tx, admdvs, month, "opened" if command.agree else "declined", command.reason, actor=actor, now=now,
                       ids=ids)


async def _done(
    tx: Connection, admdvs: str, month: date, verb: str, reason: str, *, actor: Actor, now: datetime, ids: Ids
) -> Month:
    stands = await find_month(tx, admdvs, month)
    assert stands is not None, "the month is locked"
    await add_event(tx, Event(admdvs, month, ids.new(now), verb, stands.revision, actor.login, now, reason))
    await write_trail(tx, actor, verb=f"reopen_month_{verb}", object_id=f"{admdvs}-{month:%Y%m}", admdvs=admdvs, state=stands,
                      now=now, ids=ids)
    return stands
