"""Look through the own stock and what was uploaded of it (3508-3513); nobody sees another institution's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from yibao.domains.dispensing import stock_queries
from yibao.domains.dispensing.stock_model import Stock
from yibao.domains.dispensing.stock_queries import Recorded, StockFilter
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse

T = TypeVar("T")


async def browse_stock(
    tx: Connection, wanted: StockFilter, *, institution: Institution
) -> list[Stock] | Refusal:
    """Look through what is there now."""
    refusal = _check(wanted, institution)
    return refusal or _not_too_many(await stock_queries.list_stock(tx, wanted), wanted)


async def browse_records(
    tx: Connection, wanted: StockFilter, *, kinds: Sequence[str], institution: Institution
) -> list[Recorded] | Refusal:
    """Look through uploaded records of kinds, deleted ones too."""
    refusal = _check(wanted, institution)
    return refusal or _not_too_many(await stock_queries.list_records(tx, wanted, kinds=kinds), wanted)


async def browse_traced(
    tx: Connection, wanted: StockFilter, *, kinds: Sequence[str], institution: Institution
) -> list[Recorded] | Refusal:
    """Look through uploaded records of kinds, once for each traceability code."""
    refusal = _check(wanted, institution)
    return refusal or _not_too_many(await stock_queries.list_traced(tx, wanted, kinds=kinds), wanted)


def _check(wanted: StockFilter, institution: Institution) -> Refusal | None:
    if wanted.fixmedins_code != institution.fixmedins_code:
        return refuse("NOT_OWN_STOCK", "只能查询本机构的进销存", field="data.fixmedins_code",
                      received=wanted.fixmedins_code, remedy="请填写本机构的定点医药机构编号")
    if wanted.ends < wanted.begins:
        return refuse("PERIOD_REVERSED", "结束日期早于开始日期", field="data.enddate", received=str(wanted.ends),
                      remedy="请更正日期")
    return None


def _not_too_many(rows: list[T], wanted: StockFilter) -> list[T] | Refusal:
    if len(rows) < wanted.limit:
        return rows
    return refuse("TOO_MANY_ROWS", f"符合条件的记录达到{wanted.limit}条", field="data.enddate", received=str(wanted.ends),
                  remedy="请缩短时间段或按批次查询")
