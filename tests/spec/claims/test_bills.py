"""Receipts: each is paid once, by one way, for what it says; what is wrong with one is said at once, with the way open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.claims_office import ClaimsOffice, line, outside_stay
from tests.support.till import Refused
from tests.support.window_city import at


@pytest.fixture(scope="module")
def city(city_at: Any) -> Iterator[Any]:
    """Open Zibo in the autumn of 2021; no window is announced."""
    return city_at("2021-09-29 10:00")


@pytest.fixture(scope="module")
def office(city: Any) -> ClaimsOffice:
    """Return the office that reimburses."""
    return ClaimsOffice(city)


def item_of(city: Any) -> dict[str, Any]:
    """Return a service of class A."""
    return next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")


def charge_of(city: Any) -> dict[str, Any]:
    """Return the same service as a hospital charges it: 30 pieces, 3 000.00 yuan."""
    item = item_of(city)
    return {"pric": 100.0, "cnt": 30, "det_item_fee_sumamt": 3000.0, "med_list_codg": item["med_list_codg"],
            "medins_list_codg": item["medins_list_codg"]}


def hospital_stay(city: Any, visit_no: str, begin: str, end: str, **more: Any) -> dict[str, Any]:
    """Return a receipt of the hospital on the platform for the stay that ``charge_of`` makes."""
    return {
        "bill_no": f"ZB-{visit_no}", "care": "stay", "med_type": "21", "fixmedins_code": city.institution()["fixmedins_code"],
        "visit_no": visit_no, "begin_at": f"{begin}T09:00:00+08:00", "end_at": f"{end}T09:00:00+08:00", "total_fen": 300_000,
        "disease_code": "J18.900", "disease_name": "肺炎",
        "lines": [line(item_of(city), 3000, quantity=30, on=begin)], **more,
    }


def test_a_stay_that_the_hospital_settled_is_not_paid_again(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-active-first")
    stay, _ = city.ward().whole_stay(patient, at("2021-09-14 09:00"), [charge_of(city)], days=5)
    refused = office.refused(patient, [hospital_stay(city, stay.ipt_no, "2021-09-14", "2021-09-19")], cause="credential")
    assert refused["code"] == "BILL_SETTLED"
    assert "撤销" in refused["faults"][0]["remedy"]


def test_a_bill_that_a_claim_holds_is_not_settled_at_the_hospital_until_the_claim_lets_go(
    city: Any, office: ClaimsOffice
) -> None:
    patient, ward = city.patient("zb-active-over-deductible"), city.ward()
    stay = ward.admit(patient, at("2021-09-14 09:00"))
    ward.charge(stay, at("2021-09-14 09:00"), [charge_of(city)])
    ward.discharge(stay, at("2021-09-19 09:00"))
    claim = office.open(patient, [hospital_stay(city, stay.ipt_no, "2021-09-14", "2021-09-19")], cause="network")
    with pytest.raises(Refused, match="手工报销"):
        ward.settle_stay(stay, 3000.0)
    # Taken back, the hospital may settle; and then nobody can claim it any more.
    office.intake.do(f"/applications/{claim['application_id']}/withdraw", {"says": "改由医院结算"})
    assert office.show(claim)["claim"]["state"] == "released"
    ward.settle_stay(stay, 3000.0)
    again = office.refused(patient, [hospital_stay(city, stay.ipt_no, "2021-09-14", "2021-09-19")], cause="network")
    assert again["code"] == "BILL_SETTLED"
    assert city.breaches() == {}


def test_a_receipt_is_claimed_once_whoever_brings_it_and_never_altered(city: Any, office: ClaimsOffice) -> None:
    first, other = city.patient("zb-active-level1-before"), city.patient("zb-retired-first")
    bill = outside_stay("2021-09-01", "2021-09-05", [line(item_of(city), 5000, quantity=50, on="2021-09-05")])
    twice = office.refused(first, [bill, bill])
    assert "BILL_TWICE" in {f["code"] for f in twice["faults"]}
    claim = office.open(first, [bill])
    assert office.refused(first, [bill])["code"] == "BILL_CLAIMED"
    stranger = office.refused(other, [bill])
    assert stranger["code"] == "BILL_CLAIMED"
    assert "另一参保人" in stranger["faults"][0]["reason"]
    # Another amount on the same number.
    more = [line(item_of(city), 8000, quantity=80, on="2021-09-05")]
    altered = office.refused(first, [{**bill, "lines": more, "total_fen": 800_000}])
    assert altered["code"] == "BILL_ALTERED"
    # Another number for the same bed.
    beside = office.refused(first, [{**bill, "bill_no": "ANOTHER-1"}])
    assert "STAY_OVERLAPS" in {f["code"] for f in beside["faults"]}
    # A slip of the pen is taken back before anybody calculated: the right amount may come then.
    office.intake.do(f"/applications/{claim['application_id']}/withdraw", {"says": "金额录错"})
    office.open(first, [{**bill, "lines": more, "total_fen": 800_000}])
    assert city.breaches() == {}


def test_what_is_wrong_with_a_claim_is_said_all_at_once(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-retired-first")
    lines = [line(item_of(city), 5000, quantity=50, on="2021-09-05")]
    wrong = outside_stay("2021-09-01", "2021-09-05", lines, total_fen=490_000, level="", remote="")
    codes = {f["code"] for f in office.refused(patient, [wrong], cause="because", bank_account="")["faults"]}
    assert codes == {"CAUSE_UNKNOWN", "PAYEE_INCOMPLETE", "TOTAL_DIFFERS", "LEVEL_MISSING", "REMOTE_MISSING"}
    for change, code in (
        ({"med_type": "11"}, "MED_TYPE_NOT_OFFERED"), ({"care": "visit", "med_type": "11"}, "CARE_OF_OTHER_KIND"),
        ({"fixmedins_code": "H00000000000"}, "INSTITUTION_NOT_FOUND"), ({"end_at": "2021-10-30T09:00:00+08:00"},
                                                                        "CARE_NOT_ENDED"),
        ({"lines": [{**lines[0], "amount_fen": 499_000}]}, "LINE_DOES_NOT_MULTIPLY"),
        ({"lines": [{**lines[0], "occurred_on": "2021-09-20"}]}, "LINE_OUTSIDE_CARE"),
        ({"care_admdvs": "370300"}, "NOT_REMOTE"),
    ):
        found = office.refused(patient, [{**outside_stay("2021-09-01", "2021-09-05", lines), **change}])
        assert code in {f["code"] for f in found["faults"]}, (change, found)
    unknown = office.open(patient, [outside_stay("2021-09-01", "2021-09-05", [{**lines[0], "item_code": "NO-SUCH-CODE"}])])
    office.accept(unknown)
    assert office.review.refused(f"/claims/{unknown['claim_id']}/calculate")["code"] == "ITEM_NOT_IN_CATALOGUE"


def test_costs_older_than_the_law_allows_are_not_claimed(city: Any, office: ClaimsOffice) -> None:
    # Zibo: until the end of the year after the costs; care of 2021 may be claimed to the last day of 2022.
    patient = city.patient("zb-retired-met")
    lines = [line(item_of(city), 1000, quantity=10, on="2021-03-05")]
    bill = outside_stay("2021-03-01", "2021-03-05", lines)
    assert office.open(patient, [bill])["claim_by"] == "2022-12-31"
