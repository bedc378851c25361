"""Reads of settlements and counters."""

from __future__ import annotations

from datetime import date

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
# A reversed settlement contributes its positive and its negative row; a reinstatement the positive one again.
TOTALS = """
select count(*) as n, coalesce(sum(medfee_fen), 0)::bigint as medfee, coalesce(sum(fund_fen), 0)::bigint as fund,
       coalesce(sum(account_fen), 0)::bigint as account
from settlements.settlement
where fixmedins_code = $1 and insutype = $2 and clr_type = $3 and clr_optins = $4
  and settled_at >= ($5::date)::timestamp at time zone 'Asia/Shanghai'
  and settled_at < ($6::date + 1)::timestamp at time zone 'Asia/Shanghai'
  and ($7 or kind = 'settlement')
"""


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


async def totals(
    tx: Connection, *, fixmedins_code: str, insutype: str, clr_type: str, clr_optins: str, first: date, last: date,
    with_refunds: bool,
) -> asyncpg.Record:
    """Return count and sums (fen) of an institution's settlements booked from day ``first`` to day ``last``."""
    row = await tx.fetchrow(TOTALS, fixmedins_code, insutype, clr_type, clr_optins, first, last, with_refunds)
    if row is None:
        raise AssertionError("an aggregate returned no row")
    return row
