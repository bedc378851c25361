"""The steps of the pipeline, each a pure calculation that also says what it did. All amounts in fen."""

from __future__ import annotations

from yibao.kernel.money import yuan_text as yuan
from yibao.policy.case import Case
from yibao.policy.choosing import Benefit, Cap, Rules
from yibao.policy.decision import CounterChange, Step
from yibao.policy.parameters import Row
from yibao.policy.rounding import Rounding
from yibao.policy.values import Band, ratio_text

_WHOLE = 10_000
Trace = list[Step] | None


class Totals:
    """The bill added up over its lines."""

    __slots__ = ("amount", "first_pay", "in_scope", "over", "own")

    def __init__(self, case: Case) -> None:
        self.amount = self.own = self.over = self.first_pay = self.in_scope = 0
        for line in case.lines:
            self.amount += line.amount
            self.own += line.own
            self.over += line.over
            self.first_pay += line.first_pay
            self.in_scope += line.in_scope


def explain_totals(totals: Totals, benefit: Benefit, steps: list[Step]) -> None:
    """Add the step that says which benefit applies and how much of the bill is in scope."""
    t = totals
    steps.append(Step("benefit", f"待遇类别：{benefit.title}", t.amount, t.amount, "", (benefit.row.used,)))
    formula = (
        f"{yuan(t.amount)} − 全自费 {yuan(t.own)} − 超限价 {yuan(t.over)} − 先行自付 {yuan(t.first_pay)}"
        f" = {yuan(t.in_scope)}"
    )
    steps.append(Step("in_scope", "政策范围内费用", t.amount, t.in_scope, formula))


def take_deductible(case: Case, rules: Rules, in_scope: int, steps: Trace) -> int:
    """Return the deductible really charged: the standard less what the year bore, within 0 and the cost."""
    row = rules.deductible
    before = case.counters.get(row.counter, 0)
    charged = 0 if row.absent else min(max(row.number - before, 0), in_scope)
    if steps is not None:
        if row.absent:
            formula = "不设起付标准，计 0.00"
        else:
            left = max(row.number - before, 0)
            formula = (
                f"起付标准 {yuan(row.number)} − 本年已负担 {yuan(before)}"
                f"{'（不低于 0）' if before > row.number else ''} = {yuan(left)}"
            )
            if charged < left:
                formula += f"，不超过政策范围内费用 {yuan(in_scope)}，计 {yuan(charged)}"
        counter = "" if row.absent else row.counter
        steps.append(
            Step(
                "deductible",
                "起付标准",
                in_scope,
                charged,
                formula,
                (row.used,),
                counter,
                before if counter else 0,
                before + charged if counter else 0,
            )
        )
    return charged


def limit_cost(rules: Rules, in_scope: int, steps: Trace) -> int:
    """Return the cost that may count before the ratio: at most the item limit, where there is one."""
    row = rules.item_limit
    if row is None or row.absent:
        return in_scope
    counted = min(in_scope, row.number)
    if steps is not None:
        formula = f"min(政策范围内费用 {yuan(in_scope)}, 限额 {yuan(row.number)}) = {yuan(counted)}"
        steps.append(Step("item_limit", "计入限额", in_scope, counted, formula, (row.used,)))
    return counted


def pay_pool(rules: Rules, cost: int, deductible: int, steps: Trace) -> tuple[int, int]:
    """Return what the pool pays before ceilings, and the ratio applied (effective where bands apply)."""
    row, bonus = rules.pool_ratio, rules.pool_bonus
    points = bonus.number if bonus is not None else 0
    base = max(cost - deductible, 0)
    if not row.bands:
        ratio = _held(row.number + points)
        payment = rules.round(base * ratio, _WHOLE)
    else:
        payment = _pay_bands(row, cost, deductible, points, rules.round)
        ratio = (2 * payment * _WHOLE + base) // (2 * base) if base else 0
    if steps is not None:
        used = [row.used]
        if bonus is not None:
            used.append(bonus.used)
        used.append(rules.rounding.used)
        formula = _pool_formula(row, bonus, cost, deductible, payment)
        steps.append(Step("pool", "统筹基金支付（限额前）", base, payment, formula, tuple(used)))
    return payment, ratio


def apply_caps(case: Case, rules: Rules, payment: int, steps: Trace) -> tuple[int, tuple[CounterChange, ...]]:
    """Return the payment within every ceiling, and the use it makes of their counters."""
    final = payment
    for cap in rules.caps:
        if cap.limit is not None:
            final = min(final, max(cap.limit - case.counters.get(cap.counter, 0), 0))
    if steps is not None:
        running = payment
        for cap in rules.caps:
            running = _explain_cap(case, cap, running, final, steps)
    if not final:
        return 0, ()
    changes = []
    for cap in rules.caps:
        if cap.limit is not None:
            changes.append(CounterChange(cap.counter, final, cap.limit))
    return final, tuple(changes)


