"""A sensitive deed waits for a second person: kept as asked, decided by somebody else, or withdrawn."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.access import agents_operations, agents_queries
from yibao.domains.access.agents_model import Proposal
from yibao.domains.access.verbs import verbs
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.trail import write_trail

PROPOSED, APPROVED, REJECTED, WITHDRAWN = "proposed", "approved", "rejected", "withdrawn"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: which operation with which parameters and body."""

    verb: str
    operation: str
    psn_no: str | None
    parameters: dict[str, Any]
    body: Any


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """The deed is kept and waits for somebody in the role ``checker``."""

    proposal_id: str
    verb: str
    title: str
    checker: str
    made_by: str
    state: str = PROPOSED


async def keep_proposal(tx: Connection, asked: Asked, *, actor: Actor, now: datetime, ids: Ids) -> Proposed:
    """Keep a deed for its second person; nothing of it is done yet."""
    proposal = Proposal(
        proposal_id=ids.new(now), admdvs=actor.regions[0], division=actor.division, verb=asked.verb,
        operation=asked.operation, psn_no=asked.psn_no, parameters=asked.parameters, body=asked.body,
        made_by=actor.login, made_at=now, state=PROPOSED, decided_by="", decided_at=None, reason="",
    )
    await agents_operations.add_proposal(tx, proposal)
    await write_trail(tx, actor, verb=f"propose:{asked.verb}", object_id=proposal.proposal_id, admdvs=proposal.admdvs,
                      state=asked, now=now, ids=ids)
    verb = verbs()[asked.verb]
    return Proposed(
        proposal_id=proposal.proposal_id, verb=asked.verb, title=verb.title, checker=verb.checker, made_by=actor.login
    )


async def open_proposal(tx: Connection, proposal_id: str, *, actor: Actor) -> Proposal | Refusal:
    """Return a proposal that the actor may decide now, locked for this transaction."""
    proposal = await agents_queries.find_proposal(tx, proposal_id, lock=True)
    if proposal is None:
        return refuse("PROPOSAL_NOT_FOUND", "没有这件待复核事项", field="proposal_id", received=proposal_id[:32],
                      remedy="请核对编号")
    if proposal.state != PROPOSED:
        return refuse("PROPOSAL_DECIDED", "这件事项已经处理", field="proposal_id", received=proposal_id, remedy="请查询结果")
    if proposal.made_by == actor.login:
        return refuse("SAME_PERSON", "经办与复核不得为同一人", field="proposal_id", received=actor.login, remedy="请由另一人复核",
                      basis="经办岗位不相容原则")
    checker = verbs()[proposal.verb].checker
    if checker not in actor.roles:
        return refuse("ROLE_MISSING", "您的岗位不能复核这件事项", field="proposal_id", received=" ".join(actor.roles),
                      remedy="请由有此岗位的人员复核")
    return proposal


async def end_proposal(
    tx: Connection, proposal: Proposal, *, state: str, reason: str, actor: Actor, now: datetime, ids: Ids
) -> Proposal:
    """Note how a proposal ended, with its audit row; return it as it stands now."""
    changed = await agents_operations.decide_proposal(
        tx, proposal.proposal_id, state=state, by=actor.login, reason=reason, now=now
    )
    assert changed, "the proposal is locked and open"
    await write_trail(tx, actor, verb=f"{state}:{proposal.verb}", object_id=proposal.proposal_id, admdvs=proposal.admdvs,
                      state=[state, reason], now=now, ids=ids)
    return msgspec.structs.replace(proposal, state=state, decided_by=actor.login, decided_at=now, reason=reason)


async def withdraw_proposal(
    tx: Connection, proposal_id: str, *, actor: Actor, now: datetime, ids: Ids
) -> Proposal | Refusal:
    """Take the own proposal back."""
    proposal = await agents_queries.find_proposal(tx, proposal_id, lock=True)
    if proposal is None or proposal.made_by != actor.login:
        return refuse("PROPOSAL_NOT_FOUND", "您没有提交过这件事项", field="proposal_id", received=proposal_id[:32],
                      remedy="请核对编号")
    if proposal.state != PROPOSED:
        return refuse("PROPOSAL_DECIDED", "这件事项已经处理", field="proposal_id", received=proposal_id, remedy="请查询结果")
    return await end_proposal(tx, proposal, state=WITHDRAWN, reason="", actor=actor, now=now, ids=ids)
