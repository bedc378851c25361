"""Waiting on invented law: months by missed and repaid years, newborns, gaps, first day of benefits; by hand."""

from __future__ import annotations

from datetime import date
from typing import get_args

import msgspec
import pytest

from tests.unit.policy.small_policy import HEAD, REGION, block, small_policy
from yibao.kernel.refusal import Refusal
from yibao.policy.reckoning.cases import AllowanceCase, CreditCase, DuesCase, Question, Reckoned, WaitingCase
from yibao.policy.reckoning.reckon import reckon
from yibao.policy.reckoning.waiting import benefit_from, gap_allowed, newborn_until

BASIC = block("wait_fixed", '{ rule = "W-1", value = "3个月" }') + block(
    "wait_per_missed_year", '{ rule = "W-2", value = "1个月" }'
)
REPAIR = block("wait_repair_per_year", '{ rule = "W-3", value = "1个月" }') + block(
    "wait_least", '{ rule = "W-4", value = "6个月", when = { missed_years = { from = 4 } } }'
)
NEWBORN = block("newborn_window", '{ rule = "W-5", value = "90天" }')
GAP = block("gap_allowed", '{ rule = "W-6", value = "3个月" }')
DAY = date(2025, 3, 10)


def case(**facts: object) -> WaitingCase:
    known = {"admdvs": REGION, "on": DAY, "insutype": "390"}
    return WaitingCase(**{**known, **facts})  # type: ignore[arg-type]


def months(text: str, **facts: object) -> int:
    answer = reckon(case(**facts), small_policy(HEAD + text))
    assert isinstance(answer, Reckoned), answer.sentence()
    return answer.amount("wait_months")


def starts(text: str, **facts: object) -> date:
    policy = small_policy(HEAD + text)
    day = benefit_from(case(**facts), policy)
    assert isinstance(day, date), day
    answer = reckon(case(**facts), policy)
    assert isinstance(answer, Reckoned)
    assert answer.dates == (("benefit_from", day),)
    return day


def test_px_ac084_three_fixed_and_one_for_each_missed_year() -> None:
    assert months(BASIC, years_missed=3) == 6


@pytest.mark.parametrize(
    ("missed", "repaid", "waited"),
    [
        (0, 0, 3),
        (1, 0, 4),
        (3, 0, 6),
        (3, 2, 4),  # 3 + 3 − 2
        (3, 3, 3),  # the fixed part stays
        (2, 5, 3),  # and cannot be repaired away
        (4, 0, 7),  # 3 + 4, above the least
        (4, 1, 6),
        (4, 4, 6),  # 3, but at least 6 from four missed years on
        (10, 9, 6),  # 3 + 10 − 9 = 4, at least 6
    ],
)
def test_missed_and_repaid_years(missed: int, repaid: int, waited: int) -> None:
    assert months(BASIC + REPAIR, years_missed=missed, paid_back_years=repaid) == waited


def test_paying_back_repairs_nothing_where_the_law_does_not_say_so() -> None:
    assert months(BASIC, years_missed=2, paid_back_years=2) == 5


def test_no_waiting_inside_the_window() -> None:
    assert months(BASIC + REPAIR, years_missed=5, in_window=True) == 0


@pytest.mark.parametrize(("gap", "waited"), [(0, 0), (3, 0), (4, 3), (None, 3)])
def test_gap_that_still_counts_as_continuous(gap: int | None, waited: int) -> None:
    assert months(BASIC + GAP, gap_months=gap) == waited
    assert gap_allowed(case(), small_policy(HEAD + GAP)) == 3


BORN = date(2025, 1, 1)


@pytest.mark.parametrize(
    ("enrolled", "first"),
    [
        (date(2025, 1, 1), BORN),
        (date(2025, 4, 1), BORN),  # 31 + 28 + 31 = 90 days after 1 January
        (date(2025, 4, 2), date(2025, 8, 1)),  # too late: three whole months, May to July
    ],
)
def test_newborn_from_birth_or_later(enrolled: date, first: date) -> None:
    assert starts(BASIC + NEWBORN, born_on=BORN, enrolled_on=enrolled) == first


