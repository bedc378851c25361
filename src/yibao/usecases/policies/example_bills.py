"""Turns the rows of worked examples that are bills into a law and cases, and reads their results from the decisions.

Nothing is calculated here: the amounts come from ``decide``, the same that settles at the counter. A row about one
layer only is a bill whose earlier payers are facts (``already``), as when a claim is handed in a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from yibao.kernel.money import share
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.decision import Decision
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.policies.example_law import (
    ABSENT,
    BENEFIT,
    REGION,
    LawText,
    Layer,
    banded,
    percent,
    points,
    quoted,
    yuan,
)
from yibao.usecases.policies.example_rows import Given, RowFault

DEDUCTIBLE = "example.deductible"
POOL = "example.pool"
POOL_OF_BILL = "example.pool_of_bill"
DEDUCTIBLE_YEAR = "example.deductible_year"
UNCOUNTED = "never.counted"

_SERIOUS_ILLNESS = "大病保险"

Answer = Callable[[tuple[Any, ...]], dict[str, Any]]
"""Reads the results of a row, by the names of the file, from what was decided; amounts in fen."""


class Computation(msgspec.Struct, frozen=True):
    """What a row becomes: the law, the cases that are decided one after the other, and how to read the results.

    ``carries`` says that each case starts with the counters that the one before left.
    """

    law: LawText
    cases: tuple[Any, ...]
    answer: Answer
    notes: tuple[str, ...] = ()
    carries: bool = False


class Setting(msgspec.Struct, frozen=True):
    """Where and when an example happens, and who it is about; plain defaults where the row says nothing.

    Attributes:
        region: the law that the row stands over, None where the row is complete in itself.
        facts: further facts of the case, by their names.
    """

    admdvs: str = REGION
    on: date = date(2025, 6, 1)
    insutype: str = "310"
    med_type: str = "21"
    person: PersonFacts = PersonFacts("1101", 40)
    level: str = "3"
    region: RegionPolicy | None = None
    facts: Mapping[str, Any] = {}


class Bill(msgspec.Struct, frozen=True):
    """A bill of an example: its lines, and the cost that the row names in the total but in no head amount."""

    lines: tuple[LineGroup, ...]
    outside: int = 0
    ratios: Mapping[str, int] = {}


def settle(inputs: Given, params: Given, setting: Setting) -> Computation:
    """Return a whole bill: deductible, pool, caps, and every layer that the row names."""
    notes: list[str] = []
    law = bill_law(setting)
    remote = params.inner("rloc")
    bill = _read_bill(inputs, remote)
    counters: dict[str, int] = {}
    prior = inputs.inner("prior")
    _remote(law, remote, on_bill=not bill.ratios)
    _deductible(law, params, inputs, prior, counters, notes)
    _cost_limit(law, params, inputs)
    if params.has("lump"):
        law.add("lump", yuan(params.money("lump")))
    elif params.has("pool") or setting.region is None:
        _pool(law, params.inner("pool"))
    for group, ratio in bill.ratios.items():
        law.add("line_ratio", percent(ratio, "单列费用支付比例"), {"group": quoted(group)})
    floor = params.inner("topup")
    if floor.has("floor"):
        law.add("pool_floor", yuan(floor.money("floor")))
    counters[POOL] = prior.money("pool_paid")
    if params.has("pool_cap"):
        _cap(law, params, setting)
    if setting.region is None:
        law.add_unless("deductible", ABSENT, counter=quoted(UNCOUNTED))
    maf = _layers(law, params, notes)
    case = bill_case(setting, bill.lines, inputs=inputs, counters=counters)

    def answer(decided: tuple[Any, ...]) -> dict[str, Any]:
        (decision,) = decided
        return heads(decision, outside=bill.outside, maf=maf)

    return Computation(ordered(law, setting), (case,), answer, tuple(notes))


def bill_law(setting: Setting) -> LawText:
    """Return a law with one benefit that decides whatever comes; over a region, the beginning of a law."""
    law = LawText(admdvs=setting.admdvs)
    if setting.region is None:
        law.add("benefit", quoted(BENEFIT), {"insutype": quoted(setting.insutype)}, title=quoted("算例"))
        law.add("fund", quoted(f"{setting.insutype}100"), field=quoted("hifp_pay"))
        law.add("rounding", quoted("half_up"))
        law.add("benefit_year", quoted("service_date"))
    return law


def without_pool(law: LawText, setting: Setting) -> LawText:
    """Return the law of a row in which the pool pays nothing, or has paid before."""
    law.add("deductible", ABSENT, counter=quoted(UNCOUNTED))
    law.add("pool_ratio", percent(0, ""))
    return ordered(law, setting)


def ordered(law: LawText, setting: Setting) -> LawText:
    """Return the law with its layers in the order in which the row names them."""
    if law.layers or setting.region is None:
        law.add("order", "[" + ", ".join(quoted(word) for word in ("pool", *law.layers, "cash")) + "]")
    return law


def bill_case(
    setting: Setting,
    lines: tuple[LineGroup, ...],
    *,
    inputs: Given,
    counters: dict[str, int] | None = None,
    already: dict[str, int] | None = None,
) -> Case:
    """Return the facts of a bill."""
    person = setting.person
    if inputs.has("age"):
        person = msgspec.structs.replace(person, age=inputs.count("age"))
    case = Case(
        admdvs=setting.admdvs,
        service_on=setting.on,
        insutype=setting.insutype,
        med_type=setting.med_type,
        person=person,
        institution=InstitutionFacts("H99000000001", "1", setting.level),
        lines=lines,
        counters={code: fen for code, fen in (counters or {}).items() if fen},
        admission=max(inputs.count("ipt_cnt"), 1),
        already=already or {},
    )
    return msgspec.structs.replace(case, **setting.facts)


def plain_bill(amount: int, *, own: int = 0, over: int = 0, first_pay: int = 0) -> tuple[LineGroup, ...]:
    """Return a bill as one group of lines; what is not own, over or first-pay is in scope."""
    return (LineGroup(amount, own, over, first_pay, amount - own - over - first_pay),)


def heads(decision: Decision, *, outside: int = 0, maf: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the head amounts of a decision by their names in the file; ``maf`` are the funds of the assistance layers."""
    fields = ("hifp_pay", "hifob_pay", "hifmi_pay", "cvlserv_pay", "hifes_pay", "maf_pay", "oth_pay")
    base = next((s.base for s in decision.steps if s.title == _SERIOUS_ILLNESS), None)
    return {
        "medfee_sumamt": decision.amount,
        "preselfpay_amt": decision.first_pay,
        "fulamt_ownpay_amt": decision.own - outside,
        "overlmt_selfpay": decision.over,
        "inscp_scp_amt": decision.in_scope,
        "act_pay_dedc": decision.deductible,
        "pool_prop_selfpay": Decimal(decision.pool_ratio).scaleb(-4),
        **{field: decision.fund(field) for field in fields},
        "fund_pay_sumamt": decision.fund_total,
        "psn_part_amt": decision.person_part,
        "psn_cash_pay": decision.cash,
        "psn_selfpay_in_scope": decision.in_scope - decision.fund("hifp_pay"),
        "maf_steps": [paid_by(decision, fund) for fund in maf],
        "remaining": decision.in_scope - decision.fund_total,
        **({} if base is None else {"hifmi_base": base}),
    }


