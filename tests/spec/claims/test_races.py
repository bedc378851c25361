"""Two ways to be paid meet: whoever comes second is refused, whatever the order; a deed that is sent twice is done once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.claims_office import ClaimsOffice, line, outside_stay
from tests.support.till import Refused
from tests.support.window_city import at

ROUNDS = 4


@pytest.fixture(scope="module")
def city(city_at: Any) -> Iterator[Any]:
    """Open Zibo in the autumn of 2021; no window is announced."""
    return city_at("2021-09-29 10:00")


def together(*works: Callable[[], Any]) -> list[Any]:
    """Do works at the same moment and return what each gave, or the exception it ended with."""
    gate, found = threading.Barrier(len(works)), [None] * len(works)

    def run(n: int) -> None:
        gate.wait()
        try:
            found[n] = works[n]()
        except Exception as error:
            found[n] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_a_hospital_and_the_agency_do_not_pay_the_same_stay(city: Any) -> None:
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    charge = {"pric": 100.0, "cnt": 30, "det_item_fee_sumamt": 3000.0, "med_list_codg": item["med_list_codg"],
              "medins_list_codg": item["medins_list_codg"]}
    stories = [p for p in city.world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"][:4] == "3703"]
    winners = []
    for patient in stories[:ROUNDS]:
        ward, office = city.ward(), ClaimsOffice(city)
        stay = ward.admit(patient, at("2021-09-14 09:00"))
        ward.charge(stay, at("2021-09-14 09:00"), [charge])
        ward.discharge(stay, at("2021-09-19 09:00"))
        bill = {
            **outside_stay("2021-09-14", "2021-09-19", [line(item, 3000, quantity=30, on="2021-09-14")]), "remote": "",
            "fixmedins_code": city.institution()["fixmedins_code"], "visit_no": stay.ipt_no}
        settled, response = together(
            lambda s=stay, w=ward: w.settle_stay(s, 3000.0),
            lambda o=office, p=patient, b=bill: o.intake.send(
                "POST", "/claims", body=o.claim(p, [b], cause="network"), key=o.intake.new_key()))
        hospital_paid, claim_held = not isinstance(settled, Exception), response.status_code == 201
        assert hospital_paid != claim_held, (settled, response.text)
        assert hospital_paid or isinstance(settled, Refused)
        assert claim_held or response.json()["code"] == "BILL_SETTLED"
        winners.append(hospital_paid)
    assert len(winners) == ROUNDS
    assert city.breaches() == {}


def test_two_people_bring_the_same_receipt_at_once(city: Any) -> None:
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    people = [city.patient("zb-retired-first"), city.patient("zb-retired-met")]
    bill = outside_stay("2021-08-01", "2021-08-05", [line(item, 1000, quantity=10, on="2021-08-05")])
    offices = [ClaimsOffice(city), ClaimsOffice(city)]
    answers = together(*(
        lambda o=office, p=person: o.intake.send("POST", "/claims", body=o.claim(p, [bill]), key=o.intake.new_key())
        for office, person in zip(offices, people, strict=True)))
    assert sorted(a.status_code for a in answers) == [201, 422], [a.text for a in answers]
    assert {a.json()["code"] for a in answers if a.status_code != 201} == {"BILL_CLAIMED"}


def test_an_approval_that_is_sent_many_times_pays_once(city: Any) -> None:
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    office, patient = ClaimsOffice(city), city.patient("zb-retired-cap-near")
    claim = office.open(patient, [outside_stay("2021-07-01", "2021-07-05", [line(item, 1000, quantity=10, on="2021-07-05")])])
    office.accept(claim)
    office.calculate(claim)
    office.review.do(f"/applications/{claim['application_id']}/review", {"says": "相符"})
    path, key = f"/applications/{claim['application_id']}/approve", office.approval.new_key()
    halls = [ClaimsOffice(city).approval for _ in range(4)]
    same = together(*(lambda h=hall: h.send("POST", path, body={"says": "同意"}, key=key) for hall in halls))
    # The same key gets the same answer; whoever comes while it is being done may be asked to come again.
    assert 200 in {a.status_code for a in same}
    assert len({a.text for a in same if a.status_code == 200}) == 1
    other = office.approval.refused(path, {"says": "同意"})
    assert other["code"] == "APPLICATION_STATE"
    rows = city.fetch("select count(*) as n from claims.bill where claim_id = $1 and setl_id <> ''", claim["claim_id"])
    assert rows[0]["n"] == 1
    assert city.fetch("select count(*) as n from exchange.payout where origin = $1", claim["claim_id"])[0]["n"] == 1
    assert city.breaches() == {}
