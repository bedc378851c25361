"""Layers above the pool, each with its calculation: cumulative bases, cost above a ceiling, several in turn. In fen."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.policy.pipeline_law import (
    NO_DEDUCTIBLE,
    bands,
    case_of,
    counters,
    decided,
    deductible,
    law,
    layer,
    parameter,
    ratio,
    said,
)
from tests.unit.policy.small_policy import block, small_policy
from yibao.kernel.refusal import Refusal
from yibao.policy.case import LineGroup
from yibao.policy.decide import decide
from yibao.policy.decision import Decision, FundShare

SERIOUS = '["pool", "serious", "cash"]'
BANDS = ("30000:60%", "100000:65%", "75%")
OWN_ALL = (NO_DEDUCTIBLE, ratio("0%"))
"""A pool that pays nothing, so that the whole in-scope cost is the layer's base."""


def fund(decision: Decision, field: str = "hifmi_pay") -> int:
    return decision.fund(field)


# ── bands and threshold ──


def test_bands_on_the_base_itself() -> None:
    """150000, threshold 12000: (30000 − 12000) × 60% + 70000 × 65% + 50000 × 75% = 10800 + 45500 + 37500 = 93800."""
    text = law(*OWN_ALL, layer("serious", *BANDS, threshold="12000元"), order=SERIOUS)
    decision = decided(case_of(15_000_000), text)
    assert (fund(decision), decision.fund_total, decision.person_part) == (9_380_000, 9_380_000, 5_620_000)
    assert decision.funds == (FundShare("390200", "hifmi_pay", 9_380_000),)
    assert said(decision, "layer") == (
        "政策范围内个人负担 150000.00，起付线 12000.00："
        "18000.00 × 60% + 70000.00 × 65% + 50000.00 × 75% = 93800.00"
    )


def test_bands_counted_from_the_threshold() -> None:
    """150000 − 12000 = 138000: 30000 × 60% + 70000 × 65% + 38000 × 75% = 18000 + 45500 + 28500 = 92000."""
    text = law(*OWN_ALL, layer("serious", *BANDS, threshold="12000元", axis="above_dedc"), order=SERIOUS)
    assert fund(decided(case_of(15_000_000), text)) == 9_200_000


@pytest.mark.parametrize(("own", "expected"), [(1_200_000, 0), (1_200_001, 1), (0, 0), (1_200_050, 30)])
def test_nothing_up_to_the_threshold(own: int, expected: int) -> None:
    """0.01 × 60% = 0.006 → 0.01; 0.50 × 60% = 0.30."""
    text = law(*OWN_ALL, layer("serious", *BANDS, threshold="12000元"), order=SERIOUS)
    assert fund(decided(case_of(own), text)) == expected


def test_a_limit_of_one_bill() -> None:
    text = law(*OWN_ALL, layer("serious", "50%", cap="400元"), order=SERIOUS)
    assert fund(decided(case_of(70_000), text)) == 35_000
    assert fund(decided(case_of(90_000), text)) == 40_000


# ── cumulative bases ──


CUMULATIVE = law(
    NO_DEDUCTIBLE,
    ratio("70%"),
    layer(
        "serious",
        *BANDS,
        threshold="12000元",
        cap="400000元",
        more='counter = "serious.cost"\npaid_counter = "serious.paid"',
    ),
    order=SERIOUS,
)


def test_the_base_adds_up_over_the_year_and_counts_even_when_nothing_is_paid() -> None:
    """30000 in scope, the pool 21000, own 9000 < 12000: nothing paid, 9000 counted."""
    decision = decided(case_of(3_000_000), CUMULATIVE)
    assert (fund(decision), counters(decision)) == (0, {"serious.cost": (900_000, None)})


def test_the_base_before_has_borne_the_threshold() -> None:
    """Own 9000 again, 9000 before: (18000 − 12000) × 60% = 3600."""
    decision = decided(case_of(3_000_000, counters={"serious.cost": 900_000}), CUMULATIVE)
    assert fund(decision) == 360_000
    assert counters(decision) == {"serious.cost": (900_000, None), "serious.paid": (360_000, 40_000_000)}
    assert said(decision, "layer") == (
        "政策范围内个人负担 9000.00，本年累计 9000.00 + 9000.00 = 18000.00，起付线 12000.00："
        "6000.00 × 60% = 3600.00 − 此前累计应付 0.00 = 3600.00，限额 400000.00 余 400000.00，支付 3600.00"
    )


