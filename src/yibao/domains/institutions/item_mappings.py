"""An institution's own items and the national codes they stand for (3301, 3302, 1317)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.infra.database import Connection
from yibao.infra.paging import Window, fetch_page


class ItemMapping(msgspec.Struct, frozen=True):
    """An own item and the national code it stands for; both days belong to the period.

    Attributes:
        detail: what else the institution told of it: approval number, form, unit ...
    """

    medins_list_codg: str
    list_type: str
    med_list_codg: str
    name: str
    valid_from: date
    valid_to: date
    detail: dict[str, str]
    updated_at: datetime


class MappingFilter(msgspec.Struct, frozen=True):
    """What a look-up of an institution's mappings is narrowed by; None leaves a criterion out."""

    fixmedins_code: str
    today: date
    updated_from: datetime
    medins_list_codg: str | None = None
    name: str | None = None
    list_type: str | None = None
    med_list_codg: str | None = None
    on: date | None = None
    begins_from: date | None = None
    is_valid: bool | None = None


_MAPPINGS = """
from institutions.item_mapping t
where t.fixmedins_code = $1 and t.updated_at >= $2
  and ($3::text is null or t.medins_list_codg = $3)
  and ($4::text is null or position($4 in t.name) > 0)
  and ($5::text is null or t.list_type = $5)
  and ($6::text is null or t.med_list_codg = $6)
  and ($7::date is null or $7 between t.valid_from and t.valid_to)
  and ($8::date is null or t.valid_from >= $8)
  and ($9::boolean is null or $9 = ($10::date between t.valid_from and t.valid_to))
"""
COUNT_MAPPINGS = "select count(*)" + _MAPPINGS
LIST_MAPPINGS = f"""
select t.medins_list_codg, t.list_type, t.med_list_codg, t.name, t.valid_from, t.valid_to, t.detail,
       t.updated_at
{_MAPPINGS} order by t.list_type, t.medins_list_codg limit $11 offset $12
"""
PUT_MAPPING = """
insert into institutions.item_mapping (fixmedins_code, admdvs, medins_list_codg, list_type, med_list_codg,
    name, valid_from, valid_to, detail, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (fixmedins_code, list_type, medins_list_codg) do update set
    med_list_codg = excluded.med_list_codg, name = excluded.name, valid_from = excluded.valid_from, valid_to = excluded.valid_to,
    detail = excluded.detail, updated_at = excluded.updated_at
"""
REMOVE_MAPPING = """
delete from institutions.item_mapping
where fixmedins_code = $1 and list_type = $2 and medins_list_codg = $3 and med_list_codg = $4
"""


async def list_mappings(
    tx: Connection, wanted: MappingFilter, window: Window
) -> tuple[int, list[ItemMapping]]:
    """List a page of an institution's mappings, by its own codes."""
    values = (
        wanted.fixmedins_code, wanted.updated_from, wanted.medins_list_codg, wanted.name, wanted.list_type,
        wanted.med_list_codg, wanted.on, wanted.begins_from, wanted.is_valid, wanted.today,
    )
    return await fetch_page(tx, COUNT_MAPPINGS, LIST_MAPPINGS, values, window, _mapping)


async def put_mappings(
    tx: Connection, mappings: Iterable[ItemMapping], *, fixmedins_code: str, admdvs: str
) -> None:
    """Write mappings; one of an own item that is mapped already takes its place."""
    rows = [
        (fixmedins_code, admdvs, m.medins_list_codg, m.list_type, m.med_list_codg, m.name, m.valid_from,
         m.valid_to, msgspec.json.encode(m.detail).decode(), m.updated_at)
        for m in mappings
    ]
    await tx.executemany(PUT_MAPPING, rows)


async def remove_mapping(
    tx: Connection, *, fixmedins_code: str, list_type: str, medins_list_codg: str, med_list_codg: str
) -> bool:
    """Remove a mapping and say whether there was one."""
    status = await tx.execute(REMOVE_MAPPING, fixmedins_code, list_type, medins_list_codg, med_list_codg)
    return status != "DELETE 0"


def _mapping(row: asyncpg.Record) -> ItemMapping:
    code, list_type, med_list_codg, name, valid_from, valid_to, detail, updated_at = row
    details = msgspec.json.decode(detail, type=dict[str, str])
    return ItemMapping(code, list_type, med_list_codg, name, valid_from, valid_to, details, updated_at)
