"""Ratio, bonuses, own factor, groups of lines, lump, floor and ceilings, each with its calculation. Amounts in fen."""

from __future__ import annotations

import pytest

from tests.unit.policy.pipeline_law import (
    NO_DEDUCTIBLE,
    bands,
    case_of,
    counters,
    decided,
    deductible,
    law,
    parameter,
    ratio,
    said,
)
from tests.unit.policy.small_policy import CAP, block, small_policy
from yibao.kernel.refusal import Refusal
from yibao.policy.decide import decide

# ── bonuses and factor ──


def test_bonuses_of_several_groups_add_up_and_the_first_of_each_counts() -> None:
    """65% − 20 + 5 + 2 = 52%; 1000 × 52% = 520. Of the two remote rows only the first that fits."""
    bonus = (
        block(
            "pool_bonus",
            '{ rule = "B-1", value = "-20个百分点", when = { remote = ["unregistered"] } },\n'
            '{ rule = "B-2", value = "-10个百分点" }',
            'group = "remote"',
        )
        + block(
            "pool_bonus",
            '{ rule = "B-3", value = "5个百分点", when = { identity = "2303" } }',
            'group = "poor"',
        )
        + block("pool_bonus", '{ rule = "B-4", value = "2个百分点", when = { trait = "children" } }')
    )
    case = case_of(100_000, remote="unregistered", identities=("2303",), traits=("children",))
    decision = decided(case, law(NO_DEDUCTIBLE, ratio("65%"), bonus))
    assert (decision.pool_ratio, decision.fund_total) == (5_200, 52_000)
    assert said(decision, "pool") == "(1000.00 − 0.00) × (65% − 20% + 5% + 2%) = 520.00"
    pool = next(s for s in decision.steps if s.code == "pool")
    assert [u.rule for u in pool.used] == ["T-pool_ratio", "B-1", "B-3", "B-4", "R-1"]
    plain = decided(case_of(100_000), law(NO_DEDUCTIBLE, ratio("65%"), bonus))
    assert plain.pool_ratio == 5_500  # only B-2


def test_the_own_share_is_scaled_exactly() -> None:
    """Own 15% × 50% = 7.5%, so 92.5%: 333.33 × 92.5% = 308.33025 → 308.33; 3.80 × 92.5% = 3.515 → 3.52."""
    text = law(NO_DEDUCTIBLE, ratio("85%"), parameter("own_factor", '"50%"'))
    decision = decided(case_of(33_333), text)
    assert (decision.pool_ratio, decision.fund_total) == (9_250, 30_833)
    assert decided(case_of(380), text).fund_total == 352
    assert said(decision, "pool") == "(333.33 − 0.00) × [1 − 50% × (1 − 85%)]（即 92.5%） = 308.33"


def test_a_factor_that_ten_thousandths_cannot_hold() -> None:
    """Own 12.34% × 33.33% = 4.112922%, so 95.887078%: 100000 × that = 95887.078 → 95887.08."""
    text = law(NO_DEDUCTIBLE, ratio("87.66%"), parameter("own_factor", '"33.33%"'))
    decision = decided(case_of(10_000_000), text)
    assert (decision.fund_total, decision.pool_ratio) == (9_588_708, 9_589)


def test_the_own_share_of_bands_is_scaled_band_by_band() -> None:
    """700 deductible; bands on the cost 74/80/90% with own half: 87/90/95%.

    (10000 − 700) × 87% + 40000 × 90% + 10000 × 95% = 8091 + 36000 + 9500 = 53591.
    """
    pool = bands("10000:74%", "50000:80%", "120000:90%", base="cost_band")
    text = law(deductible("700元"), pool, parameter("own_factor", '"50%"'))
    decision = decided(case_of(6_000_000), text)
    assert decision.fund_total == 5_359_100
    assert said(decision, "pool") == "9300.00 × 87% + 40000.00 × 90% + 10000.00 × 95% = 53591.00"


@pytest.mark.parametrize(("age", "expected"), [(40, 83_000), (50, 85_000), (130, 100_000)])
def test_a_ratio_that_grows_with_age(age: int, expected: int) -> None:
    """75% + 0.2% × 40 = 83%; × 50 = 85%; above the whole it is held."""
    text = law(NO_DEDUCTIBLE, parameter("pool_ratio", '{ ratio = "75%", plus = "0.2%", per = "age" }'))
    assert decided(case_of(100_000, age=age), text).fund_total == expected


