"""A stay from 5 to 12 October 2021 in Zibo, left inside the stop, settled on the 20th: the patient pays what he would have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.till import Refused
from tests.support.window_city import City, at
from tests.support.window_desk import WindowDesk

# By hand, law of 2021 (ZB-401, ZB-408), level 2, first stay of the year, everything in scope: deductible 500.00; costs to
# 10000.00 are paid at 78 %: (5000.00 - 500.00) x 0.78 = 3510.00 by the fund, 1490.00 by the patient.
TOTAL, FUND, OWN = 500000, 351000, 149000
EARLY, LATE = 3000.0, 2000.0


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """Open Zibo on 5 October 2021, the notice published."""
    opened: City = city_at("2021-10-05 08:00")
    opened.publish("zibo-2021")
    return opened


def test_a_stay_from_5_to_12_october_is_settled_on_the_20th(city: City) -> None:
    ward, patient = city.ward(), city.patient("zb-active-first")
    code = ward.counter.fixmedins_code
    assert city.fetch("select level from institutions.institution where fixmedins_code = $1", code)[0]["level"] == "2"
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")

    def charge(amount: float) -> list[dict[str, Any]]:
        return [{"med_list_codg": item["med_list_codg"], "medins_list_codg": item["medins_list_codg"], "pric": amount / 10,
                 "cnt": 10, "det_item_fee_sumamt": amount}]

    # 5 October: admitted as always. 8 October: the first costs are uploaded.
    city.turn("2021-10-05 10:00")
    stay = ward.admit(patient, at("2021-10-05 09:00"))
    city.turn("2021-10-08 16:00")
    ward.charge(stay, at("2021-10-08 15:00"), charge(EARLY))

    # 10 October 00:00: nothing of the stay can be sent any more, and the reply says until when and what to do.
    city.turn("2021-10-10 00:00")
    with pytest.raises(Refused, match="10月18日（星期一）24:00"):
        ward.charge(stay, at("2021-10-09 15:00"), charge(LATE))

    # 12 October 14:00: he goes home. The notice has whoever leaves inside the stop pay and keep the papers: P3, ZB-R12.
    city.turn("2021-10-12 14:10")
    desk = WindowDesk(city.hall(code))
    noted = desk.note(
        patient, kind="stay", visit_no=stay.ipt_no, begin=at("2021-10-05 09:00"), end_at=at("2021-10-12 14:00"),
        total_fen=TOTAL, cash=[{"kind": "payment", "amount_fen": TOTAL, "receipt_no": "SJ-1012"}], phone="13900000001",
    )
    case = noted["episode"]
    assert (case["position"], case["disposition"], case["mdtrt_id"]) == ("P3", "pay_full_backfill", stay.mdtrt_id)
    assert "补录结算" in noted["says"]
    assert case["register_no"].startswith("R370300-paid_in_full-")

    # 18 October 23:59: still closed. 20 October: costs, discharge and settlement with their own days.
    city.turn("2021-10-18 23:59")
    with pytest.raises(Refused, match="暂停"):
        ward.charge(stay, at("2021-10-11 15:00"), charge(LATE))
    city.turn("2021-10-20 09:00")
    ward.charge(stay, at("2021-10-11 15:00"), charge(LATE))
    ward.discharge(stay, at("2021-10-12 14:00"))
    tried = ward.try_stay(stay, EARLY + LATE, acct_used_flag="0")["setlinfo"]
    paid = ward.settle_stay(stay, EARLY + LATE, acct_used_flag="0")["setlinfo"]
    assert (paid["fund_pay_sumamt"], paid["psn_cash_pay"]) == (FUND / 100, OWN / 100)
    assert tried["psn_cash_pay"] == paid["psn_cash_pay"]

    # In the same act the hospital gives back what the insurance pays: 5000.00 - 1490.00 = 3510.00.
    shown = desk.show(case)
    settled = shown["episode"]
    assert (settled["state"], settled["due_fen"], settled["back_fen"], settled["topup_fen"]) == ("settled", OWN, FUND, 0)
    assert settled["setl_id"] == paid["setl_id"]
    assert [(c["kind"], c["amount_fen"]) for c in shown["cash"]] == [("payment", TOTAL), ("refund", -FUND)]
    row = city.fetch("select state, paid_fen, due_fen, back_fen, topup_fen from registers.entry where register_no = $1",
                     case["register_no"])[0]
    assert dict(row) == {"state": "done", "paid_fen": TOTAL, "due_fen": OWN, "back_fen": FUND, "topup_fen": 0}
    kept = city.fetch("select year, service_on::text, settled_at from settlements.settlement where setl_id = $1",
                      paid["setl_id"])[0]
    assert (kept["year"], kept["service_on"]) == (2021, "2021-10-12")
    assert kept["settled_at"] > at("2021-10-20 09:00")

    # Once is enough: neither another settlement nor another refund.
    with pytest.raises(Refused, match="已结算"):
        ward.settle_stay(stay, EARLY + LATE, acct_used_flag="0")
    assert desk.refuse(case, "return", says="再退")["code"] == "EPISODE_ENDED"
    report = desk.hall.read(f"/windows/cash/{code}", begin="2021-10-10T00:00:00+08:00", end="2021-11-01T00:00:00+08:00")
    assert report["total_fen"] == OWN
    assert city.breaches() == {}
