"""Citizen identity numbers."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.kernel.identity_number import check_digit, is_valid, make, mask, mask_name


def test_the_standards_own_examples() -> None:
    # GB 11643-1999, annex: two worked numbers, one with X.
    assert check_digit("11010519491231002") == "X"
    assert check_digit("44052418800101001") == "4"
    assert is_valid("11010519491231002X")
    assert is_valid("440524188001010014")


def test_a_small_x_is_the_same_letter() -> None:
    assert is_valid("11010519491231002x")


@pytest.mark.parametrize("number", [
    "", "11010519491231002", "11010519491231002X0", "110105194912310021", "11010519490231002X", "1101051949123100２X",
    "11010519491331002X", "A1010519491231002X",
])
def test_what_is_no_identity_number(number: str) -> None:
    assert not is_valid(number)


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.integers(0, 999))
def test_made_numbers_are_valid_and_one_wrong_digit_is_found(birth_on: date, serial: int) -> None:
    number = make("370391", birth_on, serial)
    assert is_valid(number)
    assert number[6:14] == f"{birth_on:%Y%m%d}"
    for place in (0, 5, 14, 16):
        wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1:]
        assert not is_valid(wrong)


@pytest.mark.parametrize(("number", "masked"), [
    ("11010519491231002X", "1101**********002X"), ("123456789", "1234*6789"), ("12345678", "1*******"), ("1", "1"), ("", ""),
])
def test_masked_numbers(number: str, masked: str) -> None:
    assert mask(number) == masked


@pytest.mark.parametrize(
    ("name", "masked"), [("张三", "张*"), ("王建国", "王*国"), ("欧阳建国", "欧**国"), ("张", "张"), ("", "")]
)
def test_masked_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked
