"""Wards at the demo world's hospitals, charges of its catalogue, and patients for stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.till import Till
from tests.support.ward import Ward
from yibao.demo.description import ENDPOINT
from yibao.kernel.business_time import SHANGHAI

Charge = dict[str, Any]
Charges = Callable[..., list[Charge]]


@pytest.fixture(scope="module")
def ward_for(world: dict[str, Any], till_for: Callable[..., Till]) -> Callable[..., Ward]:
    """Return a function that opens a ward: the n-th hospital of a scheme in a region."""

    def open_ward(region: str = "370300", scheme: str = "none", index: int = 0) -> Ward:
        return Ward(world["base_url"] + ENDPOINT, till_for(region, scheme, index).counter)

    return open_ward


@pytest.fixture
def ward(ward_for: Callable[..., Ward]) -> Iterator[Ward]:
    """Return a ward at the first unsigned hospital of the first region."""
    opened = ward_for()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def charges_of(world: dict[str, Any]) -> Charges:
    """Return a function that makes charges of drugs of the world's catalogue: so many lines, so many of each."""
    drugs = [i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] != "03"]

    def make(count: int = 3, *, each: int = 10, first: int = 0) -> list[Charge]:
        return [
            {"med_list_codg": d["med_list_codg"], "medins_list_codg": d["medins_list_codg"], "pric": d["price"],
             "cnt": each, "det_item_fee_sumamt": round(float(d["price"]) * 100) * each / 100}
            for d in (drugs[(first + n) % len(drugs)] for n in range(count))
        ]

    return make


@pytest.fixture
def patient(world: dict[str, Any]) -> Mapping[str, Any]:
    """Return an insured employee of the first region."""
    return next(p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"][:4] == "3703")


def days_ago(days: int, hour: int = 9) -> datetime:
    """Return a time of business some days ago."""
    now = datetime.now(SHANGHAI).replace(hour=hour, minute=0, second=0, microsecond=0)
    return now - timedelta(days=days)


@pytest.fixture(scope="module")
def slot() -> Callable[[], int]:
    """Return a function that gives days ago for one more stay of at most three days, which no other stay of the module
    overlaps."""
    taken = iter(range(320, 8, -4))
    return lambda: next(taken)
