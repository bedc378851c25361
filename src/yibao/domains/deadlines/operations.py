"""Writes of promises, moves and dues in transit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.deadlines.model import Move, Term, Transit
from yibao.infra.database import Connection

_TERM = [f.name for f in msgspec.structs.fields(Term)]
_TRANSIT = [f.name for f in msgspec.structs.fields(Transit)]


def _insert(table: str, names: Sequence[str]) -> str:
    head = "insert into " + table
    return f"{head} ({', '.join(names)}) values ({', '.join(f'${n}' for n in range(1, len(names) + 1))})"


# What was ended and comes back at the same instant was never ended.
ADD_TERM = f"""{_insert("deadlines.term", _TERM)}
on conflict (admdvs, plan, version, rule, kind, what, noted_at) do update set ended_at = null"""
END_TERM = """
update deadlines.term set ended_at = $6
where admdvs = $1 and plan = $2 and rule = $3 and kind = $4 and what = $5 and ended_at is null
"""
ADD_MOVE = """
insert into deadlines.move (object_kind, object_id, admdvs, psn_no, clock, plan, version, rule, was_on, due_on, says, moved_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (object_kind, object_id, clock, plan, version, rule, due_on) do nothing
"""
_NOTED = ", ".join(f"{n} = excluded.{n}" for n in _TRANSIT if n not in ("psn_no", "insutype", "month"))
NOTE = f"{_insert('deadlines.transit', _TRANSIT)} on conflict (psn_no, insutype, month) do update set {_NOTED}"
END = """
update deadlines.transit set state = $4, ended_at = $5
where psn_no = $1 and insutype = $2 and month = $3 and state = 'in_transit'
"""
RELEASE = """
insert into deadlines.release (psn_no, object_kind, object_id, admdvs, business, months, released_at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (psn_no, object_kind, object_id) do nothing returning 1
"""


async def add_terms(tx: Connection, terms: Iterable[Term]) -> None:
    """Write promises."""
    await tx.executemany(ADD_TERM, [msgspec.structs.astuple(t) for t in terms])


async def end_terms(tx: Connection, terms: Iterable[Term], *, now: datetime) -> None:
    """End promises that hold no longer."""
    await tx.executemany(END_TERM, [(t.admdvs, t.plan, t.rule, t.kind, t.what, now) for t in terms])


async def add_moves(
    tx: Connection, moves: Iterable[Move], *, object_kind: str, object_id: str, admdvs: str, psn_no: str, now: datetime
) -> None:
    """Write the steps of a last day; one that is written is left alone."""
    await tx.executemany(ADD_MOVE, [
        (object_kind, object_id, admdvs, psn_no, m.clock, m.plan, m.version, m.rule, m.was_on, m.due_on, m.says, now)
        for m in moves
    ])


async def note_transits(tx: Connection, transits: Iterable[Transit]) -> None:
    """Write dues in transit; a later word about the same month takes the place of the earlier one."""
    await tx.executemany(NOTE, [msgspec.structs.astuple(t) for t in transits])


async def end_transit(tx: Connection, transit: Transit, *, state: str, now: datetime) -> None:
    """Say what became of dues in transit."""
    await tx.execute(END, transit.psn_no, transit.insutype, transit.month, state, now)


async def add_release(
    tx: Connection, *, psn_no: str, object_kind: str, object_id: str, admdvs: str, business: str, months: Sequence[date],
    now: datetime,
) -> bool:
    """Write that something held may go on; False where that was written before."""
    return bool(await tx.fetchval(RELEASE, psn_no, object_kind, object_id, admdvs, business, list(months), now))
