"""Reads a region's policy files (TOML text) into its compiled policy; collects every fault before it complains."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from yibao.policy.conditions import DIMENSIONS, Condition, Words, read_condition
from yibao.policy.decision import Used
from yibao.policy.law import arrange
from yibao.policy.parameters import KINDS, RegionPolicy, Row
from yibao.policy.reading import FIELDS, read_bands, read_value
from yibao.policy.values import read_ratio

_FORMAT = 1
_MARKS = ("official", "public_page", "assumed")
_TOP = {
    "format",
    "admdvs",
    "region",
    "title",
    "person_classes",
    "diseases",
    "traits",
    "identities",
    "sources",
    "parameter",
}


class PolicyFault(msgspec.Struct, frozen=True):
    """One thing wrong with a policy file: where, in which rule, which field, and what to do."""

    file: str
    rule: str
    field: str
    message: str

    def sentence(self) -> str:
        """Return the fault as one Chinese sentence."""
        place = "，".join(p for p in (self.file, self.rule, self.field) if p)
        return f"{place}：{self.message}"


class BadPolicy(ValueError):
    """The policy files of a region cannot be used; ``faults`` lists everything wrong with them."""

    def __init__(self, faults: tuple[PolicyFault, ...]) -> None:
        self.faults = faults
        listed = "\n".join(fault.sentence() for fault in faults)
        super().__init__(f"政策文件有误，共 {len(faults)} 处：\n{listed}")


def load_policy(files: Mapping[str, str]) -> RegionPolicy:
    """Compile the policy files of one region.

    Args:
        files: file name to its text. Read in the order of the names; together they are one policy.

    Raises:
        BadPolicy: with every fault found: file, rule, field, and what to do.
    """
    return _Loader(files).load()


class _Loader:
    """Holds what is known while the files of one region are read."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.faults: list[PolicyFault] = []
        self.documents: dict[str, dict[str, Any]] = {}
        for file in sorted(files):
            try:
                self.documents[file] = tomllib.loads(files[file])
            except tomllib.TOMLDecodeError as error:
                self.fault(file, "", "", f"不是有效的 TOML（{error}），请按提示的行号修改")
        self.sources: dict[str, dict[str, str]] = {}
        self.words = Words({}, {}, {})

    def fault(self, file: str, rule: str, field: str, message: str) -> None:
        self.faults.append(PolicyFault(file, rule, field, message))

    def load(self) -> RegionPolicy:
        admdvs, name = self._identity()
        self._read_words()
        rows: list[Row] = []
        for file, document in self.documents.items():
            for number, block in enumerate(document.get("parameter", []), 1):
                rows.extend(self._read_parameter(file, number, block))
        if not rows and not self.faults:
            self.fault("", "", "parameter", "没有任何参数，请至少写一个 [[parameter]]")
        self._check_words(rows)
        self._check_shadows(rows)
        if self.faults:
            raise BadPolicy(tuple(self.faults))
        starts, laws = arrange(tuple(rows))
        classes = {digits: word for word, codes in self.words.persons.items() for digits in codes}
        version = hashlib.sha256(_canonical(self.documents).encode()).hexdigest()
        return RegionPolicy(admdvs, name, version, self.words, classes, tuple(rows), starts, laws)

    def _identity(self) -> tuple[str, str]:
        places: set[str] = set()
        names: list[str] = []
        for file, document in self.documents.items():
            for unknown in sorted(set(document) - _TOP):
                self.fault(file, "", unknown, f"不认识的顶层字段；可用：{', '.join(sorted(_TOP))}")
            if document.get("format") != _FORMAT:
                self.fault(file, "", "format", f"应为 {_FORMAT}，收到 {document.get('format')!r}")
            place = document.get("admdvs")
            if not isinstance(place, str) or len(place) != 6 or not place.isdigit():
                self.fault(file, "", "admdvs", f"应为 6 位区划代码文本，收到 {place!r}")
            else:
                places.add(place)
            if "region" in document:
                names.append(str(document["region"]))
        if len(places) > 1:
            self.fault("", "", "admdvs", f"一次只能载入一个统筹区，收到 {', '.join(sorted(places))}")
        if len(set(names)) != 1:
            self.fault("", "", "region", "统筹区名称应在且只在一个文件中以 region 写明")
        return (min(places) if places else ""), (names[0] if names else "")

    def _read_words(self) -> None:
        persons: dict[str, tuple[str, ...]] = {}
        diseases: dict[str, tuple[str, ...]] = {}
        names: dict[str, str] = {}
        for file, document in self.documents.items():
            self.sources.update(document.get("sources", {}))
            for word, entry in document.get("person_classes", {}).items():
                persons[word] = self._coded(file, f"person_classes.{word}", entry, "psn_type")
                names[f"person.{word}"] = str(entry.get("name", word))
            for word, entry in document.get("diseases", {}).items():
                diseases[word] = self._coded(file, f"diseases.{word}", entry, "codes")
                names[f"disease.{word}"] = str(entry.get("name", word))
            names.update({f"trait.{k}": str(v) for k, v in document.get("traits", {}).items()})
            names.update({f"identity.{k}": str(v) for k, v in document.get("identities", {}).items()})
        self.words = Words(persons, diseases, names)

    def _coded(self, file: str, field: str, entry: dict[str, Any], codes: str) -> tuple[str, ...]:
        found = entry.get(codes)
        if not isinstance(found, list) or not found or not all(isinstance(c, str) for c in found):
            self.fault(file, "", f"{field}.{codes}", f"应为非空文本列表，收到 {found!r}")
            return ()
        return tuple(found)

    def _read_parameter(self, file: str, number: int, block: dict[str, Any]) -> list[Row]:
        key, rows = block.get("key"), block.get("rows")
        place = f"第 {number} 个 [[parameter]]"
        if key not in KINDS:
            self.fault(file, place, "key", f"不认识的参数 {key!r}；可用：{', '.join(KINDS)}")
            return []
        if not isinstance(rows, list) or not rows:
            self.fault(file, f"{place} {key}", "rows", "缺少取值行，请写 rows = [ { … } ]")
            return []
        shared = {k: v for k, v in block.items() if k not in ("key", "rows", "when")}
        made = []
        for ordinal, entry in enumerate(rows, 1):
            merged = shared | entry | {"when": block.get("when", {}) | entry.get("when", {})}
            row = self._read_row(file, str(key), f"{place} {key} 第 {ordinal} 行", merged)
            if row is not None:
                made.append(row)
        return made

    def _read_row(self, file: str, key: str, place: str, entry: dict[str, Any]) -> Row | None:
        before = len(self.faults)
        kind = KINDS[key]
        rule = str(entry.get("rule") or place)
        for unknown in sorted(set(entry) - FIELDS - kind.extra):
            self.fault(
                file,
                rule,
                unknown,
                f"{kind.name}没有这个字段；可用：{', '.join(sorted(FIELDS | kind.extra))}",
            )
        for needed in ("rule", "name", "from", "mark", *(("counter",) if "counter" in kind.extra else ())):
            if not entry.get(needed):
                self.fault(file, rule, needed, "缺少，请写在参数或取值行里")
        self._check_dates(file, rule, entry)
        value = read_bands(entry["bands"]) if "bands" in entry else read_value(kind, entry.get("value"))
        if isinstance(value, str):
            self.fault(file, rule, "bands" if "bands" in entry else "value", value)
        source = self._source(file, rule, entry)
        conditions = self._conditions(file, rule, key, entry["when"])
        extra = self._extra(file, rule, key, entry)
        if len(self.faults) > before or isinstance(value, str):
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
            counter=str(entry.get("counter", "")),
            extra=extra,
            place=f"{file} {place}",
            priority=int(entry.get("priority", 0)),
        )

    def _check_dates(self, file: str, rule: str, entry: dict[str, Any]) -> None:
        for field in ("from", "to"):
            if field in entry and type(entry[field]) is not date:
                self.fault(file, rule, field, f"应为日期（如 2025-01-01，不加引号），收到 {entry[field]!r}")
        start, end = entry.get("from"), entry.get("to")
        if type(start) is date and type(end) is date and end < start:
            self.fault(file, rule, "to", f"终止日 {end} 早于起始日 {start}")

    def _source(self, file: str, rule: str, entry: dict[str, Any]) -> dict[str, str]:
        mark, key = entry.get("mark"), entry.get("source", "")
        if mark is not None and mark not in _MARKS:
            self.fault(file, rule, "mark", f"应为 {' / '.join(_MARKS)}，收到 {mark!r}")
        if not key and mark in ("official", "public_page"):
            self.fault(file, rule, "source", "不是假定的取值必须写明来源")
        if key and key not in self.sources:
            self.fault(file, rule, "source", f"来源 {key!r} 未在 [sources] 中声明")
        return self.sources.get(key, {})

    def _conditions(self, file: str, rule: str, key: str, when: dict[str, Any]) -> tuple[Condition, ...]:
        conditions = []
        for dimension, wanted in when.items():
            if dimension in DIMENSIONS and dimension not in KINDS[key].dimensions:
                usable = ", ".join(KINDS[key].dimensions) or "无"
                self.fault(
                    file, rule, f"when.{dimension}", f"{KINDS[key].name}不能以此为条件；可用：{usable}"
                )
                continue
            condition = read_condition(dimension, wanted, self.words)
            if isinstance(condition, str):
                self.fault(file, rule, f"when.{dimension}", condition)
            else:
                conditions.append(condition)
        return tuple(conditions)

    def _extra(self, file: str, rule: str, key: str, entry: dict[str, Any]) -> dict[str, str | bool | int]:
        extra: dict[str, str | bool | int] = {}
        for field in sorted(KINDS[key].extra - {"counter"}):
            if field not in entry:
                continue
            value = entry[field]
            if field == "each_other_disease":
                ratio = read_ratio(value) if isinstance(value, str) else None
                if ratio is None:
                    self.fault(file, rule, field, f"应写作 50%，收到 {value!r}")
                extra[field] = ratio or 0
            elif field == "base" and value not in ("above_dedc", "cost_band"):
                self.fault(file, rule, field, f"应为 above_dedc 或 cost_band，收到 {value!r}")
            else:
                extra[field] = value
        return extra

    def _check_words(self, rows: list[Row]) -> None:
        benefits = {r.word for r in rows if r.key == "benefit"}
        for row in rows:
            for condition in row.conditions:
                if condition.dimension == "benefit" and condition.allowed and condition.allowed - benefits:
                    unknown = ", ".join(sorted(condition.allowed - benefits))
                    self.fault(
                        row.place,
                        row.used.rule,
                        "when.benefit",
                        f'没有待遇类别 {unknown}，先用 key = "benefit" 声明',
                    )

    def _check_shadows(self, rows: list[Row]) -> None:
        seen: dict[tuple[object, ...], list[Row]] = {}
        for row in rows:
            tests = tuple(
                sorted((c.dimension, c.text, tuple(sorted(c.allowed or ()))) for c in row.conditions)
            )
            same = seen.setdefault((row.key, row.counter, row.priority, tests), [])
            for earlier in same:
                if _overlap(earlier, row):
                    self.fault(
                        row.place,
                        row.used.rule,
                        "from",
                        f"与 {earlier.used.rule}（{earlier.place}）条件相同且日期重叠，永远用不到",
                    )
            same.append(row)


def _overlap(one: Row, other: Row) -> bool:
    one_ends_first = one.valid_to is not None and one.valid_to < other.valid_from
    other_ends_first = other.valid_to is not None and other.valid_to < one.valid_from
    return not one_ends_first and not other_ends_first


def _used(
    entry: dict[str, Any], value: str, conditions: tuple[Condition, ...], source: dict[str, str]
) -> Used:
    said = "，".join(c.text for c in conditions if c.text)
    where = "，".join(p for p in (source.get("title", ""), source.get("where", "")) if p)
    return Used(
        rule=str(entry["rule"]),
        name=str(entry["name"]),
        value=value,
        condition=str(entry.get("condition", said)),
        valid_from=entry["from"].isoformat(),
        clause=str(entry.get("clause", "")),
        source=where,
        mark=str(entry["mark"]),
        reliability=str(entry.get("reliability", source.get("reliability", ""))),
    )


def _canonical(documents: Mapping[str, Any]) -> str:
    """Return the content of the files without comments and layout, so that only a change of law changes the version."""
    return json.dumps(documents, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
