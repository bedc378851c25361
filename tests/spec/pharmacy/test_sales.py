"""Sales at a pharmacy: trial, settlement, cancellation; what the account pays; what a prescription gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.spec.pharmacy.conftest import Item
from tests.support.drugstore import Drugstore, Prescriber, sold
from tests.support.till import Refused, total

Patient = Mapping[str, Any]


def cents(amount: Any) -> int:
    """Return a wire amount in fen."""
    return round(float(amount) * 100)


@pytest.mark.drives("2101", "2102", "2103")
def test_an_account_purchase_is_tried_settled_and_cancelled(
    drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    lines = [sold(drugs[0], 2), sold(drugs[40], 1)]
    bill = cents(total(lines))
    tried = drugstore.quote(patient, lines)
    assert "setl_id" not in tried["setlinfo"]
    assert tried["setlinfo"]["setl_time"] is None
    sale = drugstore.sell(patient, lines)
    info = sale["setlinfo"]
    money = ("medfee_sumamt", "fund_pay_sumamt", "psn_part_amt", "acct_pay", "psn_cash_pay", "fulamt_ownpay_amt",
             "preselfpay_amt", "inscp_scp_amt", "balc")
    assert {name: info[name] for name in money} == {name: tried["setlinfo"][name] for name in money}
    assert sale["detlcutinfo"] == tried["detlcutinfo"]
    # The law of the account purchase: no fund pays, the own account pays all while it lasts.
    assert (cents(info["medfee_sumamt"]), cents(info["acct_pay"])) == (bill, bill)
    assert (info["fund_pay_sumamt"], info["psn_cash_pay"]) == (0, 0)
    assert cents(info["balc"]) == cents(patient["balance"]) - bill
    assert (info["clr_type"], info["med_type"], info["medins_setl_id"] != "") == ("41", "41", True)
    assert [p["fund_pay_type"] for p in sale["setldetail"]] == ["310200"]
    # Class A bears no first-pay, class B 10 % (ZB-415); each line splits exactly.
    split = sale["detlcutinfo"]
    assert [x["chrgitm_lv"] for x in split] == [drugs[0]["chrgitm_lv"], drugs[40]["chrgitm_lv"]]
    for x in split:
        parts = (x["fulamt_ownpay_amt"], x["overlmt_amt"], x["preselfpay_amt"], x["inscp_scp_amt"])
        assert sum(map(cents, parts)) == cents(x["det_item_fee_sumamt"])
    refund = drugstore.refund(patient, sale)["setlinfo"]
    assert cents(refund["acct_pay"]) == -bill
    assert cents(refund["balc"]) == cents(patient["balance"])


@pytest.mark.drives("2102", "7107", "2103")
def test_a_sale_on_a_prescription_takes_from_it_and_gives_back(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 3)])
    drugstore.accept(rx)
    sale = drugstore.sell(patient, [sold(drugs[0], 2, rxno=rx["hiRxno"])])
    told = prescriber.ask("7107", patient, rx)
    assert [(x["medListCodg"], x["cnt"]) for x in told["seltdelts"]] == [(drugs[0]["med_list_codg"], 2)]
    assert told["data"]["setlTime"] == sale["setlinfo"]["setl_time"]
    with pytest.raises(Refused, match="超过处方剩余数量1"):
        drugstore.sell(patient, [sold(drugs[0], 2, rxno=rx["hiRxno"])])
    with pytest.raises(Refused, match="超过处方剩余数量1"):
        drugstore.quote(patient, [sold(drugs[0], 2, rxno=rx["hiRxno"])])
    drugstore.sell(patient, [sold(drugs[0], 1, rxno=rx["hiRxno"])])
    with pytest.raises(Refused, match="已全部取完"):
        drugstore.sell(patient, [sold(drugs[0], 1, rxno=rx["hiRxno"])])
    drugstore.refund(patient, sale)
    drugstore.sell(patient, [sold(drugs[0], 2, rxno=rx["hiRxno"])])


@pytest.mark.drives("7207", "7208", "2102")
def test_a_pharmacy_tells_of_the_same_boxes_twice_in_either_order(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 2), (drugs[1], 2)])
    accepted = drugstore.accept(rx)
    drugstore.hand_out(rx, accepted, drugs[0], 2)  # first the details, then the bill
    drugstore.sell(patient, [sold(drugs[0], 2, rxno=rx["hiRxno"]), sold(drugs[1], 2, rxno=rx["hiRxno"])])
    serial = drugstore.hand_out(rx, accepted, drugs[1], 2)  # first the bill, then the details
    for item in drugs[:2]:
        with pytest.raises(Refused, match="已全部取完"):
            drugstore.hand_out(rx, accepted, item, 1, flag="0")
    with pytest.raises(Refused, match="请先用2103撤销结算"):
        drugstore.take_back(rx["hiRxno"], serial)


@pytest.mark.drives("2201", "2203A", "2204", "2206", "2207", "2208", "2205")
def test_pooled_outpatient_at_a_pharmacy_is_paid_as_at_level_one_and_on_a_prescription(
    prescriber: Prescriber, drugstore: Drugstore, world: Mapping[str, Any], drugs: list[Item]
) -> None:
    """ZB-207: the deductible of 100 and 80 % of level 1, on an outside prescription."""
    patient = next(
        p for p in reversed(world["patients"])
        if p["insuplc_admdvs"] == "370300" and p["insutype"] == "310" and p["psn_type"].startswith("11")
        and p["visit"]["med_type"] == "11"
    )
    drug = next(d for d in drugs if d["chrgitm_lv"] == "01" and 30 <= d["price"] <= 60)
    rx = prescriber.prescribe(patient, [(drug, 10)])
    till = drugstore.till
    visit = {**patient["visit"], "dise_codg": "", "lines": [sold(drug, 10)]}
    with pytest.raises(Refused, match="须凭平台上的电子处方"):
        till.prepare(patient, visit)
    drugstore.accept(rx)
    visit["lines"] = [sold(drug, 10, rxno=rx["hiRxno"])]
    bill = till.prepare(patient, visit)
    tried = till.call("2206", bill, insured_place=patient["insuplc_admdvs"])["setlinfo"]
    info = till.call("2207", bill, insured_place=patient["insuplc_admdvs"])["setlinfo"]
    scope, deductible = cents(info["inscp_scp_amt"]), cents(info["act_pay_dedc"])
    assert cents(info["hifp_pay"]) == cents(tried["hifp_pay"]) == (scope - deductible) * 80 // 100
    with pytest.raises(Refused, match="已全部取完"):
        till.prepare(patient, visit)
    with pytest.raises(Refused, match="已全部取完"):
        drugstore.sell(patient, visit["lines"])
    key = {"psn_no": patient["psn_no"], "mdtrt_id": info["mdtrt_id"]}
    till.call("2208", {"data": {**key, "setl_id": info["setl_id"]}})
    till.call("2205", {"data": {**key, "chrg_bchno": "0000"}})
    assert till.prepare(patient, visit)["data"]["medfee_sumamt"] == total(visit["lines"])


@pytest.mark.drives("2102")
def test_a_sale_as_plain_clients_send_it(drugstore: Drugstore, patient: Patient, drugs: list[Item]) -> None:
    """Numbers quoted, codes without their zero, flags and times left out or null, one line as an object."""
    content = drugstore.purchase(patient, [sold(drugs[0], 2)], acct_used_flag="0")
    line = {**content["drugdetail"][0], "rxno": "null", "rx_circ_flag": None, "cnt": "2.0000", "fee_ocur_time": "",
            "pric": f"{drugs[0]['price']:.6f}", "prd_days": None}
    head = {**content["druginfo"], "mdtrt_cert_type": 2, "medfee_sumamt": f"{content['druginfo']['medfee_sumamt']:.2f}",
            "med_type": 41, "begntime": content["druginfo"]["begntime"][:10], "psn_name": "", "exp_content": {}}
    sale = drugstore.till.call("2102", {"druginfo": head, "drugdetail": line})["setlinfo"]
    assert (sale["acct_pay"], sale["psn_cash_pay"]) == (0, sale["medfee_sumamt"])
    assert cents(sale["medfee_sumamt"]) == cents(drugs[0]["price"]) * 2


@pytest.mark.drives("2102")
def test_what_a_sale_tells_is_found_again(drugstore: Drugstore, patient: Patient, drugs: list[Item]) -> None:
    sale = drugstore.sell(patient, [sold(drugs[0], 1, durg_trac_info=[
        {"feedetl_sn": "1", "drug_trac_codg": "83" + "0" * 18, "trdn_flag": "0"},
    ])])["setlinfo"]
    key = {"psn_no": patient["psn_no"], "setl_id": sale["setl_id"], "mdtrt_id": sale["mdtrt_id"]}
    found = drugstore.till.call("5203", {"data": key})["setlinfo"]
    assert (found["setl_id"], found["med_type"], found["medfee_sumamt"]) == (sale["setl_id"], "41", sale["medfee_sumamt"])
    lines = drugstore.till.call("5204", {"data": key})
    assert [(x["med_list_codg"], x["cnt"]) for x in lines] == [(drugs[0]["med_list_codg"], 1)]
