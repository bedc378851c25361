"""A stay and a chronic visit, settled, whose lists are to be filed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.support.lists import Content, plant_stay, stay_list
from tests.support.till import Till

PatientOf = Callable[[str], dict[str, Any]]
CHRONIC, ORDINARY = "zb-chronic-hypertension", "zb-active-first"


class Stayed:
    """A settled stay and the faultless list of it."""

    def __init__(self, settled: Any, came: datetime, left: datetime, content: Content) -> None:
        self.settled, self.came, self.left, self.content = settled, came, left, content
        self.psn_no = str(settled["setlinfo"]["psn_no"])
        self.setl_id = str(settled["setlinfo"]["setl_id"])
        self.mdtrt_id = str(settled["setlinfo"]["mdtrt_id"])


@pytest.fixture
def stayed(till: Till, patient_of: PatientOf, world_url: str) -> Stayed:
    """Return a stay of five days, settled and discharged today."""
    patient = patient_of(ORDINARY)
    settled = till.settle(patient, patient["visit"])
    came, left = plant_stay(world_url, settled)
    return Stayed(settled, came, left, stay_list(settled, till, came, left))
