"""What filings mean for stays, through the ward's own messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.spec.filings.conftest import Agency
from tests.support.filing_desk import accident, day, filed, referral, undo
from tests.support.till import Refused, Till, total
from tests.support.ward import Stay, Ward, ward_of
from yibao.kernel.business_time import SHANGHAI

Desks = Mapping[str, Till]
PatientOf = Callable[[str], dict[str, Any]]
NO_LIABILITY = '{"TRUM_FLAG": "1", "REL_TTP_FLAG": "0"}'


@pytest.fixture(scope="module")
def wards(desks: Desks, world: dict[str, Any]) -> Iterator[dict[str, Ward]]:
    """Return wards by place."""
    opened = {place: ward_of(desks[place], world["base_url"] + world["endpoint"]) for place in ("hz2", "hz3", "zb2", "zb3")}
    yield opened
    for ward in opened.values():
        ward.close()


@pytest.fixture
def charges(world: dict[str, Any]) -> list[dict[str, Any]]:
    """Return 40 counts of the dearest service of class A: nothing is paid first."""
    item = max((i for i in world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201"), key=lambda i: i["price"])
    return [{"med_list_codg": item["med_list_codg"], "medins_list_codg": item["medins_list_codg"], "cnt": 40,
             "pric": item["price"], "det_item_fee_sumamt": round(item["price"] * 40, 2)}]


def stay_of(
    ward: Ward, patient: dict[str, Any], charges: list[dict[str, Any]], *, lasts: timedelta = timedelta(hours=30),
    **admission: Any,
) -> Stay:
    """Admit, charge, discharge just now; the settlement is still to come."""
    end = datetime.now(SHANGHAI)
    stay = ward.admit(patient, end - lasts, **admission)
    ward.charge(stay, end - lasts, charges)
    ward.discharge(stay, end)
    return stay


def settled(ward: Ward, stay: Stay, charges: list[dict[str, Any]]) -> dict[str, Any]:
    """Try and settle; both say the same."""
    trial = ward.try_stay(stay, total(charges))["setlinfo"]
    info: dict[str, Any] = ward.settle_stay(stay, total(charges))["setlinfo"]
    for field in ("act_pay_dedc", "fund_pay_sumamt", "oth_pay", "psn_part_amt"):
        assert trial[field] == info[field], field
    return info


@pytest.mark.drives("2501", "2502")
def test_a_transfer_within_the_city_bears_only_the_difference(
    desks: Desks, wards: dict[str, Ward], patient_of: PatientOf, charges: list[dict[str, Any]]
) -> None:
    """HZ-406: from level 1 (200) to level 3 (650) only 450 are borne; without a referral 650."""
    patient, ward = patient_of("hz-active-account-exact"), wards["hz3"]
    sent = filed(desks["hz1"], "2501", referral(patient, desks["hz3"], refl_date=day(-3)))
    info = settled(ward, stay_of(ward, patient, charges), charges)
    assert Decimal(str(info["act_pay_dedc"])) == 450
    with pytest.raises(Refused, match="已有结算"):
        desks["hz1"].call("2502", undo(patient, sent))
    other = settled(ward, stay_of(ward, patient_of("hz-active-first"), charges), charges)
    assert Decimal(str(other["act_pay_dedc"])) == 650


def test_a_delivery_is_settled_once_the_pregnancy_is_registered(
    wards: dict[str, Ward], patient_of: PatientOf, charges: list[dict[str, Any]], agency: Agency
) -> None:
    """HZ-702; HZ-706: the whole in-scope cost, no deductible. A registration elsewhere serves a delivery as well."""
    patient, ward = patient_of("hz-pool-only"), wards["hz2"]
    stay = stay_of(ward, patient, charges, med_type="52", matn_type="1", fetus_cnt=1, geso_val=39)
    with pytest.raises(Refused, match=r"mdtrtinfo\.med_type：没有生育登记.*（收到：52）"):
        ward.try_stay(stay, total(charges))
    agency("maternity", patient["psn_no"], "--institution", wards["hz3"].counter.fixmedins_code, "--operator", "吴登记")
    with pytest.raises(Refused, match="没有生育登记"):  # it was registered after the admission: to be handled at the counter
        ward.try_stay(stay, total(charges))
    ward.cancel_discharge(stay)
    ward.withdraw(stay, "0000")
    ward.cancel_admission(stay)
    later = stay_of(ward, patient, charges, lasts=timedelta(seconds=2), med_type="52", matn_type="1", fetus_cnt=1)
    info = settled(ward, later, charges)
    assert Decimal(str(info["hifp_pay"])) == Decimal(str(info["inscp_scp_amt"]))
    assert info["act_pay_dedc"] == 0


@pytest.mark.drives("2507")
def test_a_stay_after_an_accident_filed_as_not_to_be_paid_is_refused(
    desks: Desks, wards: dict[str, Ward], patient_of: PatientOf, charges: list[dict[str, Any]]
) -> None:
    """The hospital's filing stands whatever comes in exp_content: with the admission, with the bill, or not at all."""
    patient, ward = patient_of("zb-low-income"), wards["zb2"]
    content = accident(patient, desks["zb2"], chk_pay_flag="0", trum_time=day(-3), begndate=day(-3))
    filed(desks["zb2"], "2507", content)
    stay = stay_of(ward, patient, charges, med_type="22")
    for more in ({}, {"exp_content": NO_LIABILITY}):
        with pytest.raises(Refused, match="审核支付标志为不支付"):
            ward.try_stay(stay, total(charges), **more)
        with pytest.raises(Refused, match="审核支付标志为不支付"):
            ward.settle_stay(stay, total(charges), **more)


def test_a_work_injury_stay_is_borne_by_its_own_fund(
    wards: dict[str, Ward], patient_of: PatientOf, charges: list[dict[str, Any]], agency: Agency
) -> None:
    """ZB-X12: no deductible, the whole in-scope cost from fund 410100 in oth_pay."""
    patient, ward = patient_of("zb-active-first"), wards["zb2"]
    agency(
        "injury", patient["psn_no"], "--kind", "work_injury", "--injured-on", day(-2), "--from", day(-2), "--operator",
        "周审核")
    stay = stay_of(ward, patient, charges, med_type="22", exp_content=NO_LIABILITY)
    trial = ward.try_stay(stay, total(charges))
    info = settled(ward, stay, charges)
    assert [d["fund_pay_type"] for d in trial["setldetail"] if d["fund_pay_type"].startswith("4")] == ["410100"]
    assert Decimal(str(info["oth_pay"])) == Decimal(str(info["inscp_scp_amt"])) + Decimal(str(info["preselfpay_amt"]))
    assert (info["hifp_pay"], info["act_pay_dedc"]) == (0, 0)
    ward.cancel_settlement(stay, info["setl_id"])
    assert Decimal(str(settled(ward, stay, charges)["oth_pay"])) == Decimal(str(info["oth_pay"]))