def pay_account(case: Case, rules: Rules, person_part: int, in_scope_own: int, steps: Trace) -> int:
    """Return what the own account pays of the person's part, within its balance and its allowed use."""
    row = rules.account_pays
    if row is None or "own_account" not in rules.order.word:
        return 0
    allowed = in_scope_own if row.word == "in_scope" else person_part
    paid = min(allowed, max(case.account_balance, 0)) if case.use_account else 0
    if steps is not None:
        if case.use_account:
            formula = (
                f"min({row.used.value} {yuan(allowed)}, 账户余额 {yuan(case.account_balance)}) = {yuan(paid)}"
            )
        else:
            formula = "本次未使用个人账户，计 0.00"
        steps.append(
            Step("account", "个人账户支付", person_part, paid, formula, (row.used, rules.order.used))
        )
    return paid


def explain_fund(rules: Rules, pool: int, steps: list[Step]) -> None:
    """Add the step that names the fund that pays."""
    used = (rules.fund.used,)
    steps.append(Step("fund", "基金支付", pool, pool, f"由基金 {rules.fund.word} 支付 {yuan(pool)}", used))


def explain_person(amount: int, fund_total: int, person_part: int, steps: list[Step]) -> None:
    """Add the step that leaves to the person what no fund paid."""
    formula = f"{yuan(amount)} − 基金支付 {yuan(fund_total)} = {yuan(person_part)}"
    steps.append(Step("person_part", "个人负担", amount, person_part, formula))


def explain_cash(person_part: int, account_pay: int, cash: int, steps: list[Step]) -> None:
    """Add the step that leaves the rest to cash."""
    formula = f"{yuan(person_part)} − 个人账户 {yuan(account_pay)} = {yuan(cash)}"
    steps.append(Step("cash", "现金支付", person_part, cash, formula))


def _pay_bands(row: Row, cost: int, deductible: int, points: int, rounding: Rounding) -> int:
    if row.extra.get("base", "above_dedc") == "cost_band":
        start, end = deductible, cost
    else:
        start, end = 0, max(cost - deductible, 0)
    return rounding(
        sum(part * _held(band.ratio + points) for part, band in band_parts(row.bands, start, end)), _WHOLE
    )


def band_parts(bands: tuple[Band, ...], start: int, end: int) -> list[tuple[int, Band]]:
    """Return the length of ``start..end`` that lies in each band, bounds counted from 0; above the last is unpaid."""
    parts = []
    lower = 0
    for band in bands:
        upper = end if band.upper is None else band.upper
        length = min(end, upper) - max(start, lower)
        if length > 0:
            parts.append((length, band))
        lower = upper
    return parts


def _held(ratio: int) -> int:
    return min(max(ratio, 0), _WHOLE)


def _pool_formula(row: Row, bonus: Row | None, cost: int, deductible: int, payment: int) -> str:
    points = bonus.number if bonus is not None else 0
    base = max(cost - deductible, 0)
    if not row.bands:
        ratio = ratio_text(row.number)
        if points:
            ratio = f"({ratio} {'+' if points > 0 else '−'} {ratio_text(abs(points))})"
        return f"({yuan(cost)} − {yuan(deductible)}) × {ratio} = {yuan(payment)}"
    whole_cost = row.extra.get("base", "above_dedc") == "cost_band"
    start, end = (deductible, cost) if whole_cost else (0, base)
    terms = [
        f"{yuan(part)} × {ratio_text(_held(b.ratio + points))}"
        for part, b in band_parts(row.bands, start, end)
    ]
    return f"{' + '.join(terms) or '0.00'} = {yuan(payment)}"


def _explain_cap(case: Case, cap: Cap, running: int, final: int, steps: list[Step]) -> int:
    used = (cap.row.used, *(r.used for r in cap.others))
    if cap.limit is None:
        steps.append(Step("pool_cap", cap.name, running, running, "不设限额", used))
        return running
    before = case.counters.get(cap.counter, 0)
    left = max(cap.limit - before, 0)
    paid = min(running, left)
    formula = f"限额 {yuan(cap.limit)} − 本年已支付 {yuan(before)} = 余 {yuan(left)}，支付 {yuan(paid)}"
    if cap.others:
        formula = f"多病种合并限额：最高一种加其余各种的一定比例；{formula}"
    steps.append(
        Step("pool_cap", cap.name, running, paid, formula, used, cap.counter, before, before + final)
    )
    return paid
