"""What the law says about filings: reviews, validity, limits and periods for changes."""

from __future__ import annotations

from datetime import date

import pytest

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from yibao.policy.law.parameters import Row
from yibao.policy.reckoning.filings import change_day, days_after, filing_row, months_after, review_on

DAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 5, 15), 24, date(2028, 5, 15)),
    ],
)
def test_months_after(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later


@pytest.mark.parametrize(
    ("city", "disease", "day"),
    [
        (ZIBO, "M00503", date(2028, 3, 1)),  # ZB-X15: 24 months
        (ZIBO, "M02103", date(2031, 3, 1)),  # 60 months
        (ZIBO, "M03900", None),
        (HUIZHOU, "M00500", date(2027, 3, 1)),  # HZ-X14: 12 months
    ],
)
def test_review(city: str, disease: str, day: date | None) -> None:
    assert review_on(city_policy(city), DAY, insutype="310", disease=disease) == day


@pytest.mark.parametrize(
    ("today", "day"),
    [
        (date(2026, 9, 1), date(2027, 1, 1)),
        (date(2026, 12, 31), date(2027, 1, 1)),
        (date(2026, 8, 31), None),
        (date(2026, 1, 1), None),
    ],
)
def test_change_of_a_choice_in_huizhou(today: date, day: date | None) -> None:
    """HZ-309: changed from September to December, in force from the next 1 January on."""
    found = change_day(city_policy(HUIZHOU), today, insutype="310")
    if day is None:
        assert isinstance(found, Row)
        assert found.used.rule == "HZ-309"
    else:
        assert found == day


@pytest.mark.parametrize(
    ("insutype", "level", "traits", "most", "rule"),
    [
        ("310", "3", (), 1, "HZ-308"),
        ("310", "2", ("primary_care",), 2, "HZ-308"),
        ("390", "3", (), 0, "HZ-315"),
        ("390", "3", ("children",), 1, "HZ-315"),
        ("390", "1", ("primary_care",), 2, "HZ-308"),
    ],
)
def test_how_many_may_be_chosen(insutype: str, level: str, traits: tuple[str, ...], most: int, rule: str) -> None:
    row = filing_row(city_policy(HUIZHOU), "choice_limit", DAY, insutype=insutype, level=level, traits=traits)
    assert row is not None
    assert (row.number, row.used.rule) == (most, rule)


def test_a_region_without_choices_and_a_day_without_law() -> None:
    assert filing_row(city_policy(ZIBO), "choice_limit", DAY, insutype="310") is None
    assert filing_row(city_policy(HUIZHOU), "choice_limit", date(2019, 1, 1), insutype="310") is None


def test_a_referral_without_a_last_day_holds_as_long_as_the_law_says() -> None:
    row = filing_row(city_policy(ZIBO), "referral_valid", DAY, insutype="310")
    assert days_after(DAY, row) == date(2026, 3, 31)
    assert days_after(DAY, None) is None
