"""A remembered plan is the plan the case would get by itself."""

from __future__ import annotations

import random
from datetime import date

import msgspec
import pytest

from tests.unit.policy.pipeline_law import case_of, law, layer, parameter
from tests.unit.policy.small_policy import block, small_policy
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.pipeline import remembering
from yibao.policy.pipeline.choosing import Benefit, choose_benefit, plan_of
from yibao.policy.pipeline.plan import Plan
from yibao.policy.pipeline.remembering import remembered_plan

WHEN = {
    "age": "{ from = 60 }",
    "admission": "{ from = 2 }",
    "paid_months": "{ below = 6 }",
    "pregnancy_months": "{ from = 4 }",
    "foetuses": "{ from = 2 }",
    "continuous_years": "{ from = 5 }",
    "person": '"retired"',
    "level": '"3"',
    "remote": '["home", "referred"]',
    "remote_place": '"outside"',
    "referred_from": '"2"',
    "maternity": '"birth"',
    "provider": '"first"',
    "cause": '"accident"',
    "maternity_filing": '"registered"',
    "rank": '"12"',
    "enrolment_kind": '"second"',
    "account_kind": '"with_account"',
    "identity": '"2303"',
    "trait": '"children"',
    "disease": '"diabetes"',
    "recognised_all": '["diabetes", "stroke"]',
    "claim_free": "true",
}
"""A condition on every fact a bill's rule may ask for."""
BONUSES = "".join(
    block(
        "pool_bonus",
        f'{{ rule = "B-{n}", value = "1个百分点", when = {{ {name} = {test} }} }}',
        f'group = "g{n}"',
    )
    for n, (name, test) in enumerate(WHEN.items())
)
LAW = law(
    BONUSES,
    parameter("deductible", '"300元"', 'counter = "visit.deductible"\nwindow = "month"'),
    parameter("deductible_step", '"100元"'),
    block("line_ratio", '{ rule = "G", value = "60%", when = { group = "implant" } }'),
    block(
        "pool_cap",
        '{ rule = "D", value = "400元", when = { disease = "diabetes" } },\n'
        '{ rule = "D", value = "500元", when = { disease = "stroke" } }',
        'counter = "disease.pool"\noptional = true\neach_other_disease = "50%"',
    ),
    parameter(
        "pool_cap", '{ amount = "900元", plus = "1元", per = "paid_months" }', 'counter = "visit.pool"'
    ),
    layer("aid", "75%", field="maf_pay"),
    order='["pool", "aid", "own_account", "cash"]',
)


def drawn(chance: random.Random) -> Case:
    pick = chance.choice
    return case_of(
        chance.randint(0, 100_000),
        groups=dict.fromkeys(pick([(), ("implant",), ("implant", "rare_drug")]), 100),
        psn_type=pick(["1101", "1201"]),
        level=pick("123"),
        day=pick([date(2025, 5, 31), date(2025, 6, 1), date(2025, 6, 30)]),
        disease=pick(["", "M01600", "M04803"]),
        recognised=pick([(), ("M04803",), ("M01600", "M04803")]),
        traits=pick([(), ("children",)]),
        use_account=pick([True, False]),
        balance=chance.randint(0, 1_000),
        age=pick([40, 59, 60]),
        paid_months=pick([0, 5, 6, 24]),
        continuous_years=pick([0, 5]),
        rank=pick(["", "12"]),
        enrolment_kind=pick(["", "second"]),
        account_kind=pick(["none", "with_account"]),
        identities=pick([(), ("2303",)]),
        claim_free=pick([True, False]),
        admission=pick([1, 2, 3]),
        remote=pick(["", "referred", "temporary"]),
        remote_place=pick(["", "outside"]),
        referred_from=pick(["", "2"]),
        maternity=pick(["", "birth"]),
        pregnancy_months=pick([0, 4]),
        foetuses=pick([1, 2]),
        provider=pick(["", "first"]),
        cause=pick(["", "accident"]),
        maternity_filing=pick(["", "registered"]),
        already=pick([{}, {"hifp_pay": 1}, {"oth_pay": 1}, {"oth_pay": 2}]),
    )


def chosen(case: Case, policy: RegionPolicy) -> Benefit:
    benefit = choose_benefit(case, policy)
    assert isinstance(benefit, Benefit)
    return benefit


