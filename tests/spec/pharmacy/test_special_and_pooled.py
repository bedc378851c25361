"""Negotiated drugs in Huizhou to the fen, purchases told by their day alone, and pooled purchases no law pays for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.spec.pharmacy.conftest import Item
from tests.spec.pharmacy.test_orders import _kept
from tests.support.drugstore import Drugstore, Prescriber, sold, wire_time
from tests.support.till import Refused, Till, wire_now

Patient = Mapping[str, Any]
GRANULES = "ZD03AAK0261010100941"
"""A negotiated drug of class B without limits to its use: pay standard 9.30, no first-pay ratio of its own."""
NOT_OFFERED = "mdtrtinfo.med_type：.*尚未开通该险种、医疗类别在此类机构的结算"


def insured(world: Mapping[str, Any], region: str, insutype: str, med_type: str = "11") -> Patient:
    """Return a patient of a region and scheme who comes for a class of visit."""
    return next(
        p for p in world["patients"]
        if p["insuplc_admdvs"] == region and p["insutype"] == insutype and p["visit"]["med_type"] == med_type
    )


@pytest.fixture
def granules(world: Mapping[str, Any]) -> Item:
    """Return the negotiated drug at its pay standard."""
    return {**next(i for i in world["items"] if i["med_list_codg"] == GRANULES), "price": 9.30}


@pytest.mark.drives("2101", "2102")
@pytest.mark.parametrize(
    ("insutype", "boxes", "price", "over", "first", "pool"),
    [
        # 4 × 9.30 = 37.20; 10 % is 3.72; 33.48 × 80 % = 26.784
        ("310", 4, 9.30, 0.00, 3.72, 26.78),
        # 10 × 12 = 120; over the standard 10 × 2.70 = 27; 93 × 10 % = 9.30; 83.70 × 60 % = 50.22
        ("390", 10, 12.00, 27.00, 9.30, 50.22),
    ],
)
def test_a_negotiated_drug_bears_ten_per_cent_first_in_huizhou(
    insutype: str, boxes: int, price: float, over: float, first: float, pool: float,
    prescriber_in: Callable[..., Prescriber], drugstore_in: Callable[..., Drugstore], world: Mapping[str, Any],
    granules: Item,
) -> None:
    """HZ-507: first-pay 10 %, then 80 % for employees and 60 % for residents."""
    patient, drugstore = insured(world, "441300", insutype), drugstore_in("441300")
    rx = prescriber_in("441300").prescribe(patient, [(granules, boxes)], attribute="01")
    drugstore.accept(rx)
    lines = [sold({**granules, "price": price}, boxes, rxno=rx["hiRxno"])]
    tried = drugstore.quote(patient, lines, med_type="18", acct_used_flag="0")["setlinfo"]
    sale = drugstore.sell(patient, lines, med_type="18", acct_used_flag="0")
    for info in (tried, sale["setlinfo"]):
        found = (info["overlmt_selfpay"], info["preselfpay_amt"], info["hifp_pay"], info["psn_cash_pay"])
        assert found == (over, first, pool, round(boxes * price - pool, 2))
    assert [x["selfpay_prop"] for x in sale["detlcutinfo"]] == [0.1]


@pytest.mark.drives("2204")
def test_the_same_drug_bears_what_its_visit_class_says_and_the_class_stays_under_it(
    till_for: Callable[..., Till], world: Mapping[str, Any], granules: Item
) -> None:
    """HZ-507 in a prescription for a special disease: 10 % of 37.20; ordinary outpatients (HZ-408): 5 %, 1.86."""
    till, patient = till_for("441300"), insured(world, "441300", "310", "14")
    special = {**patient["visit"], "lines": [{**sold(granules, 4), "hosp_appr_flag": "0"}]}
    ordinary = {**special, "med_type": "11", "dise_codg": ""}
    key = {"psn_no": patient["psn_no"], "mdtrt_id": till.register(patient)}
    till.record(patient, special, key["mdtrt_id"])
    assert [x["preselfpay_amt"] for x in till.upload(patient, special, key["mdtrt_id"])] == [3.72]
    with pytest.raises(Refused, match=r"mdtrtinfo.med_type：已按医疗类别14上传谈判药品明细"):
        till.record(patient, ordinary, key["mdtrt_id"])
    till.record(patient, special, key["mdtrt_id"])
    till.call("2205", {"data": {**key, "chrg_bchno": "0000"}})
    till.record(patient, ordinary, key["mdtrt_id"])
    assert [x["preselfpay_amt"] for x in till.upload(patient, ordinary, key["mdtrt_id"])] == [1.86]


@pytest.mark.drives("2101", "2102", "7207")
def test_a_purchase_told_by_its_day_alone_is_compared_with_its_prescription_by_day(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 3)])
    accepted = drugstore.accept(rx)
    lines = [sold(drugs[0], 1, rxno=rx["hiRxno"])]
    today, yesterday = wire_now()[:10], wire_time(-1)
    for begin in (today, f"{today} 00:00:00"):
        drugstore.quote(patient, lines, begin=begin)
    sale = drugstore.sell(patient, lines, begin=today)
    assert sale["setlinfo"]["fund_pay_sumamt"] == 0
    for begin in (yesterday, yesterday[:10]):
        with pytest.raises(Refused, match="购药时间早于开方时间"):
            drugstore.sell(patient, lines, begin=begin)
    told = {
        "data": {"hiRxno": rx["hiRxno"], "fixmedinsCode": drugstore.till.counter.fixmedins_code, "fixmedinsName": "药店",
                 "rxChkBizSn": accepted["rxChkBizSn"], "hiFeesetlFlag": "1"},
        "rxSaleDrugDetl": {
            "rtalDocno": "R1", "stooutTime": yesterday[:10], "medListCodg": drugs[0]["med_list_codg"],
            "medinsListCodg": "1", "drugGenname": "药", "drugSpec": "1", "drugTotlcnt": 1, "drugTotlcntEmp": "盒",
        },
    }
    with pytest.raises(Refused, match=r"rxSaleDrugDetl.stooutTime"):
        drugstore.till.call("7207", told)
    told["rxSaleDrugDetl"]["stooutTime"] = today
    assert drugstore.till.call("7207", told)["data"]["flag"] is True


@pytest.mark.parametrize(
    ("region", "insutype", "med_type"),
    [("370300", "310", "14"), ("370300", "390", "11"), ("441300", "310", "11"), ("441300", "310", "14"),
     ("441300", "390", "11")],
)
async def test_a_pooled_purchase_that_no_law_pays_is_refused_where_it_is_named(
    region: str, insutype: str, med_type: str, prescriber_in: Callable[..., Prescriber],
    drugstore_in: Callable[..., Drugstore], world: Mapping[str, Any], world_url: str, drugs: list[Item],
) -> None:
    """Nothing is recorded, no lines can follow, so the prescription stays whole for a sale on the own account."""
    patient, drugstore = insured(world, region, insutype, med_type), drugstore_in(region)
    rx = prescriber_in(region).prescribe(patient, [(drugs[0], 1)])
    drugstore.accept(rx)
    till = drugstore.till
    mdtrt_id = till.register(patient)
    visit = {**patient["visit"], "lines": [sold(drugs[0], 1, rxno=rx["hiRxno"])]}
    if med_type == "11":
        visit["dise_codg"] = ""
    before = await _kept(world_url, patient["psn_no"])
    with pytest.raises(Refused, match=NOT_OFFERED):
        till.record(patient, visit, mdtrt_id)
    assert await _kept(world_url, patient["psn_no"]) == before
    with pytest.raises(Refused, match="尚未上传就诊信息"):
        till.upload(patient, visit, mdtrt_id)
    if insutype == "310":
        drugstore.sell(patient, visit["lines"])


def test_refusals_name_the_fields_that_the_message_has(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    accepted = drugstore.accept(rx)
    prescriber.cancel(rx["hiRxno"])
    with pytest.raises(Refused, match=r"^data\.hiRxno：处方已撤销"):
        drugstore.hand_out(rx, accepted, drugs[0], 1)
    with pytest.raises(Refused, match=r"^mdtrtinfo\.mdtrtId：没有该参保人的这次就诊"):
        prescriber.check(prescriber.content(patient, [(drugs[0], 1)], mdtrt_id="1"))
