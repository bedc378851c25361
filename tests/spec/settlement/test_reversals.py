"""Undoing: 2208 cancels, 2601 undoes a message whose reply was lost, and both leave the year as it was."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.till import Refused, Till

Patient = dict[str, Any]


@pytest.fixture
def patient(patient_of: Callable[[str], Patient]) -> Patient:
    return patient_of("zb-active-first")


def keys_of(done: dict[str, Any]) -> dict[str, Any]:
    return {"data": {k: done[k] for k in ("setl_id", "mdtrt_id", "psn_no")}}


def state_of(till: Till, patient: Patient) -> tuple[Any, Any]:
    """Return the balance and all yearly counters."""
    person = till.call("1101", {"data": {
        "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "psn_cert_type": "01", "certno": patient["certno"]}})
    counters = till.call("5206", {"data": {"psn_no": patient["psn_no"]}})["cuminfo"]
    used = {(c["year"], c["cum_type_code"]): c["cum"] for c in counters if c["cum"]}
    return next(i["balc"] for i in person["insuinfo"] if i["insutype"] == patient["insutype"]), used


def lost(till: Till, infno: str, content: Any) -> str:
    """Send a message, throw the reply away, and return its msgid."""
    msgid = secrets.token_hex(15)
    till.call(infno, content, msgid=msgid)
    return msgid


def test_a_cancellation_restores_account_and_counters(till: Till, patient: Patient) -> None:
    before = state_of(till, patient)
    done = till.settle(patient, patient["visit"])["setlinfo"]
    assert state_of(till, patient) != before
    till.call("2208", keys_of(done))
    assert state_of(till, patient) == before


@pytest.mark.drives("2601")
def test_2601_undoes_a_settlement_whose_reply_was_lost(till: Till, patient: Patient) -> None:
    before = state_of(till, patient)
    msgid = lost(till, "2207", till.prepare(patient, patient["visit"]))
    undo = {"data": {"psn_no": patient["psn_no"], "omsgid": msgid, "oinfno": "2207"}}
    till.call("2601", undo)
    assert state_of(till, patient) == before
    till.call("2601", undo)  # again, under another msgid: success without effect
    assert state_of(till, patient) == before


def test_2601_undoes_a_cancellation_and_the_settlement_counts_again(till: Till, patient: Patient) -> None:
    before = state_of(till, patient)
    done = till.settle(patient, patient["visit"])["setlinfo"]
    settled = state_of(till, patient)
    msgid = lost(till, "2208", keys_of(done))
    assert state_of(till, patient) == before
    till.call("2601", {"data": {"psn_no": patient["psn_no"], "omsgid": msgid, "oinfno": "2208"}})
    assert state_of(till, patient) == settled
    assert till.call("5203", keys_of(done))["setlinfo"]["refd_setl_flag"] == "0"
    till.call("2208", keys_of(done))
    assert state_of(till, patient) == before


def test_2601_of_an_unknown_message_succeeds_and_the_message_can_not_come_late(till: Till, patient: Patient) -> None:
    bill, msgid = till.prepare(patient, patient["visit"]), secrets.token_hex(15)
    till.call("2601", {"data": {"psn_no": patient["psn_no"], "omsgid": msgid, "oinfno": "2207"}})
    with pytest.raises(Refused, match="已被冲正"):
        till.call("2207", bill, msgid=msgid)
    done = till.call("2207", bill)["setlinfo"]  # a new msgid is a new try
    till.call("2208", keys_of(done))


@pytest.mark.parametrize(("change", "said"), [
    ({"oinfno": "2201"}, "不支持冲正"),
    ({"oinfno": "2208"}, "与原交易编号不一致"),
    ({"psn_no": "3703009000000002"}, "不是该参保人的"),
])
def test_2601_of_something_else_is_refused(till: Till, patient: Patient, change: dict[str, str], said: str) -> None:
    bill = till.prepare(patient, patient["visit"])
    msgid = lost(till, "2207", bill)
    undo = {"psn_no": patient["psn_no"], "omsgid": msgid, "oinfno": "2207"}
    with pytest.raises(Refused, match=said):
        till.call("2601", {"data": {**undo, **change}})
    till.call("2601", {"data": undo})


def test_an_earlier_settlement_waits_for_the_later_ones_that_rest_on_it(till: Till, patient: Patient) -> None:
    before = state_of(till, patient)
    first = till.settle(patient, patient["visit"])["setlinfo"]
    second = till.settle(patient, patient["visit"])["setlinfo"]
    with pytest.raises(Refused, match="依次撤销") as refusal:
        till.call("2208", keys_of(first))
    assert second["setl_id"] in str(refusal.value), "it says which one comes first"
    till.call("2208", keys_of(second))
    till.call("2208", keys_of(first))
    assert state_of(till, patient) == before


def test_a_cancelled_batch_can_be_settled_again(till: Till, patient: Patient) -> None:
    bill = till.prepare(patient, patient["visit"])
    first = till.call("2207", bill)["setlinfo"]
    cancel_msgid = lost(till, "2208", keys_of(first))
    second = till.call("2207", bill)["setlinfo"]
    assert second["setl_id"] != first["setl_id"]
    assert second["fund_pay_sumamt"] == first["fund_pay_sumamt"]
    with pytest.raises(Refused, match=r"不能恢复原结算|已变化"):
        till.call("2601", {"data": {"psn_no": patient["psn_no"], "omsgid": cancel_msgid, "oinfno": "2208"}})
    till.call("2208", keys_of(second))


@pytest.mark.drives("3201")
def test_reconciliation_counts_both_rows_of_a_reversal(till: Till, patient: Patient) -> None:
    done = till.settle(patient, patient["visit"])["setlinfo"]
    today = done["setl_time"][:10]
    ask = {"insutype": patient["insutype"], "clr_type": done["clr_type"], "setl_optins": done["clr_optins"],
           "stmt_begndate": today, "stmt_enddate": today, "medfee_sumamt": 0, "fund_pay_sumamt": 0, "acct_pay": 0,
           "fixmedins_setl_cnt": 0}
    said = till.call("3201", {"data": ask})["stmtinfo"]
    assert said["stmt_rslt"] == "1"
    assert "医疗费总额" in said["stmt_rslt_dscr"]
    till.call("2208", keys_of(done))
    tally = _tally(till.call("3201", {"data": ask})["stmtinfo"]["stmt_rslt_dscr"])
    agreed = till.call("3201", {"data": {**ask, **tally}})["stmtinfo"]
    assert agreed["stmt_rslt"] == "0", agreed


def _tally(said: str) -> dict[str, float]:
    """Read the platform's side out of its sentence; what it does not mention agreed with 0."""
    fields = {"结算笔数": "fixmedins_setl_cnt", "医疗费总额": "medfee_sumamt", "基金支付总额": "fund_pay_sumamt",
              "个人账户支付": "acct_pay"}
    return {
        fields[part.split("：")[0]]: float(part.rsplit("平台", 1)[1]) for part in said.split("；") if "平台" in part
    }


