"""Reads of books: rows, papers, steps, sums."""

from __future__ import annotations

from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.registers.model import Entry, KeptPaper, Step
from yibao.infra.database import Connection

_SELECT = "select " + ", ".join(f.name for f in msgspec.structs.fields(Entry))
_ENTRIES = f"{_SELECT} from registers.entry"
BY_NUMBER = f"{_ENTRIES} where register_no = $1"
LOCKED = f"{BY_NUMBER} for update"
BY_ORIGIN = f"{_ENTRIES} where admdvs = $1 and kind = $2 and origin = $3"
LISTED = f"""
{_ENTRIES}
where admdvs = $1 and ($2 = '' or kind = $2) and ($3 = '' or plan = $3) and ($4 = '' or state = $4)
  and ($5 = '' or fixmedins_code = $5) and division like $6 || '%' and register_no > $7
order by register_no limit $8
"""
OF_PERSON = f"{_ENTRIES} where psn_no = $1 order by received_at, register_no"
OF_BOOK = f"""
{_ENTRIES} where admdvs = $1 and kind = $2 and plan = $3 and ($4 = '' or fixmedins_code = $4) order by register_no
"""
OF_MONTH = f"""
{_ENTRIES}
where fixmedins_code = $2 and admdvs = $1 and kind = $3
  and received_at >= ($4::date)::timestamp at time zone 'Asia/Shanghai'
  and received_at < ($4::date + interval '1 month')::timestamp at time zone 'Asia/Shanghai'
order by register_no
"""
OPEN = """
select register_no from registers.entry
where admdvs = $1 and kind = $2 and plan = $3 and state in ('received', 'ready') and register_no > $4
order by register_no limit $5
"""
STEPS = """
select what, state, at, actor, channel, says from registers.step where admdvs = $1 and register_no = $2 order by ordinal
"""
PAPERS = """
select paper, title, file_name, content, digest from registers.paper where admdvs = $1 and register_no = $2 order by ordinal
"""
SUMS = """
select kind, plan, count(*) as rows, count(*) filter (where ended_at is null) as open,
       count(*) filter (where state = 'ready') as ready, count(*) filter (where state = 'done') as done,
       count(*) filter (where ended_at is null and owner <> '') as owned,
       min(received_at) filter (where ended_at is null) as oldest,
       sum(paid_fen)::bigint as paid_fen, sum(due_fen)::bigint as due_fen, sum(back_fen)::bigint as back_fen,
       sum(topup_fen)::bigint as topup_fen
from registers.entry where admdvs = $1 and ($2 = '' or plan = $2) group by kind, plan order by kind, plan
"""

MONTH_BOOK = """
select admdvs, fixmedins_code, kind, month, version, given_at, given_by, rows, paid_fen, digest, state, checked_at, checked_by,
       says
from registers.month_book where admdvs = $1 and fixmedins_code = $2 and kind = $3 and month = $4
order by version desc limit 1
"""
MONTH_BOOKS = """
select distinct on (fixmedins_code, month) admdvs, fixmedins_code, kind, month, version, given_at, given_by, rows, paid_fen,
       digest, state, checked_at, checked_by, says
from registers.month_book where admdvs = $1 and kind = $2 and ($3 = '' or fixmedins_code = $3)
order by fixmedins_code, month, version desc
"""

MONTH_CONTENT = """
select content from registers.month_book where admdvs = $1 and fixmedins_code = $2 and kind = $3 and month = $4
order by version desc limit 1
"""


class MonthBook(msgspec.Struct, frozen=True):
    """An institution's book of a month in its newest version, as it was given and what the agency found; fen."""

    admdvs: str
    fixmedins_code: str
    kind: str
    month: date
    version: int
    given_at: datetime
    given_by: str
    rows: int
    paid_fen: int
    digest: bytes
    state: str
    checked_at: datetime | None
    checked_by: str | None
    says: str


DELEGATION = """
select admdvs, delegation_id, plan, rule, business, begin_at, end_at, opened_by, ended_by, ended_why
from registers.delegation where admdvs = $1 and plan = $2 and rule = $3
"""


class Delegation(msgspec.Struct, frozen=True):
    """A delegation that was handed back: what it was, when it ended, by whom and why. Half-open."""

    admdvs: str
    delegation_id: str
    plan: str
    rule: str
    business: str
    begin_at: datetime
    end_at: datetime
    opened_by: str
    ended_by: str
    ended_why: str


