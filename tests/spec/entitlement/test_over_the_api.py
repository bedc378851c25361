"""The same answers over the agency's API, for who may see the person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest


@pytest.fixture
def get(world: dict[str, Any]) -> Iterator[Callable[..., httpx.Response]]:
    """Return a function that asks the API with a hall's key."""
    agency = world["agency"]
    with httpx.Client(timeout=60) as client:

        def ask(region: str, path: str) -> httpx.Response:
            key = agency["keys"][region]["intake"]
            return client.get(agency["api"] + path, headers={"Authorization": f"Bearer {key}"})

        yield ask


def test_status_and_history_of_a_loaded_person(
    get: Callable[..., httpx.Response], patient_of: Callable[[str], dict[str, Any]]
) -> None:
    psn_no = patient_of("zb-active-first")["psn_no"]
    shown = get("370300", f"/people/{psn_no}/benefit?insutype=310")
    assert shown.status_code == 200, shown.text
    assert (shown.json()["is_due"], shown.json()["reason"]) == (True, "loaded")
    for at in ("0001-01-01T00:00:00%2B08:00", "9999-12-31T23:59:59-12:00"):
        assert get("370300", f"/people/{psn_no}/benefit-history?known_at={at}").status_code == 400
    for at in ("1900-01-01T00:00:00%2B14:00", "2024-02-29T08:00:00Z", "2020-01-01T00:00:00"):
        told = get("370300", f"/people/{psn_no}/benefit-history?known_at={at}")
        assert told.status_code == 200, told.text
        assert told.json()["rows"] == []
        assert get("370300", f"/people/{psn_no}/benefit?insutype=310&known_at={at}").status_code == 422
    other = get("370300", f"/people/{psn_no}/benefit?insutype=390")
    assert (other.status_code, other.json()["faults"][0]["code"]) == (422, "NOT_ENROLLED")
    assert get("441300", f"/people/{psn_no}/benefit?insutype=310").status_code == 404
