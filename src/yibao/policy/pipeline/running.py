"""Runs a plan on the amounts of a bill, or of a column of bills: who bears how much."""

from __future__ import annotations

from yibao.policy.decision import Step
from yibao.policy.pipeline.bill import Bill, Outcome, Tally
from yibao.policy.pipeline.exact import Amount, Arithmetic
from yibao.policy.pipeline.layers import pay_layer
from yibao.policy.pipeline.plan import Plan
from yibao.policy.pipeline.pool import pay_pool
from yibao.policy.pipeline.steps import (
    continue_from,
    explain_totals,
    pay_account_first,
    take_remote_first_pay,
)


def run(plan: Plan, bill: Bill, exact: Arithmetic, trace: list[Step] | None) -> Outcome:
    """Return what a plan makes of a bill.

    Args:
        plan: the rows that apply, see ``choosing.plan_of``.
        bill: the amounts, fen.
        exact: the arithmetic the amounts understand: ``SCALAR`` for one bill.
        trace: receives the steps; None writes none, as for columns, which have no single story to tell.
    """
    tally = Tally(bill, exact, trace)
    explain_totals(plan, tally)
    take_remote_first_pay(plan, tally)
    continue_from(plan, tally)
    pay_account_first(plan, tally)
    paid = pay_pool(plan, tally)
    for layer in plan.layers:
        pay_layer(plan, layer, paid, tally)
    outcome = Outcome()
    outcome.amount, outcome.own, outcome.over = bill.amount, bill.own, bill.over
    outcome.first_pay, outcome.in_scope = tally.first_pay, tally.in_scope
    outcome.deductible, outcome.pool_ratio = tally.deductible, paid.ratio
    outcome.funds = tally.funds
    outcome.fund_total = tally.scope_paid + tally.out_paid + tally.first_paid
    outcome.person_part = bill.amount - outcome.fund_total
    _share_persons_part(plan, outcome, tally)
    outcome.counters = tally.counted()
    return outcome


def _share_persons_part(plan: Plan, outcome: Outcome, tally: Tally) -> None:
    """Divide what no fund paid between the own account and cash."""
    trace, person_part = tally.trace, outcome.person_part
    if trace is not None:
        operands = (outcome.fund_total,)
        trace.append(
            Step("person_part", "个人负担", outcome.amount, person_part, "person_part", operands=operands)
        )
    account = tally.account_first
    if plan.account_pays is not None and not plan.account_first:
        account = _pay_account(plan, person_part, tally)
    outcome.shared_pay = _pay_shared(plan, person_part, account, tally)
    outcome.account_pay = account + outcome.shared_pay
    outcome.cash = person_part - outcome.account_pay
    if trace is not None:
        operands = (outcome.account_pay,)
        trace.append(Step("cash", "现金支付", person_part, outcome.cash, "cash", operands=operands))


def _pay_account(plan: Plan, person_part: Amount, tally: Tally) -> Amount:
    """Return what the own account pays of the person's part, within its balance and its allowed use."""
    row, exact = plan.account_pays, tally.arithmetic
    assert row is not None
    allowed, paid = person_part, 0
    if row.word == "in_scope":
        allowed = exact.least(person_part, exact.most(tally.in_scope - tally.scope_paid, 0))
    if plan.use_account:
        paid = exact.least(allowed, exact.most(tally.bill.balance, 0))
    if tally.trace is not None:
        name = "account" if plan.use_account else "account_unused"
        used = (row.used, plan.order.used)
        operands = (allowed, tally.bill.balance)
        tally.trace.append(Step("account", "个人账户支付", person_part, paid, name, used, operands=operands))
    return paid


def _pay_shared(plan: Plan, person_part: Amount, account: Amount, tally: Tally) -> Amount:
    """Return what the accounts of sharing relatives pay of what the own account left of the person's part.

    A person without an own account, such as a resident child, may have one shared all the same; where the law limits the
    own account to in-scope cost, it limits a relative's likewise.
    """
    family, exact, row = tally.bill.family, tally.arithmetic, plan.account_pays
    if family is None or not plan.shared_pays:
        return 0
    allowed = person_part
    if row is not None and row.word == "in_scope":
        allowed = exact.least(person_part, exact.most(tally.in_scope - tally.scope_paid, 0))
    left = exact.most(allowed - account, 0)
    paid = exact.least(left, exact.most(family, 0))
    if tally.trace is not None:
        used = (plan.order.used,) if row is None else (row.used, plan.order.used)
        tally.trace.append(Step("shared_account", "共济账户支付", left, paid, "shared_account", used, operands=(family,)))
    return paid
