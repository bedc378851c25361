"""Values of policy files are read exactly, and shown the way they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.policy.parameters import KINDS
from yibao.policy.reading import read_bands, read_value
from yibao.policy.rounding import ROUNDINGS
from yibao.policy.values import Band, ratio_text, read_amount, read_points, read_ratio


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
    ],
)
def test_rounding_modes(mode: str, exact: tuple[int, int], fen: int) -> None:
    assert ROUNDINGS[mode][1](*exact) == fen