def test_bills_of_a_year_come_to_the_same_in_any_order() -> None:
    """Own 9000, 30000 and 111000 make 150000: 93800 in the year, however the bills follow each other."""
    for bills in ((9_000, 30_000, 111_000), (111_000, 9_000, 30_000), (30_000, 111_000, 9_000)):
        used: dict[str, int] = {}
        paid = 0
        for own in bills:
            decision = decided(case_of(own * 100, counters=dict(used)), CUMULATIVE.replace('"70%"', '"0%"'))
            paid += fund(decision)
            for change in decision.counters:
                used[change.code] = used.get(change.code, 0) + change.delta
        assert (paid, used) == (9_380_000, {"serious.cost": 15_000_000, "serious.paid": 9_380_000})


def test_the_year_limit_leaves_what_was_not_paid() -> None:
    """Base far above: 9000 × 75% = 6750, of the limit 400000 only 1000 are left."""
    used = {"serious.cost": 90_000_000, "serious.paid": 39_900_000}
    decision = decided(case_of(3_000_000, counters=used), CUMULATIVE)
    assert fund(decision) == 100_000
    assert counters(decision) == {"serious.cost": (900_000, None), "serious.paid": (100_000, 40_000_000)}


def test_a_layer_without_limit_counts_what_it_paid() -> None:
    text = CUMULATIVE.replace('value = "400000元"', 'value = "不设"')
    decision = decided(case_of(3_000_000, counters={"serious.cost": 90_000_000}), text)
    assert counters(decision) == {"serious.cost": (900_000, None), "serious.paid": (675_000, None)}


# ── bases ──


def test_own_without_the_deductible() -> None:
    """1000 − 100 deductible, pool 630, own 370, without the deductible 270: 50% = 135."""
    text = law(layer("serious", "50%", base="own_without_deductible"), order=SERIOUS)
    assert fund(decided(case_of(100_000), text)) == 13_500


def test_cost_out_of_scope() -> None:
    """Fully own 400: 25% = 100; in scope 1000 the pool pays 630; funds 730."""
    text = law(layer("extra", "25%", base="out_of_scope", field="oth_pay"), order='["pool", "extra", "cash"]')
    decision = decided(case_of(100_000, own=40_000), text)
    assert (fund(decision, "oth_pay"), decision.fund_total, decision.person_part) == (10_000, 73_000, 67_000)


def test_first_pay() -> None:
    """First-pay 200: 80% = 160; in scope 1000 the pool pays 630; funds 790, the person 1200 − 790 = 410."""
    text = law(layer("extra", "80%", base="first_pay", field="oth_pay"), order='["pool", "extra", "cash"]')
    case = msgspec.structs.replace(case_of(0), lines=(LineGroup(120_000, 0, 0, 20_000, 100_000),))
    decision = decided(case, text)
    assert (fund(decision, "oth_pay"), decision.fund_total, decision.person_part) == (16_000, 79_000, 41_000)


def test_funds_may_exceed_the_in_scope_cost_only_by_cost_out_of_scope() -> None:
    text = law(*OWN_ALL, layer("extra", "100%", base="out_of_scope"), order='["pool", "extra", "cash"]')
    decision = decided(case_of(100, own=40_000), text)
    assert (decision.fund_total, decision.person_part) == (40_000, 100)


CAP = parameter("pool_cap", '"120000元"', 'counter = "visit.pool"\nfeeds = true')


def above(
    *pool: str, rates: tuple[str, ...] = ("90%",), more: str = "", cap: str = CAP, limit: str = ""
) -> str:
    """Return a law whose ceiling feeds a layer for large amounts."""
    large = layer("large", *rates, base="above_cap", field="hifob_pay", more=more, cap=limit)
    return law(*pool, cap, large, order='["pool", "large", "cash"]')


def test_cost_above_the_ceiling_of_a_flat_ratio() -> None:
    """(200000 − 500) × 85% = 169575, cut by 49575: cost 49575 ÷ 85% = 58323.529…; × 90% = 52491.176 → 52491.18."""
    decision = decided(case_of(20_000_000), above(deductible("500元"), ratio("85%")))
    assert (decision.fund("hifp_pay"), decision.fund("hifob_pay")) == (12_000_000, 5_249_118)
    assert said(decision, "layer").startswith("统筹限额以上费用 约 58323.53：约 58323.53 × 90% = 52491.18")


def test_what_the_year_used_of_the_ceiling_moves_the_cost_above_it() -> None:
    """110000 used: 10000 left. 20000 × 80% = 16000, cut by 6000: 6000 ÷ 80% = 7500; × 90% = 6750."""
    text = above(NO_DEDUCTIBLE, ratio("80%"))
    decision = decided(case_of(2_000_000, counters={"visit.pool": 11_000_000}), text)
    assert (decision.fund("hifp_pay"), decision.fund("hifob_pay")) == (1_000_000, 675_000)
    spent = decided(case_of(2_000_000, counters={"visit.pool": 13_000_000}), text)
    assert (spent.fund("hifp_pay"), spent.fund("hifob_pay")) == (0, 1_800_000)
    within = decided(case_of(2_000_000), text)
    assert within.fund("hifob_pay") == 0


