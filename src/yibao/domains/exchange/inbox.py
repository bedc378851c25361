"""Reads and writes of what came from the parties, and of the cases that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.exchange.model import Received, WorkCase
from yibao.infra.database import Connection

FIND = """
select party, message_id, no, admdvs, kind, body, digest, received_at, outcome from exchange.inbox
where party = $1 and message_id = $2 for update
"""
FIRST_HELD = """
select party, message_id, no, admdvs, kind, body, digest, received_at, outcome from exchange.inbox
where party = $1 and outcome = 'held' and admdvs <> all ($2) order by no limit 1 for update
"""
HAS_HELD = "select exists (select from exchange.inbox where party = $1 and admdvs = $2 and outcome = 'held')"
HELD_COUNTS = "select party, count(*) as held from exchange.inbox where outcome = 'held' group by party"
KEEP = """
insert into exchange.inbox select ($1::exchange.inbox).*
on conflict (party, message_id) do update set no = excluded.no, body = excluded.body, digest = excluded.digest,
    received_at = excluded.received_at, outcome = excluded.outcome
"""
OPEN_CASE = """
insert into exchange.case select ($1::exchange.case).* on conflict (party, message_id, code) where state = 'open' do nothing
"""
CASE_COLUMNS = """case_id, admdvs, party, message_id, kind, code, says, opened_at, state, closed_at, closed_by, note"""
CASE = f"select {CASE_COLUMNS} from exchange.case where case_id = $1 for update"  # noqa: S608
CASES = f"""
select {CASE_COLUMNS} from exchange.case where ($1 = '' or admdvs = $1) and ($2 = '' or party = $2) and ($3 = '' or state = $3)
order by opened_at, case_id
"""  # noqa: S608
CLOSE = """
update exchange.case set state = 'closed', closed_at = $2, closed_by = $3, note = $4 where case_id = $1 and state = 'open'
"""
CLOSE_OF = """
update exchange.case set state = 'closed', closed_at = $4, closed_by = $5, note = $6
where party = $1 and message_id = $2 and code = $3 and state = 'open'
"""
CASE_COUNTS = "select party, count(*) as open from exchange.case where state = 'open' group by party"


async def find_received(tx: Connection, party: str, message_id: str) -> Received | None:
    """Return and lock a message that came before."""
    row = await tx.fetchrow(FIND, party, message_id)
    return None if row is None else Received(**dict(row))


async def keep_received(tx: Connection, received: Received) -> None:
    """Write a message, or what became of it since."""
    await tx.execute(KEEP, msgspec.structs.astuple(received))


async def find_held(tx: Connection, party: str, *, without: Sequence[str]) -> Received | None:
    """Return and lock the first message of a party that a window holds, of regions other than some."""
    row = await tx.fetchrow(FIRST_HELD, party, list(without))
    return None if row is None else Received(**dict(row))


async def has_held(tx: Connection, party: str, admdvs: str) -> bool:
    """Say whether a window holds any message of a party for a region."""
    return bool(await tx.fetchval(HAS_HELD, party, admdvs))


async def count_held(tx: Connection) -> dict[str, int]:
    """Count what windows hold by party."""
    return {row["party"]: row["held"] for row in await tx.fetch(HELD_COUNTS)}


async def open_case(tx: Connection, case: WorkCase) -> None:
    """Write a case; one that is open about the same fault of the same message stays the only one."""
    await tx.execute(OPEN_CASE, msgspec.structs.astuple(case))


async def find_case(tx: Connection, case_id: str) -> WorkCase | None:
    """Return and lock a case."""
    row = await tx.fetchrow(CASE, case_id)
    return None if row is None else WorkCase(**dict(row))


async def list_cases(tx: Connection, *, admdvs: str = "", party: str = "", state: str = "open") -> list[WorkCase]:
    """List cases, the oldest first; ``""`` is any."""
    return [WorkCase(**dict(row)) for row in await tx.fetch(CASES, admdvs, party, state)]


async def count_open(tx: Connection) -> dict[str, int]:
    """Count open cases by party."""
    return {row["party"]: row["open"] for row in await tx.fetch(CASE_COUNTS)}


async def close_case(tx: Connection, case_id: str, *, by: str, note: str, now: datetime) -> None:
    """Close a case."""
    await tx.execute(CLOSE, case_id, now, by, note)


async def close_cases_of(
    tx: Connection, *, party: str, message_id: str, code: str, by: str, note: str, now: datetime
) -> None:
    """Close the cases about one fault of a message."""
    await tx.execute(CLOSE_OF, party, message_id, code, now, by, note)
