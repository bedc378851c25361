"""Zibo some days after a window that lay on 10 to 18 October of a year with outpatient pooling."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.support.late_care import LateCare
from tests.support.window_city import City
from tests.support.window_lives import PEOPLE

PLAN, PLAN_YEAR = "zibo-2021", 2025


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """Open the city before the window and turn it to four days after the restart."""
    city: City = city_at("2025-10-01 08:00")
    city.publish(PLAN, year=PLAN_YEAR)
    city.turn("2025-10-22 08:00")
    return city


@pytest.fixture(scope="module")
def hospital(city: City) -> LateCare:
    """Return a hospital of level 2."""
    return LateCare(city, city.ward("370300", 0))


@pytest.fixture(scope="module")
def other(city: City) -> LateCare:
    """Return another hospital, of level 3."""
    return LateCare(city, city.ward("370300", 1))


@pytest.fixture(scope="module")
def item(city: City) -> dict[str, Any]:
    """Return a service that is wholly in scope."""
    return dict(next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201"))


@pytest.fixture(scope="module")
def somebody(city: City) -> Callable[[], dict[str, Any]]:
    """Return a function that gives an employee of whom nothing has been settled, another one each time, the retired last."""
    visit = city.patient("zb-active-first")["visit"]
    found = [{**p, "visit": visit} for p in city.fetch(PEOPLE) if p["insutype"] == "310"]
    people = iter(sorted(found, key=lambda p: not p["psn_type"].startswith("11")))
    return lambda: next(people)


@pytest.fixture(scope="module")
def number() -> Callable[[], str]:
    """Return a function that gives a new number of an institution's own."""
    numbers = count(1)
    return lambda: f"N{next(numbers):06d}"
