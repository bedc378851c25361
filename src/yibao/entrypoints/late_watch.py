"""The round that puts years in order whose last backfill could not do it at once: a process died, a lock was held."""

from __future__ import annotations

import asyncio
import logging

import asyncpg

from yibao.infra.database import Database, Unavailable
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.usecases.backfill.reorder_open import reorder_open
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.settlement.write_settlement import MovedOn

ROUND_S = 5.0
_log = logging.getLogger(__name__)


async def run(database: Database, *, shelf: PolicyShelf, clock: Clock, ids: Ids, stop: asyncio.Event) -> None:
    """Look round after round until ``stop`` is set; what fails is tried again in the next."""
    while not stop.is_set():
        try:
            for done in await reorder_open(database, shelf=shelf, clock=clock, ids=ids):
                if done.refusal:
                    _log.warning("a year cannot be put in order: %s", done.refusal)
        except (Unavailable, MovedOn, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("years not put in order this round: %s", error)
        try:
            await asyncio.wait_for(stop.wait(), ROUND_S)
        except TimeoutError:
            continue
