"""The funds that pay after the pool, each on what the former left. All amounts in fen."""

from __future__ import annotations

from yibao.kernel.money import WHOLE
from yibao.policy.decision import Step
from yibao.policy.law.values import Band
from yibao.policy.pipeline.bill import Tally
from yibao.policy.pipeline.exact import Amount
from yibao.policy.pipeline.plan import LayerPlan, Plan
from yibao.policy.pipeline.pool import Paid, cost_above_cap
from yibao.policy.pipeline.steps import band_parts, worth


def pay_layer(plan: Plan, layer: LayerPlan, paid: Paid, tally: Tally) -> None:
    """Let one layer pay: its base, threshold, ratio and limit, and never more than nobody has paid yet."""
    exact = tally.arithmetic
    open_cost = _open_cost(layer, tally)
    base, unit = _base_of(plan, layer, paid, open_cost, tally)
    threshold = worth(layer.threshold, tally) if layer.threshold is not None else 0
    before: Amount = 0
    if layer.counter:
        if unit != 1:
            base, unit = exact.divide(base, unit, "half_up"), 1
        before = tally.before(layer.counter)
    granted = grant(layer, before + base, unit, threshold, tally)
    earlier: Amount = 0
    if layer.counter:
        earlier = grant(layer, before, 1, threshold, tally)
    payment = exact.most(granted - earlier, 0)
    paid_before = tally.before(layer.paid_counter)
    cap: Amount | None = worth(layer.cap, tally) if layer.cap is not None else None
    if cap is not None:
        payment = exact.least(payment, exact.most(cap - paid_before, 0))
    payment = exact.least(payment, open_cost)
    if tally.trace is not None:
        operands = (
            (layer.base, layer.bands, layer.above_threshold, layer.counter != ""),
            (base, unit, before, threshold),
            (granted, earlier, cap, paid_before, open_cost),
        )
        shown = exact.divide(base, unit, "half_up")
        tally.trace.append(_story(layer, shown, payment, before, paid_before, operands))
    tally.count(layer.counter, base, None)
    tally.count(layer.paid_counter, payment, cap)
    tally.funds.append((layer.fund, layer.field, payment))
    if layer.base == "out_of_scope":
        tally.out_paid = tally.out_paid + payment
    elif layer.base == "first_pay":
        tally.first_paid = tally.first_paid + payment
    else:
        tally.scope_paid = tally.scope_paid + payment


def _open_cost(layer: LayerPlan, tally: Tally) -> Amount:
    """Return the cost of the layer's kind that nobody has paid: fully own cost, first-pay, else the in-scope cost."""
    exact = tally.arithmetic
    if layer.base == "out_of_scope":
        return exact.least(exact.most(tally.bill.own - tally.out_paid, 0), tally.unpaid())
    if layer.base == "first_pay":
        return exact.least(exact.most(tally.first_pay - tally.first_paid, 0), tally.unpaid())
    left = exact.most(tally.in_scope - tally.account_in_scope - tally.scope_paid, 0)
    return exact.least(left, tally.unpaid())


def _base_of(plan: Plan, layer: LayerPlan, paid: Paid, open_cost: Amount, tally: Tally) -> tuple[Amount, int]:
    if layer.base == "above_cap":
        return cost_above_cap(plan, layer, paid, tally)
    if layer.base == "own_without_deductible":
        return tally.arithmetic.most(open_cost - tally.deductible, 0), 1
    return open_cost, 1


def grant(layer: LayerPlan, base: Amount, unit: int, threshold: Amount, tally: Tally) -> Amount:
    """Return what the layer grants for a base of ``base / unit`` fen: nothing up to the threshold, bands above it."""
    exact, bands = tally.arithmetic, layer.bands
    if unit != 1:
        bands = tuple(Band(None if b.upper is None else b.upper * unit, b.ratio) for b in bands)
        threshold = threshold * unit
    if layer.above_threshold:
        parts = band_parts(bands, 0, exact.most(base - threshold, 0), exact)
    else:
        parts = band_parts(bands, threshold, base, exact)
    numerator: Amount = 0
    for part, band in parts:
        numerator = numerator + part * band.ratio
    return exact.divide(numerator, WHOLE * unit, layer.rounding)


def _story(
    layer: LayerPlan,
    base: Amount,
    payment: Amount,
    before: Amount,
    paid_before: Amount,
    operands: tuple[object, ...],
) -> Step:
    used = [layer.row.used, layer.ratio_row.used]
    used += [layer.threshold.row.used] if layer.threshold is not None else []
    used += [layer.cap.row.used] if layer.cap is not None else []
    counter, at, after = "", 0, 0
    if layer.paid_counter:
        counter, at, after = layer.paid_counter, paid_before, paid_before + payment
    elif layer.counter:
        counter, at, after = layer.counter, before, before + base
    return Step("layer", layer.title, base, payment, "layer", tuple(used), counter, at, after, operands)
