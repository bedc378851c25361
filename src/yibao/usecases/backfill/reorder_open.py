"""Put every year in order that something came late into: after each backfill, and again by the worker."""

from __future__ import annotations

from yibao.infra.database import Database
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.usecases.backfill.reorder_year import Reordered, Year, reorder_year
from yibao.usecases.settlement.shelf import PolicyShelf

OPEN = """
select distinct psn_no, insutype, year from backfill.late_entry
where reorder and ($1 = '' or psn_no = $1) order by psn_no, insutype, year limit $2
"""
AT_ONCE = 200


async def reorder_open(
    database: Database, *, shelf: PolicyShelf, clock: Clock, ids: Ids, psn_no: str = ""
) -> list[Reordered]:
    """Put years in order, each in a transaction of its own; return what was settled again or has to be looked at.

    Done again it finds nothing. ``psn_no`` ``""`` is everybody, a couple of hundred years at once.
    """
    done = []
    for row in await database.fetch(OPEN, psn_no, AT_ONCE):
        async with database.transaction() as tx:
            reordered = await reorder_year(tx, Year(*row), shelf=shelf, clock=clock, ids=ids)
        if reordered is not None:
            done.append(reordered)
    return done
