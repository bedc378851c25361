"""Policy files: what is refused, how it is said, and what a version is."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.policy.small_policy import (
    BENEFIT,
    CAP,
    DAY,
    DEDUCTIBLE,
    FUND,
    GENERAL,
    HEAD,
    RATIO,
    WHOLE,
    block,
    small_policy,
)
from yibao.policy.loading import BadPolicy, load_policy


def faults(text: str) -> list[tuple[str, str, str]]:
    """Return (rule, field, message) of every fault of a text."""
    with pytest.raises(BadPolicy) as caught:
        small_policy(text)
    return [(f.rule, f.field, f.message) for f in caught.value.faults]


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ('{ rule = "R-9", value = "70" }', "value", "75%"),
        ('{ value = "70%" }', "rule", "缺少"),
        ('{ rule = "R-9", value = "70%", from = "2025-01-01" }', "from", "不加引号"),
        ('{ rule = "R-9", value = "70%", to = 2019-01-01 }', "to", "早于"),
        ('{ rule = "R-9", value = "70%", mark = "rumour" }', "mark", "official"),
        ('{ rule = "R-9", value = "70%", source = "" }', "source", "必须写明来源"),
        ('{ rule = "R-9", value = "70%", source = "Z" }', "source", "未在 [sources] 中声明"),
        ('{ rule = "R-9", value = "70%", colour = "red" }', "colour", "没有这个字段"),
        ('{ rule = "R-9", value = "70%", counter = "x" }', "counter", "没有这个字段"),
        ('{ rule = "R-9", value = "70%", priority = "high" }', "priority", "整数"),
        ('{ rule = "R-9", value = "70%", base = "sideways" }', "base", "cost_band"),
        ('{ rule = "R-9", value = "70%", clause = 3 }', "clause", "文本"),
        ('{ rule = "R-9", value = "70%", bands = [{ ratio = "70%" }] }', "bands", "不与 value 同写"),
        ('{ rule = "R-9", value = "70%", when = { planet = "mars" } }', "when.planet", "不认识的条件维度"),
        ('{ rule = "R-9", value = "70%", when = { level = "4" } }', "when.level", "不认识"),
        ('{ rule = "R-9", value = "70%", when = { person = "student" } }', "when.person", "person_classes"),
        ('{ rule = "R-9", value = "70%", when = { disease = "gout" } }', "when.disease", "diseases"),
        ('{ rule = "R-9", value = "70%", when = { trait = "tall" } }', "when.trait", "traits"),
        ('{ rule = "R-9", value = "70%", when = { identity = "9999" } }', "when.identity", "identities"),
        ('{ rule = "R-9", value = "70%", when = { level = 1 } }', "when.level", "文本"),
        ('{ rule = "R-9", value = "70%", when = { age = 60 } }', "when.age", "below"),
        ('{ rule = "R-9", value = "70%", when = { age = { from = "60" } } }', "when.age", "整数"),
        ('{ rule = "R-9", value = "70%", when = { list_type = "101" } }', "when.list_type", "不能以此为条件"),
        ('{ rule = "R-9", value = "70%", when = { benefit = "spa" } }', "when.benefit", "没有待遇类别 spa"),
        ('{ rule = "R-6", value = "70%" }, { rule = "R-9", value = "80%" }', "from", "永远用不到"),
        ('{ rule = "R-9", value = "70%", when = "always" }', "when", "应为一张表"),
        ('"70%"', "rows", "应为一张表"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_with_field_and_remedy(row: str, field: str, message: str) -> None:
    found = faults(HEAD + BENEFIT + FUND + GENERAL + DEDUCTIBLE + CAP + block("pool_ratio", row))
    assert any(f == field and message in m for _, f, m in found), found


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (WHOLE.replace("format = 1", "format = 2"), "format"),
        (WHOLE.replace('admdvs = "990000"', 'admdvs = "99"'), "admdvs"),
        (WHOLE.replace('region = "样例市"', ""), "region"),
        (WHOLE.replace('region = "样例市"', 'region = "样例市"\ncolour = "red"'), "colour"),
        (WHOLE.replace('psn_type = ["12"]', 'psn_type = ["11"]'), "person_classes.retired.psn_type"),
        (WHOLE.replace('psn_type = ["12"]', 'psn_type = ["1201"]'), "person_classes.retired.psn_type"),
        (WHOLE.replace('psn_type = ["12"]', "psn_type = 12"), "person_classes.retired.psn_type"),
        (WHOLE.replace('codes = ["M071*"]', "codes = []"), "diseases.lupus.codes"),
        (WHOLE.replace('title = "转载", ', ""), "sources.L.title"),
        (WHOLE.replace('key = "fund"', 'key = "found"'), "key"),
        (WHOLE.replace(RATIO, ""), "pool_ratio"),
        (WHOLE.replace('insutype = "310", ', ""), "when.insutype"),
        (HEAD, "parameter"),
        (HEAD.replace("[person_classes]", "[parameter]\n[person_classes]"), "parameter"),
        (HEAD + "[[parameter]]\nkey = 'fund'", "rows"),
        ("format = = 1", ""),
    ],
)  # fmt: skip
def test_a_bad_file_is_named(text: str, field: str) -> None:
    assert field in {f for _, f, _ in faults(text)}


def test_every_fault_is_collected_and_said_with_its_file() -> None:
    text = WHOLE.replace('"70%"', '"70"').replace('"100元"', '"-1元"').replace('"half_up"', '"bankers"')
    with pytest.raises(BadPolicy) as caught:
        load_policy({"a.toml": text})
    assert {f.rule for f in caught.value.faults} == {"R-6", "R-5", "R-1"}
    assert str(caught.value).count("a.toml") == 3


def test_no_files_and_two_regions_are_refused() -> None:
    with pytest.raises(BadPolicy):
        load_policy({})
    with pytest.raises(BadPolicy, match="一次只能载入一个统筹区"):
        load_policy({"a.toml": WHOLE, "b.toml": 'format = 1\nadmdvs = "990001"'})


def test_one_policy_may_lie_in_several_files() -> None:
    split = {
        "1.toml": HEAD + BENEFIT + FUND + GENERAL,
        "2.toml": 'format = 1\nadmdvs = "990000"' + DEDUCTIBLE + RATIO + CAP,
    }
    assert [r.used.rule for r in load_policy(split).rows] == [
        "R-0",
        "R-F",
        "R-1",
        "R-2",
        "R-3",
        "R-5",
        "R-6",
        "R-7",
    ]


def test_version_follows_the_law_not_the_layout() -> None:
    version = small_policy().version
    assert small_policy("# a remark\n" + WHOLE + "\n\n").version == version
    assert small_policy(WHOLE.replace('"70%"', '"71%"')).version != version
    assert small_policy(WHOLE.replace("第三条", "第四条")).version != version
    assert (
        small_policy(
            WHOLE.replace('{ rule = "R-6", value = "70%" }', '{ value = "70%", rule = "R-6" }')
        ).version
        == version
    )
    assert len(version) == 64


def test_a_day_has_the_rows_whose_period_holds_it() -> None:
    rows = (
        '{ rule = "OLD", value = "60%", to = 2024-12-31 },\n'
        '{ rule = "NEW", value = "70%", from = 2025-01-01 }'
    )
    policy = small_policy(HEAD + BENEFIT + FUND + GENERAL + DEDUCTIBLE + CAP + block("pool_ratio", rows))
    change = date(2025, 1, 1)

    def ratio_rules(day: date) -> list[str]:
        law = policy.law_on(day)
        assert law is not None
        return [r.used.rule for r in law.benefits["310", "visit"].pool_ratio]

    assert ratio_rules(change - timedelta(days=1)) == ["OLD"]
    assert ratio_rules(change) == ["NEW"]
    assert ratio_rules(DAY) == ["NEW"]
    assert policy.law_on(date(2019, 12, 31)) is None
    assert [r.used.rule for r in policy.rows_on(change) if r.key == "pool_ratio"] == ["NEW"]


def test_law_for_a_single_day() -> None:
    rows = '{ rule = "R-6", value = "70%", to = 2024-12-31 }, { rule = "ONE", value = "90%", from = 2025-01-01, to = 2025-01-01 }'
    policy = small_policy(HEAD + BENEFIT + FUND + GENERAL + DEDUCTIBLE + CAP + block("pool_ratio", rows))
    found = {}
    for day in (date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 2)):
        law = policy.law_on(day)
        assert law is not None
        found[day.isoformat()] = [r.used.rule for r in law.benefits["310", "visit"].pool_ratio]
    assert found == {"2024-12-31": ["R-6"], "2025-01-01": ["ONE"], "2025-01-02": []}


def test_a_higher_priority_is_tried_first() -> None:
    rows = (
        '{ rule = "GENERAL", value = "60%" },\n'
        '{ rule = "SPECIAL", value = "70%", priority = 1, when = { level = "1" } }'
    )
    policy = small_policy(HEAD + BENEFIT + FUND + GENERAL + DEDUCTIBLE + CAP + block("pool_ratio", rows))
    law = policy.law_on(DAY)
    assert law is not None
    assert [r.used.rule for r in law.benefits["310", "visit"].pool_ratio] == ["SPECIAL", "GENERAL"]


def test_region_wide_settings() -> None:
    policy = small_policy(WHOLE + block("reversal.later_settlements", '{ rule = "R-X", value = "refuse" }'))
    setting = policy.setting("reversal.later_settlements", DAY)
    assert setting is not None
    assert (setting.word, setting.used.rule) == ("refuse", "R-X")
    assert policy.setting("reversal.later_settlements", date(2019, 1, 1)) is None
    assert policy.setting("account.shared_inside_acct_pay", DAY) is None


JUNK = st.one_of(
    st.just(7), st.just(-1.5), st.just(True), st.just(""), st.just("70%"), st.just([]), st.just([[1]]), st.just({}),
    st.just({"a": 1}), st.just([{"rule": 3}]), st.dates(),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_junk_anywhere_is_refused_or_read_but_never_breaks_the_reader(data: st.DataObject) -> None:
    """One value anywhere in a good file is replaced by something else: a fault or a policy, no crash."""
    document = tomllib.loads(WHOLE)
    node: object = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))  # type: ignore[arg-type]
        key = data.draw(st.sampled_from(keys))
        below = node[key]  # type: ignore[index]
        if isinstance(below, dict | list) and below and data.draw(st.booleans()):
            node = below
            continue
        node[key] = data.draw(JUNK)  # type: ignore[index]
        break
    try:
        policy = load_policy({"junk.toml": as_toml(document)})
    except BadPolicy:
        return  # refused with its faults: what the file deserved
    assert policy.rows


def as_toml(document: dict[str, object]) -> str:
    """Write a document back as TOML, everything inline."""
    return "\n".join(f"{quoted(key)} = {inline(value)}" for key, value in document.items())


def quoted(key: object) -> str:
    return '"' + str(key).replace('"', "'") + '"'


def inline(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(k)} = {inline(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(inline(v) for v in value) + "]"
    return value.isoformat() if isinstance(value, date) else str(value)
