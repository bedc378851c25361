"""Reads of plans of windows, of the stages of their reopening, and of the epoch that says whether any of it moved."""

from __future__ import annotations

import asyncpg
import msgspec

from yibao.domains.windows.stored import Opening, StoredPlan
from yibao.infra.database import Connection

_COLUMNS = """admdvs, name, version, text, digest, state, amends, reason, announced_in, proposed_by, proposed_at, published_by,
       published_at, withdrawn_by, withdrawn_at, why"""
EPOCH = "select epoch from windows.epoch"
PUBLISHED = f"""
select distinct on (admdvs, name) {_COLUMNS} from windows.plan where state = 'published' order by admdvs, name, version desc
"""  # noqa: S608 - a constant
OPENINGS = """
select distinct on (admdvs, name, ordinal) admdvs, name, ordinal, seq, act, at, by, reason, error_rate
from windows.opening order by admdvs, name, ordinal, seq desc
"""
OPENINGS_OF = """
select admdvs, name, ordinal, seq, act, at, by, reason, error_rate from windows.opening
where admdvs = $1 and name = $2 order by at, ordinal, seq
"""
NEWEST = f"""
select {_COLUMNS} from windows.plan where admdvs = $1 and name = $2 and state = $3 order by version desc limit 1
"""  # noqa: S608
VERSION = f"select {_COLUMNS} from windows.plan where admdvs = $1 and name = $2 and version = $3"  # noqa: S608
PLANS = f"""
select {_COLUMNS} from windows.plan where ($1 = '' or admdvs = $1) and ($2 = '' or name = $2)
order by admdvs, name, version
"""  # noqa: S608
LAST_VERSION = "select coalesce(max(version), 0) from windows.plan where admdvs = $1 and name = $2"
LOCK = "select pg_advisory_xact_lock(hashtextextended('windows/' || $1 || '/' || $2, 0))"


async def read_epoch(connection: Connection) -> int:
    """Return the number that moves with everything that counts."""
    return int(await connection.fetchval(EPOCH))


async def list_published(connection: Connection) -> list[StoredPlan]:
    """Return the version that counts of every plan."""
    return [_plan(row) for row in await connection.fetch(PUBLISHED)]


async def list_last_openings(connection: Connection) -> list[Opening]:
    """Return how each stage stands that anybody or the stop rule has touched."""
    return [Opening(**dict(row)) for row in await connection.fetch(OPENINGS)]


async def list_openings(connection: Connection, admdvs: str, name: str) -> list[Opening]:
    """Return everything that was done with the stages of a plan, in order of time."""
    return [Opening(**dict(row)) for row in await connection.fetch(OPENINGS_OF, admdvs, name)]


async def find_plan(connection: Connection, admdvs: str, name: str, version: int) -> StoredPlan | None:
    """Return a version of a plan."""
    row = await connection.fetchrow(VERSION, admdvs, name, version)
    return None if row is None else _plan(row)


async def find_newest(connection: Connection, admdvs: str, name: str, *, state: str) -> StoredPlan | None:
    """Return the newest version of a plan in a state."""
    row = await connection.fetchrow(NEWEST, admdvs, name, state)
    return None if row is None else _plan(row)


async def list_plans(connection: Connection, *, admdvs: str = "", name: str = "") -> list[StoredPlan]:
    """Return all versions of plans, ``""`` is any."""
    return [_plan(row) for row in await connection.fetch(PLANS, admdvs, name)]


async def last_version(connection: Connection, admdvs: str, name: str) -> int:
    """Return the highest number of a version, 0 if there is none."""
    return int(await connection.fetchval(LAST_VERSION, admdvs, name))


async def lock_plan(tx: Connection, admdvs: str, name: str) -> None:
    """Let one transaction at a time change a plan or its stages."""
    await tx.execute(LOCK, admdvs, name)


def _plan(row: asyncpg.Record) -> StoredPlan:
    return msgspec.convert(dict(row), StoredPlan)
