"""Move a row of a book: what it waited for has come, it is done, it goes elsewhere, somebody answers for it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from yibao.domains.registers.model import READY, RECEIVED, STATES, Entry, Step
from yibao.domains.registers.operations import add_step, change_entry
from yibao.domains.registers.queries import find_entry
from yibao.domains.registers.rules import refuse_end
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.registers.tell_applicant import tell_answer
from yibao.usecases.trail import write_trail


async def close_entry(
    tx: Connection, register_no: str, *, state: str, result: str, now: datetime, actor: Actor, ids: Ids, reason: str = "",
    due_fen: int | None = None, back_fen: int = 0, topup_fen: int = 0,
) -> Entry | Refusal:
    """End a row with what came of it; whoever gave money beforehand has then given exactly what was due.

    Args:
        state: ``done``, ``refused``, ``withdrawn``, ``claimed`` or ``lapsed``.
        result: in words for the person, or the number of what was made.
        due_fen: cash that was due in the end; None: what was given beforehand is what was due.
    """
    entry = await open_entry(tx, register_no)
    if isinstance(entry, Refusal):
        return entry
    due = entry.paid_fen + topup_fen - back_fen if due_fen is None else due_fen
    refusal = refuse_end(entry, state=state, reason=reason, due_fen=due, back_fen=back_fen, topup_fen=topup_fen)
    if refusal is not None:
        return refusal
    ended = await move_entry(
        tx, entry, what=state, says=reason.strip() or result, actor=actor, now=now, ids=ids, state=state, result=result,
        reason=reason.strip(), due_fen=due, back_fen=back_fen, topup_fen=topup_fen, ended_at=now, answered_at=now,
        answered_by=actor.login,
    )
    await tell_answer(tx, ended, now=now, ids=ids)
    return ended


async def make_ready(
    tx: Connection, register_no: str, *, says: str, now: datetime, actor: Actor, ids: Ids
) -> Entry | Refusal:
    """Note that what a row waited for has come; one that is ready already stays as it is."""
    entry = await open_entry(tx, register_no)
    if isinstance(entry, Refusal) or entry.state != RECEIVED:
        return entry
    return await move_entry(tx, entry, what="ready", says=says, actor=actor, now=now, ids=ids, state=READY, ready_at=now)


async def name_owner(
    tx: Connection, register_no: str, *, owner: str, until: date, now: datetime, actor: Actor, ids: Ids
) -> Entry | Refusal:
    """Name who answers for an open row until when: its book may close then."""
    entry = await open_entry(tx, register_no)
    if isinstance(entry, Refusal):
        return entry
    if not owner.strip():
        return refuse("OWNER_MISSING", "须写明责任人", field="owner", remedy="请填写责任人姓名")
    return await move_entry(tx, entry, what="owner", says=f"{owner.strip()}负责至{until}", actor=actor, now=now, ids=ids,
                            owner=owner.strip(), owner_until=until)


async def open_entry(tx: Connection, register_no: str) -> Entry | Refusal:
    """Return an open row, held for this transaction; ended or unknown ones are refused."""
    entry = await find_entry(tx, register_no, lock=True)
    if entry is None:
        return entry_unknown(register_no)
    if not entry.is_open:
        return refuse("REGISTER_ENDED", f"{entry.register_no}{STATES[entry.state]}", field="register_no",
                      received=register_no, remedy="无需再办理")
    return entry


async def move_entry(
    tx: Connection, entry: Entry, *, what: str, says: str, actor: Actor, now: datetime, ids: Ids, **changes: Any
) -> Entry:
    """Write the next state of a row with its step and its audit row."""
    changed = await change_entry(tx, entry, **changes)
    await add_step(tx, changed, Step(what, changed.state, now, actor.login, actor.channel, says))
    await write_trail(tx, actor, verb=f"register_{what}", object_id=changed.register_no, admdvs=changed.admdvs, state=changed,
                      now=now, ids=ids, rule=changed.plan)
    return changed


def entry_unknown(register_no: str) -> Refusal:
    """Return the refusal of a row that is not there, or not for this region."""
    return refuse("REGISTER_NOT_FOUND", "没有这个登记号", field="register_no", received=register_no[:80],
                  remedy="请核对受理回执上的登记号")
