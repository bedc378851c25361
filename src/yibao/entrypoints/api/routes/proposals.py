"""What waits for a second person: list, approve, reject, withdraw."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from yibao.domains.access import agents_queries
from yibao.domains.access.agents_model import Proposal
from yibao.entrypoints.api.fields import Id, Limit, Words
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal
from yibao.usecases.access.keep_proposal import (
    APPROVED,
    REJECTED,
    end_proposal,
    open_proposal,
    withdraw_proposal,
)


class Proposals(msgspec.Struct, frozen=True):
    """Proposals, the oldest first."""

    rows: list[Proposal]


class Decided(msgspec.Struct, frozen=True):
    """A proposal that was approved, and what the deed answered."""

    proposal: Proposal
    answer: Any


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is refused."""

    reason: Words


@read("/proposals", verb="list_proposals")
async def list_proposals(
    call: Call, state: Literal["", "proposed", "approved", "rejected", "withdrawn"] = "proposed", limit: Limit = 50
) -> Proposals:
    """List deeds that two people do: what was asked for, by whom, and how it ended."""
    return Proposals(await agents_queries.list_proposals(call.tx, state=state, most=limit))


@deed("/proposals/{proposal_id}/approve", verb="decide_proposal")
async def approve_proposal(call: Call, proposal_id: Id) -> Decided | Refusal:
    """Approve what somebody else proposed: it is done now, in the same transaction, or refused with its reason."""
    proposal = await open_proposal(call.tx, proposal_id, actor=call.actor)
    if isinstance(proposal, Refusal):
        return proposal
    done = await call.do_again(msgspec.structs.replace(call, maker=proposal.made_by), proposal)
    ended = await end_proposal(
        call.tx, proposal, state=APPROVED, reason="", actor=call.actor, now=call.now, ids=call.ids
    )
    return Decided(ended, done)


@deed("/proposals/{proposal_id}/reject", verb="decide_proposal")
async def reject_proposal(call: Call, proposal_id: Id, data: Reason) -> Proposal | Refusal:
    """Reject what somebody else proposed; nothing of it is done."""
    proposal = await open_proposal(call.tx, proposal_id, actor=call.actor)
    if isinstance(proposal, Refusal):
        return proposal
    return await end_proposal(
        call.tx, proposal, state=REJECTED, reason=data.reason, actor=call.actor, now=call.now, ids=call.ids
    )


@deed("/proposals/{proposal_id}/withdraw", verb="withdraw_proposal")
async def take_back_proposal(call: Call, proposal_id: Id) -> Proposal | Refusal:
    """Take the own proposal back."""
    return await withdraw_proposal(call.tx, proposal_id, actor=call.actor, now=call.now, ids=call.ids)


ROUTES = (list_proposals, approve_proposal, reject_proposal, take_back_proposal)
