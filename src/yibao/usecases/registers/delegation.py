"""Another body decides for the agency while a module is not there: each decision in a book, audited, then handed back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from yibao.domains.registers.model import DELEGATED, DONE, REFUSED, Entry, NewEntry
from yibao.domains.registers.operations import add_delegation
from yibao.domains.registers.queries import Delegation, find_delegation
from yibao.domains.windows.model import Asked, Plan, Rule
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.filings.decide_filing import cancel_filing
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.registers.close_entry import close_entry
from yibao.usecases.registers.see_entry import see_entry
from yibao.usecases.trail import write_trail
from yibao.usecases.windows.pass_gate import Gate

_INJURY, _GATEWAY, _FILING = "injury_review", "gateway", "filing/"


class HandBack(msgspec.Struct, frozen=True, kw_only=True):
    """The agency decides again itself: of which rule of which plan, and why now."""

    admdvs: str
    plan: str
    rule: str
    reason: str


class AuditDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What the agency finds when it looks at a decision that somebody else made for it."""

    register_no: str
    is_right: bool
    says: str = ""


async def delegated(
    tx: Connection, gate: Gate, *, admdvs: str, business: str, at: datetime
) -> tuple[Plan, Rule] | None:
    """Return plan and rule by which an institution decides at an instant; None: the agency does, or does again."""
    plan = gate.plan_for(admdvs, at)
    if plan is None:
        return None
    hits = gate.ask(Asked(business=business, admdvs=admdvs, channel=_GATEWAY), at).hits
    rule = next((hit.rule for hit in hits if hit.rule.disposition == "delegate"), None)
    if rule is None:
        return None
    ended = await find_delegation(tx, admdvs, plan=plan.name, rule=rule.id)
    return None if ended is not None and ended.end_at <= at else (plan, rule)


async def note_decision(
    tx: Connection, gate: Gate, *, filing_id: str, psn_no: str, name: str, admdvs: str, fixmedins_code: str,
    facts: Mapping[str, str | bool], actor: Actor, now: datetime, ids: Ids,
) -> Entry | None:
    """Put a decision of a hospital into the book of delegated ones, in the transaction that files it; None: none is delegated."""
    found = await delegated(tx, gate, admdvs=admdvs, business=_INJURY, at=now)
    if found is None:
        return None
    plan, rule = found
    entry = await add_entry(tx, NewEntry(
        admdvs=admdvs, kind=str(rule.terms.get("register", DELEGATED)), plan=plan.name, business=_INJURY, psn_no=psn_no,
        applicant_name=name, fixmedins_code=fixmedins_code, origin=f"{_FILING}{filing_id}", body={**facts, "rule": rule.id},
    ), actor=actor, now=now, ids=ids)
    assert not isinstance(entry, Refusal), "the book of delegated decisions asks for no paper"
    return entry


async def audit_decision(
    tx: Connection, command: AuditDecision, *, actor: Actor, now: datetime, ids: Ids
) -> Entry | Refusal:
    """Confirm a delegated decision, or take its filing back with the reason; refused where a settlement rests on it."""
    entry = await see_entry(tx, command.register_no, actor=actor, lock=True)
    if isinstance(entry, Refusal):
        return entry
    if not entry.origin.startswith(_FILING):
        return refuse("NOT_DELEGATED", "这一行不是委托办理的备案", field="register_no", received=entry.register_no,
                      remedy="请核对登记号")
    says = command.says.strip()
    if command.is_right:
        return await close_entry(
            tx, entry.register_no, state=DONE, result=says or "经办机构核对无误", now=now, actor=actor, ids=ids)
    refusal = await cancel_filing(
        tx, filing_id=entry.origin.removeprefix(_FILING), operator=actor.login, reason=says, ids=ids, now=now,
        channel=actor.channel)
    if refusal is not None:
        return refusal
    return await close_entry(
        tx, entry.register_no, state=REFUSED, result="备案已撤销", reason=says, now=now, actor=actor, ids=ids)


async def hand_back(
    tx: Connection, command: HandBack, *, actor: Actor, now: datetime, ids: Ids, gate: Gate
) -> Delegation | Refusal:
    """End a delegation: what was decided stays and is audited, what comes from now on the agency decides itself."""
    if command.admdvs not in actor.regions:
        return refuse("OTHER_REGION", "不能办理其他统筹区的委托", field="admdvs", received=command.admdvs, remedy="请核对统筹区")
    if not command.reason.strip():
        return refuse("REASON_MISSING", "收回委托须写明理由", field="reason", remedy="请填写理由")
    plan = gate.plan_for(command.admdvs, now)
    rule = None if plan is None or plan.name != command.plan else next(
        (r for r in plan.rules if r.id == command.rule and r.disposition == "delegate"), None)
    if plan is None or rule is None:
        return refuse("DELEGATION_UNKNOWN", "停机方案没有这条委托办理的规则", field="rule", received=command.rule[:40],
                      remedy="请核对方案与规则编号")
    earlier = await find_delegation(tx, command.admdvs, plan=command.plan, rule=command.rule)
    if earlier is not None:
        return refuse("DELEGATION_ENDED", f"该委托已由{earlier.ended_by}收回", field="rule", received=command.rule,
                      remedy="无需再收回")
    track = plan.track_of(rule.when.business[0]) if rule.when.business else None
    begin = rule.begin or (track.stop if track is not None else now)
    if begin >= now:
        return refuse("DELEGATION_NOT_BEGUN", "委托尚未开始", field="rule", received=command.rule, remedy="请修改停机方案")
    ended = Delegation(
        command.admdvs, f"{command.plan}/{command.rule}", command.plan, command.rule, rule.when.business[0]
        if rule.when.business else "", begin, now, plan.published_by, actor.login, command.reason.strip())
    await add_delegation(tx, ended)
    await write_trail(tx, actor, verb="hand_back", object_id=ended.delegation_id, admdvs=ended.admdvs, state=ended, now=now,
                      ids=ids, rule=command.rule)
    return ended
