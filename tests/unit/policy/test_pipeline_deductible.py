"""Deductibles of admissions, cost that counts, remote first-pay and the account before the pool. Amounts in fen."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.policy.pipeline_law import (
    NO_DEDUCTIBLE,
    case_of,
    counters,
    decided,
    deductible,
    law,
    parameter,
    ratio,
    said,
)
from tests.unit.policy.small_policy import block
from yibao.policy.case import Case

FACTORS = block(
    "deductible_factor",
    '{ rule = "F-2", value = "50%", when = { admission = { from = 2, below = 3 } } },\n'
    '{ rule = "F-3", value = "0%", when = { admission = { from = 3 } } }',
)


def charged(case: Case, text: str) -> int:
    return decided(case, text).deductible


@pytest.mark.parametrize(("admission", "expected"), [(1, 70_000), (2, 35_000), (3, 0), (4, 0)])
def test_half_at_the_second_admission_and_none_from_the_third(admission: int, expected: int) -> None:
    """700, 700 × 50% = 350, then 700 × 0% = 0; the pool pays 70% of the rest of 2000."""
    decision = decided(case_of(200_000, admission=admission), law(deductible("700元"), FACTORS))
    assert decision.deductible == expected
    assert decision.fund_total == (200_000 - expected) * 7 // 10
    assert decision.counters == ()  # each admission anew: nothing is counted


def test_the_factor_is_said_with_its_rule() -> None:
    decision = decided(case_of(200_000, admission=2), law(deductible("700元"), FACTORS))
    assert said(decision, "deductible") == "起付标准 700.00 × 50% = 350.00"
    step = next(s for s in decision.steps if s.code == "deductible")
    assert [u.rule for u in step.used] == ["T-deductible", "F-2"]


STEP_DOWN = (
    deductible("1000元") + parameter("deductible_step", '"100元"') + parameter("deductible_floor", '"300元"')
)
OLD_HALF = block("deductible_factor", '{ rule = "F-70", value = "50%", when = { age = { from = 70 } } }')


@pytest.mark.parametrize(
    ("admission", "age", "expected"),
    [
        (1, 40, 100_000),
        (2, 40, 90_000),  # 1000 − 100 × 1
        (8, 40, 30_000),  # 1000 − 700 = 300
        (9, 40, 30_000),  # 1000 − 800 = 200, not below 300
        (12, 40, 30_000),  # 1000 − 1100 would be negative, not below 300
        (1, 70, 50_000),  # 1000 × 50%
        (2, 70, 45_000),  # (1000 − 100) × 50%
        (9, 70, 15_000),  # the floor holds before the half: 300 × 50%
    ],
)
def test_each_admission_takes_off_a_step_down_to_a_floor_and_the_old_pay_half(
    admission: int, age: int, expected: int
) -> None:
    case = case_of(500_000, admission=admission, age=age)
    assert charged(case, law(STEP_DOWN, OLD_HALF)) == expected


def test_a_standard_that_is_changed_and_counted_is_said_in_both_steps() -> None:
    """(1000 − 100 × 2, not below 300) × 50% = 400; 250 of it were borne in the year: 150."""
    text = law(STEP_DOWN.replace("never.counted", "year.deductible"), OLD_HALF)
    decision = decided(case_of(10_000, admission=3, age=70, counters={"year.deductible": 25_000}), text)
    assert decision.deductible == 10_000
    assert said(decision, "deductible") == (
        "起付标准 1000.00 − 100.00 × 2 次（不低于 300.00） × 50% = 400.00；400.00 − 本年已负担 250.00 = 150.00"
        "，不超过政策范围内费用 100.00，计 100.00"
    )


def test_a_factor_of_the_admission_comes_before_the_floor() -> None:
    """500 × 50% = 250, not below 300."""
    text = law(deductible("500元"), FACTORS, parameter("deductible_floor", '"300元"'))
    assert charged(case_of(500_000, admission=2), text) == 30_000


def test_a_factor_above_the_whole() -> None:
    """Away from home 120% of the standard: 1000 × 120% = 1200; half a fen up: 333.33 × 120% = 399.996 → 400.00."""
    factor = block("deductible_factor", '{ rule = "F", value = "120%", when = { remote = ["referred"] } }')
    assert charged(case_of(500_000, remote="referred"), law(deductible("1000元"), factor)) == 120_000
    assert charged(case_of(500_000, remote="referred"), law(deductible("333.33元"), factor)) == 40_000
    assert charged(case_of(500_000), law(deductible("1000元"), factor)) == 100_000


def test_the_year_charges_no_more_than_its_cap() -> None:
    """Cap 2000, 1800 charged so far: 200 of the 700; then 0. The counter counts what was charged."""
    text = law(
        deductible("700元"), parameter("deductible_year_cap", '"2000元"', 'counter = "year.deductible"')
    )
    decision = decided(case_of(500_000, counters={"year.deductible": 180_000}), text)
    assert decision.deductible == 20_000
    assert counters(decision) == {"year.deductible": (20_000, 200_000)}
    assert said(decision, "deductible") == (
        "起付标准 700.00；年度累计上限 2000.00 − 本年已计 1800.00 = 余 200.00，计 200.00"
    )
    assert charged(case_of(500_000, counters={"year.deductible": 200_000}), text) == 0
    assert charged(case_of(500_000), text) == 70_000


@pytest.mark.parametrize(
    ("amount", "own", "expected"),
    [
        (550_000, 50_000, 200_000),  # 20% × 5500 = 1100 → at least 2000
        (1_234_567, 50_000, 246_913),  # 20% × 12345.67 = 2469.134
        (1_234_563, 50_000, 246_913),  # 20% × 12345.63 = 2469.126
        (9_000_000, 50_000, 1_000_000),  # 20% × 90000 = 18000 → at most 10000
    ],
)
def test_a_deductible_that_is_a_share_of_the_whole_bill(amount: int, own: int, expected: int) -> None:
    value = '{ share = "20%", of = "amount", at_least = "2000元", at_most = "10000元" }'
    text = law(parameter("deductible", value, 'counter = "never.counted"'))
    assert charged(case_of(amount - own, own=own), text) == expected


def test_a_deductible_that_is_a_share_of_the_in_scope_cost_or_of_an_input() -> None:
    """10% of 3000.05 in scope = 300.005 → 300.01; 5% of an income of 8084 = 404.20."""
    share = law(parameter("deductible", '{ share = "10%", of = "in_scope" }', 'counter = "never.counted"'))
    assert charged(case_of(300_005, own=77), share) == 30_001
    income = law(
        parameter("deductible", '{ share = "5%", of = "input.income" }', 'counter = "never.counted"')
    )
    assert charged(case_of(300_005, inputs={"income": 808_400}), income) == 40_420


INDEX = block(
    "index",
    '{ rule = "W-1", value = "8084元", from = 2022-01-01, to = 2023-12-31 },\n'
    '{ rule = "W-2", value = "9000元", from = 2024-01-01 }',
    'index = "wage"',
)


def test_a_deductible_that_is_a_share_of_an_index() -> None:
    """The index of the day: 12% × 9000 = 1080; that of 1 January two years earlier: 12% × 8084 = 970.08."""
    now = law(
        INDEX, parameter("deductible", '{ share = "12%", of = "index.wage" }', 'counter = "never.counted"')
    )
    assert charged(case_of(500_000), now) == 108_000
    then = now.replace('of = "index.wage"', 'of = "index.wage", years_back = 2')
    assert charged(case_of(500_000), then) == 97_008
    yuan = then.replace("years_back = 2", 'years_back = 2, rounding = "up_yuan"')
    assert charged(case_of(500_000), yuan) == 97_100


def test_a_deductible_counted_by_month_quarter_stay_or_pregnancy() -> None:
    for window, code, period in (
        ("month", "visit.deductible@2025-06", "本月"),
        ("quarter", "visit.deductible@2025Q2", "本季"),
        ("stay", "visit.deductible#stay", "本次住院"),
        ("pregnancy", "visit.deductible#pregnancy", "本次妊娠"),
    ):
        text = law(parameter("deductible", '"100元"', f'counter = "visit.deductible"\nwindow = "{window}"'))
        decision = decided(case_of(50_000, counters={code: 4_000, "visit.deductible": 9_900}), text)
        assert (decision.deductible, counters(decision)) == (6_000, {code: (6_000, 10_000)})
        assert said(decision, "deductible") == f"起付标准 100.00 − {period}已负担 40.00 = 60.00"
    assert charged(case_of(50_000, day=date(2025, 12, 31), counters={"visit.deductible@2025Q4": 10_000}),
                   text.replace('"pregnancy"', '"quarter"')) == 0  # fmt: skip


# ── cost that counts ──


def test_a_limit_of_cost_that_counts_by_month() -> None:
    """300 a month, 120 counted so far: 180 count, the pool pays 180 × 70% = 126."""
    limit = parameter("item_limit", '"300元"', 'counter = "chronic.cost"\nwindow = "month"')
    text = law(NO_DEDUCTIBLE, limit)
    decision = decided(case_of(50_000, counters={"chronic.cost@2025-06": 12_000}), text)
    assert decision.fund_total == 12_600
    assert counters(decision) == {"chronic.cost@2025-06": (18_000, 30_000)}
    assert said(decision, "item_limit") == (
        "min(政策范围内费用 500.00, 限额 300.00 − 本月已计 120.00 = 余 180.00) = 180.00"
    )
    assert decided(case_of(50_000, counters={"chronic.cost@2025-06": 30_000}), text).fund_total == 0
    assert decided(case_of(50_000, counters={"chronic.cost@2025-05": 30_000}), text).fund_total == 21_000


# ── remote first-pay ──


def test_remote_first_pay_comes_off_before_the_deductible() -> None:
    """50000 × 20% = 10000 first; (40000 − 800) × 85% = 33320; the rest 16680 is the person's."""
    first = block("remote_first_pay", '{ rule = "R-20", value = "20%", when = { remote = ["temporary"] } }')
    text = law(deductible("800元"), ratio("85%"), first)
    decision = decided(case_of(5_000_000, remote="temporary"), text)
    assert (decision.first_pay, decision.in_scope) == (1_000_000, 4_000_000)
    assert (decision.deductible, decision.fund_total, decision.person_part) == (80_000, 3_332_000, 1_668_000)
    assert said(decision, "remote_first_pay") == "50000.00 × 20% = 10000.00，余政策范围内费用 40000.00"
    assert decided(case_of(5_000_000), text).first_pay == 0
    odd = decided(case_of(500_003, remote="temporary"), text)
    assert (odd.first_pay, odd.in_scope) == (100_001, 400_002)  # 5000.03 × 20% = 1000.006 → 1000.01


