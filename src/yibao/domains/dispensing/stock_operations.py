"""Writes of stock: records are added, never changed; what is there follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.dispensing.stock_model import Entry, Shelf, TraceCode
from yibao.infra.database import Connection

ADD_RECORD = """
insert into dispensing.stock_record (fixmedins_code, admdvs, record_id, kind, bchno, own_code, item_code, name, change_type,
    quantity_e4, delta_e4, price_micro, rx_flag, is_split, lot, made_on, expires_on, occurred_at, origin_id, setl_id,
    mdtrt_id, psn_no, cert_digest, detail, opter, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26)
"""
# What a record is silent about stays as an earlier one said.
PUT_STOCK = """
insert into dispensing.stock as s (fixmedins_code, admdvs, own_code, bchno, stock_id, item_code, name, quantity_e4,
    counted_on, moved_on, rx_flag, is_split, lot, made_on, expires_on, memo, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (fixmedins_code, own_code, bchno) do update set
    item_code = excluded.item_code, name = excluded.name, quantity_e4 = excluded.quantity_e4,
    counted_on = coalesce(excluded.counted_on, s.counted_on), moved_on = greatest(s.moved_on, excluded.moved_on),
    rx_flag = coalesce(nullif(excluded.rx_flag, ''), s.rx_flag), is_split = excluded.is_split,
    lot = coalesce(nullif(excluded.lot, ''), s.lot), made_on = coalesce(excluded.made_on, s.made_on),
    expires_on = coalesce(excluded.expires_on, s.expires_on),
    memo = case when excluded.memo = '' then s.memo else excluded.memo end, updated_at = excluded.updated_at
"""
PUT_TRACE = """
insert into dispensing.trace_code (trace_code, admdvs, fixmedins_code, item_code, own_code, bchno, is_virtual, whole_sold,
    split_sold, seller, sold_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (trace_code) do update set
    admdvs = excluded.admdvs, fixmedins_code = excluded.fixmedins_code, item_code = excluded.item_code,
    own_code = excluded.own_code, bchno = excluded.bchno, whole_sold = excluded.whole_sold,
    split_sold = excluded.split_sold, seller = excluded.seller, sold_at = excluded.sold_at, updated_at = excluded.updated_at
"""
# Nobody may hold the row before the code is judged, so that of two first sales at once the later one sees the other.
CLAIM_TRACE = """
insert into dispensing.trace_code (trace_code, admdvs, fixmedins_code, item_code, own_code, bchno, updated_at)
values ($1, $2, $3, '', '', '', $4) on conflict (trace_code) do nothing
"""
ADD_EVENT = """
insert into dispensing.trace_event (fixmedins_code, admdvs, record_id, trace_code, effect, is_split)
values ($1, $2, $3, $4, $5, $6)
"""
ADD_ALERT = """
insert into dispensing.trace_alert (fixmedins_code, admdvs, record_id, trace_code, reason, earlier_seller, earlier_at,
    raised_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
DELETE_RECORDS = """
update dispensing.stock_record set state = 'deleted', deleted_at = $4
where fixmedins_code = $1 and bchno = $2 and kind = any($3::text[]) and state = 'valid'
returning record_id, own_code, bchno
"""
DELETE_EVENTS = """
update dispensing.trace_event set state = 'deleted'
where fixmedins_code = $1 and record_id = any($2::text[]) and state = 'valid' returning trace_code
"""
# The last count and what moved after it: on a later day, or on the same day and uploaded later.
RECOUNT = """
update dispensing.stock s set quantity_e4 = n.quantity_e4, counted_on = n.counted_on, updated_at = $4
from unnest($2::text[], $3::text[]) as w(own_code, bchno)
cross join lateral (
    select c.day as counted_on, coalesce(c.quantity_e4, 0) + coalesce((
        select sum(r.delta_e4) from dispensing.stock_record r
        where r.fixmedins_code = $1 and r.own_code = w.own_code and r.bchno = w.bchno and r.state = 'valid'
          and (c.day is null or (r.occurred_at at time zone 'Asia/Shanghai')::date > c.day
               or ((r.occurred_at at time zone 'Asia/Shanghai')::date = c.day and r.record_id > c.record_id))), 0)::bigint
        as quantity_e4
    from (values (1)) one left join lateral (
        select r.record_id, r.quantity_e4, (r.occurred_at at time zone 'Asia/Shanghai')::date as day
        from dispensing.stock_record r
        where r.fixmedins_code = $1 and r.own_code = w.own_code and r.bchno = w.bchno and r.state = 'valid'
          and r.kind = 'count' order by 3 desc, 1 desc limit 1) c on true) n
where s.fixmedins_code = $1 and s.own_code = w.own_code and s.bchno = w.bchno
"""
RETRACE = """
update dispensing.trace_code t set whole_sold = greatest(0, n.whole), split_sold = n.split, updated_at = $2
from (select w.code, coalesce(sum(e.effect), 0) as whole, count(*) filter (where e.is_split and r.kind = 'sale') as split
      from unnest($1::text[]) as w(code)
      left join dispensing.trace_event e on e.trace_code = w.code and e.state = 'valid'
      left join dispensing.stock_record r on r.fixmedins_code = e.fixmedins_code and r.record_id = e.record_id
      group by w.code) n
where t.trace_code = n.code and not t.is_virtual
"""


async def claim_trace_codes(
    tx: Connection, codes: Iterable[str], *, fixmedins_code: str, admdvs: str, at: datetime
) -> None:
    """Make the rows of codes that nobody told of, in one order for everybody, so that all can be locked."""
    await tx.executemany(CLAIM_TRACE, [(code, admdvs, fixmedins_code, at) for code in sorted(set(codes))])


async def add_entries(
    tx: Connection, entries: Sequence[Entry], *, fixmedins_code: str, admdvs: str, opter: str, at: datetime
) -> None:
    """Write records with the events of their traceability codes and what was flagged."""
    await tx.executemany(ADD_RECORD, [
        (fixmedins_code, admdvs, e.record_id, m.kind, m.bchno, m.own_code, m.item_code, m.name, m.change_type, m.quantity_e4,
         e.delta_e4, m.price_micro, m.rx_flag, m.is_split, m.lot, m.made_on, m.expires_on, m.occurred_at, m.origin_id,
         m.setl_id, e.mdtrt_id, m.psn_no, m.cert_digest, msgspec.json.encode(m.detail).decode(), opter, at)
        for e in entries for m in (e.movement,)
    ])
    await tx.executemany(ADD_EVENT, [
        (fixmedins_code, admdvs, e.record_id, code, effect, e.movement.is_split) for e in entries for code, effect in e.events
    ])
    await tx.executemany(ADD_ALERT, [
        (fixmedins_code, admdvs, e.record_id, a.trace_code, a.reason, a.earlier_seller, a.earlier_at, at)
        for e in entries for a in e.alerts
    ])


async def put_stocks(
    tx: Connection, entries: Sequence[Entry], *, quantities: Mapping[Shelf, int], counted: Mapping[Shelf, date],
    fixmedins_code: str, admdvs: str, at: datetime,
) -> None:
    """Write what is there now of every shelf that moved, described as its last record describes it."""
    last = {e.movement.shelf: e for e in entries}
    latest = {e.movement.shelf: e.movement.on for e in sorted(entries, key=lambda e: e.movement.on)}
    await tx.executemany(PUT_STOCK, [
        (fixmedins_code, admdvs, *shelf, e.record_id, m.item_code, m.name, quantities[shelf], counted.get(shelf),
         latest[shelf], m.rx_flag, m.is_split, m.lot, m.made_on, m.expires_on, m.detail.get("memo", ""), at)
        for shelf, e in sorted(last.items()) for m in (e.movement,)
    ])


async def put_trace_codes(tx: Connection, codes: Iterable[TraceCode], *, admdvs: str, at: datetime) -> None:
    """Write traceability codes as they are now."""
    await tx.executemany(PUT_TRACE, [
        (c.trace_code, admdvs, c.fixmedins_code, c.item_code, c.own_code, c.bchno, c.is_virtual, c.whole_sold, c.split_sold,
         c.seller, c.sold_at, at)
        for c in codes
    ])


async def delete_records(
    tx: Connection, *, fixmedins_code: str, bchno: str, kinds: Sequence[str], at: datetime
) -> int:
    """Mark the records of kinds in a batch as deleted, put stock and codes as if they had not come; returns how many."""
    rows = await tx.fetch(DELETE_RECORDS, fixmedins_code, bchno, list(kinds), at)
    if not rows:
        return 0
    events = await tx.fetch(DELETE_EVENTS, fixmedins_code, [row["record_id"] for row in rows])
    shelves = sorted({(row["own_code"], row["bchno"]) for row in rows})
    await tx.execute(RECOUNT, fixmedins_code, [own for own, _ in shelves], [batch for _, batch in shelves], at)
    await tx.execute(RETRACE, sorted({event["trace_code"] for event in events}), at)
    return len(rows)
