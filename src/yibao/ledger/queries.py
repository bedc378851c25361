"""What the ledger says of an account."""

from __future__ import annotations

from yibao.infra.database import Connection

# Walks the postings: for checks and statements of an agency, never for a message. Nothing keeps this sum, so that no
# settlement has to wait for another one at the same hospital.
BALANCE = """
select coalesce(sum(leg.amount), 0)::bigint from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, amount)
where leg.account = $1 and p.accounts @> array[$1]
"""


async def balance_of(tx: Connection, account: str) -> int:
    """Return what an account received less what it gave, fen."""
    balance: int = await tx.fetchval(BALANCE, account)
    return balance
