"""Make the spells of everybody of a region anew: after the law has changed, or after people were loaded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from yibao.infra.database import Database
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf

NEXT = """
select distinct psn_no from enrolment.relation where admdvs = $1 and psn_no > $2 order by psn_no limit $3
"""


class Refreshed(msgspec.Struct, frozen=True):
    """How many persons were looked at, and whose status became another one."""

    persons: int
    changed: int


async def refresh_region(
    database: Database, *, admdvs: str, now: datetime, shelf: PolicyShelf,
    progress: Callable[[str], None] | None = None, chunk: int = 2_000,
) -> Refreshed:
    """Recompute a region in chunks, one transaction each; cut off and begun again it comes to the same."""
    persons = changed = 0
    after = ""
    while True:
        async with database.transaction() as tx:
            found = [row["psn_no"] for row in await tx.fetch(NEXT, admdvs, after, chunk)]
            if not found:
                return Refreshed(persons, changed)
            changed += await refresh_entitlement(tx, found, now=now, shelf=shelf)
        persons, after = persons + len(found), found[-1]
        if progress is not None:
            progress(f"已重算{persons}人，{changed}人有变化")
