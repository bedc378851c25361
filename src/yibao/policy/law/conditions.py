"""The dimensions a rule row may depend on, how they are tested, and how they read in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

Test = Callable[[Any], object]
"""Takes one fact of the case, returns something truthy if the row applies."""

Facts = dict[str, Any]
"""What a row's conditions look at: dimension name to the case's value."""


class Words(msgspec.Struct, frozen=True):
    """The region's own vocabulary, declared once in its files.

    Attributes:
        persons: person class to the two or four leading digits of ``psn_type`` it covers.
        diseases: disease group to code patterns; a trailing ``*`` stands for any ending.
        names: Chinese names of person classes, disease groups, traits, identities, layers and indexes,
            keyed ``kind.word``.
    """

    persons: Mapping[str, tuple[str, ...]]
    diseases: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str]


class Condition(msgspec.Struct, frozen=True):
    """One condition of a row. What it tests is kept as data, so that whole columns can be tested alike.

    Attributes:
        dimension: the fact it looks at.
        test: the test for a single case.
        text: how it reads in Chinese; empty where it is not worth saying.
        allowed: ``code``: the fact is one of these; ``any_of``: the fact is a tuple that has one of these.
        form: ``code``, ``any_of``, ``range``, ``pattern`` (a code fits one of the patterns) or ``all_groups``
            (each group of patterns is fitted by one of the codes).
        lowest: of a ``range``, included; None if open.
        below: of a ``range``, excluded; None if open.
        patterns: of a ``pattern``; a trailing ``*`` stands for any ending.
        groups: of ``all_groups``.
    """

    dimension: str
    test: Test
    text: str
    allowed: frozenset[Any] | None = None
    form: str = "code"
    lowest: int | None = None
    below: int | None = None
    patterns: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()

    def content(self) -> tuple[object, ...]:
        """Return what the condition demands, equal for two conditions that demand the same."""
        allowed = tuple(sorted(self.allowed or (), key=str))
        return (self.dimension, self.form, allowed, self.lowest, self.below, self.patterns, self.groups)


_FIXED: dict[str, dict[str, str]] = {
    "level": {"1": "一级医疗机构", "2": "二级医疗机构", "3": "三级医疗机构"},
    "institution_kind": {"1": "定点医疗机构", "2": "定点零售药店"},
    "account_kind": {"with_account": "统账结合", "pool_only": "单建统筹", "none": "无个人账户"},
    "class_level": {"01": "甲类", "02": "乙类", "03": "丙类"},
    "insutype": {
        "310": "职工医保",
        "320": "公务员医疗补助",
        "330": "大额医疗费用补助",
        "390": "居民医保",
        "410": "长期照护保险",
        "510": "生育保险",
    },
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
    "remote": {
        "home": "本地就医",
        "registered": "异地长期居住备案",
        "referred": "异地转诊",
        "temporary": "临时外出就医",
        "own_choice": "自行异地就医",
        "unregistered": "异地未备案",
        "emergency": "异地急诊",
    },
    "remote_place": {"in_province": "省内异地", "outside": "跨省异地"},
    "referred_from": {
        "none": "未经转诊",
        "1": "由一级机构转诊",
        "2": "由二级机构转诊",
        "3": "由三级机构转诊",
    },
    "maternity": {
        "birth": "顺产",
        "difficult": "难产",
        "caesarean": "剖宫产",
        "miscarriage": "自然流产",
        "abortion": "人工流产",
        "prenatal": "产前检查",
        "iud": "宫内节育器放置或取出",
        "sterilisation": "绝育手术",
        "reversal": "复通手术",
    },
    "provider": {"none": "未选点", "first": "首选定点机构", "second": "次选定点机构", "other": "非选定机构"},
    "cause": {"none": "非外伤", "accident": "意外伤害", "third_party": "第三人责任", "work_injury": "工伤"},
    "maternity_filing": {
        "registered": "已办生育登记",
        "elsewhere": "生育登记在其他产检机构",
        "missing": "未办生育登记",
    },
    "payer": {"unit": "单位缴纳", "person": "个人缴纳", "state": "财政补助"},
}
_STANDS_FOR = {
    ("remote", "home"): "",
    ("referred_from", "none"): "",
    ("provider", "none"): "",
    ("cause", "none"): "",
}
"""Words for which the case has another value."""
_MED_TYPE = re.compile(r"\d{2,6}")
_FREE = {
    "benefit": "",
    "med_type": "医疗类别 ",
    "rank": "待遇级别 ",
    "enrolment_kind": "参保档次 ",
    "group": "单列项目 ",
    "part": "险种项目 ",
}
_KNOWN = {
    "group": {
        "special_drug": "特药",
        "negotiated": "国家谈判药品",
        "rare_drug": "罕见病用药",
        "implant": "植入材料",
    },
    "part": {"basic": "基本医疗", "large_amount": "大额补助", "care": "长期照护", "maternity": "生育"},
}
_RANGES = {
    "age": ("年龄", "岁"),
    "paid_months": ("连续缴费", "个月"),
    "admission": ("本年住院", "次"),
    "pregnancy_months": ("妊娠", "个月"),
    "foetuses": ("胎儿", "个"),
    "continuous_years": ("连续参保", "年"),
    "missed_years": ("断缴", "年"),
}
_TRUTHS = {"claim_free": {True: "上年未报销", False: "上年有报销"}}
_DECLARED = {
    "person": ("person", "person_classes"),
    "identity": ("identity", "identities"),
    "trait": ("trait", "traits"),
    "disease": ("disease", "diseases"),
    "recognised_all": ("disease", "diseases"),
}
"""Dimensions whose words the region declares: kind of word, and the section it stands in."""
DIMENSIONS = (*_FIXED, *_FREE, *_DECLARED, *_RANGES, *_TRUTHS)
"""Every dimension a ``when`` may name."""
LINE_DIMENSIONS = ("insutype", "med_type", "list_type", "class_level", "group")
"""Those a rule about single fee lines may depend on."""
GROUP_DIMENSIONS = ("group",)
"""Those that only a rule about a group of lines, or about single ones, may depend on."""
DUES_DIMENSIONS = ("payer", "part", "missed_years")
"""Those that only what is no bill may depend on."""
CASE_DIMENSIONS = tuple(
    d
    for d in DIMENSIONS
    if d not in ("list_type", "class_level") and d not in (*GROUP_DIMENSIONS, *DUES_DIMENSIONS)
)
"""Those a rule about a bill may depend on."""
RECKONING_DIMENSIONS = (
    "insutype",
    "person",
    "age",
    "identity",
    "account_kind",
    "enrolment_kind",
    "maternity",
    "pregnancy_months",
    "foetuses",
    "paid_months",
    *DUES_DIMENSIONS,
)
"""Those a rule about dues, credits, allowances and waiting may depend on."""
FILING_DIMENSIONS = ("insutype", "disease", "level", "trait")
"""Those a rule about filings may depend on: level and traits are of the institution that is chosen."""

_LOWEST, _BELOW = -(2**40), 2**40
"""Stand for an open end of a range, beyond every age, month and year."""


def read_condition(dimension: str, wanted: object, words: Words) -> Condition | str:
    """Return the condition for one entry of a ``when``, or what is wrong with it as a sentence."""
    if dimension in _RANGES:
        return _range_condition(dimension, wanted)
    if dimension in _TRUTHS:
        if not isinstance(wanted, bool):
            return f"条件 {dimension} 应为 true 或 false，收到 {wanted!r}"
        allowed = frozenset((wanted,))
        return Condition(dimension, allowed.__contains__, _TRUTHS[dimension][wanted], allowed)
    if dimension not in DIMENSIONS:
        return f"不认识的条件维度 {dimension!r}；可用：{', '.join(sorted(DIMENSIONS))}"
    values = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and v for v in values):
        return f"条件 {dimension} 应为文本或非空文本列表，收到 {wanted!r}"
    if dimension in _FIXED or dimension in _FREE:
        return _code_condition(dimension, values)
    kind, section = _DECLARED[dimension]
    unknown = [v for v in values if f"{kind}.{v}" not in words.names]
    if unknown:
        return f"条件 {dimension} 用到未声明的词 {', '.join(unknown)}；先在本地区文件的 [{section}] 中声明"
    text = "、".join(words.names[f"{kind}.{v}"] for v in values)
    return _worded_condition(dimension, values, text, words)


def disease_matches(code: str, patterns: tuple[str, ...]) -> bool:
    """Say whether a disease code fits one of the patterns (``M005*`` fits ``M00503``)."""
    return any(code.startswith(p[:-1]) if p.endswith("*") else code == p for p in patterns)


def _has_one(wanted: frozenset[str], has: tuple[str, ...]) -> bool:
    return not wanted.isdisjoint(has)


def _fits(patterns: tuple[str, ...], code: str) -> bool:
    return disease_matches(code, patterns)


def _fits_all(groups: tuple[tuple[str, ...], ...], codes: tuple[str, ...]) -> bool:
    return all(any(disease_matches(code, group) for code in codes) for group in groups)


def _code_condition(dimension: str, values: list[str]) -> Condition | str:
    fixed = _FIXED.get(dimension)
    unknown = [v for v in values if fixed is not None and v not in fixed]
    if unknown:
        return f"条件 {dimension} 的值 {', '.join(unknown)} 不认识；可用：{', '.join(fixed or ())}"
    if dimension == "med_type" and not all(_MED_TYPE.fullmatch(v) for v in values):
        return f"条件 med_type 应为医疗类别的数字代码（如 11、2101），收到 {', '.join(values)}"
    allowed = frozenset(_STANDS_FOR.get((dimension, v), v) for v in values)
    names = fixed or _KNOWN.get(dimension, {})
    text = "、".join(names.get(v, v) for v in values)
    if fixed is None:
        text = _FREE[dimension] + text if _FREE[dimension] else ""
    return Condition(dimension, allowed.__contains__, text, allowed)


def _worded_condition(dimension: str, values: list[str], text: str, words: Words) -> Condition:
    allowed = frozenset(values)
    if dimension == "person":
        return Condition(dimension, allowed.__contains__, text, allowed)
    if dimension == "disease":
        patterns = tuple(p for v in values for p in words.diseases[v])
        return Condition(dimension, partial(_fits, patterns), text, form="pattern", patterns=patterns)
    if dimension == "recognised_all":
        groups = tuple(words.diseases[v] for v in values)
        return Condition(
            dimension, partial(_fits_all, groups), f"同时患{text}", form="all_groups", groups=groups
        )
    return Condition(dimension, partial(_has_one, allowed), text, allowed, form="any_of")


def _range_condition(dimension: str, wanted: object) -> Condition | str:
    label, unit = _RANGES[dimension]
    if not isinstance(wanted, dict) or not wanted or set(wanted) - {"from", "below"}:
        return f"条件 {dimension} 应写作 {{ from = 6, below = 18 }}（含 from，不含 below），收到 {wanted!r}"
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in wanted.values()):
        return f"条件 {dimension} 的界限应为整数，收到 {wanted!r}"
    lowest, below = wanted.get("from"), wanted.get("below")
    if lowest is not None and below is not None and lowest >= below:
        return f"条件 {dimension} 的 from 应小于 below（含 from，不含 below），收到 {wanted!r}"
    parts = []
    if lowest is not None:
        parts.append(f"满{lowest}{unit}")
    if below is not None:
        parts.append(f"不满{below}{unit}")
    within = range(_LOWEST if lowest is None else lowest, _BELOW if below is None else below)
    text = label + "、".join(parts)
    if dimension == "admission":
        text = _admission_text(lowest, below)
    return Condition(dimension, within.__contains__, text, form="range", lowest=lowest, below=below)


def _admission_text(lowest: int | None, below: int | None) -> str:
    if below is None:
        return f"本年第{lowest}次及以后住院"
    if lowest is None or lowest == below - 1:
        return f"本年第{below - 1}次住院" if lowest is not None or below == 2 else f"本年前{below - 1}次住院"
    return f"本年第{lowest}至{below - 1}次住院"