def test_remote_first_pay_is_shared_by_groups_to_the_fen() -> None:
    """Three parts of 0.33 at 50%: the whole 0.99 × 50% = 0.495 → 0.50, so 0.49 stay in scope in all."""
    first = block("remote_first_pay", '{ rule = "R-20", value = "50%" }')
    lines = block(
        "line_ratio",
        '{ rule = "G", value = "100%", when = { group = ["implant", "rare_drug"] } }',
    )
    decision = decided(
        case_of(33, groups={"implant": 33, "rare_drug": 33}), law(NO_DEDUCTIBLE, ratio("100%"), first, lines)
    )
    assert (decision.first_pay, decision.in_scope, decision.fund_total) == (50, 49, 49)


# ── the own account before the pool ──


def test_the_account_pays_first_and_the_pool_sees_the_rest() -> None:
    """2000 in scope, the account pays 500 of them; (1500 − 100) × 70% = 980; cash 2000 − 980 − 500 = 520."""
    text = law(order='["own_account", "pool", "cash"]')
    decision = decided(case_of(200_000, balance=50_000, use_account=True), text)
    assert (decision.account_pay, decision.deductible, decision.fund_total, decision.cash) == (
        50_000,
        10_000,
        98_000,
        52_000,
    )
    assert said(decision, "account") == "min(费用 2000.00, 账户余额 500.00) = 500.00"
    unused = decided(case_of(200_000, balance=50_000), text)
    assert (unused.account_pay, unused.fund_total) == (0, 133_000)


