"""Reads the ``[[parameter]]`` blocks of a policy file into rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from yibao.policy.decision import Used
from yibao.policy.law.conditions import DIMENSIONS, Condition, Words, read_condition
from yibao.policy.law.faults import Findings
from yibao.policy.law.keys import KINDS, Attribute, Kind
from yibao.policy.law.parameters import Row
from yibao.policy.law.reading import FIELDS, read_bands, read_value
from yibao.policy.law.values import read_ratio

_MARKS = ("official", "public_page", "assumed")
_NEEDED = ("rule", "name", "from", "clause", "mark")
_TEXTS = ("rule", "name", "clause", "source", "reliability", "condition", "note")
_SHAPES = {
    "word": re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*"),
    "counter": re.compile(r"[A-Za-z0-9_.-]+"),
    "code": re.compile(r"\d{6}"),
    "base": re.compile(r"base|index\.[A-Za-z][A-Za-z0-9_]*"),
}
_SAID = {
    "text": "非空文本",
    "word": "由字母、数字和下划线组成的名称",
    "counter": "由字母、数字、点和下划线组成的计数代码",
    "code": "六位数字代码",
    "base": " base 或 index.<指数名>",
    "ratio": "比例（如 50%）",
    "truth": " true 或 false",
}


class RowReader:
    """Reads rows with the sources and words that the region's files declare."""

    def __init__(self, sources: Mapping[str, Mapping[str, str]], words: Words, findings: Findings) -> None:
        self._sources = sources
        self._words = words
        self._findings = findings

    def read(self, file: str, document: Mapping[str, Any]) -> Iterator[Row]:
        """Yield the rows of one file in their order; faults go to the findings."""
        blocks = document.get("parameter", [])
        if not isinstance(blocks, list):
            self._findings.add(file, "", "parameter", "参数应写作 [[parameter]]（双方括号）")
            return
        for number, value in enumerate(blocks, 1):
            place = self._findings.place = f"第 {number} 个 [[parameter]]"
            block = self._findings.table(file, place, "parameter", value)
            key = block.get("key")
            if not isinstance(key, str) or key not in KINDS:
                self._findings.add(file, place, "key", f"不认识的参数 {key!r}；可用：{', '.join(KINDS)}")
                continue
            yield from self._read_block(file, key, f"{place} {key}", block)
        self._findings.place = ""

    def _read_block(self, file: str, key: str, place: str, block: dict[str, Any]) -> Iterator[Row]:
        rows = block.get("rows")
        if not isinstance(rows, list) or not rows:
            self._findings.add(file, place, "rows", "缺少取值行，请写 rows = [ { … } ]")
            return
        common = {name: value for name, value in block.items() if name not in ("key", "rows")}
        for ordinal, value in enumerate(rows, 1):
            here = self._findings.place = f"{place} 第 {ordinal} 行"
            entry = self._findings.table(file, here, "rows", value)
            when = {
                **self._findings.table(file, here, "when", common.get("when", {})),
                **self._findings.table(file, here, "when", entry.get("when", {})),
            }
            row = self._read_row(file, key, here, {**common, **entry, "when": when})
            if row is not None:
                yield row

    def _read_row(self, file: str, key: str, place: str, entry: dict[str, Any]) -> Row | None:
        before = len(self._findings.faults)
        kind = KINDS[key]
        rule = str(entry.get("rule") or place)
        self._check_fields(file, rule, kind, entry)
        banded = "bands" in entry
        value = (
            read_bands(entry["bands"]) if banded else read_value(kind, entry.get("value"), self._words.names)
        )
        if isinstance(value, str):
            self._findings.add(file, rule, "bands" if banded else "value", value)
        source = self._source(file, rule, entry)
        conditions = self._conditions(file, rule, kind, entry["when"])
        extra = self._extra(file, rule, kind, entry)
        if len(self._findings.faults) > before or isinstance(value, str):
            return None
        return Row(
            key=key,
            number=value.number,
            absent=value.absent,
            bands=value.bands,
            word=value.word,
            valid_from=entry["from"],
            valid_to=entry.get("to"),
            conditions=conditions,
            used=_used(entry, str(extra.get("title", value.text)), conditions, source),
            counter=entry.get("counter", ""),
            extra=extra,
            place=f"{file} {place}",
            priority=entry.get("priority", 0),
            formula=value.formula,
        )

    def _check_fields(self, file: str, rule: str, kind: Kind, entry: dict[str, Any]) -> None:
        known = FIELDS | kind.extra
        for unknown in sorted(set(entry) - known):
            self._findings.add(
                file, rule, unknown, f"{kind.name}没有这个字段；可用：{', '.join(sorted(known))}"
            )
        if "bands" in entry and ("value" in entry or not kind.banded):
            self._findings.add(file, rule, "bands", "分段只用于支付比例，且不与 value 同写")
        for needed in (*_NEEDED, *(name for name, attribute in kind.attributes.items() if attribute.needed)):
            if not entry.get(needed):
                self._findings.add(file, rule, needed, "缺少，请写在参数或取值行里")
        if "window" in entry and "counter" in kind.extra and not entry.get("counter"):
            self._findings.add(file, rule, "window", "时段须与计数同写，请写 counter")
        for dimension in kind.needs_when:
            if dimension not in entry["when"]:
                self._findings.add(file, rule, f"when.{dimension}", f"{kind.name}须写明此条件")
        for text in _TEXTS:
            if not isinstance(entry.get(text, ""), str):
                self._findings.add(file, rule, text, f"应为文本，收到 {entry[text]!r}")
        if type(entry.get("priority", 0)) is not int:
            self._findings.add(file, rule, "priority", f"应为整数，收到 {entry['priority']!r}")
        self._check_dates(file, rule, entry)

    def _check_dates(self, file: str, rule: str, entry: dict[str, Any]) -> None:
        for field in ("from", "to"):
            if field in entry and type(entry[field]) is not date:
                self._findings.add(
                    file, rule, field, f"应为日期（如 2025-01-01，不加引号），收到 {entry[field]!r}"
                )
        start, end = entry.get("from"), entry.get("to")
        if type(start) is date and type(end) is date and end < start:
            self._findings.add(file, rule, "to", f"终止日 {end} 早于起始日 {start}")

    def _source(self, file: str, rule: str, entry: dict[str, Any]) -> Mapping[str, str]:
        mark, key = entry.get("mark"), entry.get("source", "")
        if mark is not None and mark not in _MARKS:
            self._findings.add(file, rule, "mark", f"应为 {' / '.join(_MARKS)}，收到 {mark!r}")
        if not key and mark in ("official", "public_page"):
            self._findings.add(file, rule, "source", "不是假定的取值必须写明来源")
        if not isinstance(key, str) or (key and key not in self._sources):
            self._findings.add(file, rule, "source", f"来源 {key!r} 未在 [sources] 中声明")
            return {}
        return self._sources.get(key, {})

    def _conditions(self, file: str, rule: str, kind: Kind, when: dict[str, Any]) -> tuple[Condition, ...]:
        conditions = []
        for dimension, wanted in when.items():
            condition = read_condition(dimension, wanted, self._words)
            if dimension in DIMENSIONS and dimension not in kind.dimensions:
                condition = f"{kind.name}不能以此为条件；可用：{', '.join(kind.dimensions) or '无'}"
            if isinstance(condition, str):
                self._findings.add(file, rule, f"when.{dimension}", condition)
            else:
                conditions.append(condition)
        return tuple(conditions)

    def _extra(self, file: str, rule: str, kind: Kind, entry: dict[str, Any]) -> dict[str, str | bool | int]:
        extra: dict[str, str | bool | int] = {}
        for field, attribute in sorted(kind.attributes.items()):
            if field not in entry:
                continue
            value = _read_extra(attribute, entry[field])
            if value is None:
                said = " 或 ".join(attribute.choices) if attribute.choices else _SAID[attribute.shape]
                self._findings.add(file, rule, field, f"应为{said}，收到 {entry[field]!r}")
            elif field != "counter":
                extra[field] = value
        return extra


def _read_extra(attribute: Attribute, value: object) -> str | bool | int | None:
    if attribute.shape == "truth":
        return value if isinstance(value, bool) else None
    if not isinstance(value, str) or not value:
        return None
    if attribute.shape == "ratio":
        return read_ratio(value)
    if attribute.shape == "choice":
        return value if value in attribute.choices else None
    shape = _SHAPES.get(attribute.shape)
    return value if shape is None or shape.fullmatch(value) else None


def _used(
    entry: dict[str, Any], value: str, conditions: tuple[Condition, ...], source: Mapping[str, str]
) -> Used:
    said = "，".join(c.text for c in conditions if c.text)
    where = "，".join(p for p in (source.get("title", ""), source.get("where", "")) if p)
    return Used(
        rule=entry["rule"],
        name=entry["name"],
        value=value,
        condition=entry.get("condition", said),
        valid_from=entry["from"].isoformat(),
        clause=entry.get("clause", ""),
        source=where,
        mark=entry["mark"],
        reliability=entry.get("reliability", source.get("reliability", "")),
    )
