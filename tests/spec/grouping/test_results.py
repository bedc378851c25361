"""From the settlement list to the group and what it is worth: the month is grouped, the hospital looks at it."""

from __future__ import annotations

import csv
import os
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.spec.grouping.conftest import Denied, Desk, Office, this_month
from tests.support.lists import changed, on_database
from tests.support.till import Refused
from tests.twin.grouping_reader import PlainReader
from yibao.entrypoints.cli.main import app

PAYMENTS = Path("src/yibao/data/payments")
RATE = Decimal("12252.70")  # 370300.toml, employees
COEFFICIENT = {"3": Decimal("1.05"), "2": Decimal("0.95"), "1": Decimal("0.80")}


def weight_of(drg: str) -> Decimal:
    with (PAYMENTS / "weights_370300.csv").open(encoding="utf-8", newline="") as file:
        return next(Decimal(row["weight"]) for row in csv.DictReader(file) if row["drg"] == drg)


def level_of(desk: Desk, code: str) -> str:
    [row] = on_database(desk.url, "select level from institutions.institution where fixmedins_code = $1", code)
    return str(row["level"])


@pytest.mark.drives("3605", "3610", "3611")
def test_a_stay_is_grouped_from_its_list_and_the_hospital_sees_it(zibo: Office, desk: Desk) -> None:
    info, content = zibo.settle()
    other, _ = zibo.settle()
    zibo.accept(changed(changed(content, "diseinfo.0.diag_code", "K80.101"), "diseinfo.0.diag_name", "胆囊结石伴慢性胆囊炎"))
    days = desk.group("370300")
    assert [r["setl_id"] for r in days["results"]] == [info["setl_id"]]
    assert days["without_list"] == [other["setl_id"]]

    expected = PlainReader().answer({
        "gend": "1", "age": "40", "age_days": "", "birth_weight_g": "", "op_codes": "51.2200",
        "dx_codes": "K80.101|I10.x00x002",
    })
    [row] = zibo.months("3605")
    assert (row["mdc_codg"], row["adrg_code"], row["drg_code"]) == expected
    assert (row["setl_id"], row["grp_rslt"], row["setl_ym"]) == (info["setl_id"], "1", this_month())
    # What the visit cost is far below 40 % of the group's standard: paid by item, the standard is the cost.
    assert Decimal(str(row["place_grp_pay_std"])) == Decimal(str(info["medfee_sumamt"]))
    [result] = days["results"]
    standard = (weight_of(expected[2]) * RATE * COEFFICIENT[level_of(desk, zibo.code)]).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert Decimal(str(info["medfee_sumamt"])) < standard * Decimal("0.4")
    assert result["kind"] == "low"

    assert zibo.months("3605", setl_id=other["setl_id"]) == []
    [total] = zibo.months("3610")
    assert (total["grp_sum"], total["setl_psntime"], total["fixmedins_code"]) == (1, 1, zibo.code)
    assert Decimal(str(total["medfee_sumamt"])) == Decimal(str(info["medfee_sumamt"]))
    [group] = zibo.months("3611", fixmedins_code=zibo.code)
    assert (group["drg_code"], group["setl_psntime"]) == (expected[2], 1)
    assert zibo.months("3611", fixmedins_code=zibo.code, dise_code="AA19") == []


@pytest.mark.drives("3605")
def test_an_ungroupable_stay_says_why(zibo: Office, desk: Desk) -> None:
    info, content = zibo.settle()
    lone = changed(changed(content, "diseinfo.0.diag_code", "A00.000"), "diseinfo.0.diag_name", "霍乱")
    zibo.accept(changed(lone, "oprninfo", []))
    desk.group("370300")
    [row] = zibo.months("3605", setl_id=info["setl_id"])
    assert (row["grp_rslt"], row["drg_code"]) == ("0", "0000")
    assert "不在任何MDC的主诊表" in row["err_info"]


def test_a_reversed_settlement_is_no_longer_a_result(zibo: Office, desk: Desk) -> None:
    info, content = zibo.settle()
    zibo.accept(content)
    desk.group("370300")
    assert len(zibo.months("3605", setl_id=info["setl_id"])) == 1
    zibo.reverse(info["setl_id"])
    assert zibo.months("3605", setl_id=info["setl_id"]) == []


