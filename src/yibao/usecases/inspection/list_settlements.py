"""List what was settled for a person, for the agency."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.infra.database import Connection

OF_PERSON = """
select setl_id, mdtrt_id, fixmedins_code, insutype, med_type, service_on, settled_at, kind, state, medfee_fen, fund_fen,
       account_fen, cash_fen, hospital_fen
from settlements.settlement where psn_no = $1 and ($2 = '' or state = $2)
order by settled_at desc, setl_id desc limit $3
"""


class SettlementOf(msgspec.Struct, frozen=True):
    """A settlement in a person's list; amounts in fen, a refund's are negative."""

    setl_id: str
    mdtrt_id: str
    fixmedins_code: str
    insutype: str
    med_type: str
    service_on: date
    settled_at: datetime
    kind: str
    state: str
    medfee_fen: int
    fund_fen: int
    account_fen: int
    cash_fen: int
    hospital_fen: int


async def list_settlements_of(tx: Connection, psn_no: str, *, state: str, most: int) -> list[SettlementOf]:
    """Return a person's settlements of the transaction's regions, newest first; ``""`` selects all states."""
    return [SettlementOf(**dict(row)) for row in await tx.fetch(OF_PERSON, psn_no, state, most)]
