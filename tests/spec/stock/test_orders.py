"""Every upload against every state of a batch: what is allowed stands in the table, everything else is refused."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from tests.support.storeroom import change, count, purchase, sale, send
from tests.support.till import Till

Build = Callable[[str, str], dict[str, Any]]


def _sale(quantity: float) -> Build:
    return lambda own, batch: {"selinfo": sale(quantity, fixmedins_hilist_id=own, fixmedins_bchno=batch)}


def _delete(kind: str) -> Build:
    return lambda own, batch: {"data": {"fixmedins_bchno": batch, "inv_data_type": kind}}


UPLOADS: dict[str, tuple[str, Build]] = {
    "count": ("3501", lambda own, batch: {"invinfo": count(9, own=own, batch=batch)}),
    "change": ("3502", lambda own, batch: {"invinfo": change("101", 2, own=own, batch=batch)}),
    "purchase": ("3503", lambda own, batch: {"purcinfo": purchase(10, own=own, batch=batch)}),
    "supplier_return": ("3504", lambda own, batch: {"purcinfo": purchase(4, own=own, batch=batch)}),
    "sale": ("3505", _sale(3)),
    "sale_return": ("3506", _sale(3)),
    "delete_count": ("3507", _delete("1")),
    "delete_change": ("3507", _delete("2")),
    "delete_purchase": ("3507", _delete("3")),
    "delete_sale": ("3507", _delete("4")),
}
STATES: dict[str, list[str]] = {  # how a batch gets there
    "unknown": [],
    "counted": ["count"],
    "changed": ["change"],
    "bought": ["purchase"],
    "sent_back": ["purchase", "supplier_return", "supplier_return"],
    "sold": ["sale"],
    "came_back": ["sale", "sale_return"],
    "bought_and_sold": ["purchase", "sale"],
    "count_deleted": ["count", "delete_count"],
    "sale_deleted": ["sale", "delete_sale"],
    "purchase_deleted": ["purchase", "delete_purchase"],
}
ALWAYS = {"count", "change", "purchase", "sale"}
ALLOWED: dict[str, set[str]] = {  # 4 go back of 10 bought: twice, not three times; of 9 counted: as long as they are there
    "unknown": ALWAYS,
    "counted": ALWAYS | {"supplier_return", "delete_count"},
    "changed": ALWAYS | {"delete_change"},
    "bought": ALWAYS | {"supplier_return", "delete_purchase"},
    "sent_back": ALWAYS | {"delete_purchase"},
    "sold": ALWAYS | {"sale_return", "delete_sale"},
    "came_back": ALWAYS | {"delete_sale"},
    "bought_and_sold": ALWAYS | {"supplier_return", "sale_return", "delete_purchase", "delete_sale"},
    "count_deleted": ALWAYS,
    "sale_deleted": ALWAYS,
    "purchase_deleted": ALWAYS,
}
REASONS = {
    "supplier_return": ("没有这个批次的采购记录", "退货超过采购"), "sale_return": ("没有这个批次的销售记录", "退货超过销售"),
    **{name: ("没有这个批次的这类记录",) for name in UPLOADS if name.startswith("delete")},
}
TABLES = ("stock_record", "stock", "trace_code", "trace_event", "trace_alert")


def contents(url: str) -> list[str]:
    """Return a digest of every table of the stock."""

    async def ask() -> list[str]:
        connection = await asyncpg.connect(url)
        try:
            return [
                await connection.fetchval(
                    f"select coalesce(md5(string_agg(t::text, '' order by t::text)), '') from dispensing.{table} t"
                )
                for table in TABLES
            ]
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(("state", "upload"), list(itertools.product(STATES, UPLOADS)))
def test_every_upload_in_every_state(till_for: Callable[..., Till], world_url: str, state: str, upload: str) -> None:
    shop, own, batch = till_for(kind="2"), f"o{state}{upload}"[:30], f"{state}-{upload}"[:30]
    for step in STATES[state]:
        infno, build = UPLOADS[step]
        assert send(shop, infno, build(own, batch)).ok
    before = contents(world_url)
    infno, build = UPLOADS[upload]
    reply = send(shop, infno, build(own, batch))
    assert reply.ok == (upload in ALLOWED[state]), reply.reason
    if not reply.ok:
        assert any(reason in reply.reason for reason in REASONS[upload])
        assert contents(world_url) == before
