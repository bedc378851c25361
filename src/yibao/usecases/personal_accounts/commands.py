"""What is asked of a personal account. Amounts in fen, periods half-open."""

from __future__ import annotations

from datetime import date

import msgspec


class _Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every command is: frozen, by keyword, and nothing beside it."""


class FreezeAccount(_Command, frozen=True, kw_only=True):
    """Freeze an account: it receives and keeps, and pays nothing. ``document`` is the paper behind it."""

    psn_no: str
    cause: str
    document: str


class ReleaseAccount(_Command, frozen=True, kw_only=True):
    """End a freeze."""

    psn_no: str
    document: str


class WithdrawAccount(_Command, frozen=True, kw_only=True):
    """Pay out an account as a whole, for a cause that the law names."""

    psn_no: str
    cause: str
    document: str
    payee_name: str
    bank_name: str
    bank_account: str


class InheritAccount(_Command, frozen=True, kw_only=True):
    """Give a dead person's account to an heir: into the heir's own account, or through the bank."""

    psn_no: str
    document: str
    heir_no: str = ""
    payee_name: str = ""
    bank_name: str = ""
    bank_account: str = ""


class DecideWithdrawal(_Command, frozen=True, kw_only=True):
    """Approve or reject what a colleague proposed."""

    psn_no: str
    withdrawal_id: str
    approve: bool
    note: str = ""


class BindFamily(_Command, frozen=True, kw_only=True):
    """Let the owner see a relative and show the relative's code; nothing can be spent by it.

    Attributes:
        kinship: the member as the owner calls him or her, a word of the law's circle.
        consent: paper by which the member agrees; a minor's is the guardian's.
    """

    psn_no: str
    member_no: str
    kinship: str
    consent: str


class UnbindFamily(_Command, frozen=True, kw_only=True):
    """End a binding; sharing ends only by itself."""

    psn_no: str
    member_no: str


class ShareAccount(_Command, frozen=True, kw_only=True):
    """Let a member's bills be paid from the sharer's account, after the member's own.

    Attributes:
        kinship: the member as the sharer calls him or her.
        consent: paper by which the sharer agrees.
        rank: order among those who share with one member, the lowest first.
        once_limit_fen: most of one settlement, None for no limit; year_limit_fen: of one calendar year.
        begin_on: None means today.
    """

    sharer_no: str
    member_no: str
    kinship: str
    consent: str
    rank: int = 1
    once_limit_fen: int | None = None
    year_limit_fen: int | None = None
    begin_on: date | None = None
    end_on: date | None = None


class StopSharing(_Command, frozen=True, kw_only=True):
    """End sharing from today."""

    sharer_no: str
    member_no: str


class SetChannel(_Command, frozen=True, kw_only=True):
    """Record how the bank reaches an account: by the social-security ``card``, or by a ``bank`` account of the off-site."""

    psn_no: str
    kind: str
    card_no: str = ""
    bank_name: str = ""
    bank_account: str = ""
    has_finance: bool = True
    is_active: bool = True
