"""Every kind of care by hand: visits, sales, births; what the law pays for each, and never from an account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.claims_office import ClaimsOffice, line, outside_stay


@pytest.fixture(scope="module")
def city(city_at: Any) -> Iterator[Any]:
    """Open Zibo in the autumn of 2021; no window is announced."""
    return city_at("2021-09-29 10:00")


@pytest.fixture(scope="module")
def office(city: Any) -> ClaimsOffice:
    """Return the office that reimburses."""
    return ClaimsOffice(city)


def item_of(city: Any, list_type: str = "201") -> dict[str, Any]:
    """Return something of class A."""
    return next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == list_type)


def visit(city: Any, day: str, yuan: int, **more: Any) -> dict[str, Any]:
    """Return a receipt of an outpatient visit at a hospital elsewhere."""
    lines = [line(item_of(city), yuan, quantity=10, on=day)]
    stay = outside_stay(day, day, lines, **more)
    return {name: value for name, value in stay.items() if name != "end_at"} | {"care": "visit", "med_type": "11"}


def test_a_resident_s_visit_at_home_without_a_card(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-resident-first")
    institution = city.institution()
    bill = visit(city, "2021-09-10", 300) | {
        "fixmedins_code": institution["fixmedins_code"], "visit_no": "MZ-1", "remote": "", "disease_code": ""}
    paid = office.settle(patient, [bill], kind="outpatient", cause="credential")
    settled = paid["claim"]
    detail = paid["detail"]["bills"][0]
    assert (settled["fund_fen"], settled["cash_fen"]) == (12_500, 17_500)
    # ZB-501: 50.00 first in the year, then half: (300 − 50) × 50 % = 125.00.
    assert (detail["scope_fen"], detail["deductible_fen"], detail["fund_fen"]) == (30_000, 5_000, 12_500)
    row = city.fetch("select account_fen, fixmedins_code, care_admdvs from settlements.settlement where setl_id = $1",
                     paid["bills"][0]["setl_id"])[0]
    assert (row["account_fen"], row["fixmedins_code"]) == (0, "JB3703000000")
    assert city.breaches() == {}


def test_a_birth_is_never_paid_less_than_the_floor(city: Any, office: ClaimsOffice) -> None:
    # A resident gives birth elsewhere for 2 500.00. Referred: 30 % first (ZB-A11), but below 3 000.00 the whole is paid
    # (ZB-514).
    patient = next(p for key in ("patients", "more_stories", "played") for p in city.world[key]
                   if p["insutype"] == "390" and p["story"].startswith("zb-") and woman(city, p))
    lines = [line(item_of(city), 2500, quantity=25, on="2021-09-05")]
    bill = outside_stay("2021-09-01", "2021-09-05", lines, remote="referred", filing_ref="ZZ-1") | {
        "med_type": "52", "maternity": "birth", "pregnancy_months": 9}
    paid = office.settle(patient, [bill], kind="maternity", cause="unfiled")
    assert paid["detail"]["bills"][0]["benefit"] == "delivery"
    assert (paid["claim"]["fund_fen"], paid["claim"]["cash_fen"]) == (250_000, 0)
    assert city.breaches() == {}


def woman(city: Any, patient: dict[str, Any]) -> bool:
    """Say whether somebody is a grown woman."""
    rows = city.fetch("select sex, birth_on from people.person where psn_no = $1", patient["psn_no"])
    return rows[0]["sex"] == "2" and 1975 <= rows[0]["birth_on"].year <= 2000


def test_several_visits_and_a_stay_in_one_claim_are_refused_where_the_item_is_another(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-resident-met")
    refused = office.refused(patient, [visit(city, "2021-09-10", 300)], kind="inpatient")
    assert {f["code"] for f in refused["faults"]} == {"CARE_OF_OTHER_KIND"}


def test_care_of_a_day_without_catalogue_and_law_is_not_reckoned(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-active-first")
    lines = [line(item_of(city), 1000, quantity=10, on="2019-06-01")]
    claim = office.open(patient, [outside_stay("2019-06-01", "2019-06-01", lines)])
    office.accept(claim)
    refused = office.review.refused(f"/claims/{claim['claim_id']}/calculate")
    assert refused["code"] == "ITEM_NOT_IN_CATALOGUE"
    assert office.show(claim)["claim"]["state"] == "entered"
