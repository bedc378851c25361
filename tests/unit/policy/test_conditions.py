"""Every dimension a rule row may depend on: when it holds, and how it reads."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from yibao.policy.law.conditions import DIMENSIONS, Condition, Words, disease_matches, read_condition

WORDS = Words(
    persons={"retired": ("12",)},
    diseases={"diabetes": ("M016*",), "stroke": ("M04803",)},
    names={
        "person.retired": "退休人员",
        "disease.diabetes": "糖尿病",
        "disease.stroke": "脑卒中",
        "trait.children": "儿童医院",
        "identity.2303": "低保对象",
    },
)

CASES = [
    ("insutype", "310", "310", "390", "职工医保"),
    ("benefit", "ordinary", "ordinary", "chronic", ""),
    ("med_type", ["11", "13"], "13", "14", "医疗类别 11、13"),
    ("person", "retired", "retired", "active", "退休人员"),
    ("identity", "2303", ("2101", "2303"), ("2101",), "低保对象"),
    ("age", {"from": 60, "below": 70}, 60, 70, "年龄满60岁、不满70岁"),
    ("paid_months", {"below": 6}, 5, 6, "连续缴费不满6个月"),
    ("level", ["1", "2"], "2", "3", "一级医疗机构、二级医疗机构"),
    ("institution_kind", "2", "2", "1", "定点零售药店"),
    ("trait", "children", ("primary_care", "children"), (), "儿童医院"),
    ("disease", ["diabetes", "stroke"], "M01609", "M04800", "糖尿病、脑卒中"),
    (
        "recognised_all",
        ["diabetes", "stroke"],
        ("M04803", "M01600"),
        ("M01600", "M01609"),
        "同时患糖尿病、脑卒中",
    ),
    ("account_kind", "pool_only", "pool_only", "with_account", "单建统筹"),
    ("class_level", "02", "02", "01", "乙类"),
    ("list_type", "201", "201", "101", "医疗服务项目"),
    ("admission", {"from": 2, "below": 3}, 2, 3, "本年第2次住院"),
    ("pregnancy_months", {"from": 4, "below": 7}, 4, 7, "妊娠满4个月、不满7个月"),
    ("foetuses", {"from": 2}, 2, 1, "胎儿满2个"),
    ("continuous_years", {"from": 4}, 4, 3, "连续参保满4年"),
    ("missed_years", {"from": 4}, 4, 3, "断缴满4年"),
    ("remote", ["home", "registered"], "", "referred", "本地就医、异地长期居住备案"),
    ("remote_place", "outside", "outside", "in_province", "跨省异地"),
    ("referred_from", ["1", "2"], "2", "", "由一级机构转诊、由二级机构转诊"),
    ("maternity", "caesarean", "caesarean", "birth", "剖宫产"),
    ("referred_from", "none", "", "1", "未经转诊"),
    ("provider", "second", "second", "first", "次选定点机构"),
    ("provider", "none", "", "other", "未选点"),
    ("cause", ["third_party", "accident"], "accident", "", "第三人责任、意外伤害"),
    ("cause", "none", "", "work_injury", "非外伤"),
    ("maternity_filing", "missing", "missing", "", "未办生育登记"),
    ("rank", ["12", "13"], "13", "", "待遇级别 12、13"),
    ("enrolment_kind", "grade_1", "grade_1", "grade_2", "参保档次 grade_1"),
    ("group", ["special_drug", "own_list"], "special_drug", "", "单列项目 特药、own_list"),
    ("payer", "unit", "unit", "person", "单位缴纳"),
    ("part", "basic", "basic", "care", "险种项目 基本医疗"),
    ("claim_free", True, True, False, "上年未报销"),
]


@pytest.mark.parametrize(("dimension", "wanted", "yes", "no", "text"), CASES, ids=lambda v: str(v)[:16])
def test_dimension(dimension: str, wanted: object, yes: object, no: object, text: str) -> None:
    condition = read_condition(dimension, wanted, WORDS)
    assert isinstance(condition, Condition)
    assert condition.test(yes)
    assert not condition.test(no)
    assert condition.text == text


def test_every_dimension_is_tried_above() -> None:
    assert {case[0] for case in CASES} == set(DIMENSIONS)


@pytest.mark.parametrize(
    ("code", "pattern", "fits"),
    [
        ("M00503", "M005*", True),
        ("M00503", "M00503", True),
        ("M00503", "M00500", False),
        ("", "M005*", False),
    ],
)
def test_disease_patterns(code: str, pattern: str, fits: bool) -> None:
    assert disease_matches(code, (pattern,)) is fits


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"from": 1, "below": 2}, "本年第1次住院"),
        ({"below": 2}, "本年第1次住院"),
        ({"below": 4}, "本年前3次住院"),
        ({"from": 2, "below": 5}, "本年第2至4次住院"),
        ({"from": 3}, "本年第3次及以后住院"),
    ],
)
def test_admissions_read_as_people_count_them(wanted: dict[str, int], text: str) -> None:
    condition = read_condition("admission", wanted, WORDS)
    assert isinstance(condition, Condition)
    assert condition.text == text


@pytest.mark.parametrize(("dimension", "wanted", "yes", "no", "text"), CASES, ids=lambda v: str(v)[:16])
def test_what_a_condition_tests_is_also_there_as_data(
    dimension: str, wanted: object, yes: object, no: object, text: str
) -> None:
    """A reader of whole columns must come to the same answer from the data alone, also after a copy."""
    condition = read_condition(dimension, wanted, WORDS)
    assert isinstance(condition, Condition)
    for copy in (condition, pickle.loads(pickle.dumps(condition))):
        assert holds(copy, yes)
        assert not holds(copy, no)
        assert copy.test(yes)
        assert not copy.test(no)
        assert copy.content() == condition.content()


def holds(condition: Condition, fact: Any) -> bool:
    """Answer from the condition's data, without its test."""
    allowed = condition.allowed or frozenset()
    if condition.form == "code":
        return fact in allowed
    if condition.form == "any_of":
        return any(f in allowed for f in fact)
    if condition.form == "range":
        above = condition.lowest is None or fact >= condition.lowest
        return above and (condition.below is None or fact < condition.below)
    if condition.form == "pattern":
        return disease_matches(fact, condition.patterns)
    assert condition.form == "all_groups"
    return all(any(disease_matches(f, group) for f in fact) for group in condition.groups)


@pytest.mark.parametrize(
    ("dimension", "wanted", "message"),
    [
        ("claim_free", "true", "true 或 false"),
        ("remote", "abroad", "own_choice"),
        ("maternity", ["birth", "twins"], "twins"),
        ("age", {"from": 18, "below": 6}, "from 应小于 below"),
        ("admission", 2, "from = 6"),
        ("rank", "", "文本"),
        ("med_type", "门诊", "数字代码"),
    ],
)
def test_a_wrong_condition_says_what_may_stand_there(dimension: str, wanted: object, message: str) -> None:
    found = read_condition(dimension, wanted, WORDS)
    assert isinstance(found, str)
    assert message in found
