"""Bring a database to the newest schema; Alembic keeps the count, plain SQL files say what changes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from yibao.infra.database import Unavailable

VERSION_TABLE = "schema_version"
_SCRIPTS = "yibao.infra:migrations"
_ONE_AT_A_TIME = threading.Lock()


async def migrate(url: str) -> str:
    """Migrate the database at ``url`` to the newest schema and return its revision.

    Safe to call at every start and from several processes at once: an advisory lock makes them
    queue, and a database that is up to date is left alone.

    Raises:
        Unavailable: the database does not answer.
    """
    await asyncio.to_thread(_upgrade_alone, url)
    revision = await current(url)
    assert revision is not None, "a migrated database has a revision"
    return revision


async def current(url: str) -> str | None:
    """Return the revision that the database at ``url`` has, None when it was never migrated.

    Raises:
        Unavailable: the database does not answer.
    """
    found: list[str | None] = []

    def read(connection: SyncConnection) -> None:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        found.append(context.get_current_revision())

    await _run(url, read)
    return found[0]


def head() -> str:
    """Return the newest revision that this package knows."""
    revision = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert revision is not None, "the package ships at least one migration"
    return revision


def _upgrade_alone(url: str) -> None:
    # Alembic keeps its context in module globals: in one process, one migration at a time.
    with _ONE_AT_A_TIME:
        asyncio.run(_run(url, lambda connection: command.upgrade(_config(connection), "head")))


def _config(connection: SyncConnection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def _run(url: str, work: Callable[[SyncConnection], None]) -> None:
    try:
        # asyncpg parses the URL, as everywhere else, so that sockets and TLS options mean the same here.
        raw = await asyncpg.connect(url, timeout=5.0)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise Unavailable(f"database does not answer: {error}") from error

    async def hand_over() -> object:
        return raw

    engine = create_async_engine("postgresql+asyncpg://", async_creator=hand_over, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(work)
    finally:
        await engine.dispose()
        raw.terminate()
