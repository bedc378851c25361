"""What a till may get wrong with prescriptions and sales: each refused with its reason, and nothing written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import pytest

from tests.spec.pharmacy.conftest import Item
from tests.spec.pharmacy.test_orders import _kept
from tests.support.drugstore import Drugstore, Prescriber, file_of, sold, wire_time
from tests.support.till import Refused, Till

Patient = Mapping[str, Any]


@pytest.fixture
def elsewhere(drugstore_in: Callable[..., Drugstore]) -> Drugstore:
    """Return the pharmacy of another city."""
    return drugstore_in("441300")


@pytest.fixture
def other(world: Mapping[str, Any], patient: Patient) -> Patient:
    """Return another employee of the first region."""
    return next(
        p for p in world["patients"]
        if p["insuplc_admdvs"] == "370300" and p["insutype"] == "310" and p["psn_no"] != patient["psn_no"]
    )


@pytest.fixture
async def negotiated(world: Mapping[str, Any], world_url: str) -> list[Item]:
    """Return drugs of the price list whose price was negotiated and whose use is restricted."""
    connection = await asyncpg.connect(world_url)
    rows = await connection.fetch(
        "select i.code from catalogue.item i join catalogue.term t on t.code = i.code and t.admdvs = '370300' "
        "where i.negotiated and t.restricted and t.class_level = '02' order by i.code"
    )
    await connection.close()
    codes = {row["code"] for row in rows}
    return [i for i in world["items"] if i["med_list_codg"] in codes]


# ── a prescription used twice, in another city, by somebody else ──


def test_a_prescription_of_another_city_is_refused_on_every_way(
    prescriber: Prescriber, elsewhere: Drugstore, patient: Patient, world: Mapping[str, Any], drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    with pytest.raises(Refused, match="异地处方流转尚未开通"):
        elsewhere.authorise_code(rx["rxTraceCode"])
    with pytest.raises(Refused, match="异地处方流转尚未开通"):
        elsewhere.authorise_sent(rx["hiRxno"])
    with pytest.raises(Refused, match="没有可调配的电子处方"):
        elsewhere.authorise(patient)
    with pytest.raises(Refused, match=r"异地购药直接结算尚未开通.*异地处方流转尚未开通"):
        elsewhere.sell(patient, [sold(drugs[0], 1, rxno=rx["hiRxno"])])
    resident = next(p for p in world["patients"] if p["insuplc_admdvs"] == "441300" and p["insutype"] == "310")
    with pytest.raises(Refused, match="处方不是该参保人的"):
        elsewhere.sell(resident, [sold(drugs[0], 1, rxno=rx["hiRxno"])])


async def test_a_prescription_used_twice_or_by_another_person_is_refused(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, other: Patient, drugs: list[Item], world_url: str
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    drugstore.accept(rx)
    line = [sold(drugs[0], 1, rxno=rx["hiRxno"])]
    before = await _kept(world_url, other["psn_no"])
    with pytest.raises(Refused, match="处方不是该参保人的"):
        drugstore.sell(other, line)
    assert await _kept(world_url, other["psn_no"]) == before
    drugstore.sell(patient, line)
    before = await _kept(world_url, patient["psn_no"])
    with pytest.raises(Refused, match="全部取完"):
        drugstore.sell(patient, line)
    assert await _kept(world_url, patient["psn_no"]) == before


def test_what_was_not_prescribed_or_too_much_is_refused_with_every_line(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 2), (drugs[1], 1)])
    drugstore.accept(rx)
    number = rx["hiRxno"]
    with pytest.raises(Refused, match=r"1\. drugdetail\[0\].*处方上没有这种药品.*2\. drugdetail\[2\].cnt.*超过处方剩余数量0\.5"):
        drugstore.sell(patient, [sold(drugs[5], 1, rxno=number), sold(drugs[0], 1.5, rxno=number),
                                 sold(drugs[0], 1, rxno=number)])


def test_a_repeated_prescription_gives_one_use_at_a_time(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(
        patient, [(drugs[0], 2)], days=90, reptFlag="1", maxReptCnt=3, minInrvDays=30
    )
    drugstore.accept(rx)
    with pytest.raises(Refused, match="超过处方一次用量2"):
        drugstore.sell(patient, [sold(drugs[0], 3, rxno=rx["hiRxno"])])
    drugstore.sell(patient, [sold(drugs[0], 2, rxno=rx["hiRxno"])])
    shown = prescriber.ask("7105", patient, rx)["data"]
    assert (shown["reptdCnt"], shown["maxReptCnt"], shown["rxUsedStasCodg"]) == (1, 3, "2")


async def test_the_next_use_comes_after_its_interval(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item], world_url: str
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)], days=90, reptFlag="1", maxReptCnt=2, minInrvDays=30)
    drugstore.accept(rx)
    line = [sold(drugs[0], 1, rxno=rx["hiRxno"])]
    drugstore.sell(patient, line)
    connection = await asyncpg.connect(world_url)
    days_ago = "update dispensing.dispensed set at = now() - make_interval(days => $2) where hi_rxno = $1"
    await connection.execute(days_ago, rx["hiRxno"], 29)
    with pytest.raises(Refused, match="距上次取药不足30天"):
        drugstore.sell(patient, line)
    await connection.execute(days_ago, rx["hiRxno"], 30)
    drugstore.sell(patient, line)
    await connection.close()


# ── dual-channel drugs ──


def test_a_negotiated_drug_leaves_a_pharmacy_on_an_e_prescription_only(
    drugstore: Drugstore, patient: Patient, negotiated: list[Item]
) -> None:
    with pytest.raises(Refused, match="须凭平台上的电子处方销售"):
        drugstore.sell(patient, [sold(negotiated[0], 1)])
    with pytest.raises(Refused, match="须凭平台上的电子处方销售"):
        drugstore.sell(patient, [sold(negotiated[0], 1, rxno="A paper one")])
    with pytest.raises(Refused, match="平台上没有这张电子处方"):
        drugstore.sell(patient, [sold(negotiated[0], 1, rxno="A paper one")], med_type="18")


@pytest.mark.drives("2102")
def test_special_drugs_are_paid_in_huizhou_by_the_pool(
    prescriber_in: Callable[..., Prescriber], elsewhere: Drugstore, world: Mapping[str, Any], negotiated: list[Item]
) -> None:
    """HZ-507: employees 80 % of what is in scope, first-pay 10 %, no deductible; clr_type 18."""
    patient = next(p for p in world["patients"] if p["insuplc_admdvs"] == "441300" and p["insutype"] == "310")
    rx = prescriber_in("441300").prescribe(patient, [(negotiated[0], 1)], attribute="01")
    elsewhere.accept(rx)
    info = elsewhere.sell(patient, [sold(negotiated[0], 1, rxno=rx["hiRxno"])], med_type="18")["setlinfo"]
    scope = round(info["inscp_scp_amt"] * 100)
    assert scope > 0
    rest = round((info["medfee_sumamt"] - info["overlmt_selfpay"]) * 100)
    assert round(info["preselfpay_amt"] * 100) == (rest * 10 + 50) // 100
    assert round(info["hifp_pay"] * 100) == (scope * 80 + 50) // 100
    assert (info["clr_type"], info["act_pay_dedc"]) == ("18", 0)


def test_a_special_purchase_has_special_drugs_only_and_a_dual_channel_pharmacy(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, negotiated: list[Item], drugs: list[Item],
    till_for: Callable[..., Till],
) -> None:
    rx = prescriber.prescribe(patient, [(negotiated[0], 1), (drugs[0], 1)], attribute="01")
    drugstore.accept(rx)
    lines = [sold(negotiated[0], 1, rxno=rx["hiRxno"]), sold(drugs[0], 1, rxno=rx["hiRxno"])]
    with pytest.raises(Refused, match="只能含双通道"):
        drugstore.sell(patient, lines, med_type="18")
    with pytest.raises(Refused, match="病种编码不在处方诊断中"):
        drugstore.sell(patient, lines[:1], med_type="18", dise_codg="E75.200x011")
    plain = Drugstore(till_for("441300", "tif_sha256", kind="2"))
    resident = {**patient, "insuplc_admdvs": ""}
    with pytest.raises(Refused, match="不是双通道药店"):
        plain.sell(resident, lines[:1], med_type="18")


def test_a_restricted_drug_that_the_hospital_did_not_approve_is_fully_own(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, negotiated: list[Item]
) -> None:
    """The line of the prescription says whether the hospital approved it (hospApprFlag)."""
    refused = prescriber.prescribe(patient, [(negotiated[0], 1)], attribute="01", approved="2")
    drugstore.accept(refused)
    info = drugstore.quote(patient, [sold(negotiated[0], 1, rxno=refused["hiRxno"])], med_type="18")["setlinfo"]
    assert info["fulamt_ownpay_amt"] == info["medfee_sumamt"]
    approved = prescriber.prescribe(patient, [(negotiated[0], 1)], attribute="01", approved="1")
    drugstore.accept(approved)
    info = drugstore.quote(patient, [sold(negotiated[0], 1, rxno=approved["hiRxno"])], med_type="18")["setlinfo"]
    assert info["inscp_scp_amt"] > 0


# ── the sale itself ──


@pytest.mark.parametrize(("change", "reason"), [
    ({"psn_no": "0"}, "没有该人员编号的参保人"),
    ({"mdtrt_cert_no": "11010519491231002X"}, "就诊凭证不是该参保人的"),
    ({"mdtrt_cert_type": "01"}, "该就诊凭证类型尚未开通"),
    ({"begntime": wire_time(2)}, "购药时间晚于今天"),
    ({"begntime": "0001-01-01 00:00:00"}, "没有险种310的参保关系"),
    ({"medfee_sumamt": 0.01}, "与明细合计"),
    ({"insutype": "390"}, "没有险种390的参保关系"),
    ({"med_type": "11"}, "药店购药结算本平台尚未开通"),
    ({"med_type": "21"}, "药店购药结算本平台尚未开通"),
    ({"acct_used_flag": "2"}, "没有可用的共济账户"),
])
async def test_a_wrong_head_is_refused(
    change: dict[str, Any], reason: str, drugstore: Drugstore, patient: Patient, drugs: list[Item], world_url: str
) -> None:
    before = await _kept(world_url, patient["psn_no"])
    for send in (drugstore.quote, drugstore.sell):
        with pytest.raises(Refused, match=reason):
            send(patient, [sold(drugs[0], 1)], **change)
    assert await _kept(world_url, patient["psn_no"]) == before


@pytest.mark.parametrize(("change", "reason"), [
    ({"med_list_codg": "X0"}, r"drugdetail\[0\].med_list_codg：医疗目录编码不在"),
    ({"det_item_fee_sumamt": 99999}, r"drugdetail\[0\].det_item_fee_sumamt：明细金额与单价×数量"),
    ({"cnt": 0}, "cnt"),
    ({"pric": -1, "det_item_fee_sumamt": -1}, "单价不能为负"),
    ({"fee_ocur_time": wire_time(2)}, "费用发生时间晚于今天"),
    ({"fee_ocur_time": "0001-01-01 00:00:00"}, "费用发生时间早于购药"),
    ({"cnt": 999999999999, "pric": 9999999999}, "明细金额与单价×数量"),
])
def test_a_wrong_line_is_refused(
    change: dict[str, Any], reason: str, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    with pytest.raises(Refused, match=reason):
        drugstore.sell(patient, [sold(drugs[0], 1) | change])


def test_a_service_or_a_serial_taken_twice_is_refused(
    drugstore: Drugstore, patient: Patient, drugs: list[Item], world: Mapping[str, Any]
) -> None:
    service = next(i for i in world["items"] if i["list_type"] == "201")
    with pytest.raises(Refused, match="药店不能收取医疗服务项目"):
        drugstore.sell(patient, [sold(service, 1)])
    with pytest.raises(Refused, match="费用明细流水号在这次购药中重复"):
        drugstore.sell(patient, [sold(drugs[0], 1), sold(drugs[1], 1) | {"feedetl_sn": "1"}])


def test_institutions_of_the_other_kind_are_refused_by_name(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    hospital = Drugstore(prescriber.till)
    for send in (hospital.quote, hospital.sell):
        with pytest.raises(Refused, match="药店购药只能由定点零售药店办理"):
            send(patient, [sold(drugs[0], 1)])
    writing = Prescriber(drugstore.till, pharmacist=drugstore.pharmacist)
    with pytest.raises(Refused, match="药店不能开具电子处方"):
        writing.check(writing.content(patient, [(drugs[0], 1)], mdtrt_id="0"))
    with pytest.raises(Refused, match="药店不能签署电子处方"):
        writing.sign("0")


# ── writing a prescription ──


def _changed(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return the content with one field changed; the path is node.field, of a list its first row."""
    node, _, field = path.partition(".")
    part = content[node]
    if isinstance(part, list):
        return {**content, node: [{**part[0], field: value}, *part[1:]]}
    return {**content, node: {**part, field: value}}


