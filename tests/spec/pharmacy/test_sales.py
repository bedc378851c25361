"""Sales at a pharmacy: trial, settlement, cancellation; what the account pays; what a prescription gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import pytest

from tests.spec.pharmacy.conftest import Item
from tests.support.drugstore import Drugstore, Prescriber, sold
from tests.support.till import Refused, new_msgid, total

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
    assert tried["setlinfo"]["setl_id"] is None
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
