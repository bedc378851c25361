"""Each planted fault of a settlement list is found with its rule, and a faultless list has none.

The plan below is the specification: what is changed in a faultless list, which rule finds it, and what that does:
``refuse`` = the message is refused and nothing kept, ``return`` = kept and returned, ``hint`` = kept and checked.
"""

from __future__ import annotations

import copy
from datetime import date, timedelta
from typing import Any

import pytest

from tests.spec.records.conftest import PatientOf, Stayed, StayOf
from tests.support.lists import (
    Content,
    changed,
    charges_by_class,
    chronic_list,
    funds_of,
    on_database,
    plant_person,
    wire,
)
from tests.support.till import Refused, Till

FEVER, PROSTATE, BIRTH, BACTERIA = "R50.900", "C61.x00", "O80.900", "B95.600"
FAULTS: list[tuple[str, str, str, Any]] = [
    ("R15", "return", "setlinfo.setl_end_date", "2099-01-01"),
    ("R16", "hint", "setlinfo.hi_paymtd", "6"),
    ("R30", "return", "diseinfo.0.maindiag_flag", "0"),
    ("R30", "return", "diseinfo.1.maindiag_flag", "1"),
    ("R31", "return", "diseinfo.1.diag_code", "I10.999"),
    ("R32", "return", "diseinfo.0.diag_code", "of the other sex"),
    ("R33", "return", "diseinfo.1.diag_code", "P07.300"),
    ("R34", "return", "diseinfo.0.diag_code", FEVER),
    ("R35", "return", "diseinfo.0.diag_code", BACTERIA),
    ("R36", "return", "diseinfo.1.diag_code", "K80.100"),
    ("R38", "hint", "diseinfo.0.adm_cond_type", "4"),
    ("R39", "return", "setlinfo.trt_type", "21"),
    ("R40", "return", "diseinfo.2", {"diag_type": "2", "diag_code": "QQQ010", "diag_name": "无此病类",
                                     "adm_cond_type": "1", "maindiag_flag": "0"}),
    ("R41", "hint", "diseinfo.0.diag_code", "S72.000"),
    ("R50", "return", "oprninfo.0.oprn_oprt_code", "51.2299"),
    ("R51", "return", "oprninfo.0.oprn_oprt_begntime", "before the stay"),
    ("R52", "return", "oprninfo.0.oprn_oprt_endtime", "before it began"),
    ("R53", "return", "oprninfo.0.anst_endtime", "before it began"),
    ("R54", "return", "oprninfo.0.oprn_oprt_type", "2"),
    ("R55", "return", "oprninfo.1", "the same again"),
    ("R56", "return", "oprninfo.0.oper_dr_code", "D370300999999"),
    ("R57", "return", "oprninfo.0.anst_dr_code", "D370300999999"),
    ("R58", "return", "oprninfo.0.anst_dr_code", None),
    ("R59", "return", "oprninfo.0.oprn_oprt_code", "of the other sex"),
    ("R60", "return", "setlinfo.adm_time", "a day early"),
    ("R61", "return", "setlinfo.dscg_time", "before the stay"),
    ("R62", "return", "setlinfo.dscg_time", None),
    ("R64", "return", "setlinfo.dscg_way", "4"),
    ("R66", "return", "setlinfo.days_rinp_flag_31", "2"),
    ("R67", "return", "setlinfo.lv1_nurscare_days", 9),
    ("R68", "return", "icuinfo.0.scs_cutd_exit_time", "2099-01-01 08:00:00"),
    ("R69", "return", "icuinfo.0.scs_cutd_sum_dura", "2/0/0"),
    ("R70", "return", "icuinfo.1", "the same again"),
    ("R71", "return", "setlinfo.vent_used_dura", "9/0/0"),
    ("R72", "return", "setlinfo.chfpdr_code", "D370300999999"),
    ("R73", "hint", "setlinfo.resp_nurs_code", "N370300999999"),
    ("R74", "return", "setlinfo.dscg_dept_code", "9999"),
    ("R75", "return", "bldinfo", [{"setl_List_bld_Id": "1", "psn_no": "P", "mdtrt_id": "M", "setl_id": "S",
                                   "bld_cat": "1"}]),
    ("R76", "return", "setlinfo.adm_way", None),
    ("R23", "return", "setlinfo.nwb_bir_wt", 30),
    ("R24", "hint", "setlinfo.nwb_bir_wt", 3200),
]


