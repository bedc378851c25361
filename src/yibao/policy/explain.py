"""Turns the steps of a decision into rows a person can read, and checks that they add up to the result."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from yibao.kernel.money import yuan_text
from yibao.policy.decision import Decision, Step, Used
from yibao.policy.pipeline.wording import formula_of
from yibao.policy.reckoning.cases import COUNT_STEPS

WEAK_NOTE = "示例参数，非当地现行政策"
"""Said of every step that rests on an assumed value or on a source of low reliability."""

_MARKS = {"official": "官方文本", "public_page": "公开网页转述", "assumed": "假定值"}
_RELIABILITY = {"H": "可靠性高", "M": "可靠性中", "L": "可靠性低"}
_NO_AMOUNT = ("benefit",)
_POOL = ("pool", "lump", "pool_floor", "pool_cap")


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

    Walks the bill down: total, in-scope cost, the pool within its ceilings, every fund, person's part,
    account, cash.
    """
    if not decision.steps:
        return ("没有步骤：该结果未附计算过程",)
    steps = decision.steps
    by_code = {step.code: step for step in steps}
    whole, moved = by_code["in_scope"], _sum(steps, "remote_first_pay")
    pool = [s.amount for s in steps if s.code in _POOL]
    funds = _sum(steps, "fund", "layer", "already")
    account = _sum(steps, "account", "shared_account")
    shares = decision.funds
    sums = (
        ("政策范围内费用", whole.amount - moved, decision.in_scope),
        ("总费用", whole.base, decision.amount),
        ("起付标准", _sum(steps, "deductible"), decision.deductible),
        ("统筹基金支付步骤", pool[-1] if pool else 0, _sum(steps, "fund")),
        ("统筹基金支付" if len(shares) <= 1 else "各项基金支付合计", funds, decision.fund_total),
        ("各项基金", sum(share.amount for share in shares), funds),
        ("个人负担", whole.base - funds, decision.person_part),
        ("个人账户支付", account, decision.account_pay),
        ("现金支付", by_code["person_part"].amount - account, decision.cash),
        ("现金支付步骤", by_code["cash"].amount, decision.cash),
    )
    return tuple(
        f"{name}：步骤为 {yuan_text(stepped)}，结果为 {yuan_text(result)}"
        for name, stepped, result in sums
        if stepped != result
    )


def _sum(steps: Sequence[Step], *codes: str) -> int:
    return sum(step.amount for step in steps if step.code in codes)


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
    text = str if step.code in COUNT_STEPS else yuan_text
    counter = ""
    if step.counter:
        counter = f"{step.counter}：{yuan_text(step.counter_before)} → {yuan_text(step.counter_after)}"
    return Explained(
        code=step.code,
        title=step.title,
        base=text(step.base),
        amount="" if step.code in _NO_AMOUNT else text(step.amount),
        formula=formula_of(step),
        counter=counter,
        bases=tuple(basis(used) for used in step.used),
        weak=weak,
        note=WEAK_NOTE if weak else "",
    )
