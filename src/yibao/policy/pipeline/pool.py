"""The pool's steps: lines paid at their own ratio, ratio and bands, lump, floor, ceilings. All amounts in fen.

A payment is kept as *segments*, cost at a rate, so that it is rounded once and so that the cost behind a ceiling
can be found again exactly.
"""

from __future__ import annotations

import msgspec

from yibao.kernel.money import WHOLE
from yibao.policy.decision import Step, Used
from yibao.policy.pipeline.bill import Tally
from yibao.policy.pipeline.exact import Amount
from yibao.policy.pipeline.plan import CapPlan, GroupPlan, LayerPlan, Plan, PoolPlan, Value
from yibao.policy.pipeline.steps import band_parts, limit_cost, take_deductible, worth

Segments = list[tuple[Amount, int]]
"""Cost in fen and the rate at which the pool pays it, in units of ``1 / scale``; the first is paid first."""


class Paid(msgspec.Struct, gc=False):
    """What the pool pays, and what a layer must know of how it came about.

    Attributes:
        amount: the payment within every ceiling.
        ratio: applied ratio in ten-thousandths, before floor and ceilings; 0 for a lump.
        segments: cost at rates, in the order in which they are paid.
        base: cost of the pool's own segments, fen.
        scale: what a rate of 100 % is.
        top: most the segments pay within the ceilings that feed nothing, fen.
        left: what the feeding ceiling left for this bill, None if no ceiling feeds a layer.
    """

    amount: Amount
    ratio: Amount = 0
    segments: Segments = []
    base: Amount = 0
    scale: int = WHOLE
    top: Amount | None = None
    left: Amount | None = None


def pay_pool(plan: Plan, tally: Tally) -> Paid:
    """Return what the pool pays of the bill: by a lump, or by deductible, ratio and floor; then its ceilings."""
    if plan.pool_paid:
        return Paid(0)
    if plan.lump is not None:
        paid = Paid(_pay_lump(plan.lump, tally))
    elif plan.pool is not None and plan.deductible is not None:
        paid = _pay_ratio(plan, plan.pool, tally)
    else:
        raise AssertionError(f"plan of {plan.benefit} has neither a lump nor a ratio")
    if plan.floor is not None:
        paid.amount = _hold_floor(plan.floor, paid.amount, tally)
    apply_caps(plan.caps, paid, tally)
    tally.funds.append((plan.fund.word, plan.fund_field, paid.amount))
    tally.scope_paid = tally.scope_paid + paid.amount
    if tally.trace is not None:
        used = (plan.fund.used,)
        tally.trace.append(
            Step("fund", "基金支付", paid.amount, paid.amount, "fund", used, operands=(plan.fund.word,))
        )
    return paid


def _pay_lump(lump: Value, tally: Tally) -> Amount:
    most, unpaid = worth(lump, tally), tally.unpaid()
    paid = tally.arithmetic.least(unpaid, most)
    if tally.trace is not None:
        used = (lump.row.used,)
        tally.trace.append(Step("lump", "定额支付", unpaid, paid, "lump", used, operands=(most,)))
    return paid


def _pay_ratio(plan: Plan, pool: PoolPlan, tally: Tally) -> Paid:
    exact = tally.arithmetic
    open_scope = tally.in_scope
    if plan.account_first:
        open_scope = open_scope - tally.account_in_scope
    costs, ordinary = _divide_lines(plan.groups, open_scope, tally)
    assert plan.deductible is not None
    deductible = take_deductible(plan.deductible, ordinary, tally)
    cost = limit_cost(plan, open_scope, tally)
    if plan.groups:
        cost = exact.most(cost - (open_scope - ordinary), 0)
    segments: Segments = [
        (count_group(group, own, tally), group.rate) for group, own in zip(plan.groups, costs, strict=True)
    ]
    base = exact.most(cost - deductible, 0)
    parts = (
        band_parts(pool.bands, deductible, cost, exact)
        if pool.on_cost
        else band_parts(pool.bands, 0, base, exact)
    )
    pool_numerator: Amount = 0
    for part, band in parts:
        segments.append((part, band.ratio))
        pool_numerator = pool_numerator + part * band.ratio
    numerator = pool_numerator
    for part, rate in segments[: len(plan.groups)]:
        numerator = numerator + part * rate
    payment = exact.divide(numerator, pool.scale, plan.rounding)
    ratio: Amount = pool.flat
    if pool.flat < 0:
        own = exact.divide(pool_numerator, pool.scale, plan.rounding) if plan.groups else payment
        ratio = exact.divide(own * WHOLE, exact.most(base, 1), "half_up")
    if tally.trace is not None:
        used = [pool.row.used, *(r.used for r in pool.bonuses)]
        used += [pool.factor.used] if pool.factor is not None else []
        used.append(plan.rounding_row.used)
        points = tuple(r.number for r in pool.bonuses)
        factor = pool.factor.number if pool.factor is not None else None
        written = pool.row.used.value if pool.row.formula is not None else ""
        own_ratio = -1 if pool.row.bands else pool.row.number
        groups = len(plan.groups)
        operands = (cost, deductible, own_ratio, written, points, factor, segments, groups, pool.scale)
        tally.trace.append(
            Step("pool", "统筹基金支付（限额前）", base, payment, "pool", tuple(used), operands=operands)
        )
    return Paid(payment, ratio, segments, base, pool.scale)


