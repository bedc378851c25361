"""Worked examples about a part of a bill: one layer, the deductibles of several admissions, a lump, a subsidy."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import msgspec

from yibao.kernel.money import WHOLE
from yibao.usecases.policies.example_bills import (
    DEDUCTIBLE,
    DEDUCTIBLE_YEAR,
    UNCOUNTED,
    Computation,
    Setting,
    add_assistance,
    add_serious_illness,
    bill_case,
    bill_law,
    heads,
    nth,
    ordered,
    paid_by,
    plain_bill,
    standard,
    without_pool,
)
from yibao.usecases.policies.example_law import LawText, Layer, factor, percent, quoted, yuan
from yibao.usecases.policies.example_rows import Given, RowFault

_PLENTY = 100_000_000
"""Cost of an admission of which only the deductible is asked, in fen on top of all standards: it never runs short."""


def serious_illness(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``hifmi``: the layer alone, on the year's own in-scope cost."""
    law = bill_law(setting)
    if params.has("hifmi") or setting.region is None:
        add_serious_illness(law, params.inner("hifmi"))
    case = bill_case(setting, plain_bill(inputs.money("selfpay_in_scope_cum")), inputs=inputs)
    return Computation(without_pool(law, setting), (case,), _heads)


def serious_illness_base(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``hifmi_base``: what the pool left of the in-scope cost."""
    law = bill_law(setting)
    rule = params.inner("hifmi") if params.has("hifmi") else Given({"ratio": 0}, "hifmi")
    add_serious_illness(law, rule)
    for explaining in ("basic_scope_amt", "act_pay_dedc"):
        inputs.has(explaining)
    case = bill_case(
        setting,
        plain_bill(inputs.money("inscp_total")),
        inputs=inputs,
        already=_paid(inputs, inputs.money("inscp_total"), "hifp_pay"),
    )
    return Computation(without_pool(law, setting), (case,), _heads)


def identity(inputs: Given, _params: Given, setting: Setting) -> Computation:
    """Return ``identity``: a bill whose pool payment is known; it asks no parameters."""
    law = bill_law(setting)
    parts = {
        "own": inputs.money("fulamt_ownpay_amt"),
        "over": inputs.money("overlmt_selfpay"),
        "first_pay": inputs.money("preselfpay_amt"),
    }
    amount = inputs.money("medfee_sumamt")
    in_scope = inputs.money("inscp_scp_amt") if inputs.has("inscp_scp_amt") else amount - sum(parts.values())
    outside = amount - in_scope - sum(parts.values())
    if outside < 0 or in_scope < 0:
        raise RowFault("各部分费用之和大于总费用 medfee_sumamt")
    lines = plain_bill(amount, own=parts["own"] + outside, over=parts["over"], first_pay=parts["first_pay"])
    case = bill_case(setting, lines, inputs=inputs, already=_paid(inputs, in_scope, "hifp_pay"))

    def answer(decided: tuple[Any, ...]) -> dict[str, Any]:
        return heads(decided[0], outside=outside)

    return Computation(without_pool(law, setting), (case,), answer)


def _paid(inputs: Given, in_scope: int, *fields: str) -> dict[str, int]:
    """Return what earlier payers bore, as facts.

    Raises:
        RowFault: together they bore more than the in-scope cost.
    """
    paid = {field: inputs.money(field) for field in fields}
    if sum(paid.values()) > in_scope:
        raise RowFault(f"已支付的 {'、'.join(fields)} 大于政策范围内费用")
    return paid


def assistance(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``maf``: the assistance layers on what earlier payers left, in one of three forms of the base."""
    law = bill_law(setting)
    funds = add_assistance(law, params)
    in_scope, fields, entering = _assistance_base(inputs)
    paid = _paid(inputs, in_scope, *fields)
    before = paid.pop("maf_paid_before", 0)
    amount = max(inputs.money("medfee_sumamt"), in_scope)
    # Assistance paid before has no fund of its own here: its amount must not count as a step of this row.
    case = bill_case(
        setting,
        plain_bill(amount, own=amount - in_scope),
        inputs=inputs,
        already={**paid, "oth_pay": before},
    )

    def answer(decided: tuple[Any, ...]) -> dict[str, Any]:
        (decision,) = decided
        found = heads(decision, maf=funds)
        found["fund_pay_sumamt"] = decision.fund_total - before
        found["oth_pay"] = 0
        if entering:
            found["remaining"] = decision.in_scope - decision.fund_total + decision.fund("maf_pay")
        return found

    return Computation(without_pool(law, setting), (case,), answer)


def _assistance_base(inputs: Given) -> tuple[int, tuple[str, ...], bool]:
    """Return the in-scope cost that leads to the base, who bore of it before, and whether ``remaining`` is what enters."""
    pool, serious = inputs.money("hifp_pay"), inputs.money("hifmi_pay")
    fields = ("hifp_pay", "hifmi_pay")
    if inputs.has("selfpay_in_scope_after_hifmi"):
        return inputs.money("selfpay_in_scope_after_hifmi") + pool + serious, fields, False
    if inputs.has("selfpay_in_scope"):
        return inputs.money("selfpay_in_scope") + pool, fields, False
    if inputs.has("inscp_scp_amt"):
        return inputs.money("inscp_scp_amt"), (*fields, "maf_paid_before"), True
    raise RowFault("缺少救助基数：selfpay_in_scope_after_hifmi、selfpay_in_scope 或 inscp_scp_amt")


def deductibles(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``dedc``: the deductible of each of several admissions, decided one after the other."""
    law = bill_law(setting)
    levels = [a.text("lv") or a.text("hosp_lv") for a in inputs.inners("admissions")]
    if not levels:
        raise RowFault("缺少 admissions：至少一次住院")
    if not params.has("dedc_std") and setting.region is None:
        raise RowFault("缺少各级别起付标准 dedc_std")
    known = _levels(law, params, levels)
    mode = params.text("mode") or params.text("dedc_mode")
    if mode.startswith("year"):
        _write_by_level(law, "deductible", params, "dedc_std", known, WHOLE, counter=quoted(DEDUCTIBLE))
    else:
        times = _age_factor(params, inputs)
        _write_by_level(law, "deductible", params, "dedc_std", known, times, counter=quoted(UNCOUNTED))
        _write_by_admission(law, params, known, times)
    if params.has("year_cum_cap"):
        law.add("deductible_year_cap", yuan(params.money("year_cum_cap")), counter=quoted(DEDUCTIBLE_YEAR))
    borne = inputs.inner("prior").money("dedc_paid")
    counters = {DEDUCTIBLE: borne, DEDUCTIBLE_YEAR: borne}
    cases = []
    for number, level in enumerate(levels, 1):
        bill = bill_case(setting, plain_bill(_PLENTY), inputs=inputs, counters=counters)
        institution = msgspec.structs.replace(bill.institution, level=level, traits=(known[level],))
        cases.append(msgspec.structs.replace(bill, admission=number, institution=institution))

    def answer(decided: tuple[Any, ...]) -> dict[str, Any]:
        return {"act_dedc_std": [decision.deductible for decision in decided]}

    law.add("pool_ratio", percent(0, ""))
    return Computation(ordered(law, setting), tuple(cases), answer, carries=True)


def _levels(law: LawText, params: Given, levels: list[str]) -> dict[str, str]:
    """Declare a trait for every level of hospital, however the row calls it; return the traits by level."""
    standards = params.inner("dedc_std") if params.is_object("dedc_std") else None
    names = list(dict.fromkeys((*(standards.keys() if standards else ()), *levels)))
    unknown = [level for level in levels if standards and not standards.has(level)]
    if unknown:
        raise RowFault(f"dedc_std 没有级别 {'、'.join(unknown)} 的标准")
    traits = {level: f"level{number}" for number, level in enumerate(names, 1)}
    for level, word in traits.items():
        law.declare("traits", word, f"级别 {level}")
    return traits


def _write_by_level(
    law: LawText, key: str, params: Given, name: str, levels: dict[str, str], times: int, **more: str
) -> None:
    """Write an amount, or one amount per level, as rows of a key; each times a factor of the person's age."""
    if not params.has(name):
        return
    by_level = params.is_object(name)
    amounts = params.inner(name) if by_level else params
    for level, word in levels.items() if by_level else (("", ""),):
        if by_level and not amounts.has(level):
            continue
        amount = amounts.money(level if by_level else name)
        when = {"trait": quoted(word)} if by_level else None
        law.add(key, _times(law, f"{key}{word}", amount, times), when, **more)


def _times(law: LawText, name: str, amount: int, times: int) -> str:
    """Return an amount, or a share of it: the engine multiplies, the translation does not."""
    if times == WHOLE:
        return standard(amount)
    law.add("index", yuan(amount), index=quoted(name))
    return f"{{ share = {factor(times, '年龄系数')}, of = {quoted(f'index.{name}')} }}"


def _write_by_admission(law: LawText, params: Given, levels: dict[str, str], times: int) -> None:
    factors = params.ratios("dedc_by_cnt_factor")
    for number, ratio in enumerate(factors, 1):
        law.add("deductible_factor", factor(ratio, "起付标准系数"), nth(number, len(factors)))
    if params.has("dedc_step_down") and not factors:
        law.add("deductible_step", _times(law, "deductible_step", params.money("dedc_step_down"), times))
    if params.has("dedc_floor"):
        _write_by_level(law, "deductible_floor", params, "dedc_floor", levels, times)


def _age_factor(params: Given, inputs: Given) -> int:
    """Return the factor of the age; with several, the one whose key fits ``inputs.age``."""
    if not params.has("age_factor"):
        return WHOLE
    if not params.is_object("age_factor"):
        return params.ratio("age_factor")
    factors = params.inner("age_factor")
    keys = factors.keys()
    if len(keys) == 1:
        return factors.ratio(keys[0])
    if not inputs.has("age"):
        raise RowFault("age_factor 有多个年龄段而没有写明年龄 age")
    age = inputs.count("age")
    return next((factors.ratio(key) for key in keys if _fits(key, age)), WHOLE)


def _fits(key: str, age: int) -> bool:
    """Say whether an age band holds an age: ``70+``, ``60-69``, ``<18``, ``≥70``, with or without 岁."""
    text = key.translate(_PLAIN).replace("岁", "").replace("以上", "+").replace("周", "").strip()
    if text.endswith("+"):
        return age >= _age(text[:-1], key)
    for sign, holds in _SIGNS.items():
        if text.startswith(sign):
            return holds(age, _age(text[len(sign) :], key))
    low, dash, high = text.partition("-")
    return _age(low, key) <= age <= _age(high, key) if dash else age == _age(text, key)


_PLAIN = str.maketrans({"~": "-", "—": "-", "–": "-", "至": "-", "＋": "+", "≥": ">=", "≤": "<="})
_SIGNS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    ">": operator.gt,
}


def _age(text: str, key: str) -> int:
    if not text.strip().isdecimal():
        raise RowFault(f"age_factor 的年龄段 {key} 不认识；可写 70+、60-69、<18")
    return int(text)


def lump(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``lump``: the pool pays the cost, at most a fixed sum."""
    if not params.has("lump"):
        raise RowFault("缺少定额 lump")
    law = bill_law(setting)
    law.add("lump", yuan(params.money("lump")))
    ordered(law, setting)
    own = inputs.money("fulamt_ownpay_amt")
    case = bill_case(setting, plain_bill(inputs.money("medfee_sumamt"), own=own), inputs=inputs)
    return Computation(law, (case,), _heads)


def spouse_subsidy(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``spouse_subsidy``: a share of the wife's in-scope cost, unless she has a benefit of her own."""
    law = bill_law(setting)
    law.declare("identities", "covered", "配偶已享受生育待遇")
    law.add("pool_ratio", percent(0, ""), {"identity": quoted("covered")})
    law.add("pool_ratio", percent(params.ratio("ratio"), "补助比例"))
    law.add("deductible", standard(0), counter=quoted(UNCOUNTED))
    case = bill_case(setting, plain_bill(inputs.money("spouse_inscp_scp_amt")), inputs=inputs)
    if inputs.truth("spouse_has_benefit"):
        case = msgspec.structs.replace(
            case, person=msgspec.structs.replace(case.person, identities=("covered",))
        )

    def answer(decided: tuple[Any, ...]) -> dict[str, Any]:
        return {**heads(decided[0]), "subsidy": decided[0].fund_total}

    return Computation(ordered(law, setting), (case,), answer)


def supplement(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return ``supplement``: a plan that pays of the own cost in scope, and of the cost out of scope."""
    law = bill_law(setting)
    inside = Layer("in_scope_plan", "补充保险：政策范围内", "999981", "oth_pay")
    outside = Layer("out_of_scope_plan", "补充保险：政策范围外", "999982", "oth_pay", "out_of_scope")
    for layer, key in ((inside, "in_scope"), (outside, "out_of_scope")):
        if params.has(key):
            law.add_layer(layer, params.inner(key))
    own, over = inputs.money("fulamt_ownpay_amt"), inputs.money("overlmt_selfpay")
    first = inputs.money("preselfpay_amt")
    amount = max(inputs.money("psn_part_amt"), own + over + first)
    case = bill_case(setting, plain_bill(amount, own=own, over=over, first_pay=first), inputs=inputs)

    def answer(decided: tuple[Any, ...]) -> dict[str, Any]:
        (decision,) = decided
        return {
            **heads(decision),
            "in_scope_pay": paid_by(decision, inside.fund),
            "out_of_scope_pay": paid_by(decision, outside.fund),
        }

    return Computation(without_pool(law, setting), (case,), answer)


def _heads(decided: tuple[Any, ...]) -> dict[str, Any]:
    return heads(decided[0])
