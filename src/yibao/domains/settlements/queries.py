"""Reads of settlements and counters."""

from __future__ import annotations

import asyncpg

from yibao.infra.database import Connection

BY_ID = "select * from settlements.settlement where setl_id = $1"
OF_PERSON = "select * from settlements.settlement where psn_no = $1 and setl_id = $2"
COVER = """
select c.*, (v.admitted_at at time zone 'Asia/Shanghai')::date as admitted_on,
       (v.discharged_at at time zone 'Asia/Shanghai')::date as discharged_on, v.discharge_way
from settlements.settlement s
left join settlements.settlement o on o.psn_no = s.psn_no and o.setl_id = s.origin_id
join settlements.stay_settlement c on c.psn_no = s.psn_no and c.setl_id in (s.setl_id, s.origin_id, o.origin_id)
join encounters.stay v on v.psn_no = c.psn_no and v.mdtrt_id = c.mdtrt_id
where s.psn_no = $1 and s.setl_id = $2
"""
ACTIVE_OF_ENCOUNTER = """
select setl_id, chrg_bchno from settlements.settlement
where psn_no = $1 and mdtrt_id = $2 and kind = 'settlement' and state = 'active' order by settled_at
"""
COUNTERS = "select * from settlements.counter where psn_no = $1 order by year, insutype, code"


async def find_settlement(tx: Connection, setl_id: str) -> asyncpg.Record | None:
    """Return a settlement, refund or reinstatement by its id."""
    return await tx.fetchrow(BY_ID, setl_id)


async def find_cover(tx: Connection, *, psn_no: str, setl_id: str) -> asyncpg.Record | None:
    """Return what a settlement of a stay covers, or what the one covers that a refund mirrors; None for a visit."""
    return await tx.fetchrow(COVER, psn_no, setl_id)


async def find_of_person(tx: Connection, *, psn_no: str, setl_id: str) -> asyncpg.Record | None:
    """Return a person's settlement by its id."""
    return await tx.fetchrow(OF_PERSON, psn_no, setl_id)


async def list_active(tx: Connection, *, psn_no: str, mdtrt_id: str) -> list[asyncpg.Record]:
    """Return id and batch of the settlements of an encounter that are in force."""
    return await tx.fetch(ACTIVE_OF_ENCOUNTER, psn_no, mdtrt_id)


async def list_counters(tx: Connection, psn_no: str) -> list[asyncpg.Record]:
    """Return all yearly counters of a person."""
    return await tx.fetch(COUNTERS, psn_no)
