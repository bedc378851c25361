"""Show one message: raw, decoded, how long it took, why it was refused, and what else belongs to the visit."""

from __future__ import annotations

import re

import msgspec

from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.usecases.inspection import message_queries as sql
from yibao.usecases.inspection.decoding import Body, decode
from yibao.usecases.inspection.entries import DEED, Entry, from_row
from yibao.usecases.inspection.field_names import FieldNames

LINKED_MAX = 200

_NUMBERED = re.compile(r"(?:^|；)\s*\d+\. ")
_TRACE = re.compile(r"\s*\[([^\[\]]+)\]\s*$")


class Shown(msgspec.Struct, frozen=True):
    """A message as its sender may see it.

    Attributes:
        request, reply: both bodies, masked.
        reasons: why it was refused, one sentence each; empty if it was not.
        trace: id under which the platform logged it, ``""`` if it has none.
        reply_digest: SM3 of the reply bytes, hexadecimal, as the reply's digest header said.
        repeats: other entries under the same msgid.
        timeline: all entries of the visit, oldest first.
    """

    entry: Entry
    request: Body
    reply: Body
    reasons: tuple[str, ...]
    trace: str
    reply_digest: str
    repeats: tuple[Entry, ...]
    timeline: tuple[Entry, ...]


async def show_message(
    tx: Connection, *, sender: str, source: str, ref: str, names: FieldNames
) -> Shown | None:
    """Return a message of ``sender``; None where there is no such message or it is another institution's."""
    row = await tx.fetchrow(sql.DEED if source == DEED else sql.LOG, sender, ref)
    if row is None:
        return None
    entry = from_row(row)
    same = await tx.fetch(sql.SAME_MSGID, sender, entry.msgid, LINKED_MAX) if entry.msgid else []
    visit = await tx.fetch(sql.TIMELINE, sender, entry.mdtrt_id, LINKED_MAX) if entry.mdtrt_id else []
    reply = decode(row["reply"], side="output", infno=entry.infno, names=names)
    reasons, trace = read_reasons(str(reply.tree.get("err_msg") or ""))
    return Shown(
        entry=entry,
        request=decode(row["request"], side="input", infno=entry.infno, names=names),
        reply=reply,
        reasons=reasons,
        trace=trace,
        reply_digest=sm3(row["reply"]).hex() if row["reply"] else "",
        repeats=tuple(e for e in map(from_row, same) if (e.source, e.ref) != (source, ref)),
        timeline=tuple(map(from_row, visit)),
    )


def read_reasons(err_msg: str) -> tuple[tuple[str, ...], str]:
    """Return the single reasons of a refusal's text and the trace id at its end."""
    trace = _TRACE.search(err_msg)
    text = err_msg[: trace.start()] if trace else err_msg
    reasons = tuple(part.strip() for part in _NUMBERED.split(text) if part.strip())
    return reasons, trace[1] if trace else ""
