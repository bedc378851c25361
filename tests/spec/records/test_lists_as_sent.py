"""Lists as hospitals' systems write them: empty numbers are 0, empty texts a dash, days for instants: none is a fault.

The interface says of empty values: numbers are sent as ``0``, everything else as empty text; systems add ``null``, ``-``
and ``无``. A list is judged by what it says, so each of these stands for a field that was left out.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.spec.records.conftest import PatientOf, Stayed, StayOf
from tests.spec.records.test_list_faults import findings, older, retyped
from tests.support.lists import Content, changed, chronic_list, forget_list, on_database, plant_person
from tests.support.till import Refused, Till

__all__ = ["older"]
FIELDS = Path(__file__).parents[3] / "src/yibao/data/interface/fields"
NUMBERS = ("nwb_bir_wt", "nwb_adm_wt", "age_days", "spga_nurscare_days", "lv1_nurscare_days", "scd_nurscare_days",
           "lv3_nurscare_days")
DURATIONS = ("vent_used_dura", "pwcry_bfadm_coma_dura", "pwcry_afadm_coma_dura")
TEXTS = ("nwb_adm_type", "mul_nwb_bir_wt", "mul_nwb_adm_wt", "opsp_diag_caty", "refldept_dept", "resp_nurs_code",
         "days_rinp_pup_31", "acp_medins_name", "acp_optins_code", "emp_tel", "poscode", "otp_tcm_dise", "tcm_dise_code")


def with_head(content: Content, **fields: Any) -> Content:
    """Return a list with some fields of its head set."""
    return {**content, "setlinfo": {**content["setlinfo"], **fields}}


def shown(till: Till, stayed: Stayed) -> dict[str, Any]:
    """Return the head that 4103 gives back."""
    head: dict[str, Any] = till.call("4103", {"data": {"setl_id": stayed.setl_id}})["setlinfo"]
    return head


@pytest.mark.drives("4101", "4102", "4103", "4104")
@pytest.mark.parametrize("zero", ["0", 0, "0.00", 0.0], ids=repr)
def test_numbers_left_at_zero_are_no_fault_and_the_list_is_submitted(till: Till, stayed: Stayed, zero: Any) -> None:
    sent = with_head(stayed.content, stas_type="0", **dict.fromkeys(NUMBERS, zero), **dict.fromkeys(DURATIONS, "0/0/0"),
                     mul_nwb_bir_wt="0", mul_nwb_adm_wt="0/0")
    assert till.call("4101", sent)["data"]["setl_list_id"]
    assert shown(till, stayed)["chk_cont"] is None
    till.call("4102", {"data": {"stastinfo": [{"psn_no": stayed.psn_no, "setl_id": stayed.setl_id, "stas_type": "1"}]}})
    assert findings(till, stayed) == []
    head = shown(till, stayed)
    assert (head["stas_type"], head["nwb_bir_wt"], head["nwb_adm_wt"], head["mul_nwb_bir_wt"]) == ("1", None, None, None)


def test_a_draft_kept_with_zeros_passes_when_it_is_submitted(till: Till, stayed: Stayed, world_url: str) -> None:
    """What an earlier release kept holds the zeros; the check is made again when it is submitted."""
    till.call("4101", with_head(stayed.content, stas_type="0"))
    on_database(world_url, """update records.settlement_list set content = jsonb_set(jsonb_set(jsonb_set(content,
        '{newborn,birth_weights_g}', '[0]'), '{newborn,admission_weights_g}', '[0]'), '{ventilator}', '"0"')
        where setl_id = $1""", stayed.setl_id)
    till.call("4102", {"data": {"stastinfo": [{"setl_id": stayed.setl_id, "stas_type": "1"}]}})
    assert findings(till, stayed) == []


@pytest.mark.drives("4101", "4104")
@pytest.mark.parametrize("word", ["-", "无", "null", "/", "", None], ids=repr)
def test_words_for_nothing_are_nothing(till: Till, stayed: Stayed, word: str | None) -> None:
    typed = dict.fromkeys(("opsp_mdtrt_date", "dcla_time", "age_days", "nwb_bir_wt", *DURATIONS, *TEXTS), word)
    sent = with_head(stayed.content, **typed, adm_dept_code=word, dscg_dept_code=word)
    sent["oprninfo"] = [{**sent["oprninfo"][0], "anst_way": word, "anst_dr_code": word, "anst_begntime": word,
                         "anst_endtime": word}]
    till.call("4101", sent)
    assert findings(till, stayed) == []


def test_a_word_that_is_a_code_stays_one(till: Till, stayed: Stayed) -> None:
    till.call("4101", changed(stayed.content, "diseinfo.0.adm_cond_type", "无"))
    assert [f["rule"] for f in findings(till, stayed)] == ["R38"], "无 is the name of the fourth state on admission"


def test_a_closed_code_left_as_a_dash_is_missing_not_wrong(till: Till, stayed: Stayed) -> None:
    till.call("4101", with_head(stayed.content, dscg_way="-"))
    assert [f["rule"] for f in findings(till, stayed)] == ["R64"], "a discharged patient's list has the way"


def test_what_must_be_said_is_not_said_by_a_dash(till: Till, stayed: Stayed) -> None:
    till.call("4101", with_head(stayed.content, chfpdr_code="-", adm_way="0", days_rinp_flag_31="2", days_rinp_pup_31="无"))
    assert {f["rule"] for f in findings(till, stayed)} == {"R66", "R72", "R76"}


def test_a_newborn_without_weights_is_still_found(till: Till, stay_of: StayOf, world_url: str) -> None:
    baby = stay_of("zb-newborn")
    plant_person(world_url, baby.psn_no, birth_on=baby.came.date())
    sent = changed(changed(baby.content, "diseinfo.0.diag_code", "P59.900"), "oprninfo", [])
    till.call("4101", with_head(sent, nwb_adm_type="1", nwb_bir_wt="0", nwb_adm_wt="0", age_days="0"))
    assert [f["rule"] for f in findings(till, baby)] == ["R22"], "0 grams are no weight; 0 days are its age"


@pytest.mark.drives("4101", "4104")
def test_days_where_instants_are_meant_and_the_other_way_round(till: Till, stayed: Stayed) -> None:
    came, left = f"{stayed.came:%Y-%m-%d}", f"{stayed.left:%Y-%m-%d}"
    info = with_head(stayed.content, adm_time=came, dscg_time=left, setl_begn_date=f"{came} 08:30:00",
                     setl_end_date=f"{left} 23:59:59", dcla_time=left, opsp_mdtrt_date="")
    operation = {**info["oprninfo"][0], "oprn_oprt_begntime": came, "oprn_oprt_endtime": came, "anst_begntime": came,
                 "anst_endtime": f"{came} 10:00:00"}
    icu = {**info["icuinfo"][0], "scs_cutd_inpool_time": f"{came} 12:00:00", "scs_cutd_exit_time": came,
           "scs_cutd_sum_dura": "0/6/0"}
    till.call("4101", {**info, "oprninfo": [operation], "icuinfo": [icu]})
    assert findings(till, stayed) == []
    early = f"{came} 03:00:00"
    till.call("4101", {**info, "oprninfo": [{**operation, "oprn_oprt_begntime": early}], "icuinfo": [icu]})
    assert [f["rule"] for f in findings(till, stayed)] == ["R51"], "where the time is told it is held against the admission"


def test_the_older_form_tells_the_day_of_an_operation(till: Till, stayed: Stayed) -> None:
    """The day of admission itself lies inside the stay, though its midnight does not."""
    sent = {
        **stayed.content, "setlinfo": retyped(stayed.content["setlinfo"], stayed.settled, till),
        "oprninfo": [{"oprn_oprt_type": "1", "oprn_oprt_name": "胆囊切除术", "oprn_oprt_code": "51.2200",
                      "oprn_oprt_date": f"{stayed.came:%Y-%m-%d}", "oper_dr_name": till.counter.dr_name,
                      "oper_dr_code": till.counter.dr_codg}],
    }
    zeros = dict.fromkeys(("nwb_age", "nwb_bir_wt", "nwb_adm_wt", "act_ipt_days", "spga_nurscare_days", "bld_amt"), "0")
    till.call("4101", with_head(sent, **zeros, **dict.fromkeys(DURATIONS, "0"), age="0", bld_cat="无", bld_unt="",
                                adm_caty="消化内科一病区", refldept_dept="普外科、重症医学科", exp_content=""))
    assert findings(till, stayed) == []
    assert till.call("4103", {"data": {"setl_id": stayed.setl_id}})["bldinfo"] == []


BLANK: Content = {
    "oprninfo": [{"oprn_oprt_type": "", "oprn_oprt_name": "", "oprn_oprt_code": "", "oper_dr_code": "", "anst_way": None}],
    "icuinfo": [{"scs_cutd_ward_type": "", "scs_cutd_inpool_time": "", "scs_cutd_exit_time": "", "scs_cutd_sum_dura": "0"}],
    "bldinfo": [{"setl_List_bld_Id": "", "psn_no": "", "mdtrt_id": "", "setl_id": "", "bld_cat": "", "bld_amt": 0}],
    "opspdiseinfo": [{}],
}
NAMED_NOTHING = [{"oprn_oprt_type": "1", "oprn_oprt_name": "无", "oprn_oprt_code": "无", "oper_dr_code": "无"}]


@pytest.mark.drives("4101", "4101A", "4104")
@pytest.mark.parametrize("infno", ["4101", "4101A"])
def test_nodes_left_out_left_blank_or_sent_as_one_object(till: Till, stayed: Stayed, infno: str) -> None:
    one = changed(stayed.content, "diseinfo", stayed.content["diseinfo"][0])
    bare = {name: one[name] for name in ("setlinfo", "diseinfo")}
    nulls = {**bare, **dict.fromkeys(("oprninfo", "icuinfo", "bldinfo", "opspdiseinfo"), None), "exp_content": ""}
    operation = {**bare, "oprninfo": stayed.content["oprninfo"][0], "icuinfo": "", "exp_content": {}}
    for sent in (bare, nulls, operation, {**bare, **BLANK}, {**bare, "oprninfo": NAMED_NOTHING}):
        till.call(infno, sent)
        assert findings(till, stayed) == [], sent.keys()
    till.call(infno, {**bare, **BLANK})
    given = till.call("4103", {"data": {"setl_id": stayed.setl_id}})
    assert [given[node] for node in ("oprninfo", "icuinfo", "bldinfo", "opspdiseinfo")] == [[], [], [], []]
    assert len(given["diseinfo"]) == 1


def test_a_row_that_says_something_is_still_checked(till: Till, stayed: Stayed) -> None:
    with pytest.raises(Refused, match="oprn_oprt_code"):
        till.call("4101", {**stayed.content, "oprninfo": [{**BLANK["oprninfo"][0], "oprn_oprt_name": "胆囊切除术"}]})


def test_departments_come_by_name(till: Till, stayed: Stayed) -> None:
    name = till.counter.dept_name
    till.call("4101", with_head(stayed.content, adm_dept_code=name, dscg_dept_code=name, adm_caty=name,
                                dscg_caty="消化内科一病区二组", opsp_diag_caty=""))
    assert findings(till, stayed) == []
    assert shown(till, stayed)["dscg_caty"] == "消化内科一病区二组"


def test_without_a_contact_nothing_of_one_is_asked(till: Till, stayed: Stayed) -> None:
    alone = dict.fromkeys(("coner_name", "patn_rlts", "coner_addr", "coner_tel"), "")
    till.call("4101", with_head(stayed.content, **alone))
    assert findings(till, stayed) == []
    with pytest.raises(Refused, match="coner_tel"):
        till.call("4101", with_head(stayed.content, **{**alone, "coner_name": "李某", "patn_rlts": "01", "coner_addr": "某路"}))


def required_texts(infno: str) -> dict[str, list[str]]:
    """Return node -> the texts of an output that its table requires."""
    found: dict[str, list[str]] = {}
    with (FIELDS / f"{infno}.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["side"] == "output" and row["required"] == "Y" and row["type"] == "string":
                found.setdefault(row["node"].removesuffix("[]"), []).append(row["field"])
    return found


@pytest.mark.drives("4101A", "4103")
def test_required_texts_of_a_shown_list_are_never_null(till: Till, stayed: Stayed, world_url: str) -> None:
    texts = required_texts("4103")
    assert {"adm_caty", "opsp_dise_code", "opsp_dise_name", "hi_paymtd"} <= set(texts["setlinfo"]), "the table is read"
    bare = {name: stayed.content["setlinfo"][name] for name in ("mdtrt_id", "setl_id", "setl_begn_date", "setl_end_date")}
    blood = [{"bld_cat": "1", "bld_amt": 2, "bld_unt": "3"}]
    for content in (stayed.content, {**stayed.content, "setlinfo": bare, "bldinfo": blood, "payinfo": None}):
        forget_list(world_url, stayed.setl_id)
        till.call("4101A", content)
        given = till.call("4103", {"data": {"setl_id": stayed.setl_id}})
        for node, names in texts.items():
            rows = given[node] if isinstance(given[node], list) else [given[node]]
            assert [(node, n) for row in rows for n in names if not isinstance(row.get(n), str)] == []
    assert given["setlinfo"]["adm_caty"] == given["setlinfo"]["bill_no"] == given["setlinfo"]["hi_paymtd"] == ""
    assert given["setlinfo"]["dscg_time"] is None, "no text, and not required"


@pytest.mark.drives("4101", "4103", "4104")
def test_a_chronic_list_with_every_empty_value(till: Till, patient_of: PatientOf) -> None:
    patient = patient_of("zb-chronic-hypertension")
    settled = till.settle(patient, patient["visit"])
    sent = chronic_list(settled, till, patient["visit"])
    empty = dict.fromkeys((*NUMBERS, *DURATIONS), "0") | dict.fromkeys(
        ("adm_way", "trt_type", "adm_time", "dscg_time", "dscg_way", "adm_dept_code", "days_rinp_flag_31"), "")
    till.call("4101", {**with_head(sent, **empty), "oprninfo": [], "icuinfo": None})
    head = till.call("4103", {"data": {"setl_id": settled["setlinfo"]["setl_id"]}})["setlinfo"]
    assert (head["chk_cont"], head["stas_type"], head["ipt_med_type"]) == (None, "1", "")


def test_required_texts_of_a_quality_report_are_never_null(till: Till, stayed: Stayed) -> None:
    till.call("4101", with_head(stayed.content, adm_way="", chfpdr_code=""))
    month = stayed.settled["setlinfo"]["setl_time"][:7].replace("-", "")
    [row] = till.call("4104", {"data": {"setl_ym": month, "setl_id": stayed.setl_id, "page_num": 1, "page_size": 10}})
    texts = required_texts("4104")
    assert [n for n in texts[""] if not isinstance(row[n], str)] == []
    assert row["detailinfo"], "two faults"
    assert [n for d in row["detailinfo"] for n in texts["[].detailinfo"] if not isinstance(d[n], str)] == []
