"""Writes of the catalogue: rows are copied into a staging table and merged in one transaction.

Statements are put together from the names in ``parts``, never from anything a file or a person says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from yibao.domains.catalogue.model import BadRow
from yibao.domains.catalogue.parts import Part
from yibao.infra.database import Connection

STAGED = "catalogue_staged"

DROP_STAGED = "drop table if exists pg_temp.catalogue_staged"

RECORD_LOADED = """
insert into catalogue.loaded (part, rows, digest, source, version, loaded_at) values ($1, $2, $3, $4, $5, $6)
on conflict (part) do update set rows = excluded.rows, digest = excluded.digest, source = excluded.source,
    version = excluded.version, loaded_at = excluded.loaded_at
"""

UNKNOWN_ITEMS = """
select s.line, s.code from pg_temp.catalogue_staged s
where not exists (select from catalogue.item i where i.code = s.code) order by s.line
"""


def create_staged_sql(part: Part) -> str:
    """Return the statement that makes the staging table: the part's columns and the line of the file."""
    columns = ", ".join(part.table_columns)
    source = f"select {columns}, 0::bigint as line from {part.table}"  # noqa: S608 - names of our own
    return f"create temp table {STAGED} as {source} with no data"


def merge_sql(part: Part) -> str:
    """Return the statement that merges staged rows; rows that say the same are not touched."""
    columns = ", ".join(part.table_columns)
    others = [name for name in part.table_columns if name not in part.key]
    assignments = ", ".join(f"{name} = excluded.{name}" for name in others)
    ours = ", ".join(f"t.{name}" for name in others)
    theirs = ", ".join(f"excluded.{name}" for name in others)
    return (
        f"insert into {part.table} as t ({columns}) select {columns} from pg_temp.{STAGED} "  # noqa: S608
        f"on conflict ({', '.join(part.key)}) do update set {assignments} "
        f"where ({ours}) is distinct from ({theirs})"
    )


def overlaps_sql(part: Part) -> str:
    """Return the statement that finds periods of one key that overlap after merging, by the later line."""
    names = [name for name in part.key if name != "valid_from"]
    same = " and ".join(f"t.{name} = s.{name}" for name in names)
    other = " and ".join(f"t.{name} = o.{name}" for name in part.key)
    return f"""
select s.line, s.code, s.valid_from, t.valid_from as other
from pg_temp.{STAGED} s join {part.table} t on {same}
where t.valid_from < s.valid_from and (t.valid_to is null or t.valid_to > s.valid_from)
union
select s.line, s.code, s.valid_from, t.valid_from
from pg_temp.{STAGED} s join {part.table} t on {same}
where t.valid_from > s.valid_from and (s.valid_to is null or s.valid_to > t.valid_from)
  and not exists (select from pg_temp.{STAGED} o where {other})
order by line
"""  # noqa: S608 - names of our own


async def stage(tx: Connection, part: Part) -> None:
    """Make an empty staging table for this transaction."""
    await tx.execute(DROP_STAGED)
    await tx.execute(create_staged_sql(part))


async def copy_staged(tx: Connection, part: Part, records: Sequence[tuple[Any, ...]]) -> None:
    """Copy records (the table's columns and the line) into the staging table."""
    await tx.copy_records_to_table(
        STAGED, schema_name="pg_temp", records=records, columns=[*part.table_columns, "line"]
    )


async def merge(tx: Connection, part: Part) -> int:
    """Merge what is staged into the table and return how many rows are new or changed."""
    status = await tx.execute(merge_sql(part))
    changed = int(status.rsplit(" ", 1)[-1])
    if changed:
        # The first fee lines after loading shall not be planned for an empty table.
        await tx.execute(f"analyze {part.table}")
    return changed


async def find_unknown_items(tx: Connection, part: Part) -> list[BadRow]:
    """Find staged rows that speak of an item the catalogue does not hold."""
    if not part.of_items:
        return []
    rows = await tx.fetch(UNKNOWN_ITEMS)
    reason, remedy = "目录中没有这个编码", "请先导入该项目或更正编码"
    return [BadRow(row["line"], "code", row["code"], reason, remedy) for row in rows]


async def find_overlaps(tx: Connection, part: Part) -> list[BadRow]:
    """Find staged rows whose period overlaps another one of the same key, after merging."""
    if not part.by_period:
        return []
    rows = await tx.fetch(overlaps_sql(part))
    return [
        BadRow(row["line"], "valid_from", f"{row['code']} {row['valid_from']}",
               f"有效期与{row['other']}起的一行重叠", "请更正生效或失效日期")
        for row in rows
    ]


async def record_loaded(
    tx: Connection, *, part: str, rows: int, digest: str, source: str, version: str, at: datetime
) -> None:
    """Write down what was loaded from which file."""
    await tx.execute(RECORD_LOADED, part, rows, digest, source, version, at)
