"""Exactly once (R1): the reply of a message that changed something is stored in the money's transaction.

Same sender and msgid with the same business content returns the stored bytes; other content is
refused by ``MSGID_REUSED``. A transaction-scoped advisory lock makes parallel repeats wait for the
first one. A msgid is spent only when something was committed under it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse


class MessageKey(msgspec.Struct, frozen=True):
    """A message as received, before it is decided.

    Attributes:
        sender: institution code of the sender.
        digest: SM3 over transaction number and canonical business content.
        request: the body as it came.
    """

    sender: str
    msgid: str
    infno: str
    admdvs: str
    digest: bytes
    request: bytes
    received_at: datetime


class Replayed(msgspec.Struct, frozen=True):
    """The message was answered before; these are the bytes of that answer."""

    reply: bytes


CLAIM = """
with locked as materialized (select pg_advisory_xact_lock(hashtextextended($1 || '/' || $2, 0)))
select 1 from locked
"""
STORED = "select state, infno, request_digest, reply from platform.message where sender = $1 and msgid = $2"

STORE = """
insert into platform.message (sender, msgid, admdvs, infno, state, psn_no, mdtrt_id, setl_id,
    request, request_digest, reply, received_at, replied_at)
values ($1, $2, $3, $4, 'answered', $5, $6, $7, $8, $9, $10, $11, $12)
"""


def judge_stored(
    key: MessageKey, *, state: str, infno: str, digest: bytes, reply: bytes | None
) -> Replayed | Refusal:
    """Say what a repeat of a spent msgid gets: the stored bytes, or its own refusal."""
    if state == "voided":
        return refuse(
            "MESSAGE_REVERSED", "该报文已被冲正，不能再执行", field="msgid", received=key.msgid,
            remedy="请使用新的发送方报文ID重新发起",
        )
    if infno != key.infno or digest != key.digest or reply is None:
        return refuse(
            "MSGID_REUSED", "发送方报文ID已用于另一笔内容不同的交易", field="msgid", received=key.msgid,
            remedy="请使用新的发送方报文ID",
        )
    return Replayed(reply)


async def claim(tx: Connection, key: MessageKey) -> Replayed | Refusal | None:
    """Lock the message id for this transaction and return the stored answer, if there is one.

    None means: not answered yet, go on; whoever holds the same id waits until we commit.
    """
    await tx.execute(CLAIM, key.sender, key.msgid)
    return await find_stored(tx, key)


async def find_stored(connection: Connection, key: MessageKey) -> Replayed | Refusal | None:
    """Return the stored answer of a message without waiting for anybody who answers the same one now."""
    row = await connection.fetchrow(STORED, key.sender, key.msgid)
    if row is None:
        return None
    return judge_stored(key, state=row["state"], infno=row["infno"], digest=row["request_digest"], reply=row["reply"])


async def store(
    tx: Connection, key: MessageKey, reply: bytes, *, replied_at: datetime,
    psn_no: str | None = None, mdtrt_id: str | None = None, setl_id: str | None = None,
) -> None:
    """Store the reply under its message id, in the same transaction as what it reports."""
    await tx.execute(
        STORE, key.sender, key.msgid, key.admdvs, key.infno, psn_no, mdtrt_id, setl_id,
        key.request, key.digest, reply, key.received_at, replied_at,
    )
