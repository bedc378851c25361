"""Maternity allowances on invented law: days by kind, divisor, lumps, months of payment; figures by hand."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.policy.small_policy import HEAD, REGION, block, small_policy
from yibao.kernel.refusal import Refusal
from yibao.policy.reckoning.cases import AllowanceCase, Reckoned
from yibao.policy.reckoning.reckon import reckon

BY_30 = block("allowance_divisor", '{ rule = "A-1", value = "30" }')
DAYS = block(
    "allowance_days",
    """{ rule = "A-2", value = "98天", when = { maternity = ["birth", "difficult", "caesarean"] } },
    { rule = "A-3", value = "15天", adds = true, when = { maternity = ["difficult", "caesarean"] } },
    { rule = "A-4", value = "15天", adds = true, per = "extra_foetus", when = { foetuses = { from = 2 } } },
    { rule = "A-5", value = "15天", when = { maternity = ["miscarriage", "abortion"], pregnancy_months = { below = 4 } } },
    { rule = "A-6", value = "42天", when = { maternity = ["miscarriage", "abortion"], pregnancy_months = { from = 4 } } },""",
)
LUMP = block("allowance_lump", '{ rule = "A-7", value = "3000元" }')
NEEDS = block("allowance_needs_months", '{ rule = "A-8", value = "12个月" }')


def allowance(text: str, **facts: object) -> dict[str, int]:
    answer = asked(text, **facts)
    assert isinstance(answer, Reckoned), answer.sentence()
    return dict(answer.amounts)


def asked(text: str, **facts: object) -> Reckoned | Refusal:
    known = {"admdvs": REGION, "on": date(2025, 6, 1), "insutype": "310", "wage": 3000_00}
    return reckon(AllowanceCase(**{**known, **facts}), small_policy(HEAD + text))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wage", "days", "paid"),
    [
        (2695_00, 95, 8534_17),  # 2695 × 95 / 30 = 8534.1666…
        (3200_00, 105, 11_200_00),  # 3200 × 3.5
        (6000_00, 98, 19_600_00),  # 200 × 98
        (8500_00, 128, 36_266_67),  # 8500 × 128 / 30 = 36266.6666…
        (7069_00, 113, 26_626_57),  # 7069 × 113 / 30 = 26626.5666…
    ],
    ids=["PX-MA059", "PX-MA060", "PX-MA061", "PX-MA062", "PX-MA066"],
)
def test_wage_by_days_over_thirty(wage: int, days: int, paid: int) -> None:
    assert allowance(BY_30, wage=wage, days=days)["allowance"] == paid


@pytest.mark.parametrize(
    ("days", "total"),
    [
        (135, 16_014_00),  # 2892 × 4.5 + 3000
        (90, 11_676_00),  # 2892 × 3 + 3000
    ],
    ids=["PX-MA063", "PX-MA064"],
)
def test_lump_beside_the_allowance(days: int, total: int) -> None:
    paid = allowance(BY_30 + LUMP, wage=2892_00, days=days)
    assert (paid["lump"], paid["total"]) == (3000_00, total)


@pytest.mark.parametrize(
    ("mode", "paid"),
    [("half_up", 8534_17), ("down", 8534_16), ("half_up_yuan", 8534_00), ("up_yuan", 8535_00)],
)
def test_published_figures_that_are_truncated_or_whole(mode: str, paid: int) -> None:
    rounding = block(
        "dues_rounding", f'{{ rule = "A-9", value = "{mode}", when = {{ part = "allowance" }} }}'
    )
    assert allowance(BY_30 + rounding, wage=2695_00, days=95)["allowance"] == paid


def test_year_of_365_days_in_one_rounding() -> None:
    """3650 × 98 × 12 / 365 = 11760; 5000 × 98 × 12 / 365 = 16109.589… → 16109.59.

    A daily wage rounded first (164.38) would give 16109.24.
    """
    by_year = block("allowance_divisor", '{ rule = "A-1", value = "12/365" }')
    assert allowance(by_year, wage=3650_00, days=98)["allowance"] == 11_760_00
    assert allowance(by_year, wage=5000_00, days=98)["allowance"] == 16_109_59


@pytest.mark.parametrize(
    ("facts", "days"),
    [
        ({"maternity": "birth"}, 98),
        ({"maternity": "caesarean"}, 113),  # 98 + 15
        ({"maternity": "birth", "foetuses": 2}, 113),  # 98 + 15
        ({"maternity": "difficult", "foetuses": 3}, 143),  # 98 + 15 + 15 × 2
        ({"maternity": "miscarriage", "pregnancy_months": 3}, 15),
        ({"maternity": "abortion", "pregnancy_months": 4}, 42),
        ({"maternity": "caesarean", "days": 98}, 98),  # what is already fixed stands
    ],
)
def test_days_by_kind(facts: dict[str, object], days: int) -> None:
    paid = allowance(BY_30 + DAYS, wage=3000_00, **facts)
    assert (paid["days"], paid["allowance"]) == (days, days * 100_00)


def test_extra_leave_is_a_row_of_its_own() -> None:
    """98 + 60 = 158 days; with a caesarean 173."""
    extra = block(
        "allowance_days",
        '{ rule = "A-10", value = "60天", adds = true, when = { maternity = ["birth", "caesarean"] } }',
    )
    assert allowance(BY_30 + DAYS + extra, maternity="birth")["days"] == 158
    assert allowance(BY_30 + DAYS + extra, maternity="caesarean")["days"] == 173


@pytest.mark.parametrize(("paid_months", "missing", "payable"), [(12, 0, 9800_00), (11, 1, 0), (0, 12, 0)])
def test_months_of_payment(paid_months: int, missing: int, payable: int) -> None:
    """3000 × 98 / 30 = 9800, payable only once twelve months are paid."""
    paid = allowance(BY_30 + DAYS + NEEDS, maternity="birth", paid_months=paid_months)
    assert (paid["total"], paid["months_missing"], paid["payable"]) == (9800_00, missing, payable)


def test_refusals() -> None:
    no_days = asked(BY_30 + DAYS, maternity="iud")
    assert isinstance(no_days, Refusal)
    assert (no_days.code, no_days.faults[0].field) == ("NO_RULE_FOR_CASE", "allowance_days")
    assert "生育类别 iud" in no_days.sentence()
    no_divisor = asked(DAYS, maternity="birth")
    assert isinstance(no_divisor, Refusal)
    assert no_divisor.faults[0].field == "allowance_divisor"
    early = asked(BY_30 + DAYS, maternity="birth", on=date(2019, 12, 31))
    assert isinstance(early, Refusal)
    assert early.code == "NO_LAW_FOR_DAY"


def test_steps() -> None:
    answer = asked(BY_30 + DAYS + LUMP + NEEDS, maternity="difficult", foetuses=3, paid_months=10)
    assert isinstance(answer, Reckoned)
    assert [(s.code, s.formula) for s in answer.steps] == [
        ("days", "98 + 15 + 15 × 2 = 143 天"),
        ("allowance", "3000.00 × 143 天 ÷ 30 = 14300.00"),
        ("allowance_lump", "定额 3000.00"),
        ("allowance_total", "14300.00 + 3000.00 = 17300.00"),
        ("needs_months", "须连续缴费 12 个月，已缴 10 个月，还差 2 个月，缴满后补支付"),
    ]
    assert [u.rule for s in answer.steps for u in s.used] == ["A-2", "A-3", "A-4", "A-1", "A-7", "A-8"]
