"""One append-only row per write; the chain over them is sealed later, off the money's path."""

from __future__ import annotations

from datetime import datetime

from yibao.infra.database import Connection

INSERT = """
insert into platform.audit_entry (id, at, actor, sender, channel, verb, object, admdvs, rule, digest)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def write(
    tx: Connection, *, entry_id: str, at: datetime, actor: str, sender: str, channel: str, verb: str,
    object_id: str, admdvs: str, digest: bytes, rule: str = "",
) -> None:
    """Write the audit row of one write, in the same transaction."""
    await tx.execute(INSERT, entry_id, at, actor, sender, channel, verb, object_id, admdvs, rule, digest)
