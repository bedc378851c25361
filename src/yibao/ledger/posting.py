"""Double entry: one row per posting, its legs as arrays that sum to zero (I2).

An amount is what an account receives (+) or gives (-), in fen. A settlement takes from the funds and
the personal account and gives to the institution's payable; cash changes hands at the till and is
kept as a memo. A reversal is a new posting that mirrors its origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec


class Posting(msgspec.Struct, frozen=True):
    """One posting; the fields stand in the order of table ``ledger.posting``."""

    psn_no: str
    posting_id: str
    admdvs: str
    kind: str
    posted_at: datetime
    setl_id: str | None
    origin_id: str | None
    accounts: list[str]
    amounts: list[int]
    cash_fen: int

    def of(self, account: str) -> int:
        """Return what this posting gives to one account, fen."""
        return sum(a for n, a in zip(self.accounts, self.amounts, strict=True) if n == account)


def fund_account(admdvs: str, fund_pay_type: str) -> str:
    """Return the ledger account of a fund of a region."""
    return f"fund:{admdvs}:{fund_pay_type}"


def personal_account(psn_no: str) -> str:
    """Return the ledger account of a person's own account."""
    return f"account:{psn_no}"


def payable(fixmedins_code: str) -> str:
    """Return the ledger account of what is owed to an institution."""
    return f"payable:{fixmedins_code}"


def bank(admdvs: str) -> str:
    """Return the ledger account of what a region's agency has paid through its bank."""
    return f"bank:{admdvs}"


def payout(admdvs: str) -> str:
    """Return the ledger account of what is owed to people and not yet paid by the bank."""
    return f"payout:{admdvs}"


_DESK = "JB"


def claim_desk(admdvs: str) -> str:
    """Return what stands for the institution where a region settles a claim by hand: its own desk, never a hospital.

    The same as ``claims.desk`` in the database.
    """
    return f"{_DESK}{admdvs}0000"


def is_claim_desk(code: str) -> bool:
    """Say whether a settlement's institution is a region's own desk."""
    return code.startswith(_DESK)


def creditor_of(fixmedins_code: str, admdvs: str) -> str:
    """Return the ledger account that a settlement pays: the institution's, or, for a claim, what is owed to people."""
    return payout(admdvs) if is_claim_desk(fixmedins_code) else payable(fixmedins_code)


def owed_back(admdvs: str) -> str:
    """Return the ledger account of what people were paid too much by a region and owe back."""
    return f"owed:{admdvs}"


def account_posting(
    kind: str, *, psn_no: str, posting_id: str, admdvs: str, posted_at: datetime, amount: int, other: str,
    origin_id: str | None = None,
) -> Posting:
    """Return a posting between a person's own account and one other account.

    Args:
        amount: what the personal account receives (+) or gives (-), fen.
        other: the ledger account on the other side.
    """
    return Posting(
        psn_no, posting_id, admdvs, kind, posted_at, None, origin_id, [other, personal_account(psn_no)], [-amount, amount], 0
    )


def settlement_posting(
    *, psn_no: str, setl_id: str, admdvs: str, fixmedins_code: str, posted_at: datetime,
    funds: Iterable[tuple[str, int]], account_fen: int, cash_fen: int,
) -> Posting:
    """Return the posting of a settlement: funds and account pay the institution, or the person who claims by hand.

    Args:
        funds: (fund_pay_type, fen) of every fund with a share.
        account_fen: what the own account bears; cash_fen: what is paid at the till (memo only).
    """
    accounts: list[str] = []
    amounts: list[int] = []
    for fund_pay_type, amount in funds:
        accounts.append(fund_account(admdvs, fund_pay_type))
        amounts.append(-amount)
    if account_fen:
        accounts.append(personal_account(psn_no))
        amounts.append(-account_fen)
    accounts.append(creditor_of(fixmedins_code, admdvs))
    amounts.append(-sum(amounts))
    return Posting(
        psn_no, setl_id, admdvs, "settlement", posted_at, setl_id, None, accounts, amounts, cash_fen
    )


def mirror(origin: Posting, *, posting_id: str, kind: str, posted_at: datetime) -> Posting:
    """Return the posting that undoes ``origin``: the same legs with the sign turned."""
    return Posting(
        origin.psn_no, posting_id, origin.admdvs, kind, posted_at, posting_id, origin.posting_id,
        list(origin.accounts), [-a for a in origin.amounts], -origin.cash_fen,
    )


def agency_posting(
    kind: str, *, posting_id: str, admdvs: str, fixmedins_code: str, posted_at: datetime, legs: Iterable[tuple[str, int]],
    setl_id: str | None = None,
) -> Posting | None:
    """Return the posting of an agency's decision about an institution; no person is concerned.

    Args:
        kind: ``deduction``, ``year_end`` or ``payment``.
        legs: (account, fen) of every account but the institution's payable, which takes the other side.

    Returns:
        the posting, or None where nothing moves.
    """
    sums: dict[str, int] = {}
    for account, amount in legs:
        sums[account] = sums.get(account, 0) + amount
    sums = {account: amount for account, amount in sums.items() if amount}
    if not sums:
        return None
    owed = -sum(sums.values())
    accounts, amounts = [*sums, payable(fixmedins_code)], [*sums.values(), owed]
    if not owed:
        accounts, amounts = accounts[:-1], amounts[:-1]
    return Posting(fixmedins_code, posting_id, admdvs, kind, posted_at, setl_id, None, accounts, amounts, 0)
