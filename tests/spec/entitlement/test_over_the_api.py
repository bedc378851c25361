"""The same answers over the agency's API, for who may see the person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import asyncpg
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


def test_a_loaded_person_who_is_dead_has_no_benefit_after_the_day_of_death(
    get: Callable[..., httpx.Response], world_url: str
) -> None:
    async def somebody_dead() -> Any:
        connection = await asyncpg.connect(world_url)
        try:
            return await connection.fetchrow(
                "select p.psn_no, p.died_on, r.insutype from people.person p join enrolment.relation r using (psn_no) "
                "where p.died_on is not null and r.admdvs = '370300' and p.admdvs = '370300' "
                "and not exists (select from entitlement.spell s where s.psn_no = p.psn_no) limit 1")
        finally:
            await connection.close()

    row = asyncio.run(somebody_dead())
    assert row is not None, "the demo world has somebody dead"
    path = f"/people/{row['psn_no']}/benefit?insutype={row['insutype']}&on={row['died_on'] + timedelta(days=1)}"
    told = get("370300", path)
    assert told.status_code == 200, told.text
    assert (told.json()["is_due"], "死亡" in told.json()["sentence"]) == (False, True)
