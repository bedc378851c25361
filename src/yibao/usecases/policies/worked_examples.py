"""Work published examples through the law: each row becomes facts and a policy and is decided the way the counter decides.

There is no second calculator here: a row is translated, ``decide`` (bills) or ``reckon`` (what is no bill) works it
out, and every expected result is compared to the fen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from yibao.infra.policy_files import read_policy_files, read_policy_files_elsewhere
from yibao.kernel.money import fen_to_yuan
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.decide import decide
from yibao.policy.decision import Decision, Step
from yibao.policy.explain import Explained, explain_steps
from yibao.policy.law.loading import BadPolicy, load_policy
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import Question, Reckoned
from yibao.usecases.policies.example_bills import Computation, Setting, settle
from yibao.usecases.policies.example_dues import account, allowance, contribution
from yibao.usecases.policies.example_layers import (
    assistance,
    deductibles,
    identity,
    lump,
    serious_illness,
    serious_illness_base,
    spouse_subsidy,
    supplement,
)
from yibao.usecases.policies.example_region import over_region, setting_of
from yibao.usecases.policies.example_rows import (
    ExampleRow,
    Given,
    RowFault,
    exact_number,
    read_object,
    read_rows,
)

Translate = Callable[[Given, Given, Setting], Computation]
RegionFiles = Mapping[str, Mapping[str, str]]
"""Region code to file name to text."""

COMPUTATIONS: Mapping[str, Translate] = {
    "settle": settle,
    "identity": identity,
    "dedc": deductibles,
    "hifmi": serious_illness,
    "hifmi_base": serious_illness_base,
    "maf": assistance,
    "allowance": allowance,
    "allowance+lump": allowance,
    "lump": lump,
    "spouse_subsidy": spouse_subsidy,
    "supplement": supplement,
    "account": account,
    "contribution": contribution,
}
"""What a row may ask for, by its ``calc``."""

_WHOLE_NUMBERS = frozenset({"wait_months", "days", "months_missing"})
"""Results that are counts; all others are amounts."""


class Worked(msgspec.Struct, frozen=True):
    """The outcome of one row. Amounts in yuan, counts as they are.

    Attributes:
        id: of the row.
        ok: every expected result was met to the fen.
        expected: as the row says.
        got: the same names as they came out; empty where the row could not be computed.
        steps: the steps of the decisions, in their order.
        difference: got less expected, by name, where they differ and are numbers.
        reason: why the row could not be computed, ``""`` otherwise.
        notes: what was passed over or decided in translating the row.
    """

    id: str
    ok: bool
    expected: Mapping[str, Any]
    got: Mapping[str, Any] = {}
    steps: tuple[Explained, ...] = ()
    difference: Mapping[str, Any] = {}
    reason: str = ""
    notes: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True):
    """A row after translation: the law it is decided by, its computation, and what was passed over."""

    policy: RegionPolicy
    computation: Computation
    notes: tuple[str, ...]


def work_examples(text: str, *, regions: RegionFiles | None = None) -> tuple[Worked, ...]:
    """Work out every row of a file of examples; a bad row is reported, the others go on.

    Args:
        text: the CSV.
        regions: files of the regions that rows may name; None takes the packaged ones, samples included.

    Raises:
        FileFault: the file has no such table.
    """
    files = packaged_regions() if regions is None else regions
    return tuple(work(row, files) for row in read_rows(text))


def packaged_regions() -> RegionFiles:
    """Return the packaged files of every region, those that are only samples included."""
    return {**read_policy_files_elsewhere(), **read_policy_files()}


def work(row: ExampleRow, regions: RegionFiles) -> Worked:
    """Work out one row."""
    expected: dict[str, Any] = {}
    try:
        expected = read_object(row.expected, "expected")
        prepared = prepare(row, regions)
        decided = run(prepared)
    except RowFault as fault:
        return Worked(row.id, False, expected, reason=str(fault))
    found = prepared.computation.answer(decided)
    steps = explain_steps(steps_of(decided))
    if not expected:
        return Worked(row.id, False, expected, steps=steps, reason="expected 为空，没有可核对的结果")
    unknown = [name for name in expected if name not in found]
    got = {name: _shown(name, found[name]) for name in expected if name in found}
    difference = {name: _difference(got[name], expected[name]) for name in got if not _same(got[name], expected[name])}
    reason = f"算不出 {'、'.join(unknown)}：这类算例没有这项结果" if unknown else ""
    ok = not difference and not unknown
    return Worked(row.id, ok, expected, got, steps, difference, reason, prepared.notes)


def prepare(row: ExampleRow, regions: RegionFiles) -> Prepared:
    """Translate one row into a law and cases.

    Raises:
        RowFault: the row cannot be read, or does not say what its computation needs.
    """
    inputs = Given(read_object(row.inputs, "inputs"), "")
    params = Given(read_object(row.params, "policy_params"), "")
    calc = inputs.text("calc")
    if calc not in COMPUTATIONS:
        known = "、".join(COMPUTATIONS)
        raise RowFault(f"不认识的计算类别 calc：{calc or '（空）'}；可用：{known}")
    setting = setting_of(row.labels, inputs, regions)
    computation = COMPUTATIONS[calc](inputs, params, setting)
    files = {"example.toml": computation.law.text()}
    if setting.region is not None:
        computation = over_region(computation, inputs, setting.region)
        files = {**regions[setting.admdvs], "~example.toml": computation.law.text()}
    try:
        policy = load_policy(files)
    except BadPolicy as error:
        raise RowFault(f"参数写不成政策：{error}") from None
    unread = (*inputs.unread(), *params.unread())
    notes = computation.notes + ((f"未使用的字段：{'、'.join(unread)}",) if unread else ())
    return Prepared(policy, computation, notes)


def run(prepared: Prepared) -> tuple[Decision | Reckoned, ...]:
    """Decide the cases of a row one after the other, carrying the counters on where the row says so.

    Raises:
        RowFault: the law refuses one of them.
    """
    decided: list[Decision | Reckoned] = []
    counters: dict[str, int] = {}
    for number, case in enumerate(prepared.computation.cases):
        if number and prepared.computation.carries:
            case = msgspec.structs.replace(case, counters={**case.counters, **counters})
        answer = _decide(case, prepared.policy)
        if isinstance(answer, Refusal):
            raise RowFault(f"被拒绝：{answer.sentence()}")
        if isinstance(answer, Decision):
            counters = {code: case.counters.get(code, 0) for code in case.counters}
            for change in answer.counters:
                counters[change.code] = counters.get(change.code, 0) + change.delta
        decided.append(answer)
    return tuple(decided)


def steps_of(decided: tuple[Decision | Reckoned, ...]) -> tuple[Step, ...]:
    """Return the steps of several decisions, one after the other."""
    return tuple(step for one in decided for step in one.steps)


def _decide(case: Case | Question, policy: RegionPolicy) -> Decision | Reckoned | Refusal:
    return decide(case, policy)


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(name, entry) for entry in value]
    if isinstance(value, int) and name not in _WHOLE_NUMBERS:
        return fen_to_yuan(value)
    return value


def _same(got: Any, expected: Any) -> bool:
    if isinstance(got, list):
        return (
            isinstance(expected, list)
            and len(got) == len(expected)
            and all(_same(one, other) for one, other in zip(got, expected, strict=True))
        )
    number = exact_number(expected)
    return number is not None and number == got


def _difference(got: Any, expected: Any) -> Any:
    """Return got less expected; for lists entry by entry, None where they cannot be compared."""
    if isinstance(got, list):
        if not isinstance(expected, list) or len(got) != len(expected):
            return None
        return [_difference(one, other) for one, other in zip(got, expected, strict=True)]
    number = exact_number(expected)
    return None if number is None else Decimal(got) - number
