"""Writes of books. A number is drawn from the book's counter, which is held until the transaction ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.registers.model import Entry, KeptPaper, Step
from yibao.domains.registers.queries import Delegation
from yibao.infra.database import Connection

_NAMES = [f.name for f in msgspec.structs.fields(Entry)]
_INSERT = "insert into registers.entry"
INSERT = f"{_INSERT} ({', '.join(_NAMES)}) values ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))})"
_UPDATE = "update registers.entry"
_SET = ", ".join(f"{name} = ${n}" for n, name in enumerate(_NAMES[2:], 3))
REPLACE = f"{_UPDATE} set {_SET} where admdvs = $1 and register_no = $2"
NEXT = """
insert into registers.counter as c (admdvs, kind, last_no) values ($1, $2, 1)
on conflict (admdvs, kind) do update set last_no = c.last_no + 1 returning last_no
"""
STEP = """
insert into registers.step (admdvs, register_no, ordinal, what, state, at, actor, channel, says)
values ($1, $2, (select coalesce(max(ordinal), 0) + 1 from registers.step where admdvs = $1 and register_no = $2), $3, $4, $5,
        $6, $7, $8)
"""
PAPER = """
insert into registers.paper (admdvs, register_no, ordinal, paper, title, file_name, content, digest, given_at, given_by)
values ($1, $2, (select coalesce(max(ordinal), 0) + 1 from registers.paper where admdvs = $1 and register_no = $2), $3, $4,
        $5, $6, $7, $8, $9)
"""
CLOSING = """
insert into registers.book (admdvs, kind, plan, fixmedins_code, closed_at, closed_by, rows, owned, paid_fen, due_fen, back_fen,
    topup_fen, digest) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (admdvs, kind, plan, fixmedins_code) do update set closed_at = excluded.closed_at, closed_by = excluded.closed_by,
    rows = excluded.rows, owned = excluded.owned, paid_fen = excluded.paid_fen, due_fen = excluded.due_fen,
    back_fen = excluded.back_fen, topup_fen = excluded.topup_fen, digest = excluded.digest
"""
MONTH_BOOK = """
insert into registers.month_book (admdvs, fixmedins_code, kind, month, version, given_at, given_by, rows, paid_fen, digest,
    content, state)
select $1, $2, $3, $4, coalesce(max(version), 0) + 1, $5, $6, $7, $8, $9, $10, 'given' from registers.month_book
where admdvs = $1 and fixmedins_code = $2 and kind = $3 and month = $4 returning version
"""
CHECK_MONTH = """
update registers.month_book set state = $6, checked_at = $7, checked_by = $8, says = $9
where admdvs = $1 and fixmedins_code = $2 and kind = $3 and month = $4 and version = $5
"""
DELEGATION = """
insert into registers.delegation (admdvs, delegation_id, plan, rule, business, begin_at, end_at, opened_by, ended_by, ended_why)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def draw_number(tx: Connection, admdvs: str, kind: str) -> int:
    """Return the next number of a book; it is held for this transaction, so that numbers have no gaps."""
    return int(await tx.fetchval(NEXT, admdvs, kind))


async def insert_entry(tx: Connection, entry: Entry) -> None:
    """Write a new row."""
    await tx.execute(INSERT, *(getattr(entry, name) for name in _NAMES))


async def change_entry(tx: Connection, entry: Entry, **changes: Any) -> Entry:
    """Write a row with some fields changed, and return it so. Who calls it holds the row."""
    changed = msgspec.structs.replace(entry, **changes)
    await tx.execute(REPLACE, *(getattr(changed, name) for name in _NAMES))
    return changed


async def add_step(tx: Connection, entry: Entry, step: Step) -> None:
    """Write what happened to a row."""
    await tx.execute(STEP, entry.admdvs, entry.register_no, *msgspec.structs.astuple(step))


async def keep_papers(tx: Connection, entry: Entry, papers: Iterable[KeptPaper], *, by: str, now: datetime) -> None:
    """Write the papers of a row."""
    for paper in papers:
        await tx.execute(PAPER, entry.admdvs, entry.register_no, *msgspec.structs.astuple(paper), now, by)


async def keep_closing(tx: Connection, *values: Any) -> None:
    """Write how a book stood when it was closed, in the order of the table; closed anew it replaces what was kept."""
    await tx.execute(CLOSING, *values)


async def add_month_book(tx: Connection, *values: Any) -> int:
    """Write an institution's book of a month as its next version, and return the number of the version."""
    return int(await tx.fetchval(MONTH_BOOK, *values))


async def check_month_book(tx: Connection, *values: Any) -> None:
    """Write what the agency found in a book: region, institution, kind, month, version, state, instant, by, says."""
    await tx.execute(CHECK_MONTH, *values)


async def add_delegation(tx: Connection, delegation: Delegation) -> None:
    """Write that a delegation was handed back."""
    await tx.execute(DELEGATION, *msgspec.structs.astuple(delegation))
