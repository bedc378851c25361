"""Carry a patient as a self-paying one through the stop, and back: costs go on, nothing is settled meanwhile."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.episodes.model import STAY, Episode
from yibao.domains.episodes.rules import refuse_change
from yibao.domains.windows.words import read_instant
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.episodes.commands import OnEpisode
from yibao.usecases.episodes.keep_episode import episode_of, keep
from yibao.usecases.windows.pass_gate import Gate

CONVERT = "convert_self_pay"


async def convert_self_pay(
    tx: Connection, command: OnEpisode, *, actor: Actor, now: datetime, ids: Ids
) -> Episode | Refusal:
    """Carry a stay as self-paying from now on, where the plan's rule for it says so. Its lines may go on."""
    e = await episode_of(tx, psn_no=command.psn_no, episode_id=command.episode_id, actor=actor)
    if isinstance(e, Refusal):
        return e
    refusal = refuse_change(e, "转为自费")
    if refusal is not None:
        return refusal
    if e.disposition != CONVERT or e.kind != STAY:
        return refuse("NOT_TO_CONVERT", "停机方案没有让这类病例转为自费", field="episode_id", received=e.episode_id,
                      remedy="请按方案对这类病例的规定办理", basis=f"{e.plan} v{e.plan_version} {e.rule_id}")
    if e.is_self_paying:
        return e
    changed = msgspec.structs.replace(e, self_pay_from=e.self_pay_from or now, self_pay_to=None)
    return await keep(tx, changed, what="self_pay", says=command.says, actor=actor, now=now, ids=ids)


async def convert_back(
    tx: Connection, command: OnEpisode, *, actor: Actor, now: datetime, ids: Ids, gate: Gate
) -> Episode | Refusal:
    """Carry a stay as insured again, with its original dates: everything in it is settled as if it had always been.

    Between the times that the plan's rule names (``from``, ``to``), where it names any.
    """
    e = await episode_of(tx, psn_no=command.psn_no, episode_id=command.episode_id, actor=actor)
    if isinstance(e, Refusal):
        return e
    refusal = refuse_change(e, "转回医保")
    if refusal is not None:
        return refusal
    if not e.is_self_paying:
        return refuse("NOT_SELF_PAYING", "该病例没有转为自费", field="episode_id", received=e.episode_id, remedy="无需转回")
    plan = gate.plan_for(e.admdvs, now)
    rule = plan.rule(e.rule_id) if plan is not None and plan.name == e.plan else None
    terms = rule.terms if rule is not None else {}
    begin, end = (_instant(terms.get(name)) for name in ("from", "to"))
    if (begin is not None and now < begin) or (end is not None and now >= end):
        return refuse("CONVERT_OUT_OF_TIME", f"转回医保的办理时间为{terms.get('from', '')}至{terms.get('to', '')}",
                      field="episode_id", received=e.episode_id, remedy="请在规定时间办理；逾期的携材料到经办机构办理手工报销",
                      basis=f"{e.plan} v{e.plan_version} {e.rule_id}")
    changed = msgspec.structs.replace(e, self_pay_to=now)
    return await keep(tx, changed, what="insured_again", says=command.says, actor=actor, now=now, ids=ids)


def _instant(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return read_instant(value) if isinstance(value, str) and value else None

