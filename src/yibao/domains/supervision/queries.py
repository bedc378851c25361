"""Reads of hits, documents, suspicions and their steps."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import asyncpg

from yibao.domains.supervision.model import Suspicion
from yibao.infra.database import Connection

HITS = """
select * from supervision.hit where fixmedins_code = $1 and hit_id = any($2::text[]) order by psn_no, hit_id for update
"""
OVERRIDES = """
select rule_id, answer from supervision.hit
where psn_no = $1 and mdtrt_id = $2 and state = 'continued' order by answered_at
"""
# Documents with at least one suspicion at the asked node: still to be appealed or decided, or after that.
DOCUMENTS = """
select d.*, count(*) over () as total from supervision.document d
where d.fixmedins_code = $1
  and d.found_at >= ($2::date)::timestamp at time zone 'Asia/Shanghai'
  and d.found_at < ($3::date + 1)::timestamp at time zone 'Asia/Shanghai'
  and exists (select from supervision.suspicion s where s.psn_no = d.psn_no and s.document_id = d.document_id
              and s.state = any($4::text[]))
order by d.found_at, d.document_id limit $5 offset $6
"""
OF_DOCUMENTS = """
select * from supervision.suspicion
where psn_no = any($1::text[]) and document_id = any($2::text[]) order by document_id, suspicion_id
"""
LOCKED = "select * from supervision.suspicion where psn_no = $1 and suspicion_id = $2 for update"
DOCUMENT = "select * from supervision.document where document_id = $1 and fixmedins_code = $2"
DOCUMENT_OF = "select * from supervision.document where psn_no = $1 and document_id = $2"
LOCKED_OF_DOCUMENT = """
select * from supervision.suspicion where psn_no = $1 and document_id = $2 order by suspicion_id for update
"""
BY_ID = "select psn_no from supervision.suspicion where suspicion_id = $1"
STEPS_OF = """
select * from supervision.step where psn_no = any($1::text[]) and suspicion_id = any($2::text[])
order by suspicion_id, ordinal
"""
LISTED = """
select * from supervision.suspicion
where ($1 = '' or admdvs = $1) and ($2 = '' or fixmedins_code = $2) and (cardinality($3::text[]) = 0 or state = any($3))
  and (not $4 or proposed_by is not null)
order by admdvs, fixmedins_code, suspicion_id limit $5
"""
ATTACHMENTS = """
select attachment_id, count(*) as files from supervision.attachment
where fixmedins_code = $1 and attachment_id = any($2::text[]) group by attachment_id
"""
# What was decided here, and what clearing deducted from the settlement by hand.
DEDUCTED = """
select (coalesce((select sum(amount_fen) from supervision.deduction where psn_no = $1 and setl_id = $2), 0)
        + coalesce((select sum(amount_fen) from clearing.deduction
                    where psn_no = $1 and setl_id = $2 and source = 'manual' and is_live), 0))::bigint
"""
DEDUCTIONS_OF = """
select d.* from supervision.deduction d where d.psn_no = $1 and d.suspicion_id = $2 and d.kind = 'deduction'
order by d.decided_at, d.deduction_id
"""
RETURNED = "select coalesce(-sum(amount_fen), 0)::bigint from supervision.deduction where psn_no = $1 and origin_id = $2"

SETTLEMENT = """
select setl_id, state, kind, fund_fen, insutype, clr_type, clr_optins, care_admdvs from settlements.settlement
where psn_no = $1 and setl_id = $2 for update
"""

async def lock_hits(tx: Connection, *, fixmedins_code: str, hit_ids: Collection[str]) -> dict[str, asyncpg.Record]:
    """Return warnings of an institution by id, locked until the transaction ends."""
    return {row["hit_id"]: row for row in await tx.fetch(HITS, fixmedins_code, list(hit_ids))}


async def list_overrides(tx: Connection, *, psn_no: str, mdtrt_id: str) -> dict[str, str]:
    """Return why rules were overridden in a visit: rule id -> the last reason given."""
    return {row["rule_id"]: row["answer"] for row in await tx.fetch(OVERRIDES, psn_no, mdtrt_id)}


async def list_documents(
    tx: Connection, *, fixmedins_code: str, first: date, last: date, states: Collection[str], size: int, offset: int
) -> list[asyncpg.Record]:
    """Return a page of an institution's documents found from ``first`` to ``last``; ``total`` counts them all."""
    return await tx.fetch(DOCUMENTS, fixmedins_code, first, last, list(states), size, offset)


