"""Five visits to two hospitals inside the stop, sent in in the wrong order: each ends as if nothing had ever stopped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.late_care import LateCare, fen, line
from tests.support.window_city import City, at
from tests.support.window_desk import WindowDesk

LIUQUAN, QIDU = 0, 1
"""Hospitals of level 2 and 3."""
# By hand, employees' outpatient law of 2025: deductible of the year 500.00 at level 2 and 700.00 at level 3, counted together
# (ZB-201, ZB-202); the fund pays 70 % and 60 % of the rest (ZB-203), 4500.00 a year at most (ZB-205). In the order of service:
#   11th, level 2,  400.00: deductible 400.00                                     fund    0.00  patient  400.00
#   12th, level 3,  600.00: deductible 700.00 - 400.00 = 300.00, 300.00 x 60 %    fund  180.00  patient  420.00
#   14th, level 2, 1000.00: deductible 500.00 is used up, 1000.00 x 70 %          fund  700.00  patient  300.00
#   16th, level 3, 5000.00: 5000.00 x 60 %                                        fund 3000.00  patient 2000.00
#   17th, level 2, 1500.00: x 70 % = 1050.00, left of the year 4500.00 - 3880.00  fund  620.00  patient  880.00
VISITS = {
    "MZ-11": (LIUQUAN, "2025-10-11 09:00", 40000, 0, 40000),
    "MZ-12": (QIDU, "2025-10-12 10:00", 60000, 18000, 42000),
    "MZ-14": (LIUQUAN, "2025-10-14 09:30", 100000, 70000, 30000),
    "MZ-16": (QIDU, "2025-10-16 15:00", 500000, 300000, 200000),
    "MZ-17": (LIUQUAN, "2025-10-17 11:00", 150000, 62000, 88000),
}
"""Number of the visit: hospital, time, bill, and what fund and patient bear in the end, fen."""
ENTERED = ("MZ-17", "MZ-14", "MZ-16", "MZ-11", "MZ-12")
# What the patient bears of each by what had been sent in when it came, with those before it put in order each time:
#   17th first: 1500.00 - 500.00 = 1000.00 x 70 % = 700.00                        patient  800.00
#   14th: the 17th has borne the deductible: 1000.00 x 70 %                       patient  300.00, in order 650.00
#   16th: deductible 700.00 - 500.00 = 200.00; 4800.00 x 60 % = 2880.00           patient 2120.00
#   11th: deductible used up (700.00): 400.00 x 70 % = 280.00, left of the year 4500.00 - 350.00 - 2880.00 - 1050.00 = 220.00
#                                                                                 patient  180.00, in order 400.00
#   12th: nothing is left of the year: 630.00 + 2880.00 + 990.00 = 4500.00         patient  600.00, in order 420.00
TOLD = {"MZ-17": 80000, "MZ-14": 30000, "MZ-16": 212000, "MZ-11": 18000, "MZ-12": 60000}


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """Open Zibo on 5 October with the notice published; its instants are those of 2025."""
    opened: City = city_at("2025-10-05 08:00")
    opened.publish("zibo-2021", year=2025)
    return opened


def test_five_visits_by_two_hospitals_in_the_wrong_order(city: City) -> None:
    patient = city.patient("zb-active-first")
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    hospitals = [LateCare(city, city.ward("370300", n)) for n in (LIUQUAN, QIDU)]
    desks = [WindowDesk(city.hall(h.code)) for h in hospitals]
    cases = {}

    # 11 to 17 October: he pays every bill in full, and the hospital writes it down.
    for number, (where, when, bill, _, _) in VISITS.items():
        city.turn(when)
        noted = desks[where].note(
            patient, kind="outpatient", visit_no=number, begin=at(when), end_at=at(when), total_fen=bill,
            cash=[{"kind": "payment", "amount_fen": bill, "receipt_no": f"SJ-{number}"}],
        )
        cases[number] = noted["episode"]
        assert (noted["episode"]["position"], noted["episode"]["disposition"]) == ("P5", "pay_full_backfill")

    # 20 October on: the hospitals send them in as they find the time, the last one first.
    city.turn("2025-10-20 09:00")
    told = {}
    for number in ENTERED:
        where, when, bill, _, _ = VISITS[number]
        settled = hospitals[where].visit(patient, when, [line(item, bill / 100)], visit_no=number)
        told[number] = fen(settled["psn_cash_pay"])
        assert "补录结算" in hospitals[where].warned
    assert told == TOLD

    # In the end each visit is what it would have been, and so is what every patient gets back over the counter.
    for number, (where, when, bill, fund, own) in VISITS.items():
        case = desks[where].show(cases[number])
        episode = case["episode"]
        assert (episode["due_fen"], episode["back_fen"], episode["topup_fen"]) == (own, bill - own, 0), number
        assert sum(row["amount_fen"] for row in case["cash"]) == own
        row = city.fetch("select * from settlements.settlement where setl_id = $1", episode["setl_id"])[0]
        assert (row["state"], row["fund_fen"], row["cash_fen"], row["year"]) == ("active", fund, own, 2025)
        assert f"{row['service_on']}" == when[:10]

    # What a hospital had said and what holds differ: it has a row for every time that the cash changed.
    rows = city.fetch("select fixmedins_code, body from registers.entry where kind = 'cash_difference' and psn_no = $1",
                      patient["psn_no"])
    changed: dict[str, int] = {}
    for row in rows:
        body = json.loads(row["body"])
        changed[body["service_on"]] = changed.get(body["service_on"], 0) + body["change_fen"]
    for number, (_, when, _, _, own) in VISITS.items():
        assert told[number] + changed.get(when[:10], 0) == own, number
    assert {row["fixmedins_code"] for row in rows} == {h.code for h in hospitals}

    # The hospital may still correct a visit, the last one first, by the settlement that holds now.
    last = desks[LIUQUAN].show(cases["MZ-17"])["episode"]
    key = {"psn_no": patient["psn_no"], "mdtrt_id": last["mdtrt_id"], "setl_id": last["setl_id"]}
    hospitals[LIUQUAN].till.call("2208", {"data": key}, insured_place=patient["insuplc_admdvs"])
    again = desks[LIUQUAN].show(cases["MZ-17"])["episode"]
    assert (again["state"], again["due_fen"], again["back_fen"], again["paid_fen"]) == ("entered", 0, 0, 150000)
    settled = hospitals[LIUQUAN].visit(patient, VISITS["MZ-17"][1], [line(item, 1500)], visit_no="MZ-17x")
    assert fen(settled["psn_cash_pay"]) == 88000
    assert city.breaches() == {}
