"""Queries that a plan answers as of the stop: answers are taken once the stop has begun, kept, and given with their date.

What has no kept answer is refused, never answered from tables that may have moved since.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.windows.gate import WINDOW_STOPPED, stage_of
from yibao.domains.windows.model import FROZEN, Judged, Plan
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse

KEEP = """
insert into windows.snapshot (psn_no, name, operation, admdvs, taken_at, answer)
select $1, $2, o.operation, $3, $4, o.answer from unnest($5::text[], $6::bytea[]) o (operation, answer)
on conflict do nothing
"""
FIND = "select taken_at, answer from windows.snapshot where psn_no = $1 and name = any ($2) and operation = $3"
NEXT = "select psn_no from people.person where admdvs = $1 and psn_no > $2 order by psn_no limit $3"


class Dated(msgspec.Struct, frozen=True):
    """An answer and the instant it is true of."""

    taken_at: datetime
    answer: bytes


def dated_businesses(plan: Plan, at: datetime) -> frozenset[str]:
    """Return the businesses whose queries are answered as of the stop and whose track is stopped at an instant."""
    told = {b for r in plan.rules if r.terms.get("snapshot") is True for b in r.when.business}
    return frozenset(b for b in told if (t := plan.track_of(b)) is not None and stage_of(t, at) == FROZEN)


async def list_next(tx: Connection, admdvs: str, *, after: str, limit: int) -> list[str]:
    """Return the next people of a region by number."""
    return [row["psn_no"] for row in await tx.fetch(NEXT, admdvs, after, limit)]


async def keep_answers(
    tx: Connection, psn_no: str, *, name: str, admdvs: str, now: datetime, answers: dict[str, bytes]
) -> None:
    """Keep answers about somebody by operation; what is kept already stays as it is."""
    await tx.execute(KEEP, psn_no, name, admdvs, now, list(answers), list(answers.values()))


async def find_dated(tx: Connection, psn_no: str, *, names: tuple[str, ...], operation: str) -> Dated | Refusal:
    """Return the kept answer of a question about somebody, or refuse because none was taken."""
    row = await tx.fetchrow(FIND, psn_no, list(names), operation)
    return refuse_undated() if row is None else Dated(row["taken_at"], row["answer"])


def refuse_undated(judged: Judged | None = None) -> Refusal:
    """Return why a question is not answered that the plan answers as of the stop: nothing was kept for it."""
    rule = judged.hits[0].rule.id if judged is not None and judged.hits else ""
    return refuse(WINDOW_STOPPED, "系统切换停机期间只提供截至停机时的查询，这一查询没有停机时的数据",
                  remedy="请在恢复后查询", basis=rule)
