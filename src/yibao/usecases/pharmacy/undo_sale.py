"""Whether a sale whose cancellation is undone can stand again; the write itself moves what hangs on the sale."""

from __future__ import annotations

from yibao.domains.dispensing.dispensed_queries import short_of
from yibao.domains.settlements.model import Settlement
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse


async def refuse_if_drugs_gone(tx: Connection, refund: Settlement) -> Refusal | None:
    """Refuse where drugs that the cancelled sale had taken on prescriptions were dispensed elsewhere meanwhile."""
    short = await short_of(tx, psn_no=refund.psn_no, mdtrt_id=refund.mdtrt_id)
    if short is None:
        return None
    return refuse("PRESCRIPTION_USED_UP", f"处方{short}已撤销或其药品已被取走，不能恢复原结算", field="data.omsgid",
                  received=short, remedy="如仍需购药，请按处方剩余数量重新结算")
