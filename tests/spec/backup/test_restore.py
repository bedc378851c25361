"""The data directory is lost under load; what was acknowledged is there again."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from yibao.infra.backup import back_up_home, back_up_url, restore
from yibao.infra.postgres import EmbeddedPostgres, PostgresFailed

WRITERS = 6


@pytest.fixture
def room() -> Iterator[Path]:
    """Return a directory that PostgreSQL's user may enter."""
    made = Path(tempfile.mkdtemp(prefix="yibao-backup-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def everything(url: str) -> set[int]:
    async def run() -> set[int]:
        connection = await asyncpg.connect(url)
        try:
            return {row[0] for row in await connection.fetch("select n from paid")}
        finally:
            await connection.close()

    return asyncio.run(run())


def do(url: str, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            for sql in statements:
                await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(run())


async def pay_until_lost(url: str, server: EmbeddedPostgres, *, after: int) -> set[int]:
    """Write from several connections; after so many acknowledged rows the server is killed. Return the acknowledged."""
    acknowledged: set[int] = set()
    enough = asyncio.Event()

    async def write(writer: int) -> None:
        connection = await asyncpg.connect(url)
        n = writer
        try:
            while True:
                await connection.execute("insert into paid values ($1)", n)
                acknowledged.add(n)
                if len(acknowledged) >= after:
                    enough.set()
                n += WRITERS
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            return

    writers = [asyncio.create_task(write(w)) for w in range(WRITERS)]
    await asyncio.wait_for(enough.wait(), 60)
    await asyncio.to_thread(server.kill)
    await asyncio.gather(*writers)
    return acknowledged


def test_every_acknowledged_row_survives_the_loss_of_the_data_directory(room: Path) -> None:
    home, archive = room / "home", room / "archive"
    server = EmbeddedPostgres(home, archive=archive)
    url = server.start()
    do(url, "create table paid (n bigint primary key)")
    acknowledged = asyncio.run(pay_until_lost(url, server, after=400))
    server.stop()
    shutil.rmtree(server.place.data)

    told = restore(archive, home)
    assert told.log_files >= 1
    assert told.seconds > 0
    with EmbeddedPostgres(home) as again:
        found = everything(again.url_for("yibao"))
    assert len(acknowledged) >= 400
    assert acknowledged <= found
    # What was under way and not acknowledged may be there or not: at most one row for each writer.
    assert len(found - acknowledged) <= WRITERS
