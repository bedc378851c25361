"""Reads of payment by group. Costs come from the settlements in force: what was reversed is no longer there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import asyncpg
import msgspec

from yibao.domains.grouping.model import Application, Result, SettledStay, YearClose, YearLine
from yibao.infra.database import Connection
from yibao.infra.paging import Window, fetch_page

T = TypeVar("T")
# Settlements in force made in [from, to). A stay settled in parts counts once, with its last settlement: what its interim
# settlements cost and were paid is added; one that has interim settlements only is not finished.
STAYS = """
select s.psn_no, s.setl_id, s.admdvs, s.fixmedins_code, i.kind as institution_kind, i.level, s.insutype, s.med_type,
       s.settled_at, s.medfee_fen + coalesce(p.medfee_fen, 0) as medfee_fen,
       s.fund_types || coalesce(f.types, '{}') as fund_types, s.fund_amounts || coalesce(f.amounts, '{}') as fund_amounts,
       exists (select from grouping.exit_application a where a.psn_no = s.psn_no and a.setl_id = s.setl_id
               and a.state = 'approved') as is_exit
from settlements.settlement s
join institutions.institution i on i.fixmedins_code = s.fixmedins_code
left join settlements.stay_settlement c on c.psn_no = s.psn_no and c.setl_id = s.setl_id
left join lateral (
    select sum(y.medfee_fen)::bigint as medfee_fen, array_agg(y.setl_id) as setl_ids
    from settlements.stay_settlement x
    join settlements.settlement y on y.psn_no = x.psn_no and y.setl_id = x.setl_id
    where x.psn_no = s.psn_no and x.mdtrt_id = s.mdtrt_id and x.is_interim and y.kind = 'settlement' and y.state = 'active'
    ) p on true
left join lateral (
    select array_agg(g.fund_type) as types, array_agg(g.amount) as amounts
    from settlements.settlement y, unnest(y.fund_types, y.fund_amounts) g(fund_type, amount)
    where y.psn_no = s.psn_no and y.setl_id = any(p.setl_ids)) f on true
where s.admdvs = $1 and s.settled_at >= $2 and s.settled_at < $3 and s.kind = 'settlement' and s.state = 'active'
  and not coalesce(c.is_interim, false)
order by s.setl_id
"""
RESULTS = """
select r.* from grouping.result r
join settlements.settlement s on s.psn_no = r.psn_no and s.setl_id = r.setl_id
where r.admdvs = $1 and s.settled_at >= $2 and s.settled_at < $3 and s.state = 'active'
"""
_JOINED = """
from grouping.result r
join settlements.settlement s on s.psn_no = r.psn_no and s.setl_id = r.setl_id and s.state = 'active'
join people.person p on p.psn_no = r.psn_no
join institutions.institution i on i.fixmedins_code = r.fixmedins_code
"""
_PROCEDURES = """
cross join lateral (select coalesce(string_agg(x, '+' order by x), '') as procedures from unnest(r.op_codes) x) o
"""
_WHERE = """
where r.fixmedins_code = $1 and (r.method = 'dip') = $2 and s.settled_at >= $3 and s.settled_at < $4
  and ($5 = '' or r.setl_id = $5) and ($6 = '' or r.code = $6)
"""
_ASKED = _JOINED + _WHERE
PAGE_COUNT = f"select count(*) {_ASKED}"
_PAGE = """r.*, s.settled_at, s.insutype, s.clr_optins, p.name as psn_name, i.name as institution_name, i.hosp_lv"""
PAGE = f"select {_PAGE} {_ASKED} order by s.settled_at, r.setl_id limit $7 offset $8"
_TOTALS = "count(*) as stays, coalesce(sum(r.cost_fen), 0)::bigint as medfee_fen"
_SUM = "count(distinct r.code) filter (where r.code <> '') as groups"
SUM = f"select {_SUM}, {_TOTALS} {_ASKED} having count(*) > 0"
_GROUP = "r.admdvs, r.code, max(r.name) as name"
BY_GROUP = f"select {_GROUP}, {_TOTALS} {_ASKED} and r.state = 'grouped' group by 1, 2 order by 2, 1"
_PACKET = "r.admdvs, r.code, max(r.name) as name, r.dx_codes[1] as diagnosis, o.procedures"
BY_PACKET = f"""
select {_PACKET}, {_TOTALS} {_JOINED} {_PROCEDURES} {_WHERE} and r.state = 'grouped' group by 1, 2, 4, 5
order by 2, 1, 4, 5
"""
_APPLICATIONS = """
from grouping.exit_application a
join settlements.settlement s on s.psn_no = a.psn_no and s.setl_id = a.setl_id
join people.person p on p.psn_no = a.psn_no
left join encounters.stay y on y.psn_no = s.psn_no and y.mdtrt_id = s.mdtrt_id
left join grouping.result r on r.psn_no = a.psn_no and r.setl_id = a.setl_id
where a.fixmedins_code = $1 and ($2 = '' or a.setl_id = $2) and ($3 = '' or a.psn_no = $3)
  and ($4 = '' or a.application_id = $4) and a.filed_at >= $5 and a.filed_at < $6
