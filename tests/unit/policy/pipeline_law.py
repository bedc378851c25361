"""Laws and cases for the tests of single steps: the small region with whatever a test needs put in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tests.unit.policy.small_policy import (
    ACCOUNT,
    BENEFIT,
    DEDUCTIBLE,
    FUND,
    GENERAL,
    HEAD,
    RATIO,
    block,
    small_case,
    small_policy,
)
from yibao.policy.case import Case, LineGroup
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.explain import differences, explain_steps

_ORDER = '["pool", "own_account", "cash"]'
NO_DEDUCTIBLE = block("deductible", '{ rule = "R-5", value = "不设" }', 'counter = "never.counted"')


def parameter(key: str, value: str, more: str = "") -> str:
    """Return one ``[[parameter]]`` of a single row; ``value`` is TOML."""
    return block(key, f'{{ rule = "T-{key}", value = {value} }}', more)


def deductible(value: str, counter: str = "never.counted") -> str:
    """Return a deductible, each admission anew unless a counter is given."""
    return parameter("deductible", f'"{value}"', f'counter = "{counter}"')


def ratio(value: str) -> str:
    """Return a flat ratio of the pool."""
    return parameter("pool_ratio", f'"{value}"')


def bands(*steps: str, base: str = "above_dedc") -> str:
    """Return a banded ratio: ``bands("1000:50%", "80%")``."""
    return block("pool_ratio", f'{{ rule = "R-6", bands = {toml_bands(*steps)} }}', f'base = "{base}"')


def toml_bands(*steps: str) -> str:
    """Return bands as TOML."""
    entries = []
    for step in steps:
        upper, _, rate = step.rpartition(":")
        to = f'to = "{upper}元", ' if upper else ""
        entries.append(f'{{ {to}ratio = "{rate}" }}')
    return f"[{', '.join(entries)}]"


def layer(
    name: str,
    *steps: str,
    field: str = "hifmi_pay",
    base: str = "own",
    axis: str = "absolute",
    threshold: str = "",
    cap: str = "",
    more: str = "",
) -> str:
    """Return a layer with its ratio in bands, and with a threshold and a limit where given."""
    text = block(
        "layer",
        f'{{ rule = "T-layer", value = "{name}", title = "{name}" }}',
        f'fund = "390200"\nfield = "{field}"\nbase = "{base}"\n{more}',
    )
    rates = f'{{ rule = "T-layer-ratio", bands = {toml_bands(*steps)} }}'
    text += block("layer_ratio", rates, f'layer = "{name}"\nbase = "{axis}"')
    if threshold:
        text += parameter("layer_deductible", f'"{threshold}"', f'layer = "{name}"')
    if cap:
        text += parameter("layer_cap", f'"{cap}"', f'layer = "{name}"')
    return text


def law(*parts: str, order: str = _ORDER) -> str:
    """Return the small region's text with these parameters; 100元 and 70% where a test brings none of its own."""
    text = HEAD + BENEFIT + FUND + GENERAL.replace(_ORDER, order) + ACCOUNT + "".join(parts)
    if 'key = "deductible"\n' not in text and 'key = "lump"\n' not in text:
        text += DEDUCTIBLE
    if 'key = "pool_ratio"\n' not in text and 'key = "lump"\n' not in text:
        text += RATIO
    return text


def case_of(in_scope: int, *, groups: Mapping[str, int] | None = None, **facts: Any) -> Case:
    """Return a case of the small region; ``groups`` are in-scope amounts of named groups beside ``in_scope``."""
    small = {k: facts.pop(k) for k in tuple(facts) if k in small_case.__annotations__}
    case = small_case(in_scope, **small)
    person = {k: facts.pop(k) for k in tuple(facts) if hasattr(case.person, k)}
    lines = case.lines + tuple(LineGroup(a, 0, 0, 0, a, name) for name, a in (groups or {}).items())
    who = msgspec.structs.replace(case.person, **person)
    return msgspec.structs.replace(case, person=who, lines=lines, **facts)


def decided(case: Case, text: str) -> Decision:
    """Return the decision, whose steps must add up and must all read as sentences."""
    decision = decide(case, small_policy(text))
    assert isinstance(decision, Decision), decision.sentence()
    assert differences(decision) == ()
    assert msgspec.structs.replace(decision, steps=()) == decide(case, small_policy(text), trace=False)
    return decision


def said(decision: Decision, code: str) -> str:
    """Return the sentence of the first step of a code."""
    return next(row.formula for row in explain_steps(decision.steps) if row.code == code)


def counters(decision: Decision) -> dict[str, tuple[int, int | None]]:
    """Return what each counter gets, with its ceiling."""
    return {c.code: (c.delta, c.cap) for c in decision.counters}
