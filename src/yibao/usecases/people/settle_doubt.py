"""Settle a case in which it was in doubt who somebody is."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.people.model import DECISIONS, Doubt
from yibao.domains.people.operations import settle_doubt as write_decision
from yibao.domains.people.queries import take_doubt
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.finding import refuse_outside
from yibao.usecases.trail import write_trail


class SettleDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out: ``same_person``, ``two_persons``, ``wrong_statement`` or ``refunded``."""

    doubt_id: str
    decision: str


async def settle_doubt(
    tx: Connection, command: SettleDoubt, *, actor: Actor, now: datetime, ids: Ids
) -> Doubt | Refusal:
    """Close a case; what follows from it (a merge, a change of name, a refund) is a deed of its own.

    The same decision again changes nothing; another one is refused.
    """
    doubt = await take_doubt(tx, command.doubt_id)
    if doubt is None:
        return refuse("DOUBT_NOT_FOUND", "没有这个待核实事项", field="doubt_id", received=command.doubt_id, remedy="请核对编号")
    refusal = refuse_outside(actor, admdvs=doubt.admdvs, division=actor.division, field="doubt_id")
    if refusal is not None:
        return refusal
    if command.decision not in DECISIONS:
        return refuse("DECISION_UNKNOWN", f"核实结论须为：{'、'.join(f'{k} {v}' for k, v in DECISIONS.items())}",
                      field="decision", received=command.decision, remedy="请更正")
    if doubt.state == "settled":
        if doubt.decision == command.decision:
            return doubt
        return refuse("DOUBT_SETTLED", f"已由{doubt.decided_by}核实：{DECISIONS[doubt.decision]}", field="doubt_id",
                      received=command.doubt_id, remedy="无需重复办理")
    await write_decision(tx, doubt.doubt_id, decision=command.decision, by=actor.login, at=now)
    settled = msgspec.structs.replace(doubt, state="settled", decision=command.decision, decided_by=actor.login, decided_at=now)
    await write_trail(tx, actor, verb="settle_doubt", object_id=doubt.doubt_id, admdvs=doubt.admdvs, state=settled, now=now,
                      ids=ids)
    return settled
