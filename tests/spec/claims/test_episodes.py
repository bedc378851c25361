"""A case that a hospital noted in a window and did not backfill in time is claimed by hand, and by one way only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.claims_office import ClaimsOffice, line, outside_stay
from tests.support.till import Refused
from tests.support.window_city import at
from tests.support.window_desk import WindowDesk


def test_a_noted_stay_is_backfilled_until_its_last_day_and_claimed_after_it(city_at: Any) -> None:
    city = city_at("2021-09-29 10:00")
    city.publish("zibo-2021")
    code = str(city.institution()["fixmedins_code"])
    desk, office, patient = WindowDesk(city.hall(code)), ClaimsOffice(city), city.patient("zb-active-first")
    city.turn("2021-10-13 15:00")
    noted = desk.note(
        patient, kind="stay", visit_no="ZY77", begin=at("2021-10-11 09:00"), end_at=at("2021-10-13 14:00"),
        total_fen=300_000, cash=[{"kind": "payment", "amount_fen": 300_000, "receipt_no": "SJ77"}])["episode"]
    assert noted["settle_by"] == "2021-12-31"
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    bill = {
        **outside_stay("2021-10-11", "2021-10-13", [line(item, 3000, quantity=30, on="2021-10-11")]), "remote": "",
        "bill_no": "SJ77", "fixmedins_code": code, "visit_no": "ZY77"}

    city.turn("2021-11-02 09:00")
    early = office.refused(patient, [bill], cause="late")
    assert [f["code"] for f in early["faults"]] == ["BACKFILL_FIRST"]
    assert "2021-12-31" in early["faults"][0]["remedy"]

    # Nobody came; after the last day the case is a claim's.
    city.turn("2022-01-05 09:00")
    office.review.do("/regions/370300/windows/lapse")
    assert desk.show(noted)["episode"]["state"] == "lapsed"
    claim = office.open(patient, [bill], cause="late")
    assert desk.show(noted)["episode"]["state"] == "claimed"
    office.intake.do(f"/applications/{claim['application_id']}/withdraw", {"says": "改日再办"})
    assert desk.show(noted)["episode"]["state"] == "lapsed"
    paid = office.settle(patient, [bill], cause="late")
    # The law of 2021 and of the hospital's second level: (3 000 − 500) × 78 % = 1 950.00.
    assert paid["claim"]["fund_fen"] == 195_000
    assert desk.show(noted)["episode"]["claim_id"] == paid["claim"]["claim_id"]

    # The hospital that wakes up late cannot settle it again.
    ward = city.ward()
    stay = ward.admit(patient, at("2021-10-11 09:00"), ipt_no="ZY77")
    ward.charge(stay, at("2021-10-11 09:00"), [{
        "pric": 100.0, "cnt": 30, "det_item_fee_sumamt": 3000.0, "med_list_codg": item["med_list_codg"],
        "medins_list_codg": item["medins_list_codg"]}])
    ward.discharge(stay, at("2021-10-13 14:00"))
    with pytest.raises(Refused, match="手工报销"):
        ward.settle_stay(stay, 3000.0)
    assert city.breaches() == {}
