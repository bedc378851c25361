"""The national lists as files: which there are, what is newer than a client's copy, and their rows."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import msgspec

from yibao.infra.database import Connection


class DownloadList(msgspec.Struct, frozen=True):
    """A list that institutions download.

    Attributes:
        table: where its rows are; ``""`` for a list of which no public rows exist: it is empty.
        narrowed_to: list type of items, or kind of class-level rows.
        includes_demo: rows with invented codes are handed out too, marked.
    """

    name: str
    title: str
    table: str = ""
    narrowed_to: str = ""
    includes_demo: bool = False


class FileRow(msgspec.Struct, frozen=True):
    """A row of a national list; what the list does not know is ``""``."""

    code: str
    name: str
    version: str
    initials: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    spec: str = ""
    dosage_form: str = ""
    unit: str = ""
    maker: str = ""
    approval_no: str = ""
    class_code: str = ""
    origin: str = "national"
    negotiated: bool = False
    kind: str = ""
    detail: dict[str, str] = {}


# A file holds every edition's row with the end that its own edition printed, so that a version never changes.
_ITEM_COLUMNS = """code, name, version, initials, valid_from, {ends} as valid_to, spec, dosage_form, unit, maker,
       approval_no, class_code, origin, negotiated, detail"""
_OF_TYPE = "from catalogue.{table} where list_type = $1 and ($2 or origin = 'national')"
_ITEM = " ".join((
    "select", _ITEM_COLUMNS.format(ends="valid_to"), _OF_TYPE.format(table="item"), "union all",
    "select", _ITEM_COLUMNS.format(ends="listed_to"), _OF_TYPE.format(table="former_item"),
))
# The unused parameters keep one shape of call for every list.
_CODED = """
select code, name, version, initials, valid_from, valid_to from catalogue.{table}
where $1::text is not null and $2::boolean is not null
"""
_CHRONIC = """
select code, name, version, valid_from, valid_to, kind from catalogue.chronic_disease
where $1::text is not null and $2::boolean is not null
"""
_TCM = "select code, name, version, kind from catalogue.tcm_class where kind = $1 and $2::boolean is not null"

_SOURCES = {
    "item": _ITEM,
    "diagnosis": _CODED.format(table="diagnosis"),
    "procedure": _CODED.format(table="procedure"),
    "chronic_disease": _CHRONIC,
    "tcm_class": _TCM,
}
_NUMBER = "substr(version, 2)::bigint"
_STATE = "select coalesce(max({number}), 0), count(*) filter (where {number} > $3) from ({source}) l"
_ROWS = "select * from ({source}) l where {number} > $3 and {number} <= $4 order by code, version"


async def find_newer(tx: Connection, wanted: DownloadList, *, since: int) -> tuple[int, int]:
    """Find the list's newest version and how many rows are newer than version ``since``."""
    if not wanted.table:
        return 0, 0
    sql = _STATE.format(number=_NUMBER, source=_SOURCES[wanted.table])
    row = await tx.fetchrow(sql, wanted.narrowed_to, wanted.includes_demo, since)
    assert row is not None
    return row[0], row[1]


async def list_rows(tx: Connection, wanted: DownloadList, *, since: int, until: int) -> list[FileRow]:
    """List the rows newer than version ``since``, up to and with version ``until``, by code."""
    if not wanted.table:
        return []
    sql = _ROWS.format(number=_NUMBER, source=_SOURCES[wanted.table])
    rows = await tx.fetch(sql, wanted.narrowed_to, wanted.includes_demo, since, until)
    # Thousands of rows take a while to turn into records: not on the loop that settles.
    return await asyncio.to_thread(lambda: [_row(dict(row)) for row in rows])


def _row(values: dict[str, Any]) -> FileRow:
    if "detail" in values:
        values["detail"] = msgspec.json.decode(values["detail"], type=dict[str, str])
    return FileRow(**values)
