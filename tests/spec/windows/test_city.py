"""The city of the window tests: another time, the same platform."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.support.window_city import at

CHARGE = {"pric": 100.0, "cnt": 30, "det_item_fee_sumamt": 3000.0}


def test_a_stay_of_2021_is_settled_under_the_law_of_2021(city_at: Any) -> None:
    city = city_at("2021-09-20 08:00")
    patient, ward = city.patient("zb-active-first"), city.ward()
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    charges = [{**CHARGE, "med_list_codg": item["med_list_codg"], "medins_list_codg": item["medins_list_codg"]}]
    _, answer = ward.whole_stay(patient, at("2021-09-14 09:00"), charges, days=5)
    paid = answer["setlinfo"]
    assert Decimal(str(paid["medfee_sumamt"])) == 3000
    assert paid["setl_time"].startswith("2021-09-20 08:00")
    assert 0 < paid["fund_pay_sumamt"] < 3000
    assert city.breaches() == {}
