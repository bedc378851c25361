"""Propose a plan, or the next version of one: readable, without faults, and without a word about the past.

Somebody else publishes it. Until then it changes nothing.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.windows import operations, queries
from yibao.domains.windows.amending import past_faults
from yibao.domains.windows.model import Plan
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.stored import PROPOSED, PUBLISHED, WITHDRAWN, StoredPlan
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.deadlines.keep_plan import keep_plan
from yibao.usecases.trail import write_trail
from yibao.usecases.windows.check_plan import sound_plan


class ProposePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it shall count.

    Attributes:
        text: the whole plan as TOML, of an amendment too.
        reason: why; needed for an amendment. announced_in: where people are told.
    """

    admdvs: str
    text: str
    reason: str = ""
    announced_in: str = ""


async def propose_plan(
    tx: Connection, command: ProposePlan, *, actor: Actor, now: datetime, ids: Ids
) -> StoredPlan | Refusal:
    """Keep a version for a second person, under the number after the last one; one at a time may wait."""
    plan = sound_plan(command.text)
    if isinstance(plan, Refusal):
        return plan
    if plan.admdvs != command.admdvs or plan.admdvs not in actor.regions:
        return refuse("REGION_NOT_YOURS", "方案不属于您办理的统筹区", field="admdvs", received=plan.admdvs,
                      remedy="请核对方案的统筹区")
    await queries.lock_plan(tx, plan.admdvs, plan.name)
    counts = await queries.find_newest(tx, plan.admdvs, plan.name, state=PUBLISHED)
    version = await queries.last_version(tx, plan.admdvs, plan.name) + 1
    faults = _faults(plan, command, counts)
    faults += faults_against(counts, plan, at=now)
    waiting = await queries.find_newest(tx, plan.admdvs, plan.name, state=PROPOSED)
    if waiting is not None:
        faults.append(Fault("PLAN_WAITS", f"第 {waiting.version} 版尚待另一人发布", "name", plan.name, "请先发布或撤回该版"))
    if faults:
        return Refusal(tuple(faults))
    stored = StoredPlan(
        admdvs=plan.admdvs, name=plan.name, version=version, text=command.text, digest=sm3(command.text.encode()),
        state=PROPOSED, amends=counts.version if counts else 0, reason=command.reason or plan.reason,
        announced_in=command.announced_in or plan.source, proposed_by=actor.login, proposed_at=now,
    )
    await operations.add_plan(tx, stored)
    await trail_of(tx, stored, "propose_plan", actor=actor, now=now, ids=ids)
    return stored


def _faults(plan: Plan, command: ProposePlan, counts: StoredPlan | None) -> list[Fault]:
    if counts is None:
        return []
    if counts.text == command.text:
        return [Fault("PLAN_UNCHANGED", f"与已发布的第 {counts.version} 版相同", "text", plan.name, "没有需要修订的内容")]
    if not (command.reason or plan.reason).strip():
        return [Fault("REASON_MISSING", "修订已发布的方案须写明原因", "reason", remedy="请写明为何修订、在哪里公告")]
    return []


def faults_against(counts: StoredPlan | None, plan: Plan, *, at: datetime) -> list[Fault]:
    """Return in what a plan would change the past that the version which counts has told.

    A first version may begin in the past: a stop that nobody planned is written down while it lasts.
    """
    if counts is None:
        return []
    old = read_plan(counts.text)
    return list(old.faults) if isinstance(old, Refusal) else past_faults(old, plan, at=at)


async def withdraw_plan(
    tx: Connection, admdvs: str, name: str, version: int, *, why: str, actor: Actor, now: datetime, ids: Ids
) -> StoredPlan | Refusal:
    """Withdraw a version: a proposed one at any time, the published one while nothing it said has passed.

    What an earlier published version said counts again then; so neither may differ about the past.
    """
    await queries.lock_plan(tx, admdvs, name)
    stored = await queries.find_plan(tx, admdvs, name, version)
    if stored is None or stored.state == WITHDRAWN or admdvs not in actor.regions:
        return refuse("PLAN_NOT_FOUND", "没有这一版方案，或已撤回", field="version", received=f"{name} {version}",
                      remedy="请核对名称和版本")
    if not why.strip():
        return refuse("REASON_MISSING", "须写明撤回的原因", field="why", remedy="请写明原因")
    if stored.state == PUBLISHED:
        refusal = await _may_go(tx, stored, now=now)
        if refusal is not None:
            return refusal
    await operations.withdraw_plan(tx, stored, by=actor.login, why=why.strip(), now=now)
    gone = msgspec.structs.replace(stored, state=WITHDRAWN, withdrawn_by=actor.login, withdrawn_at=now, why=why.strip())
    await trail_of(tx, gone, "withdraw_plan", actor=actor, now=now, ids=ids)
    if stored.state == PUBLISHED:
        counts = await queries.find_newest(tx, admdvs, name, state=PUBLISHED)
        plan = read_plan((counts or stored).text)
        assert not isinstance(plan, Refusal), "it was read when it was published"
        promised = msgspec.structs.replace(plan, version=(counts or stored).version)
        await keep_plan(tx, promised, actor=actor, now=now, ids=ids, withdrawn=counts is None)
    return gone


async def _may_go(tx: Connection, stored: StoredPlan, *, now: datetime) -> Refusal | None:
    counts = await queries.find_newest(tx, stored.admdvs, stored.name, state=PUBLISHED)
    assert counts is not None
    if counts.version != stored.version:
        return refuse("PLAN_REPLACED", f"第 {stored.version} 版已被第 {counts.version} 版取代", field="version",
                      received=str(stored.version), remedy="请修订最新的一版")
    plan = read_plan(stored.text)
    earlier = await queries.find_plan(tx, stored.admdvs, stored.name, stored.amends) if stored.amends else None
    if isinstance(plan, Refusal):
        return plan
    if earlier is None or earlier.state != PUBLISHED:
        begun = any((t.last_call or t.drain or t.stop) <= now for t in plan.tracks)
        return refuse(
            "PLAN_BEGUN", "方案已经开始执行，不能撤回", field="version", received=str(stored.version),
            remedy="请修订方案，把恢复时间改为现在以后的时间",
        ) if begun else None
    before = read_plan(earlier.text)
    faults = before.faults if isinstance(before, Refusal) else tuple(past_faults(plan, before, at=now))
    return Refusal(tuple(faults)) if faults else None


async def trail_of(tx: Connection, stored: StoredPlan, verb: str, *, actor: Actor, now: datetime, ids: Ids) -> None:
    """Write who did what to which version; the digest of its text says which words."""
    await write_trail(
        tx, actor, verb=verb, object_id=f"{stored.name} v{stored.version}", admdvs=stored.admdvs,
        state=(stored.state, stored.digest.hex()), now=now, ids=ids, rule=f"{stored.name} v{stored.version}",
    )