def test_the_account_pays_first_within_a_limit_and_may_pay_the_whole_bill() -> None:
    """First at most 800: (2000 − 800 − 100) × 70% = 770. Without limit it may pay fully own cost as well."""
    order = '["own_account", "pool", "cash"]'
    limited = law(parameter("account.first_limit", '"800元"'), order=order)
    decision = decided(case_of(200_000, balance=500_000, use_account=True), limited)
    assert (decision.account_pay, decision.fund_total) == (80_000, 77_000)
    whole = decided(case_of(200_000, own=3_000, balance=500_000, use_account=True), law(order=order))
    assert (whole.account_pay, whole.fund_total, whole.cash) == (203_000, 0, 0)
    scope = law(order=order).replace('"person_part"', '"in_scope"')
    held = decided(case_of(200_000, own=3_000, balance=500_000, use_account=True), scope)
    assert (held.account_pay, held.fund_total, held.cash) == (200_000, 0, 3_000)


def test_an_overdrawn_account_pays_nothing_first() -> None:
    decision = decided(
        case_of(200_000, balance=-1, use_account=True), law(order='["own_account", "pool", "cash"]')
    )
    assert (decision.account_pay, decision.fund_total) == (0, 133_000)


def test_the_account_never_pays_what_another_settlement_has_paid() -> None:
    """1000, of which 900 are paid: the account pays 100; (1000 − 100 − 0) leaves the pool nothing to add."""
    text = law(NO_DEDUCTIBLE, ratio("0%"), order='["own_account", "pool", "cash"]')
    case = case_of(100_000, balance=500_000, use_account=True, already={"oth_pay": 90_000})
    decision = decided(case, text)
    assert (decision.account_pay, decision.fund_total, decision.cash) == (10_000, 90_000, 0)


def test_a_year_without_a_cap_of_deductibles() -> None:
    text = law(deductible("700元"), parameter("deductible_year_cap", '"不设"', 'counter = "year.deductible"'))
    decision = decided(case_of(500_000, counters={"year.deductible": 900_000}), text)
    assert (decision.deductible, decision.counters) == (70_000, ())
