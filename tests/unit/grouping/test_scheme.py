"""Tables that contradict themselves stop the start; a small scheme shows what each word of a rule asks for."""

from __future__ import annotations

from typing import Any

import pytest

from yibao.policy.grouping.case import GroupingCase
from yibao.policy.grouping.conditions import SchemeFault, conditions_of
from yibao.policy.grouping.grouper import group_case
from yibao.policy.grouping.scheme import Scheme, build_scheme
from yibao.policy.grouping.wording import why

HEAD = {"code": "small", "name": "小方案", "ungrouped": "0000", "newborn_days_max": 28, "infant_days_max": 365}


def tables(**changes: Any) -> dict[str, list[dict[str, str]]]:
    def diagnosis(code: str, mcc: str = "", cc: str = "", exclusion: str = "") -> dict[str, str]:
        return {"code": code, "name": f"诊断{code}", "mcc_table": mcc, "cc_table": cc, "exclusion_table": exclusion}

    made = {
        "mdc": [{"mdc": "MDCX", "name": "甲类", "test_order": "2", "entry_rule": "主诊断匹配"},
                {"mdc": "MDCA", "name": "先期", "test_order": "1", "entry_rule": "存在手术"}],
        "mdc_dx": [{"mdc": "MDCX", "dx_code": code, "trauma_site": ""} for code in ("D1", "D2")],
        "adrg": [{"adrg": "AA1", "name": "乙", "mdc": "MDCA", "test_order": "1", "entry_rule": "双手术匹配"},
                 {"adrg": "XA1", "name": "丙", "mdc": "MDCX", "test_order": "1", "entry_rule": "手术列表1或(2且3)"},
                 {"adrg": "XB1", "name": "丁", "mdc": "MDCX", "test_order": "2", "entry_rule": "主诊断匹配"}],
        "adrg_dx": [{"adrg": "XB1", "list_no": "0", "dx_code": "D1"}],
        "adrg_op": [{"adrg": adrg, "list_no": number, "op_code": code} for adrg, number, code in (
            ("AA1", "0", "P1"), ("AA1", "1", "P2"), ("XA1", "1", "P3"), ("XA1", "2", "P4"), ("XA1", "3", "P5"))],
        "drg": [{"drg": f"{adrg}{n}", "name": f"{adrg}{n}", "adrg": adrg, "mdc": "", "test_order": order, "severity": severity}
                for adrg, n, order, severity in (
                    ("AA1", "9", "1", "any"), ("XA1", "9", "1", "any"),
                    ("XB1", "5", "3", "any"), ("XB1", "3", "2", "mcc_or_cc"), ("XB1", "1", "1", "mcc"))],
        "diagnoses": [diagnosis("D1", exclusion="7"), diagnosis("D2"), diagnosis("M7", mcc="7"), diagnosis("M8", mcc="8"),
                      diagnosis("C7", cc="7"), diagnosis("C8", cc="8")],
        "procedures": [{"code": f"P{n}", "name": f"手术{n}", "valid_op": valid} for n, valid in (
            ("1", "1"), ("2", "0"), ("3", "0"), ("4", "0"), ("5", "0"))],
        "code_map": [{"kind": "dx", "from_code": "old", "to_code": "D1"}],
    }
    return made | changes


@pytest.fixture(scope="module")
def small() -> Scheme:
    return build_scheme(HEAD, tables())


def answer(scheme: Scheme, dx: str, op: str = "") -> str:
    grouped = group_case(GroupingCase("1", "1", 40, dx_codes=tuple(dx.split()), op_codes=tuple(op.split())), scheme)
    assert why(grouped, scheme)
    return grouped.group.code if grouped.group else grouped.state


@pytest.mark.parametrize(("dx", "op", "group"), [
    ("D1", "P1 P2", "AA19"),
    ("D1", "P2 P1", "XB15"),  # 存在手术 asks for the first procedure
    ("D1", "P3", "XA19"),
    ("D1", "P5 P4", "XA19"),
    ("D1", "P4", "XB15"),
    ("D2", "", "NO_CORE_GROUP"),
    ("M7", "", "MAIN_DIAGNOSIS_UNLISTED"),
    ("D9", "", "MAIN_DIAGNOSIS_UNKNOWN"),
    ("", "P1 P2", "NO_MAIN_DIAGNOSIS"),
    ("OLD", "", "XB15"),
    ("D1 M7", "", "XB15"), ("D1 C7", "", "XB15"), ("D1 M8", "", "XB11"), ("D1 C8", "", "XB13"), ("D1 C8 M8", "", "XB11"),
    ("D1 M7 C8", "", "XB13"),
])
def test_a_small_scheme(small: Scheme, dx: str, op: str, group: str) -> None:
    assert answer(small, dx, op) == group


@pytest.mark.parametrize("word", ["主诊断匹配、猜测", "", "手术列表1或x", "体重大于很多克", "手术列表()"])
def test_an_unknown_word_stops_the_start(word: str) -> None:
    with pytest.raises(SchemeFault):
        conditions_of(word)


@pytest.mark.parametrize("changes", [
    {"mdc": [{"mdc": "MDCX", "name": "甲类", "test_order": "2", "entry_rule": "主诊断匹配"}]},  # AA1 hangs in the air
    {"drg": []},
    {"mdc_dx": [{"mdc": "MDCA", "dx_code": "D1", "trauma_site": ""}]},  # listed, never asked for
    {"code_map": [{"kind": "dx", "from_code": "d1", "to_code": "D2"}]},  # differs from D1 in the case only
])
def test_tables_that_contradict_themselves_stop_the_start(changes: dict[str, Any]) -> None:
    with pytest.raises(SchemeFault):
        build_scheme(HEAD, tables(**changes))
