"""The API at full size: drawn requests along the description and its links, and probes for what is another region's."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tests.proofs.platform import Platform, Result, Served
from tests.support.foreign_probes import numbers_of, probe
from tests.support.schema_walk import Walked, Walker
from yibao.demo.description import describe
from yibao.demo.world import SEED
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock

HERE, THERE = "370300", "441300"
STEPS = 8
_SHOWN_MAX = 20


def walk(n: int, seed: int, platform: Platform) -> Result:
    """Ask every operation ``n`` times with drawn requests: no fault of ours, no answer against the description."""
    with platform.served() as served:
        return _result(_walker(served).walk(n, random_seed=seed), seed)


def links(n: int, seed: int, platform: Platform) -> Result:
    """Follow the links of the description ``n`` times: the same."""
    with platform.served() as served:
        return _result(_walker(served).follow_links(n, STEPS, random_seed=seed), seed)


def foreign(n: int, seed: int, platform: Platform) -> Result:
    """Ask ``n`` times, with keys of one region, for what is another's: no row, no name, no number comes back."""
    with platform.served() as served:
        world = _world(served)
        document = httpx.get(world["agency"]["schema"], timeout=30).json()
        url = served.settings.database_url
        assert url is not None
        theirs, ours = (asyncio.run(numbers_of(url, region)) for region in (THERE, HERE))
        found = probe(
            document, served.base_url, world["agency"]["keys"][HERE], theirs=theirs, ours=ours, count=n, seed=seed
        )
    counts = {"probes": sum(found.by_status.values()), "leaks": len(found.leaks)}
    return Result(counts=counts | _by_status(found.by_status), wrong=tuple(found.leaks[:_SHOWN_MAX]))


def _walker(served: Served) -> Walker:
    world = _world(served)
    psn_no = next(p["psn_no"] for p in world["patients"] if p["insuplc_admdvs"] == HERE)
    return Walker(world["agency"]["schema"], world["agency"]["keys"][HERE], known={"psn_no": psn_no})


def _world(served: Served) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        url = served.settings.database_url
        assert url is not None
        database = await Database.open(url, role=None, size=1)
        try:
            today = business_date(SystemClock().now())
            return await describe(database, base_url=served.base_url, today=today, seed=SEED)
        finally:
            await database.close()

    return asyncio.run(ask())


def _result(walked: Walked, seed: int) -> Result:
    counts = {
        "seed": seed, "operations": len(walked.by_operation), "requests": walked.requests,
        "server_errors": sum(n for status, n in walked.by_status.items() if status >= 500),
        "schema_breaches": len(walked.breaches),
    }
    return Result(counts=counts | _by_status(walked.by_status), wrong=tuple(walked.breaches[:_SHOWN_MAX]))


def _by_status(by_status: Any) -> dict[str, int]:
    return {f"status_{status}": n for status, n in sorted(by_status.items())}