def paid_by(decision: Decision, fund: str) -> int:
    """Return what one fund paid."""
    return sum(f.amount for f in decision.funds if f.fund_pay_type == fund)


def _read_bill(inputs: Given, remote: Given) -> Bill:
    total = inputs.money("medfee_sumamt")
    own, over = inputs.money("fulamt_ownpay_amt"), inputs.money("overlmt_selfpay")
    first = inputs.money("preselfpay_amt")
    groups: list[LineGroup] = []
    ratios: dict[str, int] = {}
    for item in inputs.inners("items"):
        amount = item.money("amt")
        if item.text("lv").lstrip("0") == "3":
            own += amount
            item.has("selfpay_prop")
            item.has("pool_ratio_override")
            continue
        taken = share(amount, item.ratio("selfpay_prop"))
        first += taken
        if item.has("pool_ratio_override"):
            group = f"item{len(groups) + 1}"
            ratios[group] = item.ratio("pool_ratio_override")
            groups.append(LineGroup(amount, 0, 0, taken, amount - taken, group))
    left = total - own - over - first
    in_scope = inputs.money("inscp_scp_amt") if inputs.has("inscp_scp_amt") else left
    apart = sum(g.amount for g in groups)
    apart_first = sum(g.first_pay for g in groups)
    ordinary = in_scope - (apart - apart_first)
    if left < in_scope or ordinary < 0 or first < apart_first:
        raise RowFault("各部分费用之和大于总费用 medfee_sumamt")
    outside = left - in_scope
    if groups and remote.has("preselfpay_prop"):
        # What is taken first away from home comes off the ordinary lines: single lines keep their cost.
        moved = share(in_scope, remote.ratio("preselfpay_prop"))
        first, ordinary = first + moved, ordinary - moved
        if ordinary < 0:
            raise RowFault("异地先行自付大于单列项目以外的费用")
    rest = LineGroup(total - apart, own + outside, over, first - apart_first, ordinary)
    return Bill((rest, *groups), outside, ratios)


def _remote(law: LawText, remote: Given, *, on_bill: bool) -> None:
    if remote.has("preselfpay_prop") and on_bill:
        law.add("remote_first_pay", percent(remote.ratio("preselfpay_prop"), "异地先行自付比例"))
    if remote.has("ratio_delta"):
        law.add("pool_bonus", points(remote.ratio("ratio_delta")))


def _pool(law: LawText, pool: Given) -> None:
    axis = pool.text("base") or "above_dedc"
    if axis not in ("above_dedc", "cost_band"):
        raise RowFault(f"pool.base 应为 above_dedc 或 cost_band，收到 {axis}")
    law.add("pool_ratio", banded(pool, "统筹支付"), base=quoted(axis))


