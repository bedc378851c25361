"""An unfiled stay elsewhere that ended while the platform stood still is claimed by hand, and paid through the bank.

The day-by-day story with its amounts stands in docs/windows/03-claimed-by-hand.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.claims_office import ClaimsOffice, line, outside_stay, papers


@pytest.fixture(scope="module")
def city(city_at: Any) -> Iterator[Any]:
    """Open Zibo on the day its notice is out and published as a plan."""
    opened = city_at("2021-09-29 10:00")
    opened.publish("zibo-2021")
    return opened


def free_item(city: Any) -> dict[str, Any]:
    """Return a service of class A: nothing of it is paid first, nothing is above a limit at these prices."""
    return next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")


def test_the_stay_is_claimed_by_hand_after_the_restart(city: Any) -> None:
    city.turn("2021-10-09 09:00")
    patient, office = city.patient("zb-active-first"), ClaimsOffice(city)
    # In hospital in Beijing from 8 to 14 October; the platform stops on the 10th: nobody could file the stay.
    bill = outside_stay("2021-10-08", "2021-10-14", [line(free_item(city), 20_000, quantity=200, on="2021-10-14")])

    # Inside the stop the business stands still.
    city.turn("2021-10-15 10:00")
    stopped = office.refused(patient, [bill])
    assert stopped["code"] == "WINDOW_STOPPED"
    assert "3120000" in str(stopped)

    # 19 October: the counter takes the papers; one is missing and asked for once.
    city.turn("2021-10-19 09:00")
    claim = office.open(patient, [bill], cause="unfiled", materials=papers("inpatient", without="medical_record"))
    assert claim["plan"] == "zibo-2021"
    assert claim["rule"]
    # Zibo: until the end of the year after the costs; the clock began on the day of discharge and stood for the rest of
    # the stop, the 14th to the 18th: five days more.
    assert claim["claim_by"] == "2023-01-05"
    missing = office.intake.refused(f"/applications/{claim['application_id']}/accept", {})
    assert [f["code"] for f in missing["faults"]] == ["MATERIAL_MISSING"]
    office.intake.do(f"/applications/{claim['application_id']}/papers",
                     {"materials": [p for p in papers("inpatient") if p["material"] == "medical_record"]})
    accepted = office.accept(claim)
    # Thirty working days after 19 October 2021, weekends only: 30 November.
    assert (accepted["limit_days"], accepted["due_on"]) == (30, "2021-11-30")

    calculated = office.calculate(claim)
    # 20 000.00, not filed: 20 % first (ZB-A10) = 4 000.00, 16 000.00 in scope.
    # First stay, third level: 700.00 borne; bands of the old rule on the cost with the deductible in them:
    # (10 000 − 700) × 74 % = 6 882.00, (16 000 − 10 000) × 80 % = 4 800.00; together 11 682.00.
    assert (calculated["fund_fen"], calculated["cash_fen"]) == (1_168_200, 831_800)
    detail = office.show(claim)["detail"]["bills"][0]
    assert (detail["scope_fen"], detail["first_fen"], detail["deductible_fen"]) == (1_600_000, 400_000, 70_000)
    assert detail["admission"] == 1

    office.decide(claim)
    paid = office.show(claim)
    assert (paid["claim"]["state"], paid["application_state"]) == ("settled", "paying")
    office.bank_answers(office.send_to_bank())
    assert office.show(claim)["application_state"] == "closed"
    # The fund gave it, the person's bank has it: nothing is left owed.
    owed = city.fetch("select coalesce(sum(l.amount), 0)::bigint as fen from ledger.posting p, unnest(p.accounts, p.amounts) "
                      "l(account, amount) where l.account = 'payout:370300'")
    assert owed[0]["fen"] == 0
    assert city.breaches() == {}


def test_the_same_stay_filed_before_costs_nothing_first(city: Any) -> None:
    city.turn("2021-10-20 09:00")
    office = ClaimsOffice(city)
    patient = city.patient("zb-retired-first")
    bill = outside_stay("2021-10-08", "2021-10-14", [line(free_item(city), 20_000, quantity=200, on="2021-10-14")],
                        remote="referred")
    # Filed, says who claims: then something must show it.
    unproven = office.open(patient, [bill], cause="network")
    office.accept(unproven)
    assert office.review.refused(f"/claims/{unproven['claim_id']}/calculate")["code"] == "REMOTE_NOT_FILED"
    office.intake.do(f"/applications/{unproven['application_id']}/withdraw", {"says": "补填备案编号"})
    claim = office.settle(patient, [{**bill, "filing_ref": "ZB2021-0917"}], cause="network")
    detail = claim["detail"]["bills"][0]
    # Nothing first. Retired: half of what an active person bears; (10 000 − 700) × 87 % = 8 091.00, 10 000 × 90 % = 9 000.00.
    assert (detail["first_fen"], detail["fund_fen"]) == (0, 1_709_100)
    assert city.breaches() == {}


def test_a_stay_at_a_hospital_here_is_backfilled_there_and_claimed_only_after_the_last_day(city: Any) -> None:
    patient, office = city.patient("zb-active-over-deductible"), ClaimsOffice(city)
    bill = {
        **outside_stay("2021-10-11", "2021-10-13", [line(free_item(city), 3000, quantity=30, on="2021-10-13")]),
        "fixmedins_code": city.institution()["fixmedins_code"], "visit_no": "ZY20211011", "remote": "",
    }
    city.turn("2021-12-20 09:00")
    refused = office.refused(patient, [bill])
    assert refused["code"] == "BACKFILL_FIRST"
    assert "2021-12-31" in refused["faults"][0]["remedy"]
    city.turn("2022-01-05 09:00")
    assert office.open(patient, [bill], cause="late")["state"] == "entered"
    assert city.breaches() == {}