async def find_delegation(tx: Connection, admdvs: str, *, plan: str, rule: str) -> Delegation | None:
    """Return how a delegation of a plan was handed back, None while it was not."""
    row = await tx.fetchrow(DELEGATION, admdvs, plan, rule)
    return None if row is None else Delegation(*row)


async def find_entry(tx: Connection, register_no: str, *, lock: bool = False) -> Entry | None:
    """Return a row, held until the end of the transaction with ``lock``."""
    row = await tx.fetchrow(LOCKED if lock else BY_NUMBER, register_no)
    return None if row is None else entry_of(row)


async def find_by_origin(tx: Connection, admdvs: str, kind: str, origin: str) -> Entry | None:
    """Return the row of a book that stands for something."""
    row = await tx.fetchrow(BY_ORIGIN, admdvs, kind, origin)
    return None if row is None else entry_of(row)


async def list_entries(
    tx: Connection, admdvs: str, *, kind: str = "", plan: str = "", state: str = "", fixmedins_code: str = "",
    division: str = "", after: str = "", limit: int = 200,
) -> list[Entry]:
    """Return rows of a region in the order of their numbers, after a number; ``""`` selects all."""
    rows = await tx.fetch(LISTED, admdvs, kind, plan, state, fixmedins_code, division, after, limit)
    return [entry_of(row) for row in rows]


async def list_of_person(tx: Connection, psn_no: str) -> list[Entry]:
    """Return a person's rows in all books, the oldest first."""
    return [entry_of(row) for row in await tx.fetch(OF_PERSON, psn_no)]


async def list_book(tx: Connection, admdvs: str, *, kind: str, plan: str, fixmedins_code: str = "") -> list[Entry]:
    """Return a book of a window: every row, in the order of numbers."""
    return [entry_of(row) for row in await tx.fetch(OF_BOOK, admdvs, kind, plan, fixmedins_code)]


async def list_open(tx: Connection, admdvs: str, *, kind: str, plan: str, after: str, limit: int) -> list[str]:
    """Return numbers of open rows of a book after a number, in order."""
    return [row[0] for row in await tx.fetch(OPEN, admdvs, kind, plan, after, limit)]


async def list_steps(tx: Connection, entry: Entry) -> list[Step]:
    """Return everything that happened to a row, in order."""
    return [Step(*row) for row in await tx.fetch(STEPS, entry.admdvs, entry.register_no)]


async def list_papers(tx: Connection, entry: Entry) -> list[KeptPaper]:
    """Return the papers of a row."""
    return [KeptPaper(*row) for row in await tx.fetch(PAPERS, entry.admdvs, entry.register_no)]


async def sum_books(tx: Connection, admdvs: str, *, plan: str = "") -> list[asyncpg.Record]:
    """Return counts, the oldest open row and sums (fen) of each book of a region."""
    return await tx.fetch(SUMS, admdvs, plan)


async def list_month(
    tx: Connection, admdvs: str, *, fixmedins_code: str, kind: str, month: date
) -> list[Entry]:
    """Return the rows that came into an institution's book in a month (first day), in order."""
    return [entry_of(row) for row in await tx.fetch(OF_MONTH, admdvs, fixmedins_code, kind, month)]


async def find_month_book(
    tx: Connection, admdvs: str, *, fixmedins_code: str, kind: str, month: date
) -> MonthBook | None:
    """Return the newest version of an institution's book of a month."""
    row = await tx.fetchrow(MONTH_BOOK, admdvs, fixmedins_code, kind, month)
    return None if row is None else MonthBook(*row)


async def read_month_content(
    tx: Connection, admdvs: str, *, fixmedins_code: str, kind: str, month: date
) -> bytes | None:
    """Return the spreadsheet of an institution's book of a month as it was given, in its newest version."""
    content: bytes | None = await tx.fetchval(MONTH_CONTENT, admdvs, fixmedins_code, kind, month)
    return content


async def list_month_books(tx: Connection, admdvs: str, *, kind: str, fixmedins_code: str = "") -> list[MonthBook]:
    """Return the newest version of each book that was given."""
    return [MonthBook(*row) for row in await tx.fetch(MONTH_BOOKS, admdvs, kind, fixmedins_code)]


def entry_of(row: asyncpg.Record) -> Entry:
    """Return a row of the table as a fact."""
    return Entry(**dict(row))
