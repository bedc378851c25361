"""What is written of a backfill beside its money, in the same statement: the entry, and the episode with its cash."""

from __future__ import annotations

import msgspec

from yibao.usecases.backfill.model import Backfill
from yibao.usecases.settlement.write_settlement import Booking

_ARGUMENTS_OF_WRITE = 13


def with_backfill(booking: Booking, backfill: Backfill | None) -> Booking:
    """Return the booking with the entry of a backfill and the end of its episode; as it is for everything else."""
    if backfill is None:
        return booking
    s = booking.settlement
    return beside(
        booking, "backfill.settle({}::backfill.late_entry, {}, {}, {}, {}::episodes.episode)",
        backfill.entry(s), s.setl_id, s.cash_fen, s.opter, backfill.unnoted(s),
    )


def beside(booking: Booking, call: str, *arguments: object) -> Booking:
    """Return the booking with one more call after its own, in the same statement.

    Args:
        call: a function with ``{}`` for each of ``arguments``.
    """
    first = _ARGUMENTS_OF_WRITE + len(booking.beside) + 1
    places = (f"${n}" for n in range(first, first + len(arguments)))
    return msgspec.structs.replace(
        booking, statement=f"{booking.statement}, {call.format(*places)}", beside=(*booking.beside, *arguments)
    )
