"""Writes of plans and of the stages of their reopening; each that changes what counts moves the epoch."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.windows.stored import Opening, StoredPlan
from yibao.infra.database import Connection

PROPOSE = """
insert into windows.plan (admdvs, name, version, text, digest, state, amends, reason, announced_in, proposed_by, proposed_at)
values ($1, $2, $3, $4, $5, 'proposed', $6, $7, $8, $9, $10)
"""
PUBLISH = """
update windows.plan set state = 'published', published_by = $4, published_at = $5
where admdvs = $1 and name = $2 and version = $3 and state = 'proposed'
"""
WITHDRAW = """
update windows.plan set state = 'withdrawn', withdrawn_by = $4, withdrawn_at = $5, why = $6
where admdvs = $1 and name = $2 and version = $3 and state <> 'withdrawn'
"""
ADD_OPENING = """
insert into windows.opening (admdvs, name, ordinal, seq, act, at, by, reason, error_rate)
select $1, $2, $3, coalesce(max(seq), 0) + 1, $4, $5, $6, $7, $8
from windows.opening where admdvs = $1 and name = $2 and ordinal = $3 returning seq
"""
MOVE_EPOCH = "update windows.epoch set epoch = epoch + 1"


async def add_plan(tx: Connection, plan: StoredPlan) -> None:
    """Keep a proposed version."""
    await tx.execute(
        PROPOSE, plan.admdvs, plan.name, plan.version, plan.text, plan.digest, plan.amends, plan.reason,
        plan.announced_in, plan.proposed_by, plan.proposed_at,
    )


async def publish_plan(tx: Connection, plan: StoredPlan, *, by: str, now: datetime) -> None:
    """Let a proposed version count from now on."""
    await tx.execute(PUBLISH, plan.admdvs, plan.name, plan.version, by, now)
    await tx.execute(MOVE_EPOCH)


async def withdraw_plan(tx: Connection, plan: StoredPlan, *, by: str, why: str, now: datetime) -> None:
    """Let a version no longer count; one that was only proposed never did."""
    await tx.execute(WITHDRAW, plan.admdvs, plan.name, plan.version, by, now, why)
    await tx.execute(MOVE_EPOCH)


async def add_opening(tx: Connection, opening: Opening) -> int:
    """Note what was done with a stage and return its number; ``opening.seq`` is not looked at."""
    seq = await tx.fetchval(
        ADD_OPENING, opening.admdvs, opening.name, opening.ordinal, opening.act, opening.at, opening.by, opening.reason,
        opening.error_rate,
    )
    await tx.execute(MOVE_EPOCH)
    return int(seq)