# ── groups of lines ──


NEGOTIATED = block("line_ratio", '{ rule = "G-1", value = "60%", when = { group = "negotiated" } }')


def test_lines_of_a_group_pay_their_own_ratio_without_deductible() -> None:
    """Ordinary (1000 − 100) × 70% = 630; negotiated 500 × 60% = 300; together 930."""
    text = law(NEGOTIATED)
    decision = decided(case_of(100_000, groups={"negotiated": 50_000}), text)
    assert (decision.deductible, decision.fund_total, decision.pool_ratio) == (10_000, 93_000, 7_000)
    assert said(decision, "pool") == "(1000.00 − 100.00) × 70% + 500.00 × 60% = 930.00"
    assert said(decision, "line_group") == "费用 500.00 按单列比例支付，不扣起付标准"


def test_the_deductible_is_charged_on_the_other_lines_only() -> None:
    """Ordinary cost 40 < 100: 40 is charged; the group's 500 × 60% = 300 stay whole."""
    decision = decided(case_of(4_000, groups={"negotiated": 50_000}), law(NEGOTIATED))
    assert (decision.deductible, decision.fund_total) == (4_000, 30_000)


def test_a_group_without_a_row_is_ordinary() -> None:
    decision = decided(case_of(100_000, groups={"implant": 50_000}), law(NEGOTIATED))
    assert decision.fund_total == 98_000  # (1500 − 100) × 70%


def test_groups_and_pool_are_rounded_once_together() -> None:
    """0.01 × 70% + 0.01 × 60% = 0.007 + 0.006 = 0.013 → 0.01, where two roundings would give 0.02."""
    assert decided(case_of(1, groups={"negotiated": 1}), law(NO_DEDUCTIBLE, NEGOTIATED)).fund_total == 1


def test_a_bonus_or_factor_leaves_the_groups_alone() -> None:
    """Ordinary 1000 × (1 − 50% × 30%) = 850; group 500 × 60% = 300."""
    text = law(NO_DEDUCTIBLE, NEGOTIATED, parameter("own_factor", '"50%"'))
    assert decided(case_of(100_000, groups={"negotiated": 50_000}), text).fund_total == 115_000


def test_a_group_has_its_own_yearly_threshold() -> None:
    """Special drugs pay 80% above 20000 a year. 15000 before and 8000 now: 3000 count, 3000 × 80% = 2400."""
    text = law(
        NO_DEDUCTIBLE,
        block("line_ratio", '{ rule = "G-2", value = "80%", when = { group = "special_drug" } }'),
        block(
            "line_deductible",
            '{ rule = "G-3", value = "20000元", when = { group = "special_drug" } }',
            'counter = "drug.cost"',
        ),
    )
    decision = decided(case_of(0, groups={"special_drug": 800_000}, counters={"drug.cost": 1_500_000}), text)
    assert decision.fund_total == 240_000
    assert counters(decision) == {"drug.cost": (800_000, None)}
    assert said(decision, "line_group") == "累计费用 15000.00 + 8000.00，超过 20000.00 的部分 = 3000.00"
    past = decided(case_of(0, groups={"special_drug": 800_000}, counters={"drug.cost": 2_500_000}), text)
    assert past.fund_total == 640_000
    below = decided(case_of(0, groups={"special_drug": 800_000}), text)
    assert (below.fund_total, counters(below)) == (0, {"drug.cost": (800_000, None)})


def test_effective_ratio_of_bands_leaves_the_groups_out() -> None:
    """Bands 1000 × 50% + 1000 × 80% = 1300 of 2000 = 65%; the group's 300 come on top."""
    text = law(NO_DEDUCTIBLE, NEGOTIATED, bands("1000:50%", "80%"))
    decision = decided(case_of(200_000, groups={"negotiated": 50_000}), text)
    assert (decision.fund_total, decision.pool_ratio) == (160_000, 6_500)


# ── lump and floor ──


LUMP = block("lump", '{ rule = "M-1", value = "2400元", when = { maternity = ["birth", "difficult"] } }')


def test_a_lump_stands_in_place_of_deductible_and_ratio() -> None:
    """3000 cost: the lump 2400; 1800 cost, of which 500 are fully own: 1800."""
    text = law(LUMP)
    decision = decided(case_of(300_000, maternity="birth"), text)
    assert (decision.deductible, decision.fund_total, decision.pool_ratio) == (0, 240_000, 0)
    assert said(decision, "lump") == "min(费用 3000.00, 定额 2400.00) = 2400.00"
    whole = decided(case_of(130_000, own=50_000, maternity="birth"), text)
    assert (whole.fund_total, whole.person_part) == (180_000, 0)


