"""Transfers as facts: what one side knows, the sheet between them, the money that follows. Months are half-open runs."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

IN, OUT = "in", "out"
ASKED, MERGED, SENT, CLOSED, REFUSED, CANCELLED = "asked", "merged", "sent", "closed", "refused", "cancelled"
STATES = {
    ASKED: "已申请，待转出地办理", MERGED: "年限已合并，待账户资金到账",
    SENT: "信息表已发出，账户资金支付中",
    CLOSED: "已办结", REFUSED: "未予转出", CANCELLED: "已取消",
}
"""States of one side of a transfer and what they are called."""
PAID, DEEMED = "paid", "deemed"


class Run(msgspec.Struct, frozen=True):
    """Months in a row that were paid (or deemed so) in one region, from the first to before the last."""

    first_month: date
    until_month: date
    admdvs: str
    kind: str = PAID


class Sheet(msgspec.Struct, frozen=True):
    """信息表: what the old region says of somebody who leaves.

    Attributes:
        unnamed_months: months that count but of which nobody knows which they were.
        account_fen: balance of the personal account that follows through the bank.
    """

    name: str
    cert_type: str
    certno: str
    insutype: str
    runs: list[Run]
    unnamed_months: int
    account_fen: int
    last_relation_until: date | None
    issued_on: date


class Transfer(msgspec.Struct, frozen=True):
    """One side's view of a transfer; the fields stand in the order of table ``transfers.transfer``.

    Attributes:
        reference: number of the transfer on the side that asked; both sides know it.
        months: on the sheet; counted: of them new here; overlapping: of them counted here before.
    """

    psn_no: str
    transfer_id: str
    admdvs: str
    direction: str
    other_admdvs: str
    other_name: str
    insutype: str
    reference: str
    state: str
    begun_on: date
    due_on: date
    months: int
    counted: int
    overlapping: int
    account_fen: int
    received_fen: int
    reason: str
    application_id: str
    payout_id: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None


class Money(msgspec.Struct, frozen=True):
    """What another region's agency paid, as the bank told it; ``open`` until it fits a transfer."""

    payment_ref: str
    admdvs: str
    from_admdvs: str
    reference: str
    amount_fen: int
    arrived_on: date
    psn_no: str
    transfer_id: str
    state: str
    reason: str
    told_at: datetime


class Leaver(msgspec.Struct, frozen=True):
    """Somebody as the old region has them on the day they ask to leave.

    Attributes:
        open_relation: the basic relation that still runs, ``""`` if none.
        is_retired: a relation of a retired class exists.
        unpaid: months assessed and not paid; in_transit: paid and not arrived.
        balance_fen: of the personal account; is_frozen: nothing may leave it.
        until: first day after the last relation.
    """

    psn_no: str
    name: str
    cert_type: str
    certno: str
    died_on: date | None
    open_relation: str
    is_retired: bool
    unpaid: tuple[date, ...]
    in_transit: tuple[date, ...]
    runs: tuple[Run, ...]
    unnamed_months: int
    balance_fen: int
    is_frozen: bool
    until: date | None
