"""The statement of an account: every posting of it, with the balance after each, from the ledger itself."""

from __future__ import annotations

from datetime import date, datetime, time

import msgspec

from yibao.domains.personal_accounts.words import KINDS
from yibao.infra.database import Connection
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal
from yibao.usecases.personal_accounts.freeze_account import no_account

ACCOUNT = """
select a.balance_fen, a.opened_on, a.is_frozen, n.name from people.person n
join ledger.personal_account a on a.psn_no = n.psn_no where n.psn_no = $1
"""
# An account is moved by postings under the number of its owner only.
LINES = """
select p.posting_id, p.kind, p.posted_at, p.setl_id, p.origin_id, leg.amount, u.member_no, m.name as member_name
from ledger.posting p cross join lateral unnest(p.accounts, p.amounts) leg(account, amount)
left join personal_accounts.shared_use u on u.psn_no = p.psn_no and u.setl_id = p.posting_id
left join people.person m on m.psn_no = u.member_no
where p.psn_no = $1 and leg.account = 'account:' || $1
order by p.posted_at, p.posting_id
"""


class StatementLine(msgspec.Struct, frozen=True):
    """One posting of the account; ``amount_fen`` is what it received (+) or gave (-), then the balance."""

    posted_at: datetime
    kind: str
    words: str
    amount_fen: int
    balance_fen: int
    posting_id: str
    setl_id: str | None


class Statement(msgspec.Struct, frozen=True):
    """A statement of a period (half-open). ``ties`` says that the ledger's postings sum to the balance that is kept."""

    psn_no: str
    begin: date | None
    end: date | None
    opening_fen: int
    lines: tuple[StatementLine, ...]
    in_fen: int
    out_fen: int
    closing_fen: int
    balance_fen: int
    is_frozen: bool
    ties: bool


async def account_statement(
    tx: Connection, psn_no: str, *, begin: date | None = None, end: date | None = None
) -> Statement | Refusal:
    """Return what moved an account in a period of business days, with what stood before and after.

    Args:
        begin: first day, None from the opening on; end: first day after it, None until now.
    """
    account = await tx.fetchrow(ACCOUNT, psn_no)
    if account is None:
        return no_account(psn_no)
    since, until = _instant(begin), _instant(end)
    opening = total = 0
    lines = []
    for row in await tx.fetch(LINES, psn_no):
        total += row["amount"]
        if since is not None and row["posted_at"] < since:
            opening = total
        elif until is None or row["posted_at"] < until:
            words = KINDS.get(row["kind"], row["kind"])
            if row["member_no"]:
                words = f"共济：为{row['member_name']}{words}"
            lines.append(StatementLine(row["posted_at"], row["kind"], words, row["amount"], total, row["posting_id"],
                                       row["setl_id"]))
    return Statement(
        psn_no, begin, end, opening, tuple(lines), sum(x.amount_fen for x in lines if x.amount_fen > 0),
        -sum(x.amount_fen for x in lines if x.amount_fen < 0), opening + sum(x.amount_fen for x in lines),
        account["balance_fen"], account["is_frozen"], total == account["balance_fen"],
    )


def _instant(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), SHANGHAI)

