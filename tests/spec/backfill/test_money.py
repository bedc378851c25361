"""A bill that a window held up is settled afterwards: by the law and year of its day, its cash in the same act."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.late_care import LateCare, episode_of, fen, line
from tests.support.window_city import City

PLAN_YEAR = 2025


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """Zibo four days after a window that lay on 10 to 18 October of a year with outpatient pooling."""
    city: City = city_at("2025-10-01 08:00")
    city.publish("zibo-2021", year=PLAN_YEAR)
    city.turn("2025-10-22 08:00")
    return city


@pytest.fixture(scope="module")
def hospital(city: City) -> LateCare:
    return LateCare(city, city.ward("370300", 0))


@pytest.fixture(scope="module")
def item(city: City) -> dict[str, Any]:
    return dict(next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201"))


def test_cash_goes_back_in_the_act_that_settles(city: City, hospital: LateCare, item: dict[str, Any]) -> None:
    patient = city.patient("zb-active-first")
    noted = hospital.note(patient, "outpatient", "MZ-100", "2025-10-12 09:00", "2025-10-12 09:00", paid_fen=300000,
                          disposition="pay_full_backfill", position="P5")
    settled = hospital.visit(patient, "2025-10-12 09:00", [line(item, 3000)], visit_no="MZ-100")
    episode = episode_of(city, noted)
    assert episode["state"] == "settled"
    assert episode["setl_id"] == settled["setl_id"]
    assert episode["due_fen"] == fen(settled["psn_cash_pay"])
    assert episode["back_fen"] == 300000 - episode["due_fen"] > 0
    assert "应退还患者" in hospital.warned
    assert city.breaches() == {}
