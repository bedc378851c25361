"""A settled stay and a chronic visit whose lists are to be filed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.lists import Content, forget_list, stay_list
from tests.support.till import Till, total
from tests.support.ward import Ward
from yibao.demo.description import ENDPOINT
from yibao.kernel.business_time import SHANGHAI

PatientOf = Callable[[str], dict[str, Any]]
CHRONIC, ORDINARY = "zb-chronic-hypertension", "zb-active-first"
DAYS = 5
"""How long the stays of these tests last; they ended yesterday and were settled today."""


class Stayed:
    """A settled stay and the faultless list of it."""

    def __init__(self, settled: Any, came: datetime, left: datetime, content: Content) -> None:
        self.settled, self.came, self.left, self.content = settled, came, left, content
        self.psn_no = str(settled["setlinfo"]["psn_no"])
        self.setl_id = str(settled["setlinfo"]["setl_id"])
        self.mdtrt_id = str(settled["setlinfo"]["mdtrt_id"])


StayOf = Callable[..., Stayed]


@pytest.fixture(scope="module")
def stay_of(world: dict[str, Any], till_for: Callable[..., Till]) -> Iterator[StayOf]:
    """Return a function that drives a whole stay of a story's patient: admitted, charged, discharged, settled."""
    ward = Ward(world["base_url"] + ENDPOINT, till_for().counter)
    patients = {p["story"]: p for p in world["patients"]}
    drugs = [i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] != "03"]

    def drive(story: str = ORDINARY, *, way: str = "1") -> Stayed:
        came = datetime.now(SHANGHAI).replace(hour=8, minute=30, second=0, microsecond=0) - timedelta(days=DAYS + 1)
        left = came + timedelta(days=DAYS)
        charges = [
            {"med_list_codg": d["med_list_codg"], "medins_list_codg": d["medins_list_codg"], "pric": d["price"], "cnt": 10,
             "det_item_fee_sumamt": round(float(d["price"]) * 100) * 10 / 100} for d in drugs[:3]
        ]
        stay = ward.admit(patients[story], came)
        ward.charge(stay, came, charges)
        ward.discharge(stay, left, way=way)
        settled = ward.settle_stay(stay, total(charges))
        return Stayed(settled, came, left, stay_list(settled, ward, came, left))

    yield drive
    ward.close()


@pytest.fixture(scope="module")
def the_stay(stay_of: StayOf) -> Stayed:
    """Return one stay for all tests of a module."""
    return stay_of()


@pytest.fixture
def stayed(the_stay: Stayed, world_url: str) -> Stayed:
    """Return the module's stay; no list of it is filed yet."""
    forget_list(world_url, the_stay.setl_id)
    return the_stay
