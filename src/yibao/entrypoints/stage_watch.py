"""The round that watches a reopening: stages that fail too often close within it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import asyncpg

from yibao.infra.database import Database, Unavailable
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.usecases.windows.pass_gate import Gate
from yibao.usecases.windows.watch_stages import watch_stages

ROUND_S = 10.0
_log = logging.getLogger(__name__)


async def watch_once(database: Database, *, gate: Gate, regions: Sequence[str], clock: Clock, ids: Ids) -> int:
    """Look at every stage once and return how many were stopped; without plans with stages nothing is looked at."""
    if not any(plan.stages for plan in gate.plans):
        return 0
    async with database.transaction(regions=tuple(regions)) as tx:
        stopped = await watch_stages(tx, regions=regions, now=clock.now(), ids=ids)
    for opening in stopped:
        _log.warning("stage %s of %s stopped: %s", opening.ordinal, opening.name, opening.reason)
    if stopped:
        gate.expire()
    return len(stopped)


async def run(
    database: Database, *, gate: Gate, regions: Sequence[str], clock: Clock, ids: Ids, stop: asyncio.Event
) -> None:
    """Look round after round until ``stop`` is set; a database that does not answer is asked again later."""
    while not stop.is_set():
        try:
            await watch_once(database, gate=gate, regions=regions, clock=clock, ids=ids)
        except (Unavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("stages not looked at this round: %s", error)
        try:
            await asyncio.wait_for(stop.wait(), ROUND_S)
        except TimeoutError:
            continue