@pytest.mark.drives("3606", "3608", "3609")
def test_a_city_with_packets_answers_packets(huizhou: Office, desk: Desk) -> None:
    info, content = huizhou.settle()
    # K35.8 with 47.01 is a core packet of 62.00 points (packets_441300.csv.gz) and has a fixed amount of 8 600.00
    appendix = changed(changed(content, "diseinfo.0.diag_code", "K35.800x001"), "diseinfo.0.diag_name", "急性阑尾炎")
    appendix = changed(appendix, "oprninfo.0.oprn_oprt_code", "47.0100")
    huizhou.accept(changed(appendix, "oprninfo.0.oprn_oprt_name", "腹腔镜下阑尾切除术"))
    days = desk.group("441300")
    assert [(r["setl_id"], r["code"], r["kind"]) for r in days["results"]] == [(info["setl_id"], "K35.8:47.01", "by_disease")]
    [row] = huizhou.months("3606")
    assert (row["setl_id"], row["grp_stas"], row["dip_dise_grp_code"]) == (info["setl_id"], "1", "K35.8:47.01")
    assert (row["grp_diag_code"], row["oprn_grp_code"], row["dise_list_type_name"]) == ("K35.800x001", "47.0100", "核心病种")
    [total] = huizhou.months("3608")
    assert (total["grp_sum"], total["setl_psntime"]) == (1, 1)
    [packet] = huizhou.months("3609", fixmedins_code=huizhou.code)
    assert (packet["dip_dise_grp_code"], packet["oprn_grp_code"], packet["setl_psntime"]) == ("K35.8:47.01", "47.0100", 1)
    assert huizhou.months("3605") == []


def test_nobody_sees_anothers_results(zibo: Office, huizhou: Office) -> None:
    assert [r for r in huizhou.months("3605") if r["fixmedins_code"] != huizhou.code] == []
    with pytest.raises(Refused, match="只能查询本机构"):
        huizhou.months("3611", fixmedins_code=zibo.code)


@pytest.mark.parametrize(("more", "says"), [
    ({"setl_ym": "202613"}, "yyyyMM"), ({"setl_ym": "2026-1"}, "yyyyMM"), ({"page_num": 0}, "页码"),
    ({"page_size": 0}, "每页"), ({"page_size": 1001}, "每页"),
])
def test_a_bad_question_is_refused(zibo: Office, more: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        zibo.months("3605", **more)


@pytest.mark.parametrize(("words", "code"), [
    (("--region", "110000", "--month", "202601", "--operator", "甲"), "NOT_PAID_BY_GROUP"),
    (("--region", "370300", "--month", "202601", "--operator", " "), "OPERATOR_MISSING"),
])
def test_a_month_that_cannot_be_grouped_is_refused(desk: Desk, words: tuple[str, ...], code: str) -> None:
    with pytest.raises(Denied, match=code):
        desk.run("payment", "group", *words)


@pytest.mark.parametrize(("words", "says"), [
    (("group", "--month", this_month(), "--operator", "分组员"), "按组付费"),
    (("compute-year", "--year", this_month()[:4], "--operator", "计算员"), "职工住院"),
    (("show-year", "--year", this_month()[:4]), "预算"),
    (("exits",), "申请编号"),
])
def test_for_people_the_same_stands_in_a_table(desk: Desk, words: tuple[str, ...], says: str) -> None:
    result = CliRunner().invoke(
        app, ["payment", words[0], "--region", "370300", *words[1:]], env={**os.environ, "YIBAO_DATABASE_URL": desk.url}
    )
    assert result.exit_code == 0, result.output
    assert says in result.stdout


@pytest.mark.parametrize("words", [
    ("group", "--region", "370300", "--month", "2026-1", "--operator", "甲"),
    ("exits", "--region", "370300", "--state", "none"),
])
def test_a_wrong_word_on_the_command_line_is_a_usage_fault(desk: Desk, words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["payment", *words, "--json"], env={**os.environ, "YIBAO_DATABASE_URL": desk.url})
    assert result.exit_code == 2