def _divide_lines(
    groups: tuple[GroupPlan, ...], open_scope: Amount, tally: Tally
) -> tuple[list[Amount], Amount]:
    """Return the cost of each group and of the ordinary lines; what the account has paid was ordinary cost first."""
    rest, costs = open_scope, []
    for group in groups:
        cost = tally.arithmetic.least(tally.groups.get(group.group, 0), rest)
        costs.append(cost)
        rest = rest - cost
    return costs, rest


def count_group(group: GroupPlan, cost: Amount, tally: Tally) -> Amount:
    """Return the cost of a group above its own threshold, which the window's earlier cost has partly passed."""
    exact, counted = tally.arithmetic, cost
    before = tally.before(group.counter)
    used: tuple[Used, ...] = (group.row.used,)
    threshold: Amount = 0
    if group.threshold is not None and not group.threshold.absent:
        threshold = worth(group.threshold, tally)
        counted = exact.most(before + cost - threshold, 0) - exact.most(before - threshold, 0)
        used = (*used, group.threshold.row.used)
    if tally.trace is not None:
        after = before + cost if group.counter else 0
        tally.trace.append(
            Step(
                "line_group",
                f"单列项目：{group.group}",
                cost,
                counted,
                "line_group",
                used,
                group.counter,
                before,
                after,
                (threshold,),
            )
        )
    tally.count(group.counter, cost, None)
    return counted


def _hold_floor(floor: Value, payment: Amount, tally: Tally) -> Amount:
    """Return the payment raised to the floor, never above what nobody has paid of the bill."""
    exact, least = tally.arithmetic, worth(floor, tally)
    unpaid = tally.unpaid()
    paid = exact.most(payment, exact.least(unpaid, least))
    if tally.trace is not None:
        operands = (least, unpaid)
        tally.trace.append(
            Step("pool_floor", "最低支付", payment, paid, "pool_floor", (floor.row.used,), operands=operands)
        )
    return paid


def apply_caps(caps: tuple[CapPlan, ...], paid: Paid, tally: Tally) -> None:
    """Hold the payment within every ceiling and count its use of each of them."""
    exact = tally.arithmetic
    final = paid.amount
    held: list[tuple[CapPlan, Amount, Amount]] = []
    for cap in caps:
        if cap.limit is None:
            continue
        limit = worth(cap.limit, tally)
        left = exact.most(limit - tally.before(cap.counter), 0)
        final = exact.least(final, left)
        held.append((cap, limit, left))
        if cap.feeds:
            paid.left = left if paid.left is None else exact.least(paid.left, left)
        else:
            paid.top = left if paid.top is None else exact.least(paid.top, left)
    if tally.trace is not None:
        _explain_caps(caps, held, paid.amount, final, tally)
    for cap, limit, _ in held:
        tally.count(cap.counter, final, limit)
    paid.amount = final


def _explain_caps(
    caps: tuple[CapPlan, ...],
    held: list[tuple[CapPlan, Amount, Amount]],
    payment: Amount,
    final: Amount,
    tally: Tally,
) -> None:
    if tally.trace is None:
        return
    found = {cap.counter: (limit, left) for cap, limit, left in held}
    running = payment
    for cap in caps:
        used = (cap.row.used, *(r.used for r in cap.others))
        if cap.limit is None:
            tally.trace.append(Step("pool_cap", cap.name, running, running, "pool_cap_absent", used))
            continue
        limit, left = found[cap.counter]
        before, within = tally.before(cap.counter), tally.arithmetic.least(running, left)
        tally.trace.append(
            Step(
                "pool_cap",
                cap.name,
                running,
                within,
                "pool_cap",
                used,
                cap.counter,
                before,
                before + final,
                (limit, left, len(cap.others)),
            )
        )
        running = within


def cost_above_cap(plan: Plan, layer: LayerPlan, paid: Paid, tally: Tally) -> tuple[Amount, int]:
    """Return the in-scope cost whose payment the feeding ceiling cut, as an exact number of ``1 / unit`` fen.

    The bill's own ratio is inverted piece by piece from the top; a layer with a ``conversion`` has what the
    ceiling left turned into cost by that ratio instead.
    """
    exact = tally.arithmetic
    if paid.left is None or not paid.segments:
        return 0, 1
    if layer.conversion:
        cost = exact.most(tally.in_scope - tally.deductible, 0)
        return exact.most(cost * layer.conversion - paid.left * WHOLE, 0), layer.conversion
    unit = plan.inverse
    left = paid.left * paid.scale
    above: Amount = 0
    below: Amount = 0
    for part, rate in paid.segments:
        if not rate:
            continue
        payment = part * rate
        upper = below + payment
        top = upper if paid.top is None else exact.least(upper, paid.top * paid.scale)
        cut = exact.most(top - exact.most(below, left), 0)
        above = above + cut * (unit // rate)
        below = upper
    return above, unit
