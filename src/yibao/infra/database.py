"""Connections to PostgreSQL: asyncpg connections that act as one role, with bounded waits (R6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

GATEWAY = "yibao_gateway"
PORTAL = "yibao_portal"
WORKER = "yibao_worker"
AGENCY = "yibao_agency"

_WAITS = {
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "timezone": "UTC",
    "jit": "off",
}
_KEYED = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
"""For the gateway, whose statements are keyed: a plan that a connection keeps while tables are still small must
not read them whole when they have grown."""


class Unavailable(Exception):
    """No answer in time; what was begun is rolled back. The caller may ask again with the same id."""


class Database:
    """At most ``size`` connections that all act as one role, lent last in, first out.

    A free list of our own: asyncpg's pool resets and shields every connection it takes back, which costs
    as much as a statement. We leave no session state behind, and a broken connection is dropped.
    ``role`` None keeps the session's own user: migrations, loading and ``verify``.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, size: int, acquire_timeout_s: float) -> None:
        self._connect = connect
        self._free: list[Connection] = []
        self._lent: set[Connection] = set()
        self._slots = asyncio.Semaphore(size)
        self._acquire_timeout_s = acquire_timeout_s

    @classmethod
    async def open(
        cls, url: str, *, role: str | None, size: int = 8, acquire_timeout_s: float = 2.0
    ) -> Database:
        """Open ``url`` for at most ``size`` connections acting as ``role``; fails at once if nobody answers."""
        settings: dict[str, str] = dict(_WAITS)
        if role:
            settings["role"] = role
            settings |= _KEYED if role == GATEWAY else {}
        else:
            settings["statement_timeout"] = "0"
            settings["lock_timeout"] = "0"
            settings["idle_in_transaction_session_timeout"] = "0"

        async def connect() -> Connection:
            return await asyncpg.connect(
                url, server_settings=settings, timeout=3.0, command_timeout=None if role is None else 10.0
            )

        database = cls(connect, size=size, acquire_timeout_s=acquire_timeout_s)
        async with database.connection():
            return database

    async def close(self) -> None:
        """Close all connections; what is still lent is cut off."""
        for connection in self._lent:
            connection.terminate()
        while self._free:
            await self._free.pop().close(timeout=3.0)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection in autocommit mode, for single statements.

        Raises:
            Unavailable: all connections stayed lent for too long, or the server does not answer.
        """
        if self._slots.locked():
            try:
                await asyncio.wait_for(self._slots.acquire(), self._acquire_timeout_s)
            except TimeoutError as error:
                raise Unavailable("all database connections are in use") from error
        else:
            await self._slots.acquire()
        try:
            connection = await self._free_or_new()
            self._lent.add(connection)
            try:
                yield connection
            except (asyncpg.PostgresConnectionError, asyncpg.InternalClientError) as error:
                # The latter is what the driver says when the server dies between the parts of one statement.
                connection.terminate()
                raise Unavailable(f"the connection broke: {error}") from error
            finally:
                self._lent.discard(connection)
                if not connection.is_closed():
                    if connection.is_in_transaction():
                        # Only a cancelled roll-back leaves one open; such a connection is not used again.
                        connection.terminate()
                    else:
                        self._free.append(connection)
        finally:
            self._slots.release()

    async def _free_or_new(self) -> Connection:
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
        try:
            return await self._connect()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise Unavailable(f"the database does not answer: {error!r}") from error

    @asynccontextmanager
    async def transaction(self, *, regions: tuple[str, ...] = ()) -> AsyncIterator[Connection]:
        """Lend a connection inside one READ COMMITTED transaction; commits on leaving, rolls back on error.

        ``regions`` sets what row-level security shows to roles other than the gateway's, for this
        transaction only.
        """
        async with self.connection() as connection:
            await connection.execute("BEGIN")
            try:
                if regions:
                    await connection.execute(
                        "select set_config('yibao.admdvs', $1, true)", ",".join(regions)
                    )
                yield connection
            except BaseException:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Run one statement in autocommit mode and return its rows."""
        async with self.connection() as connection:
            return await connection.fetch(sql, *values)
