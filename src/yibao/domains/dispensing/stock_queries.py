"""Reads of stock: what an upload is judged on, and what institutions ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from yibao.domains.dispensing.stock_model import Movement, Origin, Settled, Shelf, Stock, Totals, TraceCode
from yibao.infra.database import Connection

# All writers of one institution's stock queue here, so that what was read still holds when it is written.
TURN = "select pg_advisory_xact_lock(hashtextextended('stock:' || $1, 0))"

STOCKS = """
select s.own_code, s.bchno, s.stock_id, s.item_code, s.name, s.quantity_e4, s.counted_on, s.moved_on, s.rx_flag,
       s.is_split, s.lot, s.made_on, s.expires_on, s.memo, s.updated_at
from unnest($2::text[], $3::text[]) as w(own_code, bchno)
join dispensing.stock s on s.fixmedins_code = $1 and s.own_code = w.own_code and s.bchno = w.bchno
"""
TOTALS = """
select w.own_code, w.bchno,
       coalesce(sum(r.quantity_e4) filter (where r.kind = 'purchase'), 0)::bigint,
       coalesce(sum(r.quantity_e4) filter (where r.kind = 'supplier_return'), 0)::bigint,
       coalesce(sum(r.quantity_e4) filter (where r.kind = 'sale'), 0)::bigint,
       coalesce(sum(r.quantity_e4) filter (where r.kind = 'sale_return'), 0)::bigint,
       bool_or(r.kind = 'count'),
       array_remove(array_agg(distinct r.change_type), '')
from unnest($2::text[], $3::text[]) as w(own_code, bchno)
join dispensing.stock_record r
    on r.fixmedins_code = $1 and r.own_code = w.own_code and r.bchno = w.bchno and r.state = 'valid'
group by w.own_code, w.bchno
"""
ORIGINS = """
select o.record_id, o.kind, o.own_code, o.bchno, o.quantity_e4, o.state,
       coalesce((select sum(r.quantity_e4) from dispensing.stock_record r
                 where r.fixmedins_code = o.fixmedins_code and r.own_code = o.own_code and r.bchno = o.bchno
                   and r.origin_id = o.record_id and r.state = 'valid'), 0)::bigint
from dispensing.stock_record o where o.fixmedins_code = $1 and o.record_id = any($2::text[])
"""
AFTER_COUNTS = """
select w.own_code, w.bchno, w.day, coalesce(sum(r.delta_e4), 0)::bigint
from unnest($2::text[], $3::text[], $4::date[]) as w(own_code, bchno, day)
join dispensing.stock_record r
    on r.fixmedins_code = $1 and r.own_code = w.own_code and r.bchno = w.bchno and r.state = 'valid'
where (r.occurred_at at time zone 'Asia/Shanghai')::date > w.day group by 1, 2, 3
"""
TRACE_CODES = """
select trace_code, fixmedins_code, item_code, own_code, bchno, is_virtual, whole_sold, split_sold, seller, sold_at
from dispensing.trace_code where trace_code = any($1::text[]) order by trace_code for update
"""
SETTLEMENTS = """
select setl_id, fixmedins_code, mdtrt_id, state from settlements.settlement where setl_id = any($1::text[])
"""
VIRTUAL = """
select trace_code from dispensing.trace_code
where is_virtual and fixmedins_code = $1 and own_code = $2 and bchno = $3 and item_code = $4
"""


async def take_turn(tx: Connection, fixmedins_code: str) -> None:
    """Wait until nobody else writes this institution's stock; ends with the transaction."""
    await tx.execute(TURN, fixmedins_code)


def _columns(shelves: Iterable[Shelf]) -> tuple[list[str], list[str]]:
    wanted = sorted(set(shelves))
    return [own for own, _ in wanted], [batch for _, batch in wanted]


async def find_stocks(tx: Connection, fixmedins_code: str, shelves: Iterable[Shelf]) -> dict[Shelf, Stock]:
    """Find the stock of shelves; a shelf that never moved is absent."""
    rows = await tx.fetch(STOCKS, fixmedins_code, *_columns(shelves))
    return {(row[0], row[1]): Stock(*row) for row in rows}


async def find_totals(tx: Connection, fixmedins_code: str, shelves: Iterable[Shelf]) -> dict[Shelf, Totals]:
    """Find what was uploaded of shelves so far."""
    rows = await tx.fetch(TOTALS, fixmedins_code, *_columns(shelves))
    return {
        (own, batch): Totals(bought, sent_back, sold, came_back, counted, frozenset(types))
        for own, batch, bought, sent_back, sold, came_back, counted, types in rows
    }


async def find_origins(tx: Connection, fixmedins_code: str, numbers: Iterable[str]) -> dict[str, Origin]:
    """Find the records that returns name, with how much came back already."""
    rows = await tx.fetch(ORIGINS, fixmedins_code, list(set(numbers)))
    return {row[0]: Origin(row[1], row[2], row[3], row[4], row[6], row[5]) for row in rows}


async def find_after_counts(
    tx: Connection, fixmedins_code: str, counts: Sequence[Movement]
) -> dict[tuple[Shelf, date], int]:
    """Find what moved after the day of each count."""
    rows = await tx.fetch(
        AFTER_COUNTS, fixmedins_code, [c.own_code for c in counts], [c.bchno for c in counts], [c.on for c in counts]
    )
    return {((row[0], row[1]), row[2]): row[3] for row in rows}