def test_last_day_for_a_newborn() -> None:
    policy = small_policy(HEAD + NEWBORN)
    assert newborn_until(case(born_on=BORN), policy) == date(2025, 4, 1)
    nobody = newborn_until(case(), small_policy(HEAD + BASIC))
    assert isinstance(nobody, Refusal)


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        ({}, date(2025, 7, 1)),  # 10 March and three whole months: April, May, June
        ({"years_missed": 6}, date(2026, 1, 1)),  # nine months: April to December
        ({"on": date(2024, 12, 31)}, date(2025, 4, 1)),
        ({"in_window": True}, DAY),
        ({"in_window": True, "covered_from": date(2025, 1, 1)}, date(2025, 1, 1)),
        (
            {"on": date(2024, 9, 5), "covered_from": date(2025, 1, 1)},
            date(2025, 1, 1),
        ),  # not before the cover
        ({"enrolled_on": date(2025, 5, 31)}, date(2025, 9, 1)),
    ],
)
def test_first_day_of_benefits(facts: dict[str, object], first: date) -> None:
    assert starts(BASIC, **facts) == first


def test_law_of_the_day() -> None:
    """Before 2025 the region asked for two months only."""
    text = block("wait_fixed", '{ rule = "W-0", value = "2个月", to = 2024-12-31 }') + block(
        "wait_fixed", '{ rule = "W-1", value = "3个月", from = 2025-01-01 }'
    )
    assert months(text, on=date(2024, 12, 31)) == 2
    assert months(text, on=date(2025, 1, 1)) == 3


def test_refusals() -> None:
    silent = reckon(case(), small_policy(HEAD + NEWBORN))
    assert isinstance(silent, Refusal)
    assert (silent.code, silent.faults[0].field) == ("NO_RULE_FOR_CASE", "wait_fixed")
    assert "样例市" in silent.sentence()
    later = small_policy(
        HEAD + NEWBORN + block("wait_fixed", '{ rule = "W-1", value = "3个月", from = 2026-01-01 }')
    )
    not_yet = benefit_from(case(), later)
    assert isinstance(not_yet, Refusal)
    assert not_yet.code == "NO_LAW_FOR_DAY"


def test_steps() -> None:
    answer = reckon(case(years_missed=4, paid_back_years=3), small_policy(HEAD + BASIC + REPAIR))
    assert isinstance(answer, Reckoned)
    (step,) = answer.steps
    assert step.formula == "3 + 1 × 断缴 4 年 − 1 × 补缴 3 年 = 4 个月，不少于 6 个月，计 6 个月"
    assert [u.rule for u in step.used] == ["W-1", "W-2", "W-3", "W-4"]
    late = reckon(case(born_on=BORN, enrolled_on=date(2025, 4, 2)), small_policy(HEAD + BASIC + NEWBORN))
    assert isinstance(late, Reckoned)
    assert [(s.code, s.amount) for s in late.steps] == [("newborn", 91), ("wait", 3)]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (DuesCase(admdvs=REGION, on=DAY, insutype="310", wage=1, payers=("unit",)), "dues"),
        (CreditCase(admdvs=REGION, on=DAY, insutype="310", base=1), "credit"),
        (AllowanceCase(admdvs=REGION, on=DAY, insutype="310", wage=1, inputs={"income": 2}), "allowance"),
        (WaitingCase(admdvs=REGION, on=DAY, insutype="390", born_on=BORN), "waiting"),
    ],
)
def test_a_question_survives_json_and_says_its_kind(question: Question, kind: str) -> None:
    stored = msgspec.json.encode(question)
    assert msgspec.json.decode(stored)["kind"] == kind
    assert msgspec.json.decode(stored, type=Question) == question
    assert type(question) in get_args(Question)
