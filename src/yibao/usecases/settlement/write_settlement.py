"""Write a decided settlement with everything that hangs on it: one round trip."""

from __future__ import annotations

import asyncpg
import msgspec

from yibao.domains.settlements.model import Settlement
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.infra.messages import MessageKey
from yibao.kernel.clock import Clock
from yibao.ledger.posting import Posting, personal_account
from yibao.usecases.settlement.way import WRITE

MOVED_ON = "YB001"


class Booking(msgspec.Struct, frozen=True):
    """What is to be written at once.

    Attributes:
        counter_used: new totals of the settlement's counters; counter_caps the ceilings in force.
        origin_state: new state of the record that this one mirrors, None for a settlement.
        grand_state: new state of the settlement that a reinstatement brings back, else None.
        verb: name of the deed in the audit trail.
        statement: ``settlements.write``, or a function around it that takes its arguments and then ``beside``.
    """

    settlement: Settlement
    posting: Posting
    counter_used: list[int]
    counter_caps: list[int | None]
    verb: str
    origin_state: str | None = None
    grand_state: str | None = None
    statement: str = WRITE
    beside: tuple[object, ...] = ()


class MovedOn(Exception):
    """The facts changed between reading and writing, or the message was answered meanwhile: nothing was written."""


async def write(
    tx: Connection, booking: Booking, *, key: MessageKey, reply: bytes, clock: Clock, version: int | None = None,
    in_turn: bool = False,
) -> None:
    """Write settlement, posting, counters, account, message with its reply, and audit row.

    Args:
        version: the person's version that the decision rests on; None when the person is locked.
        in_turn: the session has the person's turn, which ends with the commit.

    Raises:
        MovedOn: ``version`` is not the person's version any more, somebody has the turn, or the message id is taken.
    """
    settlement, posting = booking.settlement, booking.posting
    if sum(posting.amounts) != 0:
        raise AssertionError("a posting must sum to zero")
    message = (
        key.sender, key.msgid, key.admdvs, key.infno, "answered", settlement.psn_no, settlement.mdtrt_id,
        settlement.setl_id, key.request, key.digest, reply, key.received_at, clock.now(),
    )
    values = (
        msgspec.structs.astuple(settlement), msgspec.structs.astuple(posting), booking.counter_used,
        booking.counter_caps, posting.of(personal_account(settlement.psn_no)), version, in_turn,
        booking.origin_state, booking.grand_state, message, settlement.opter, booking.verb, sm3(reply),
        *booking.beside,
    )
    try:
        await tx.execute(booking.statement, *values)
    except asyncpg.UniqueViolationError as error:
        raise MovedOn(str(error)) from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == MOVED_ON:
            raise MovedOn(str(error)) from error
        raise
