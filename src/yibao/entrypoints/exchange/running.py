"""Rounds of the exchange: one, or one after the other in the worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

import asyncpg

from yibao.entrypoints.exchange.handlers import HANDLERS
from yibao.infra.database import Database, Unavailable
from yibao.infra.party_link import HttpLink
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.usecases.exchange.relay import Round, relay_round
from yibao.usecases.exchange.take_message import Handlers
from yibao.usecases.settlement.shelf import PolicyShelf

ROUND_S = 2.0
_log = logging.getLogger(__name__)


async def relay_once(
    database: Database, *, addresses: Mapping[str, str], now: datetime, ids: Ids, shelf: PolicyShelf,
    handlers: Handlers = HANDLERS, progress: Callable[[str], None] | None = None,
) -> list[Round]:
    """Carry everything that waits between the platform and the parties at some addresses, and between regions.

    Args:
        database: of the owner or in the role of the agency, with at least two connections.
        now: business time of what is done, the host's or a turned clock's.
    """
    links = {party: HttpLink(address) for party, address in addresses.items()}
    try:
        return await relay_round(
            database, links=links, handlers=handlers, now=now, ids=ids, shelf=shelf, progress=progress
        )
    finally:
        for link in links.values():
            await link.close()


async def run(
    database: Database, *, addresses: Mapping[str, str], clock: Clock, ids: Ids, shelf: PolicyShelf, stop: asyncio.Event
) -> None:
    """Go round after round until ``stop`` is set; a database that does not answer is asked again later."""
    while not stop.is_set():
        try:
            await relay_once(database, addresses=addresses, now=clock.now(), ids=ids, shelf=shelf)
        except (Unavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("exchange stopped this round: %s", error)
        try:
            await asyncio.wait_for(stop.wait(), ROUND_S)
        except TimeoutError:
            continue
