"""3501A-3507A: many records in one message; what is wrong with one does not lose the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.storeroom import change, count, purchase, sale, send, stock_of
from tests.support.till import Till


@pytest.fixture
def shop(till_for: Callable[..., Till]) -> Till:
    return till_for(kind="2")


@pytest.mark.drives("3501A", "3502A", "3503A", "3504A", "3505A", "3506A", "3507A")
def test_a_days_work_in_batches(shop: Till) -> None:
    invoice = {"fixmedins_bchno": "1", "file_data": "aGVsbG8=", "file_name": "a.png"}
    bought = send(shop, "3503A", {"purcinfoDetail": [
        purchase(100, own="A1", batch="AB", days_ago=3, purc_invo_file_List=[invoice]),
        purchase(50, own="A2", batch="AB", days_ago=3, purc_invo_file_List=[invoice]),
    ]}).output["purcinfoDetail"]
    assert [row["retRslt"] for row in bought] == ["1", "1"]
    assert len({row["medins_prod_purc_no"] for row in bought}) == 2

    sold = send(shop, "3505A", {"selinfoDetail": [
        line("A1", 10, days_ago=2), line("A2", 0, days_ago=2), line("A2", 5, days_ago=2),
    ]}).output["selinfoDetail"]
    assert [row["retRslt"] for row in sold] == ["1", "0", "1"]
    assert "数量须大于0" in sold[1]["msgRslt"]
    assert "medins_prod_sel_no" not in sold[1]
    assert (stock_of(shop, own="A1", batch="AB"), stock_of(shop, own="A2", batch="AB")) == (90, 45)

    number = sold[0]["medins_prod_sel_no"]
    back = send(shop, "3506A", {"selinfoDetail": [
        line("A1", 8, days_ago=1, medins_prod_sel_no=number), line("A1", 3, days_ago=1, medins_prod_sel_no=number),
    ]}).output["selinfoErrDetail"]
    assert [row["retRslt"] for row in back] == ["0"]  # 8 + 3 of 10
    assert "已退8" in back[0]["msgRslt"]
    assert stock_of(shop, own="A1", batch="AB") == 98

    sent_back = send(shop, "3504A", {"purcinfoDetail": [
        purchase(10, own="A1", batch="AB", days_ago=1, medins_prod_purc_no=bought[0]["medins_prod_purc_no"]),
        purchase(1, own="A1", batch="AB", days_ago=1, medins_prod_purc_no=bought[1]["medins_prod_purc_no"]),
    ]}).output["purcinfoErrDetail"]
    assert ["A2" in row["msgRslt"] for row in sent_back] == [True]

    assert send(shop, "3502A", {"invinfoDetail": [change("105", 1, own="A1", batch="AB")]}).output == {"invinfoErrDetail": []}
    assert stock_of(shop, own="A1", batch="AB") == 87
    assert send(shop, "3501A", {"invinfoDetail": [
        count(80, own="A1", batch="AB"), count(40, own="A2", batch="AB") | {"drugtracinfo": [{"drug_trac_code": "T1"}]},
    ]}).ok
    assert (stock_of(shop, own="A1", batch="AB"), stock_of(shop, own="A2", batch="AB")) == (80, 40)

    gone = send(shop, "3507A", {"goodDetail": [
        {"fixmedins_bchno": "AB", "inv_data_type": "1"}, {"fixmedins_bchno": "nowhere", "inv_data_type": "1"},
    ]}).output["goodErrDetail"]
    assert [(row["fixmedins_bchno"], row["retRslt"]) for row in gone] == [("nowhere", "0")]
    assert (stock_of(shop, own="A1", batch="AB"), stock_of(shop, own="A2", batch="AB")) == (87, 45)


def line(own: str, quantity: float, *, batch: str = "AB", **more: Any) -> dict[str, Any]:
    return sale(quantity, fixmedins_hilist_id=own, fixmedins_bchno=batch, drug_prod_barc="690000000000", **more)


def test_within_one_message_records_count_one_after_the_other(shop: Till) -> None:
    reply = send(shop, "3505A", {"selinfoDetail": [
        line("C1", 1, batch="CB", codes=("83000000000000000001",)), line("C1", 1, batch="CB", codes=("83000000000000000001",)),
    ]})
    assert "请核对追溯码" in reply.output["selinfoDetail"][1]["msgRslt"]
    assert reply.output["selinfoDetail"][0]["msgRslt"].count("追溯码") == 0
    assert "第2条" in reply.warning


def test_counts_in_a_batch_are_all_taken_or_none(shop: Till) -> None:
    reply = send(shop, "3501A", {"invinfoDetail": [count(5, own="G1", batch="GB"), count(-5, own="G2", batch="GB")]})
    assert not reply.ok
    assert "invinfoDetail[1].inv_cnt" in reply.reason
    assert stock_of(shop, own="G1", batch="GB") is None


def test_a_batch_without_one_good_record_is_refused_with_every_reason(shop: Till) -> None:
    reply = send(shop, "3502A", {"invinfoDetail": [change("000", 1, own="H1"), change("101", 0, own="H1")]})
    assert not reply.ok
    assert "invinfoDetail[0].inv_chg_type" in reply.reason
    assert "invinfoDetail[1].cnt" in reply.reason


def test_too_many_and_none_are_refused(shop: Till) -> None:
    many = send(shop, "3502A", {"invinfoDetail": [change("101", 1)] * 501})
    assert "500" in many.reason
    assert not many.ok
    assert not send(shop, "3502A", {"invinfoDetail": []}).ok
    assert not send(shop, "3507A", {"goodDetail": []}).ok


def test_a_batch_of_five_hundred_is_taken(shop: Till) -> None:
    rows = [line("M1", 1, batch="MB", codes=(f"84{n:018d}",)) for n in range(500)]
    reply = send(shop, "3505A", {"selinfoDetail": rows})
    assert reply.ok, reply.reason
    assert {row["retRslt"] for row in reply.output["selinfoDetail"]} == {"1"}
    assert stock_of(shop, own="M1", batch="MB") == -500


@pytest.mark.parametrize(("changes", "reason"), [
    ({"inv_cnt": 10**20}, "过大"), ({"inv_cnt": 1e13}, "过大"), ({"pric": 10**15}, "过大"),
    ({"fixmedins_hilist_id": "长" * 3000}, "长度3000超过上限"), ({"fixmedins_bchno": "B" * 31}, "长度31超过上限30"),
    ({"med_list_codg": "X" * 51}, "超过上限50"), ({"invdate": "0001-01-01"}, "发生日期过早"),
    ({"drugtracinfo": [{"drug_trac_code": "9" * 101}]}, "追溯码超过100"),
])
def test_what_no_storeroom_holds_is_refused_where_the_table_states_no_limit(
    shop: Till, changes: dict[str, Any], reason: str
) -> None:
    reply = send(shop, "3501A", {"invinfoDetail": [count(1, own="J1", batch="JB") | changes]})
    assert not reply.ok
    assert reason in reply.reason
