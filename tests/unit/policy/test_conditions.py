"""Every dimension a rule row may depend on: when it holds, and how it reads."""

from __future__ import annotations

import pytest

from yibao.policy.conditions import DIMENSIONS, Condition, Words, disease_matches, read_condition

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
