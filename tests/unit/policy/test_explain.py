"""Steps read in Chinese, name what they rest on, say where it is weak, and add up."""

from __future__ import annotations

import msgspec

from tests.unit.policy.pipeline_law import case_of, decided, law, layer, ratio
from tests.unit.policy.small_policy import WHOLE, block, small_case, small_policy
from yibao.policy.decide import decide
from yibao.policy.decision import Decision, Step
from yibao.policy.explain import WEAK_NOTE, differences, explain_steps


def decision(text: str = WHOLE) -> Decision:
    found = decide(
        small_case(50_000, own=1_000, counters={"visit.pool": 90_000}, balance=5_000, use_account=True),
        small_policy(text),
    )
    assert isinstance(found, Decision)
    return found


def test_the_steps_of_a_visit_in_words_and_numbers() -> None:
    rows = explain_steps(decision().steps)
    assert [(r.code, r.amount, r.formula) for r in rows] == [
        ("benefit", "", ""),
        ("in_scope", "500.00", "510.00 − 全自费 10.00 − 超限价 0.00 − 先行自付 0.00 = 500.00"),
        ("deductible", "100.00", "起付标准 100.00 − 本年已负担 0.00 = 100.00"),
        ("pool", "280.00", "(500.00 − 100.00) × 70% = 280.00"),
        ("pool_cap", "100.00", "限额 1000.00 − 本年已支付 900.00 = 余 100.00，支付 100.00"),
        ("fund", "100.00", "由基金 310100 支付 100.00"),
        ("person_part", "410.00", "510.00 − 基金支付 100.00 = 410.00"),
        ("account", "50.00", "min(个人负担的全部费用 410.00, 账户余额 50.00) = 50.00"),
        ("cash", "360.00", "410.00 − 个人账户 50.00 = 360.00"),
    ]


def test_a_basis_names_rule_value_condition_clause_source_and_mark() -> None:
    text = WHOLE.replace(
        '{ rule = "R-6", value = "70%" }',
        '{ rule = "R-6", value = "70%", clause = "在职，一级", when = { person = "active", level = "1" } }',
    )
    pool = next(r for r in explain_steps(decision(text).steps) if r.code == "pool")
    assert pool.bases[0].sentence() == (
        "R-6 pool_ratio：70%；条件：在职职工，一级医疗机构；自 2020-01-01 起；条款：在职，一级；"
        "来源：样例文件，第三条；官方文本，可靠性高"
    )
    assert not pool.weak


def test_counters_before_and_after() -> None:
    rows = {r.code: r for r in explain_steps(decision().steps)}
    assert rows["deductible"].counter == "visit.deductible：0.00 → 100.00"
    assert rows["pool_cap"].counter == "visit.pool：900.00 → 1000.00"


def test_assumed_values_and_weak_sources_are_flagged() -> None:
    for weak in ('mark = "assumed", source = ""', 'mark = "public_page", source = "L"'):
        text = WHOLE.replace('{ rule = "R-6", value = "70%" }', f'{{ rule = "R-6", value = "70%", {weak} }}')
        rows = {r.code: r for r in explain_steps(decision(text).steps)}
        assert rows["pool"].note == WEAK_NOTE
        assert WEAK_NOTE in rows["pool"].bases[0].mark
        assert rows["deductible"].note == ""


def test_bonus_points_and_bands_show_in_the_formula() -> None:
    bonus = WHOLE + block("pool_bonus", '{ rule = "R-8", value = "5个百分点" }')
    pool = next(r for r in explain_steps(decision(bonus).steps) if r.code == "pool")
    assert pool.formula == "(500.00 − 100.00) × (70% + 5%) = 300.00"
    bands = WHOLE.replace(
        '{ rule = "R-6", value = "70%" }',
        '{ rule = "R-6", bands = [{ to = "150元", ratio = "60%" }, { ratio = "80%" }] }',
    )
    pool = next(r for r in explain_steps(decision(bands).steps) if r.code == "pool")
    assert pool.formula == "150.00 × 60% + 250.00 × 80% = 290.00"


def test_a_sound_decision_has_no_differences() -> None:
    assert differences(decision()) == ()


def test_differences_name_what_does_not_add_up() -> None:
    wrong = msgspec.structs.replace(decision(), fund_total=9_999, cash=1)
    assert differences(wrong) == (
        "统筹基金支付：步骤为 100.00，结果为 99.99",
        "现金支付：步骤为 360.00，结果为 0.01",
        "现金支付步骤：步骤为 360.00，结果为 0.01",
    )
    assert differences(msgspec.structs.replace(decision(), steps=()))


def test_differences_hold_every_fund() -> None:
    rich = law(ratio("70%"), layer("serious", "60%"), order='["pool", "serious", "cash"]')
    found = decided(case_of(100_000), rich)  # (1000 − 100) × 70% = 630; own 370 × 60% = 222
    assert found.fund_total == 85_200
    dropped = msgspec.structs.replace(found, funds=found.funds[:1])
    assert differences(dropped) == ("各项基金：步骤为 630.00，结果为 852.00",)
    assert differences(msgspec.structs.replace(found, fund_total=85_201)) == (
        "各项基金支付合计：步骤为 852.00，结果为 852.01",
    )
    moved = tuple(
        msgspec.structs.replace(s, amount=s.amount + 1) if s.code == "pool" else s for s in found.steps
    )
    assert differences(msgspec.structs.replace(found, steps=moved)) == (
        "统筹基金支付步骤：步骤为 630.01，结果为 630.00",
    )


def test_a_finished_text_is_shown_as_it_is() -> None:
    step = Step("cash", "现金支付", 100, 60, "1.00 − 0.40 ＝ 0.60")
    assert explain_steps((step,))[0].formula == "1.00 − 0.40 ＝ 0.60"


def test_whole_months_and_days_are_not_shown_as_yuan() -> None:
    row = explain_steps((Step("wait", "等待期", 3, 6, "3 + 3 = 6 个月"),))[0]
    assert (row.base, row.amount) == ("3", "6")
