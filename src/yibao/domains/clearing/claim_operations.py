"""Writes of claims and deductions. Who calls them holds the claim's row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from yibao.domains.clearing.claim_queries import TAKE_ITEMS
from yibao.domains.clearing.model import Claim, Deduction
from yibao.infra.database import Connection

_NAMES = [f.name for f in msgspec.structs.fields(Claim)]
_INSERT = "insert into clearing.claim"
INSERT_CLAIM = f"{_INSERT} ({', '.join(_NAMES)}) values ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))})"
INSERT_DEDUCTION = """
insert into clearing.deduction (claim_id, deduction_no, admdvs, source, psn_no, setl_id, amount_fen, reason, decided_by,
    taken_at, is_live) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
CLOSE = "update clearing.claim set state = $2, closed_by = $3, closed_at = $4, closed_reason = $5 where claim_id = $1"
LET_GO = "update clearing.claim_item set is_live = false where claim_id = $1 and is_live"
DROP_DEDUCTIONS = "update clearing.deduction set is_live = false where claim_id = $1 and is_live"
REVIEW = """
update clearing.claim set state = 'reviewed', reviewed_by = $2, reviewed_at = $3, deducted_fen = $4 where claim_id = $1
"""
DEDUCTED = "update clearing.claim set deducted_fen = deducted_fen + $2 where claim_id = $1"
APPROVE = "update clearing.claim set state = 'approved', approved_by = $2, approved_at = $3 where claim_id = $1"
ORDER = "update clearing.claim set state = $3, payment_id = $2 where claim_id = any($1::text[])"
# The institution's claims are decided one after the other: what supervision decided is taken by one of them only.
TAKE_INSTITUTION = "select pg_advisory_xact_lock(hashtextextended('clearing/' || $1, 0))"
TAKE_REGION = "select pg_advisory_xact_lock(hashtextextended('clearing-pay/' || $1, 0))"


async def take_items(
    tx: Connection, *, claim_id: str, fixmedins_code: str, clr_type: str, clr_way: str, begin_on: date, end_before: date
) -> None:
    """Give a claim every settlement of the days that no live claim holds.

    Raises:
        asyncpg.UniqueViolationError: another claim took one of them meanwhile; begin anew.
    """
    await tx.execute(TAKE_ITEMS, fixmedins_code, clr_type, clr_way, begin_on, end_before, claim_id)


async def add_claim(tx: Connection, claim: Claim) -> None:
    """Write a new claim."""
    await tx.execute(INSERT_CLAIM, *msgspec.structs.astuple(claim))


async def close_claim(tx: Connection, claim: Claim, *, state: str, by: str, reason: str, now: datetime) -> None:
    """End a claim without payment; its settlements may be claimed again."""
    await tx.execute(CLOSE, claim.claim_id, state, by, now, reason)
    await tx.execute(LET_GO, claim.claim_id)


async def drop_deductions(tx: Connection, claim: Claim) -> None:
    """Let go of what was deducted from a claim that ended without payment."""
    await tx.execute(DROP_DEDUCTIONS, claim.claim_id)


async def add_deductions(tx: Connection, deductions: Iterable[Deduction]) -> None:
    """Write deductions."""
    await tx.executemany(INSERT_DEDUCTION, [msgspec.structs.astuple(d) for d in deductions])


async def mark_reviewed(tx: Connection, claim_id: str, *, by: str, now: datetime, deducted_fen: int) -> None:
    """Mark a claim as reviewed, with what is deducted from it."""
    await tx.execute(REVIEW, claim_id, by, now, deducted_fen)


async def raise_deducted(tx: Connection, claim_id: str, amount_fen: int) -> None:
    """Raise what is deducted from a claim."""
    await tx.execute(DEDUCTED, claim_id, amount_fen)


async def mark_approved(tx: Connection, claim_id: str, *, by: str, now: datetime) -> None:
    """Mark a claim as approved for payment."""
    await tx.execute(APPROVE, claim_id, by, now)


async def mark_ordered(tx: Connection, claim_ids: Iterable[str], *, payment_id: str | None, state: str) -> None:
    """Bind claims to a payment: ``ordered``, ``paid``, or ``approved`` again without one when it failed."""
    await tx.execute(ORDER, list(claim_ids), payment_id, state)


async def take_institution(tx: Connection, fixmedins_code: str) -> None:
    """Hold an institution's claims for this transaction."""
    await tx.execute(TAKE_INSTITUTION, fixmedins_code)


async def take_region(tx: Connection, admdvs: str) -> None:
    """Hold a region's payments for this transaction: one payment file at a time."""
    await tx.execute(TAKE_REGION, admdvs)
