"""Records of what was decided about an account; the fields stand in the order of their tables."""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it stands; ``freeze_id`` of the freeze in force, None if it is free."""

    psn_no: str
    admdvs: str
    balance_fen: int
    opened_on: date
    is_frozen: bool
    freeze_id: str | None = None


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """A payout of a whole account, proposed by one person and decided by another."""

    psn_no: str
    withdrawal_id: str
    admdvs: str
    kind: str
    cause: str
    document: str
    amount_fen: int
    heir_no: str | None
    payee_name: str
    bank_name: str
    bank_account: str
    state: str
    made_at: datetime
    made_by: str
    checked_at: datetime | None = None
    checked_by: str | None = None
    note: str = ""


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """A relative whom the owner sees."""

    psn_no: str
    member_no: str
    begin_on: date
    admdvs: str
    kinship: str
    is_minor: bool
    consent: str
    end_on: date | None
    bound_at: datetime
    bound_by: str
    ended_by: str | None = None


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account (``sharer_no``) pays for whom (``psn_no``)."""

    psn_no: str
    share_id: str
    admdvs: str
    sharer_no: str
    kinship: str
    rank: int
    once_limit_fen: int | None
    year_limit_fen: int | None
    begin_on: date
    end_on: date | None
    consent: str
    made_at: datetime
    made_by: str
    ended_by: str | None = None


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """How the bank reaches an account."""

    psn_no: str
    admdvs: str
    kind: str
    card_no: str
    bank_name: str
    bank_account: str
    has_finance: bool
    is_active: bool
    changed_at: datetime
    changed_by: str


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A person with the own account, as far as decisions about it ask; balance None where there is no account."""

    psn_no: str
    admdvs: str
    name: str
    birth_on: date
    died_on: date | None
    balance_fen: int | None
    is_frozen: bool
    opened_on: date | None
    is_enrolled: bool
