"""What a counter gets when it sends something that cannot be: a clear refusal, and nothing half-written.

Every refusal is HTTP 200 with ``infcode`` -1; the Chinese reason comes first and the field is named.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.till import Refused, Till, wire_now

Patient = dict[str, Any]
PatientOf = Callable[[str], Patient]

STORY = "zb-active-first"


@pytest.fixture
def patient(patient_of: PatientOf) -> Patient:
    return patient_of(STORY)


@pytest.fixture
def visit(patient: Patient) -> dict[str, Any]:
    return dict(patient["visit"])


def refused(till: Till, infno: str, content: Any, **more: str) -> str:
    with pytest.raises(Refused) as refusal:
        till.call(infno, content, **more)
    return str(refusal.value)


def test_an_unknown_person_is_refused_by_name(till: Till) -> None:
    reason = refused(till, "1101", {"data": {
        "mdtrt_cert_type": "02", "mdtrt_cert_no": "110101199001010015", "psn_cert_type": "01",
        "certno": "110101199001010015"}})
    assert "没有该证件的参保人" in reason
    assert "data.mdtrt_cert_no" in reason
    assert "110101199001010015" not in reason, "identity numbers are masked"


def test_a_dead_person_cannot_register(till: Till, world: dict[str, Any], world_url: str) -> None:
    import asyncio

    import asyncpg

    async def a_dead_person() -> Any:
        connection = await asyncpg.connect(world_url)
        row = await connection.fetchrow(
            "select p.psn_no, p.certno, r.insutype, r.admdvs from people.person p join enrolment.relation r using (psn_no) "
            "where p.died_on is not null and r.admdvs = '370300' limit 1")
        await connection.close()
        return row

    row = asyncio.run(a_dead_person())
    assert row is not None, "the demo world has somebody dead"
    dead = {"psn_no": row["psn_no"], "certno": row["certno"], "insutype": row["insutype"], "insuplc_admdvs": row["admdvs"]}
    with pytest.raises(Refused, match=r"已于.*死亡"):
        till.register(dead)


def test_a_person_of_the_other_city_is_refused_with_the_manual_route(till: Till, world: dict[str, Any]) -> None:
    elsewhere = next(p for p in world["patients"] if p["insuplc_admdvs"].startswith("4413"))
    with pytest.raises(Refused, match=r"异地就医直接结算尚未开通.*手工报销"):
        till.register(elsewhere)


def test_an_unregistered_doctor_is_refused(till: Till, patient: Patient) -> None:
    c = till.counter
    reason = refused(till, "2201", {"data": {
        "psn_no": patient["psn_no"], "insutype": patient["insutype"], "begntime": wire_now(), "mdtrt_cert_type": "02",
        "mdtrt_cert_no": patient["certno"], "ipt_otp_no": "X1", "atddr_no": "D370300999999", "dr_name": "无",
        "dept_code": c.dept_code, "dept_name": c.dept_name, "caty": "A03"}})
    assert "医师就诊当日未在本机构登记" in reason
    assert "data.atddr_no" in reason


def test_all_faults_of_a_registration_come_at_once(till: Till, patient: Patient) -> None:
    reason = refused(till, "2201", {"data": {
        "psn_no": patient["psn_no"], "insutype": patient["insutype"], "begntime": "2099-01-01 08:00:00",
        "mdtrt_cert_type": "02", "mdtrt_cert_no": "37030019700101001X", "ipt_otp_no": "X2",
        "atddr_no": "D370300999999", "dr_name": "无", "dept_code": "9999", "dept_name": "无", "caty": "A03"}})
    for said in ("就诊时间晚于今天", "就诊凭证不是该参保人的", "科室未在本机构登记", "医师就诊当日未在本机构登记"):
        assert said in reason


LINE_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"cnt": -1, "det_item_fee_sumamt": -37.32}, "大于0", "feedetail[0].cnt"),
    ({"cnt": 0, "det_item_fee_sumamt": 0}, "大于0", "feedetail[0].cnt"),
    ({"det_item_fee_sumamt": 999.99}, "单价×数量", "feedetail[0].det_item_fee_sumamt"),
    ({"med_list_codg": "X00000000000000000000"}, "不在", "feedetail[0].med_list_codg"),
    ({"bilg_dr_codg": "D370300999999"}, "开单医生", "feedetail[0].bilg_dr_codg"),
    ({"fee_ocur_time": "2099-01-01 08:00:00"}, "晚于今天", "feedetail[0].fee_ocur_time"),
]


@pytest.mark.parametrize(("change", "said", "field"), LINE_FAULTS, ids=[f[2] + "/" + f[1] for f in LINE_FAULTS])
def test_a_faulty_fee_line_is_refused_and_nothing_is_kept(
    till: Till, patient: Patient, visit: dict[str, Any], change: dict[str, Any], said: str, field: str
) -> None:
    mdtrt_id = till.register(patient)
    till.record(patient, visit, mdtrt_id)
    lines = [{**visit["lines"][0], **change}, *visit["lines"][1:]]
    with pytest.raises(Refused) as refusal:
        till.upload(patient, {**visit, "lines": lines}, mdtrt_id)
    assert said in str(refusal.value)
    assert field in str(refusal.value)
    with pytest.raises(Refused, match="没有费用明细"):
        till.call("2206", till.bill(patient, visit, mdtrt_id), insured_place=patient["insuplc_admdvs"])


def test_a_line_may_differ_by_one_fen_from_price_times_quantity(
    till: Till, patient: Patient, visit: dict[str, Any]
) -> None:
    mdtrt_id = till.register(patient)
    till.record(patient, visit, mdtrt_id)
    line = {**visit["lines"][0], "det_item_fee_sumamt": round(visit["lines"][0]["det_item_fee_sumamt"] + 0.01, 2)}
    assert till.upload(patient, {**visit, "lines": [line]}, mdtrt_id)


def test_settling_twice_is_refused_and_names_the_settlement(till: Till, patient: Patient, visit: dict[str, Any]) -> None:
    bill = till.prepare(patient, visit)
    place = patient["insuplc_admdvs"]
    done = till.call("2207", bill, insured_place=place)["setlinfo"]
    reason = refused(till, "2207", bill, insured_place=place)
    assert "已结算" in reason
    assert done["setl_id"] in reason
    till.call("2208", {"data": {k: done[k] for k in ("setl_id", "mdtrt_id", "psn_no")}})


def test_settling_a_strangers_visit_is_refused(
    till: Till, till_for: Callable[..., Till], patient: Patient, visit: dict[str, Any]
) -> None:
    bill = till.prepare(patient, visit)
    other = till_for(scheme="api_hmac_sha1")
    assert "不是在本机构登记的" in refused(other, "2207", bill, insured_place=patient["insuplc_admdvs"])
    wrong = {"data": {**bill["data"], "psn_no": "3703009000000002"}}
    assert "没有该参保人的这次就诊" in refused(till, "2207", wrong)


def test_reversal_by_another_institution_is_refused(
    till: Till, till_for: Callable[..., Till], patient: Patient, visit: dict[str, Any]
) -> None:
    done = till.settle(patient, visit)["setlinfo"]
    undo = {"data": {k: done[k] for k in ("setl_id", "mdtrt_id", "psn_no")}}
    other = till_for(scheme="api_hmac_sha1")
    assert "不是本机构办理的" in refused(other, "2208", undo)
    till.call("2208", undo)
    assert "已经撤销" in refused(till, "2208", undo)


BILL_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"medfee_sumamt": 1.00}, "与明细合计"),
    ({"preselfpay_amt": 0.01}, "先行自付金额与平台核定"),
    ({"acct_used_flag": "2"}, "没有可用的共济账户"),
    ({"med_type": "13"}, "医疗类别与就诊信息"),
    ({"insutype": "390"}, "险种类型与挂号时"),
    ({"chrg_bchno": "no such batch"}, "没有费用明细"),
    ({"psn_setlway": "02"}, "只按项目结算"),
]


@pytest.mark.parametrize(("change", "said"), BILL_FAULTS, ids=[f[1] for f in BILL_FAULTS])
def test_a_bill_that_does_not_fit_the_visit_is_refused(
    till: Till, patient: Patient, visit: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    bill = till.prepare(patient, visit)
    wrong = {"data": {**bill["data"], **change}}
    for infno in ("2206", "2207") if "preselfpay_amt" not in change else ("2207",):
        assert said in refused(till, infno, wrong, insured_place=patient["insuplc_admdvs"])


def test_a_visit_class_that_is_not_offered_is_refused_by_name(till: Till, patient: Patient, visit: dict[str, Any]) -> None:
    mdtrt_id = till.register(patient)
    with pytest.raises(Refused, match=r"71 家庭病床.*尚未开通"):
        till.record(patient, {**visit, "med_type": "71"}, mdtrt_id)


def test_a_chronic_visit_needs_a_recognised_disease(till: Till, patient: Patient, visit: dict[str, Any]) -> None:
    mdtrt_id = till.register(patient)
    with pytest.raises(Refused, match="必须有病种编码"):
        till.record(patient, {**visit, "med_type": "14"}, mdtrt_id)
    with pytest.raises(Refused, match="没有该病种的有效慢特病认定"):
        till.record(patient, {**visit, "med_type": "14", "dise_codg": "M00500"}, mdtrt_id)


def test_a_registration_with_fee_lines_cannot_be_cancelled(till: Till, patient: Patient, visit: dict[str, Any]) -> None:
    bill = till.prepare(patient, visit)["data"]
    undo = {"data": {"psn_no": patient["psn_no"], "mdtrt_id": bill["mdtrt_id"], "ipt_otp_no": "other"}}
    assert "门诊号与挂号时不一致" in refused(till, "2202", undo)
    till.call("2205", {"data": {"psn_no": patient["psn_no"], "mdtrt_id": bill["mdtrt_id"], "chrg_bchno": "0000"}})


def test_the_same_msgid_with_another_body_is_its_own_refusal(till: Till, patient: Patient, visit: dict[str, Any]) -> None:
    msgid = "TEST" + "7" * 26
    first = till.send(till.envelope("9001", {"signIn": {"opter_no": "1", "mac": "m", "ip": "127.0.0.1"}}, msgid=msgid))
    again = till.send(till.envelope("9001", {"signIn": {"opter_no": "1", "mac": "m", "ip": "127.0.0.1"}}, msgid=msgid))
    assert first == again, "same msgid, same content: the same bytes"
    content = {"signIn": {"opter_no": "2", "mac": "m", "ip": "127.0.0.1"}}
    other = json.loads(till.send(till.envelope("9001", content, msgid=msgid)))
    assert other["infcode"] == -1
    assert "发送方报文ID已用于" in other["err_msg"]


def test_a_visit_without_diagnosis_and_an_upload_without_lines_are_refused(
    till: Till, patient: Patient, visit: dict[str, Any]
) -> None:
    mdtrt_id = till.register(patient)
    info = {"mdtrt_id": mdtrt_id, "psn_no": patient["psn_no"], "med_type": "11", "begntime": wire_now()}
    for content in ({"mdtrtinfo": info}, {"mdtrtinfo": info, "diseinfo": []}):
        assert "diseinfo" in refused(till, "2203", content)
    till.record(patient, visit, mdtrt_id)
    for empty in ({}, {"feedetail": []}, {"feedetail": None}):
        assert "feedetail" in refused(till, "2204", empty)
