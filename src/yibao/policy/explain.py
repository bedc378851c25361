"""Turns the steps of a decision into rows a person can read, and checks that they add up to the result."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from yibao.kernel.money import yuan_text
from yibao.policy.decision import Decision, Step, Used

WEAK_NOTE = "示例参数，非当地现行政策"
"""Said of every step that rests on an assumed value or on a source of low reliability."""

_MARKS = {"official": "官方文本", "public_page": "公开网页转述", "assumed": "假定值"}
_RELIABILITY = {"H": "可靠性高", "M": "可靠性中", "L": "可靠性低"}
_NO_AMOUNT = ("benefit",)


class Basis(msgspec.Struct, frozen=True):
    """A dated value behind a row, in Chinese: parameter, value, condition, since when, clause, source, mark."""

    rule: str
    parameter: str
    value: str
    condition: str
    valid_from: str
    clause: str
    source: str
    mark: str
    weak: bool

    def sentence(self) -> str:
        """Return the basis as one line of text."""
        parts = [f"{self.rule} {self.parameter}：{self.value}"]
        parts += [f"条件：{self.condition}"] if self.condition else []
        parts += [f"自 {self.valid_from} 起"]
        parts += [f"条款：{self.clause}"] if self.clause else []
        parts += [f"来源：{self.source}"] if self.source else []
        parts += [self.mark]
        return "；".join(parts)


class Explained(msgspec.Struct, frozen=True):
    """One step in Chinese. Amounts are yuan with two decimals; ``amount`` is empty where the step yields none.

    Attributes:
        code: name of the step.
        title: its Chinese name.
        base: what it worked on.
        amount: what it yielded.
        formula: the calculation.
        counter: the yearly counter it touched and how it moved, ``""`` if none.
        bases: the dated values behind it.
        weak: whether one of them is assumed or of low reliability.
        note: ``示例参数，非当地现行政策`` on weak rows, else ``""``.
    """

    code: str
    title: str
    base: str
    amount: str
    formula: str
    counter: str
    bases: tuple[Basis, ...]
    weak: bool
    note: str


def explain_steps(steps: Sequence[Step]) -> tuple[Explained, ...]:
    """Return every step as a readable row, in the order of the pipeline."""
    return tuple(_explain(step) for step in steps)


def differences(decision: Decision) -> tuple[str, ...]:
    """Return what does not add up between a decision's steps and its amounts; empty when everything does.

    Walks the bill down: total, in-scope cost, pool within its ceilings, person's part, account, cash.
    """
    if not decision.steps:
        return ("没有步骤：该结果未附计算过程",)
    by_code = {step.code: step for step in decision.steps}
    pool = [s.amount for s in decision.steps if s.code in ("pool", "pool_cap")][-1]
    account = by_code["account"].amount if "account" in by_code else 0
    sums = (
        ("政策范围内费用", by_code["in_scope"].amount, decision.in_scope),
        ("总费用", by_code["in_scope"].base, decision.amount),
        ("起付标准", by_code["deductible"].amount, decision.deductible),
        ("统筹基金支付", pool, decision.fund_total),
        ("个人负担", by_code["in_scope"].base - pool, decision.person_part),
        ("个人账户支付", account, decision.account_pay),
        ("现金支付", by_code["person_part"].amount - account, decision.cash),
        ("现金支付步骤", by_code["cash"].amount, decision.cash),
    )
    return tuple(
        f"{name}：步骤为 {yuan_text(steps)}，结果为 {yuan_text(result)}"
        for name, steps, result in sums
        if steps != result
    )


def is_weak(used: Used) -> bool:
    """Say whether a dated value is assumed or comes from a source of low reliability."""
    return used.mark == "assumed" or used.reliability == "L"


def mark_text(used: Used) -> str:
    """Return the mark and reliability of a dated value in Chinese, with the warning where it is weak."""
    parts = [_MARKS.get(used.mark, used.mark)]
    if used.mark != "assumed" and used.reliability in _RELIABILITY:
        parts.append(_RELIABILITY[used.reliability])
    if is_weak(used):
        parts.append(WEAK_NOTE)
    return "，".join(parts)


def basis(used: Used) -> Basis:
    """Return a dated value the way it is shown."""
    return Basis(
        rule=used.rule,
        parameter=used.name,
        value=used.value,
        condition=used.condition,
        valid_from=used.valid_from,
        clause=used.clause,
        source=used.source,
        mark=mark_text(used),
        weak=is_weak(used),
    )


def _explain(step: Step) -> Explained:
    weak = any(is_weak(used) for used in step.used)
    counter = ""
    if step.counter:
        counter = f"{step.counter}：{yuan_text(step.counter_before)} → {yuan_text(step.counter_after)}"
    return Explained(
        code=step.code,
        title=step.title,
        base=yuan_text(step.base),
        amount="" if step.code in _NO_AMOUNT else yuan_text(step.amount),
        formula=step.formula,
        counter=counter,
        bases=tuple(basis(used) for used in step.used),
        weak=weak,
        note=WEAK_NOTE if weak else "",
    )
