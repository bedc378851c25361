"""Decides a bill: pure, one pipeline of named steps, the same for a trial and for the settlement."""

from __future__ import annotations

from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.choosing import Benefit, Rules, choose_benefit, find_rules
from yibao.policy.decision import CounterChange, Decision, FundShare, Step
from yibao.policy.parameters import RegionPolicy
from yibao.policy.steps import (
    Totals,
    apply_caps,
    explain_cash,
    explain_fund,
    explain_person,
    explain_totals,
    limit_cost,
    pay_account,
    pay_pool,
    take_deductible,
)


def decide(case: Case, policy: RegionPolicy, *, trace: bool = True) -> Decision | Refusal:
    """Decide who bears how much of a bill, by the law of the day of service.

    Args:
        case: the bill with every fact the law may ask for; amounts in fen.
        policy: the law of the insured region.
        trace: whether to say step by step how it came about; amounts do not depend on it.

    Returns:
        the decision, or a refusal where no law is loaded for the day, the person or the visit class.

    Raises:
        AssertionError: the lines do not split exactly, or the result breaks an identity: a defect.
    """
    benefit = choose_benefit(case, policy)
    if isinstance(benefit, Refusal):
        return benefit
    rules = find_rules(case, benefit, policy)
    if isinstance(rules, Refusal):
        return rules
    steps: list[Step] | None = [] if trace else None
    decision = _run(case, policy, benefit, rules, steps)
    check_identities(decision)
    return decision


def _run(
    case: Case, policy: RegionPolicy, benefit: Benefit, rules: Rules, steps: list[Step] | None
) -> Decision:
    totals = Totals(case)
    if steps is not None:
        explain_totals(totals, benefit, steps)
    deductible = take_deductible(case, rules, totals.in_scope, steps)
    cost = limit_cost(rules, totals.in_scope, steps)
    uncapped, ratio = pay_pool(rules, cost, deductible, steps)
    pool, pool_counters = apply_caps(case, rules, uncapped, steps)
    person_part = totals.amount - pool
    if steps is not None:
        explain_fund(rules, pool, steps)
        explain_person(totals.amount, pool, person_part, steps)
    account = pay_account(case, rules, person_part, totals.in_scope - pool, steps)
    cash = person_part - account
    if steps is not None:
        explain_cash(person_part, account, cash, steps)
    return Decision(
        benefit=benefit.code,
        year=case.service_on.year,
        policy_version=policy.version,
        amount=totals.amount,
        own=totals.own,
        over=totals.over,
        first_pay=totals.first_pay,
        in_scope=totals.in_scope,
        deductible=deductible,
        pool_ratio=ratio,
        funds=(FundShare(rules.fund.word, str(rules.fund.extra.get("field", "")), pool),) if pool else (),
        fund_total=pool,
        person_part=person_part,
        hospital_part=0,
        account_pay=account,
        shared_pay=0,
        cash=cash,
        counters=_deductible_counter(rules, deductible) + pool_counters,
        clr_type=benefit.clr_type,
        steps=tuple(steps) if steps is not None else (),
    )


def _deductible_counter(rules: Rules, charged: int) -> tuple[CounterChange, ...]:
    row = rules.deductible
    return (CounterChange(row.counter, charged, row.number),) if charged else ()


def check_identities(decision: Decision) -> None:
    """Hold the identities of a settlement; a breach is a defect of ours, never an answer.

    Raises:
        AssertionError: an identity is broken.
    """
    d = decision
    parts = (d.own, d.over, d.first_pay, d.in_scope, d.deductible, d.fund_total, d.account_pay, d.cash)
    if min(parts) < 0:
        raise AssertionError(f"negative amount in a decision: {parts}")
    if d.amount != d.own + d.over + d.first_pay + d.in_scope:
        raise AssertionError("bill does not equal own + over limit + first-pay + in scope")
    if d.amount != d.fund_total + d.person_part + d.hospital_part:
        raise AssertionError("bill does not equal funds + person + hospital")
    if d.fund_total != sum(f.amount for f in d.funds):
        raise AssertionError("funds do not add up to their total")
    if d.person_part != d.account_pay + d.cash:
        raise AssertionError("person's part does not equal account + cash")
    if d.deductible > d.in_scope or d.fund_total > d.in_scope:
        raise AssertionError("deductible or pool above the in-scope cost")
