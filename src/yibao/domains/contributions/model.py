"""Frozen records of dues, bills and payments; the fields stand in the order of their tables."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

LIVE_BASIC = ("regular", "back")
UNPAID = ("assessed", "sent")
PAID = ("paid", "arrived", "credited")
DEAD = ("cancelled", "refunded")


class Due(msgspec.Struct, frozen=True):
    """What is owed for a person and some months; ``total_fen`` is the sum of ``amounts``, the surcharge stands beside it."""

    psn_no: str
    due_id: str
    admdvs: str
    relation_id: str
    insutype: str
    month: date
    months: int
    kind: str
    payer_kind: str
    payer_no: str
    base_fen: int
    parts: list[str]
    amounts: list[int]
    funds: list[str]
    total_fen: int
    surcharge_fen: int
    bill_id: str
    state: str
    assessed_at: datetime
    sent_at: datetime | None
    paid_on: date | None
    paid_at: datetime | None
    arrived_on: date | None
    arrived_at: datetime | None
    credited_at: datetime | None
    policy_version: str

    @property
    def owed_fen(self) -> int:
        """Return what is to be paid, surcharge included."""
        return self.total_fen + self.surcharge_fen

    @property
    def key(self) -> str:
        """Return person and due as one word."""
        return f"{self.psn_no}/{self.due_id}"


class Bill(msgspec.Struct, frozen=True):
    """What one payer owes at once."""

    bill_id: str
    admdvs: str
    payer_kind: str
    payer_no: str
    payer_name: str
    kind: str
    month: date
    ordinal: int
    count: int
    amount_fen: int
    state: str
    due_on: date
    pay_from: date
    pay_until: date | None
    channels: list[str]
    digest: str
    made_at: datetime
    sent_at: datetime | None = None
    paid_on: date | None = None
    paid_at: datetime | None = None
    arrived_on: date | None = None
    closed_at: datetime | None = None


class PaymentRow(msgspec.Struct, frozen=True):
    """A payment as the tax bureau (or the treasury) told it, and what became of its money."""

    payment_id: str
    admdvs: str
    bill_id: str
    payer_no: str
    amount_fen: int
    channel: str
    paid_at: datetime
    paid_on: date
    recorded_at: datetime
    state: str
    allocated_fen: int
    refunded_fen: int
    arrival_id: str | None
    arrived_on: date | None
    arrived_at: datetime | None
    origin: str
    is_held: bool = False

    @property
    def free_fen(self) -> int:
        """Return what pays no bill and is not given back: the payer's credit."""
        return 0 if self.state == "returned" else self.amount_fen - self.allocated_fen - self.refunded_fen


class Refund(msgspec.Struct, frozen=True):
    """Money asked back, decided by two people, given back through the tax bureau."""

    refund_id: str
    admdvs: str
    payment_id: str
    payer_no: str
    amount_fen: int
    due_keys: list[str]
    reason: str
    state: str
    made_by: str
    made_at: datetime
    checked_by: str | None
    checked_at: datetime | None
    done_on: date | None


class WorkCase(msgspec.Struct, frozen=True):
    """Something that somebody has to look at; its id is natural, so that it is opened once."""

    case_id: str
    admdvs: str
    kind: str
    payment_id: str
    bill_id: str
    payer_no: str
    psn_no: str
    amount_fen: int
    says: str
    state: str
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: str = ""
    outcome: str = ""


class Base(msgspec.Struct, frozen=True):
    """A declared base: the wage, and what the law's band of the first month makes of it."""

    psn_no: str
    relation_id: str
    valid_from: date
    admdvs: str
    emp_no: str
    wage_fen: int
    base_fen: int
    adjusted: str
    declared_at: datetime
    declared_by: str
    policy_version: str
