"""Frozen records: payouts and their files, messages of parties, and cases to work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed to somebody and goes out through the bank; the deed that owes it has posted the debt.

    Attributes:
        payout_id: given by the deed; the same payout is ordered once.
        purpose: ``refund``, ``withdrawal``, ``inheritance``, ``reimbursement``, ``transfer`` ...
        psn_no: whom it concerns, or the employer's number.
        amount_fen: more than nothing.
        origin: id of the deed behind it; the bank gives it to the payee as reference.
    """

    payout_id: str
    admdvs: str
    purpose: str
    psn_no: str
    payee_name: str
    bank_name: str
    bank_account: str
    amount_fen: int
    origin: str


class PayoutRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payout as it stands; the fields stand in the order of table ``exchange.payout``."""

    payout_id: str
    admdvs: str
    purpose: str
    psn_no: str
    payee_name: str
    bank_name: str
    bank_account: str
    amount_fen: int
    origin: str
    state: str
    attempt: int
    file_id: str | None
    code: str
    reason: str
    ordered_by: str
    ordered_at: datetime
    ended_at: datetime | None

    @property
    def line_id(self) -> str:
        """Return what the bank knows this attempt by."""
        return f"{self.payout_id}-{self.attempt}"


class PayoutFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of payouts; the fields stand in the order of table ``exchange.payout_file``."""

    file_id: str
    admdvs: str
    count: int
    amount_fen: int
    digest: str
    state: str
    made_by: str
    made_at: datetime
    checked_by: str | None = None
    checked_at: datetime | None = None
    answered_at: datetime | None = None


class PayoutLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a file; the fields stand in the order of table ``exchange.payout_line``."""

    file_id: str
    line_id: str
    admdvs: str
    payout_id: str
    line: str
    amount_fen: int
    code: str = ""
    bank_ref: str = ""
    reason: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank says of one line; ``code`` ``00`` is paid, anything else is not."""

    line_id: str
    code: str
    amount_fen: int
    bank_ref: str = ""
    reason: str = ""


class PayoutReturn(msgspec.Struct, frozen=True, kw_only=True):
    """The bank's answer to a file, whole or in parts."""

    file_id: str
    rows: tuple[Outcome, ...]
    count: int
    digest: str


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a party as it came; ``digest`` is what the party said, hexadecimal."""

    no: int
    id: str
    kind: str
    admdvs: str
    body: dict[str, Any]
    digest: str


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a party as it is kept; the fields stand in the order of table ``exchange.inbox``."""

    party: str
    message_id: str
    no: int
    admdvs: str
    kind: str
    body: str
    digest: bytes
    received_at: datetime
    outcome: str


class WorkCase(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has to look into; the fields stand in the order of table ``exchange.case``."""

    case_id: str
    admdvs: str
    party: str
    message_id: str
    kind: str
    code: str
    says: str
    opened_at: datetime
    state: str = "open"
    closed_at: datetime | None = None
    closed_by: str | None = None
    note: str = ""
