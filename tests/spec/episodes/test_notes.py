"""Cases noted in the Zibo window: what the plan says of each position, its number, its cash; and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.window_city import City, at
from tests.support.window_desk import WindowDesk, note_of


@pytest.fixture(scope="module")
def city(city_at: Any) -> Iterator[City]:
    """Open a city before the window, with the plan published."""
    opened: City = city_at("2021-10-05 08:00")
    opened.publish("zibo-2021")
    yield opened
    assert opened.breaches() == {}


@pytest.fixture(scope="module")
def code(city: City) -> str:
    """Return the hospital that notes."""
    return str(city.institution()["fixmedins_code"])


@pytest.fixture(scope="module")
def desk(city: City, code: str) -> WindowDesk:
    """Return the hospital's desk."""
    return WindowDesk(city.hall(code))


def test_a_visit_inside_is_paid_in_full_and_has_a_number_a_last_day_and_a_message(
    city: City, desk: WindowDesk, code: str
) -> None:
    city.turn("2021-10-11 10:00")
    patient = city.patient("zb-active-first")
    noted = desk.note(
        patient, kind="outpatient", visit_no="MZ1", begin=at("2021-10-11 09:30"), end_at=at("2021-10-11 09:30"),
        total_fen=12345, cash=[{"kind": "payment", "amount_fen": 12345, "receipt_no": "SJ1"}], phone="13900000001",
    )
    e = noted["episode"]
    # Began and ended inside: P5; the notice has such bills paid and backfilled, ZB-R11, until the end of the year.
    assert (e["position"], e["disposition"], e["rule_id"]) == ("P5", "pay_full_backfill", "ZB-R11")
    assert (e["state"], e["paid_fen"], e["settle_by"], noted["is_new"]) == ("held", 12345, "2021-12-31", True)
    assert e["register_no"].startswith("R370300-paid_in_full-")
    row = city.fetch("select * from registers.entry where register_no = $1", e["register_no"])[0]
    assert (row["phone"], row["paid_fen"], row["state"], row["psn_no"]) == ("13900000001", 12345, "received", e["psn_no"])
    told = city.fetch("select text from notices.message where about = $1", e["episode_id"])
    assert len(told) == 1
    assert e["register_no"] in told[0]["text"]
    # The same note again is the same row, and the same cash.
    again = desk.note(patient, kind="outpatient", visit_no="MZ1", begin=at("2021-10-11 09:30"),
                      end_at=at("2021-10-11 09:30"), total_fen=12345)
    assert not again["is_new"]
    assert again["episode"]["episode_id"] == e["episode_id"]
    assert desk.show(e)["cash"] == [{**desk.show(e)["cash"][0], "kind": "payment", "amount_fen": 12345, "receipt_no": "SJ1"}]
    # A case of its own hospital only: another one does not see it.
    other = city.institution(index=1)["fixmedins_code"]
    assert city.hall(other).send("GET", f"/windows/episodes/{e['psn_no']}/{e['episode_id']}").status_code == 404
    assert city.hall(other).read("/windows/episodes")["rows"] == []


def test_a_stay_that_goes_on_is_held_open_and_its_rule_follows_its_end(city: City, desk: WindowDesk) -> None:
    patient = city.patient("zb-retired-first")
    # Began before the stop, still there: P2, held open (ZB-R13).
    e = desk.note(patient, kind="stay", visit_no="ZY2", begin=at("2021-10-06 09:00"))["episode"]
    assert (e["position"], e["disposition"]) == ("P2", "hold_open")
    city.turn("2021-10-12 15:00")
    # Leaves inside the stop: P3, pays in full (ZB-R12).
    e = desk.do(e, "change", end_at=at("2021-10-12 14:00").isoformat(), total_fen=800000)
    assert (e["position"], e["disposition"], e["rule_id"]) == ("P3", "pay_full_backfill", "ZB-R12")
    e = desk.do(e, "cash", kind="payment", amount_fen=800000, receipt_no="SJ2")
    assert e["money_text"] == "已交8000.00元"
    above = desk.refuse(e, "cash", kind="payment", amount_fen=1, receipt_no="SJ3")
    assert above["code"] == "CASH_ABOVE_BILL"


def test_a_deposit_goes_back_once(city: City, desk: WindowDesk) -> None:
    patient = city.patient("zb-active-first")
    e = desk.note(patient, kind="outpatient", visit_no="MZ9", begin=at("2021-10-12 08:00"), end_at=at("2021-10-12 08:00"),
                  cash=[{"kind": "deposit", "amount_fen": 5000, "receipt_no": "SJ9"}])["episode"]
    assert desk.refuse(e, "withdraw", says="登记错误")["code"] == "CASH_NOT_RETURNED"
    e = desk.do(e, "return", says="未发生费用")
    assert (e["state"], e["back_fen"], e["money_text"]) == ("returned", 5000, "已退还50.00元")
    assert desk.refuse(e, "return", says="再退一次")["code"] == "DEPOSIT_RETURNED"
    row = city.fetch("select state, paid_fen, back_fen, due_fen from registers.entry where register_no = $1",
                     e["register_no"])[0]
    assert dict(row) == {"state": "done", "paid_fen": 5000, "back_fen": 5000, "due_fen": 0}
    assert sum(c["amount_fen"] for c in desk.show(e)["cash"]) == 0


