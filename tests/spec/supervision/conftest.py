"""A patient whose bill breaks rules, and the agency's clerks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.doctor import Agency

PatientOf = Callable[[str], dict[str, Any]]


@pytest.fixture
def patient(patient_of: PatientOf) -> dict[str, Any]:
    """Return an employee of the first region; the sixteenth digit says whether a man."""
    return patient_of("zb-active-first")


@pytest.fixture
def man(world: dict[str, Any]) -> dict[str, Any]:
    """Return an insured man of the first region."""
    return dict(next(
        p for p in world["patients"]
        if p["insuplc_admdvs"] == "370300" and int(p["certno"][16]) % 2 and p["insutype"] == "310"
    ))


@pytest.fixture
def woman(world: dict[str, Any]) -> dict[str, Any]:
    """Return an insured woman of the first region."""
    return dict(next(
        p for p in world["patients"]
        if p["insuplc_admdvs"] == "370300" and not int(p["certno"][16]) % 2 and p["insutype"] == "310"
    ))


@pytest.fixture
def agency(world_url: str, base_url: str, monkeypatch: pytest.MonkeyPatch) -> Agency:
    """Return the agency's clerks at the command line of this world."""
    return Agency(world_url, monkeypatch)
