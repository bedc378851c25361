"""Decides a bill: pure, one pipeline of named steps, the same for a trial and for the settlement."""

from __future__ import annotations

from typing import overload

from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.decision import CounterChange, Decision, FundShare, Step
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.pipeline.bill import Outcome, bill_of
from yibao.policy.pipeline.choosing import choose_benefit
from yibao.policy.pipeline.exact import SCALAR
from yibao.policy.pipeline.plan import Plan
from yibao.policy.pipeline.remembering import remembered_plan
from yibao.policy.pipeline.running import run
from yibao.policy.reckoning.cases import Question, Reckoned
from yibao.policy.reckoning.reckon import reckon


@overload
def decide(case: Case, policy: RegionPolicy, *, trace: bool = True) -> Decision | Refusal: ...


@overload
def decide(case: Question, policy: RegionPolicy, *, trace: bool = True) -> Reckoned | Refusal: ...


def decide(
    case: Case | Question, policy: RegionPolicy, *, trace: bool = True
) -> Decision | Reckoned | Refusal:
    """Decide who bears how much of a bill, or reckon what is no bill, by the law of the day.

    Args:
        case: the bill, or the question about dues, credits, allowances or waiting, with every fact the law
            may ask for; amounts in fen.
        policy: the law of the insured region.
        trace: whether to say step by step how it came about; amounts do not depend on it.

    Returns:
        the decision, or a refusal where no law is loaded for the day, the person or the visit class.

    Raises:
        AssertionError: the lines do not split exactly, or the result breaks an identity: a defect.
    """
    if not isinstance(case, Case):
        return reckon(case, policy, trace=trace)
    benefit = choose_benefit(case, policy)
    if isinstance(benefit, Refusal):
        return benefit
    plan = remembered_plan(case, benefit, policy)
    if isinstance(plan, Refusal):
        return plan
    steps: list[Step] | None = [] if trace else None
    outcome = run(plan, bill_of(case), SCALAR, steps)
    decision = _decision(case, policy, plan, outcome, steps)
    check_identities(decision, beyond_scope=plan.beyond_scope)
    return decision


def _decision(
    case: Case, policy: RegionPolicy, plan: Plan, outcome: Outcome, steps: list[Step] | None
) -> Decision:
    o = outcome
    shares: dict[tuple[str, str], int] = {}  # a fund that pays in several layers is one payer
    for fund, field, paid in o.funds:
        if paid:
            shares[fund, field] = shares.get((fund, field), 0) + paid
    return Decision(
        benefit=plan.benefit,
        year=case.service_on.year,
        policy_version=policy.version,
        amount=o.amount,
        own=o.own,
        over=o.over,
        first_pay=o.first_pay,
        in_scope=o.in_scope,
        deductible=o.deductible,
        pool_ratio=o.pool_ratio,
        funds=tuple(FundShare(fund, field, paid) for (fund, field), paid in shares.items()),
        fund_total=o.fund_total,
        person_part=o.person_part,
        hospital_part=0,
        account_pay=o.account_pay,
        shared_pay=o.shared_pay,
        cash=o.cash,
        counters=tuple(CounterChange(code, added, cap) for code, added, cap in o.counters if added),
        clr_type=plan.clr_type,
        exhausted=tuple(
            # More may have been used under an earlier, higher ceiling: that is what is kept.
            CounterChange(code, 0, max(cap, case.counters.get(code, 0))) for code, added, cap in o.counters
            if not added and cap is not None and 0 < cap <= case.counters.get(code, 0)
        ),
        steps=tuple(steps) if steps is not None else (),
    )


def check_identities(decision: Decision, *, beyond_scope: bool = False) -> None:
    """Hold the identities of a settlement; a breach is a defect of ours, never an answer.

    Args:
        decision: the decision.
        beyond_scope: funds may pay for cost out of scope (a floor, a lump, a layer for it); otherwise they
            never pay more than the in-scope cost.

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
    if not 0 <= d.shared_pay <= d.account_pay:
        raise AssertionError("shared accounts pay a part of what accounts pay")
    if d.person_part != d.account_pay + d.cash:
        raise AssertionError("person's part does not equal account + cash")
    if d.deductible > d.in_scope or d.fund_total > (d.amount if beyond_scope else d.in_scope):
        raise AssertionError("deductible or funds above the in-scope cost")
