"""Judge open cases again after a plan was amended: another restart may mean another position, rule and last day."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.episodes import operations, queries
from yibao.domains.episodes.model import OPEN, Episode
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.usecases.episodes.keep_episode import judged_again, keep
from yibao.usecases.episodes.note_episode import tell_person
from yibao.usecases.windows.pass_gate import Gate


async def rejudge_episodes(
    tx: Connection, *, admdvs: str, actor: Actor, now: datetime, ids: Ids, gate: Gate, limit: int = 500
) -> list[Episode]:
    """Put open cases under the newest version of their plan; who has another last day is told.

    Only cases that an older version judged are looked at, ``limit`` at a time: run again until none is left, and killed
    at any point it goes on where it stopped. Cash that was taken stays: the settlement gives back what is too much.
    """
    plan = gate.plan_for(admdvs, now)
    if plan is None:
        return []
    changed = []
    for e in await queries.list_judged_before(tx, admdvs=admdvs, plan=plan.name, version=plan.version, limit=limit):
        await operations.lock_person(tx, e.psn_no)
        fresh = await queries.find_episode(tx, e.psn_no, e.episode_id, lock=True)
        if fresh is None or fresh.state not in OPEN:
            continue
        judged = await judged_again(tx, fresh, gate=gate, now=now)
        if isinstance(judged, Refusal):
            continue
        kept = await keep(tx, _of_version(judged, plan.version), what="rejudged", says=judged.rule_id, actor=actor, now=now,
                          ids=ids)
        if kept.settle_by != fresh.settle_by:
            await tell_person(
                tx, kept, kind="deadline_moved", key=f"{kept.episode_id}:{plan.version}", now=now, ids=ids,
                text=f"登记号{kept.register_no}的补录期限由{_day(fresh)}改为{_day(kept)}",
            )
        changed.append(kept)
    return changed


def _of_version(e: Episode, version: int) -> Episode:
    """Return a case as judged by a version, also where nothing of it changed: it is not looked at again."""
    return msgspec.structs.replace(e, plan_version=version)


def _day(e: Episode) -> str:
    return f"{e.settle_by}" if e.settle_by is not None else "另行通知"