def _cap(law: LawText, params: Given, setting: Setting) -> None:
    """Write the ceiling. One that a stated ratio converts into cost is converted whole, whatever the year has used of it.

    The ceiling names the insurance: an example may state one below its deductible, which the loader takes
    for a slip where both have the same conditions.
    """
    limit, when = yuan(params.money("pool_cap")), {"insutype": quoted(setting.insutype)}
    converted = params.has("hifob") and params.inner("hifob").has("pool_ratio_for_conversion")
    law.add("pool_cap", limit, when, counter=quoted(POOL), feeds="false" if converted else "true")
    if converted:
        law.add("pool_cap", limit, when, counter=quoted(POOL_OF_BILL), window=quoted("stay"), feeds="true")


def _deductible(
    law: LawText, params: Given, inputs: Given, prior: Given, counters: dict[str, int], notes: list[str]
) -> None:
    yearly = params.text("dedc_mode").startswith("year")
    counter = quoted(DEDUCTIBLE if yearly else UNCOUNTED)
    if prior.has("dedc_paid") and yearly:
        counters[DEDUCTIBLE] = prior.money("dedc_paid")
    printed = params.moneys("dedc_by_cnt")
    if params.is_object("dedc_prop_of_total"):
        rule = params.inner("dedc_prop_of_total")
        bounds = {"at_least": "min", "at_most": "max"}
        held = "".join(f", {word} = {yuan(rule.money(key))}" for word, key in bounds.items() if rule.has(key))
        prop = percent(rule.ratio("prop"), "起付标准占总费用的比例")
        law.add("deductible", f'{{ share = {prop}, of = "amount"{held} }}', counter=counter)
    elif printed and (inputs.has("ipt_cnt") or not params.has("dedc")):
        for number, amount in enumerate(printed, 1):
            law.add("deductible", standard(amount), nth(number, len(printed)), counter=counter)
        current = printed[min(max(inputs.count("ipt_cnt"), 1), len(printed)) - 1]
        if params.has("dedc") and params.money("dedc") != current:
            notes.append("dedc 与 dedc_by_cnt 的该次标准不一致，按 dedc_by_cnt 计算")
    elif params.has("dedc"):
        law.add("deductible", standard(params.money("dedc")), counter=counter)


def standard(amount: int) -> str:
    """Return a deductible as a policy file writes it: nothing is said outright."""
    return yuan(amount) if amount else ABSENT


def nth(number: int, of: int) -> dict[str, str]:
    """Return the condition of the nth entry of a list by admissions; the last one holds on."""
    below = "" if number == of else f", below = {number + 1}"
    return {"admission": f"{{ from = {number}{below} }}"}


def _cost_limit(law: LawText, params: Given, inputs: Given) -> None:
    limits = [params.money("item_limit")] if params.has("item_limit") else []
    if inputs.has("basic_scope_amt"):
        limits.append(inputs.money("basic_scope_amt"))
    if limits:
        law.add("item_limit", yuan(min(limits)))


def _layers(law: LawText, params: Given, notes: list[str]) -> tuple[str, ...]:
    """Add the layers of a whole bill in the order of the file; return the funds of the assistance layers."""
    if params.has("hifob"):
        _large_amount(law, params, notes)
    if params.has("hifmi"):
        add_serious_illness(law, params.inner("hifmi"))
    if params.has("cvlserv"):
        law.add_layer(Layer("cvlserv", "公务员医疗补助", "320100", "cvlserv_pay"), params.inner("cvlserv"))
    return add_assistance(law, params)


def _large_amount(law: LawText, params: Given, notes: list[str]) -> None:
    rule = params.inner("hifob")
    if not params.has("pool_cap"):
        notes.append("没有统筹支付限额（pool_cap），大额补助无从起算，计 0")
        rule.keys()
        return
    conversion = {}
    if rule.has("pool_ratio_for_conversion"):
        conversion["conversion"] = percent(rule.ratio("pool_ratio_for_conversion"), "折算比例")
    law.add_layer(Layer("hifob", "大额医疗费用补助", "330100", "hifob_pay", "above_cap"), rule, **conversion)


def add_serious_illness(law: LawText, rule: Given) -> None:
    """Add the serious-illness layer; ``exclude_dedc`` leaves the deductible out of its base."""
    base = "own_without_deductible" if rule.truth("exclude_dedc") else "own"
    law.add_layer(Layer("hifmi", _SERIOUS_ILLNESS, "390200", "hifmi_pay", base), rule)


def add_assistance(law: LawText, params: Given) -> tuple[str, ...]:
    """Add the assistance layers, one after the other; return their funds."""
    funds = []
    for number, rule in enumerate(params.inners("maf"), 1):
        fund = f"61010{number}" if number < 10 else f"6101{number}"
        title = rule.text("name") or f"医疗救助第 {number} 层"
        law.add_layer(Layer(f"maf{number}", title, fund, "maf_pay"), rule)
        funds.append(fund)
    return tuple(funds)
