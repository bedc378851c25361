"""The steps ask nothing of an amount but the exact vocabulary: the same functions decide a whole column of bills."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.unit.policy.pipeline_law import bands, case_of, deductible, law, layer, parameter, ratio
from tests.unit.policy.small_policy import CAP, block, small_policy
from yibao.policy.case import Case
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.law.rounding import ROUNDINGS
from yibao.policy.pipeline.bill import Bill, Outcome, bill_of
from yibao.policy.pipeline.choosing import Benefit, choose_benefit, plan_of
from yibao.policy.pipeline.exact import Arithmetic
from yibao.policy.pipeline.plan import Plan
from yibao.policy.pipeline.running import run

ROWS = 60


class Column:
    """A column of amounts that nobody can take for a single one: it has no truth, no order and no division."""

    def __init__(self, values: list[int]) -> None:
        self.values = values

    def _with(self, other: Any, work: Callable[[int, int], int]) -> Column:
        return Column([work(a, b) for a, b in zip(self.values, spread(other), strict=True)])

    def __add__(self, other: Any) -> Column:
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other: Any) -> Column:
        return self._with(other, lambda a, b: a - b)

    def __mul__(self, other: Any) -> Column:
        return self._with(other, lambda a, b: a * b)

    def __rsub__(self, other: Any) -> Column:
        return self._with(other, lambda a, b: b - a)

    __radd__, __rmul__ = __add__, __mul__

    def __bool__(self) -> bool:
        raise AssertionError("a step asked whether a column is true")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a step compared a column")

    __hash__ = None  # type: ignore[assignment]


def spread(value: Any) -> list[int]:
    return value.values if isinstance(value, Column) else [value] * ROWS


class OfColumns:
    """The exact vocabulary, row by row."""

    def least(self, *amounts: Any) -> Any:
        return Column([min(row) for row in zip(*map(spread, amounts), strict=True)])

    def most(self, *amounts: Any) -> Any:
        return Column([max(row) for row in zip(*map(spread, amounts), strict=True)])

    def divide(self, numerator: Any, denominator: Any, rounding: str) -> Any:
        pairs = zip(spread(numerator), spread(denominator), strict=True)
        return Column([ROUNDINGS[rounding][1](n, d) for n, d in pairs])

    def pick(self, condition: Any, then: Any, otherwise: Any) -> Any:
        return Column(
            [
                a if c else b
                for c, a, b in zip(spread(condition), spread(then), spread(otherwise), strict=True)
            ]
        )


def column_of(bills: list[Bill]) -> Bill:
    """Return one bill whose amounts are columns; bills are of one plan, so their groups and fields agree."""

    def over(read: Callable[[Bill], int]) -> Any:
        return Column([read(bill) for bill in bills])

    def each(read: Callable[[Bill], Any]) -> dict[str, Any]:
        names = sorted({name for bill in bills for name in read(bill)})
        return {name: Column([read(bill).get(name, 0) for bill in bills]) for name in names}

    return Bill(
        amount=over(lambda b: b.amount),
        own=over(lambda b: b.own),
        over=over(lambda b: b.over),
        first_pay=over(lambda b: b.first_pay),
        in_scope=over(lambda b: b.in_scope),
        groups=each(lambda b: b.groups),
        counters=each(lambda b: b.counters),
        balance=over(lambda b: b.balance),
        already=each(lambda b: b.already),
        inputs=each(lambda b: b.inputs),
    )


GROUPS = block("line_ratio", '{ rule = "G", value = "60%", when = { group = "special_drug" } }') + block(
    "line_deductible",
    '{ rule = "G", value = "200元", when = { group = "special_drug" } }',
    'counter = "drug.cost"',
)
EVERYTHING = law(
    parameter("deductible", '{ share = "10%", of = "in_scope", at_most = "300元" }', 'counter = "visit.deductible"'),
    block("deductible_factor", '{ rule = "F", value = "50%" }'),
    parameter("deductible_step", '"20元"'),
    parameter("deductible_floor", '"10元"'),
    parameter("deductible_year_cap", '"250元"', 'counter = "year.deductible"'),
    parameter("remote_first_pay", '"10%"'),
    parameter("account.first_limit", '{ share = "3%", of = "amount" }'),
    parameter("item_limit", '"5000元"', 'counter = "item"'),
    GROUPS,
    bands("1000:50%", "2000:65%", "80%", base="cost_band"),
    parameter("own_factor", '"60%"'),
    parameter("pool_floor", '"50元"'),
    parameter("pool_cap", '"800元"', 'counter = "visit.pool"\nfeeds = true'),
    parameter("pool_cap", '"900元"', 'counter = "other.pool"'),
    layer("large", "500:90%", "70%", base="above_cap", field="hifob_pay", more='paid_counter = "large.paid"', cap="2000元"),
    layer("serious", "400:60%", "70%", threshold="100元", more='counter = "serious.cost"', axis="above_dedc"),
    layer("aid", "75%", base="own_without_deductible", field="maf_pay"),
    layer("extra", "5%", base="out_of_scope", field="oth_pay"),
    order='["own_account", "pool", "large", "serious", "aid", "extra", "cash"]',
)  # fmt: skip
LUMP = law(parameter("lump", '{ share = "40%", of = "input.income" }'), CAP)
PLAIN = law(deductible("100元", "visit.deductible"), ratio("70%"), CAP)
CONVERTED = EVERYTHING.replace('base = "above_cap"', 'base = "above_cap"\nconversion = "80%"')


def drawn(chance: random.Random, groups: bool) -> Case:
    counters = (
        "visit.deductible",
        "year.deductible",
        "item",
        "drug.cost",
        "visit.pool",
        "other.pool",
        "large.paid",
    )
    in_scope = chance.choice([0, 1, chance.randint(0, 20_000), chance.randint(0, 2_000_000)])
    return case_of(
        in_scope,
        groups={"special_drug": chance.randint(0, 60_000)} if groups else None,
        own=chance.choice([0, chance.randint(0, 90_000)]),
        admission=2,
        counters={code: chance.randint(0, 100_000) for code in chance.sample((*counters, "serious.cost"), 4)},
        balance=chance.choice([0, chance.randint(0, 100_000)]),
        use_account=True,
        inputs={"income": chance.randint(0, 400_000)},
        already={"hifes_pay": min(chance.randint(0, 3_000), in_scope // 2)} if groups else {},
    )


def answers(decision: Decision) -> tuple[Any, ...]:
    d = decision
    funds = [(f.fund_pay_type, f.field, f.amount) for f in d.funds]
    counters = [(c.code, c.delta, c.cap) for c in d.counters]
    amounts = (
        d.first_pay,
        d.in_scope,
        d.deductible,
        d.pool_ratio,
        d.fund_total,
        d.person_part,
        d.account_pay,
        d.cash,
    )
    return (amounts, funds, counters)


def answers_of_row(outcome: Outcome, row: int) -> tuple[Any, ...]:
    o = outcome
    funds = [(kind, field, spread(paid)[row]) for kind, field, paid in o.funds]
    counters = [
        (code, spread(added)[row], None if cap is None else spread(cap)[row])
        for code, added, cap in o.counters
    ]
    amounts = (
        o.first_pay,
        o.in_scope,
        o.deductible,
        o.pool_ratio,
        o.fund_total,
        o.person_part,
        o.account_pay,
        o.cash,
    )
    return (
        tuple(spread(amount)[row] for amount in amounts),
        [share for share in funds if share[2]],
        [change for change in counters if change[1]],
    )


@pytest.mark.parametrize(
    ("text", "groups"),
    [(EVERYTHING, True), (EVERYTHING, False), (CONVERTED, True), (LUMP, False), (PLAIN, False)],
)
def test_a_column_of_bills_is_decided_like_each_of_them(text: str, groups: bool) -> None:
    policy, chance = small_policy(text), random.Random(20211018)
    cases = [drawn(chance, groups) for _ in range(ROWS)]
    benefit = choose_benefit(cases[0], policy)
    assert isinstance(benefit, Benefit)
    plan = plan_of(cases[0], benefit, policy)
    assert isinstance(plan, Plan)
    outcome = run(plan, column_of([bill_of(case) for case in cases]), cast(Arithmetic, OfColumns()), None)
    paying = 0
    for row, case in enumerate(cases):
        decision = decide(case, policy)
        assert isinstance(decision, Decision)
        assert answers_of_row(outcome, row) == answers(decision)
        paying += len(decision.funds)
    assert paying > ROWS // 2  # the law is one that pays


def test_cases_of_equal_facts_share_a_plan() -> None:
    """Amounts, counters, inputs and balances may differ: the plan does not."""
    policy, chance = small_policy(EVERYTHING), random.Random(1)
    plans = []
    for case in (drawn(chance, True) for _ in range(5)):
        benefit = choose_benefit(case, policy)
        assert isinstance(benefit, Benefit)
        plans.append(plan_of(case, benefit, policy))
    assert all(plan == plans[0] for plan in plans)
