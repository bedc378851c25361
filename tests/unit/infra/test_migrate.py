"""Migrating: from nothing to the newest schema, again without effect, by several at once."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.support.databases import drop_database, named
from yibao.infra.database import Unavailable
from yibao.infra.migrate import current, head, migrate


async def test_a_migrated_database_is_at_the_head(database_url: str) -> None:
    assert await current(database_url) == head()
    assert await migrate(database_url) == head()


async def test_the_owner_is_no_superuser(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert not await connection.fetchval("select rolsuper from pg_roles where rolname = current_user")
        assert await connection.fetchval("select count(*) from settlements.settlement") == 0
    finally:
        await connection.close()


async def test_a_database_that_is_not_there_is_unavailable(database_url: str) -> None:
    with pytest.raises(Unavailable):
        await current(database_url.replace("yibao_test", "yibao_nowhere"))


async def test_two_migrators_at_once_queue(server_url: str, database_url: str) -> None:
    connection = await asyncpg.connect(server_url)
    name = "yibao_two_migrators"
    url = named(server_url, name)
    try:
        await connection.execute(f"create database {name}")
        assert await asyncio.gather(migrate(url), migrate(url)) == [head(), head()]
    finally:
        await connection.close()
        drop_database(server_url, name)
