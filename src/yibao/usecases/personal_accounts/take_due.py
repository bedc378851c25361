"""Take dues from personal accounts: care insurance, a retiree's large amount. Called inside the deed that books the due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.infra.database import Connection
from yibao.ledger.operations import move_account, move_accounts
from yibao.ledger.posting import Posting, fund_account, personal_account


class TakeDue(msgspec.Struct, frozen=True, kw_only=True):
    """A due that an account pays; ``funds`` are (fund code, fen) of its parts."""

    psn_no: str
    admdvs: str
    due_id: str
    funds: tuple[tuple[str, int], ...]


async def take_due(
    tx: Connection, *, psn_no: str, admdvs: str, amount_fen: int, funds: Sequence[tuple[str, int]], due_id: str,
    now: datetime,
) -> bool:
    """Take a due from a person's account and give it to the funds; the same due again takes nothing more.

    Returns:
        False, and nothing is written, where the balance is too low, the account frozen or not there.
    """
    due = TakeDue(psn_no=psn_no, admdvs=admdvs, due_id=due_id, funds=tuple(funds))
    if sum(fen for _, fen in funds) != amount_fen:
        raise AssertionError("a due is the sum of what its funds receive")
    if not amount_fen:
        return True
    return await move_account(tx, _posting(due, now)) is not None


async def take_dues(tx: Connection, dues: Sequence[TakeDue], *, now: datetime) -> set[str]:
    """Take many dues at once, one of a person at most, and return the people whose account could not pay."""
    postings = [_posting(due, now) for due in dues if any(fen for _, fen in due.funds)]
    return set(await move_accounts(tx, postings, posted_at=now))


async def give_back_due(
    tx: Connection, *, psn_no: str, admdvs: str, amount_fen: int, funds: Sequence[tuple[str, int]], due_id: str,
    now: datetime,
) -> bool:
    """Give back what ``take_due`` took, to the fen; again gives nothing more."""
    due = TakeDue(psn_no=psn_no, admdvs=admdvs, due_id=due_id, funds=tuple((f, -fen) for f, fen in funds))
    if not amount_fen:
        return True
    posting = msgspec.structs.replace(_posting(due, now), posting_id=f"adr-{due_id}", origin_id=f"ad-{due_id}")
    return await move_account(tx, posting) is not None


def _posting(due: TakeDue, now: datetime) -> Posting:
    legs = [(fund_account(due.admdvs, fund), fen) for fund, fen in due.funds if fen]
    return Posting(
        due.psn_no, f"ad-{due.due_id}", due.admdvs, "account_due", now, None, None,
        [*(account for account, _ in legs), personal_account(due.psn_no)],
        [*(fen for _, fen in legs), -sum(fen for _, fen in legs)], 0,
    )