async def find_trace_codes(tx: Connection, codes: Iterable[str]) -> dict[str, TraceCode]:
    """Find and lock traceability codes; one that was only claimed, and nobody told of, is absent."""
    rows = await tx.fetch(TRACE_CODES, sorted(set(codes)))
    return {row["trace_code"]: TraceCode(*row) for row in rows if row["item_code"]}


async def find_settlements(tx: Connection, setl_ids: Iterable[str]) -> dict[str, Settled]:
    """Find the settlements that sales name."""
    rows = await tx.fetch(SETTLEMENTS, list(set(setl_ids)))
    return {row[0]: Settled(row[1], row[2], row[3]) for row in rows}


async def find_virtual_code(tx: Connection, *, fixmedins_code: str, own_code: str, bchno: str, item_code: str) -> str | None:
    """Find the virtual traceability code of a batch that the institution was given."""
    code: str | None = await tx.fetchval(VIRTUAL, fixmedins_code, own_code, bchno, item_code)
    return code


# ───────────────────────── what institutions ask for (3508-3513) ─────────────────────────


class StockFilter(msgspec.Struct, frozen=True):
    """What a look-up of the own stock is narrowed by; None leaves a criterion out. Both days belong to the range."""

    fixmedins_code: str
    begins: date
    ends: date
    own_code: str | None = None
    bchno: str | None = None
    item_code: str | None = None
    trace_code: str | None = None
    mdtrt_id: str | None = None
    cert_digest: bytes | None = None
    limit: int = 1000


class Recorded(msgspec.Struct, frozen=True):
    """A record as it was written."""

    record_id: str
    kind: str
    bchno: str
    own_code: str
    item_code: str
    name: str
    change_type: str
    quantity_e4: int
    price_micro: int | None
    rx_flag: str
    is_split: bool
    lot: str
    made_on: date | None
    expires_on: date | None
    occurred_at: datetime
    origin_id: str
    setl_id: str
    mdtrt_id: str
    psn_no: str
    state: str
    detail: dict[str, str]
    opter: str
    recorded_at: datetime
    trace_code: str = ""


_RECORD = """r.record_id, r.kind, r.bchno, r.own_code, r.item_code, r.name, r.change_type, r.quantity_e4, r.price_micro,
       r.rx_flag, r.is_split, r.lot, r.made_on, r.expires_on, r.occurred_at, r.origin_id, r.setl_id, r.mdtrt_id, r.psn_no,
       r.state, r.detail, r.opter, r.recorded_at"""
_NARROWED = """
where r.fixmedins_code = $1 and (r.occurred_at at time zone 'Asia/Shanghai')::date between $2 and $3
  and ($4::text is null or r.own_code = $4) and ($5::text is null or r.bchno = $5)
  and ($6::text is null or r.item_code = $6) and r.kind = any($7::text[])
  and ($8::text is null or r.mdtrt_id = $8) and ($9::bytea is null or r.cert_digest = $9)
"""
LIST_STOCK = """
select own_code, bchno, stock_id, item_code, name, quantity_e4, counted_on, moved_on, rx_flag, is_split, lot, made_on,
       expires_on, memo, updated_at
from dispensing.stock
where fixmedins_code = $1 and moved_on between $2 and $3 and ($4::text is null or own_code = $4)
  and ($5::text is null or bchno = $5) and ($6::text is null or item_code = $6)
order by own_code, bchno limit $7
"""
_TRACED = """
join dispensing.trace_event t on t.fixmedins_code = r.fixmedins_code and t.record_id = r.record_id
    and t.state = 'valid' and ($11::text is null or t.trace_code = $11)
"""
_FROM = "from dispensing.stock_record r"
LIST_RECORDS = f"select {_RECORD} {_FROM} {_NARROWED} order by r.record_id limit $10"
LIST_TRACED = f"select {_RECORD}, t.trace_code {_FROM} {_TRACED} {_NARROWED} order by r.record_id, t.trace_code limit $10"


async def list_stock(tx: Connection, wanted: StockFilter) -> list[Stock]:
    """List what is there of shelves that moved or were counted last in the range."""
    rows = await tx.fetch(
        LIST_STOCK, wanted.fixmedins_code, wanted.begins, wanted.ends, wanted.own_code, wanted.bchno, wanted.item_code,
        wanted.limit,
    )
    return [Stock(*row) for row in rows]


async def list_records(tx: Connection, wanted: StockFilter, *, kinds: Sequence[str]) -> list[Recorded]:
    """List records of kinds by upload, deleted ones too."""
    return [_recorded(row) for row in await tx.fetch(LIST_RECORDS, *_values(wanted, kinds))]


async def list_traced(tx: Connection, wanted: StockFilter, *, kinds: Sequence[str]) -> list[Recorded]:
    """List records of kinds once for each of their traceability codes."""
    rows = await tx.fetch(LIST_TRACED, *_values(wanted, kinds), wanted.trace_code)
    return [_recorded(row) for row in rows]


def _values(wanted: StockFilter, kinds: Sequence[str]) -> tuple[Any, ...]:
    return (
        wanted.fixmedins_code, wanted.begins, wanted.ends, wanted.own_code, wanted.bchno, wanted.item_code, list(kinds),
        wanted.mdtrt_id, wanted.cert_digest, wanted.limit,
    )


def _recorded(row: asyncpg.Record) -> Recorded:
    values = dict(row)
    values["detail"] = msgspec.json.decode(values["detail"], type=dict[str, str])
    return Recorded(**values)