@pytest.mark.parametrize(("path", "value", "reason"), [
    ("mdtrtinfo.mdtrtId", "0", "没有该参保人的这次就诊"),
    ("mdtrtinfo.patnName", "旁人", "姓名不是该参保人的"),
    ("mdtrtinfo.certno", "11010519491231002X", "证件号码不是该参保人的"),
    ("mdtrtinfo.drCode", "D370300999999", "开方医师当日未在本机构登记"),
    ("diseinfo.diagCode", "Z99.999x999", "诊断代码不在开方日"),
    ("rxdrugdetail.medListCodg", "X0", "医疗目录编码不在"),
    ("rxdrugdetail.drugCnt", 0, "药品总用药量须大于0"),
    ("rxdrugdetail.drugCnt", 999999999999, "不超过一百万"),
    ("data.prscTime", "0001-01-01 00:00:00", "开方医师当日未在本机构登记"),
    ("data.prscTime", wire_time(1), "开方时间晚于现在"),
    ("data.valiEndTime", wire_time(-1), "有效截止时间不晚于开方时间"),
    ("data.rxCotnFlag", "1", "续方须填写原处方编号"),
    ("data.hospRxno", "", "data.hospRxno"),
], ids=lambda value: value if isinstance(value, str) and not value.startswith("2") else "value")
async def test_a_wrong_prescription_is_refused(
    path: str, value: Any, reason: str, prescriber: Prescriber, patient: Patient, drugs: list[Item], world_url: str
) -> None:
    mdtrt_id = prescriber.visit(patient)
    content = prescriber.content(patient, [(drugs[0], 1)], mdtrt_id=mdtrt_id)
    before = await _kept(world_url, patient["psn_no"])
    with pytest.raises(Refused, match=reason):
        prescriber.check(_changed(content, path, value))
    assert await _kept(world_url, patient["psn_no"]) == before


