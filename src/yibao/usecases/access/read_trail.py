"""An auditor reads what was done."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.infra.database import Connection

TRAIL = """
select id, at, actor, sender, channel, verb, object, admdvs, rule, encode(digest, 'hex') as digest
from platform.audit_entry
where at >= $1 and at < $2 and ($3 = '' or actor = $3) and ($4 = '' or verb = $4) and ($5 = '' or object = $5)
  and ($6 = '' or channel = $6)
order by at desc, id desc limit $7
"""


class TrailEntry(msgspec.Struct, frozen=True):
    """One audit row; ``digest`` is the SM3 of how the object stood after the deed, hexadecimal."""

    id: str
    at: datetime
    actor: str
    sender: str
    channel: str
    verb: str
    object: str
    admdvs: str
    rule: str
    digest: str


async def read_trail(
    tx: Connection, *, since: datetime, until: datetime, actor: str = "", verb: str = "", object_id: str = "",
    channel: str = "", most: int = 100,
) -> list[TrailEntry]:
    """Return the audit rows of a half-open span of the transaction's regions, newest first; ``""`` selects all."""
    rows = await tx.fetch(TRAIL, since, until, actor, verb, object_id, channel, most)
    return [TrailEntry(**dict(row)) for row in rows]
