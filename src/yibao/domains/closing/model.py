"""A closed month as facts. Money in fen; a month is its first day."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

CLOSED, REOPENING, OPEN = "closed", "reopening", "open"
"""States of a month that was closed at least once; ``reopening`` is still closed."""
STATES = {CLOSED: "已结账", REOPENING: "已结账，申请重新打开", OPEN: "已重新打开"}


class Month(msgspec.Struct, frozen=True):
    """One month of a region; the fields stand in the order of table ``closing.month``."""

    admdvs: str
    month: date
    state: str
    revision: int
    postings: int
    digest: bytes
    closed_by: str
    closed_at: datetime
    asked_by: str | None = None
    asked_at: datetime | None = None
    reason: str = ""
    opened_by: str | None = None
    opened_at: datetime | None = None


class Event(msgspec.Struct, frozen=True):
    """What was done with a month: ``closed``, ``asked``, ``declined``, ``opened``; ``checklist`` is JSON."""

    admdvs: str
    month: date
    event_id: str
    verb: str
    revision: int
    by: str
    at: datetime
    reason: str = ""
    checklist: str = "[]"
    digest: bytes | None = None


class Flow(msgspec.Struct, frozen=True):
    """What the postings of one kind left with a fund (+) or took from it (-) in a month, and the report line for it."""

    fund: str
    kind: str
    line: str
    amount_fen: int
    postings: int


class Balance(msgspec.Struct, frozen=True):
    """A fund's month: what it began with, took in, spent and carries forward; fen."""

    fund: str
    opening_fen: int
    income_fen: int
    spending_fen: int
    carried_fen: int


class VoucherLine(msgspec.Struct, frozen=True):
    """One line of a voucher: a subject, what it is about, and an amount on one side."""

    subject: str
    detail: str
    debit_fen: int
    credit_fen: int


class Voucher(msgspec.Struct, frozen=True):
    """A voucher of a book: all postings of one kind in the month, debit equal to credit.

    Attributes:
        number: 1, 2, 3 ... in the book's month; kind: of the postings, ``carry`` for the month's end.
        postings: how many postings stand behind it.
    """

    book: str
    number: int
    kind: str
    summary: str
    postings: int
    lines: tuple[VoucherLine, ...]

    @property
    def debit_fen(self) -> int:
        """Return the sum of the debit side, fen."""
        return sum(line.debit_fen for line in self.lines)

    @property
    def credit_fen(self) -> int:
        """Return the sum of the credit side, fen."""
        return sum(line.credit_fen for line in self.lines)
