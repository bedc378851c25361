"""3501-3513: goods come in, are counted, sold, returned and deleted; the stock follows, and the books can be read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.storeroom import asked, change, count, purchase, sale, send, stock_of
from tests.support.till import Till


@pytest.fixture
def shop(till_for: Callable[..., Till]) -> Till:
    return till_for(kind="2")


def taken(till: Till, infno: str, content: dict[str, Any]) -> str:
    """Send a record that must be taken; return the warning that came with it."""
    reply = send(till, infno, content)
    assert reply.ok, reply.reason
    return reply.warning


@pytest.mark.drives("3501", "3502", "3503", "3504", "3505", "3506", "3507", "3508")
def test_goods_go_through_the_shop_in_their_natural_order(shop: Till) -> None:
    on = {"own": "N1", "batch": "NB"}
    assert stock_of(shop, **on) is None
    steps = [  # what is sent, and what is there afterwards: 100 in, 30 out, 5 back, 10 to the supplier, 2 broken
        ("3503", {"purcinfo": purchase(100, days_ago=5, **on)}, 100),
        ("3505", {"selinfo": sale(30, days_ago=4, fixmedins_hilist_id="N1", fixmedins_bchno="NB")}, 70),
        ("3506", {"selinfo": sale(5, days_ago=3, fixmedins_hilist_id="N1", fixmedins_bchno="NB")}, 75),
        ("3504", {"purcinfo": purchase(10, days_ago=2, **on)}, 65),
        ("3502", {"invinfo": change("104", 2, days_ago=1, **on)}, 63),
        ("3502", {"invinfo": change("101", 7.5, days_ago=1, **on)}, 70.5),
        ("3501", {"invinfo": count(71, **on)}, 71),
        ("3505", {"selinfo": sale(1, fixmedins_hilist_id="N1", fixmedins_bchno="NB")}, 70),
    ]
    for infno, content, expected in steps:
        taken(shop, infno, content)
        assert stock_of(shop, **on) == expected, (infno, content)
    # Without the count: 100 - 30 + 5 - 10 - 2 + 7.5 - 1.
    taken(shop, "3507", {"data": {"fixmedins_bchno": "NB", "inv_data_type": "1"}})
    assert stock_of(shop, **on) == 69.5
    # Sales and their returns go together: 100 - 10 - 2 + 7.5.
    taken(shop, "3507", {"data": {"fixmedins_bchno": "NB", "inv_data_type": "4"}})
    assert stock_of(shop, **on) == 95.5


@pytest.mark.drives("3509", "3510", "3511")
def test_what_was_sent_is_read_back_by_kind(shop: Till) -> None:
    on = {"own": "R1", "batch": "RB"}
    taken(shop, "3503", {"purcinfo": purchase(20, dynt_no="D7", **on)})
    taken(shop, "3502", {"invinfo": change("103", 1, memo="清点", **on)})
    sold = sale(2, fixmedins_hilist_id="R1", fixmedins_bchno="RB", psn_name="张三丰", certno="370303198001010011")
    taken(shop, "3505", {"selinfo": sold})
    taken(shop, "3506", {"selinfo": sale(1, fixmedins_hilist_id="R1", fixmedins_bchno="RB")})

    bought = send(shop, "3510", {"data": asked(shop, **on)}).output
    assert (bought["purcRetnCnt"], bought["finlTrnsPric"], bought["dyntNo"], bought["splerName"], bought["prodRetnFlag"]) == (
        20, 1.25, "D7", "某医药公司", "0",
    )
    changed = send(shop, "3509", {"data": asked(shop, **on)}).output
    assert (changed["invChgType"], changed["cnt"], changed["pric"], changed["memo"]) == ("103", 1, 1.5, "清点")
    sales = send(shop, "3511", {"data": asked(shop, **on)}).output
    assert [row["selRetnCnt"] for row in sales] == [2, -1]
    assert sales[0]["bilgDrName"] == "李医师"
    shown = sales[0]["certno"] + sales[0]["psnName"]
    assert "19800101" not in shown
    assert "三丰" not in shown
    by_buyer = send(shop, "3511", {"data": asked(shop, certno="370303198001010011", **on)}).output
    assert by_buyer["selRetnCnt"] == 2
    assert send(shop, "3511", {"data": asked(shop, certno="370303198001010012", **on)}).output == []
    # Deleted records are shown to whoever asks for them.
    taken(shop, "3507", {"data": {"fixmedins_bchno": "RB", "inv_data_type": "2"}})
    assert send(shop, "3509", {"data": asked(shop, **on)}).output == []
    assert send(shop, "3509", {"data": asked(shop, vali_flag="0", **on)}).output["invChgType"] == "103"


def test_nobody_sees_the_stock_of_others(shop: Till, till_for: Callable[..., Till]) -> None:
    taken(shop, "3503", {"purcinfo": purchase(5, own="O1", batch="OB")})
    hospital = till_for()
    assert stock_of(hospital, own="O1", batch="OB") is None
    stolen = asked(hospital, own="O1", batch="OB", fixmedins_code=shop.counter.fixmedins_code)
    for infno in ("3508", "3509", "3510", "3511", "3512", "3513"):
        refused = send(hospital, infno, {"data": stolen})
        assert not refused.ok
        assert "只能查询本机构" in refused.reason


def test_a_stock_below_zero_is_said_and_kept(shop: Till) -> None:
    on = {"own": "Z1", "batch": "ZB"}
    taken(shop, "3503", {"purcinfo": purchase(3, **on)})
    warning = taken(shop, "3505", {"selinfo": sale(5, fixmedins_hilist_id="Z1", fixmedins_bchno="ZB")})
    assert "结存-2" in warning
    assert stock_of(shop, **on) == -2


def test_what_happened_before_the_last_count_changes_no_stock(shop: Till) -> None:
    on = {"own": "L1", "batch": "LB"}
    taken(shop, "3501", {"invinfo": count(10, days_ago=1, **on)})
    assert "盘存之前" in taken(shop, "3503", {"purcinfo": purchase(50, days_ago=3, **on)})
    assert stock_of(shop, **on) == 10
    assert "盘存之前" in taken(shop, "3501", {"invinfo": count(99, days_ago=2, **on)})
    assert stock_of(shop, **on) == 10


def test_what_is_doubtful_of_a_sale_is_told_and_the_sale_is_kept(shop: Till) -> None:
    on = {"fixmedins_hilist_id": "D1", "fixmedins_bchno": "DB"}
    taken(shop, "3503", {"purcinfo": purchase(10, own="D1", batch="DB")})
    assert "不是本机构的结算" in taken(shop, "3505", {"selinfo": sale(1, setl_id="999", **on)})
    assert "已过有效期" in taken(shop, "3505", {"selinfo": sale(1, expy_end="2026-02-01", **on)})
    assert "不在国家目录内" in taken(shop, "3505", {"selinfo": sale(1, med_list_codg="XA99ZZZ999Z999999999999", **on)})
    assert "3503" in taken(shop, "3502", {"invinfo": change("108", 1, own="D1", batch="DB")})
    poor = {"med_list_codg": "", "fixmedins_hilist_id": "D1", "fixmedins_hilist_name": "散", "fixmedins_bchno": "DB",
            "rx_flag": "", "trdn_flag": "", "rtal_docno": "", "sel_retn_cnt": "1",
            "sel_retn_time": str(sale(1)["sel_retn_time"])[:10], "sel_retn_opter_name": ""}
    assert "未填写" in taken(shop, "3505", {"selinfo": poor})
    assert stock_of(shop, own="D1", batch="DB") == 10 - 4 + 1


def test_a_supplier_return_may_come_in_the_node_of_a_sale(shop: Till) -> None:
    on = {"own": "Q1", "batch": "QB"}
    taken(shop, "3503", {"purcinfo": purchase(4, **on)})
    taken(shop, "3504", {"selinfo": purchase(1, **on)})
    assert stock_of(shop, **on) == 3


def test_the_same_message_again_moves_nothing(shop: Till) -> None:
    content = {"purcinfo": purchase(4, own="E1", batch="EB")}
    message = shop.envelope("3503", content)
    assert shop.ask(message) == shop.ask(message)
    assert stock_of(shop, own="E1", batch="EB") == 4


@pytest.mark.parametrize(("infno", "content", "reason"), [
    ("3505", {"selinfo": sale(0, fixmedins_bchno="F1")}, "数量须大于0"),
    ("3505", {"selinfo": sale(-1, fixmedins_bchno="F1")}, "数量须大于0"),
    ("3501", {"invinfo": count(-1, batch="F1")}, "数量须大于0"),
    ("3502", {"invinfo": change("999", 1, batch="F1")}, "库存变更类型不在字典内"),
    ("3503", {"purcinfo": purchase(1, days_ago=-3, batch="F1")}, "晚于今天"),
    ("3503", {"purcinfo": purchase(1, batch="F1") | {"expy_end": "2025-01-01"}}, "有效期止早于生产日期"),
    ("3506", {"selinfo": sale(1, fixmedins_bchno="F1")}, "没有这个批次的销售记录"),
    ("3504", {"purcinfo": purchase(1, batch="F1")}, "没有这个批次的采购记录"),
    ("3507", {"data": {"fixmedins_bchno": "F1", "inv_data_type": "4"}}, "没有这个批次的这类记录"),
    ("3507", {"data": {"fixmedins_bchno": "F1", "inv_data_type": "9"}}, "数据类型不在字典内"),
])
def test_what_cannot_be_is_refused_and_leaves_nothing(
    shop: Till, infno: str, content: dict[str, Any], reason: str
) -> None:
    reply = send(shop, infno, content)
    assert not reply.ok
    assert reason in reply.reason
    assert stock_of(shop, batch="F1") is None


@pytest.mark.drives("3505", "3513")
def test_a_sale_is_tied_to_its_settlement_and_found_by_its_visit(
    till_for: Callable[..., Till], world: dict[str, Any], patient_of: Callable[[str], dict[str, Any]]
) -> None:
    till = till_for()
    story = next(p for p in world["patients"] if p["insuplc_admdvs"].startswith("3703") and p.get("visit"))
    settled = till.settle(story, story["visit"])["setlinfo"]
    sold = sale(1, fixmedins_hilist_id="V1", fixmedins_bchno="VV", codes=("86000000000000000001",))
    named = sold | {"setl_id": settled["setl_id"], "psn_no": story["psn_no"]}
    assert "结算ID" not in taken(till, "3505", {"selinfo": named})
    by_visit = {"fixmedins_code": till.counter.fixmedins_code, "mdtrt_id": settled["mdtrt_id"]}
    found = send(till, "3513", {"data": by_visit}).output
    assert (found["drugTracCodg"], found["mdtrtSetlType"], found["psnNo"]) == ("86000000000000000001", "1", story["psn_no"])
    # Nobody ties a sale to the settlement of another institution.
    other = till_for(kind="2")
    warning = taken(other, "3505", {"selinfo": sold | {"setl_id": settled["setl_id"]}})
    assert "不是本机构的结算" in warning
    # After the settlement was reversed a further sale under it is said.
    till.call("2208", {"data": {"psn_no": story["psn_no"], "mdtrt_id": settled["mdtrt_id"], "setl_id": settled["setl_id"]}})
    assert "已撤销" in taken(till, "3505", {"selinfo": sold | {"setl_id": settled["setl_id"]}})


def test_a_client_that_leaves_out_half_of_a_sale_loses_none(shop: Till) -> None:
    on = {"fixmedins_hilist_id": "K1", "fixmedins_bchno": "KB"}
    left_out = ("prsc_dr_name", "phar_name", "phar_prac_cert_no", "mdtrt_sn", "manu_lotnum", "manu_date", "drugtracinfo")
    lean = {name: value for name, value in sale(3, **on).items() if name not in left_out}
    warning = taken(shop, "3505", {"selinfo": lean})
    assert "未上传追溯码" in warning
    assert "manu_lotnum" in warning
    returned = {name: value for name, value in sale(1, **on).items() if name not in ("manu_lotnum", "manu_date", "drugtracinfo")}
    taken(shop, "3506", {"selinfo": returned})
    assert stock_of(shop, own="K1", batch="KB") == -2
