"""What hangs on a sale beside money when it is cancelled or comes back: its encounter, and drugs of prescriptions."""

from __future__ import annotations

from yibao.domains.dispensing import dispensed_operations as operations
from yibao.domains.dispensing.dispensed_queries import short_of
from yibao.domains.settlements.model import Settlement
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse


async def undo_sale(tx: Connection, settlement: Settlement, *, is_refund: bool) -> Refusal | None:
    """Give back what a sale took (``is_refund``), or take it again; called in the transaction that moves the money.

    Refuses where the drugs were dispensed elsewhere meanwhile; nothing is written then.
    """
    names = {"psn_no": settlement.psn_no, "mdtrt_id": settlement.mdtrt_id}
    short = None if is_refund else await short_of(tx, **names)
    if short is not None:
        return refuse("PRESCRIPTION_USED_UP", f"处方{short}已撤销或其药品已被取走，不能恢复原结算", field="data.omsgid",
                      received=short, remedy="如仍需购药，请按处方剩余数量重新结算")
    await operations.undo_sale(tx, **names, is_refund=is_refund)
    return None
