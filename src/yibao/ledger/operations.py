"""The one write of the ledger outside a settlement's own statement."""

from __future__ import annotations

import msgspec

from yibao.infra.database import Connection
from yibao.ledger.posting import Posting

INSERT = "insert into ledger.posting select ($1::ledger.posting).*"


async def post(tx: Connection, posting: Posting) -> None:
    """Write a posting that touches no personal account; its key makes a second one impossible.

    A posting that moves a personal account is written with the balance, by the settlement's own statement.
    """
    if sum(posting.amounts) != 0:
        raise AssertionError("a posting must sum to zero")
    if any(account.startswith("account:") for account in posting.accounts):
        raise AssertionError("a personal account is moved with its balance only")
    await tx.execute(INSERT, msgspec.structs.astuple(posting))