def test_a_prescription_names_each_drug_once_and_drugs_only(
    prescriber: Prescriber, patient: Patient, drugs: list[Item], world: Mapping[str, Any]
) -> None:
    mdtrt_id = prescriber.visit(patient)
    with pytest.raises(Refused, match="同一种药品在处方中出现两次"):
        prescriber.check(prescriber.content(patient, [(drugs[0], 1), (drugs[0], 2)], mdtrt_id=mdtrt_id))
    service = next(i for i in world["items"] if i["list_type"] == "201")
    with pytest.raises(Refused, match="处方只能开具药品"):
        prescriber.check(prescriber.content(patient, [(service, 1)], mdtrt_id=mdtrt_id))


def test_an_own_number_is_used_once_until_it_is_cancelled(
    prescriber: Prescriber, patient: Patient, drugs: list[Item]
) -> None:
    mdtrt_id = prescriber.visit(patient)
    content = prescriber.content(patient, [(drugs[0], 1)], mdtrt_id=mdtrt_id)
    first = prescriber.check(content)
    with pytest.raises(Refused, match="定点医疗机构处方编号已用于处方"):
        prescriber.check(content)
    prescriber.cancel(first["hiRxno"])
    assert prescriber.check(content)["hiRxno"] != first["hiRxno"]


