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

RECORD_EDITION = """
insert into catalogue.edition (part, loaded_at, version, digest, rows, changed, source) values ($1, $2, $3, $4, $5, $6, $7)
"""


def unknown_items_sql(column: str) -> str:
    """Return the statement that finds staged rows whose ``column`` names no item of the catalogue."""
    return (
        f"select s.line, s.{column} as code from pg_temp.{STAGED} s "  # noqa: S608 - names of our own
        f"where not exists (select from catalogue.item i where i.code = s.{column}) order by s.line"
    )


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


# An edition later than the one in the table moves the table's row to the former ones ...
_MOVE = """
insert into catalogue.former_item ({listed}, valid_to, listed_to)
select {ours}, least(coalesce(i.valid_to, s.valid_from), s.valid_from), i.valid_to
from catalogue.item i join pg_temp.{staged} s on s.code = i.code where s.valid_from > i.valid_from
on conflict (code, valid_from) do nothing
"""
# ... and an edition earlier than it takes its place among them: the one before ends where it begins ...
_CUT = """
update catalogue.former_item f set valid_to = s.valid_from from pg_temp.{staged} s, catalogue.item i
where i.code = s.code and s.valid_from < i.valid_from and f.code = s.code
  and f.valid_from < s.valid_from and f.valid_to > s.valid_from
"""
# ... and it ends where the next one begins, whatever end it printed itself ...
_TAKE_PLACE = """
insert into catalogue.former_item as f ({listed}, valid_to, listed_to)
select {theirs}, least(coalesce(s.valid_to, n.begins), n.begins), s.valid_to
from pg_temp.{staged} s join catalogue.item i on i.code = s.code
cross join lateral (select least(i.valid_from, min(o.valid_from)) as begins from catalogue.former_item o
                    where o.code = s.code and o.valid_from > s.valid_from) n
where s.valid_from < i.valid_from
on conflict (code, valid_from) do update set {updates} where ({kept}) is distinct from ({said})
"""
# ... so that only rows of the latest edition are left to merge.
_LEAVE_OUT = "delete from pg_temp.{staged} s using catalogue.item i where i.code = s.code and s.valid_from < i.valid_from"


def history_sql(part: Part) -> tuple[str, str, str, str]:
    """Return the statements that keep what other editions said of the staged items, to run before the merge."""
    columns = [name for name in part.table_columns if name != "valid_to"]
    names = {
        "staged": STAGED, "listed": ", ".join(columns), "ours": ", ".join(f"i.{name}" for name in columns),
        "theirs": ", ".join(f"s.{name}" for name in columns),
        "updates": ", ".join(f"{name} = excluded.{name}" for name in (*columns, "valid_to", "listed_to")),
        "kept": ", ".join(f"f.{name}" for name in (*columns, "listed_to")),
        "said": ", ".join(f"excluded.{name}" for name in (*columns, "listed_to")),
    }
    move, cut, take_place, leave_out = (sql.format(**names) for sql in (_MOVE, _CUT, _TAKE_PLACE, _LEAVE_OUT))
    return move, cut, take_place, leave_out


def close_open_sql(part: Part) -> str:
    """Return the statement that ends open rows where the staged row of the same key begins."""
    same = " and ".join(f"t.{name} = s.{name}" for name in part.key if name != "valid_from")
    return (
        f"update {part.table} t set valid_to = s.valid_from from pg_temp.{STAGED} s "  # noqa: S608
        f"where {same} and t.valid_to is null and t.valid_from < s.valid_from"
    )


def keep_ends_sql(part: Part) -> str:
    """Return the statement that lets staged open rows end where a later row in the table made them end before."""
    key = " and ".join(f"t.{name} = s.{name}" for name in part.key)
    later = " and ".join(f"n.{name} = t.{name}" for name in part.key if name != "valid_from")
    return (
        f"update pg_temp.{STAGED} s set valid_to = t.valid_to from {part.table} t "  # noqa: S608
        f"where {key} and s.valid_to is null and t.valid_to is not null "
        f"and exists (select from {part.table} n where {later} and n.valid_from = t.valid_to)"
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


async def merge(tx: Connection, part: Part, *, is_new_edition: bool = False) -> int:
    """Merge what is staged into the table and return how many rows are new or changed.

    Args:
        is_new_edition: open rows of the same key end where the staged row begins; else they overlap, which is a fault.
    """
    earlier = 0
    if part.has_history:
        move, cut, take_place, leave_out = history_sql(part)
        await tx.execute(move)
        await tx.execute(cut)
        earlier = _count(await tx.execute(take_place))
        await tx.execute(leave_out)
    if part.by_period:
        await tx.execute(keep_ends_sql(part))
        if is_new_edition:
            await tx.execute(close_open_sql(part))
    merged = _count(await tx.execute(merge_sql(part)))
    if merged:
        # The first fee lines after loading shall not be planned for an empty table.
        await tx.execute(f"analyze {part.table}")
    return earlier + merged


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[-1])


async def find_unknown_items(tx: Connection, part: Part) -> list[BadRow]:
    """Find staged rows that speak of an item the catalogue does not hold."""
    reason, remedy = "目录中没有这个编码", "请先导入该项目或更正编码"
    return [
        BadRow(row["line"], column, row["code"], reason, remedy)
        for column in part.of_items for row in await tx.fetch(unknown_items_sql(column))
    ]


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


async def record_edition(
    tx: Connection, *, part: str, rows: int, changed: int, digest: str, source: str, version: str, at: datetime
) -> None:
    """Add to the record of loads that changed something; it only grows."""
    await tx.execute(RECORD_EDITION, part, at, version, digest, rows, changed, source)
