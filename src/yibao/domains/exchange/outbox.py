"""Reads and writes of what goes out to the parties, and of how far each has got."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from yibao.infra.database import Connection

PUT = "select put, clashes from exchange.put_out($1, $2, $3, $4, $5, $6, $7, $8)"
KNOWN = "insert into exchange.channel (party) values ($1) on conflict do nothing"
CHANNEL = """
select party, acked, fetched, tried_at, answered_at, failing_since, last_error from exchange.channel where party = $1
"""
CHANNELS = """
select party, coalesce(n.last_put, 0) as last_put, coalesce(c.acked, 0) as acked, coalesce(c.fetched, 0) as fetched, c.tried_at,
    c.answered_at, c.failing_since, coalesce(c.last_error, '') as last_error,
    coalesce(n.last_put, 0) - coalesce(c.acked, 0) as queued,
    (select o.put_at from exchange.outbox o where o.party = coalesce(c.party, n.party) and o.no > coalesce(c.acked, 0)
     order by o.no limit 1) as oldest,
    coalesce(c.hall_state, '') as hall_state, coalesce(c.hall_says, '') as hall_says, c.hall_since
from exchange.channel c full join exchange.numbering n using (party) order by party
"""
UNSENT = """
select no, message_id, admdvs, kind, body, digest, put_at from exchange.outbox where party = $1 and no > $2 order by no limit $3
"""
SENT = "update exchange.outbox set sent_at = $3 where party = $1 and no > $2 and no <= $4 and sent_at is null"
ACKED = "update exchange.channel set acked = greatest(acked, $2) where party = $1"
TRIED = """
update exchange.channel set tried_at = $2, answered_at = case when $3 = '' then $2 else answered_at end, last_error = $3,
    failing_since = case when $3 = '' then null else coalesce(failing_since, $2) end
where party = $1
"""
FETCHED = "update exchange.channel set fetched = greatest(fetched, $2) where party = $1"
HALL = "update exchange.channel set hall_state = $2, hall_says = $3, hall_since = $4 where party = $1"
OF_KEY = """
select o.put_at, o.sent_at, c.failing_since, c.last_error from exchange.outbox o left join exchange.channel c on c.party = o.party
where o.party = $1 and o.kind = $2 and o.key = $3
"""


class Channel(msgspec.Struct, frozen=True):
    """How far the exchange with a party has got; ``queued`` and ``oldest``: what it does not have yet."""

    party: str
    last_put: int
    acked: int
    fetched: int
    tried_at: datetime | None
    answered_at: datetime | None
    failing_since: datetime | None
    last_error: str
    queued: int
    oldest: datetime | None
    hall_state: str
    hall_says: str
    hall_since: datetime | None


async def put(
    tx: Connection, *, party: str, kind: str, admdvs: str, keys: Sequence[str], ids: Sequence[str], bodies: Sequence[str],
    digests: Sequence[bytes], now: datetime,
) -> tuple[int, list[str]]:
    """Write messages and return how many were new, and the keys put before with other words."""
    row = await tx.fetchrow(PUT, party, kind, admdvs, keys, ids, bodies, digests, now)
    assert row is not None
    return row["put"], row["clashes"]


async def open_channel(tx: Connection, party: str) -> asyncpg.Record:
    """Return how far a party has got; a party never heard of begins at nothing."""
    await tx.execute(KNOWN, party)
    row = await tx.fetchrow(CHANNEL, party)
    assert row is not None
    return row


async def list_channels(tx: Connection) -> list[Channel]:
    """List how far each party has got."""
    return [Channel(**dict(row)) for row in await tx.fetch(CHANNELS)]


async def list_unsent(tx: Connection, party: str, *, after: int, limit: int) -> list[asyncpg.Record]:
    """List the next messages for a party, in order."""
    return await tx.fetch(UNSENT, party, after, limit)


async def mark_sent(tx: Connection, party: str, *, after: int, last: int, now: datetime) -> None:
    """Write that a party has everything up to ``last``."""
    await tx.execute(SENT, party, after, now, last)
    await tx.execute(ACKED, party, last)


async def mark_tried(tx: Connection, party: str, *, error: str, now: datetime) -> None:
    """Write how a round with a party went; ``""`` is well."""
    await tx.execute(TRIED, party, now, error)


async def mark_fetched(tx: Connection, party: str, no: int) -> None:
    """Write that everything of a party up to a number is handled."""
    await tx.execute(FETCHED, party, no)


async def find_put(tx: Connection, *, party: str, kind: str, key: str) -> asyncpg.Record | None:
    """Return what became of a message that was put for a party."""
    return await tx.fetchrow(OF_KEY, party, kind, key)


async def mark_hall(tx: Connection, party: str, *, state: str, says: str, since: datetime) -> None:
    """Write what a party says of its own hall."""
    await tx.execute(KNOWN, party)
    await tx.execute(HALL, party, state, says, since)
