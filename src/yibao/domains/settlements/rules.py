"""When a settlement may be undone, and what its mirror looks like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.settlements.model import HEAD_AMOUNTS, Settlement
from yibao.kernel.refusal import Refusal, refuse


def mirrored(
    origin: Settlement, *, setl_id: str, kind: str, state: str, settled_at: datetime, balance_fen: int,
    sender: str, msgid: str, opter: str, opter_name: str,
) -> Settlement:
    """Return the record that undoes ``origin``: every amount and counter change with its sign turned.

    ``kind`` is ``refund`` for a cancelled settlement, ``reinstatement`` for a cancelled refund. The
    posting day is new, the benefit year stays the origin's, so both dates are kept.
    """
    turned = {name: -getattr(origin, name) for name in HEAD_AMOUNTS}
    return msgspec.structs.replace(
        origin, setl_id=setl_id, kind=kind, state=state, origin_id=origin.setl_id, settled_at=settled_at,
        balance_fen=balance_fen, sender=sender, msgid=msgid, opter=opter, opter_name=opter_name,
        fund_amounts=[-a for a in origin.fund_amounts], counter_deltas=[-d for d in origin.counter_deltas],
        **turned,
    )


def refuse_dependents(
    dependents: Sequence[str], *, later: str, basis: str, field: str = "data.setl_id", received: str = ""
) -> Refusal | None:
    """Refuse a reversal on which later settlements of the year depend, where the region says so.

    Args:
        dependents: ids of later active settlements that used the same yearly counters.
        later: the region's rule, ``refuse`` or ``keep``.
        basis: rule id and source of that rule, for the message.
        field, received: what named the settlement to reverse.
    """
    if not dependents or later == "keep":
        return None
    return refuse(
        "LATER_SETTLEMENTS_DEPEND",
        f"该结算之后同年度还有{len(dependents)}笔结算以其累计为依据，按参保地规则须从最后一笔起依次撤销",
        field=field, received=received, remedy=f"请先撤销结算{dependents[-1]}", basis=basis,
    )