def test_a_remembered_plan_is_the_plan_of_the_case() -> None:
    """Cases that differ in one fact after another: each gets its own plan, also when it is asked a second time."""
    policy, chance = small_policy(LAW), random.Random(5)
    plans = []
    case = drawn(chance)
    for _ in range(1_500):
        field = chance.choice(Case.__struct_fields__)
        other = drawn(chance)
        if field == "person":
            part = chance.choice(other.person.__struct_fields__)
            person = msgspec.structs.replace(case.person, **{part: getattr(other.person, part)})
            case = msgspec.structs.replace(case, person=person)
        else:
            case = msgspec.structs.replace(case, **{field: getattr(other, field)})
        benefit = chosen(case, policy)
        found = remembered_plan(case, benefit, policy)
        assert found == plan_of(case, benefit, policy)
        plans.append(id(found))
    assert len(set(plans)) < len(plans)  # some were remembered


def test_equal_facts_share_one_plan_and_another_law_has_its_own() -> None:
    policy, other = small_policy(LAW), small_policy(LAW.replace('"75%"', '"80%"'))
    first, second = case_of(1_000, balance=5), case_of(2_000, counters={"visit.pool": 7})
    plan = remembered_plan(first, chosen(first, policy), policy)
    assert remembered_plan(second, chosen(second, policy), policy) is plan
    assert remembered_plan(first, chosen(first, other), other) != plan


def test_age_is_no_matter_to_a_law_that_does_not_ask_for_it() -> None:
    policy = small_policy(law())
    young, old = case_of(1_000, age=20), case_of(1_000, age=90)
    plan = remembered_plan(young, chosen(young, policy), policy)
    assert remembered_plan(old, chosen(old, policy), policy) is plan


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST_PLANS", 2)
    monkeypatch.setattr(remembering, "MOST_LAWS", 1)
    monkeypatch.setattr(remembering, "_MEMORIES", {})
    for policy in (small_policy(LAW), small_policy(law())):
        for admission in range(1, 8):
            case = case_of(1_000, admission=admission)
            benefit = chosen(case, policy)
            assert remembered_plan(case, benefit, policy) == plan_of(case, benefit, policy)
    (memory,) = remembering._MEMORIES.values()
    assert len(memory.plans) <= 2


def test_a_refusal_is_not_remembered() -> None:
    text = law(layer("aid", "75%"), order='["pool", "aid", "cash"]').replace(
        'key = "layer_ratio"\n', 'key = "layer_ratio"\nwhen = { person = "retired" }\n'
    )
    policy = small_policy(text)
    case = case_of(1_000)
    benefit = chosen(case, policy)
    assert isinstance(remembered_plan(case, benefit, policy), Refusal)
    assert isinstance(remembered_plan(case, benefit, policy), Refusal)
    retired = case_of(1_000, psn_type="1201")
    assert isinstance(remembered_plan(retired, chosen(retired, policy), policy), Plan)


def test_a_number_that_grows_with_age_makes_age_matter() -> None:
    text = law(parameter("pool_ratio", '{ ratio = "50%", plus = "0.1%", per = "age" }'))
    policy = small_policy(text)
    for age in (30, 60):
        case = case_of(1_000, age=age)
        benefit = chosen(case, policy)
        assert remembered_plan(case, benefit, policy) == plan_of(case, benefit, policy)


def test_other_recognised_diseases_make_another_ceiling() -> None:
    """400 for diabetes alone; with a stroke 500 + 400 × 50% = 700."""
    rows = (
        '{ rule = "D", value = "400元", when = { disease = "diabetes" } },\n'
        '{ rule = "D", value = "500元", when = { disease = "stroke" } }'
    )
    text = law(block("pool_cap", rows, 'counter = "c"\neach_other_disease = "50%"'))
    policy, limits = small_policy(text), []
    for recognised in ((), ("M04803",)):
        case = case_of(1_000, disease="M01600", recognised=recognised)
        plan = remembered_plan(case, chosen(case, policy), policy)
        assert isinstance(plan, Plan)
        limits += [cap.limit.number for cap in plan.caps if cap.limit is not None]
    assert limits == [40_000, 70_000]


def test_a_benefit_chosen_by_another_row_keeps_its_own_title() -> None:
    text = law().replace(
        '{ rule = "R-0", value = "visit", title = "样例门诊" }',
        '{ rule = "R-0", value = "visit", title = "样例门诊" },\n'
        '{ rule = "R-00", value = "visit", title = "样例急诊", when = { insutype = "310", med_type = "13" } }',
    )
    policy, titles = small_policy(text), []
    for med_type in ("11", "13"):
        case = case_of(1_000, med_type=med_type)
        plan = remembered_plan(case, chosen(case, policy), policy)
        assert isinstance(plan, Plan)
        titles.append(plan.title)
    assert titles == ["样例门诊", "样例急诊"]
