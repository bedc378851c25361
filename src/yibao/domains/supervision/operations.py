"""Writes of analyses, hits, documents, suspicions, their steps and deductions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.supervision.model import Analysis, Deduction, Document, Step, StoredHit, Suspicion
from yibao.infra.database import Connection

INSERT_ANALYSIS = "insert into supervision.analysis select ($1::supervision.analysis).* on conflict do nothing"
INSERT_HITS = "insert into supervision.hit select * from unnest($1::supervision.hit[])"
ANSWER_HIT = """
update supervision.hit set state = $3, answer = $4, answered_at = $5, answered_by = $6 where psn_no = $1 and hit_id = $2
"""
INSERT_DOCUMENT = "insert into supervision.document select ($1::supervision.document).*"
INSERT_SUSPICIONS = "insert into supervision.suspicion select * from unnest($1::supervision.suspicion[])"
REOPEN_DOCUMENT = "update supervision.document set appeal_until = $3 where psn_no = $1 and document_id = $2"
SET_ANSWERED = "update supervision.suspicion set state = $3, appeal_fen = $4 where psn_no = $1 and suspicion_id = $2"
SET_STATE = "update supervision.suspicion set state = $3 where psn_no = $1 and suspicion_id = $2"
SET_PROPOSED = """
update supervision.suspicion set proposed_by = $3, proposed_at = $4, proposed_fen = $5, proposed_why = $6
where psn_no = $1 and suspicion_id = $2
"""
SET_CONCLUDED = """
update supervision.suspicion set state = $3, deducted_fen = $4, collegial_until = $5, proposed_by = null,
    proposed_at = null, proposed_fen = null, proposed_why = null
where psn_no = $1 and suspicion_id = $2
"""
INSERT_STEP = """
insert into supervision.step (psn_no, suspicion_id, ordinal, admdvs, what, at, actor, side, amount_fen, says, attachment_id)
select $1, $2, 1 + coalesce(max(ordinal), 0), $3, $4, $5, $6, $7, $8, $9, $10
from supervision.step where psn_no = $1 and suspicion_id = $2
"""
INSERT_DEDUCTION = "insert into supervision.deduction select ($1::supervision.deduction).*"
INSERT_FILE = """
insert into supervision.attachment (fixmedins_code, attachment_id, ordinal, admdvs, name, content, digest, uploaded_at, opter)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def add_analysis(tx: Connection, analysis: Analysis, hits: Sequence[StoredHit] = ()) -> bool:
    """Write an analysis with its warnings; False if the settlement was judged by the same rules before."""
    tag = await tx.execute(INSERT_ANALYSIS, msgspec.structs.astuple(analysis))
    if tag.endswith(" 0"):
        return False
    if hits:
        await tx.execute(INSERT_HITS, [msgspec.structs.astuple(h) for h in hits])
    return True


async def answer_hit(
    tx: Connection, *, psn_no: str, hit_id: str, state: str, answer: str, at: datetime, by: str
) -> None:
    """Write what was done about a warning."""
    await tx.execute(ANSWER_HIT, psn_no, hit_id, state, answer, at, by)


async def add_document(tx: Connection, document: Document, suspicions: Sequence[Suspicion]) -> None:
    """Write a document with its suspicions."""
    await tx.execute(INSERT_DOCUMENT, msgspec.structs.astuple(document))
    await tx.execute(INSERT_SUSPICIONS, [msgspec.structs.astuple(s) for s in suspicions])


async def reopen_document(tx: Connection, *, psn_no: str, document_id: str, appeal_until: date) -> None:
    """Give a document a new last day to appeal."""
    await tx.execute(REOPEN_DOCUMENT, psn_no, document_id, appeal_until)


async def add_step(tx: Connection, suspicion: Suspicion, step: Step) -> None:
    """Write what happened to a suspicion, which the caller holds locked."""
    await tx.execute(
        INSERT_STEP, suspicion.psn_no, suspicion.suspicion_id, suspicion.admdvs, step.what, step.at, step.actor,
        step.side, step.amount_fen, step.says, step.attachment_id,
    )


async def answer_suspicion(
    tx: Connection, suspicion: Suspicion, *, state: str, appeal_fen: int | None, step: Step
) -> None:
    """Write an institution's answer to a suspicion."""
    await tx.execute(SET_ANSWERED, suspicion.psn_no, suspicion.suspicion_id, state, appeal_fen)
    await add_step(tx, suspicion, step)


async def set_state(tx: Connection, suspicion: Suspicion, *, state: str, step: Step) -> None:
    """Move a suspicion to another state."""
    await tx.execute(SET_STATE, suspicion.psn_no, suspicion.suspicion_id, state)
    await add_step(tx, suspicion, step)


async def propose(tx: Connection, suspicion: Suspicion, step: Step) -> None:
    """Write a first decision that waits for the second person."""
    await tx.execute(
        SET_PROPOSED, suspicion.psn_no, suspicion.suspicion_id, step.actor, step.at, step.amount_fen, step.says
    )
    await add_step(tx, suspicion, step)


async def withdraw_proposal(tx: Connection, suspicion: Suspicion, step: Step) -> None:
    """Send a first decision back."""
    await tx.execute(SET_PROPOSED, suspicion.psn_no, suspicion.suspicion_id, None, None, None, None)
    await add_step(tx, suspicion, step)


async def conclude(
    tx: Connection, suspicion: Suspicion, *, state: str, deducted_fen: int, collegial_until: date | None, step: Step
) -> None:
    """Write a decision that holds."""
    await tx.execute(
        SET_CONCLUDED, suspicion.psn_no, suspicion.suspicion_id, state, deducted_fen, collegial_until
    )
    await add_step(tx, suspicion, step)


async def add_deduction(tx: Connection, deduction: Deduction) -> None:
    """Write a deduction or its return."""
    await tx.execute(INSERT_DEDUCTION, msgspec.structs.astuple(deduction))


async def add_file(
    tx: Connection, *, fixmedins_code: str, attachment_id: str, ordinal: int, admdvs: str, name: str, content: bytes,
    digest: bytes, at: datetime, opter: str,
) -> None:
    """Keep one uploaded file."""
    await tx.execute(INSERT_FILE, fixmedins_code, attachment_id, ordinal, admdvs, name, content, digest, at, opter)
