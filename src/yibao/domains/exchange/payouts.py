"""Reads and writes of payouts, their files and lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.exchange.model import Outcome, PayoutFile, PayoutLine, PayoutRow
from yibao.infra.database import Connection

TAKE_REGION = "select pg_advisory_xact_lock(hashtextextended('payouts/' || $1, 0))"
COLUMNS = """payout_id, admdvs, purpose, psn_no, payee_name, bank_name, bank_account, amount_fen, origin, state, attempt,
    file_id, code, reason, ordered_by, ordered_at, ended_at"""
BY_ID = f"select {COLUMNS} from exchange.payout where payout_id = $1 for update"  # noqa: S608
BY_STATE = f"""
select {COLUMNS} from exchange.payout where ($1 = '' or admdvs = $1) and ($2 = '' or state = $2)
  and ($3 = '' or psn_no = $3) order by payout_id
"""  # noqa: S608
OF_FILE = f"select {COLUMNS} from exchange.payout where file_id = $1 order by payout_id for update"  # noqa: S608
ADD = "insert into exchange.payout select ($1::exchange.payout).*"
ADD_FILE = "insert into exchange.payout_file select ($1::exchange.payout_file).*"
ADD_LINES = "insert into exchange.payout_line select * from unnest($1::exchange.payout_line[])"
FILE_COUNT = "select count(*) from exchange.payout_file where admdvs = $1 and file_id like $2 || '%'"
FILE_COLUMNS = "file_id, admdvs, count, amount_fen, digest, state, made_by, made_at, checked_by, checked_at, answered_at"
FILE = f"select {FILE_COLUMNS} from exchange.payout_file where file_id = $1 for update"  # noqa: S608
FILES = f"""
select {FILE_COLUMNS} from exchange.payout_file where ($1 = '' or admdvs = $1) and ($2 = '' or state = $2) order by file_id
"""  # noqa: S608
LINES = """
select file_id, line_id, admdvs, payout_id, line, amount_fen, code, bank_ref, reason from exchange.payout_line
where file_id = $1 order by line_id
"""
INTO_FILE = "update exchange.payout set state = 'filed', file_id = $2 where payout_id = any($1::text[])"
SENT = "update exchange.payout set state = 'sent' where file_id = $1 and state = 'filed'"
CHECKED = "update exchange.payout_file set state = 'sent', checked_by = $2, checked_at = $3 where file_id = $1"
ANSWERED = "update exchange.payout_file set state = 'answered', answered_at = $2 where file_id = $1"
WITHDRAWN = "update exchange.payout_file set state = 'withdrawn' where file_id = $1"
OUT_OF_FILE = """
update exchange.payout set state = 'ordered', file_id = null, attempt = attempt + 1
where file_id = $1 and state in ('filed', 'sent')
"""
END_LINE = "update exchange.payout_line set code = $3, bank_ref = $4, reason = $5 where file_id = $1 and line_id = $2"
END = "update exchange.payout set state = $2, code = $3, reason = $4, ended_at = $5 where payout_id = $1 and state = 'sent'"
AGAIN = """
update exchange.payout set state = 'ordered', attempt = attempt + 1, file_id = null, ended_at = null, payee_name = $2,
    bank_name = $3, bank_account = $4, ordered_by = $5 where payout_id = $1 and state = 'failed'
"""
# A payout that the bank has sent back before is in a file again because somebody ordered it anew.
REORDERED_BY = """
select distinct p.ordered_by from exchange.payout p where p.file_id = $1
  and exists (select from exchange.payout_line l where l.payout_id = p.payout_id and l.code <> '') order by 1
