"""The worker's round: seal the audit chain every few seconds and keep the heads outside the database."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import asyncpg

from yibao.infra.audit_chain import Seal, seal
from yibao.infra.database import Database, Unavailable
from yibao.kernel.clock import Clock

ROUND_S = 5.0
_log = logging.getLogger(__name__)


def keep_head(file: Path, made: Seal) -> None:
    """Append a head of the chain to a file beside the database, so that a rewritten chain shows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="ascii") as heads:
        heads.write(f"{made.seq} {made.head.hex()}\n")
        heads.flush()


def kept_heads(file: Path) -> dict[int, bytes]:
    """Return the heads kept in a file, by sequence number; empty when there is none."""
    if not file.exists():
        return {}
    rows = (line.split() for line in file.read_text(encoding="ascii").splitlines() if line.strip())
    return {int(seq): bytes.fromhex(head) for seq, head in rows}


async def seal_once(database: Database, *, clock: Clock, heads: Path) -> Seal | None:
    """Seal what is finished; the head is kept outside once the seal is committed."""
    async with database.transaction() as tx:
        made = await seal(tx, now=clock.now())
    if made is not None:
        keep_head(heads, made)
    return made


async def run(database: Database, *, clock: Clock, heads: Path, stop: asyncio.Event) -> None:
    """Seal round after round until ``stop`` is set; a database that does not answer is asked again later."""
    while not stop.is_set():
        try:
            await seal_once(database, clock=clock, heads=heads)
        except (Unavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("audit chain not sealed this round: %s", error)
        try:
            await asyncio.wait_for(stop.wait(), ROUND_S)
        except TimeoutError:
            continue
