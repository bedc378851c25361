"""Policy files: what is refused, how it is said, and what a version is."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path

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
    INDEX,
    LAYER,
    LAYER_CAP,
    LAYER_DEDUCTIBLE,
    LAYER_RATIO,
    ORDER,
    RATIO,
    WHOLE,
    WITH_LAYER,
    block,
    small_policy,
)
from yibao.policy.law.loading import BadPolicy, load_policy
from yibao.policy.law.parameters import KINDS, DayLaw, RegionPolicy
from yibao.policy.law.values import Share


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
        (WHOLE.replace('psn_type = ["12"]', 'psn_type = ["120"]'), "person_classes.retired.psn_type"),
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


def test_a_version_is_the_digest_of_what_the_files_say() -> None:
    """Stored settlements name it: the digest of the parsed files as JSON, keys sorted, dates as ISO text."""
    said = {"small.toml": tomllib.loads(WITH_LAYER)}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=date.isoformat)
    assert small_policy(WITH_LAYER).version == hashlib.sha256(text.encode()).hexdigest()


def test_the_examples_of_the_manual_are_read() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "policy-format.md").read_text(encoding="utf-8")
    whole, layer = re.findall(r"```toml\n(.*?)```", manual, re.DOTALL)
    assert tomllib.loads(whole)["parameter"][0]["key"] == "deductible"
    order = '["pool", "serious_illness", "own_account", "cash"]'
    text = WHOLE.replace('"310"', '"390"').replace('["pool", "own_account", "cash"]', order)
    rows = {row.used.rule: row for row in small_policy(text + layer).rows}
    assert (rows["X-1"].used.value, len(rows["X-2"].bands)) == ("大病保险", 2)


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
        return [r.used.rule for r in law.benefits["310", "visit"].rows.get("pool_ratio", ())]

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
        found[day.isoformat()] = [
            r.used.rule for r in law.benefits["310", "visit"].rows.get("pool_ratio", ())
        ]
    assert found == {"2024-12-31": ["R-6"], "2025-01-01": ["ONE"], "2025-01-02": []}


def test_a_higher_priority_is_tried_first() -> None:
    rows = (
        '{ rule = "GENERAL", value = "60%" },\n'
        '{ rule = "SPECIAL", value = "70%", priority = 1, when = { level = "1" } }'
    )
    policy = small_policy(HEAD + BENEFIT + FUND + GENERAL + DEDUCTIBLE + CAP + block("pool_ratio", rows))
    law = policy.law_on(DAY)
    assert law is not None
    assert [r.used.rule for r in law.benefits["310", "visit"].rows.get("pool_ratio", ())] == [
        "SPECIAL",
        "GENERAL",
    ]


def test_region_wide_settings() -> None:
    policy = small_policy(WHOLE + block("reversal.later_settlements", '{ rule = "R-X", value = "refuse" }'))
    setting = policy.setting("reversal.later_settlements", DAY)
    assert setting is not None
    assert (setting.word, setting.used.rule) == ("refuse", "R-X")
    assert policy.setting("reversal.later_settlements", date(2019, 1, 1)) is None
    assert policy.setting("account.shared_inside_acct_pay", DAY) is None


def law_of(policy: RegionPolicy, day: date = DAY) -> DayLaw:
    law = policy.law_on(day)
    assert law is not None
    return law


def test_a_benefit_holds_its_rows_by_key() -> None:
    policy = small_policy(WITH_LAYER)
    held = law_of(policy).benefits["310", "visit"]
    assert set(held.rows) == {
        "deductible", "pool_ratio", "pool_cap", "fund", "rounding", "benefit_year", "order", "layer", "layer_ratio",
        "layer_deductible", "layer_cap",
    }  # fmt: skip
    assert held.missing == ()
    (layer,) = held.rows["layer"]
    assert (layer.word, layer.conditions, layer.counter) == ("serious", (), "serious.cost")
    assert dict(layer.extra) == {
        "title": "大病保险", "fund": "390200", "field": "hifmi_pay", "paid_counter": "serious.paid",
    }  # fmt: skip
    assert layer.used.value == "大病保险"
    assert held.rows["order"][0].used.value == "统筹基金 → 大病保险 → 本人个人账户 → 现金"
    assert held.rows["layer_deductible"][0].formula == Share(2_000, "index.wage")
    assert held.rows["layer_deductible"][0].used.value == "index的 20%"
    assert [(cap.counter, len(cap.rows)) for cap in held.caps] == [("visit.pool", 1)]


def test_indexes_are_dated_and_found_by_name() -> None:
    series = '{ rule = "W1", value = "84000元", to = 2022-12-31 }, { rule = "W2", value = "90000元", from = 2023-01-01 }'
    policy = small_policy(WHOLE + block("index", series, 'index = "wage"'))
    found = [policy.index("wage", date(year, 1, 1)) for year in (2019, 2022, 2023)]
    assert [row and row.number for row in found] == [None, 8_400_000, 9_000_000]
    assert policy.index("income", DAY) is None
    assert law_of(policy).indexes["wage"].used.rule == "W2"
    assert law_of(policy, date(2022, 6, 1)).indexes["wage"].used.rule == "W1"


def test_what_is_no_bill_is_held_by_key_with_all_its_conditions() -> None:
    rows = (
        '{ rule = "D1", payer = "unit", part = "basic", value = "7.5%" },\n'
        '{ rule = "D2", when = { payer = "person", part = "basic" }, value = "2%" }'
    )
    policy = small_policy(
        WHOLE
        + block("dues_rate", rows, 'when = { insutype = ["310", "510"] }')
        + block("wait_fixed", '{ rule = "D3", value = "3个月" }', 'when = { insutype = "390" }')
    )
    reckoning = law_of(policy).reckoning
    assert [r.used.rule for r in reckoning["dues_rate"]] == ["D1", "D2"]
    assert [c.dimension for c in reckoning["dues_rate"][1].conditions] == ["insutype", "payer", "part"]
    assert (reckoning["wait_fixed"][0].number, reckoning["wait_fixed"][0].word) == (3, "个月")
    assert sorted(law_of(policy).first_pay) == ["310"]


def test_a_lump_needs_neither_deductible_nor_ratio() -> None:
    policy = small_policy(
        HEAD + BENEFIT + FUND + GENERAL + block("lump", '{ rule = "R-8", value = "2400元" }')
    )
    held = law_of(policy).benefits["310", "visit"]
    assert held.missing == ()
    assert "pool_ratio" not in held.rows


def test_a_lump_that_has_ended_is_missing() -> None:
    lump = block("lump", '{ rule = "R-8", value = "2400元", to = 2024-12-31 }')
    policy = small_policy(HEAD + BENEFIT + FUND + GENERAL + lump)
    assert law_of(policy).benefits["310", "visit"].missing == ("定额支付",)
    assert law_of(policy, date(2024, 12, 31)).benefits["310", "visit"].missing == ()


def test_the_longest_prefix_decides_the_person_class() -> None:
    more = 'student = { name = "大学生", psn_type = ["1204", "1404"] }\n[diseases]'
    policy = small_policy(WHOLE.replace("[diseases]", more))
    classes = {code: policy.person_class(code) for code in ("1204", "1201", "12", "1404", "1401", "1101", "")}
    assert classes == {
        "1204": "student", "1201": "retired", "12": "retired", "1404": "student", "1401": "", "1101": "active", "": "",
    }  # fmt: skip


def test_a_policy_is_the_same_after_a_copy() -> None:
    policy = small_policy(WITH_LAYER)
    arranged = law_of(policy)
    copy = pickle.loads(pickle.dumps(policy))
    assert copy.version == policy.version
    assert [r.used for r in copy.rows] == [r.used for r in policy.rows]
    assert law_of(copy).benefits["310", "visit"].missing == ()
    assert law_of(policy) is arranged
    with pytest.raises(AttributeError):
        policy.name = "另一地区"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "rule", "field", "message"),
    [
        (WITH_LAYER.replace(LAYER, ""), "R-LR", "layer", "没有补充支付层 serious"),
        (WITH_LAYER.replace(LAYER, ""), "R-3", "value", "没有补充支付层 serious"),
        (WITH_LAYER.replace(LAYER_RATIO, ""), "R-L", "value", "layer_ratio"),
        (WITH_LAYER.replace(ORDER, GENERAL), "R-L", "value", "order"),
        (WITH_LAYER.replace('layer = "serious"\nbase', "base"), "R-LR", "layer", "缺少"),
        (WITH_LAYER.replace('base = "absolute"', 'base = "cost_band"'), "R-LR", "base", "above_dedc"),
        (WITH_LAYER.replace('field = "hifmi_pay"', 'field = "hifmi"'), "R-L", "field", "hifmi_pay"),
        (WITH_LAYER.replace('fund = "390200"', 'fund = "大病"'), "R-L", "fund", "六位数字"),
        (WITH_LAYER.replace('fund = "390200"', 'fund = "390200"\nbase = "above_cap"'), "R-L", "base", "feeds"),
        (WITH_LAYER.replace('"serious.paid"', '"serious.cost"'), "R-L", "paid_counter", "不同的计数"),
        (WITH_LAYER.replace('"serious.paid"', '"visit.deductible"'), "R-L", "paid_counter", "R-5"),
        (WITH_LAYER.replace('"visit.pool"', '"visit.deductible"'), "R-7", "counter", "R-5"),
        (WITH_LAYER.replace('"visit.pool"', '"visit@pool"'), "R-7", "counter", "计数代码"),
        (WITH_LAYER.replace(INDEX, ""), "R-LD", "value", "没有指数 wage"),
        (WITH_LAYER.replace('"84000元"', '{ share = "110%", of = "index.wage" }'), "R-W", "value", "它自身"),
        (WHOLE.replace('"1000元"', '"99元"'), "R-7", "value", "低于同一条件下的起付标准"),
        (WHOLE + block("item_limit", '{ rule = "R-I", value = "9元", window = "month" }'), "R-I", "window", "counter"),
        (WHOLE + block("line_ratio", '{ rule = "R-G", value = "80%" }'), "R-G", "when.group", "须写明"),
        (
            WHOLE + block("pool_bonus", '{ rule = "R-G", value = "5个百分点", when = { group = "implant" } }'),
            "R-G", "when.group", "不能以此为条件",
        ),
        (WHOLE + block("dues_rate", '{ rule = "R-D", payer = "unit", value = "8%" }'), "R-D", "part", "须写明"),
        (WHOLE + block("dues_rate", '{ rule = "R-D", payer = "boss", value = "8%" }'), "R-D", "payer", "person"),
        (WHOLE + block("wait_fixed", '{ rule = "R-D", value = "90天" }'), "R-D", "value", "个月"),
        (
            WHOLE + block("wait_fixed", '{ rule = "R-D", value = "3个月", when = { level = "1" } }'),
            "R-D", "when.level", "不能以此为条件",
        ),
        (WHOLE + block("first_pay", '{ rule = "R-D", bands = [{ ratio = "8%" }] }'), "R-D", "bands", "支付比例"),
        (
            WHOLE + block("dues_rate", '{ rule = "R-D", part = "care", payer = "unit", of = "index.pay", value = "8%" }'),
            "R-D", "of", "没有指数 pay",
        ),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_together_are_named(text: str, rule: str, field: str, message: str) -> None:
    found = faults(text)
    assert any(r == rule and f == field and message in m for r, f, m in found), found


@pytest.mark.parametrize(
    "text",
    [
        WITH_LAYER,
        WITH_LAYER.replace(LAYER_CAP, "").replace(LAYER_DEDUCTIBLE, "").replace(INDEX, ""),
        WHOLE.replace('"1000元"', '"99元", window = "month"'),
        WHOLE.replace('"1000元"', '"99元", when = { level = "1" }'),
        WHOLE + block("pool_bonus", '{ rule = "B1", value = "5个百分点" }, { rule = "B2", value = "2个百分点", group = "x" }'),
        WHOLE + block("deductible_factor", '{ rule = "B1", value = "120%", when = { admission = { from = 2 } } }'),
        WHOLE + block("dues_floor", '{ rule = "B1", value = "4441元" }', 'when = { insutype = "510" }'),
        WHOLE + block("item_limit", '{ rule = "B1", value = "300元", counter = "visit.items", window = "month" }'),
    ],
)  # fmt: skip
def test_what_fits_together_is_read(text: str) -> None:
    assert small_policy(text).rows


SAMPLES = {
    "benefit": '{ value = "other", title = "其他", needs_disease = true, when = { insutype = "390" } }',
    "remote_first_pay": '{ value = "10%", when = { remote = ["temporary", "own_choice"] } }',
    "refusal": '{ value = "somebody_else_pays", title = "由他人负担", remedy = "请找他人", when = { cause = "third_party" } }',
    "deductible": '{ value = "300元", counter = "never.counted", window = "stay", when = { level = "1" } }',
    "deductible_factor": '{ value = "120%", when = { remote = "referred" } }',
    "deductible_step": '{ value = "100元" }',
    "deductible_floor": '{ value = "200元", when = { level = "2" } }',
    "deductible_year_cap": '{ value = "2000元", counter = "stay.deductible" }',
    "item_limit": '{ value = "300元", counter = "visit.items", window = "month" }',
    "line_ratio": '{ value = "80%", when = { group = "special_drug" } }',
    "line_deductible": '{ value = "20000元", counter = "drug.cost", when = { group = "special_drug" } }',
    "pool_ratio": '{ bands = [{ to = "30000元", ratio = "85%" }, { ratio = "90%" }], base = "cost_band", priority = 1 }',
    "own_factor": '{ value = "60%", when = { person = "retired" } }',
    "pool_bonus": '{ value = "2个百分点", group = "referral", when = { referred_from = ["1", "2"] } }',
    "pool_floor": '{ value = "3000元", when = { maternity = "birth" } }',
    "lump": '{ value = "2400元", when = { maternity = "caesarean" } }',
    "pool_cap": '{ value = "160000元", counter = "stay.pool", window = "year", feeds = true, optional = true }',
    "layer": '{ value = "serious", title = "大病", fund = "390200", field = "hifmi_pay", base = "own", conversion = "80%" }',
    "layer_deductible": '{ value = "12000元", layer = "serious" }',
    "layer_ratio": '{ value = "60%", layer = "serious", base = "above_dedc" }',
    "layer_cap": '{ value = "不设", layer = "serious" }',
    "fund": '{ value = "310100", field = "hifp_pay", priority = 1 }',
    "first_pay": '{ value = "20%", when = { insutype = "310", list_type = "301" } }',
    "rounding": '{ value = "up_yuan", priority = 1 }',
    "benefit_year": '{ value = "discharge_date", priority = 1 }',
    "order": '{ value = ["own_account", "pool", "serious", "shared_account", "cash"], priority = 1 }',
    "account.pays": '{ value = "in_scope", priority = 1 }',
    "account.first_limit": '{ value = "800元" }',
    "account.shared_inside_acct_pay": "{ value = true }",
    "reversal.later_settlements": '{ value = "resettle" }',
    "clearing.period": '{ value = "quarter" }',
    "clearing.cut_day": '{ value = "20日" }',
    "index": '{ value = "84000元", index = "wage" }',
    "dues_rate": '{ value = "7.5%", payer = "unit", part = "basic", of = "base" }',
    "dues_fixed": '{ value = "400元", payer = "person", part = "basic", period = "year" }',
    "dues_floor": '{ value = { share = "60%", of = "index.wage", rounding = "up_yuan" } }',
    "dues_ceiling": '{ value = { share = "300%", of = "index.wage", years_back = 1 } }',
    "dues_rounding": '{ value = "half_up_yuan", when = { part = "basic" } }',
    "credit_rate": '{ value = "2%", when = { age = { below = 45 } } }',
    "credit_fixed": '{ value = "136元", when = { person = "retired" } }',
    "allowance_days": '{ value = "15天", adds = true, per = "extra_foetus" }',
    "allowance_divisor": '{ value = "12/365" }',
    "allowance_lump": '{ value = "3000元" }',
    "allowance_needs_months": '{ value = "9个月" }',
    "wait_fixed": '{ value = "3个月" }',
    "wait_per_missed_year": '{ value = "1个月" }',
    "wait_repair_per_year": '{ value = "1个月" }',
    "wait_least": '{ value = "6个月", when = { missed_years = { from = 4 } } }',
    "newborn_window": '{ value = "90天" }',
    "gap_allowed": '{ value = "3个月" }',
    "years_needed": '{ value = "25年", kind = "total", when = { person = "retired" } }',
    "claim_within": '{ value = "1年" }',
    "benefit_lag": '{ value = "1个月" }',
    "arrears_kept": '{ value = "2个月" }',
    "gap_paid": "{ value = true }",
    "identity_no_wait": "{ value = true }",
    "surcharge_daily": '{ value = "0.05%" }',
    "due_day": '{ value = "25日" }',
    "resident_season": '{ value = "09-01/12-31" }',
    "late_pays_subsidy": "{ value = true }",
    "pay_after_enrolment": '{ value = "next_day" }',
    "account_interest": '{ value = "0.35%" }',
    "dues_from_account": '{ value = true, when = { part = "care" } }',
    "sharing_circle": '{ value = "spouse,parent,child" }',
    "withdrawal_causes": '{ value = "emigration,military" }',
    "recognition_by": '{ value = "agency", when = { insutype = "310" } }',
    "recognition_review": '{ value = "24个月", when = { disease = "diabetes" } }',
    "referral_valid": '{ value = "30天" }',
    "choice_limit": '{ value = "2家", when = { level = "1" } }',
    "choice_change": '{ value = "09-01/12-31" }',
    "choice_effect": '{ value = "next_year" }',
    "registration_begin": '{ value = "filing_day" }',
}


def test_every_key_can_be_written() -> None:
    """One row of each key, all of them together one policy."""
    assert set(SAMPLES) == set(KINDS)
    text = WHOLE + "".join(
        block(key, row.replace("{", f'{{ rule = "{key}",', 1)) for key, row in SAMPLES.items()
    )
    rows = small_policy(text).rows
    assert {row.key for row in rows} == set(KINDS)
    assert {row.used.rule for row in rows} >= set(SAMPLES)


JUNK = st.one_of(
    st.just(7), st.just(-1.5), st.just(True), st.just(""), st.just("70%"), st.just([]), st.just([[1]]), st.just({}),
    st.just({"a": 1}), st.just([{"rule": 3}]), st.dates(),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_junk_anywhere_is_refused_or_read_but_never_breaks_the_reader(data: st.DataObject) -> None:
    """One value anywhere in a good file is replaced by something else: a fault or a policy, no crash."""
    document = tomllib.loads(WITH_LAYER)
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
