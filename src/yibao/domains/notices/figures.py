"""Reads of what a bulletin counts: episodes by how they ended, account credits by why they are held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yibao.infra.database import Connection

EPISODES = """
select state, count(*) as episodes, sum(back_fen)::bigint as back_fen, sum(topup_fen)::bigint as topup_fen
from episodes.episode where admdvs = $1 and plan = $2 and state <> 'withdrawn' group by state order by state
"""
# Repaired is what was held first and credited by a later run; what was credited at once was never a case.
CREDITS = """
select outcome, reason, count(*) as months, sum(amount_fen)::bigint as amount_fen from personal_accounts.credit
where admdvs = $1 and first_seen_at >= $2 and (outcome = 'held' or (outcome = 'credited' and decided_at > first_seen_at))
group by outcome, reason order by outcome, reason
"""


async def count_episodes(tx: Connection, admdvs: str, plan: str) -> list[dict[str, Any]]:
    """Return how many episodes of a plan stand in each state, with cash given back and topped up (fen)."""
    return [dict(row) for row in await tx.fetch(EPISODES, admdvs, plan)]


async def count_credits(tx: Connection, admdvs: str, *, since: datetime) -> list[dict[str, Any]]:
    """Return months of account credits seen since an instant: held by reason, and those that were held and are credited."""
    return [dict(row) for row in await tx.fetch(CREDITS, admdvs, since)]
