"""Registers as facts: numbered rows with papers and steps, books. Money in fen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

RECEIVED, READY = "received", "ready"
DONE, REFUSED, WITHDRAWN, CLAIMED, LAPSED = "done", "refused", "withdrawn", "claimed", "lapsed"
OPEN_STATES = frozenset({RECEIVED, READY})
STATES: Mapping[str, str] = {
    RECEIVED: "已登记造册", READY: "可以办理", DONE: "已办结", REFUSED: "未能办理", WITHDRAWN: "已撤回",
    CLAIMED: "转手工报销", LAPSED: "逾期未办",
}
"""States of a row and what every channel calls them; all but the first two are ends."""

TRANSFER_PAPERS, COUNTER, ONLINE, HELD_OPEN, DEPOSIT = (
    "transfer_papers", "counter_intake", "online_intake", "held_open", "deposit")
PAID_IN_FULL, NEGOTIATED_DRUG, SELF_PAY, CREDENTIAL = "paid_in_full", "negotiated_drug", "self_pay", "credential"
LATE_FILING, PAPER_PROOF, DELEGATED, PAYMENT_RETURNED = "late_filing", "paper_proof", "delegated", "payment_returned"
DEADLINE_MOVE, CREDIT_FAILURE, CASH_DIFFERENCE = "deadline_move", "credit_failure", "cash_difference"
"""Kinds of books, as in data/windows/registers.csv."""

REQUIRED, MAY = "required", "may"


class Paper(msgspec.Struct, frozen=True):
    """A paper as it was handed in: a scan, or what stands on it as JSON; ``code`` is ``""`` where nobody asks for it.

    ``digest`` is given where the content is kept elsewhere.
    """

    code: str
    title: str
    content: bytes
    file_name: str = ""
    digest: bytes = b""


class KeptPaper(msgspec.Struct, frozen=True):
    """A paper as it is kept; ``digest`` is SM3 of the content."""

    code: str
    title: str
    file_name: str
    content: bytes
    digest: bytes


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a new row of a book says.

    Attributes:
        kind: book, one of data/windows/registers.csv. plan: name of the window's plan, ``""`` without one.
        origin: what the row stands for (``episode/<id>``, ``application/<id>``); the same again is the same row.
        effective_on: from when it holds once it is done; due_on, moved_from: its last day, and that before the move.
        amount_fen: of the bill or the payment behind it. paid_fen: cash given beforehand.
    """

    admdvs: str
    kind: str
    plan: str
    applicant_name: str
    business: str = ""
    psn_no: str = ""
    emp_no: str = ""
    phone: str = ""
    fixmedins_code: str = ""
    channel: str = ""
    effective_on: date | None = None
    due_on: date | None = None
    moved_from: date | None = None
    amount_fen: int = 0
    paid_fen: int = 0
    origin: str = ""
    body: Mapping[str, Any] = {}
    papers: tuple[Paper, ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a book; ``body`` is JSON. ``plan`` to ``origin`` as in ``NewEntry``.

    Attributes:
        due_fen: cash that was due in the end; back_fen, topup_fen: what was given back or asked for beyond ``paid_fen``.
        owner: who answers for a row that was left over when its book closed, until ``owner_until``.
    """

    admdvs: str
    register_no: str
    kind: str
    plan: str
    business: str
    psn_no: str
    emp_no: str
    applicant_name: str
    phone: str
    fixmedins_code: str
    division: str
    received_at: datetime
    received_by: str
    channel: str
    effective_on: date | None
    due_on: date | None
    moved_from: date | None
    state: str
    reason: str = ""
    result: str = ""
    ready_at: datetime | None = None
    tried_at: datetime | None = None
    ended_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str = ""
    owner: str = ""
    owner_until: date | None = None
    amount_fen: int = 0
    paid_fen: int = 0
    due_fen: int = 0
    back_fen: int = 0
    topup_fen: int = 0
    origin: str = ""
    body: str = "{}"

    @property
    def is_open(self) -> bool:
        """Say whether something is still to be done about it."""
        return self.state in OPEN_STATES


class Step(msgspec.Struct, frozen=True):
    """Something that happened to a row; ``state`` is that after it."""

    what: str
    state: str
    at: datetime
    actor: str
    channel: str
    says: str


class Kind(msgspec.Struct, frozen=True):
    """A kind of book: ``money`` is ``""`` where no money is in it; ``keeper`` is ``agency`` or ``institution``."""

    code: str
    title: str
    money: str
    keeper: str


class AskedPaper(msgspec.Struct, frozen=True):
    """A paper that a kind of row asks for (``required``) or takes (``may``)."""

    kind: str
    ordinal: int
    code: str
    title: str
    rule: str
