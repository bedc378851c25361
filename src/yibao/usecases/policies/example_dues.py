"""Worked examples that are no bill: allowances, account credits, dues, bases and waiting times."""

from __future__ import annotations

from typing import Any

from yibao.policy.reckoning.cases import AllowanceCase, CreditCase, DuesCase, Reckoned, WaitingCase
from yibao.usecases.policies.example_bills import Computation, Setting
from yibao.usecases.policies.example_law import LawText, factor, percent, quoted, yuan
from yibao.usecases.policies.example_rows import Given, RowFault

_WAGES = ("avg_wage_prev_year_month", "avg_wage_month", "avg_wage", "wage", "base")
_PLENTY = 10**11
"""A wage above every ceiling, in fen: what is left of it is the ceiling."""
_LEAST_FROM = 4
"""The least waiting time of the file's grammar applies from so many missed years on; its key says so."""

_DOWN = ("down", "trunc", "floor", "舍去", "截")
_UP = ("ceil", "进")
_NEAREST = ("half", "round", "四舍五入")
_YUAN = ("yuan", "元", "whole", "int", "_0")
_FEN = ("fen", "cent", "分", "_2")
"""Words by which a row may say how its result is rounded, and to what."""


def allowance(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``allowance`` or ``allowance+lump``: monthly wage by days over a divisor, and a lump beside it."""
    wages = [key for key in _WAGES if inputs.has(key)]
    if not wages:
        raise RowFault("缺少月平均工资（avg_wage_prev_year_month 或 avg_wage_month）")
    if not inputs.has("days"):
        raise RowFault("缺少津贴天数 days")
    law = LawText(admdvs=setting.admdvs)
    law.add("allowance_divisor", quoted(_divisor(params)))
    law.add("dues_rounding", quoted(_rounding(params)), {"part": quoted("allowance")})
    if params.has("birth_cost_lump"):
        law.add("allowance_lump", yuan(params.money("birth_cost_lump")))
    case = AllowanceCase(
        admdvs=setting.admdvs,
        on=setting.on,
        insutype=setting.insutype,
        wage=inputs.money(wages[0]),
        days=inputs.count("days"),
    )
    return Computation(law, (case,), _amounts)


def account(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``account``: a share of the base."""
    law = LawText(admdvs=setting.admdvs)
    law.add("credit_rate", percent(params.ratio("rate"), "划入比例"))
    law.add("dues_rounding", quoted(_rounding(params)), {"part": quoted("credit")})
    case = CreditCase(
        admdvs=setting.admdvs,
        on=setting.on,
        insutype=setting.insutype,
        base=inputs.money("base"),
        months=inputs.count("months") if inputs.has("months") else 1,
    )
    return Computation(law, (case,), _amounts)


def contribution(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``contribution`` in the form that its inputs tell: base, wage, average wage or missed years."""
    if inputs.has("years_missed"):
        return _waiting(inputs, params, setting)
    if inputs.has("avg_wage"):
        return _bases(inputs, params, setting)
    if inputs.has("base") or inputs.has("wage"):
        return _dues(inputs, params, setting)
    raise RowFault("缴费算例应给出 base、wage、avg_wage 或 years_missed 之一")


def _dues(inputs: Given, params: Given, setting: Setting) -> Computation:
    law = LawText(admdvs=setting.admdvs)
    payers = {"rate": "person" if params.has("unit") else "unit", "unit": "unit", "person": "person"}
    named = {key: payer for key, payer in payers.items() if params.has(key)}
    for key, payer in named.items():
        rate = percent(params.ratio(key), "缴费比例")
        law.add("dues_rate", rate, payer=quoted(payer), part=quoted("basic"))
    if params.has("large_amount"):
        law.add("index", yuan(params.money("large_amount_base")), index=quoted("large_amount_base"))
        rate = percent(params.ratio("large_amount"), "大额补助缴费比例")
        of = quoted("index.large_amount_base")
        law.add("dues_rate", rate, payer=quoted("unit"), part=quoted("large_amount"), of=of)
    for key, part in (("large_amount_year", "large_year"), ("ltc_year", "care")):
        if params.has(key):
            amount = yuan(params.money(key))
            more = {"payer": quoted("person"), "part": quoted(part), "period": quoted("year")}
            law.add("dues_fixed", amount, **more)
    for key, bound in (("dues_floor", "base_min"), ("dues_ceiling", "base_max")):
        if params.has(bound):
            law.add(key, yuan(params.money(bound)))
    law.add("dues_rounding", quoted(_rounding(params)), {"part": quoted("basic")})
    case = DuesCase(
        admdvs=setting.admdvs,
        on=setting.on,
        insutype=setting.insutype,
        base=inputs.money("base") if inputs.has("base") else None,
        wage=inputs.money("wage") if inputs.has("wage") else None,
        months=inputs.count("months") if inputs.has("months") else 1,
    )

    def answer(decided: tuple[Any, ...]) -> dict[str, Any]:
        found = _amounts(decided)
        basic = {key: found.get(f"{payer}.basic", 0) for key, payer in named.items()}
        amount = basic.get("rate", sum(basic.values()))
        large = found.get("unit.large_amount", 0)
        return {
            "amount": amount,
            "basic": amount,
            "unit": basic.get("unit", 0),
            "person": basic.get("person", 0),
            "large_amount": large,
            "base": found.get("base", 0),
            "total": found["total"],
        }

    return Computation(law, (case,), answer)


def _bases(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return the floor and the ceiling of the base: what the law holds a wage of nothing, and of plenty, to."""
    law = LawText(admdvs=setting.admdvs)
    law.add("index", yuan(inputs.money("avg_wage")), index=quoted("avg_wage"))
    law.add("dues_rate", percent(0, ""), payer=quoted("unit"), part=quoted("basic"))
    rounding = quoted(_rounding(params))
    wages = {}
    for name, key, wage in (("lower", "dues_floor", 0), ("upper", "dues_ceiling", _PLENTY)):
        given = params.named_like(*_FACTORS[name])
        if given:
            share = factor(params.ratio(given), "缴费基数系数")
            law.add(key, f'{{ share = {share}, of = "index.avg_wage", rounding = {rounding} }}')
            wages[name] = wage
    if not wages:
        raise RowFault("缺少缴费基数的上下限系数（upper、lower）")
    cases = tuple(
        DuesCase(admdvs=setting.admdvs, on=setting.on, insutype=setting.insutype, wage=wage)
        for wage in wages.values()
    )

    def answer(decided: tuple[Any, ...]) -> dict[str, Any]:
        return {name: reckoned.amount("base") for name, reckoned in zip(wages, decided, strict=True)}

    return Computation(law, cases, answer)


_FACTORS = {"lower": ("lower", "min", "floor"), "upper": ("upper", "max", "ceil")}
"""The grammar does not print how a row names its factors: whatever holds one of these words."""


def _waiting(inputs: Given, params: Given, setting: Setting) -> Computation:
    law = LawText(admdvs=setting.admdvs)
    law.add("wait_fixed", months(params.count("fixed_wait_months")))
    keys = {"wait_per_missed_year": "per_missed_year", "wait_repair_per_year": "repair_per_year"}
    for key, name in keys.items():
        if params.has(name):
            law.add(key, months(params.count(name)))
    if params.has("min_wait_if_missed_4_or_more"):
        least = months(params.count("min_wait_if_missed_4_or_more"))
        law.add("wait_least", least, {"missed_years": f"{{ from = {_LEAST_FROM} }}"})
    case = WaitingCase(
        admdvs=setting.admdvs,
        on=setting.on,
        insutype=setting.insutype,
        years_missed=inputs.count("years_missed"),
        paid_back_years=inputs.count("paid_back_years"),
        in_window=inputs.truth("in_window"),
    )
    return Computation(law, (case,), _amounts)


def months(count: int) -> str:
    """Return a number of months the way a policy file writes it."""
    return quoted(f"{count}个月")


def _amounts(decided: tuple[Any, ...]) -> dict[str, Any]:
    (reckoned,) = decided
    assert isinstance(reckoned, Reckoned)
    return dict(reckoned.amounts)


def _divisor(params: Given) -> str:
    """Return the divisor as ``30`` or as the share of a month that is a day, ``12/365``."""
    text = params.text("divisor").replace(" ", "")
    if not text:
        return "30"
    whole, point, decimals = text.partition(".")
    if point and (whole + decimals).isdecimal():
        return f"1{'0' * len(decimals)}/{int(whole + decimals)}"
    return text


def _rounding(params: Given) -> str:
    """Return the rounding a row asks for in its own words, half up to fen where it says nothing."""
    word = params.text("rounding").lower()
    known = (*_DOWN, *_UP, *_NEAREST, *_YUAN, *_FEN)
    if word and not word.startswith("up") and not any(token in word for token in known):
        raise RowFault(f"rounding 不认识：{word}；可用 half_up_2、to yuan、down_2、up_2 一类的写法")
    way = "half_up"
    if any(token in word for token in _DOWN):
        way = "down"
    elif word.startswith("up") or any(token in word for token in _UP):
        way = "up"
    return f"{way}_yuan" if any(token in word for token in _YUAN) else way
