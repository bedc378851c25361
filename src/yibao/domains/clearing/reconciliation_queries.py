"""Reads for reconciliation: what the platform booked for an institution, and the messages around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg

from yibao.domains.clearing.model import CentreRow, Scope, SeenMessage
from yibao.infra.database import Connection

_ROW = """
s.psn_no, s.setl_id, s.mdtrt_id, s.fixmedins_code, s.insutype, s.clr_type, s.clr_optins,
(s.settled_at at time zone 'Asia/Shanghai')::date, s.kind, s.state, s.origin_id, s.medfee_fen, s.fund_fen, s.account_fen,
s.sender, s.msgid
"""
_BOOKED = "from settlements.settlement s"
_PERIOD = _BOOKED + """
where s.fixmedins_code = $1 and s.settled_at >= ($2::date)::timestamp at time zone 'Asia/Shanghai'
  and s.settled_at < ($3::date + 1)::timestamp at time zone 'Asia/Shanghai'
"""
_SCOPE = _PERIOD + """
  and s.clr_optins = $4 and s.clr_type = $5 and ($6 = '' or s.insutype = $6) and ($7 or s.kind = 'settlement')
"""
IN_SCOPE = f"select {_ROW} {_SCOPE} order by s.settled_at, s.setl_id"
BY_IDS = f"select {_ROW} {_BOOKED} where s.setl_id = any($1::text[])"
REFUNDS_OF = f"""
select {_ROW} {_BOOKED} join unnest($1::text[], $2::text[]) o(psn_no, setl_id)
  on s.psn_no = o.psn_no and s.origin_id = o.setl_id and s.kind = 'refund'
"""
GROUPS = f"""
select s.insutype, s.clr_type, s.clr_optins, s.kind, count(*) as n, sum(s.medfee_fen)::bigint as medfee,
       sum(s.fund_fen)::bigint as fund, sum(s.account_fen)::bigint as account
{_PERIOD} group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
WITH_AMOUNTS = f"""
select s.setl_id, s.msgid {_SCOPE} and (s.medfee_fen, s.fund_fen, s.account_fen) = ($8, $9, $10)
order by s.settled_at limit 2
"""
REFUSED = """
select distinct on (mdtrt_id) msgid, infno, outcome, refusal_code, mdtrt_id from platform.traffic
where mdtrt_id = any($2::text[]) and sender = $1 and outcome = 'refused' and infno = any($3::text[])
order by mdtrt_id, received_at desc
"""
REPLAYED = """
select distinct msgid, infno, outcome, refusal_code, mdtrt_id from platform.traffic
where sender = $1 and msgid = any($2::text[]) and outcome = 'replayed'
"""


async def list_in_scope(tx: Connection, scope: Scope) -> list[CentreRow]:
    """List what the platform booked in a scope, in the order of booking."""
    rows = await tx.fetch(
        IN_SCOPE, scope.fixmedins_code, scope.first, scope.last, scope.clr_optins, scope.clr_type, scope.insutype,
        scope.with_refunds,
    )
    return [CentreRow(*row) for row in rows]


async def list_named(tx: Connection, setl_ids: Sequence[str]) -> list[CentreRow]:
    """List settlements of whatever institution by their ids, each with the refunds that undo it."""
    if not setl_ids:
        return []
    named = [CentreRow(*row) for row in await tx.fetch(BY_IDS, setl_ids)]
    refunds = await tx.fetch(REFUNDS_OF, [r.psn_no for r in named], [r.setl_id for r in named])
    return named + [CentreRow(*row) for row in refunds]


async def list_groups(tx: Connection, scope: Scope) -> list[asyncpg.Record]:
    """List count and sums (fen) of an institution's days by insurance, clearing type, agency and kind of record."""
    return await tx.fetch(GROUPS, scope.fixmedins_code, scope.first, scope.last)


async def find_by_amounts(tx: Connection, scope: Scope, amounts: tuple[int, int, int]) -> asyncpg.Record | None:
    """Return id and message of the only settlement in the scope with these amounts; None where none or several have."""
    rows = await tx.fetch(
        WITH_AMOUNTS, scope.fixmedins_code, scope.first, scope.last, scope.clr_optins, scope.clr_type, scope.insutype,
        scope.with_refunds, *amounts,
    )
    return rows[0] if len(rows) == 1 else None


async def list_messages(
    tx: Connection, *, sender: str, mdtrt_ids: Iterable[str], msgids: Iterable[str], infnos: Sequence[str]
) -> list[SeenMessage]:
    """List the newest refused message of each encounter among ``infnos``, and which of ``msgids`` were asked for again."""
    refused = await tx.fetch(REFUSED, sender, sorted(set(mdtrt_ids)), infnos)
    replayed = await tx.fetch(REPLAYED, sender, sorted(set(msgids)))
    return [SeenMessage(*row) for row in (*refused, *replayed)]
