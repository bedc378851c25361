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
from yibao.kernel.actor import Actor
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.usecases.exchange.relay import Round, relay_round
from yibao.usecases.exchange.take_message import Handlers
from yibao.usecases.services.decide_application import follow_payments
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.transfers.transfer_out import follow_payouts
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

ROUND_S = 2.0
BANK = "bank"
_log = logging.getLogger(__name__)


async def relay_once(
    database: Database, *, addresses: Mapping[str, str], now: datetime, ids: Ids, shelf: PolicyShelf,
    handlers: Handlers = HANDLERS, progress: Callable[[str], None] | None = None, gate: Gate | None = None,
) -> list[Round]:
    """Carry everything that waits between the platform and the parties at some addresses, and between regions.

    Args:
        database: of the owner or in the role of the agency, with at least two connections.
        now: business time of what is done, the host's or a turned clock's.
        gate: of this process; None reads the plans for this one round.
    """
    links = {party: HttpLink(address) for party, address in addresses.items()}
    try:
        if gate is None:
            async with database.transaction(regions=shelf.regions) as tx:
                gate = await Gate.read(tx)
        await gate.fresh()
        return await relay_round(
            database, links=links, handlers=handlers, now=now, ids=ids, shelf=shelf, progress=progress, gate=gate
        )
    finally:
        for link in links.values():
            await link.close()


async def follow_bank(database: Database, *, now: datetime, ids: Ids, shelf: PolicyShelf) -> int:
    """Bring applications and transfers that wait for the bank up to what it answered; return how many moved.

    Each region is a transaction of its own; done again it moves nothing more.
    """
    moved = 0
    for admdvs in shelf.regions:
        actor = Actor(login="worker", channel="worker", regions=(admdvs,))
        async with database.transaction(regions=(admdvs,)) as tx:
            moved += len(await follow_payments(tx, admdvs=admdvs, actor=actor, now=now, ids=ids))
            moved += len(await follow_payouts(tx, admdvs=admdvs, actor=actor, now=now, ids=ids))
    return moved


async def _followed(database: Database, *, now: datetime, ids: Ids, shelf: PolicyShelf) -> bool:
    try:
        await follow_bank(database, now=now, ids=ids, shelf=shelf)
    except Exception as error:
        # The messages of all offices go on, whatever is wrong with one application; it is tried again in the next round.
        _log.error("what waits for the bank could not be followed", exc_info=error)
        return False
    return True


async def run(
    database: Database, *, addresses: Mapping[str, str], clock: Clock, ids: Ids, shelf: PolicyShelf, stop: asyncio.Event,
    gate: Gate = NO_GATE,
) -> None:
    """Go round after round until ``stop`` is set; a database that does not answer is asked again later.

    What waits for the bank is looked at after a round in which the bank said something, and after the first one.
    """
    bank_spoke = True
    while not stop.is_set():
        try:
            rounds = await relay_once(database, addresses=addresses, now=clock.now(), ids=ids, shelf=shelf, gate=gate)
            bank_spoke = bank_spoke or any(r.party == BANK and r.received for r in rounds)
            bank_spoke = bank_spoke and not await _followed(database, now=clock.now(), ids=ids, shelf=shelf)
        except (Unavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("exchange stopped this round: %s", error)
        try:
            await asyncio.wait_for(stop.wait(), ROUND_S)
        except TimeoutError:
            continue
