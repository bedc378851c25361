"""The steps before the pool: totals, remote first-pay, own account first, deductible, cost that counts.

Each step's meaning is written once over ``pipeline.exact``; all amounts in fen.
"""

from __future__ import annotations

from collections.abc import Sequence

from yibao.kernel.money import WHOLE
from yibao.policy.decision import Step
from yibao.policy.law.values import Band
from yibao.policy.pipeline.bill import Tally
from yibao.policy.pipeline.exact import Amount, Arithmetic
from yibao.policy.pipeline.plan import DeductiblePlan, Plan, Value


def worth(value: Value, tally: Tally) -> Amount:
    """Return what an amount of the law comes to for this bill; a share of a base is rounded once."""
    share = value.share
    if share is None:
        return value.number
    if share.of == "amount":
        base = tally.bill.amount
    elif share.of == "in_scope":
        base = tally.in_scope
    else:
        base = tally.bill.inputs.get(share.of.partition(".")[2], 0)
    exact = tally.arithmetic
    result = exact.divide(base * share.ratio, WHOLE, share.rounding)
    if share.at_least is not None:
        result = exact.most(result, share.at_least)
    if share.at_most is not None:
        result = exact.least(result, share.at_most)
    return result


def band_parts(
    bands: Sequence[Band], start: Amount, end: Amount, exact: Arithmetic
) -> list[tuple[Amount, Band]]:
    """Return the length of ``start..end`` that lies in each band, bounds counted from 0; above the last is unpaid."""
    if len(bands) == 1 and bands[0].upper is None:
        return [(exact.most(end - start, 0), bands[0])]
    parts = []
    lower = 0
    for band in bands:
        upper = end if band.upper is None else exact.least(end, band.upper)
        parts.append((exact.most(upper - exact.most(start, lower), 0), band))
        lower = band.upper or 0
    return parts


def explain_totals(plan: Plan, tally: Tally) -> None:
    """Add the steps that say which benefit applies and how much of the bill is in scope."""
    bill, trace = tally.bill, tally.trace
    if trace is not None:
        trace.append(
            Step("benefit", f"待遇类别：{plan.title}", bill.amount, bill.amount, "", (plan.benefit_row.used,))
        )
        operands = (bill.own, bill.over, bill.first_pay)
        trace.append(
            Step("in_scope", "政策范围内费用", bill.amount, bill.in_scope, "in_scope", operands=operands)
        )


def take_remote_first_pay(plan: Plan, tally: Tally) -> None:
    """Move the share that is taken first away from home from in-scope cost to first-pay.

    The whole is rounded half up once; named groups share it so that their parts add up to it.
    """
    row = plan.remote_first_pay
    if row is None:
        return
    exact, before = tally.arithmetic, tally.in_scope
    moved = exact.divide(before * plan.remote_rate, WHOLE, "half_up")
    groups = {}
    running = taken = 0
    for name, cost in tally.groups.items():
        running = running + cost
        upto = exact.divide(running * plan.remote_rate, WHOLE, "half_up")
        groups[name] = cost - (upto - taken)
        taken = upto
    tally.groups = groups
    tally.in_scope = before - moved
    tally.first_pay = tally.first_pay + moved
    if tally.trace is not None:
        tally.trace.append(
            Step(
                "remote_first_pay",
                "异地就医先行自付",
                before,
                moved,
                "remote_first_pay",
                (row.used,),
                operands=(plan.remote_rate,),
            )
        )


def continue_from(plan: Plan, tally: Tally) -> None:
    """Enter what another settlement of the same cost has paid."""
    for field in plan.already:
        paid = tally.bill.already[field]
        tally.funds.append(("", field, paid))
        tally.scope_paid = tally.scope_paid + paid
        if tally.trace is not None:
            tally.trace.append(
                Step("already", "已由另一次结算支付", tally.in_scope, paid, "already", operands=(field,))
            )


def pay_account_first(plan: Plan, tally: Tally) -> None:
    """Let the own account pay before the pool, in-scope cost first; the pool sees what it leaves."""
    row = plan.account_pays
    if row is None or not plan.account_first:
        return
    exact, bill = tally.arithmetic, tally.bill
    allowed = tally.in_scope if row.word == "in_scope" else bill.amount
    paid: Amount = 0
    if plan.use_account:
        paid = exact.least(allowed, exact.most(bill.balance, 0), tally.unpaid())
        if plan.first_limit is not None:
            paid = exact.least(paid, worth(plan.first_limit, tally))
    tally.account_first = paid
    tally.account_in_scope = exact.least(paid, tally.in_scope)
    if tally.trace is not None:
        used = [row.used, plan.order.used]
        used += [plan.first_limit.row.used] if plan.first_limit is not None else []
        name = "account_first" if plan.use_account else "account_unused"
        tally.trace.append(
            Step("account", "个人账户先行支付", allowed, paid, name, tuple(used), operands=(bill.balance,))
        )


