"""Connections to PostgreSQL: asyncpg pools that act as one role, with bounded waits (R6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

GATEWAY = "yibao_gateway"
PORTAL = "yibao_portal"
WORKER = "yibao_worker"

_WAITS = {
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "timezone": "UTC",
    "jit": "off",
}


class Unavailable(Exception):
    """No answer in time; what was begun is rolled back. The caller may ask again with the same id."""


async def _keep_state(_connection: Connection) -> None:
    """Replace asyncpg's RESET on release: we never leave session state behind, and it costs a round trip."""


class Database:
    """A pool of connections that all act as one role.

    ``role`` None keeps the session's own user: migrations, loading and ``verify``.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(
        cls, url: str, *, role: str | None, size: int = 8, acquire_timeout_s: float = 2.0
    ) -> Database:
        """Open a pool of at most ``size`` connections to ``url`` acting as ``role``."""
        settings: dict[str, str] = dict(_WAITS)
        if role:
            settings["role"] = role
        else:
            settings["statement_timeout"] = "0"
            settings["lock_timeout"] = "0"
        try:
            pool = await asyncpg.create_pool(
                url, min_size=1, max_size=size, server_settings=settings, reset=_keep_state,
                timeout=3.0, command_timeout=None if role is None else 10.0,
            )
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            raise Unavailable(f"database does not answer: {error}") from error
        database = cls(pool)
        database._acquire_timeout_s = acquire_timeout_s
        return database

    _acquire_timeout_s: float = 2.0

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection in autocommit mode, for single statements."""
        try:
            connection = await self._pool.acquire(timeout=self._acquire_timeout_s)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unavailable(f"no connection: {error!r}") from error
        try:
            yield connection  # type: ignore[misc]
        finally:
            await self._pool.release(connection)

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
