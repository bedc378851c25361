"""The SM3 chain over audit rows: sealed in batches off the money's path, walked by ``verify``.

A batch is a half-open range of transaction ids that are all finished: everything below the horizon of
the present snapshot. Each head is SM3 over the previous head and every row of the batch in order, so a
changed, removed, added or swapped row breaks every later head.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import asyncpg
import msgspec

from yibao.infra.database import Connection
from yibao.infra.digest import sm3

FIRST_HEAD = bytes(32)
LOCK = "select pg_try_advisory_xact_lock(hashtextextended('yibao audit seal', 0))"
LAST = "select seq, xid_to::text as xid_to, head from platform.audit_seal order by seq desc limit 1"
HORIZON = "select pg_snapshot_xmin(pg_current_snapshot())::text"
ENTRIES = """
select xid::text as xid, id, at, actor, sender, channel, verb, object, admdvs, rule, digest
from platform.audit_entry where xid >= $1::text::xid8 and xid < $2::text::xid8 order by xid, id
"""
INSERT = """
insert into platform.audit_seal (seq, xid_from, xid_to, entries, previous, head, sealed_at)
values ($1, $2::text::xid8, $3::text::xid8, $4, $5, $6, $7)
"""
SEALS = """
select seq, xid_from::text as xid_from, xid_to::text as xid_to, entries, previous, head
from platform.audit_seal order by seq
"""


class Seal(msgspec.Struct, frozen=True):
    """A head of the chain, fit to be kept outside the database."""

    seq: int
    entries: int
    head: bytes


class ChainReport(msgspec.Struct, frozen=True):
    """What a walk of the chain found; ``faults`` in Chinese, empty when it holds."""

    seals: int
    entries: int
    unsealed: int
    faults: tuple[str, ...]


def entry_bytes(row: asyncpg.Record) -> bytes:
    """Return the canonical bytes of an audit row: every field, length-prefixed, in order."""
    fields = (
        row["xid"], row["id"], row["at"].isoformat(), row["actor"], row["sender"], row["channel"], row["verb"],
        row["object"], row["admdvs"], row["rule"], row["digest"].hex(),
    )
    return b"".join(len(b).to_bytes(4, "big") + b for b in (f.encode() for f in fields))


def next_head(previous: bytes, rows: list[asyncpg.Record]) -> bytes:
    """Return the head after a batch of rows."""
    head = previous
    for row in rows:
        head = sm3(head + entry_bytes(row))
    return head


async def seal(tx: Connection, *, now: datetime) -> Seal | None:
    """Seal all finished audit rows that are not sealed yet; None if there are none or another sealer is at it."""
    if not await tx.fetchval(LOCK):
        return None
    last = await tx.fetchrow(LAST)
    seq, begin, previous = (last["seq"], last["xid_to"], last["head"]) if last else (0, "0", FIRST_HEAD)
    end = await tx.fetchval(HORIZON)
    rows = await tx.fetch(ENTRIES, begin, end)
    if not rows:
        return None
    head = next_head(previous, rows)
    await tx.execute(INSERT, seq + 1, begin, end, len(rows), previous, head, now)
    return Seal(seq + 1, len(rows), head)


async def walk(
    tx: Connection, *, kept_heads: dict[int, bytes] | None = None, progress: Callable[[int], None] | None = None
) -> ChainReport:
    """Walk the whole chain, compare with heads kept outside, and say what does not hold."""
    faults: list[str] = []
    previous, expected_from, total = FIRST_HEAD, "0", 0
    seals = await tx.fetch(SEALS)
    for seq, s in enumerate(seals, 1):
        rows = await tx.fetch(ENTRIES, s["xid_from"], s["xid_to"])
        total += len(rows)
        if s["seq"] != seq or s["xid_from"] != expected_from or s["previous"] != previous:
            faults.append(f"审计链第{s['seq']}段与前一段不相接")
        if len(rows) != s["entries"]:
            faults.append(f"审计链第{s['seq']}段应有{s['entries']}条，实有{len(rows)}条")
        elif next_head(s["previous"], rows) != s["head"]:
            faults.append(f"审计链第{s['seq']}段内容与摘要不符")
        previous, expected_from = s["head"], s["xid_to"]
        if progress is not None:
            progress(total)
    by_seq = {s["seq"]: s["head"] for s in seals}
    for kept_seq, head in (kept_heads or {}).items():
        if by_seq.get(kept_seq) != head:
            faults.append(f"审计链第{kept_seq}段与外部保存的摘要不符")
    horizon = await tx.fetchval(HORIZON)
    unsealed = len(await tx.fetch(ENTRIES, expected_from, horizon))
    return ChainReport(len(seals), total, unsealed, tuple(faults))