@pytest.mark.parametrize(("field", "value", "reason"), [
    ("rxTraceCode", "0", "处方追溯码与预核验返回的不一致"),
    ("mdtrtId", "0", "医保就诊ID与预核验时不一致"),
    ("drCode", "D0", "开方医师与预核验时不一致"),
    ("patnName", "旁人", "姓名不是该参保人的"),
    ("pharCode", "HY0", "审方药师当日未在本机构登记"),
    ("signDigest", "AAAA", "平台没有为本机构签过这个签名值"),
    ("rxFile", file_of("another"), "处方文件与签名时不同"),
    ("rxFile", "***", "处方文件不是Base64文本"),
])
def test_a_wrong_upload_is_refused(
    field: str, value: str, reason: str, prescriber: Prescriber, patient: Patient, drugs: list[Item]
) -> None:
    mdtrt_id = prescriber.visit(patient)
    numbers = prescriber.check(prescriber.content(patient, [(drugs[0], 1)], mdtrt_id=mdtrt_id))
    signed = prescriber.sign(numbers["hiRxno"])
    content = prescriber.uploading(patient, numbers, signed, mdtrt_id=mdtrt_id)
    with pytest.raises(Refused, match=reason):
        prescriber.till.call("7103", _changed(content, f"data.{field}", value))
    prescriber.till.call("7103", content)
    again = prescriber.check(prescriber.content(patient, [(drugs[1], 1)], mdtrt_id=mdtrt_id))
    with pytest.raises(Refused, match="这个签名已用于处方"):
        prescriber.till.call("7103", prescriber.uploading(patient, again, signed, mdtrt_id=mdtrt_id))


