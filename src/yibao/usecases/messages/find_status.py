"""Say what became of a message id: committed, reversed, only refused, or never seen."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.infra.database import Connection

CODE_LENGTH = 12
"""Institutions put their code in front of the message id."""

_COLUMNS = """
    select m.sender, m.infno, m.state, m.received_at, m.replied_at, m.psn_no, m.mdtrt_id, m.setl_id,
           s.state as setl_state, convert_from(m.reply, 'UTF8') as reply
    from platform.message m left join settlements.settlement s on s.setl_id = m.setl_id
"""
BY_SENDER = _COLUMNS + "where m.sender = $1 and m.msgid = $2"
BY_ID = _COLUMNS + "where m.msgid = $1 order by m.received_at"
ATTEMPTS = """
select sender, infno, outcome, refusal_code, received_at, took_us from platform.traffic
where msgid = $1 and ($2 = '' or sender = $2) order by received_at
"""


class Committed(msgspec.Struct, frozen=True):
    """A message under whose id something was committed.

    Attributes:
        state: ``answered``, or ``voided`` when it was reversed before it came.
        setl_state: state of the settlement it made now: ``active``, ``reversed``, ``closed``; None if none.
        reply: the stored bytes of the answer as text; the same again for every repeat.
    """

    sender: str
    infno: str
    state: str
    received_at: datetime
    replied_at: datetime
    psn_no: str | None
    mdtrt_id: str | None
    setl_id: str | None
    setl_state: str | None
    reply: str | None


class Attempt(msgspec.Struct, frozen=True):
    """A time that the id came and nothing new was committed: a query, a refusal, a repeat, a failure."""

    sender: str
    infno: str
    outcome: str
    refusal_code: str | None
    received_at: datetime
    took_us: int


class MessageStatus(msgspec.Struct, frozen=True):
    """Everything known of a message id; both empty when it never arrived."""

    msgid: str
    committed: tuple[Committed, ...]
    attempts: tuple[Attempt, ...]

    @property
    def is_spent(self) -> bool:
        """Say whether the id can no longer carry another message of its sender."""
        return bool(self.committed)


async def find_status(tx: Connection, *, msgid: str, sender: str = "") -> MessageStatus:
    """Find what became of ``msgid``; without ``sender`` its first twelve characters are tried, then all senders."""
    rows = await tx.fetch(BY_SENDER, sender or msgid[:CODE_LENGTH], msgid)
    if not rows and not sender:
        rows = await tx.fetch(BY_ID, msgid)
    attempts = await tx.fetch(ATTEMPTS, msgid, sender)
    return MessageStatus(
        msgid, tuple(Committed(**dict(row)) for row in rows), tuple(Attempt(**dict(row)) for row in attempts)
    )
