"""Keys of one region get nothing of another: no row, no name, no number, and no difference that would tell."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from tests.spec.api.conftest import HallOf
from tests.spec.conftest import TillFor
from tests.support.foreign_probes import numbers_of, probe
from tests.support.hall import problem_of

HERE, THERE = "370300", "441300"
PROBES = 400


@pytest.fixture(scope="module")
def settled_there(till_for: TillFor, world: dict[str, Any], hall_of: HallOf) -> str:
    """Settle a visit and leave traces in the other region; return the settlement's number."""
    till = till_for(region=THERE)
    patient = next(p for p in world["patients"] if p["insuplc_admdvs"] == THERE)
    settled = till.settle(patient, patient["visit"])
    till.close()
    hall_of("admin", THERE).do("/agents", {"login": "only.there", "admdvs": THERE, "name": "惠州人", "roles": ["pay"]})
    return str(settled["setlinfo"]["setl_id"])


def test_a_settlement_of_another_region_is_not_there(hall_of: HallOf, settled_there: str) -> None:
    there = hall_of("intake", THERE).read(f"/settlements/{settled_there}")
    assert there["setl_id"] == settled_there
    assert there["differences"] == []
    response = hall_of("intake", HERE).send("GET", f"/settlements/{settled_there}")
    nothing = hall_of("intake", HERE).send("GET", "/settlements/" + "1" * len(settled_there))
    assert (response.status_code, problem_of(response)["code"]) == (404, "SETTLEMENT_NOT_FOUND")
    assert response.text.replace(settled_there, "#") == nothing.text.replace("1" * len(settled_there), "#")


@pytest.mark.slow
def test_random_probes_bring_nothing_back(
    world: dict[str, Any], world_url: str, settled_there: str
) -> None:
    agency = world["agency"]
    document = httpx.get(agency["schema"]).json()
    theirs, ours = (asyncio.run(numbers_of(world_url, region)) for region in (THERE, HERE))
    assert settled_there in theirs["setl_id"]
    found = probe(document, world["base_url"], agency["keys"][HERE], theirs=theirs, ours=ours, count=PROBES, seed=7)
    assert not found.leaks, "\n".join(found.leaks[:10])
    assert sum(found.by_status.values()) == PROBES
    # The probe itself can find something: the other region's own keys get rows.
    control = probe(document, world["base_url"], agency["keys"][THERE], theirs=theirs, ours=ours, count=PROBES, seed=7)
    assert control.leaks


def test_the_role_of_the_api_sees_no_foreign_row_in_any_table(world_url: str, settled_there: str) -> None:
    tables = """
        select c.oid::regclass::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'admdvs'
        where c.relkind = 'r' and not a.attisdropped and c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
          and has_table_privilege('yibao_agency', c.oid, 'select')
          and has_schema_privilege('yibao_agency', c.relnamespace, 'usage') order by 1"""

    async def look() -> tuple[dict[str, int], dict[str, int]]:
        connection = await asyncpg.connect(world_url)
        try:
            names = [r[0] for r in await connection.fetch(tables)]
            foreign: dict[str, int] = {}
            there: dict[str, int] = {}
            for name in names:
                # Institutions and what hangs on them stand in a county, so four digits say the region.
                sql = f"select count(*) from {name} where left(admdvs, 4) <> $1"
                there[name] = await connection.fetchval(sql, HERE[:4])
                async with connection.transaction():
                    await connection.execute("set local role yibao_agency")
                    await connection.execute("select set_config('yibao.admdvs', $1, true)", HERE)
                    foreign[name] = await connection.fetchval(sql, HERE[:4])
            return foreign, there
        finally:
            await connection.close()

    foreign, there = asyncio.run(look())
    assert len(foreign) > 20
    assert {name: n for name, n in foreign.items() if n} == {}
    assert there["people.person"] > 0
    assert there["settlements.settlement"] > 0
    assert there["access.agent"] > 0
