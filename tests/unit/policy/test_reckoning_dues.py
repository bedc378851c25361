"""Dues on invented law: base held within its band, payers and parts, fixed sums, rounding; figures by hand."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.policy.small_policy import HEAD, REGION, block, small_policy
from yibao.kernel.refusal import Refusal
from yibao.policy.reckoning.cases import DuesCase, Reckoned
from yibao.policy.reckoning.reckon import reckon

DAY = date(2025, 6, 1)
SHARES = block(
    "dues_rate",
    """{ rule = "D-1", payer = "unit", part = "basic", value = "4.6%" },
    { rule = "D-2", payer = "person", part = "basic", value = "2%" },""",
)
BAND = block("dues_floor", '{ rule = "D-3", value = "4441元" }') + block(
    "dues_ceiling", '{ rule = "D-4", value = "22206元" }'
)
WAGE_SERIES = block(
    "index",
    """{ rule = "I-22", index = "average_wage", value = "6597元", from = 2022-01-01, to = 2023-12-31 },
    { rule = "I-24", index = "average_wage", value = "7402元", from = 2024-01-01 },""",
)
LARGE = block(
    "dues_rate",
    '{ rule = "D-5", payer = "unit", part = "large_amount", of = "index.average_wage", value = "0.1%" }',
)
FLEXIBLE = block("dues_rate", '{ rule = "D-9", payer = "person", part = "basic", value = "7.5%" }')


def dues(text: str, **facts: object) -> dict[str, int]:
    case = DuesCase(**{"admdvs": REGION, "on": DAY, "insutype": "310", **facts})  # type: ignore[arg-type]
    answer = reckon(case, small_policy(HEAD + text))
    assert isinstance(answer, Reckoned), answer.sentence()
    return dict(answer.amounts)


def refused(text: str, **facts: object) -> Refusal:
    case = DuesCase(**{"admdvs": REGION, "on": DAY, "insutype": "310", **facts})  # type: ignore[arg-type]
    answer = reckon(case, small_policy(HEAD + text))
    assert isinstance(answer, Refusal)
    return answer


# ── published and constructed examples ──


@pytest.mark.parametrize(
    ("rate", "paid"),
    [
        ("7.5%", 331_20),  # 4416 × 7.5% = 331.2
        ("8.3%", 366_53),  # 4416 × 8.3% = 366.528, up
        ("6.7%", 295_87),  # 4416 × 6.7% = 295.872, down
    ],
    ids=["PX-AC078", "PX-AC079", "PX-AC080"],
)
def test_rate_of_a_given_base(rate: str, paid: int) -> None:
    text = block("dues_rate", f'{{ rule = "D-1", payer = "person", part = "basic", value = "{rate}" }}')
    assert dues(text, base=4416_00)["total"] == paid


def test_px_ac081_wage_within_the_band_and_a_share_of_the_average_wage() -> None:
    """10000 × 4.6% = 460; 10000 × 2% = 200; 7402 × 0.1% = 7.402 → 7.40; together 667.40."""
    due = dues(SHARES + BAND + WAGE_SERIES + LARGE, wage=10_000_00)
    assert due == {
        "base": 10_000_00,
        "unit.basic": 460_00,
        "person.basic": 200_00,
        "unit.large_amount": 7_40,
        "unit": 467_40,
        "person": 200_00,
        "total": 667_40,
    }


def test_px_ac082_wage_below_the_floor() -> None:
    """3000 is raised to 4441: × 4.6% = 204.286 → 204.29; × 2% = 88.82."""
    due = dues(SHARES + BAND, wage=3000_00)
    assert (due["base"], due["unit"], due["person"]) == (4441_00, 204_29, 88_82)


# ── the band ──


@pytest.mark.parametrize(
    ("wage", "base"),
    [
        (4440_99, 4441_00),
        (4441_00, 4441_00),
        (4441_01, 4441_01),
        (22_206_00, 22_206_00),
        (22_206_01, 22_206_00),
        (0, 4441_00),
    ],
)
def test_wage_is_held_within_floor_and_ceiling(wage: int, base: int) -> None:
    assert dues(SHARES + BAND, wage=wage)["base"] == base


def test_no_band_where_the_law_has_none() -> None:
    assert dues(SHARES, wage=100_00)["base"] == 100_00


def test_a_band_known_only_for_other_times_refuses() -> None:
    """Without the floor of the day the dues would come out too low, unnoticed."""
    later = block("dues_floor", '{ rule = "D-3", value = "4441元", from = 2026-01-01 }')
    refusal = refused(SHARES + later, wage=3000_00)
    assert refusal.code == "NO_LAW_FOR_DAY"
    assert "缴费基数下限" in refusal.sentence()


def test_a_given_base_is_not_held() -> None:
    assert dues(SHARES + BAND, base=1000_00)["base"] == 1000_00


def test_floor_and_ceiling_as_shares_of_the_average_wage() -> None:
    """60% of 7402 = 4441.2 → 4441 whole yuan; 300% = 22206."""
    band = block(
        "dues_floor",
        '{ rule = "D-3", value = { share = "60%", of = "index.average_wage", rounding = "half_up_yuan" } }',
    ) + block(
        "dues_ceiling",
        '{ rule = "D-4", value = { share = "300%", of = "index.average_wage", rounding = "half_up_yuan" } }',
    )
    assert dues(SHARES + band + WAGE_SERIES, wage=1_00)["base"] == 4441_00
    assert dues(SHARES + band + WAGE_SERIES, wage=99_999_00)["base"] == 22_206_00


def test_share_of_the_average_wage_two_years_back() -> None:
    """In June 2025 the series of 1 January 2023 counts: 60% of 6597 = 3958.2, raised to 3959 whole yuan."""
    floor = block(
        "dues_floor",
        """{ rule = "D-3", value = { share = "60%", of = "index.average_wage", rounding = "up_yuan",
           years_back = 2 } }""".replace("\n          ", ""),
    )
    assert dues(SHARES + floor + WAGE_SERIES, wage=1_00)["base"] == 3959_00


def test_average_wage_missing_on_the_day_refuses() -> None:
    series = block("index", '{ rule = "I-26", index = "average_wage", value = "9000元", from = 2026-01-01 }')
    assert refused(LARGE + series, wage=1_00).code == "NO_LAW_FOR_DAY"


# ── rounding ──


def test_whole_yuan_base_only_where_the_law_says_so_of_the_base() -> None:
    """4016.4 → 4016, × 2% = 80.32: the payment itself stays in fen."""
    whole_base = block("dues_rounding", '{ rule = "D-6", value = "half_up_yuan", when = { part = "base" } }')
    due = dues(SHARES + whole_base, wage=4016_40, payers=("person",))
    assert (due["base"], due["person"]) == (4016_00, 80_32)


@pytest.mark.parametrize(
    ("mode", "paid"), [("half_up", 88_83), ("down", 88_82), ("up_yuan", 89_00), ("half_up_yuan", 89_00)]
)
def test_payments_are_rounded_as_the_law_says(mode: str, paid: int) -> None:
    """4441.25 × 2% = 88.825."""
    rounding = block("dues_rounding", f'{{ rule = "D-6", value = "{mode}" }}')
    due = dues(SHARES + rounding, wage=4441_25, payers=("person",))
    assert (due["base"], due["person"]) == (4441_25, paid)


def test_several_months_are_rounded_once() -> None:
    """4416 × 8.3% × 12 = 4398.336 → 4398.34, not 12 × 366.53 = 4398.36."""
    text = block("dues_rate", '{ rule = "D-1", payer = "person", part = "basic", value = "8.3%" }')
    assert dues(text, base=4416_00, months=12)["total"] == 4398_34


# ── fixed sums, payers, parts, kinds ──


def test_flexible_worker_with_yearly_sums() -> None:
    """7069 × 5% × 12 = 4241.40, and once a year 218 and 35: 4494.40."""
    text = block("dues_rate", '{ rule = "D-1", payer = "person", part = "basic", value = "5%" }') + block(
        "dues_fixed",
        """{ rule = "D-7", payer = "person", part = "large_amount", value = "218元", period = "year" },
        { rule = "D-8", payer = "person", part = "care", value = "35元", period = "year" },""",
    )
    due = dues(text, base=7069_00, months=12)
    assert due["person.basic"] == 4241_40
    assert due["total"] == 4494_40


def test_monthly_sum_for_each_month() -> None:
    text = block("dues_fixed", '{ rule = "D-7", payer = "person", part = "large_amount", value = "12元" }')
    assert dues(text, months=12)["total"] == 144_00


RESIDENTS = block(
    "dues_fixed",
    """{ rule = "D-20", payer = "person", part = "basic", value = "不设", when = { identity = "2303" } },
    { rule = "D-21", payer = "person", part = "basic", value = "400元", when = { age = { from = 18 } } },
    { rule = "D-22", payer = "person", part = "basic", value = "310元" },
    { rule = "D-23", payer = "state", part = "basic", value = "1070元", when = { identity = "2303" } },
    { rule = "D-24", payer = "state", part = "basic", value = "670元" },""",
    'when = { insutype = "390" }\nperiod = "year"',
)


@pytest.mark.parametrize(
    ("facts", "person", "state"),
    [
        ({"age": 17}, 310_00, 670_00),
        ({"age": 18}, 400_00, 670_00),
        ({"age": 40, "identities": ("2303",)}, 0, 1070_00),
    ],
)
def test_residents_pay_a_yearly_sum_and_the_state_its_subsidy(
    facts: dict[str, object], person: int, state: int
) -> None:
    due = dues(RESIDENTS, insutype="390", **facts)
    assert (due["person"], due["state"], due["total"]) == (person, state, person + state)
    assert "base" not in due


def test_only_the_payers_and_parts_that_are_asked_for() -> None:
    due = dues(SHARES + WAGE_SERIES + LARGE, wage=10_000_00, parts=("large_amount",))
    assert due == {"unit.large_amount": 7_40, "unit": 7_40, "total": 7_40}


def test_payer_and_part_may_stand_in_the_condition() -> None:
    text = block("dues_rate", '{ rule = "D-1", value = "2%", when = { payer = "person", part = "basic" } }')
    assert dues(text, base=1000_00) == {
        "base": 1000_00,
        "person.basic": 20_00,
        "person": 20_00,
        "total": 20_00,
    }


def test_law_that_ended_is_told_from_law_that_never_was() -> None:
    ended = block(
        "dues_rate",
        '{ rule = "D-1", value = "2%", to = 2024-12-31, when = { payer = "unit", part = "basic" } }',
    )
    assert refused(ended + BAND, base=1).code == "NO_LAW_FOR_DAY"
    floor = block(
        "dues_floor", '{ rule = "D-3", value = "4441元", to = 2024-12-31, when = { part = "basic" } }'
    )
    assert refused(SHARES + floor, wage=1).code == "NO_LAW_FOR_DAY"


def test_a_part_with_a_band_of_its_own() -> None:
    """Basic dues on 3000, large-amount dues on at least 5000: 60 and 5."""
    text = block(
        "dues_rate",
        """{ rule = "D-1", part = "basic", value = "2%" },
        { rule = "D-2", part = "large_amount", value = "0.1%" },""",
        'payer = "person"',
    ) + block("dues_floor", '{ rule = "D-3", value = "5000元", when = { part = "large_amount" } }')
    due = dues(text, wage=3000_00)
    assert due == {
        "base": 3000_00,
        "base.person.large_amount": 5000_00,
        "person.basic": 60_00,
        "person.large_amount": 5_00,
        "person": 65_00,
        "total": 65_00,
    }


def test_kind_of_enrolment_and_account_choose_the_rate() -> None:
    """With account 4.1% + 2%, pool only 3% for the flexible."""
    text = block(
        "dues_rate",
        """{ rule = "D-1", value = "6.1%", when = { account_kind = "with_account" } },
        { rule = "D-2", value = "3%", when = { account_kind = "pool_only" } },""",
        'payer = "person"\npart = "basic"\nwhen = { enrolment_kind = "flexible" }',
    )
    assert dues(text, base=1000_00, enrolment_kind="flexible", account_kind="with_account")["total"] == 61_00
    assert dues(text, base=1000_00, enrolment_kind="flexible", account_kind="pool_only")["total"] == 30_00
    assert refused(text, base=1000_00, account_kind="pool_only").code == "NO_RULE_FOR_CASE"


def test_a_new_rate_on_its_first_day() -> None:
    text = block(
        "dues_rate",
        """{ rule = "D-1", value = "5.6%", to = 2023-12-31 },
        { rule = "D-2", value = "4.6%", from = 2024-01-01 },""",
        'payer = "unit"\npart = "basic"',
    )
    assert dues(text, base=1000_00, on=date(2023, 12, 31))["total"] == 56_00
    assert dues(text, base=1000_00, on=date(2024, 1, 1))["total"] == 46_00


# ── refusals and steps ──


def test_refusals_say_what_to_do() -> None:
    assert refused(SHARES, on=date(2019, 12, 31), base=1).code == "NO_LAW_FOR_DAY"
    ended = block(
        "dues_rate", '{ rule = "D-1", payer = "unit", part = "basic", value = "8%", to = 2024-12-31 }'
    )
    assert refused(ended + BAND, base=1).code == "NO_LAW_FOR_DAY"
    unknown = refused(SHARES, base=1, psn_type="9901")
    assert (unknown.code, unknown.faults[0].field) == ("PERSON_CLASS_NOT_COVERED", "psn_type")
    missing = refused(SHARES)
    assert (missing.code, missing.faults[0].field) == ("FACT_MISSING", "wage")
    only_residents = refused(RESIDENTS, insutype="310")
    assert (only_residents.code, only_residents.faults[0].field) == ("NO_RULE_FOR_CASE", "dues_rate")
    assert all(f.remedy for f in only_residents.faults)


def test_steps_name_the_rules_and_show_the_calculation() -> None:
    case = DuesCase(admdvs=REGION, on=DAY, insutype="310", wage=3000_00)
    policy = small_policy(HEAD + SHARES + BAND)
    answer = reckon(case, policy)
    assert isinstance(answer, Reckoned)
    assert answer.policy_version == policy.version
    assert [(s.code, s.amount) for s in answer.steps] == [
        ("dues_base", 4441_00),
        ("dues", 204_29),
        ("dues", 88_82),
        ("dues_total", 293_11),
    ]
    assert [u.rule for s in answer.steps for u in s.used] == ["D-3", "D-4", "D-1", "D-2"]
    assert answer.steps[0].formula == "工资 3000.00 低于下限 4441.00，基数为 4441.00"
    assert answer.steps[1].formula == "4441.00 × 4.6% = 204.29"
    silent = reckon(case, policy, trace=False)
    assert isinstance(silent, Reckoned)
    assert (silent.amounts, silent.steps) == (answer.amounts, ())
