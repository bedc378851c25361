"""Reads of promises, moves and dues in transit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg
import msgspec

from yibao.domains.deadlines.model import Move, Term, Transit
from yibao.infra.database import Connection

_TERM = "select " + ", ".join(f.name for f in msgspec.structs.fields(Term))
_MOVE = "select " + ", ".join(f.name for f in msgspec.structs.fields(Move))
_TRANSIT = "select " + ", ".join(f.name for f in msgspec.structs.fields(Transit))
TERMS = f"""
{_TERM} from deadlines.term where admdvs = any($1::text[]) and ended_at is null order by admdvs, plan, rule, kind, what
"""
MOVES = f"""
{_MOVE} from deadlines.move where object_kind = $1 and object_id = $2 order by moved_at, was_on, due_on
"""
MOVES_OF_REGION = f"""
{_MOVE}, object_kind, object_id, psn_no, moved_at from deadlines.move
where admdvs = any($1::text[]) and ($2 = '' or psn_no = $2) and ($3 = '' or clock = $3) and ($4 = '' or plan = $4)
order by moved_at desc, object_kind, object_id, due_on limit $5
"""
TRANSITS = f"""
{_TRANSIT} from deadlines.transit where psn_no = any($1::text[]) and state = 'in_transit' order by psn_no, insutype, month
"""
TRANSIT = f"{_TRANSIT} from deadlines.transit where psn_no = $1 and insutype = $2 and month = $3 for update"
LISTED = f"""
{_TRANSIT} from deadlines.transit
where admdvs = any($1::text[]) and ($2 = '' or state = $2) and ($3 = '' or psn_no = $3)
order by month, psn_no, insutype limit $4
"""
LAPSING = f"""
{_TRANSIT} from deadlines.transit where admdvs = $1 and state = 'in_transit' and until_on < $2 order by psn_no, month
"""


async def terms_of(tx: Connection, regions: Sequence[str]) -> list[Term]:
    """Return everything that published plans of some regions promise about time now."""
    return [Term(**row) for row in await tx.fetch(TERMS, list(regions))]


async def list_moves(tx: Connection, object_kind: str, object_id: str) -> list[Move]:
    """Return how the last day of something moved, step by step."""
    return [Move(**row) for row in await tx.fetch(MOVES, object_kind, object_id)]


async def moves_of_region(
    tx: Connection, regions: Sequence[str], *, psn_no: str = "", clock: str = "", plan: str = "", most: int = 100
) -> list[asyncpg.Record]:
    """Return moves with what they belong to, the newest first."""
    return await tx.fetch(MOVES_OF_REGION, list(regions), psn_no, clock, plan, most)


async def open_transits(tx: Connection, psn_no: str) -> list[Transit]:
    """Return the dues of a person that are in transit."""
    return await transits_of(tx, [psn_no])


async def transits_of(tx: Connection, psn_nos: Sequence[str]) -> list[Transit]:
    """Return the dues of persons that are in transit."""
    return [Transit(**row) for row in await tx.fetch(TRANSITS, list(psn_nos))]


async def find_transit(tx: Connection, psn_no: str, *, insutype: str, month: date) -> Transit | None:
    """Return what is noted of a person's month, held until the end of the transaction."""
    row = await tx.fetchrow(TRANSIT, psn_no, insutype, month)
    return None if row is None else Transit(**row)


async def list_transits(
    tx: Connection, regions: Sequence[str], *, state: str = "", psn_no: str = "", most: int = 200
) -> list[Transit]:
    """Return dues in transit of regions, by month and person."""
    return [Transit(**row) for row in await tx.fetch(LISTED, list(regions), state, psn_no, most)]


async def lapsing(tx: Connection, admdvs: str, *, before: date) -> list[Transit]:
    """Return what is believed no longer from a day on."""
    return [Transit(**row) for row in await tx.fetch(LAPSING, admdvs, before)]
