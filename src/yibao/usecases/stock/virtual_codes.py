"""Give out a virtual traceability code for goods that bear none (3592B)."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.dispensing import stock_operations, stock_queries
from yibao.domains.dispensing.stock_model import TraceCode
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection

PREFIX = "XN"
"""Begins every virtual code; a code on a pack is all digits."""


async def give_virtual_code(
    tx: Connection, *, institution: Institution, own_code: str, bchno: str, item_code: str, new_id: str, now: datetime
) -> str:
    """Give the virtual code of a batch: the same one whenever asked, for it stands for the batch and not for a pack."""
    code = institution.fixmedins_code
    await stock_queries.take_turn(tx, code)
    known = await stock_queries.find_virtual_code(
        tx, fixmedins_code=code, own_code=own_code, bchno=bchno, item_code=item_code
    )
    if known is not None:
        return known
    made = TraceCode(f"{PREFIX}{new_id}", code, item_code, own_code, bchno, True, 0, 0, "", None)
    await stock_operations.put_trace_codes(tx, [made], admdvs=institution.region, at=now)
    return made.trace_code
