"""3202: compare an institution's book with the platform's settlement by settlement."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from yibao.domains.clearing.differences import Compared, Evidence, compare_books
from yibao.domains.clearing.model import BookRow, Scope
from yibao.domains.clearing.reconciliation_queries import list_in_scope, list_messages, list_named
from yibao.infra.database import Connection

SETTLING = ("2207", "2207A", "2304", "2102")
"""Messages that settle: a refused one explains why the institution has what the platform has not."""


async def reconcile_details(tx: Connection, *, scope: Scope, book: Sequence[BookRow]) -> list[Compared]:
    """Return every row of the book with what is wrong with it, then what only the platform has."""
    centre = await list_in_scope(tx, scope)
    in_scope = {row.setl_id for row in centre}
    named = {row.setl_id for row in book if row.setl_id}
    elsewhere = await list_named(tx, sorted(named - in_scope))
    missing = [row for row in centre if row.setl_id not in named]
    messages = await list_messages(
        tx, sender=scope.fixmedins_code, msgids=(row.msgid for row in missing), infnos=SETTLING,
        mdtrt_ids=[row.mdtrt_id for row in book if not row.setl_id] + [row.mdtrt_id for row in missing],
    )
    evidence = Evidence({row.setl_id: row for row in elsewhere}, messages)
    # Tens of thousands of rows take a part of a second: not on the loop that settles.
    return await asyncio.to_thread(compare_books, book, centre, scope=scope, evidence=evidence)
