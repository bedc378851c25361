"""Claims and windows: the promised rate, the days for claims, papers taken in while the business stands still."""

from __future__ import annotations

from typing import Any

from tests.support.claims_office import ClaimsOffice, line, outside_stay, papers
from tests.support.window_city import plan_text


def test_a_stay_nobody_could_file_is_paid_at_the_rate_of_the_network_where_the_plan_says_so(city_at: Any) -> None:
    city = city_at("2021-09-29 10:00")
    text = plan_text("zibo-2021")
    assert 'terms.rate = "plain"' in text
    city.publish(text.replace('terms.rate = "plain"', 'terms.rate = "networked"'))
    city.turn("2021-10-20 09:00")
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    lines = [line(item, 20_000, quantity=200, on="2021-10-14")]
    office = ClaimsOffice(city)
    inside = office.settle(city.patient("zb-active-first"), [outside_stay("2021-10-08", "2021-10-14", lines)], cause="unfiled")
    # Nothing first: 20 000.00 in scope; (10 000 − 700) × 74 % = 6 882.00 and 10 000 × 80 % = 8 000.00.
    assert (inside["claim"]["fund_fen"], inside["detail"]["bills"][0]["first_fen"]) == (1_488_200, 0)
    # Outside the window the promise does not hold: 20 % first, 11 682.00 as in the third scenario.
    before = [{**lines[0], "occurred_on": "2021-08-14"}]
    outside = office.settle(
        city.patient("zb-active-over-deductible"), [outside_stay("2021-08-08", "2021-08-14", before)], cause="unfiled")
    assert outside["claim"]["fund_fen"] == 1_168_200
    assert city.breaches() == {}


def test_a_plan_may_name_the_days_for_claims(city_at: Any) -> None:
    city = city_at("2021-09-29 10:00")
    text = plan_text("zibo-2021").replace(
        'terms.rate = "plain"', 'terms.rate = "plain"\nterms.from = "2021-12-01"\nterms.to = "2021-12-14"')
    city.publish(text)
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    bill = outside_stay("2021-10-08", "2021-10-14", [line(item, 20_000, quantity=200, on="2021-10-14")])
    office, patient = ClaimsOffice(city), city.patient("zb-active-first")
    for day, code in (("2021-11-30", "CLAIM_OUT_OF_SEASON"), ("2021-12-01", ""), ("2021-12-15", "CLAIM_OUT_OF_SEASON")):
        city.turn(f"{day} 09:00")
        if code:
            refused = office.refused(patient, [bill], cause="unfiled")
            assert refused["code"] == code
            assert "2021-12-01至2021-12-14" in refused["faults"][0]["reason"]
        else:
            claim = office.open(patient, [bill], cause="unfiled")
            office.intake.do(f"/applications/{claim['application_id']}/withdraw", {"says": "下次再来"})


def test_a_plan_may_take_claims_in_while_their_business_stands_still(city_at: Any) -> None:
    city = city_at("2021-09-29 10:00")
    city.publish(plan_text("zibo-2021") + """
[[rule]]
id = "ZB-X1"
disposition = "accept_register"
when.business = ["manual_claim"]
when.channel = ["window"]
phase = ["frozen"]
says = "停机期间收件登记，恢复后集中办理"
mark = "assumed"
terms.register = "counter_intake"
terms.assumed_why = "演练用"

[[register]]
kind = "counter_intake"
title = "窗口收件登记册"
keeper = "agency"
""")
    city.turn("2021-10-15 09:00")
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    bill = outside_stay("2021-10-08", "2021-10-14", [line(item, 20_000, quantity=200, on="2021-10-14")])
    office, patient = ClaimsOffice(city), city.patient("zb-active-first")
    incomplete = office.refused(patient, [bill], cause="unfiled", materials=papers("inpatient", without="bill"))
    assert incomplete["code"] == "MATERIAL_MISSING"
    claim = office.open(patient, [bill], cause="unfiled", phone="13900000001")
    row = city.fetch("select register_no, state from services.application where application_id = $1", claim["application_id"])[0]
    assert row["state"] == "registered"
    assert row["register_no"].startswith("R370300-counter_intake-")
    # The receipt is held from now on; the work waits for the restart.
    assert office.refused(patient, [bill], cause="unfiled")["code"] == "BILL_CLAIMED"
    assert office.review.refused(f"/claims/{claim['claim_id']}/calculate")["code"] == "WINDOW_STOPPED"
    city.turn("2021-10-19 09:00")
    office.accept(claim)
    office.calculate(claim)
    office.decide(claim)
    assert office.show(claim)["claim"]["fund_fen"] == 1_168_200
    office.bank_answers(office.send_to_bank())
    entry = city.fetch("select state from registers.entry where register_no = $1", row["register_no"])[0]
    assert entry["state"] == "done"
    assert city.breaches() == {}
