"""Reads of what was dispensed on prescriptions."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from yibao.domains.dispensing.dispensed_model import Prescribed
from yibao.infra.database import Connection

PRESCRIBED = "select * from dispensing.prescribed_of($1, $2)"
# Settled, and not only on its way: the bill it stands in is in force.
SETTLED = """
select d.*, l.item_name, s.settled_at from dispensing.dispensed d
join encounters.fee_line l on l.psn_no = d.psn_no and l.mdtrt_id = d.mdtrt_id and l.feedetl_sn = d.feedetl_sn
join settlements.settlement s on s.psn_no = l.psn_no and s.mdtrt_id = l.mdtrt_id and s.chrg_bchno = l.chrg_bchno
    and s.kind = 'settlement' and s.state = 'active'
where d.psn_no = $1 and d.hi_rxno = $2 and d.state = 'taken' order by s.settled_at, d.feedetl_sn
"""
HANDED_OUT = """
select * from dispensing.handed_out
where psn_no = $1 and hi_rxno = $2 and state = 'taken' and ($3 = '' or fixmedins_code = $3) order by at, stoout_sn
"""
SHORT_OF = "select dispensing.short_of($1, $2)"
HAS_DISPENSED = "select exists (select from dispensing.takings($1, array[$2]))"


async def list_prescribed(tx: Connection, numbers: Iterable[str], *, pharmacy: str) -> list[Prescribed]:
    """Return every drug of these prescriptions with what was taken of it, by anybody and by this pharmacy."""
    return [Prescribed(*row) for row in await tx.fetch(PRESCRIBED, sorted(set(numbers)), pharmacy)]


async def list_settled(tx: Connection, *, psn_no: str, hi_rxno: str) -> list[asyncpg.Record]:
    """Return what was dispensed on a prescription in bills that are in force."""
    return await tx.fetch(SETTLED, psn_no, hi_rxno)


async def list_handed_out(tx: Connection, *, psn_no: str, hi_rxno: str, pharmacy: str = "") -> list[asyncpg.Record]:
    """Return what pharmacies told of drugs handed out on a prescription; ``""`` is every pharmacy."""
    return await tx.fetch(HANDED_OUT, psn_no, hi_rxno, pharmacy)


async def has_dispensed(tx: Connection, *, psn_no: str, hi_rxno: str) -> bool:
    """Say whether anything was dispensed on a prescription."""
    return bool(await tx.fetchval(HAS_DISPENSED, psn_no, hi_rxno))


async def short_of(tx: Connection, *, psn_no: str, mdtrt_id: str) -> str | None:
    """Return a prescription that has too little left for a cancelled sale to stand again, None if all have enough."""
    return await tx.fetchval(SHORT_OF, psn_no, mdtrt_id)  # type: ignore[no-any-return]
