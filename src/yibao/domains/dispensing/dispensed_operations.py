"""Writes of what was dispensed. The database counts anew after each and holds what is prescribed (a check)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from yibao.domains.dispensing.dispensed_model import Dispensed, HandedOut
from yibao.infra.database import Connection

MOVE_PERSON = "update people.person set version = version + 1 where psn_no = $1"
COUNT = "select dispensing.count_taken($1, $2)"
TAKE = "insert into dispensing.dispensed select * from unnest($1::dispensing.dispensed[])"
# Lines that 2205 withdrew give back what they took.
WITHDRAWN = """
delete from dispensing.dispensed d where d.psn_no = $1 and d.mdtrt_id = $2
  and not exists (select from encounters.fee_line l where l.psn_no = d.psn_no and l.mdtrt_id = d.mdtrt_id
                  and l.feedetl_sn = d.feedetl_sn)
returning d.hi_rxno
"""
UNDO_SALE = "select dispensing.undo_sale($1, $2, $3)"
HAND_OUT = "insert into dispensing.handed_out select ($1::dispensing.handed_out).*"
TAKE_BACK = """
update dispensing.handed_out set state = 'returned'
where psn_no = $1 and stoout_sn = any ($2) and state = 'taken'
"""


async def take(tx: Connection, dispensed: Sequence[Dispensed]) -> None:
    """Write that fee lines of one bill were dispensed on prescriptions."""
    psn_no = dispensed[0].psn_no
    await tx.execute(MOVE_PERSON, psn_no)
    await tx.execute(TAKE, [msgspec.structs.astuple(d) for d in dispensed])
    await tx.execute(COUNT, psn_no, sorted({d.hi_rxno for d in dispensed}))


async def give_back_withdrawn(tx: Connection, *, psn_no: str, mdtrt_id: str) -> None:
    """Give back what withdrawn fee lines of an encounter took."""
    numbers = sorted({row["hi_rxno"] for row in await tx.fetch(WITHDRAWN, psn_no, mdtrt_id)})
    if numbers:
        await tx.execute(COUNT, psn_no, numbers)


async def hand_out(tx: Connection, handed_out: HandedOut) -> None:
    """Write what a pharmacy told of a drug that left it."""
    await tx.execute(MOVE_PERSON, handed_out.psn_no)
    await tx.execute(HAND_OUT, msgspec.structs.astuple(handed_out))
    await tx.execute(COUNT, handed_out.psn_no, [handed_out.hi_rxno])


async def take_back(tx: Connection, *, psn_no: str, hi_rxno: str, serials: Sequence[str]) -> None:
    """Void what was told of drugs handed out."""
    await tx.execute(MOVE_PERSON, psn_no)
    await tx.execute(TAKE_BACK, psn_no, list(serials))
    await tx.execute(COUNT, psn_no, [hi_rxno])


async def undo_sale(tx: Connection, *, psn_no: str, mdtrt_id: str, is_refund: bool) -> None:
    """Give back what a sale took of prescriptions and void its encounter, or (``is_refund`` False) the other way."""
    await tx.execute(UNDO_SALE, psn_no, mdtrt_id, is_refund)