def test_returned_by_five_hands_at_once_it_goes_back_once(city: City, desk: WindowDesk, code: str) -> None:
    patient = city.patient("zb-active-first")
    e = desk.note(patient, kind="outpatient", visit_no="MZ10", begin=at("2021-10-12 09:00"), end_at=at("2021-10-12 09:00"),
                  cash=[{"kind": "payment", "amount_fen": 700, "receipt_no": "SJ10"}])["episode"]
    path = f"/windows/episodes/{e['psn_no']}/{e['episode_id']}/return"
    halls = [city.hall(code) for _ in range(5)]
    with ThreadPoolExecutor(5) as threads:
        codes = [f.result().status_code for f in [
            threads.submit(hall.send, "POST", path, body={"says": "退费"}, key=hall.new_key()) for hall in halls]]
    assert sorted(codes) == [200, 422, 422, 422, 422]
    assert [c["amount_fen"] for c in desk.show(e)["cash"]] == [700, -700]


def test_what_is_refused_names_every_fault(city: City, desk: WindowDesk, code: str) -> None:
    patient, other = city.patient("zb-active-first"), city.patient("zb-retired-first")
    outside = desk.refused(patient, kind="outpatient", visit_no="MZ20", begin=at("2021-10-08 08:00"),
                           end_at=at("2021-10-08 08:00"))
    assert outside["code"] == "EPISODE_OUTSIDE_WINDOW"
    faults = {f["code"] for f in desk.refused(
        patient, kind="outpatient", visit_no=" ", begin=at("2021-10-30 08:00"), total_fen=-1, account_fen=100,
        cash=[{"kind": "gift", "amount_fen": 0}])["faults"]}
    assert faults >= {"VISIT_NUMBER_MISSING", "EPISODE_IN_FUTURE", "EPISODE_END_MISSING", "AMOUNT_NEGATIVE", "CASH_KIND",
                      "AMOUNT_NOT_POSITIVE", "ACCOUNT_BLIND"}
    # A number stands for one case, a receipt for one payment.
    taken = desk.refused(other, kind="outpatient", visit_no="MZ1", begin=at("2021-10-12 08:00"),
                         end_at=at("2021-10-12 08:00"), cash=[{"kind": "payment", "amount_fen": 1, "receipt_no": "SJ1"}])
    assert {f["code"] for f in taken["faults"]} == {"EPISODE_NUMBER_TAKEN", "RECEIPT_TAKEN"}
    # Somebody lies in one bed at a time: the second hospital's note meets the first one's.
    elsewhere = WindowDesk(city.hall(str(city.institution(index=1)["fixmedins_code"])))
    lies = elsewhere.refused(other, kind="stay", visit_no="ZY30", begin=at("2021-10-11 08:00"))
    assert lies["code"] == "STAY_OVERLAPS"
    # Nobody notes for another institution, and what no plan lets an institution keep is not kept.
    assert elsewhere.refused(other, kind="outpatient", visit_no="MZ31", begin=at("2021-10-12 08:00"),
                             end_at=at("2021-10-12 08:00"), fixmedins_code=code)["code"] == "EPISODE_ELSEWHERE"
    kept = desk.refused(patient, kind="outpatient", visit_no="MZ32", begin=at("2021-10-12 08:00"),
                        end_at=at("2021-10-12 08:00"), cert_type="02", cert_no=patient["certno"])
    assert kept["code"] == "CREDENTIAL_NOT_KEPT"
    assert patient["certno"] not in str(kept)


def test_notes_without_a_connection_are_off_unless_the_plan_says_otherwise(city: City, desk: WindowDesk) -> None:
    patient = city.patient("zb-active-first")
    note = note_of(patient, kind="outpatient", visit_no="MZ40", begin=at("2021-10-12 08:00"), end_at=at("2021-10-12 08:00"))
    assert desk.hall.refused("/windows/notes", {"notes": [note]})["code"] == "OFFLINE_NOTES_OFF"


def test_over_its_last_day_a_case_lapses_and_the_claim_by_hand_is_named(city: City, desk: WindowDesk) -> None:
    open_ones = list(desk.hall.read("/windows/episodes", state="held")["rows"])
    city.turn("2022-01-01 08:00")
    lapsed = city.hall("review").do("/regions/370300/windows/lapse")["rows"]
    assert {e["episode_id"] for e in lapsed} == {e["episode_id"] for e in open_ones}
    assert len(lapsed) >= 2
    assert {e["state"] for e in lapsed} == {"lapsed"}
    assert city.hall("review").do("/regions/370300/windows/lapse")["rows"] == []
    refused = desk.refuse(lapsed[0], "cash", kind="payment", amount_fen=1, receipt_no="SJ99")
    assert refused["code"] == "EPISODE_ENDED"
    assert "手工报销" in refused["faults"][0]["remedy"]
    told = city.fetch("select text from notices.message where about = $1 and kind = 'episode_lapsed'",
                      lapsed[0]["episode_id"])
    assert len(told) == 1
    assert "手工报销" in told[0]["text"]