def test_only_who_wrote_it_sees_or_voids_a_prescription(
    prescriber: Prescriber, prescriber_in: Callable[..., Prescriber], patient: Patient, other: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    stranger = prescriber_in(index=1)
    for act in (lambda: stranger.ask("7105", patient, rx), lambda: stranger.cancel(rx["hiRxno"])):
        with pytest.raises(Refused, match="不是本机构开具的"):
            act()
    with pytest.raises(Refused, match="姓名不是该参保人的"):
        prescriber.ask("7105", other, rx)


def test_a_token_opens_its_own_prescription_at_its_own_pharmacy_only(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    first, second = (prescriber.prescribe(patient, [(drug, 1)]) for drug in drugs[:2])
    grants = [drugstore.authorise_code(rx["rxTraceCode"]) for rx in (first, second)]
    crossed = {**grants[0], "epcToken": grants[1]["epcToken"]}
    with pytest.raises(Refused, match="令牌与授权编号不符"):
        drugstore.download(crossed)
    drugstore.download(grants[0])
    with pytest.raises(Refused, match="不是本机构为这张处方取得的"):
        drugstore.verify({**first, "rxFile": first["rxFile"]}, crossed)
    hospital = Drugstore(prescriber.till)
    with pytest.raises(Refused, match="本机构没有这个处方授权"):
        hospital.download(grants[0])


async def test_a_token_ends(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item], world_url: str
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    grant = drugstore.authorise_code(rx["rxTraceCode"])
    connection = await asyncpg.connect(world_url)
    await connection.execute(
        "update dispensing.authorisation set expires_at = now() - interval '1 second' where auth_rxno = $1", grant["authRxno"]
    )
    await connection.close()
    with pytest.raises(Refused, match=r"令牌已于.*过期"):
        drugstore.download(grant)


def test_pooled_purchases_that_no_law_knows_are_refused_by_name(
    prescriber_in: Callable[..., Prescriber], elsewhere: Drugstore, world: Mapping[str, Any], drugs: list[Item]
) -> None:
    """Huizhou's law pays ordinary outpatients at hospitals only."""
    patient = next(
        p for p in world["patients"]
        if p["insuplc_admdvs"] == "441300" and p["insutype"] == "310" and p["visit"]["med_type"] == "11"
    )
    rx = prescriber_in("441300").prescribe(patient, [(drugs[0], 1)])
    elsewhere.accept(rx)
    till = elsewhere.till
    visit = {**patient["visit"], "dise_codg": "", "lines": [sold(drugs[0], 1, rxno=rx["hiRxno"])]}
    mdtrt_id = till.register(patient)
    with pytest.raises(Refused, match="尚未开通该险种、医疗类别在此类机构的结算"):
        till.record(patient, visit, mdtrt_id)
    bill = till.bill(patient, visit, mdtrt_id)
    for infno in ("2206", "2207"):
        with pytest.raises(Refused, match="尚未上传就诊信息"):
            till.call(infno, bill, insured_place=patient["insuplc_admdvs"])


def test_a_resident_has_no_account_to_buy_with(
    drugstore: Drugstore, world: Mapping[str, Any], drugs: list[Item]
) -> None:
    resident = next(p for p in world["patients"] if p["insuplc_admdvs"] == "370300" and p["insutype"] == "390")
    with pytest.raises(Refused, match="尚未开通该险种、医疗类别在此类机构的结算"):
        drugstore.sell(resident, [sold(drugs[0], 1)])
