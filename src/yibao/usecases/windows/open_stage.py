"""Open and stop stages of a reopening by hand; each with a reason, in the order of the plan."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from yibao.domains.windows import operations, queries
from yibao.domains.windows.model import Openings, Plan, Stage, Track
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.stored import OPEN_STAGE, PUBLISHED, STOP_STAGE, Opening
from yibao.domains.windows.words import restart_says
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.trail import write_trail

OPENED, STOPPED, WAITS = "open", "stopped", "waits"
"""How a stage stands."""


class MoveStage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stage that somebody opens or stops, and why."""

    admdvs: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]
    name: Annotated[str, Meta(min_length=1, max_length=40)]
    ordinal: int
    reason: Annotated[str, Meta(max_length=500)] = ""


class StageState(msgspec.Struct, frozen=True, kw_only=True):
    """How a stage stands.

    Attributes:
        state: ``open``, ``stopped`` or ``waits``.
        since: since when; None while it waits for its time or for somebody.
        by, reason: who opened or stopped it and why; ``""`` where its own time did.
        error_rate: in ten-thousandths, where the stop rule stopped it.
    """

    stage: Stage
    state: str
    since: datetime | None
    by: str = ""
    reason: str = ""
    error_rate: int | None = None


async def open_stage(tx: Connection, command: MoveStage, *, actor: Actor, now: datetime, ids: Ids) -> Opening | Refusal:
    """Open a stage after the restart, when those before it are open; one that was stopped needs a reason to resume."""
    found = await _found(tx, command, actor=actor, now=now)
    if isinstance(found, Refusal):
        return found
    plan, states = found
    mine = states[command.ordinal]
    if mine.state == OPENED:
        return refuse("STAGE_OPEN", f"“{mine.stage.title}”已经开放", field="ordinal",
                      received=str(command.ordinal), remedy="无需再办理")
    if mine.state == STOPPED and not command.reason.strip():
        return refuse("REASON_MISSING", "暂停过的批次恢复开放须写明原因", field="reason", remedy="请写明问题如何解决")
    closed = _still_stopped(plan, mine.stage, now)
    if closed is not None:
        return refuse("STAGE_TOO_EARLY", f"{closed.title}尚未恢复，恢复时间：{restart_says(closed)}", field="ordinal",
                      received=str(command.ordinal), remedy="请在恢复后开放，或先修订方案的恢复时间")
    before = next((s for o, s in sorted(states.items()) if o < command.ordinal and s.state != OPENED), None)
    if before is not None:
        return refuse("STAGE_OUT_OF_ORDER", f"第 {before.stage.ordinal} 批（{before.stage.title}）尚未开放", field="ordinal",
                      received=str(command.ordinal), remedy="请按批次顺序开放")
    return await _moved(tx, command, OPEN_STAGE, actor=actor, now=now, ids=ids)


async def stop_stage(tx: Connection, command: MoveStage, *, actor: Actor, now: datetime, ids: Ids) -> Opening | Refusal:
    """Stop a stage that is open, with a reason; what is under way there ends as it would have."""
    found = await _found(tx, command, actor=actor, now=now)
    if isinstance(found, Refusal):
        return found
    mine = found[1][command.ordinal]
    if mine.state == STOPPED:
        return refuse("STAGE_STOPPED", f"“{mine.stage.title}”已经暂停：{mine.reason}", field="ordinal",
                      received=str(command.ordinal), remedy="无需再办理")
    if not command.reason.strip():
        return refuse("REASON_MISSING", "须写明暂停的原因", field="reason", remedy="请写明原因")
    return await _moved(tx, command, STOP_STAGE, actor=actor, now=now, ids=ids)


async def stages_of(tx: Connection, plan: Plan, *, now: datetime) -> dict[int, StageState]:
    """Return how each stage of a plan stands, by ordinal."""
    last = {o.ordinal: o for o in await queries.list_openings(tx, plan.admdvs, plan.name)}
    return {s.ordinal: _state(s, last.get(s.ordinal), now) for s in plan.stages}


def openings_of(states: dict[int, StageState]) -> Openings:
    """Return states as the judgement wants them."""
    return Openings({o: s.state for o, s in states.items() if s.state != WAITS})


def _state(stage: Stage, opening: Opening | None, now: datetime) -> StageState:
    if opening is not None:
        state = OPENED if opening.act == OPEN_STAGE else STOPPED
        return StageState(stage=stage, state=state, since=opening.at, by=opening.by, reason=opening.reason,
                          error_rate=opening.error_rate)
    if stage.opens is not None and stage.opens <= now:
        return StageState(stage=stage, state=OPENED, since=stage.opens)
    return StageState(stage=stage, state=WAITS, since=None)


def _still_stopped(plan: Plan, stage: Stage, now: datetime) -> Track | None:
    tracks = (plan.track_of(business) for business in stage.business)
    return next((t for t in tracks if t is not None and (t.restart is None or now < t.restart)), None)


async def _found(
    tx: Connection, command: MoveStage, *, actor: Actor, now: datetime
) -> tuple[Plan, dict[int, StageState]] | Refusal:
    await queries.lock_plan(tx, command.admdvs, command.name)
    stored = await queries.find_newest(tx, command.admdvs, command.name, state=PUBLISHED)
    if stored is None or command.admdvs not in actor.regions:
        return refuse("PLAN_NOT_FOUND", "没有已发布的方案", field="name", received=command.name, remedy="请核对方案名称")
    plan = read_plan(stored.text)
    if isinstance(plan, Refusal):
        return plan
    states = await stages_of(tx, plan, now=now)
    if command.ordinal not in states:
        return refuse("STAGE_NOT_FOUND", "方案没有这一批次", field="ordinal", received=str(command.ordinal),
                      remedy=f"可用：{'、'.join(str(o) for o in sorted(states)) or '该方案不分批恢复'}")
    return plan, states


async def _moved(tx: Connection, command: MoveStage, act: str, *, actor: Actor, now: datetime, ids: Ids) -> Opening:
    opening = Opening(admdvs=command.admdvs, name=command.name, ordinal=command.ordinal, seq=0, act=act, at=now,
                      by=actor.login, reason=command.reason.strip())
    return await note_opening(tx, opening, actor=actor, now=now, ids=ids)


async def note_opening(tx: Connection, opening: Opening, *, actor: Actor, now: datetime, ids: Ids) -> Opening:
    """Write that a stage was opened or stopped, with its audit row."""
    noted = msgspec.structs.replace(opening, seq=await operations.add_opening(tx, opening))
    await write_trail(
        tx, actor, verb=f"{opening.act}_stage", object_id=f"{opening.name} {opening.ordinal}", admdvs=opening.admdvs,
        state=noted, now=now, ids=ids, rule=f"{opening.name} stage {opening.ordinal}",
    )
    return noted
