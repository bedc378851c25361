"""The dimensions a rule row may depend on, how they are tested, and how they read in Chinese."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Test = Callable[[Any], object]
"""Takes one fact of the case, returns something truthy if the row applies."""

Facts = dict[str, Any]
"""What a row's conditions look at: dimension name to the case's value."""


class Words(msgspec.Struct, frozen=True):
    """The region's own vocabulary, declared once in its files.

    Attributes:
        persons: person class to the first two digits of ``psn_type`` it covers.
        diseases: disease group to code patterns; a trailing ``*`` stands for any ending.
        names: Chinese names of person classes, disease groups, traits and identities, keyed ``kind.word``.
    """

    persons: Mapping[str, tuple[str, ...]]
    diseases: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str]


class Condition(msgspec.Struct, frozen=True):
    """One condition of a row: the dimension, its test and its Chinese text (empty: not worth saying)."""

    dimension: str
    test: Test
    text: str
    allowed: frozenset[str] | None = None


_FIXED: dict[str, dict[str, str]] = {
    "level": {"1": "一级医疗机构", "2": "二级医疗机构", "3": "三级医疗机构"},
    "institution_kind": {"1": "定点医疗机构", "2": "定点零售药店"},
    "account_kind": {"with_account": "统账结合", "pool_only": "单建统筹", "none": "无个人账户"},
    "class_level": {"01": "甲类", "02": "乙类", "03": "丙类"},
    "insutype": {"310": "职工医保", "390": "居民医保"},
    "list_type": {
        "101": "西药中成药",
        "102": "中药饮片",
        "103": "自制剂",
        "104": "民族药",
        "105": "其他",
        "106": "中药配方颗粒",
        "201": "医疗服务项目",
        "301": "医用耗材",
    },
}
_FREE = {"benefit": "", "med_type": "医疗类别 "}
_RANGES = {"age": ("年龄", "岁"), "paid_months": ("连续缴费", "个月")}
DIMENSIONS = (*_FIXED, *_FREE, "person", "identity", "trait", "disease", "recognised_all", *_RANGES)
"""Every dimension a ``when`` may name."""
LINE_DIMENSIONS = ("insutype", "list_type", "class_level")
"""Those a rule about single fee lines may depend on."""
CASE_DIMENSIONS = tuple(d for d in DIMENSIONS if d not in ("list_type", "class_level"))
"""Those a rule about a bill may depend on."""


def read_condition(dimension: str, wanted: object, words: Words) -> Condition | str:
    """Return the condition for one entry of a ``when``, or what is wrong with it as a sentence."""
    if dimension in _RANGES:
        return _range_condition(dimension, wanted)
    if dimension not in DIMENSIONS:
        return f"不认识的条件维度 {dimension!r}；可用：{', '.join(sorted(DIMENSIONS))}"
    values = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(values, list) or not values or not all(isinstance(v, str) for v in values):
        return f"条件 {dimension} 应为文本或非空文本列表，收到 {wanted!r}"
    if dimension in _FIXED or dimension in _FREE:
        return _code_condition(dimension, values)
    unknown = [v for v in values if f"{_kind(dimension)}.{v}" not in words.names]
    if unknown:
        return f"条件 {dimension} 用到未声明的词 {', '.join(unknown)}；先在本地区文件的 [{_table(dimension)}] 中声明"
    text = "、".join(words.names[f"{_kind(dimension)}.{v}"] for v in values)
    return _worded_condition(dimension, values, text, words)


def disease_matches(code: str, patterns: tuple[str, ...]) -> bool:
    """Say whether a disease code fits one of the patterns (``M005*`` fits ``M00503``)."""
    return any(code.startswith(p[:-1]) if p.endswith("*") else code == p for p in patterns)


def _kind(dimension: str) -> str:
    return "disease" if dimension == "recognised_all" else dimension


def _table(dimension: str) -> str:
    tables = {"person": "person_classes", "identity": "identities", "trait": "traits"}
    return tables.get(dimension, "diseases")


def _code_condition(dimension: str, values: list[str]) -> Condition | str:
    names = _FIXED.get(dimension)
    unknown = [v for v in values if names is not None and v not in names]
    if unknown:
        return f"条件 {dimension} 的值 {', '.join(unknown)} 不认识；可用：{', '.join(names or ())}"
    allowed = frozenset(values)
    if names is not None:
        text = "、".join(names[v] for v in values)
    else:
        text = _FREE[dimension] + "、".join(values) if _FREE[dimension] else ""
    return Condition(dimension, allowed.__contains__, text, allowed)


def _worded_condition(dimension: str, values: list[str], text: str, words: Words) -> Condition:
    if dimension == "person":
        allowed = frozenset(values)
        return Condition(dimension, allowed.__contains__, text, allowed)
    if dimension == "disease":
        patterns = tuple(p for v in values for p in words.diseases[v])
        return Condition(dimension, lambda code: disease_matches(code, patterns), text)
    if dimension == "recognised_all":
        groups = tuple(words.diseases[v] for v in values)
        return Condition(
            dimension,
            lambda codes: all(any(disease_matches(c, g) for c in codes) for g in groups),
            f"同时患{text}",
        )
    wanted = frozenset(values)
    return Condition(dimension, lambda has: not wanted.isdisjoint(has), text)


def _range_condition(dimension: str, wanted: object) -> Condition | str:
    label, unit = _RANGES[dimension]
    if not isinstance(wanted, dict) or not wanted or set(wanted) - {"from", "below"}:
        return f"条件 {dimension} 应写作 {{ from = 6, below = 18 }}（含 from，不含 below），收到 {wanted!r}"
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in wanted.values()):
        return f"条件 {dimension} 的界限应为整数，收到 {wanted!r}"
    lowest, below = wanted.get("from"), wanted.get("below")
    parts = []
    if lowest is not None:
        parts.append(f"满{lowest}{unit}")
    if below is not None:
        parts.append(f"不满{below}{unit}")

    def test(value: int) -> bool:
        return (lowest is None or value >= lowest) and (below is None or value < below)

    return Condition(dimension, test, label + "、".join(parts))