def test_what_found_a_ceiling_used_up_rests_on_who_used_it(till: Till, world: dict[str, Any]) -> None:
    """The first bill takes all that is left of the year, the second gets nothing: the first cannot go before it."""
    patient = next(
        p for p in world["patients"]
        if p["insutype"] == "390" and p["insuplc_admdvs"] == "370300" and p["visit"]["med_type"] == "11"
    )
    drug = next(i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] == "01" and not i["selfpay_prop"])
    line = {"med_list_codg": drug["med_list_codg"], "medins_list_codg": drug["medins_list_codg"], "pric": 3000, "cnt": 1,
            "det_item_fee_sumamt": 3000}
    visit = {**patient["visit"], "lines": [line]}
    first = till.settle(patient, visit)["setlinfo"]
    second = till.settle(patient, visit)["setlinfo"]
    assert first["fund_pay_sumamt"] > 0
    assert second["fund_pay_sumamt"] == 0, "the year's ceiling is used up"
    keys = [{k: s[k] for k in ("setl_id", "mdtrt_id", "psn_no")} for s in (first, second)]
    with pytest.raises(Refused, match="依次撤销") as refused:
        till.call("2208", {"data": keys[0]})
    assert "data.setl_id" in str(refused.value)
    assert first["setl_id"] in str(refused.value)
    till.call("2208", {"data": keys[1]})
    till.call("2208", {"data": keys[0]})