"""
APPLICATION_COUNT = f"select count(*) {_APPLICATIONS}"
APPLICATION_PAGE = f"""
select a.*, s.settled_at, s.mdtrt_id, s.insutype, s.fund_fen, p.name as psn_name, p.cert_type, p.certno,
       y.admitted_at, y.discharged_at, r.code, r.name, r.method, r.standard_fen, r.due_fen, r.weight_e4
{_APPLICATIONS} order by a.filed_at, a.application_id limit $7 offset $8
"""
APPLICATION = "select * from grouping.exit_application where application_id = $1 for update"
APPLICATIONS_OPEN = """
select * from grouping.exit_application where admdvs = $1 and ($2 = '' or state = $2) order by filed_at, application_id
"""
LIVE_APPLICATION = """
select application_id from grouping.exit_application where psn_no = $1 and setl_id = $2 and state in ('filed', 'approved')
"""
SETTLEMENT = """
select s.admdvs, s.fixmedins_code, s.state, s.kind, s.settled_at, s.insutype, s.med_type, i.kind as institution_kind
from settlements.settlement s join institutions.institution i on i.fixmedins_code = s.fixmedins_code
where s.psn_no = $1 and s.setl_id = $2
"""
FUND_ITEMS = """
select s.psn_no, s.setl_id, s.mdtrt_id, s.admdvs, s.settled_at, s.insutype, f.fund_type, f.amount, r.due_fen,
       a.application_id, a.state, a.exit_type, a.reason
from grouping.exit_application a
join settlements.settlement s on s.psn_no = a.psn_no and s.setl_id = a.setl_id
left join grouping.result r on r.psn_no = a.psn_no and r.setl_id = a.setl_id,
     unnest(s.fund_types, s.fund_amounts) with ordinality f(fund_type, amount, n)
where a.application_id = $1 order by f.n
"""
CLOSE = "select * from grouping.year_close where close_id = $1 for update"
CLOSES = "select * from grouping.year_close where admdvs = $1 and year = $2 order by computed_at, close_id"
IS_CLOSED = """
select exists (select from grouping.year_close where admdvs = $1 and year = $2 and fund_type = $3 and state = 'approved')
"""
LINES = "select * from grouping.year_line where close_id = $1 order by fixmedins_code"


class Asked(msgspec.Struct, frozen=True):
    """What an institution asks for: its results of ``[begin, end)`` by packets (``is_dip``) or groups."""

    fixmedins_code: str
    is_dip: bool
    begin: datetime
    end: datetime
    setl_id: str = ""
    code: str = ""

    def values(self) -> tuple[Any, ...]:
        """Return the values of the statements."""
        return (self.fixmedins_code, self.is_dip, self.begin, self.end, self.setl_id, self.code)


def _record(kind: type[T], row: asyncpg.Record) -> T:
    names = [f.name for f in msgspec.structs.fields(kind)]  # type: ignore[arg-type]
    values = {name: row[name] for name in names}
    for name in ("detail", "items"):
        if name in values:
            values[name] = json.loads(values[name])
    for name in ("value_num", "value_den"):
        if name in values:
            values[name] = int(values[name])
    return kind(**values)


def _sums(types: Sequence[str], amounts: Sequence[int]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for fund_type, amount in zip(types, amounts, strict=True):
        sums[fund_type] = sums.get(fund_type, 0) + amount
    return sums


async def list_stays(tx: Connection, *, admdvs: str, begin: datetime, end: datetime) -> list[SettledStay]:
    """Return a region's settlements in force that were made in ``[begin, end)``."""
    return [
        SettledStay(
            psn_no=r["psn_no"], setl_id=r["setl_id"], admdvs=r["admdvs"], fixmedins_code=r["fixmedins_code"],
            institution_kind=r["institution_kind"], level=r["level"], insutype=r["insutype"], med_type=r["med_type"],
            settled_at=r["settled_at"], medfee_fen=r["medfee_fen"], funds=_sums(r["fund_types"], r["fund_amounts"]),
            is_exit=r["is_exit"],
        )
        for r in await tx.fetch(STAYS, admdvs, begin, end)
    ]