def spelled(stayed: Stayed, path: str, value: Any, world_url: str) -> Any:
    """Return the value that a word of the plan stands for."""
    sex = on_database(world_url, "select sex from people.person where psn_no = $1", stayed.psn_no)[0]["sex"]
    words = {
        "a day early": wire(stayed.came - timedelta(days=1)), "before the stay": wire(stayed.came - timedelta(hours=30)),
        "before it began": wire(stayed.came + timedelta(minutes=5)),
    }
    if value == "of the other sex":
        female_only = {"diag_code": "N80.000", "oprn_oprt_code": "68.4901"}
        male_only = {"diag_code": PROSTATE, "oprn_oprt_code": "60.2100"}
        return (female_only if sex == "1" else male_only)[path.rsplit(".", 1)[-1]]
    if value == "the same again":
        return copy.deepcopy(stayed.content[path.split(".")[0]][0])
    return words.get(value, value) if isinstance(value, str) else value


def findings(till: Till, stayed: Stayed) -> list[dict[str, Any]]:
    """Return what 4104 says of the stay's list: rule, level, field."""
    month = stayed.settled["setlinfo"]["setl_time"][:7].replace("-", "")
    rows = till.call("4104", {"data": {"setl_ym": month, "setl_id": stayed.setl_id, "page_num": 1, "page_size": 10}})
    assert [r["setl_id"] for r in rows] == [stayed.setl_id]
    return [{"rule": d["qltctrl_chk_rslt"][:3], "returns": d["retn_flag"] == "1", "field": d["exam_data_fld"],
             "list_returned": rows[0]["retn_flag"] == "1", "passed": rows[0]["qltctrl_rslt"] == "1"}
            for d in rows[0]["detailinfo"]]


@pytest.mark.drives("4101", "4104")
def test_a_faultless_list_has_no_finding_and_is_checked(till: Till, stayed: Stayed) -> None:
    output = till.call("4101", stayed.content)
    assert len(output["data"]["setl_list_id"]) == 9
    assert findings(till, stayed) == []
    month = stayed.settled["setlinfo"]["setl_time"][:7].replace("-", "")
    row = till.call("4104", {"data": {"setl_ym": month, "setl_id": stayed.setl_id, "page_num": 1, "page_size": 10}})[0]
    assert (row["qltctrl_rslt"], row["retn_flag"], row["err_lv"]) == ("1", "0", None)


@pytest.mark.drives("4101", "4104")
@pytest.mark.parametrize(("rule", "effect", "path", "value"), FAULTS, ids=[f"{f[0]}-{f[2]}" for f in FAULTS])
def test_a_planted_fault_is_found_with_its_rule(
    till: Till, stayed: Stayed, world_url: str, rule: str, effect: str, path: str, value: Any
) -> None:
    till.call("4101", changed(stayed.content, path, spelled(stayed, path, value, world_url)))
    found = findings(till, stayed)
    assert rule in {f["rule"] for f in found}
    assert all(f["returns"] == (effect == "return") for f in found if f["rule"] == rule)
    assert found[0]["list_returned"] is any(f["returns"] for f in found)
    assert found[0]["passed"] is not found[0]["list_returned"]


def refused(till: Till, content: Content) -> str:
    with pytest.raises(Refused) as refusal:
        till.call("4101", content)
    return str(refusal.value)


def test_a_fund_that_differs_from_the_settlement_is_refused(
    till: Till, patient_of: PatientOf, world_url: str
) -> None:
    patient = patient_of("zb-chronic-cancer")
    settled = till.settle(patient, patient["visit"])
    sent, funds = chronic_list(settled, till, patient["visit"]), funds_of(settled)
    assert funds, "the settlement has a fund"
    assert "R13" in refused(till, {**sent, "payinfo": [
        {**funds[0], "fund_payamt": round(funds[0]["fund_payamt"] + 0.01, 2)}, *funds[1:]]})
    assert "R13" in refused(till, {**sent, "payinfo": [*funds, {"fund_pay_type": "610100", "fund_payamt": 1}]}), "paid nothing"
    sql = "select count(*) as n from records.settlement_list where setl_id = $1"
    assert on_database(world_url, sql, settled["setlinfo"]["setl_id"])[0]["n"] == 0
    everybody = [{"fund_pay_type": d["fund_pay_type"], "fund_payamt": d["fund_payamt"]} for d in settled["setldetail"]]
    till.call("4101", {**sent, "payinfo": everybody})