async def list_suspicions(tx: Connection, documents: Collection[asyncpg.Record]) -> list[Suspicion]:
    """Return the suspicions of documents."""
    rows = await tx.fetch(OF_DOCUMENTS, [d["psn_no"] for d in documents], [d["document_id"] for d in documents])
    return [Suspicion(*row) for row in rows]


async def list_steps(tx: Connection, suspicions: Collection[Suspicion]) -> dict[str, list[asyncpg.Record]]:
    """Return what happened to suspicions, by id, in order."""
    rows = await tx.fetch(STEPS_OF, [s.psn_no for s in suspicions], [s.suspicion_id for s in suspicions])
    found: dict[str, list[asyncpg.Record]] = {s.suspicion_id: [] for s in suspicions}
    for row in rows:
        found.setdefault(row["suspicion_id"], []).append(row)
    return found


async def lock_document(
    tx: Connection, *, document_id: str, fixmedins_code: str
) -> tuple[asyncpg.Record, dict[str, Suspicion]] | None:
    """Return a document of an institution with its suspicions by id, all locked; None if it has no such document."""
    document = await tx.fetchrow(DOCUMENT, document_id, fixmedins_code)
    if document is None:
        return None
    rows = await tx.fetch(LOCKED_OF_DOCUMENT, document["psn_no"], document_id)
    return document, {row["suspicion_id"]: Suspicion(*row) for row in rows}


async def lock_suspicion(tx: Connection, suspicion_id: str) -> tuple[Suspicion, asyncpg.Record] | None:
    """Return a suspicion, locked, with its document; None if there is none of that id."""
    psn_no = await tx.fetchval(BY_ID, suspicion_id)
    if psn_no is None:
        return None
    row = await tx.fetchrow(LOCKED, psn_no, suspicion_id)
    assert row is not None
    suspicion = Suspicion(*row)
    document = await tx.fetchrow(DOCUMENT_OF, psn_no, suspicion.document_id)
    assert document is not None
    return suspicion, document


async def list_for_agency(
    tx: Connection, *, admdvs: str = "", fixmedins_code: str = "", states: Collection[str] = (),
    pending: bool = False, limit: int = 200,
) -> list[Suspicion]:
    """Return suspicions for the agency's desk; "" and an empty list select all, ``pending`` those awaiting the second."""
    rows = await tx.fetch(LISTED, admdvs, fixmedins_code, list(states), pending, limit)
    return [Suspicion(*row) for row in rows]


async def count_files(tx: Connection, *, fixmedins_code: str, attachment_ids: Collection[str]) -> dict[str, int]:
    """Return how many files an institution uploaded under each attachment id; unknown ids are absent."""
    rows = await tx.fetch(ATTACHMENTS, fixmedins_code, list(attachment_ids))
    return {row["attachment_id"]: row["files"] for row in rows}


async def deducted_of_settlement(tx: Connection, *, psn_no: str, setl_id: str) -> int:
    """Return what is deducted from a settlement as it stands, in fen."""
    return await tx.fetchval(DEDUCTED, psn_no, setl_id)  # type: ignore[no-any-return]


async def open_deductions(tx: Connection, suspicion: Suspicion) -> list[tuple[asyncpg.Record, int]]:
    """Return the deductions of a suspicion with what of each was not given back yet."""
    found = []
    for row in await tx.fetch(DEDUCTIONS_OF, suspicion.psn_no, suspicion.suspicion_id):
        left = row["amount_fen"] - await tx.fetchval(RETURNED, suspicion.psn_no, row["deduction_id"])
        if left > 0:
            found.append((row, left))
    return found


async def settlement_of(tx: Connection, suspicion: Suspicion) -> asyncpg.Record:
    """Return the settlement of a suspicion, locked: nobody reverses it while it is decided."""
    row = await tx.fetchrow(SETTLEMENT, suspicion.psn_no, suspicion.setl_id)
    assert row is not None
    return row
