"""Files of joiners and leavers, and what happened to each row: a file that was broken off goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from yibao.infra.database import Connection


class ImportFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file; ``state`` is ``open``, ``done`` or ``refused`` (nothing was applied because a row has a fault)."""

    import_id: str
    admdvs: str
    kind: str
    emp_no: str
    file_name: str
    only_valid: bool
    rows: int
    state: str
    applied: int
    refused: int
    content: bytes
    made_by: str
    made_at: datetime
    done_at: datetime | None = None


class ImportRow(msgspec.Struct, frozen=True):
    """What happened to one row: ``applied``, ``refused``, or ``held`` (without fault, but the file was not applied)."""

    row_no: int
    state: str
    psn_no: str | None
    said: str


_NAMES = [f.name for f in msgspec.structs.fields(ImportFile)]
_FILE = f"{', '.join(_NAMES)} from enrolment.import_file"
FIND = f"select {_FILE} where import_id = $1"
LISTED = f"select {_FILE} where admdvs = any($1::text[]) and ($2 = '' or emp_no = $2) order by made_at desc limit $3"
INSERT = (
    f"insert into enrolment.import_file ({', '.join(_NAMES)}) values "  # noqa: S608 - names of our own fields
    f"({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))}) on conflict (import_id) do nothing"
)
CLOSE = """
update enrolment.import_file f set state = $2, done_at = $3,
    applied = (select count(*) from enrolment.import_row r where r.import_id = f.import_id and r.state = 'applied'),
    refused = (select count(*) from enrolment.import_row r where r.import_id = f.import_id and r.state = 'refused')
where f.import_id = $1
"""
ROWS = "select row_no, state, psn_no, said from enrolment.import_row where import_id = $1 order by row_no"
BETWEEN = "select row_no from enrolment.import_row where import_id = $1 and row_no between $2 and $3"
INSERT_ROW = """
insert into enrolment.import_row (import_id, admdvs, row_no, state, psn_no, said) values ($1, $2, $3, $4, $5, $6)
"""
TAKE = "select pg_advisory_xact_lock(hashtextextended('import/' || $1, 0))"


async def take_file(tx: Connection, import_id: str) -> None:
    """Wait until nobody else works on the file, until the transaction ends."""
    await tx.execute(TAKE, import_id)


async def find_file(tx: Connection, import_id: str) -> ImportFile | None:
    """Return a file, None if it never came."""
    row = await tx.fetchrow(FIND, import_id)
    return None if row is None else ImportFile(**dict(row))


async def list_files(tx: Connection, *, regions: Sequence[str], emp_no: str = "", limit: int = 100) -> list[ImportFile]:
    """Return files, the newest first."""
    return [ImportFile(**dict(row)) for row in await tx.fetch(LISTED, list(regions), emp_no, limit)]


async def add_file(tx: Connection, file: ImportFile) -> None:
    """Write a file that came; the same again changes nothing."""
    await tx.execute(INSERT, *msgspec.structs.astuple(file))


async def close_file(tx: Connection, import_id: str, *, state: str, at: datetime) -> None:
    """Write that every row of a file is done."""
    await tx.execute(CLOSE, import_id, state, at)


async def list_rows(tx: Connection, import_id: str) -> list[ImportRow]:
    """Return what happened to the rows of a file, in their order."""
    return [ImportRow(**dict(row)) for row in await tx.fetch(ROWS, import_id)]


async def rows_done(tx: Connection, import_id: str, *, first: int, last: int) -> set[int]:
    """Return which rows from ``first`` to ``last`` are done already."""
    return {row["row_no"] for row in await tx.fetch(BETWEEN, import_id, first, last)}


async def add_rows(tx: Connection, import_id: str, admdvs: str, rows: Iterable[ImportRow]) -> None:
    """Write what happened to rows."""
    await tx.executemany(INSERT_ROW, [(import_id, admdvs, *msgspec.structs.astuple(row)) for row in rows])