def test_cost_above_the_ceiling_of_bands_is_walked_back_from_the_top() -> None:
    """Bands 85/90/95% to 30000/40000: 30000, 10000, 110000 pay 25500 + 9000 + 104500 = 139000.

    The ceiling of 30000 cuts 109000: the top band's 104500 are 110000 cost, 4500 more are 5000 cost at 90%.
    115000 × 80% = 92000.
    """
    pool = bands("30000:85%", "40000:90%", "95%")
    text = above(NO_DEDUCTIBLE, pool, rates=("80%",), cap=CAP.replace("120000", "30000"))
    decision = decided(case_of(15_000_000), text)
    assert (decision.fund("hifp_pay"), decision.fund("hifob_pay")) == (3_000_000, 9_200_000)


def test_bonuses_and_the_own_factor_are_part_of_the_ratio_that_is_inverted() -> None:
    """Own 15% × 50%: 92.5%. 200000 × 92.5% = 185000, cut by 65000: ÷ 92.5% = 70270.27; × 90% = 63243.243 → .24."""
    text = above(NO_DEDUCTIBLE, ratio("85%"), parameter("own_factor", '"50%"'))
    assert decided(case_of(20_000_000), text).fund("hifob_pay") == 6_324_324


def test_a_stated_ratio_converts_instead() -> None:
    """(200000 − 500) − 120000 ÷ 80% = 49500; × 90% = 44550."""
    text = above(deductible("500元"), ratio("85%"), more='conversion = "80%"')
    decision = decided(case_of(20_000_000), text)
    assert decision.fund("hifob_pay") == 4_455_000


def test_a_conversion_is_never_rounded_in_between() -> None:
    """200000 − 120000 ÷ 90% = 66666.666…; × 95% = 63333.333 → 63333.33 (of 66666.67 it would be 63333.34)."""
    text = above(NO_DEDUCTIBLE, ratio("90%"), rates=("95%",))
    assert decided(case_of(20_000_000), text).fund("hifob_pay") == 6_333_333


def test_what_another_ceiling_cuts_does_not_feed_the_layer() -> None:
    """20000 × 80% = 16000; a disease ceiling holds 12000, of the year's ceiling 10000 are left.

    Only 2000 are cut by the year's: 2000 ÷ 80% = 2500; × 90% = 2250.
    """
    disease = parameter("pool_cap", '"12000元"', 'counter = "disease.pool"')
    text = above(NO_DEDUCTIBLE, ratio("80%"), disease)
    decision = decided(case_of(2_000_000, counters={"visit.pool": 11_000_000}), text)
    assert (decision.fund("hifp_pay"), decision.fund("hifob_pay")) == (1_000_000, 225_000)
    tighter = text.replace('"12000元"', '"9000元"')
    held = decided(case_of(2_000_000, counters={"visit.pool": 11_000_000}), tighter)
    assert (held.fund("hifp_pay"), held.fund("hifob_pay")) == (900_000, 0)


def test_groups_of_lines_are_paid_before_the_pool_and_lie_below_the_ceiling() -> None:
    """Group 50000 × 60% = 30000, pool 150000 × 80% = 120000; the ceiling 120000 cuts 30000 of the pool's.

    30000 ÷ 80% = 37500; × 90% = 33750.
    """
    lines = block("line_ratio", '{ rule = "G", value = "60%", when = { group = "negotiated" } }')
    text = above(NO_DEDUCTIBLE, ratio("80%"), lines)
    decision = decided(case_of(15_000_000, groups={"negotiated": 5_000_000}), text)
    assert decision.fund("hifob_pay") == 3_375_000


def test_the_layer_above_the_ceiling_has_thresholds_bands_and_a_year_of_its_own() -> None:
    """Cost above 7500 (see above) with 10000 before: bands 12000 × 90%, then 50%.

    f(17500) = 10800 + 2750 = 13550, f(10000) = 9000: 4550.
    """
    text = above(NO_DEDUCTIBLE, ratio("80%"), rates=("12000:90%", "50%"), more='counter = "large.cost"')
    used = {"visit.pool": 11_000_000, "large.cost": 1_000_000}
    decision = decided(case_of(2_000_000, counters=used), text)
    assert decision.fund("hifob_pay") == 455_000
    assert counters(decision)["large.cost"] == (750_000, None)
    limited = above(NO_DEDUCTIBLE, ratio("80%"), limit="6000元", more='paid_counter = "large.paid"')
    last = decided(case_of(2_000_000, counters={"visit.pool": 11_000_000, "large.paid": 590_000}), limited)
    assert last.fund("hifob_pay") == 10_000


