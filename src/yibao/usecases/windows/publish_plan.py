"""Publish a version of a plan: somebody else than who proposed it; from then on every way in goes by it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.windows import operations, queries
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.stored import PROPOSED, PUBLISHED, StoredPlan
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.deadlines.keep_plan import keep_plan
from yibao.usecases.windows.propose_plan import faults_against, trail_of


class PublishPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A version that waits."""

    admdvs: str
    name: str
    version: int


async def publish_plan(
    tx: Connection, command: PublishPlan, *, actor: Actor, now: datetime, ids: Ids
) -> StoredPlan | Refusal:
    """Let a proposed version count, if at this instant it still changes nothing of the past."""
    await queries.lock_plan(tx, command.admdvs, command.name)
    stored = await queries.find_plan(tx, command.admdvs, command.name, command.version)
    if stored is None or stored.state != PROPOSED or command.admdvs not in actor.regions:
        return refuse("PLAN_NOT_FOUND", "没有待发布的这一版方案", field="version",
                      received=f"{command.name} {command.version}", remedy="请核对名称和版本")
    if stored.proposed_by == actor.login:
        return refuse("OWN_PROPOSAL", "提出方案和发布方案不得为同一人", field="version", received=str(stored.version),
                      remedy="请由另一人发布", basis="经办岗位不相容原则")
    plan = read_plan(stored.text)
    if isinstance(plan, Refusal):
        return plan
    counts = await queries.find_newest(tx, stored.admdvs, stored.name, state=PUBLISHED)
    faults = faults_against(counts, plan, at=now)
    if faults:
        return Refusal(tuple(faults))
    await operations.publish_plan(tx, stored, by=actor.login, now=now)
    published = msgspec.structs.replace(stored, state=PUBLISHED, published_by=actor.login, published_at=now)
    await trail_of(tx, published, "publish_plan", actor=actor, now=now, ids=ids)
    await keep_plan(tx, msgspec.structs.replace(plan, version=stored.version), actor=actor, now=now, ids=ids)
    return published