"""


async def take_region(tx: Connection, admdvs: str) -> None:
    """Let one file at a time be made or answered in a region."""
    await tx.execute(TAKE_REGION, admdvs)


async def find_payout(tx: Connection, payout_id: str) -> PayoutRow | None:
    """Return and lock a payout."""
    row = await tx.fetchrow(BY_ID, payout_id)
    return None if row is None else PayoutRow(**dict(row))


async def list_payouts(tx: Connection, *, admdvs: str = "", state: str = "", psn_no: str = "") -> list[PayoutRow]:
    """List payouts; ``""`` is any."""
    return [PayoutRow(**dict(row)) for row in await tx.fetch(BY_STATE, admdvs, state, psn_no)]


async def list_of_file(tx: Connection, file_id: str) -> list[PayoutRow]:
    """List and lock the payouts that are in a file now."""
    return [PayoutRow(**dict(row)) for row in await tx.fetch(OF_FILE, file_id)]


async def add_payout(tx: Connection, row: PayoutRow) -> None:
    """Write a payout."""
    await tx.execute(ADD, msgspec.structs.astuple(row))


async def count_files(tx: Connection, admdvs: str, *, beginning: str) -> int:
    """Return how many files of a region have a number with this beginning."""
    count: int = await tx.fetchval(FILE_COUNT, admdvs, beginning)
    return count


async def add_file(tx: Connection, file: PayoutFile, lines: Sequence[PayoutLine]) -> None:
    """Write a file with its lines, and put its payouts into it."""
    await tx.execute(ADD_FILE, msgspec.structs.astuple(file))
    await tx.execute(ADD_LINES, [msgspec.structs.astuple(line) for line in lines])
    await tx.execute(INTO_FILE, [line.payout_id for line in lines], file.file_id)


async def find_file(tx: Connection, file_id: str) -> PayoutFile | None:
    """Return and lock a file."""
    row = await tx.fetchrow(FILE, file_id)
    return None if row is None else PayoutFile(**dict(row))


async def list_files(tx: Connection, *, admdvs: str = "", state: str = "") -> list[PayoutFile]:
    """List files; ``""`` is any."""
    return [PayoutFile(**dict(row)) for row in await tx.fetch(FILES, admdvs, state)]


async def list_lines(tx: Connection, file_id: str) -> list[PayoutLine]:
    """List the lines of a file."""
    return [PayoutLine(**dict(row)) for row in await tx.fetch(LINES, file_id)]


async def mark_checked(tx: Connection, file_id: str, *, by: str, now: datetime) -> None:
    """Write who let a file go to the bank."""
    await tx.execute(CHECKED, file_id, by, now)
    await tx.execute(SENT, file_id)


async def mark_withdrawn(tx: Connection, file_id: str) -> None:
    """Take a file back that nobody has carried out; its payouts wait for another one."""
    await tx.execute(OUT_OF_FILE, file_id)
    await tx.execute(WITHDRAWN, file_id)


async def end_line(tx: Connection, file_id: str, outcome: Outcome) -> None:
    """Write what the bank says of a line."""
    await tx.execute(END_LINE, file_id, outcome.line_id, outcome.code, outcome.bank_ref, outcome.reason)


async def end_payout(tx: Connection, payout_id: str, *, state: str, outcome: Outcome, now: datetime) -> None:
    """Write what became of a payout: ``paid`` or ``failed``."""
    await tx.execute(END, payout_id, state, outcome.code, outcome.reason, now)


async def mark_answered(tx: Connection, file_id: str, *, now: datetime) -> None:
    """Write that every line of a file is answered."""
    await tx.execute(ANSWERED, file_id, now)


async def order_again(
    tx: Connection, payout_id: str, *, payee_name: str, bank_name: str, bank_account: str, by: str
) -> None:
    """Order a failed payout anew; from then on it is ordered by who did that."""
    await tx.execute(AGAIN, payout_id, payee_name, bank_name, bank_account, by)


async def list_who_reordered(tx: Connection, file_id: str) -> list[str]:
    """List who ordered payouts of a file anew, each perhaps to another account."""
    return [row["ordered_by"] for row in await tx.fetch(REORDERED_BY, file_id)]
