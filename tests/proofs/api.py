"""The API at full size: drawn requests along the description and its links, and probes for what is another region's."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx

from tests.proofs.platform import Platform, Result, Served
from tests.support.foreign_probes import numbers_of, probe
from tests.support.schema_walk import Walked, Walker
from yibao.demo.description import ENDPOINT, describe
from yibao.demo.world import SEED
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock

HERE, THERE = "370300", "441300"
STEPS = 8
UNAVAILABLE = 503
_SHOWN_MAX = 5


def walk(n: int, seed: int, platform: Platform) -> Result:
    """Ask every operation ``n`` times with drawn requests: no fault of ours, no answer against the description."""
    with platform.served() as served:
        return _result(_walker(served).walk(n, random_seed=seed))


def links(n: int, seed: int, platform: Platform) -> Result:
    """Follow the links of the description ``n`` times: the same."""
    with platform.served() as served:
        return _result(_walker(served).follow_links(n, STEPS, random_seed=seed))


def foreign(n: int, seed: int, platform: Platform) -> Result:
    """Ask ``n`` times, with keys of one region, for what is another's: no row, no name, no number comes back."""
    with platform.served() as served:
        world = _world(served)
        document = httpx.get(world["agency"]["schema"], timeout=30).json()
        theirs, ours = (asyncio.run(numbers_of(served.url, region)) for region in (THERE, HERE))
        found = probe(
            document, world["base_url"], world["agency"]["keys"][HERE], theirs=theirs, ours=ours, count=n, seed=seed
        )
    _tell(found.leaks)
    return Result({"probes": sum(found.by_status.values())} | _by_status(found.by_status), {"leaks": len(found.leaks)})


def _walker(served: Served) -> Walker:
    world = _world(served)
    psn_no = next(p["psn_no"] for p in world["patients"] if p["insuplc_admdvs"] == HERE)
    return Walker(world["agency"]["schema"], world["agency"]["keys"][HERE], known={"psn_no": psn_no, "admdvs": HERE})


def _world(served: Served) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        database = await Database.open(served.url, role=None, size=1)
        try:
            today = business_date(SystemClock().now())
            return await describe(database, base_url=served.endpoint.removesuffix(ENDPOINT), today=today, seed=SEED)
        finally:
            await database.close()

    return asyncio.run(ask())


def _result(walked: Walked) -> Result:
    _tell(walked.breaches)
    done = {"operations": len(walked.by_operation), "requests": walked.requests} | _by_status(walked.by_status)
    errors = sum(n for status, n in walked.by_status.items() if status >= 500 and status != UNAVAILABLE)
    return Result(done, {"server_errors": errors, "schema_breaches": len(walked.breaches)})


def _tell(wrong: list[str]) -> None:
    for line in wrong[:_SHOWN_MAX]:
        print(line)


def _by_status(by_status: Counter[int]) -> dict[str, int]:
    return {f"status_{status}": n for status, n in sorted(by_status.items())}
