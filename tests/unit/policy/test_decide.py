"""Each step of the pipeline on an invented region whose figures are plain to see."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from tests.unit.policy.small_policy import (
    ACCOUNT,
    BENEFIT,
    CAP,
    DEDUCTIBLE,
    FUND,
    GENERAL,
    HEAD,
    RATIO,
    WHOLE,
    block,
    small_case,
    small_policy,
)
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case, LineGroup
from yibao.policy.decide import check_identities, decide
from yibao.policy.decision import CounterChange, Decision, FundShare
from yibao.policy.pipeline.choosing import Benefit, choose_benefit

REST = BENEFIT + FUND + GENERAL + ACCOUNT


def decided(case: Case, text: str = WHOLE) -> Decision:
    decision = decide(case, small_policy(text))
    assert isinstance(decision, Decision), decision.sentence()
    return decision


def refused(case: Case, text: str = WHOLE) -> Refusal:
    refusal = decide(case, small_policy(text))
    assert isinstance(refusal, Refusal)
    return refusal


# ── deductible ──


def test_deductible_then_share() -> None:
    decision = decided(small_case(50_000))
    assert (decision.deductible, decision.fund_total, decision.person_part) == (10_000, 28_000, 22_000)


def test_deductible_only_what_the_year_left_open() -> None:
    decision = decided(small_case(50_000, counters={"visit.deductible": 4_000}))
    assert decision.deductible == 6_000
    assert CounterChange("visit.deductible", 6_000, 10_000) in decision.counters


def test_deductible_never_above_the_cost_and_the_rest_stays_open() -> None:
    decision = decided(small_case(3_000))
    assert (decision.deductible, decision.fund_total) == (3_000, 0)
    assert decision.counters == (CounterChange("visit.deductible", 3_000, 10_000),)


def test_deductible_already_borne_at_a_dearer_level_is_not_negative() -> None:
    text = (
        HEAD
        + REST
        + RATIO
        + CAP
        + block(
            "deductible",
            '{ rule = "R-5", value = "100元", when = { level = "1" } },\n'
            '{ rule = "R-5", value = "700元", when = { level = "3" } }',
            'counter = "visit.deductible"',
        )
    )
    decision = decided(small_case(50_000, counters={"visit.deductible": 70_000}), text)
    assert decision.deductible == 0
    assert (
        decided(small_case(50_000, level="3", counters={"visit.deductible": 10_000}), text).deductible
        == 50_000
    )
    assert (
        decided(small_case(90_000, level="3", counters={"visit.deductible": 10_000}), text).deductible
        == 60_000
    )


def test_no_deductible_leaves_its_counter_alone() -> None:
    text = (
        HEAD
        + REST
        + RATIO
        + CAP
        + block("deductible", '{ rule = "R", value = "不设" }', 'counter = "visit.deductible"')
    )
    decision = decided(small_case(50_000), text)
    assert decision.deductible == 0
    assert [c.code for c in decision.counters] == ["visit.pool"]


# ── what counts, and the share ──


def test_item_limit_before_the_ratio() -> None:
    text = HEAD + REST + CAP + RATIO + block("deductible", '{ rule = "R", value = "不设" }', 'counter = "c"')
    text += block("item_limit", '{ rule = "R-9", value = "300元" }')
    assert decided(small_case(100_000), text).fund_total == 21_000
    assert decided(small_case(10_000), text).fund_total == 7_000


def test_item_limit_below_the_deductible_pays_nothing() -> None:
    text = WHOLE + block("item_limit", '{ rule = "R-9", value = "60元" }')
    decision = decided(small_case(50_000), text)
    assert (decision.deductible, decision.fund_total) == (10_000, 0)


BANDS = 'bands = [{ to = "1000元", ratio = "50%" }, { to = "3000元", ratio = "60%" }, { ratio = "80%" }]'


@pytest.mark.parametrize(
    ("base", "in_scope", "pool"),
    [
        ("above_dedc", 110_000, 50_000),  # 1000 above the deductible, all in the first band
        ("above_dedc", 510_000, 50_000 + 120_000 + 160_000),
        ("cost_band", 110_000, 45_000 + 6_000),  # the deductible eats 100 of the first band
        ("cost_band", 510_000, 45_000 + 120_000 + 168_000),
        ("cost_band", 10_000, 0),
    ],
)
def test_bands_start_above_the_deductible_or_on_the_cost(base: str, in_scope: int, pool: int) -> None:
    text = HEAD + REST + DEDUCTIBLE + block("pool_ratio", f'{{ rule = "R-6", {BANDS} }}', f'base = "{base}"')
    decision = decided(small_case(in_scope), text)
    assert decision.fund_total == pool
    above = in_scope - decision.deductible
    assert (
        decision.pool_ratio == (pool * 10_000 * 2 + above) // (2 * above)
        if above
        else decision.pool_ratio == 0
    )


def test_what_lies_above_a_closed_last_band_is_not_paid() -> None:
    bands = 'bands = [{ to = "1000元", ratio = "50%" }]'
    text = HEAD + REST + DEDUCTIBLE + block("pool_ratio", f'{{ rule = "R-6", {bands} }}')
    assert decided(small_case(900_000), text).fund_total == 50_000


def test_bonus_points_for_retired_people() -> None:
    text = WHOLE + block("pool_bonus", '{ rule = "R-8", value = "5个百分点", when = { person = "retired" } }')
    assert decided(small_case(50_000, psn_type="1201"), text).pool_ratio == 7_500
    assert decided(small_case(50_000), text).pool_ratio == 7_000


def test_points_never_lead_above_the_whole_or_below_nothing() -> None:
    for points, ratio in (("40个百分点", 10_000), ("-90个百分点", 0)):
        text = WHOLE + block("pool_bonus", f'{{ rule = "R-8", value = "{points}" }}')
        assert decided(small_case(50_000), text).pool_ratio == ratio


def test_share_rounds_half_up_once_after_the_whole_step() -> None:
    text = HEAD + REST + block("deductible", '{ rule = "R", value = "不设" }', 'counter = "c"')
    half = text + block("pool_ratio", '{ rule = "R", value = "50%" }')
    assert decided(small_case(1), half).fund_total == 1
    assert decided(small_case(3), half).fund_total == 2
    down = half.replace('"half_up"', '"down"')
    assert decided(small_case(3), down).fund_total == 1


# ── ceilings ──


def test_cap_leaves_what_the_year_left() -> None:
    decision = decided(small_case(200_000, counters={"visit.deductible": 10_000, "visit.pool": 99_000}))
    assert decision.fund_total == 1_000
    assert decision.counters == (CounterChange("visit.pool", 1_000, 100_000),)


def test_cap_used_up_or_overdrawn_pays_nothing() -> None:
    for used in (100_000, 120_000):
        decision = decided(small_case(200_000, counters={"visit.deductible": 10_000, "visit.pool": used}))
        assert (decision.fund_total, decision.funds, decision.counters) == (0, (), ())


def test_the_tightest_of_several_caps_decides_and_all_count_what_was_paid() -> None:
    text = WHOLE + block("pool_cap", '{ rule = "R-C", value = "300元" }', 'counter = "other.pool"')
    decision = decided(small_case(200_000, counters={"other.pool": 5_000}), text)
    assert decision.fund_total == 25_000
    assert {(c.code, c.delta, c.cap) for c in decision.counters if c.code != "visit.deductible"} == {
        ("visit.pool", 25_000, 100_000),
        ("other.pool", 25_000, 30_000),
    }


def test_several_diseases_highest_cap_and_half_of_the_others() -> None:
    rows = (
        '{ rule = "R-D", value = "400元", when = { disease = "diabetes" } },\n'
        '{ rule = "R-D", value = "500元", when = { disease = "stroke" } }'
    )
    more = 'counter = "disease.pool"\noptional = true\neach_other_disease = "50%"'
    text = WHOLE + block("pool_cap", rows, more)

    def cap(disease: str, *recognised: str) -> int | None:
        decision = decided(small_case(500_000, disease=disease, recognised=recognised), text)
        return next((c.cap for c in decision.counters if c.code == "disease.pool"), None)

    assert cap("M01600") == 40_000
    assert cap("M01600", "M04803") == 70_000
    assert cap("M04803", "M01600", "M01609") == 70_000  # two kinds of diabetes are one row of the list
    assert cap("M07101", "M04803") is None  # an unlisted disease has no ceiling of its own


# ── account and cash ──


def test_account_pays_the_persons_part_within_its_balance() -> None:
    short = decided(small_case(50_000, own=5_000, balance=20_000, use_account=True))
    assert (short.person_part, short.account_pay, short.cash) == (27_000, 20_000, 7_000)
    enough = decided(small_case(50_000, own=5_000, balance=900_000, use_account=True))
    assert (enough.account_pay, enough.cash) == (27_000, 0)
    unused = decided(small_case(50_000, own=5_000, balance=900_000))
    assert (unused.account_pay, unused.cash) == (0, 27_000)


def test_account_may_be_held_to_in_scope_cost() -> None:
    text = WHOLE.replace('"person_part"', '"in_scope"')
    decision = decided(small_case(50_000, own=5_000, balance=900_000, use_account=True), text)
    assert (decision.account_pay, decision.cash) == (22_000, 5_000)


def test_account_out_of_the_order_is_not_used() -> None:
    text = WHOLE.replace('["pool", "own_account", "cash"]', '["pool", "cash"]')
    assert decided(small_case(50_000, balance=900_000, use_account=True), text).account_pay == 0


# ── refusals: never a guess ──


def test_no_law_before_the_first_day() -> None:
    refusal = refused(small_case(50_000, day=date(2019, 12, 31)))
    assert refusal.code == "NO_LAW_FOR_DAY"
    assert "2019-12-31" in refusal.sentence()


def test_a_parameter_that_ended_is_named() -> None:
    text = (
        HEAD
        + REST
        + DEDUCTIBLE
        + CAP
        + block("pool_ratio", '{ rule = "R-6", value = "70%", to = 2024-12-31 }')
    )
    refusal = refused(small_case(50_000), text)
    assert refusal.code == "NO_LAW_FOR_DAY"
    assert "统筹支付比例" in refusal.sentence()
    assert isinstance(decide(small_case(50_000, day=date(2024, 12, 31)), small_policy(text)), Decision)


def test_everything_that_ended_is_named_at_once() -> None:
    text = WHOLE.replace('"100元" }', '"100元", to = 2024-12-31 }').replace(
        '"70%" }', '"70%", to = 2024-12-31 }'
    )
    sentence = refused(small_case(50_000), text).sentence()
    assert "起付标准、统筹支付比例" in sentence


def test_a_ceiling_that_ended_is_not_taken_for_none() -> None:
    text = (
        HEAD
        + REST
        + DEDUCTIBLE
        + RATIO
        + block("pool_cap", '{ rule = "R-7", value = "1000元", to = 2024-12-31 }', 'counter = "visit.pool"')
    )
    assert refused(small_case(50_000), text).code == "NO_LAW_FOR_DAY"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"psn_type": "9901"}, "PERSON_CLASS_NOT_COVERED"),
        ({"med_type": "41"}, "BENEFIT_NOT_OFFERED"),
        ({"insutype": "390"}, "BENEFIT_NOT_OFFERED"),
    ],
)
def test_what_the_region_does_not_grant(change: dict[str, str], code: str) -> None:
    assert refused(small_case(50_000, **change)).code == code  # type: ignore[arg-type]


def test_no_row_for_this_institution() -> None:
    text = (
        HEAD
        + REST
        + DEDUCTIBLE
        + CAP
        + block("pool_ratio", '{ rule = "R-6", value = "70%", when = { level = "1" } }')
    )
    refusal = refused(small_case(50_000, level="3"), text)
    assert refusal.code == "NO_RULE_FOR_CASE"
    assert "统筹支付比例" in refusal.sentence()


def test_a_benefit_that_needs_a_disease() -> None:
    text = WHOLE.replace(
        'title = "样例门诊"', 'title = "样例门诊", needs_disease = true, needs_recognition = true'
    )
    assert refused(small_case(50_000), text).code == "DISEASE_CODE_MISSING"
    chosen = choose_benefit(small_case(50_000, disease="M01600"), small_policy(text))
    assert isinstance(chosen, Benefit)
    assert chosen.needs_recognition


# ── defects ──


def test_a_bill_that_does_not_split_is_a_defect() -> None:
    case = msgspec.structs.replace(small_case(50_000), lines=(LineGroup(100, 0, 0, 0, 99),))
    with pytest.raises(AssertionError, match="does not equal"):
        decide(case, small_policy())


def test_a_case_of_another_region_is_a_defect() -> None:
    with pytest.raises(AssertionError, match="990001"):
        decide(msgspec.structs.replace(small_case(1), admdvs="990001"), small_policy())


def test_a_negative_bill_is_a_defect() -> None:
    with pytest.raises(AssertionError, match="negative"):
        decide(small_case(-100), small_policy())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cash": -1, "person_part": -1}, "negative"),
        ({"amount": 50_001}, "own \\+ over limit"),
        ({"person_part": 21_999}, "funds \\+ person"),
        ({"funds": ()}, "add up"),
        ({"cash": 21_999}, "account \\+ cash"),
        ({"deductible": 50_001}, "above the in-scope"),
        (
            {
                "fund_total": 50_001,
                "person_part": 0,
                "cash": 0,
                "amount": 50_001,
                "own": 1,
                "funds": (FundShare("310100", "hifp_pay", 50_001),),
            },
            "above the in-scope",
        ),
    ],
)
def test_every_identity_is_watched(wrong: dict[str, Any], message: str) -> None:
    sound = decided(small_case(50_000))
    check_identities(sound)
    with pytest.raises(AssertionError, match=message):
        check_identities(msgspec.structs.replace(sound, **wrong))


def test_funds_may_pay_out_of_scope_cost_where_the_law_says_so() -> None:
    sound = decided(small_case(50_000, own=1))
    whole = msgspec.structs.replace(
        sound,
        funds=(FundShare("310100", "hifp_pay", 50_001),),
        fund_total=50_001,
        person_part=0,
        account_pay=0,
        cash=0,
    )
    check_identities(whole, beyond_scope=True)
    with pytest.raises(AssertionError, match="above the in-scope"):
        check_identities(whole)


def test_a_case_stored_before_stays_and_layers_decides_to_the_same_fen() -> None:
    """The JSON of a settlement of the first release: (500 − 60) × 70% = 308 after 40 of the deductible."""
    stored = b"""{"admdvs":"990000","service_on":"2025-06-01","insutype":"310","med_type":"11",
    "person":{"psn_type":"1101","age":40,"identities":[],"civil_servant":false,"account_kind":"with_account",
    "paid_months":24},"institution":{"code":"H99000000001","kind":"1","level":"1","traits":[]},
    "lines":[{"amount":51000,"own":1000,"over":0,"first_pay":0,"in_scope":50000,"group":""}],"disease_code":"",
    "counters":{"visit.deductible":4000},"account_balance":5000,"use_account":true,"recognised":[]}"""
    case = msgspec.json.decode(stored, type=Case)
    decision = decided(case)
    assert (decision.deductible, decision.fund_total) == (6_000, 30_800)
    assert (decision.person_part, decision.account_pay, decision.cash) == (20_200, 5_000, 15_200)
    assert msgspec.json.decode(msgspec.json.encode(case), type=Case) == case


def test_a_benefit_that_ended_is_missing_law_not_a_thing_unknown() -> None:
    text = WHOLE.replace('title = "样例门诊"', 'title = "样例门诊", to = 2024-12-31')
    assert refused(small_case(50_000), text).code == "NO_LAW_FOR_DAY"


def test_a_needed_ceiling_without_a_row_for_this_person() -> None:
    row = '{ rule = "R-7", value = "1000元", when = { person = "retired" } }'
    text = HEAD + REST + DEDUCTIBLE + RATIO + block("pool_cap", row, 'counter = "visit.pool"')
    assert refused(small_case(50_000), text).code == "NO_RULE_FOR_CASE"
    assert decided(small_case(50_000, psn_type="1201"), text).fund_total == 28_000


def test_no_fund_for_this_person() -> None:
    fund = block(
        "fund", '{ rule = "R-F", value = "310100", field = "hifp_pay", when = { person = "retired" } }'
    )
    text = WHOLE.replace(FUND, fund)
    assert refused(small_case(50_000), text).code == "NO_RULE_FOR_CASE"


def test_a_ceiling_of_none_counts_nothing() -> None:
    text = WHOLE.replace('value = "1000元"', 'value = "不设"')
    decision = decided(small_case(900_000, counters={"visit.pool": 999_999}), text)
    assert decision.fund_total == 623_000
    assert [c.code for c in decision.counters] == ["visit.deductible"]