# ── several layers ──


def test_each_layer_works_on_what_the_former_left() -> None:
    """20000, pool 70% 14000, own 6000; serious (6000 − 1000) × 60% = 3000, own 3000; aid 3000 × 75% = 2250; cash 750."""
    text = law(
        NO_DEDUCTIBLE,
        layer("aid", "75%", field="maf_pay"),
        layer("serious", "60%", threshold="1000元"),
        order='["pool", "serious", "aid", "own_account", "cash"]',
    )
    decision = decided(case_of(2_000_000), text)
    assert [(f.field, f.amount) for f in decision.funds] == [
        ("hifp_pay", 1_400_000),
        ("hifmi_pay", 300_000),
        ("maf_pay", 225_000),
    ]
    assert (decision.fund_total, decision.cash) == (1_925_000, 75_000)
    turned = text.replace('["pool", "serious", "aid",', '["pool", "aid", "serious",')
    # aid 6000 × 75% = 4500, own 1500; serious (1500 − 1000) × 60% = 300
    assert decided(case_of(2_000_000), turned).fund_total == 1_400_000 + 450_000 + 30_000


def test_a_layer_is_granted_only_where_a_row_applies() -> None:
    text = law(
        *OWN_ALL, layer("aid", "75%", more='when = { identity = "2303" }'), order='["pool", "aid", "cash"]'
    )
    assert decided(case_of(100_000), text).fund_total == 0
    assert decided(case_of(100_000, identities=("2303",)), text).fund_total == 75_000


def test_a_granted_layer_without_a_ratio_for_the_person_refuses() -> None:
    text = law(*OWN_ALL, layer("aid", "75%"), order='["pool", "aid", "cash"]')
    rates = block(
        "layer_ratio", '{ rule = "X", value = "75%", when = { person = "retired" } }', 'layer = "aid"'
    )
    start = text.index('\n[[parameter]]\nkey = "layer_ratio"')
    refusal = decide(case_of(100_000), small_policy(text[:start] + rates))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "NO_RULE_FOR_CASE"


def test_a_layer_rounds_its_own_way() -> None:
    """33.33 × 50% = 16.665: 16.67 by the benefit's rounding, 16.66 down, 16.00 down to yuan."""
    text = law(*OWN_ALL, layer("serious", "50%"), order=SERIOUS)
    assert fund(decided(case_of(3_333), text)) == 1_667
    for rounding, expected in (("down", 1_666), ("down_yuan", 1_600)):
        own = law(*OWN_ALL, layer("serious", "50%", more=f'rounding = "{rounding}"'), order=SERIOUS)
        assert fund(decided(case_of(3_333), own)) == expected


def test_no_layer_pays_more_than_is_left() -> None:
    """0.01 own at 60% rounds to 0.01; a second layer finds nothing."""
    text = law(
        *OWN_ALL, layer("aid", "60%"), layer("serious", "60%"), order='["pool", "serious", "aid", "cash"]'
    )
    decision = decided(case_of(1), text)
    assert (decision.fund_total, decision.cash) == (1, 0)
    up = law(*OWN_ALL, layer("serious", "50%", more='rounding = "up_yuan"'), order=SERIOUS)
    assert decided(case_of(50), up).fund_total == 50  # one yuan would be more than the cost


# ── going on from another settlement ──


def test_a_manual_second_claim_goes_on_where_the_first_ended() -> None:
    """30000 in scope, 20000 and 4000 already paid: own 6000, aid 75% = 4500. The pool is not asked again."""
    text = law(layer("aid", "75%", field="maf_pay"), order='["pool", "aid", "cash"]')
    decision = decided(case_of(3_000_000, already={"hifp_pay": 2_000_000, "hifmi_pay": 400_000}), text)
    assert decision.funds == (
        FundShare("", "hifp_pay", 2_000_000),
        FundShare("", "hifmi_pay", 400_000),
        FundShare("390200", "maf_pay", 450_000),
    )
    assert (decision.fund_total, decision.person_part, decision.deductible) == (2_850_000, 150_000, 0)
    assert said(decision, "already") == "基本医疗统筹基金已另行支付 20000.00"
    assert counters(decision) == {}


