"""Clearing as facts: rows of two books, claims, deductions, payments. Money in fen; periods half-open."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

UPLOADED, RESULT = "upload", "result"
"""Kinds of kept files."""


class KeptFile(msgspec.Struct, frozen=True):
    """A file that an institution uploaded or that was made for it; can be fetched before ``kept_until``."""

    file_no: str
    admdvs: str
    fixmedins_code: str
    kind: str
    name: str
    content: bytes
    digest: bytes
    made_at: datetime
    kept_until: datetime


class BookRow(msgspec.Struct, frozen=True):
    """One settlement as the institution's own book has it; ``setl_id`` is ``""`` where it knows none.

    Attributes:
        line: line of the uploaded file, from 1.
    """

    line: int
    setl_id: str
    mdtrt_id: str
    psn_no: str
    medfee_fen: int
    fund_fen: int
    account_fen: int
    is_refund: bool

    @property
    def amounts(self) -> tuple[int, int, int]:
        """Return total, fund and account, fen."""
        return self.medfee_fen, self.fund_fen, self.account_fen


class CentreRow(msgspec.Struct, frozen=True):
    """One settlement, refund or reinstatement as the platform booked it."""

    psn_no: str
    setl_id: str
    mdtrt_id: str
    fixmedins_code: str
    insutype: str
    clr_type: str
    clr_optins: str
    settled_on: date
    kind: str
    state: str
    origin_id: str | None
    medfee_fen: int
    fund_fen: int
    account_fen: int
    sender: str
    msgid: str

    @property
    def amounts(self) -> tuple[int, int, int]:
        """Return total, fund and account, fen."""
        return self.medfee_fen, self.fund_fen, self.account_fen


class Scope(msgspec.Struct, frozen=True):
    """What two books are compared over: days ``first`` to ``last``, both counted.

    Attributes:
        insutype: ``""`` for every insurance.
        with_refunds: refunds and reinstatements count.
    """

    fixmedins_code: str
    clr_optins: str
    clr_type: str
    insutype: str
    first: date
    last: date
    with_refunds: bool


class SeenMessage(msgspec.Struct, frozen=True):
    """A message that was refused or asked for again: evidence of why two books differ."""

    msgid: str
    infno: str
    outcome: str
    refusal_code: str | None
    mdtrt_id: str | None


class Claim(msgspec.Struct, frozen=True):
    """One row of ``clearing.claim``; the fields stand in the order of the table."""

    claim_id: str
    admdvs: str
    fixmedins_code: str
    kind: str
    clr_type: str
    clr_way: str
    period: str
    begin_on: date
    end_before: date
    state: str
    settlements: int
    visits: int
    medfee_fen: int
    scope_fen: int
    fund_fen: int
    account_fen: int
    cash_fen: int
    payable_fen: int
    deducted_fen: int
    fund_type: str
    basis: str
    claimed_at: datetime
    claimed_by: str
    reviewed_at: datetime | None = None
    reviewed_by: str | None = None
    approved_at: datetime | None = None
    approved_by: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    closed_reason: str | None = None
    payment_id: str | None = None

    @property
    def due_fen(self) -> int:
        """Return what is to be paid for this claim: negative when the institution gives back."""
        return self.payable_fen - self.deducted_fen


class Deduction(msgspec.Struct, frozen=True):
    """Money a decision takes from a claim (+) or gives back (-); the fields stand in the order of the table.

    Attributes:
        source: ``supervision`` for a decided review, ``manual`` for one the reviewer writes.
        admdvs: region whose funds keep it.
    """

    claim_id: str
    deduction_no: str
    admdvs: str
    source: str
    psn_no: str | None
    setl_id: str | None
    amount_fen: int
    reason: str
    decided_by: str
    taken_at: datetime
    is_live: bool = True


class Payee(msgspec.Struct, frozen=True):
    """The bank account of an institution, set by one person and checked by another."""

    fixmedins_code: str
    admdvs: str
    bank_name: str
    account_name: str
    account_no: str
    set_by: str
    checked_by: str
    set_at: datetime


class Payment(msgspec.Struct, frozen=True):
    """One transfer to an institution, or claims that cancel out (state ``offset``, no file)."""

    payment_id: str
    admdvs: str
    fixmedins_code: str
    file_no: str | None
    amount_fen: int
    account_no: str
    state: str
    bank_ref: str
    reason: str
    made_at: datetime
    ended_at: datetime | None


class PaymentFile(msgspec.Struct, frozen=True):
    """An order to the bank: how many payments, their sum, and the SM3 digest of the file."""

    file_no: str
    admdvs: str
    payments: int
    sum_fen: int
    digest: bytes
    content: bytes
    made_by: str
    made_at: datetime