def older_list(
    till: Till, patient: dict[str, Any], settled: Any, split: Any, visit: dict[str, Any]
) -> Content:
    """Return a faultless list in the older form, which retypes person, charges and shares."""
    base = chronic_list(settled, till, visit)
    return {
        **base, "setlinfo": retyped(base["setlinfo"], settled, till),
        "opspdiseinfo": [{"diag_name": visit["diag_name"], "diag_code": visit["diag_code"], "oprn_oprt_name": "无",
                          "oprn_oprt_code": "无"}],
        "iteminfo": charges_by_class(visit["lines"], split),
    }


def retyped(head: Content, settled: Any, till: Till) -> Content:
    """Return the head of the older form, which retypes person and shares and does not know the person number."""
    info, c = settled["setlinfo"], till.counter
    return {
        **{k: v for k, v in head.items() if k != "psn_no"}, "fixmedins_code": c.fixmedins_code,
        "fixmedins_name": c.fixmedins_name, "psn_name": info["psn_name"], "gend": info["gend"], "brdy": info["brdy"],
        "age": info["age"], "naty": "01", "patn_cert_type": "01", "certno": info["certno"], "hi_type": "1",
        "insuplc": "370300", "ipt_med_type": "1", "adm_caty": "A03", "maindiag_flag": "1",
        "psn_selfpay": round(info["psn_part_amt"] - info["fulamt_ownpay_amt"], 2),
        "psn_ownpay": info["fulamt_ownpay_amt"], "acct_pay": info["acct_pay"], "psn_cashpay": info["psn_cash_pay"],
        "hsorg": "医保中心", "hsorg_opter": "经办",
    }


@pytest.fixture
def older(till: Till, patient_of: PatientOf) -> Content:
    """Return a faultless list in the older form of a chronic visit just settled."""
    patient = patient_of("zb-chronic-hypertension")
    visit = patient["visit"]
    mdtrt_id = till.register(patient)
    till.record(patient, visit, mdtrt_id)
    split = till.upload(patient, visit, mdtrt_id)
    settled = till.call("2207", till.bill(patient, visit, mdtrt_id), insured_place=patient["insuplc_admdvs"])
    return older_list(till, patient, settled, split, visit)


@pytest.mark.drives("4101")
def test_the_older_form_is_checked_against_person_and_bill(till: Till, older: Content) -> None:
    assert till.call("4101", older)["data"]["setl_list_id"]
    shown = till.call("4103", {"data": {"setl_id": older["setlinfo"]["setl_id"]}})
    assert shown["setlinfo"]["chk_cont"] is None


MONEY = [
    ("R10", "iteminfo.0.amt", 0.01),
    ("R11", "iteminfo.0.amt", 0.01),
    ("R12", "iteminfo.0.oth_amt", 0.01),
    ("R14", "setlinfo.psn_cashpay", 0.01),
    ("R14", "setlinfo.acct_pay", 0.01),
    ("R14", "setlinfo.psn_selfpay", 0.01),
]


@pytest.mark.parametrize(("rule", "path", "more"), MONEY, ids=[f"{m[0]}-{m[1]}" for m in MONEY])
def test_charges_that_differ_from_the_bill_are_refused(
    till: Till, older: Content, rule: str, path: str, more: float
) -> None:
    node: Any = older
    for step in path.split("."):
        node = node[int(step)] if step.isdecimal() else node[step]
    assert rule in refused(till, changed(older, path, round(node + more, 2)))
    with pytest.raises(Refused, match="还没有上传清单"):
        till.call("4103", {"data": {"setl_id": older["setlinfo"]["setl_id"]}})


@pytest.mark.parametrize(("rule", "path", "value"), [
    ("R20", "setlinfo.psn_name", "他人"), ("R20", "setlinfo.brdy", "1999-09-09"), ("R21", "setlinfo.age", 12),
    ("R37", "diseinfo.0.adm_cond_type", None), ("R81", "setlinfo.opsp_mdtrt_date", "2020-01-01"),
    ("R80", "setlinfo.opsp_diag_caty", None),
])
def test_the_older_form_retypes_nothing_wrong(till: Till, older: Content, rule: str, path: str, value: Any) -> None:
    till.call("4101", changed(older, path, value))
    shown = till.call("4103", {"data": {"setl_id": older["setlinfo"]["setl_id"]}})
    assert rule in shown["setlinfo"]["chk_cont"]