def test_the_pool_pays_where_only_another_fund_has_paid() -> None:
    """(1000 − 100) × 70% = 630; own 1000 − 200 − 630 = 170; aid 50% = 85."""
    text = law(layer("aid", "50%", field="maf_pay"), order='["pool", "aid", "cash"]')
    decision = decided(case_of(100_000, already={"oth_pay": 20_000}), text)
    assert (decision.fund("hifp_pay"), decision.fund("maf_pay"), decision.fund_total) == (
        63_000,
        8_500,
        91_500,
    )


def test_a_layer_sees_what_the_account_paid_first() -> None:
    """2000 and 300 fully own; the account 500 first; (1500 − 100) × 70% = 980; own 520 × 50% = 260."""
    text = law(layer("aid", "50%", field="maf_pay"), order='["own_account", "pool", "aid", "cash"]')
    decision = decided(case_of(200_000, own=30_000, balance=50_000, use_account=True), text)
    assert (decision.account_pay, decision.fund("hifp_pay"), decision.fund("maf_pay")) == (
        50_000,
        98_000,
        26_000,
    )


def test_cost_above_a_ceiling_is_counted_to_the_nearest_fen() -> None:
    """(200000 − 500) × 85% = 169575, cut by 49575: 49575 ÷ 85% = 58323.529 → 58323.53; × 90% = 52491.177 → .18."""
    text = above(deductible("500元"), ratio("85%"), more='counter = "large.cost"')
    decision = decided(case_of(20_000_000), text)
    assert counters(decision)["large.cost"] == (5_832_353, None)
    assert decision.fund("hifob_pay") == 5_249_118


def test_a_layer_may_share_the_ceiling_of_the_pool() -> None:
    """Ceiling 1000 for both: 1200 × 70% = 840, own 360, 160 left: 160. The counter counts both under it."""
    text = law(
        NO_DEDUCTIBLE,
        ratio("70%"),
        parameter("pool_cap", '"1000元"', 'counter = "fund.paid"'),
        layer("serious", "100%", cap="1000元", more='paid_counter = "fund.paid"'),
        order=SERIOUS,
    )
    decision = decided(case_of(120_000), text)
    assert (decision.fund("hifp_pay"), fund(decision)) == (84_000, 16_000)
    assert counters(decision) == {"fund.paid": (100_000, 100_000)}


@pytest.mark.parametrize(("limit", "paid", "cap"), [("不设", 85_000, None), ("900元", 85_000, 100_000)])
def test_a_counter_to_which_two_add_is_held_by_what_fits_both(limit: str, paid: int, cap: int | None) -> None:
    """The pool 700 within 1000; own 300 × 50% = 150 without limit, or within 900 of which 700 are used."""
    text = law(
        NO_DEDUCTIBLE,
        ratio("70%"),
        parameter("pool_cap", '"1000元"', 'counter = "fund.paid"'),
        layer("serious", "50%", cap=limit, more='paid_counter = "fund.paid"'),
        order=SERIOUS,
    )
    assert counters(decided(case_of(100_000), text)) == {"fund.paid": (paid, cap)}


def test_of_several_rows_that_grant_a_layer_the_first_that_fits_counts() -> None:
    rows = (
        '{ rule = "A-1", value = "aid", title = "救助", fund = "610101", when = { identity = "2303" } },\n'
        '{ rule = "A-2", value = "aid", title = "救助", fund = "610102" }'
    )
    rates = block("layer_ratio", '{ rule = "A-3", value = "50%" }', 'layer = "aid"')
    text = law(*OWN_ALL, block("layer", rows, 'field = "maf_pay"'), rates, order='["pool", "aid", "cash"]')
    for identities, kind in ((("2303",), "610101"), ((), "610102")):
        assert decided(case_of(1_000, identities=identities), text).funds == (
            FundShare(kind, "maf_pay", 500),
        )


def test_several_feeding_ceilings_and_several_others_the_tightest_of_each() -> None:
    """20000 × 80% = 16000; feeding 10000 and 13000, others 15000 and 12000: (12000 − 10000) ÷ 80% × 90% = 2250."""
    feeding = parameter("pool_cap", '"10000元"', 'counter = "a"\nfeeds = true') + parameter(
        "pool_cap", '"13000元"', 'counter = "b"\nfeeds = true'
    )
    others = parameter("pool_cap", '"12000元"', 'counter = "c"') + parameter(
        "pool_cap", '"15000元"', 'counter = "d"'
    )
    decision = decided(case_of(2_000_000), above(NO_DEDUCTIBLE, ratio("80%"), others, cap=feeding))
    assert (decision.fund("hifp_pay"), decision.fund("hifob_pay")) == (1_000_000, 225_000)
