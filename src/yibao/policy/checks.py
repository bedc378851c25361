"""Checks over all rows of a region: words that nothing declares, rows that can never apply, benefits left half."""

from __future__ import annotations

from yibao.policy.faults import Findings
from yibao.policy.law import NEEDED, words_allowed
from yibao.policy.parameters import KINDS, Row


def check_rows(rows: tuple[Row, ...], findings: Findings) -> None:
    """Add a fault for everything that no single row can show."""
    if not rows and not findings.faults:
        findings.add("", "", "parameter", "没有任何参数，请至少写一个 [[parameter]]")
    _check_benefits(rows, findings)
    _check_shadows(rows, findings)
    if not findings.faults:  # a row that could not be read would only be reported a second time
        _check_complete(rows, findings)


def _check_benefits(rows: tuple[Row, ...], findings: Findings) -> None:
    declared = {row.word for row in rows if row.key == "benefit"}
    for row in rows:
        if row.key == "benefit" and not words_allowed(row, "insutype"):
            findings.add(row.place, row.used.rule, "when.insutype", "待遇类别须写明险种")
        unknown = sorted(words_allowed(row, "benefit") - declared)
        if unknown:
            message = f'没有待遇类别 {", ".join(unknown)}，先用 key = "benefit" 声明'
            findings.add(row.place, row.used.rule, "when.benefit", message)


def _check_shadows(rows: tuple[Row, ...], findings: Findings) -> None:
    seen: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        tests = tuple(sorted((c.dimension, c.text, tuple(sorted(c.allowed or ()))) for c in row.conditions))
        same = seen.setdefault((row.key, row.counter, row.priority, tests), [])
        for earlier in same:
            if _overlap(earlier, row):
                message = f"与 {earlier.used.rule}（{earlier.place}）条件相同且日期重叠，永远用不到"
                findings.add(row.place, row.used.rule, "from", message)
        same.append(row)


def _check_complete(rows: tuple[Row, ...], findings: Findings) -> None:
    for benefit in (r for r in rows if r.key == "benefit"):
        for insutype in sorted(words_allowed(benefit, "insutype")):
            for key in NEEDED:
                if not any(
                    r.key == key and r.allows("insutype", insutype) and r.allows("benefit", benefit.word)
                    for r in rows
                ):
                    message = f"险种 {insutype} 的 {benefit.word} 没有{KINDS[key].name}（{key}），请补上"
                    findings.add(benefit.place, benefit.used.rule, key, message)


def _overlap(one: Row, other: Row) -> bool:
    one_ends_first = one.valid_to is not None and one.valid_to < other.valid_from
    other_ends_first = other.valid_to is not None and other.valid_to < one.valid_from
    return not one_ends_first and not other_ends_first
