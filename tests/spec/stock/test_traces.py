"""Traceability codes: one code, one pack, one sale; what breaks it is flagged and the sale is kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from tests.support.storeroom import asked, change, count, sale, send, stock_of
from tests.support.till import Till


@pytest.fixture
def shop(till_for: Callable[..., Till]) -> Till:
    return till_for(kind="2")


@pytest.fixture
def alerts(world_url: str) -> Callable[[str], list[tuple[str, str]]]:
    """Return a function that lists what was flagged of a code: by whom it was sold again, and why."""

    async def ask(code: str) -> list[tuple[str, str]]:
        connection = await asyncpg.connect(world_url)
        try:
            rows = await connection.fetch(
                "select fixmedins_code, reason from dispensing.trace_alert where trace_code = $1 order by raised_at", code
            )
        finally:
            await connection.close()
        return [(row[0], row[1]) for row in rows]

    return lambda code: asyncio.run(ask(code))


def sell(till: Till, code: str, *, batch: str = "TB", infno: str = "3505", **more: Any) -> str:
    """Sell (or take back) one pack under a code; return the warning."""
    reply = send(till, infno, {"selinfo": sale(1, codes=(code,), fixmedins_bchno=batch, **more)})
    assert reply.ok, reply.reason
    return reply.warning


def test_a_code_sold_twice_is_flagged_and_the_sale_kept(
    shop: Till, alerts: Callable[[str], list[tuple[str, str]]]
) -> None:
    send(shop, "3501", {"invinfo": count(10, batch="TB") | {"drugtracinfo": [{"drug_trac_codg": "81000000000000000001"}]}})
    assert "追溯码" not in sell(shop, "81000000000000000001")
    assert "请核对追溯码" in sell(shop, "81000000000000000001")
    assert stock_of(shop, batch="TB") == 8
    assert alerts("81000000000000000001") == [(shop.counter.fixmedins_code, "sold_twice")]


def test_a_code_sold_elsewhere_is_flagged_without_saying_where(
    shop: Till, till_for: Callable[..., Till], alerts: Callable[[str], list[tuple[str, str]]]
) -> None:
    sell(shop, "81000000000000000002")
    other = till_for(region="441300", kind="2")
    warning = sell(other, "81000000000000000002")
    assert "请核对追溯码" in warning
    assert shop.counter.fixmedins_code not in warning
    assert alerts("81000000000000000002") == [(other.counter.fixmedins_code, "sold_twice")]


def test_what_came_back_may_be_sold_again(shop: Till) -> None:
    sell(shop, "81000000000000000003")
    assert "追溯码" not in sell(shop, "81000000000000000003", infno="3506")
    assert "追溯码" not in sell(shop, "81000000000000000003")
    assert "请核对追溯码" in sell(shop, "81000000000000000003")


def test_taking_back_what_was_never_sold_under_the_code_is_told(shop: Till) -> None:
    sell(shop, "81000000000000000004", batch="UB")
    assert "没有销售记录" in sell(shop, "81000000000000000005", batch="UB", infno="3506")


def test_pieces_of_a_pack_are_sold_under_one_code(shop: Till, alerts: Callable[[str], list[tuple[str, str]]]) -> None:
    for _ in range(3):
        assert "追溯码" not in sell(shop, "81000000000000000006", trdn_flag="1")
    assert "拆零" in sell(shop, "81000000000000000006")
    assert [reason for _, reason in alerts("81000000000000000006")] == ["sold_after_split"]


def test_a_deleted_sale_never_sold_its_code(shop: Till) -> None:
    sell(shop, "81000000000000000007", batch="VB")
    assert send(shop, "3507", {"data": {"fixmedins_bchno": "VB", "inv_data_type": "4"}}).ok
    assert "追溯码" not in sell(shop, "81000000000000000007", batch="VB")


def test_a_code_of_another_drug_is_flagged(shop: Till) -> None:
    sell(shop, "81000000000000000008", batch="WB", trdn_flag="1")
    other = sell(shop, "81000000000000000008", batch="WB", trdn_flag="1", med_list_codg="XA01ABD075A002010100483")
    assert "另一医疗目录编码" in other


def test_a_code_named_twice_in_one_sale_counts_once(shop: Till) -> None:
    reply = send(shop, "3505", {"selinfo": sale(2, codes=("81000000000000000009",) * 2, fixmedins_bchno="TB")})
    assert "重复" in reply.warning
    assert "请核对追溯码" in sell(shop, "81000000000000000009")


def test_of_two_shops_that_sell_one_code_at_once_one_is_flagged(
    till_for: Callable[..., Till], alerts: Callable[[str], list[tuple[str, str]]]
) -> None:
    shops = [till_for(kind="2"), till_for(region="441300", kind="2")]
    for round_ in range(6):
        code = f"8200000000000000000{round_}"
        barrier = threading.Barrier(2)
        warnings: list[str] = []

        def work(till: Till, code: str = code, barrier: threading.Barrier = barrier, to: list[str] = warnings) -> None:
            barrier.wait()
            to.append(sell(till, code, batch="XB"))

        threads = [threading.Thread(target=work, args=(till,)) for till in shops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted("请核对追溯码" in warning for warning in warnings) == [False, True]
        assert len(alerts(code)) == 1


@pytest.mark.drives("3592B")
def test_a_virtual_code_stands_for_a_batch(shop: Till, till_for: Callable[..., Till]) -> None:
    data = {"med_list_codg": "NMLC999", "fixmedins_hilist_id": "Y1", "fixmedins_hilist_name": "散", "fixmedins_bchno": "YB"}
    given = send(shop, "3592B", {"data": data}).output["result"]
    code = given["drug_trac_codg"]
    assert (given["fixmedins_hilist_id"], given["med_list_codg"]) == ("Y1", "NMLC999")
    assert 0 < len(code) <= 30
    assert send(shop, "3592B", {"data": data}).output["result"]["drug_trac_codg"] == code
    assert send(shop, "3592B", {"data": data | {"fixmedins_bchno": "YC"}}).output["result"]["drug_trac_codg"] != code
    for _ in range(2):
        assert "追溯码" not in sell(shop, code, batch="YB", med_list_codg="NMLC999")
    assert "虚拟追溯码" in sell(shop, code, batch="YC")
    assert "虚拟追溯码" in sell(till_for(), code, batch="YB")


@pytest.mark.drives("3512", "3513")
def test_codes_are_found_by_where_they_came_in_and_went_out(shop: Till) -> None:
    code = "81000000000000000020"
    send(shop, "3502", {"invinfo": change("101", 1, batch="PB") | {"drugtracinfo": [{"drug_trac_codg": code}]}})
    sell(shop, code, batch="PB", psn_name="李四", certno="370303198001010038")
    came = send(shop, "3512", {"data": asked(shop, batch="PB")}).output
    assert (came["drugTracCodg"], came["fixmedinsBchno"]) == (code, "PB")
    went = send(shop, "3513", {"data": asked(shop, batch="PB", drug_trac_codg=code)}).output
    assert (went["drugTracCodg"], went["mdtrtSetlType"]) == (code, "2")
    assert "19800101" not in went["certno"]
    by_buyer = {"fixmedins_code": shop.counter.fixmedins_code, "certno": "370303198001010038"}
    assert send(shop, "3513", {"data": by_buyer}).output["drugTracCodg"] == code
    assert send(shop, "3513", {"data": asked(shop, batch="PB", drug_trac_codg="0")}).output == []