def test_a_lump_that_does_not_fit_leaves_the_ratio_or_refuses() -> None:
    by_ratio = law(LUMP, deductible("100元"), ratio("70%"))
    assert decided(case_of(110_000, maternity="miscarriage"), by_ratio).fund_total == 70_000
    refusal = decide(case_of(110_000, maternity="miscarriage"), small_policy(law(LUMP)))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "NO_RULE_FOR_CASE"


FLOOR = parameter("pool_floor", '"3000元"')


@pytest.mark.parametrize(
    ("in_scope", "own", "expected"),
    [
        (500_000, 0, 300_000),  # (5000 − 700) × 60% = 2580 → 3000
        (250_000, 0, 250_000),  # all of it
        (200_000, 50_000, 250_000),  # all of it, fully own cost too
        (600_000, 0, 318_000),  # (6000 − 700) × 60% = 3180
    ],
)
def test_a_floor_tops_up_what_the_ratio_gives(in_scope: int, own: int, expected: int) -> None:
    decision = decided(case_of(in_scope, own=own), law(deductible("700元"), ratio("60%"), FLOOR))
    assert decision.fund_total == expected


def test_a_floor_says_so_and_a_ceiling_still_holds_it() -> None:
    """(5000 − 700) × 60% = 2580 → 3000 → what the ceiling of 1000 left, 400."""
    text = law(deductible("700元"), ratio("60%"), FLOOR, CAP)
    decision = decided(case_of(500_000, counters={"visit.pool": 60_000}), text)
    assert decision.fund_total == 40_000
    assert (
        said(decision, "pool_floor")
        == "max(按比例支付 2580.00, min(费用 5000.00, 最低支付 3000.00)) = 3000.00"
    )


def test_an_account_held_to_in_scope_cost_has_nothing_to_pay_where_the_floor_paid_more() -> None:
    """1000 in scope, 3000 fully own: the floor pays 3000; no in-scope cost is left to the account, cash 1000."""
    text = law(deductible("700元"), ratio("60%"), FLOOR).replace('"person_part"', '"in_scope"')
    decision = decided(case_of(100_000, own=300_000, balance=900_000, use_account=True), text)
    assert (decision.fund_total, decision.account_pay, decision.cash) == (300_000, 0, 100_000)


# ── ceilings ──


def test_a_ceiling_raised_by_years_of_enrolment() -> None:
    """250000 + 3000 × (7 − 4) = 259000; at most 300000; nothing for the first four years."""
    value = (
        '{ amount = "250000元", plus = "3000元", per = "continuous_years", beyond = 4, at_most = "300000元" }'
    )
    text = law(NO_DEDUCTIBLE, ratio("100%"), parameter("pool_cap", value, 'counter = "visit.pool"'))
    for years, cap in ((3, 25_000_000), (7, 25_900_000), (40, 30_000_000)):
        decision = decided(case_of(90_000_000, continuous_years=years), text)
        assert counters(decision) == {"visit.pool": (cap, cap)}


def test_a_ceiling_by_index_in_whole_yuan_and_a_ceiling_of_one_stay() -> None:
    """2% × 104325 = 2086.50 → 2087 yuan."""
    index = parameter("index", '"104325元"', 'index = "wage"')
    cap = '{ share = "2%", of = "index.wage", rounding = "half_up_yuan" }'
    text = law(NO_DEDUCTIBLE, index, parameter("pool_cap", cap, 'counter = "visit.pool"\nwindow = "stay"'))
    decision = decided(case_of(90_000_000, counters={"visit.pool": 1, "visit.pool#stay": 700}), text)
    assert counters(decision) == {"visit.pool#stay": (208_000, 208_700)}


def test_an_index_that_is_not_there_refuses() -> None:
    index = parameter("index", '"104325元"', 'index = "wage"')
    cap = '{ share = "2%", of = "index.wage", years_back = 30 }'
    refusal = decide(case_of(1_000), small_policy(law(index, parameter("pool_cap", cap, 'counter = "c"'))))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "NO_LAW_FOR_DAY"
    assert "1995-01-01" in refusal.sentence()