def standard_of(rule: DeductiblePlan, tally: Tally) -> Amount:
    """Return the standard asked of this bill: the printed one by factor, step and floor."""
    exact = tally.arithmetic
    standard = worth(rule.standard, tally)
    factor = rule.factor
    if factor is not None and not rule.factor_last:
        standard = exact.divide(standard * factor.number, WHOLE, "half_up")
    if rule.step is not None:
        standard = exact.most(standard - worth(rule.step, tally) * rule.steps, 0)
    if rule.floor is not None:
        standard = exact.most(standard, worth(rule.floor, tally))
    if factor is not None and rule.factor_last:
        standard = exact.divide(standard * factor.number, WHOLE, "half_up")
    return standard


def take_deductible(rule: DeductiblePlan, cost: Amount, tally: Tally) -> Amount:
    """Return the deductible really charged: the standard less what the window bore, within 0 and the cost."""
    exact = tally.arithmetic
    if rule.standard.absent:
        if tally.trace is not None:
            used = (rule.standard.row.used,)
            tally.trace.append(Step("deductible", "起付标准", cost, 0, "deductible_absent", used))
        return 0
    standard = standard_of(rule, tally)
    before = tally.before(rule.counter)
    year_before = tally.before(rule.year_counter)
    due = exact.most(standard - before, 0)
    year_cap: Amount = 0
    if rule.year_cap is not None:
        year_cap = worth(rule.year_cap, tally)
        due = exact.least(due, exact.most(year_cap - year_before, 0))
    charged = exact.least(due, cost)
    if tally.trace is not None:
        _explain_deductible(rule, tally, cost, charged, (standard, year_cap, year_before))
    tally.count(rule.counter, charged, standard)
    if rule.year_cap is not None:
        tally.count(rule.year_counter, charged, year_cap)
    tally.deductible = charged
    return charged


def _explain_deductible(
    rule: DeductiblePlan, tally: Tally, cost: Amount, charged: Amount, figures: tuple[Amount, Amount, Amount]
) -> None:
    if tally.trace is None:
        return
    standard, year_cap, year_before = figures
    before = tally.before(rule.counter)
    used = [rule.standard.row.used]
    changes: list[tuple[str, Amount]] = []
    printed: Amount = standard
    if rule.factor is not None or rule.step is not None or rule.floor is not None:
        printed = worth(rule.standard, tally)
        factor = ("factor", rule.factor.number) if rule.factor is not None else None
        if factor is not None and not rule.factor_last:
            changes.append(factor)
        if rule.step is not None:
            changes += [("step", worth(rule.step, tally)), ("steps", rule.steps)]
            used.append(rule.step.row.used)
        if rule.floor is not None:
            changes.append(("floor", worth(rule.floor, tally)))
            used.append(rule.floor.row.used)
        if factor is not None and rule.factor_last:
            changes.append(factor)
        if rule.factor is not None:
            used.append(rule.factor.used)
    if rule.year_cap is not None:
        changes += [("year_cap", year_cap), ("year_before", year_before)]
        used.append(rule.year_cap.row.used)
    tally.trace.append(
        Step(
            "deductible",
            "起付标准",
            cost,
            charged,
            "deductible",
            tuple(used),
            rule.counter,
            before,
            before + charged if rule.counter else 0,
            (printed, standard, tuple(changes), rule.counter != ""),
        )
    )


def limit_cost(plan: Plan, in_scope: Amount, tally: Tally) -> Amount:
    """Return the cost that may count before the ratio: at most what the window's limit leaves, where there is one."""
    limit = plan.item_limit
    if limit is None or limit.absent:
        return in_scope
    exact, most = tally.arithmetic, worth(limit, tally)
    before = tally.before(plan.item_counter)
    counted = exact.least(in_scope, exact.most(most - before, 0))
    if tally.trace is not None:
        counter = plan.item_counter
        tally.trace.append(
            Step(
                "item_limit",
                "计入限额",
                in_scope,
                counted,
                "item_limit",
                (limit.row.used,),
                counter,
                before,
                before + counted if counter else 0,
                (most,),
            )
        )
    tally.count(plan.item_counter, counted, most)
    return counted