def test_the_older_form_counts_the_days_of_a_stay(till: Till, stayed: Stayed) -> None:
    day = stayed.content["oprninfo"][0]["oprn_oprt_begntime"][:10]
    sent = {
        **stayed.content, "setlinfo": retyped(stayed.content["setlinfo"], stayed.settled, till),
        "oprninfo": [{"oprn_oprt_type": "1", "oprn_oprt_name": "胆囊切除术", "oprn_oprt_code": "51.2200",
                      "oprn_oprt_date": day, "oper_dr_name": till.counter.dr_name, "oper_dr_code": till.counter.dr_codg}],
    }
    till.call("4101", changed(sent, "setlinfo.act_ipt_days", 6))
    assert {f["rule"] for f in findings(till, stayed)} == {"R63"}, "five nights are five days"
    till.call("4101", changed(sent, "setlinfo.act_ipt_days", 5))
    assert findings(till, stayed) == []


def test_a_receiver_is_named_by_who_refers(till: Till, stay_of: StayOf) -> None:
    stayed = stay_of("zb-retired-first", way="2")
    sent = changed(stayed.content, "setlinfo.dscg_way", "2")
    till.call("4101", sent)
    assert {f["rule"] for f in findings(till, stayed)} == {"R65"}
    till.call("4101", changed(sent, "setlinfo.acp_medins_name", "淄博市中心医院"))
    assert findings(till, stayed) == []


def test_a_newborn_needs_weights_and_age_in_days(till: Till, stay_of: StayOf, world_url: str) -> None:
    baby = stay_of("zb-newborn")
    plant_person(world_url, baby.psn_no, birth_on=(baby.came - timedelta(days=2)).date())
    sent = changed(changed(baby.content, "diseinfo.0.diag_code", "P59.900"), "oprninfo", [])
    till.call("4101", changed(sent, "setlinfo.age_days", 9))
    assert {f["rule"] for f in findings(till, baby)} == {"R21", "R22"}, "born two days before, no weights"
    full = {**sent["setlinfo"], "age_days": 2, "nwb_adm_type": "1", "nwb_bir_wt": 3150, "nwb_adm_wt": 3100}
    till.call("4101", {**sent, "setlinfo": full})
    assert findings(till, baby) == []


def test_a_late_list_is_taken_and_said_to_be_late(till: Till, stay_of: StayOf, world_url: str) -> None:
    stayed = stay_of("zb-active-over-deductible")
    on_database(world_url, "update settlements.settlement set settled_at = settled_at - interval '11 days' "
                           "where setl_id = $1", stayed.setl_id)
    late_day = (date.fromisoformat(stayed.settled["setlinfo"]["setl_time"][:10]) - timedelta(days=11)).isoformat()
    stayed.settled["setlinfo"]["setl_time"] = late_day
    till.call("4101", stayed.content)
    assert "R05" in {f["rule"] for f in findings(till, stayed)}


def test_faults_of_the_upload_itself(till: Till, stayed: Stayed, patient_of: PatientOf, till_for: Any) -> None:
    assert "R03" in refused(till, changed(stayed.content, "setlinfo.mdtrt_id", "123"))
    other = till_for(index=1)
    assert "本机构没有这笔结算" in refused(other, stayed.content)
    ordinary = patient_of("zb-active-first")
    settled = till.settle(ordinary, ordinary["visit"])
    assert "R04" in refused(till, chronic_list(settled, till, ordinary["visit"])), "an ordinary visit has no list"
    chronic = patient_of("zb-chronic-hypertension")
    settled = till.settle(chronic, chronic["visit"])
    info = settled["setlinfo"]
    till.call("2208", {"data": {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": info["psn_no"]}},
              insured_place=chronic["insuplc_admdvs"])
    assert "R02" in refused(till, chronic_list(settled, till, chronic["visit"]))


@pytest.mark.parametrize("path", ["setlinfo.adm_time", "setlinfo.setl_end_date", "oprninfo.0.anst_begntime"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_nobody_can_reckon_with_are_refused(till: Till, stayed: Stayed, path: str, day: str) -> None:
    said = refused(till, changed(stayed.content, path, day))
    assert "日期不在可用的范围内" in said
    assert path.rsplit(".", 1)[-1] in said
    with pytest.raises(Refused, match="日期不在可用的范围内"):
        till.call("4105", {"data": {"fixmedins_code": till.counter.fixmedins_code, "medtype_list": ["14"],
                                    "stt_begntime": f"{day} 00:00:00", "stt_endtime": f"{day} 23:59:59"}})


def test_numbers_beyond_all_measure_are_found_not_stumbled_over(till: Till, stayed: Stayed) -> None:
    for path, rule in (("setlinfo.spga_nurscare_days", "R67"), ("setlinfo.nwb_bir_wt", "R23")):
        content = changed(stayed.content, path, 9999999999999999999999999999)
        del content["payinfo"]
        till.call("4101A", content)
        assert rule in {f["rule"] for f in findings(till, stayed)}
