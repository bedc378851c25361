"""The log of queries and refusals: written in batches behind the replies, never in anybody's way.

It is a log, not a promise: when the queue is full the oldest entries give way, and that is counted.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from contextlib import suppress
from datetime import datetime
from typing import Literal

import msgspec

from yibao.infra.database import Database

LOG = logging.getLogger("yibao.gateway.traffic")
Outcome = Literal["answered", "refused", "replayed", "unavailable", "defect"]
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_FLUSH_S = 0.25
_BATCH = 500
_QUEUE_MAX = 2_000
_TEXT_MAX = 200
REQUEST_MAX = 256 * 1024
"""Bytes of a request that are kept; the queue must stay small whatever strangers send."""

INSERT = """
insert into platform.traffic (id, sender, msgid, admdvs, infno, outcome, refusal_code, psn_no, mdtrt_id,
    request, reply, received_at, took_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict do nothing
"""


class Entry(msgspec.Struct, frozen=True):
    """One answered query, refusal, replay or failure."""

    id: str
    sender: str
    msgid: str
    admdvs: str
    infno: str
    outcome: Outcome
    refusal_code: str | None
    psn_no: str | None
    mdtrt_id: str | None
    request: bytes
    reply: bytes
    received_at: datetime
    took_us: int

    def row(self) -> tuple[object, ...]:
        """Return the values of the table's row, fit to be stored whatever came."""
        return (
            self.id, _storable(self.sender), _storable(self.msgid), _storable(self.admdvs), _storable(self.infno),
            self.outcome, self.refusal_code, _storable_or_none(self.psn_no), _storable_or_none(self.mdtrt_id),
            self.request[:REQUEST_MAX], self.reply, self.received_at, self.took_us,
        )


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("?", text)[:_TEXT_MAX]


def _storable_or_none(text: str | None) -> str | None:
    return None if text is None else _storable(text)


class TrafficLog:
    """A bounded queue and the task that empties it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: deque[Entry] = deque(maxlen=_QUEUE_MAX)
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self.dropped = 0

    def put(self, entry: Entry) -> None:
        """Take an entry; starts the writer at the first one."""
        if len(self._queue) == _QUEUE_MAX:
            self.dropped += 1
        self._queue.append(entry)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="traffic-log")
        if len(self._queue) >= _BATCH:
            self._wake.set()

    async def flush(self) -> None:
        """Write everything that is queued now."""
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
            try:
                async with self._database.connection() as connection:
                    await connection.executemany(INSERT, [entry.row() for entry in batch])
            except Exception:
                self.dropped += len(batch)
                LOG.exception("traffic log: %d entries could not be written", len(batch))
                return

    async def stop(self) -> None:
        """Write what is left and end the task."""
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None
        await self.flush()

    async def _run(self) -> None:
        while self._queue:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _FLUSH_S)
            self._wake.clear()
            await self.flush()
