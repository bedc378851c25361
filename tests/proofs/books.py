"""The owner's view of a database under proof: what is really stored, whatever replies said."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

import asyncpg

from yibao.usecases.verification.verify_books import Finding, verify_books

T = TypeVar("T")

MOVE_PERSON = "update people.person set version = version + 1 where psn_no = $1"
"""Changes a person: whoever settles for him or her must wait for the end of it, and begin anew if it is committed."""
"""Locks a visit, which stops only those who settle under the lock."""
HOLD_TRAIL = "lock table platform.audit_entry in share mode"
"""Stops every deed at its last row, the one in the audit trail: all else is written, nothing committed."""

_WAITING = "select count(distinct pid) from pg_locks where not granted"


class Books:
    """One connection as the owner of the tables, used from one thread; opened anew after a crash of the server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None and not self._connection.is_closed():
            self._runner.run(self._connection.close(timeout=3.0))
        self._connection = None
        self._runner.close()

    def forget_connection(self) -> None:
        """Drop a connection that the server's death broke; the next statement opens another."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None

    def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Run one statement and return its rows."""
        return self._run(self._fetch(sql, values))

    def value(self, sql: str, *values: Any) -> Any:
        """Run one statement and return the first column of its only row."""
        [row] = self.fetch(sql, *values)
        return row[0]

    def execute(self, sql: str) -> None:
        """Run one statement without a result."""
        self.fetch(sql)

    def verify(self, heads: dict[int, bytes]) -> list[Finding]:
        """Run every check of the books on one moment of the data."""
        return self._run(self._verify(heads))

    def hold(self, sql: str, *values: Any) -> None:
        """Run a statement in a transaction that stays open, so that others wait for what it locked."""
        self._run(self._hold(sql, values))

    def release(self) -> None:
        """Commit the open transaction."""
        self.execute("commit")

    def awaited_by(self, others: int) -> bool:
        """Wait until so many others wait for a lock; False when they do not come within two seconds."""
        return self._run(self._awaited_by(others))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _connected(self) -> asyncpg.Connection[asyncpg.Record]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url, timeout=10.0)
        return self._connection

    async def _fetch(self, sql: str, values: tuple[Any, ...]) -> list[asyncpg.Record]:
        connection = await self._connected()
        return await connection.fetch(sql, *values)

    async def _verify(self, heads: dict[int, bytes]) -> list[Finding]:
        connection = await self._connected()
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await verify_books(connection, kept_heads=heads)

    async def _hold(self, sql: str, values: tuple[Any, ...]) -> None:
        connection = await self._connected()
        await connection.execute("begin")
        await connection.fetch(sql, *values)

    async def _awaited_by(self, others: int) -> bool:
        connection = await self._connected()
        for _ in range(200):
            if await connection.fetchval(_WAITING) >= others:
                return True
            await asyncio.sleep(0.01)
        return False
