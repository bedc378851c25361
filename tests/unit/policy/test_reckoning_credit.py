"""Account credits on invented law: by a rate, by fixed sums, or both; figures by hand."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.policy.small_policy import HEAD, REGION, block, small_policy
from yibao.kernel.refusal import Refusal
from yibao.policy.reckoning.cases import CreditCase, Reckoned
from yibao.policy.reckoning.reckon import reckon

CREDITS = block("credit_rate", '{ rule = "C-1", value = "2%", when = { person = "active" } }') + block(
    "credit_fixed",
    """{ rule = "C-2", value = "106元", when = { person = "retired", age = { below = 70 } } },
    { rule = "C-3", value = "131元", when = { person = "retired", age = { from = 70 } } },""",
    'when = { account_kind = "with_account" }',
)


def credit(text: str = CREDITS, **facts: object) -> Reckoned | Refusal:
    known = {"admdvs": REGION, "on": date(2025, 6, 1), "insutype": "310", "account_kind": "with_account"}
    return reckon(CreditCase(**{**known, **facts}), small_policy(HEAD + text))  # type: ignore[arg-type]


def amount(answer: Reckoned | Refusal) -> int:
    assert isinstance(answer, Reckoned), answer.sentence()
    return answer.amount("amount")


@pytest.mark.parametrize(
    ("rate", "base", "credited"),
    [
        ("4%", 3000_00, 120_00),  # 3000 × 4%
        ("2%", 5182_00, 103_64),  # 5182 × 2%
        ("2%", 11_700_00, 234_00),  # 11700 × 2%
    ],
    ids=["PX-AC076", "PX-AC077", "PX-AC083"],
)
def test_rate_of_the_base(rate: str, base: int, credited: int) -> None:
    assert (
        amount(credit(block("credit_rate", f'{{ rule = "C-1", value = "{rate}" }}'), base=base)) == credited
    )


@pytest.mark.parametrize(("age", "credited"), [(60, 106_00), (69, 106_00), (70, 131_00)])
def test_fixed_sum_by_age(age: int, credited: int) -> None:
    assert amount(credit(psn_type="1201", age=age)) == credited


def test_several_months() -> None:
    """12 × 106 = 1272; 11700.01 × 2% × 3 = 702.0006 → 702.00, rounded once."""
    assert amount(credit(psn_type="1201", age=60, months=12)) == 1272_00
    assert amount(credit(psn_type="1101", base=11_700_01, months=3)) == 702_00


def test_own_payment_and_a_fixed_sum_add_up() -> None:
    """5000 × 2% + 15 = 115."""
    text = block("credit_rate", '{ rule = "C-1", value = "2%" }') + block(
        "credit_fixed", '{ rule = "C-2", value = "15元" }'
    )
    answer = credit(text, base=5000_00)
    assert isinstance(answer, Reckoned)
    assert answer.amounts == (("rate", 100_00), ("fixed", 15_00), ("amount", 115_00))


def test_law_that_grants_nothing_is_not_silence() -> None:
    text = block("credit_fixed", '{ rule = "C-4", value = "不设", when = { account_kind = "pool_only" } }')
    assert amount(credit(text, account_kind="pool_only")) == 0


def test_rate_that_rises_with_age() -> None:
    """3% + 0.05% × 40 = 5% of 4000 = 200."""
    text = block("credit_rate", '{ rule = "C-1", value = { ratio = "3%", plus = "0.05%", per = "age" } }')
    assert amount(credit(text, base=4000_00, age=40)) == 200_00


def test_share_of_a_named_input() -> None:
    """2% of a pension of 4321.25 = 86.425 → 86.43 half up."""
    text = block("credit_fixed", '{ rule = "C-2", value = { share = "2%", of = "input.pension" } }')
    assert amount(credit(text, inputs={"pension": 4321_25})) == 86_43
    missing = credit(text)
    assert isinstance(missing, Refusal)
    assert (missing.code, missing.faults[0].field) == ("FACT_MISSING", "inputs.pension")


def test_rounding_of_dues_is_not_that_of_credits() -> None:
    """5182 × 2% = 103.64 stays; only a row that names the credit rounds it to 104."""
    text = block("credit_rate", '{ rule = "C-1", value = "2%" }')
    dues_only = block("dues_rounding", '{ rule = "D-6", value = "half_up_yuan" }')
    named = block("dues_rounding", '{ rule = "D-6", value = "half_up_yuan", when = { part = "credit" } }')
    assert amount(credit(text + dues_only, base=5182_00)) == 103_64
    assert amount(credit(text + named, base=5182_00)) == 104_00


def test_refusals() -> None:
    nobody = credit(psn_type="1101", account_kind="pool_only", base=None)
    assert isinstance(nobody, Refusal)
    assert (nobody.code, nobody.faults[0].field) == ("FACT_MISSING", "base")
    silent = credit(psn_type="1201", account_kind="pool_only")
    assert isinstance(silent, Refusal)
    assert (silent.code, silent.faults[0].field) == ("NO_RULE_FOR_CASE", "credit_rate")
    before = credit(psn_type="1101", base=1, on=date(2019, 1, 1))
    assert isinstance(before, Refusal)
    assert before.code == "NO_LAW_FOR_DAY"


def test_steps() -> None:
    answer = credit(psn_type="1101", base=11_700_00, months=2)
    assert isinstance(answer, Reckoned)
    assert [(s.code, s.formula) for s in answer.steps] == [
        ("credit", "11700.00 × 2% × 2 个月 = 468.00"),
        ("credit_total", "468.00 = 468.00"),
    ]
    assert [u.rule for u in answer.steps[0].used] == ["C-1"]