async def list_results(tx: Connection, *, admdvs: str, begin: datetime, end: datetime) -> dict[str, Result]:
    """Return settlement -> its result, of settlements in force made in ``[begin, end)``."""
    return {row["setl_id"]: _record(Result, row) for row in await tx.fetch(RESULTS, admdvs, begin, end)}


async def page_results(tx: Connection, asked: Asked, window: Window) -> tuple[int, list[asyncpg.Record]]:
    """Return the number of an institution's results and one page of them."""
    return await fetch_page(tx, PAGE_COUNT, PAGE, asked.values(), window, lambda row: row)


async def sum_results(tx: Connection, asked: Asked) -> asyncpg.Record | None:
    """Return an institution's groups, stays and cost of a period, None if it has no result there."""
    return await tx.fetchrow(SUM, *asked.values())


async def list_by_group(tx: Connection, asked: Asked) -> list[asyncpg.Record]:
    """Return stays and cost by group, or by packet with its main diagnosis and procedures."""
    return await tx.fetch(BY_PACKET if asked.is_dip else BY_GROUP, *asked.values())


async def page_applications(
    tx: Connection, *, fixmedins_code: str, begin: datetime, end: datetime, window: Window, setl_id: str = "",
    psn_no: str = "", application_id: str = "",
) -> tuple[int, list[asyncpg.Record]]:
    """Return the number of an institution's applications and one page of them, with settlement and group."""
    values = (fixmedins_code, setl_id, psn_no, application_id, begin, end)
    return await fetch_page(tx, APPLICATION_COUNT, APPLICATION_PAGE, values, window, lambda row: row)


async def get_application(tx: Connection, application_id: str) -> Application | None:
    """Return an application and hold it until the transaction ends."""
    row = await tx.fetchrow(APPLICATION, application_id)
    return None if row is None else _record(Application, row)


async def list_applications(tx: Connection, *, admdvs: str, state: str = "") -> list[Application]:
    """Return a region's applications, of one state or all."""
    return [_record(Application, row) for row in await tx.fetch(APPLICATIONS_OPEN, admdvs, state)]


async def live_application(tx: Connection, *, psn_no: str, setl_id: str) -> str | None:
    """Return the filed or approved application for a settlement."""
    found: str | None = await tx.fetchval(LIVE_APPLICATION, psn_no, setl_id)
    return found


async def find_settlement(tx: Connection, *, psn_no: str, setl_id: str) -> asyncpg.Record | None:
    """Return what an application needs to know of a settlement."""
    return await tx.fetchrow(SETTLEMENT, psn_no, setl_id)


async def fund_items(tx: Connection, application_id: str) -> list[asyncpg.Record]:
    """Return what each fund paid for the stay of an application."""
    return await tx.fetch(FUND_ITEMS, application_id)


async def get_close(tx: Connection, close_id: str) -> YearClose | None:
    """Return a closed year and hold it until the transaction ends."""
    row = await tx.fetchrow(CLOSE, close_id)
    return None if row is None else _record(YearClose, row)


async def list_closes(tx: Connection, *, admdvs: str, year: int) -> Sequence[YearClose]:
    """Return every closing of a region's year, dropped ones too."""
    return [_record(YearClose, row) for row in await tx.fetch(CLOSES, admdvs, year)]


async def is_closed(tx: Connection, *, admdvs: str, year: int, fund_type: str) -> bool:
    """Tell whether a pool's year is approved: nothing of it changes any more."""
    return bool(await tx.fetchval(IS_CLOSED, admdvs, year, fund_type))


async def list_lines(tx: Connection, close_id: str) -> list[YearLine]:
    """Return the institutions of a closed year."""
    return [_record(YearLine, row) for row in await tx.fetch(LINES, close_id)]
