"""The e-prescription messages of 2021, told apart by their underscores: same numbers, in part other meanings."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from tests.spec.pharmacy.conftest import Item
from tests.support.drugstore import Drugstore, Prescriber, sold, wire_time
from tests.support.till import Refused, wire_now

Patient = Mapping[str, Any]


def prescription(prescriber: Prescriber, patient: Patient, drug: Item, cnt: float, mdtrt_id: str) -> dict[str, Any]:
    """Return the content of 7101 as a client of 2021 sends it, with the codes that it leaves empty."""
    c, at = prescriber.till.counter, wire_now()
    return {
        "data": {
            "hosp_rxno": "RX" + secrets.token_hex(8), "rx_type_code": "1", "prsc_time": at, "rx_drug_nums": 1,
            "rx_way_codg": "", "rx_freq_codg": "", "valid_days": 3, "valid_end_time": wire_time(3), "rept_flag": "",
            "rx_cotn_flag": "0", "rx_circ_flag": "1",
        },
        "rxdrugdetail": [{
            "med_list_codg": drug["med_list_codg"], "drug_genname": drug["name"], "drug_dosform": "片剂",
            "drug_spec": "0.1g", "drug_cnt": cnt, "drug_cnt_unit": "盒", "medc_way_codg": "1", "medc_way_dscr": "口服",
            "medc_starttime": at, "medc_endtime": wire_time(3), "medc_days": 3, "dise_codg": "",
        }],
        "mdtrtinfo": {
            "mdtrt_id": mdtrt_id, "med_type": "11", "ipt_op_no": "MZ1", "psn_no": patient["psn_no"],
            "patn_name": patient["psn_name"], "age": 40, "gend": "1", "insuplc_admdvs": "370300", "psn_cert_type": "01",
            "certno": patient["certno"], "insutype": "310", "prsc_dept_name": c.dept_name, "prsc_dept_code": c.dept_code,
            "prsc_dr_name": c.dr_name, "phar_name": "药师", "phar_chk_time": at, "mdtrt_time": at, "sp_dise_flag": "0",
            "diag_code": patient["visit"]["diag_code"], "diag_name": patient["visit"]["diag_name"], "rgst_fee": 0,
        },
        "diseinfo": [{
            "diag_type": "1", "maindiag_flag": "1", "diag_srt_no": 1, "diag_code": patient["visit"]["diag_code"],
            "diag_name": patient["visit"]["diag_name"], "diag_dept": c.dept_name, "dise_dor_no": c.dr_codg,
            "dise_dor_name": c.dr_name, "diag_time": at,
        }],
    }


@pytest.fixture
async def pharmacist(drugstore: Drugstore, world_url: str) -> tuple[str, str]:
    """Return name and document of the pharmacist at the till."""
    connection = await asyncpg.connect(world_url)
    row = await connection.fetchrow("select name, certno from institutions.practitioner where code = $1", drugstore.pharmacist)
    await connection.close()
    assert row is not None
    return row["name"], row["certno"]


def review(rx: Mapping[str, Any], who: tuple[str, str], *, passed: bool = True) -> dict[str, Any]:
    """Return the content of 7204 of 2021: the pharmacist is named without a national code."""
    name, certno = who
    return {
        "hi_rxno": rx["hi_rxno"], "phar_cert_type": "01", "phar_certno": certno, "phar_name": name, "rchk_phar_cert_type": "01",
        "rchk_phar_certno": "none", "rchk_phar_name": name, "rx_chk_opnn": "同意",
        "rx_chk_stas_codg": "1" if passed else "0", "rx_chk_time": wire_now(),
    }


@pytest.mark.drives("7101", "7201", "7203", "7204", "2102", "7104")
def test_a_prescription_of_2021_is_written_decoded_downloaded_reviewed_and_sold(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item], pharmacist: tuple[str, str]
) -> None:
    till = drugstore.till
    mdtrt_id = prescriber.visit(patient)
    rx = prescriber.till.call("7101", prescription(prescriber, patient, drugs[0], 2, mdtrt_id))
    with pytest.raises(Refused, match="处方尚未下载"):
        till.call("7204", review(rx, pharmacist))
    decoded = till.call("7201", {
        "app_chnl_id": "1", "app_chnl_user_id": "1", "dev_info": "till", "epc_qrcd": rx["rx_trace_code"],
        "ip_info": "127.0.0.1", "opter": "1", "opter_name": "甲", "optins": till.counter.fixmedins_code,
    })
    assert (decoded["name"], decoded["certno"]) == (patient["psn_name"], patient["certno"])
    whole = till.call("7203", {
        "epc_token": decoded["epc_token"], "auth_rxno": decoded["auth_rxno"], "insuplc_admdvs": "370300",
    })
    assert whole["data"]["hi_rxno"] == rx["hi_rxno"]
    assert [(d["med_list_codg"], d["drug_cnt"], d["drug_cnt_unit"]) for d in whole["rxdrugdetail"]] == [
        (drugs[0]["med_list_codg"], 2, "盒")
    ]
    assert whole["mdtrtinfo"]["diag_code"] == patient["visit"]["diag_code"]
    assert whole["diseinfo"][0]["dise_dor_no"] == prescriber.till.counter.dr_codg
    with pytest.raises(Refused, match="审方药师当日未在本机构登记"):
        till.call("7204", review(rx, ("无此药师", pharmacist[1])))
    till.call("7204", review(rx, pharmacist))
    drugstore.sell(patient, [sold(drugs[0], 2, rxno=rx["hi_rxno"])])
    undo = {"hi_rxno": rx["hi_rxno"], "prsc_dr_name": "甲", "undo_dr_cert_type": "", "undo_dr_certno": "1",
            "undo_rea": "开错", "undo_time": wire_now()}
    with pytest.raises(Refused, match="处方已有药品调配"):
        prescriber.till.call("7104", {"data": undo})


@pytest.mark.drives("7202", "7102", "7104")
def test_a_prescription_of_2021_is_found_by_credential_and_reviewed_by_7102(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item], pharmacist: tuple[str, str]
) -> None:
    till = drugstore.till
    mdtrt_id = prescriber.visit(patient)
    rx = prescriber.till.call("7101", prescription(prescriber, patient, drugs[0], 1, mdtrt_id))
    found = till.call("7202", {
        "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "insuplc_admdvs": "370300", "ip_info": "127.0.0.1",
        "opter": "1", "opter_name": "甲", "optins": till.counter.fixmedins_code,
    })
    assert found["fixmedins_code"] == prescriber.till.counter.fixmedins_code
    till.call("7203", {
        "epc_token": found["epc_token"], "auth_rxno": found["auth_rxno"], "insuplc_admdvs": "370300",
    })
    told = {**review(rx, pharmacist, passed=False), "fixmedins_name": "药店", "fixmedins_code": till.counter.fixmedins_code}
    till.call("7102", told)
    with pytest.raises(Refused, match="本机构药师审方未通过"):
        drugstore.sell(patient, [sold(drugs[0], 1, rxno=rx["hi_rxno"])])
    prescriber.till.call("7104", {"data": {
        "hi_rxno": rx["hi_rxno"], "prsc_dr_name": "甲", "undo_dr_certno": "1", "undo_rea": "开错", "undo_time": wire_now(),
    }})
    with pytest.raises(Refused, match="处方已撤销"):
        drugstore.sell(patient, [sold(drugs[0], 1, rxno=rx["hi_rxno"])])


def test_refusals_name_the_fields_of_that_form(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item], pharmacist: tuple[str, str]
) -> None:
    till = drugstore.till
    mdtrt_id = prescriber.visit(patient)
    wrong = prescription(prescriber, patient, {**drugs[0], "med_list_codg": "NONE"}, 1, mdtrt_id)
    wrong["data"]["valid_end_time"] = wire_time(-1)
    wrong["mdtrtinfo"]["patn_name"] = "别人"
    wrong["diseinfo"][0]["dise_dor_no"] = "D0"
    with pytest.raises(Refused) as refused:
        prescriber.till.call("7101", wrong)
    for path in ("rxdrugdetail[0].med_list_codg：", "data.valid_end_time：", "mdtrtinfo.patn_name：", "diseinfo.dise_dor_no："):
        assert path in str(refused.value)
    rx = prescriber.till.call("7101", prescription(prescriber, patient, drugs[0], 1, mdtrt_id))
    with pytest.raises(Refused, match=r"^hi_rxno：处方尚未下载"):
        till.call("7204", review(rx, pharmacist))
    decoded = till.call("7201", {
        "app_chnl_id": "1", "app_chnl_user_id": "1", "dev_info": "till", "epc_qrcd": rx["rx_trace_code"],
        "ip_info": "127.0.0.1", "opter": "1", "opter_name": "甲", "optins": till.counter.fixmedins_code,
    })
    with pytest.raises(Refused, match=r"^epc_token："):
        till.call("7203", {"epc_token": "no", "auth_rxno": decoded["auth_rxno"], "insuplc_admdvs": "370300"})
    till.call("7203", {"epc_token": decoded["epc_token"], "auth_rxno": decoded["auth_rxno"], "insuplc_admdvs": "370300"})
    with pytest.raises(Refused, match=r"^phar_name：审方药师"):
        till.call("7204", review(rx, ("无此药师", pharmacist[1])))
    undo = {"prsc_dr_name": "甲", "undo_dr_certno": "1", "undo_rea": "开错", "undo_time": wire_now()}
    with pytest.raises(Refused, match=r"^data\.hi_rxno：平台上没有这张电子处方"):
        prescriber.till.call("7104", {"data": {**undo, "hi_rxno": "1"}})


@pytest.mark.parametrize(("infno", "content"), [
    ("7103", {"data": {
        "hi_rxno": "1", "fund_pay_sumamt": 0, "psn_part_amt": 0, "acct_pay": 0, "psn_cash_pay": 0, "setl_time": wire_now(),
    }, "seltdelts": {
        "drug_dosform": "片剂", "drug_spec": "1", "drug_totlcnt": 1, "fixmedins_code": "1", "fixmedins_name": "1",
        "prdr_name": "1", "pric": 1, "total_unit": "盒", "sumamt": 1,
    }}),
    ("7105", {"hi_rxno": "1", "hosp_rxno": "1", "rx_pay_status_code": "1", "pay_time": wire_now()}),
    ("7205", {"hi_rxno": "1", "delv_entp_name": "1", "delver_cert_type": "01", "delv_stas_codg": "1",
              "delv_stas_name": "配送中"}),
    ("7206", {"data": {
        "hi_rxno": "1", "phar_cert_type": "01", "phar_name": "1", "phar_prac_cert_no": "1", "dspeer_cert_type": "01",
        "dspeer_name": "1", "pro__cert_type": "01", "pro_name": "1", "hi_feesetl_type": "1", "sel_retn_time": wire_now(),
        "download_ide_code": "1", "fund_pay_sumamt": 0, "psn_part_amt": 0, "acct_pay": 0, "psn_cash_pay": 0,
        "setl_time": wire_now(),
    }}),
])
def test_what_has_no_effect_here_is_refused_by_name(infno: str, content: dict[str, Any], drugstore: Drugstore) -> None:
    with pytest.raises(Refused, match=f"交易【{infno}】的2021版报文本平台不受理"):
        drugstore.till.call(infno, content)
