"""Cancel an admission that nothing hangs on: asked for by its number (2404) or by its message (2601)."""

from __future__ import annotations

import asyncpg

from yibao.domains.encounters import operations, queries
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse


async def undo_admission(tx: Connection, *, psn_no: str, mdtrt_id: str, omsgid: str) -> Refusal | None:
    """Cancel the admission that a message made; an admission already cancelled stays so, without a refusal."""
    encounter = await queries.find_encounter(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, lock=True)
    if encounter is None or encounter["state"] == "cancelled":
        return None
    refusal = await refuse_undoing(tx, encounter, field="data.omsgid", received=omsgid)
    if refusal is None:
        await operations.cancel_encounter(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)
    return refusal


async def refuse_undoing(tx: Connection, encounter: asyncpg.Record, *, field: str, received: str) -> Refusal | None:
    """Refuse to cancel an admission that discharge or fee lines hang on."""
    if encounter["state"] == "discharged":
        return refuse("STAY_DISCHARGED", "已办理出院，不能撤销入院登记", field=field, received=received,
                      remedy="请先用2405撤销出院")
    if await tx.fetchval(queries.COUNT_LINES, encounter["psn_no"], encounter["mdtrt_id"]):
        return refuse("FEE_LINES_LEFT", "这次住院还有费用明细，不能撤销入院登记", field=field, received=received,
                      remedy="已结算的请先用2305撤销结算，再用2302撤销明细")
    return None
