"""Checks over all rows of a region: words that nothing declares, rows that can never apply, benefits left half."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from yibao.policy.law.arranging import NOT_FOR_LUMP, needed_keys, words_allowed
from yibao.policy.law.cycles import check_counters, check_indexes
from yibao.policy.law.faults import Findings
from yibao.policy.law.keys import KINDS
from yibao.policy.law.parameters import Row
from yibao.policy.law.reading import PAYERS

_TOLD_APART = ("layer", "group", "index", "payer", "part", "kind", "adds", "per")
"""Attributes by which rows of one key with the same conditions are told apart."""

Rows = tuple[Row, ...]
ByKey = dict[str, list["Held"]]


class Held(NamedTuple):
    """A row with the insurances and benefits it is for; empty for all."""

    row: Row
    insutypes: frozenset[str]
    benefits: frozenset[str]

    def meets(self, other: Held) -> bool:
        """Say whether some insurance and benefit may see both rows."""
        return _meet(self.insutypes, other.insutypes) and _meet(self.benefits, other.benefits)


def check_rows(rows: Rows, findings: Findings) -> None:
    """Add a fault for everything that no single row can show."""
    if not rows and not findings.faults:
        findings.add("", "", "parameter", "没有任何参数，请至少写一个 [[parameter]]")
    by_key: ByKey = {}
    for row in rows:
        held = Held(row, words_allowed(row, "insutype"), words_allowed(row, "benefit"))
        by_key.setdefault(row.key, []).append(held)
    _check_benefits(rows, by_key, findings)
    _check_shadows(rows, findings)
    _check_dues(by_key, findings)
    check_counters(rows, findings)
    check_indexes(rows, findings)
    if not findings.faults:  # a row that could not be read would only be reported a second time
        _check_caps(by_key, findings)
        _check_layers(by_key, findings)
        _check_complete(by_key, findings)


def _check_benefits(rows: Rows, by_key: ByKey, findings: Findings) -> None:
    declared = {held.row.word for held in by_key.get("benefit", ())}
    for row in rows:
        if row.key == "benefit" and not words_allowed(row, "insutype"):
            findings.add(row.place, row.used.rule, "when.insutype", "待遇类别须写明险种")
        unknown = sorted(words_allowed(row, "benefit") - declared)
        if unknown:
            message = f'没有待遇类别 {", ".join(unknown)}，先用 key = "benefit" 声明'
            findings.add(row.place, row.used.rule, "when.benefit", message)


def _check_shadows(rows: Rows, findings: Findings) -> None:
    seen: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        same = seen.setdefault((row.key, row.counter, row.priority, _apart(row), _demands(row)), [])
        for earlier in same:
            if _overlap(earlier, row):
                message = f"与 {earlier.used.rule}（{earlier.place}）条件相同且日期重叠，永远用不到"
                findings.add(row.place, row.used.rule, "from", message)
        same.append(row)


def _apart(row: Row) -> tuple[object, ...]:
    word = row.word if row.key == "layer" else ""
    return (word, *(row.extra.get(attribute) for attribute in _TOLD_APART))


def _demands(row: Row) -> tuple[object, ...]:
    return tuple(sorted((c.content() for c in row.conditions), key=repr))


def _check_dues(by_key: ByKey, findings: Findings) -> None:
    for key in ("dues_rate", "dues_fixed"):
        for held in by_key.get(key, ()):
            row = held.row
            for named in ("payer", "part"):
                if named not in row.extra and not words_allowed(row, named):
                    message = f"{KINDS[key].name}须写明（作为字段，或写在 when 里）"
                    findings.add(row.place, row.used.rule, named, message)


def _check_caps(by_key: ByKey, findings: Findings) -> None:
    """Add a fault where a benefit pays less in all than the person bears before it pays anything."""
    standards: dict[tuple[object, ...], list[Row]] = {}
    for row in _plain_amounts(by_key.get("deductible", ())):
        standards.setdefault((_window(row), _demands(row)), []).append(row)
    for row in _plain_amounts(by_key.get("pool_cap", ())):
        for standard in standards.get((_window(row), _demands(row)), ()):
            if row.number < standard.number and _overlap(row, standard):
                message = (
                    f"支付限额 {row.used.value} 低于同一条件下的起付标准 {standard.used.value}"
                    f"（{standard.used.rule}，{standard.place}），请核对两者是否写反或多写少写了位数"
                )
                findings.add(row.place, row.used.rule, "value", message)


def _plain_amounts(held: Iterable[Held]) -> list[Row]:
    return [h.row for h in held if not h.row.absent and h.row.formula is None]


def _window(row: Row) -> object:
    return row.extra.get("window", "year")


def _check_layers(by_key: ByKey, findings: Findings) -> None:
    layers = by_key.get("layer", [])
    declared = {held.row.word for held in layers}
    for key in ("layer_deductible", "layer_ratio", "layer_cap"):
        for held in by_key.get(key, ()):
            row = held.row
            if row.extra["layer"] not in declared:
                message = f'没有补充支付层 {row.extra["layer"]}，先用 key = "layer" 声明'
                findings.add(row.place, row.used.rule, "layer", message)
    for held in by_key.get("order", ()):
        unknown = sorted(set(held.row.word.split()) - set(PAYERS) - declared)
        if unknown:
            message = f'没有补充支付层 {", ".join(unknown)}，先用 key = "layer" 声明'
            findings.add(held.row.place, held.row.used.rule, "value", message)
    for held in layers:
        _check_layer(held, by_key, findings)


def _check_layer(held: Held, by_key: ByKey, findings: Findings) -> None:
    row, place, rule = held.row, held.row.place, held.row.used.rule
    ratios = [r for r in by_key.get("layer_ratio", ()) if r.row.extra["layer"] == row.word and r.meets(held)]
    if not ratios:
        findings.add(place, rule, "value", f"补充支付层 {row.word} 没有比例（layer_ratio），请补上")
    if not any(row.word in o.row.word.split() and o.meets(held) for o in by_key.get("order", ())):
        findings.add(
            place, rule, "value", f"支付顺序（order）中没有补充支付层 {row.word}，请在 pool 之后写上"
        )
    if row.extra.get("base") == "above_cap" and not any(
        c.row.extra.get("feeds") and c.meets(held) for c in by_key.get("pool_cap", ())
    ):
        message = "以限额以上费用为基数的层，须有一个写明 feeds = true 的支付限额（pool_cap）"
        findings.add(place, rule, "base", message)


def _check_complete(by_key: ByKey, findings: Findings) -> None:
    for benefit in by_key.get("benefit", ()):
        row = benefit.row
        for insutype in sorted(benefit.insutypes):
            one = Held(row, frozenset((insutype,)), frozenset((row.word,)))
            present = {key for key, rows in by_key.items() if any(r.meets(one) for r in rows)}
            for key in needed_keys(present):
                if key not in present:
                    message = f"险种 {insutype} 的 {row.word} 没有{KINDS[key].name}（{key}），请补上"
                    if key in NOT_FOR_LUMP:
                        message += "；按定额支付的待遇请写 lump"
                    findings.add(row.place, row.used.rule, key, message)


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    return not one or not other or not one.isdisjoint(other)


def _overlap(one: Row, other: Row) -> bool:
    one_ends_first = one.valid_to is not None and one.valid_to < other.valid_from
    other_ends_first = other.valid_to is not None and other.valid_to < one.valid_from
    return not one_ends_first and not other_ends_first
