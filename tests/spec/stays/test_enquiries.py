"""What was said and done of a stay can be asked for again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.spec.stays.conftest import Charges, days_ago
from tests.support.till import total
from tests.support.ward import Ward, wire


@pytest.mark.drives("5201", "5202", "5203", "5204", "5303", "2403")
def test_a_stay_is_found_while_it_lasts_and_afterwards(
    ward: Ward, patient: Mapping[str, Any], charges_of: Charges, slot: Callable[[], int]
) -> None:
    day = slot()
    stay = ward.admit(patient, days_ago(day), fetts="1")
    psn_no, charges = patient["psn_no"], charges_of(3)
    period = {"begntime": wire(days_ago(day, hour=0)), "endtime": wire(days_ago(day, hour=23))}

    def shown() -> Any:
        return ward.call("5201", {"data": {"psn_no": psn_no, "med_type": "21", **period}})["mdtrtinfo"][0]

    assert (shown()["mdtrt_id"], shown()["inhosp_stas"], shown()["adm_bed"]) == (stay.mdtrt_id, "1", "12")
    inside = ward.call("5303", {"data": {"psn_no": psn_no, **period}})["data"]
    assert [(x["mdtrt_id"], x["ipt_otp_no"], x["out_flag"]) for x in inside] == [(stay.mdtrt_id, stay.ipt_no, "0")]
    # 2403: the second diagnosis is added, the first replaced by its ordinal, a third put in and taken back.
    rows = ward.diagnoses(patient, days_ago(day), ("K29.500", "慢性胃炎"), ("J18.900", "肺炎"), ("I10.x00", "高血压"),
                          mdtrt_id=stay.mdtrt_id)
    ward.change(stay, adm_bed="31", diseinfo=rows)
    ward.change(stay, adm_bed="31", diseinfo=[{**rows[2], "vali_flag": "0"}])
    found = ward.call("5202", {"data": {"psn_no": psn_no, "mdtrt_id": stay.mdtrt_id}})["diseinfo"]
    assert [(x["diag_srt_no"], x["diag_code"], x["inout_diag_type"]) for x in found] == [
        (1, "K29.500", "1"), (2, "J18.900", "1")]
    assert shown()["adm_bed"] == "31"
    ward.charge(stay, days_ago(day), charges)
    ward.discharge(stay, days_ago(day - 2), way="4", diseinfo=[])
    after = shown()
    assert (after["inhosp_stas"], after["dscg_way"], after["ipt_days"]) == ("0", "4", 2)
    # Whoever has left and is not settled is still somebody to look after.
    assert len(ward.call("5303", {"data": {"psn_no": psn_no, **period}})["data"]) == 1
    settled = ward.settle_stay(stay, total(charges))["setlinfo"]
    assert ward.call("5303", {"data": {"psn_no": psn_no, **period}})["data"] == []
    key = {**stay.key, "setl_id": settled["setl_id"]}
    head = ward.call("5203", {"data": key})["setlinfo"]
    assert (head["begndate"], head["enddate"]) == (f"{days_ago(day):%Y-%m-%d}", f"{days_ago(day - 2):%Y-%m-%d}")
    assert head["hifp_pay"] == settled["hifp_pay"]
    lines = ward.call("5204", {"data": key})
    assert sorted(x["med_list_codg"] for x in lines) == sorted(c["med_list_codg"] for c in charges)
    taken = ward.call("5205", {"data": {"psn_no": psn_no, **period}})["feedetail"]
    assert {x["med_list_codg"] for x in taken} == {c["med_list_codg"] for c in charges}


@pytest.mark.drives("2406", "2407")
def test_special_flags_are_registered_and_listed(
    ward: Ward, patient: Mapping[str, Any], slot: Callable[[], int]
) -> None:
    stay = ward.admit(patient, days_ago(slot()))
    data = {**stay.key, "psn_cert_type": "01", "certno": patient["certno"], "psn_name": patient["psn_name"],
            "ipt_otp_no": stay.ipt_no, "ipt_psn_sp_flag_type": "01", "ipt_psn_sp_flag": "1", "memo": "急诊"}
    flag = ward.call("2406", {"data": data})["IptPsnSpFlagRegOut"]["ipt_psn_sp_flag_detl_id"]
    listed = ward.call("2407", {"data": {"page_num": 1, "page_size": 10, "mdtrt_id": stay.mdtrt_id}})["IptPsnSpFlagReg"]
    assert [(x["ipt_psn_sp_flag_detl_id"], x["ipt_otp_no"], x["ipt_psn_sp_flag"]) for x in listed] == [(flag, stay.ipt_no, "1")]
    assert ward.call("2407", {"data": {"page_num": 2, "page_size": 10, "mdtrt_id": stay.mdtrt_id}})["IptPsnSpFlagReg"] == []
    ward.cancel_admission(stay)


@pytest.mark.drives("2201")
def test_a_visit_during_a_stay_is_taken_with_a_warning(
    ward: Ward, patient: Mapping[str, Any], slot: Callable[[], int]
) -> None:
    day = slot()
    stay = ward.admit(patient, days_ago(day))
    message = ward.envelope("2201", ward.registration(patient, begin=wire(days_ago(day - 1))))
    answer = json.loads(ward.ask(message))
    assert answer["infcode"] == 0
    assert f"就诊ID {stay.mdtrt_id}" in answer["warn_msg"]
    ward.cancel_admission(stay)
