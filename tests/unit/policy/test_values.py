"""Values of policy files are read exactly, and shown the way they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.policy.law.parameters import KINDS
from yibao.policy.law.reading import read_bands, read_value
from yibao.policy.law.rounding import ROUNDINGS
from yibao.policy.law.values import Band, Share, Slope, ratio_text, read_amount, read_points, read_ratio


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("500元", 50_000),
        ("33.5元", 3_350),
        ("0.01元", 1),
        ("500", None),
        ("500.001元", None),
        ("-5元", None),
        ("5 元", None),
    ],
)
def test_amounts(text: str, fen: int | None) -> None:
    assert read_amount(text) == fen


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("75%", 7_500),
        ("62.5%", 6_250),
        ("0%", 0),
        ("100%", 10_000),
        ("100.01%", None),
        ("0.75", None),
        ("7.555%", None),
    ],
)
def test_ratios(text: str, ratio: int | None) -> None:
    assert read_ratio(text) == ratio


@pytest.mark.parametrize(
    ("text", "points"), [("5个百分点", 500), ("-20个百分点", -2_000), ("+2个百分点", 200), ("5%", None)]
)
def test_points(text: str, points: int | None) -> None:
    assert read_points(text) == points


@given(st.integers(0, 10_000))
def test_a_ratio_reads_back_as_it_is_shown(ratio: int) -> None:
    assert read_ratio(ratio_text(ratio)) == ratio


def test_bands_read_with_an_open_end() -> None:
    read = read_bands([{"to": "30000元", "ratio": "85%"}, {"ratio": "90%"}])
    assert not isinstance(read, str)
    assert read.bands == (Band(3_000_000, 8_500), Band(None, 9_000))
    assert read.text == "30000.00 元以内 85%；以上 90%"


@pytest.mark.parametrize(
    "bands",
    [
        [],
        "85%",
        [{"to": "30000元"}],
        [{"ratio": "85%"}, {"ratio": "90%"}],
        [{"to": "200元", "ratio": "85%"}, {"to": "100元", "ratio": "90%"}],
        [{"to": "200元", "ratio": "85%", "from": "1元"}],
    ],
)
def test_bands_that_make_no_sense_are_refused(bands: object) -> None:
    assert isinstance(read_bands(bands), str)


def test_a_band_without_units_says_so() -> None:
    message = read_bands([{"to": "200元", "ratio": 0.85}])
    assert isinstance(message, str)
    assert "数字须带单位" in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deductible", 500),
        ("deductible", "500"),
        ("pool_ratio", "0.75"),
        ("pool_bonus", "5%"),
        ("rounding", "bankers"),
        ("order", ["cash", "pool"]),
        ("order", "pool"),
        ("account.shared_inside_acct_pay", "yes"),
        ("benefit", ""),
        ("order", ["pool", "pool", "cash"]),
        ("order", ["pool", "own_account", "serious_illness", "cash"]),
        ("order", ["own_account", "cash"]),
        ("fund", "31010"),
        ("allowance_divisor", "0"),
        ("wait_fixed", "3天"),
        ("newborn_window", "3个月"),
        ("own_factor", "120%"),
        ("first_pay", {"ratio": "10%", "plus": "1%", "per": "age"}),
        ("rounding", {"share": "10%", "of": "amount"}),
    ],
)
def test_a_wrong_value_says_what_is_wanted(key: str, value: object) -> None:
    message = read_value(KINDS[key], value)
    assert isinstance(message, str)
    assert KINDS[key].name in message


def test_a_missing_deductible_or_ceiling_is_said_in_words() -> None:
    read = read_value(KINDS["pool_cap"], "不设")
    assert not isinstance(read, str)
    assert read.absent


@pytest.mark.parametrize(
    ("mode", "exact", "fen"),
    [
        ("half_up", (5, 10), 1),
        ("half_up", (49, 100), 0),
        ("down", (199, 100), 1),
        ("up", (101, 100), 2),
        ("up", (100, 100), 1),
        ("half_up_yuan", (150, 1), 200),
        ("half_up_yuan", (149, 1), 100),
        ("down_yuan", (199, 1), 100),
        ("up_yuan", (101, 1), 200),
        ("up_yuan", (200, 1), 200),
        ("up_yuan", (20_001, 100), 300),
    ],
)
def test_rounding_modes(mode: str, exact: tuple[int, int], fen: int) -> None:
    assert ROUNDINGS[mode][1](*exact) == fen


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("pool_ratio", 0.85, '"85%"'),
        ("pool_ratio", "0.85", '"85%"'),
        ("pool_ratio", 85, '"85%"'),
        ("pool_ratio", "85", '"85%"'),
        ("pool_ratio", "0.925", '"92.5%"'),
        ("deductible_factor", "120", '"120%"'),
        ("deductible", 500, '"500元"'),
        ("deductible", "33.5", '"33.5元"'),
        ("pool_bonus", "-5", '"5个百分点"'),
        ("pool_bonus", "5%", '"5个百分点"'),
        ("wait_fixed", 3, '"3个月"'),
        ("allowance_days", "98", '"98天"'),
        ("pool_cap", "85%", '{ share = "85%", of = "in_scope" }'),
        ("pool_cap", "12万元", "换算成元"),
        ("pool_ratio", "85元", "单位是 %"),
        ("pool_ratio", "5个百分点", "pool_bonus"),
        ("pool_ratio", "120%", "100%"),
    ],
)
def test_a_number_without_its_unit_says_what_was_probably_meant(key: str, value: object, meant: str) -> None:
    message = read_value(KINDS[key], value)
    assert isinstance(message, str)
    assert meant in message


@pytest.mark.parametrize(
    ("key", "value", "number", "unit", "text"),
    [
        ("wait_fixed", "3个月", 3, "个月", "3 个月"),
        ("allowance_days", "98天", 98, "天", "98 天"),
        ("years_needed", "25年", 25, "年", "25 年"),
        ("claim_within", "12个月", 12, "个月", "12 个月"),
    ],
)
def test_counts(key: str, value: str, number: int, unit: str, text: str) -> None:
    read = read_value(KINDS[key], value)
    assert not isinstance(read, str)
    assert (read.number, read.word, read.text) == (number, unit, text)


NAMES = {"index.wage": "平均工资", "layer.serious_illness": "大病保险"}


@pytest.mark.parametrize(
    ("key", "value", "formula", "text"),
    [
        (
            "deductible",
            {"share": "20%", "of": "amount", "at_least": "2000元", "at_most": "10000元"},
            Share(2_000, "amount", 200_000, 1_000_000),
            "医疗总费用的 20%，最低 2000.00 元，最高 10000.00 元",
        ),
        (
            "pool_cap",
            {"share": "2%", "of": "index.wage", "rounding": "half_up_yuan", "years_back": 2},
            Share(200, "index.wage", rounding="half_up_yuan", years_back=2),
            "2 年前的平均工资的 2%，四舍五入到元",
        ),
        (
            "dues_ceiling",
            {"share": "300%", "of": "index.wage", "rounding": "up_yuan"},
            Share(30_000, "index.wage", rounding="up_yuan"),
            "平均工资的 300%，进位到元",
        ),
        ("item_limit", {"share": "50%", "of": "input.income"}, Share(5_000, "input.income"), "收入的 50%"),
        (
            "pool_ratio",
            {"ratio": "75%", "plus": "0.2%", "per": "age"},
            Slope(7_500, 20, "age"),
            "75%，年龄每满 1 岁加 0.2%",
        ),
        (
            "own_factor",
            {"ratio": "100%", "plus": "-1%", "per": "paid_months", "beyond": 6},
            Slope(10_000, -100, "paid_months", 6),
            "100%，连续缴费超过 6 个月后每满 1 个月减 1%",
        ),
        (
            "pool_cap",
            {"amount": "250000元", "plus": "3000元", "per": "continuous_years", "beyond": 4, "at_most": "300000元"},
            Slope(25_000_000, 300_000, "continuous_years", 4, 30_000_000),
            "250000.00 元，连续参保超过 4 年后每满 1 年加 3000.00 元，最高 300000.00 元",
        ),
    ],
)  # fmt: skip
def test_formulas(key: str, value: object, formula: Share | Slope, text: str) -> None:
    read = read_value(KINDS[key], value, NAMES)
    assert not isinstance(read, str)
    assert (read.formula, read.text, read.number, read.absent) == (formula, text, 0, False)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("deductible", {"share": 0.2, "of": "amount"}, "share"),
        ("deductible", {"share": "20%"}, "in_scope"),
        ("deductible", {"share": "20%", "of": "wage"}, "index."),
        ("deductible", {"share": "20%", "of": "amount", "at_least": "2000"}, "at_least"),
        ("deductible", {"share": "20%", "of": "amount", "at_least": "2元", "at_most": "1元"}, "高于"),
        ("deductible", {"share": "20%", "of": "amount", "rounding": "bankers"}, "rounding"),
        ("deductible", {"share": "20%", "of": "amount", "years_back": 2}, "years_back"),
        ("deductible", {"share": "20%", "of": "index.wage", "years_back": -1}, "years_back"),
        ("deductible", {"share": "20%", "of": "amount", "to": "1元"}, "to"),
        ("dues_floor", {"share": "60%", "of": "amount"}, "index."),
        ("index", {"share": "60%", "of": "input.wage"}, "index."),
        ("index", {"amount": "60元", "plus": "1元", "per": "age"}, "指数"),
        ("pool_ratio", {"share": "20%", "of": "amount"}, "per"),
        ("pool_ratio", {"ratio": "75%", "plus": "0.2%", "per": "height"}, "per"),
        ("pool_ratio", {"ratio": "75%", "plus": "2元", "per": "age"}, "plus"),
        ("pool_ratio", {"ratio": "-75%", "plus": "2%", "per": "age"}, "ratio"),
        ("pool_ratio", {"ratio": "75%", "plus": "2%", "per": "age", "beyond": "4"}, "beyond"),
        ("pool_cap", {}, "share"),
        ("wait_fixed", {"amount": "3元"}, "公式"),
    ],
)
def test_a_wrong_formula_says_which_part(key: str, value: object, message: str) -> None:
    found = read_value(KINDS[key], value, NAMES)
    assert isinstance(found, str)
    assert KINDS[key].name in found
    assert message in found


def test_an_order_names_its_layers() -> None:
    read = read_value(
        KINDS["order"], ["own_account", "pool", "serious_illness", "own_account", "cash"], NAMES
    )
    assert not isinstance(read, str)
    assert read.word == "own_account pool serious_illness own_account cash"
    assert read.text == "本人个人账户 → 统筹基金 → 大病保险 → 本人个人账户 → 现金"
