"""Fen, ratios and rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.kernel.money import (
    div_half_up,
    fen_to_yuan,
    line_amount,
    round_half_up,
    share,
    to_scaled,
    yuan_text,
    yuan_to_fen,
)

AMOUNTS = st.integers(-(10**14), 10**14)


@pytest.mark.parametrize(("numerator", "denominator", "expected"), [
    (5, 10, 1), (4, 10, 0), (15, 10, 2), (25, 10, 3), (-5, 10, -1), (-4, 10, 0), (-15, 10, -2), (0, 7, 0),
    (10, 3, 3), (11, 3, 4),
])
def test_halves_go_away_from_zero(numerator: int, denominator: int, expected: int) -> None:
    assert div_half_up(numerator, denominator) == expected


@given(AMOUNTS, st.integers(1, 10**8))
def test_division_agrees_with_decimal_rounding(numerator: int, denominator: int) -> None:
    exact = (Decimal(numerator) / Decimal(denominator)).quantize(Decimal(1), ROUND_HALF_UP)
    # A Decimal quotient is itself rounded to 28 digits, so compare where it is certainly exact enough.
    assert abs(div_half_up(numerator, denominator) - int(exact)) == 0


@given(AMOUNTS)
def test_a_refund_rounds_like_its_settlement(amount: int) -> None:
    assert share(-amount, 6543) == -share(amount, 6543)


def test_the_printed_example_of_first_pay() -> None:
    # 4.52 yuan at 5 % is 0.226, which real platforms show as 0.23.
    assert share(452, 500) == 23


@pytest.mark.parametrize(("price", "quantity", "fen"), [
    ("37.32", "3", 11196),
    ("0.0417", "42", 175),        # 1.7514
    ("0.6381", "84", 5360),       # 53.6004
    ("0.005", "1", 1),            # half a fen goes up
    ("0.004999", "1", 0),
    ("12.5", "-2", -2500),
    ("999999.999999", "9999.9999", 999_999_989_999),  # 9999999899.9900...
])
def test_a_line_is_price_times_quantity_half_up(price: str, quantity: str, fen: int) -> None:
    assert line_amount(to_scaled(Decimal(price), 6), to_scaled(Decimal(quantity), 4)) == fen


@given(AMOUNTS)
def test_fen_and_yuan_are_the_same_amount(fen: int) -> None:
    assert yuan_to_fen(fen_to_yuan(fen)) == fen
    assert yuan_to_fen(Decimal(yuan_text(fen))) == fen


@pytest.mark.parametrize(("fen", "text"), [(0, "0.00"), (-5, "-0.05"), (123456, "1234.56"), (7, "0.07"), (-100, "-1.00")])
def test_amounts_as_text(fen: int, text: str) -> None:
    assert yuan_text(fen) == text


@pytest.mark.parametrize("text", ["0.001", "1.005", "NaN", "Infinity", "-Infinity"])
def test_fractions_of_a_fen_are_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimals|finite"):
        yuan_to_fen(Decimal(text))


def test_trailing_zeros_are_no_fraction() -> None:
    assert yuan_to_fen(Decimal("1.5000")) == 150


@pytest.mark.parametrize(("text", "digits", "expected"), [("0.00005", 4, 1), ("0.00004", 4, 0), ("-0.00005", 4, -1)])
def test_rounding_to_a_scale(text: str, digits: int, expected: int) -> None:
    assert round_half_up(Decimal(text), digits) == expected
