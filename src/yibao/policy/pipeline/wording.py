"""Writes the sentence of a step in Chinese, when somebody reads it: the calculation in words and numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from yibao.kernel.money import WHOLE
from yibao.kernel.money import yuan_text as yuan
from yibao.policy.decision import Step
from yibao.policy.law.values import Band, ratio_text
from yibao.policy.pipeline.exact import SCALAR
from yibao.policy.pipeline.steps import band_parts

_FIELDS = {
    "hifp_pay": "基本医疗统筹基金",
    "cvlserv_pay": "公务员补助",
    "hifes_pay": "企业补充",
    "hifmi_pay": "大病保险",
    "hifob_pay": "大额补助",
    "maf_pay": "医疗救助",
    "oth_pay": "其他",
}
_BASES = {
    "own": "政策范围内个人负担",
    "own_without_deductible": "政策范围内个人负担（不含起付标准）",
    "above_cap": "统筹限额以上费用",
    "out_of_scope": "政策范围外费用",
    "first_pay": "先行自付费用",
}


def formula_of(step: Step) -> str:
    """Return how a step came to its amount, as one line of text; ``""`` for a step that calculates nothing."""
    write = _SENTENCES.get(step.formula)
    return write(step) if write is not None else step.formula


def rate_text(rate: int, scale: int) -> str:
    """Return a rate of ``rate / scale`` as per cent: exactly where four decimals of it do."""
    if scale == WHOLE:
        return ratio_text(rate)
    text = f"{(Decimal(100 * rate) / Decimal(scale)).quantize(Decimal('0.0001')):f}"
    return f"{text.rstrip('0').rstrip('.')}%"


def _in_scope(step: Step) -> str:
    own, over, first_pay = step.operands
    return (
        f"{yuan(step.base)} − 全自费 {yuan(own)} − 超限价 {yuan(over)} − 先行自付 {yuan(first_pay)}"
        f" = {yuan(step.amount)}"
    )


def _remote_first_pay(step: Step) -> str:
    left = yuan(step.base - step.amount)
    return (
        f"{yuan(step.base)} × {ratio_text(step.operands[0])} = {yuan(step.amount)}，余政策范围内费用 {left}"
    )


def _already(step: Step) -> str:
    field = step.operands[0]
    return f"{_FIELDS.get(field, field)}已另行支付 {yuan(step.amount)}"


def _deductible(step: Step) -> str:
    printed, standard, changes, counted = step.operands
    told = dict(changes)
    text = f"起付标准 {yuan(printed)}"
    modified = [_deductible_change(name, number, told) for name, number in changes]
    if any(modified):
        text += f"{''.join(modified)} = {yuan(standard)}"
        text += f"；{yuan(standard)}" if counted else ""
    before = step.counter_before
    due = max(standard - before, 0)
    if counted:
        text += f" − {_period(step.counter)}已负担 {yuan(before)}{'（不低于 0）' if before > standard else ''} = {yuan(due)}"
    if "year_cap" in told:
        cap, used = told["year_cap"], told["year_before"]
        left = max(cap - used, 0)
        due = min(due, left)
        text += f"；年度累计上限 {yuan(cap)} − 本年已计 {yuan(used)} = 余 {yuan(left)}，计 {yuan(due)}"
    if step.amount < due:
        text += f"，不超过政策范围内费用 {yuan(step.base)}，计 {yuan(step.amount)}"
    return text


def _deductible_change(name: str, number: int, told: dict[str, int]) -> str:
    if name == "factor":
        return f" × {ratio_text(number)}"
    if name == "step":
        return f" − {yuan(number)} × {told['steps']} 次"
    if name == "floor":
        return f"（不低于 {yuan(number)}）"
    return ""


def _period(counter: str) -> str:
    """Return the window a counter counts in, as it is said in a sentence."""
    if "#" in counter:
        return "本次妊娠" if counter.endswith("#pregnancy") else "本次住院"
    if "@" in counter:
        return "本季" if "Q" in counter.rpartition("@")[2] else "本月"
    return "本年"


def _item_limit(step: Step) -> str:
    limit = step.operands[0]
    what = f"限额 {yuan(limit)}"
    if step.counter:
        left = max(limit - step.counter_before, 0)
        counted = f"{_period(step.counter)}已计 {yuan(step.counter_before)}"
        what = f"限额 {yuan(limit)} − {counted} = 余 {yuan(left)}"
    return f"min(政策范围内费用 {yuan(step.base)}, {what}) = {yuan(step.amount)}"


def _line_group(step: Step) -> str:
    threshold = step.operands[0]
    if not threshold:
        return f"费用 {yuan(step.base)} 按单列比例支付，不扣起付标准"
    text = f"累计费用 {yuan(step.counter_before)} + {yuan(step.base)}，超过 {yuan(threshold)} 的部分"
    return f"{text} = {yuan(step.amount)}"


def _pool(step: Step) -> str:
    cost, deductible, ratio, written, points, factor, segments, groups, scale = step.operands
    own = [f"{yuan(part)} × {rate_text(rate, scale)}" for part, rate in segments[:groups] if part > 0]
    if ratio >= 0:
        text = written or ratio_text(ratio)
        if any(points):
            signs = "".join(f" {'+' if p > 0 else '−'} {ratio_text(abs(p))}" for p in points)
            text = f"({text}{signs})"
        if factor is not None:
            text = f"[1 − {ratio_text(factor)} × (1 − {text})]"
        if factor is not None or written:
            text += f"（即 {rate_text(segments[groups][1], scale)}）"
        terms = [f"({yuan(cost)} − {yuan(deductible)}) × {text}"]
    else:
        terms = [f"{yuan(part)} × {rate_text(rate, scale)}" for part, rate in segments[groups:] if part > 0]
    return f"{' + '.join([*terms, *own]) or '0.00'} = {yuan(step.amount)}"


def _lump(step: Step) -> str:
    return f"min(费用 {yuan(step.base)}, 定额 {yuan(step.operands[0])}) = {yuan(step.amount)}"


def _pool_floor(step: Step) -> str:
    least, unpaid = step.operands
    return (
        f"max(按比例支付 {yuan(step.base)}, min(费用 {yuan(unpaid)}, 最低支付 {yuan(least)}))"
        f" = {yuan(step.amount)}"
    )


def _pool_cap(step: Step) -> str:
    limit, left, others = step.operands
    text = (
        f"限额 {yuan(limit)} − {_period(step.counter)}已支付 {yuan(step.counter_before)} = 余 {yuan(left)}，"
        f"支付 {yuan(step.amount)}"
    )
    return f"多病种合并限额：最高一种加其余各种的一定比例；{text}" if others else text


def _layer(step: Step) -> str:
    (kind, bands, above_threshold, counted), (base, unit, before, threshold) = step.operands[:2]
    granted, earlier, cap, paid_before, open_cost = step.operands[2]
    text = f"{_BASES[kind]} {_yuan_of(base, unit)}"
    if counted:
        text += f"，本年累计 {yuan(before)} + {yuan(base)} = {yuan(before + base)}"
    if threshold:
        text += f"，起付线 {yuan(threshold)}"
    bounds = tuple(Band(None if b.upper is None else b.upper * unit, b.ratio) for b in bands)
    start, end = threshold * unit, before + base
    if above_threshold:
        start, end = 0, max(end - start, 0)
    parts = [(part, band.ratio) for part, band in band_parts(bounds, start, end, SCALAR) if part > 0]
    terms = " + ".join(f"{_yuan_of(part, unit)} × {ratio_text(ratio)}" for part, ratio in parts)
    text += f"：{terms or '0.00'} = {yuan(granted)}"
    due = max(granted - earlier, 0)
    if counted:
        text += f" − 此前累计应付 {yuan(earlier)} = {yuan(due)}"
    if cap is not None:
        text += f"，限额 {yuan(cap)} 余 {yuan(max(cap - paid_before, 0))}"
    if step.amount < due and step.amount == open_cost:
        text += f"，不超过尚未支付的费用 {yuan(open_cost)}"
    return f"{text}，支付 {yuan(step.amount)}" if step.amount != due or cap is not None else text


def _yuan_of(amount: int, unit: int) -> str:
    """Return an amount of ``amount / unit`` fen as yuan, said to be rounded where two decimals do not hold it."""
    if amount % unit == 0:
        return yuan(amount // unit)
    return f"约 {yuan(SCALAR.divide(amount, unit, 'half_up'))}"


def _account(step: Step) -> str:
    allowed, balance = step.operands
    scope = step.used[0].value
    return f"min({scope} {yuan(allowed)}, 账户余额 {yuan(balance)}) = {yuan(step.amount)}"


def _account_first(step: Step) -> str:
    most = f", 先付限额 {step.used[2].value}" if len(step.used) > 2 else ""
    balance = yuan(step.operands[0])
    return f"min(费用 {yuan(step.base)}, 账户余额 {balance}{most}) = {yuan(step.amount)}"


def _minus(name: str) -> Callable[[Step], str]:
    return lambda step: f"{yuan(step.base)} − {name} {yuan(step.operands[0])} = {yuan(step.amount)}"


_SENTENCES: dict[str, Callable[[Step], str]] = {
    "in_scope": _in_scope,
    "remote_first_pay": _remote_first_pay,
    "already": _already,
    "deductible": _deductible,
    "deductible_absent": lambda _: "不设起付标准，计 0.00",
    "item_limit": _item_limit,
    "line_group": _line_group,
    "pool": _pool,
    "lump": _lump,
    "pool_floor": _pool_floor,
    "pool_cap": _pool_cap,
    "pool_cap_absent": lambda _: "不设限额",
    "fund": lambda step: f"由基金 {step.operands[0]} 支付 {yuan(step.amount)}",
    "layer": _layer,
    "account": _account,
    "account_first": _account_first,
    "account_unused": lambda _: "本次未使用个人账户，计 0.00",
    "shared_account": lambda step: (
        f"min(本人账户支付后余下 {yuan(step.base)}, 共济账户可用 {yuan(step.operands[0])}) = {yuan(step.amount)}"
    ),
    "person_part": _minus("基金支付"),
    "cash": _minus("个人账户"),
}
"""By the name a step gives as its formula."""
