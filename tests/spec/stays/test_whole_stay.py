"""A stay from admission to settlement and back, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.spec.stays.conftest import Charges, days_ago
from tests.support.till import total
from tests.support.ward import Ward


@pytest.mark.drives("2401", "2301", "2303", "2402", "2304", "2305", "2405", "2302", "2404")
def test_a_stay_goes_its_whole_way_and_back(ward: Ward, patient: Mapping[str, Any], charges_of: Charges) -> None:
    charges = charges_of(5)
    stay = ward.admit(patient, days_ago(9))
    lines = ward.charge(stay, days_ago(8), charges)
    assert [x["det_item_fee_sumamt"] for x in lines] == [c["det_item_fee_sumamt"] for c in charges]
    early = ward.try_stay(stay, total(charges))["setlinfo"]
    ward.discharge(stay, days_ago(2))
    tried = ward.try_stay(stay, total(charges))["setlinfo"]
    settled = ward.settle_stay(stay, total(charges))["setlinfo"]
    for name in ("medfee_sumamt", "act_pay_dedc", "hifp_pay", "fund_pay_sumamt", "acct_pay", "psn_cash_pay"):
        assert early[name] == tried[name] == settled[name]
    assert settled["medfee_sumamt"] == total(charges)
    assert settled["clr_way"] == "40"
    refund = ward.cancel_settlement(stay, settled["setl_id"])["setlinfo"]
    assert refund["hifp_pay"] == -settled["hifp_pay"]
    ward.cancel_discharge(stay)
    ward.withdraw(stay, "0000")
    ward.cancel_admission(stay)


