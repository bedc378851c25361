"""An institution's own items and the national codes they stand for (3301, 3302, 1317): every upload stays on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.institutions.mapping_rules import FoundMapping
from yibao.infra.database import Connection
from yibao.infra.paging import Window, fetch_page


class ItemMapping(msgspec.Struct, frozen=True):
    """An own item and the national code it stands for; both days belong to the period.

    Attributes:
        detail: what else the institution told of it: approval number, form, unit ...
        state: proposed, approved, refused, superseded or withdrawn.
        mapping_id: ``""`` for a row that was not uploaded.
        doubts: why it was not approved at once, in Chinese.
        decided_by: ``auto``, or who decided at the agency.
        decision: the reason given.
    """

    medins_list_codg: str
    list_type: str
    med_list_codg: str
    name: str
    valid_from: date
    valid_to: date
    detail: dict[str, str]
    updated_at: datetime
    state: str = "approved"
    mapping_id: str = ""
    doubts: tuple[str, ...] = ()
    decided_by: str = ""
    decision: str = ""


class MappingOnFile(msgspec.Struct, frozen=True):
    """A mapping with whose it is, as the agency sees it."""

    fixmedins_code: str
    fixmedins_name: str
    admdvs: str
    revision: int
    mapping: ItemMapping
    proposed_at: datetime | None
    decided_at: datetime | None


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


_ROW = """t.medins_list_codg, t.list_type, t.med_list_codg, t.name, t.valid_from, t.valid_to, t.detail,
       t.updated_at, t.state, t.mapping_id, t.doubts, t.decided_by, t.decision"""
# A refused row is shown, so that the institution learns of it, but never as valid.
_MAPPINGS = """
from institutions.item_mapping t
where t.fixmedins_code = $1 and t.updated_at >= $2 and t.state in ('proposed', 'approved', 'refused')
  and ($3::text is null or t.medins_list_codg = $3)
  and ($4::text is null or position($4 in t.name) > 0)
  and ($5::text is null or t.list_type = $5)
  and ($6::text is null or t.med_list_codg = $6)
  and ($7::date is null or $7 between t.valid_from and t.valid_to)
  and ($8::date is null or t.valid_from >= $8)
  and ($9::boolean is null or $9 = (t.state <> 'refused' and $10::date between t.valid_from and t.valid_to))
"""
COUNT_MAPPINGS = "select count(*)" + _MAPPINGS
LIST_MAPPINGS = f"""
select {_ROW}
{_MAPPINGS} order by t.list_type, t.medins_list_codg, t.valid_from, t.revision limit $11 offset $12
"""
_OF_OWN_ITEMS = """
from institutions.item_mapping t
where t.fixmedins_code = $1 and (t.list_type, t.medins_list_codg) in (select * from unnest($2::text[], $3::text[]))
order by t.revision for update
"""
KNOWN = f"select {_ROW} {_OF_OWN_ITEMS}"
INSERT_MAPPING = """
insert into institutions.item_mapping (fixmedins_code, admdvs, revision, medins_list_codg, list_type, med_list_codg,
    name, valid_from, valid_to, detail, updated_at, state, mapping_id, doubts, decided_by, proposed_at, decided_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $11, $16)
"""
# What an approved mapping meets: a row that begins inside its period gives way, one that began before ends before it.
GIVE_WAY = """
update institutions.item_mapping t set
    state = case when t.valid_from >= $5 then 'superseded' else t.state end,
    declared_to = case when t.valid_from >= $5 then t.declared_to else coalesce(t.declared_to, t.valid_to) end,
    valid_to = case when t.valid_from >= $5 then t.valid_to else $5::date - 1 end,
    updated_at = $7
where t.fixmedins_code = $1 and t.list_type = $2 and t.medins_list_codg = $3 and t.revision < $4
  and t.state = 'approved' and t.valid_from <= $6 and t.valid_to >= $5
"""
# A newer upload of the same own item takes the place of one that still waits and begins inside its period.
DROP_WAITING = """
update institutions.item_mapping t set state = 'superseded', updated_at = $7
where t.fixmedins_code = $1 and t.list_type = $2 and t.medins_list_codg = $3 and t.revision < $4
  and t.state = 'proposed' and t.valid_from between $5 and $6
"""
WITHDRAW_MAPPING = """
update institutions.item_mapping set state = 'withdrawn', updated_at = $5
where fixmedins_code = $1 and list_type = $2 and medins_list_codg = $3 and med_list_codg = $4
  and state in ('proposed', 'approved')
"""
_ON_FILE = "select " + _ROW + """,
       t.fixmedins_code, i.name as fixmedins_name, t.admdvs, t.revision, t.proposed_at, t.decided_at
from institutions.item_mapping t join institutions.institution i on i.fixmedins_code = t.fixmedins_code
"""
BY_ID = _ON_FILE + "where t.mapping_id = $1 for update of t"
LIST_ON_FILE = _ON_FILE + """
where t.mapping_id <> '' and t.state = $1 and ($2 = '' or t.admdvs = $2) and ($3 = '' or t.fixmedins_code = $3)
order by t.proposed_at, t.mapping_id limit $4
"""
DECIDE = """
update institutions.item_mapping set state = $2, decided_by = $3, decision = $4, decided_at = $5, updated_at = $5
where mapping_id = $1
"""
# A proposal that was approved late ends where a newer upload, approved before it, begins.
END_BEFORE_NEWER = """
update institutions.item_mapping t set declared_to = coalesce(t.declared_to, t.valid_to), valid_to = n.begins - 1
from (select min(o.valid_from) as begins from institutions.item_mapping o
      join institutions.item_mapping m on m.mapping_id = $1 and o.fixmedins_code = m.fixmedins_code
        and o.list_type = m.list_type and o.medins_list_codg = m.medins_list_codg
      where o.state = 'approved' and o.revision > m.revision and o.valid_from > m.valid_from
        and o.valid_from <= m.valid_to) n
where t.mapping_id = $1 and n.begins is not null
"""
# Own codes are unique with their list type, which a fee line does not say: the row of the line's own item comes first.
OF_LINES = """
select w.n, m.state, m.med_list_codg,
       exists(select from institutions.item_mapping u where u.fixmedins_code = $1 and u.proposed_at is not null)
from unnest($2::text[], $3::text[], $4::date[]) with ordinality as w(own_code, item_code, day, n)
left join lateral (
    select t.state, t.med_list_codg from institutions.item_mapping t
    where t.fixmedins_code = $1 and t.medins_list_codg = w.own_code and t.state in ('approved', 'proposed')
      and w.day between t.valid_from and t.valid_to
    order by t.state, t.med_list_codg = w.item_code desc, t.revision desc limit 1) m on true
order by w.n
"""
CODES_OF_OWN = """
select distinct med_list_codg from institutions.item_mapping
where fixmedins_code = $1 and medins_list_codg = $2 and state = 'approved'
"""


async def list_mappings(
    tx: Connection, wanted: MappingFilter, window: Window
) -> tuple[int, list[ItemMapping]]:
    """List a page of an institution's mappings, by its own codes; superseded and withdrawn ones are left out."""
    values = (
        wanted.fixmedins_code, wanted.updated_from, wanted.medins_list_codg, wanted.name, wanted.list_type,
        wanted.med_list_codg, wanted.on, wanted.begins_from, wanted.is_valid, wanted.today,
    )
    return await fetch_page(tx, COUNT_MAPPINGS, LIST_MAPPINGS, values, window, _mapping)


async def find_known(
    tx: Connection, *, fixmedins_code: str, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], list[ItemMapping]]:
    """Find and lock every row of own items (list type, own code), whatever its state, oldest first."""
    wanted = sorted(set(keys))
    rows = await tx.fetch(KNOWN, fixmedins_code, [key[0] for key in wanted], [key[1] for key in wanted])
    found: dict[tuple[str, str], list[ItemMapping]] = {}
    for row in rows:
        found.setdefault((row["list_type"], row["medins_list_codg"]), []).append(_mapping(row))
    return found


async def add_mappings(
    tx: Connection, mappings: Sequence[tuple[int, ItemMapping]], *, fixmedins_code: str, admdvs: str
) -> None:
    """Write uploaded mappings with their revision; what an approved one meets gives way to it."""
    rows = [
        (fixmedins_code, admdvs, revision, m.medins_list_codg, m.list_type, m.med_list_codg, m.name, m.valid_from,
         m.valid_to, msgspec.json.encode(m.detail).decode(), m.updated_at, m.state, m.mapping_id, list(m.doubts),
         m.decided_by, m.updated_at if m.state == "approved" else None)
        for revision, m in mappings
    ]
    periods = [_period(m, revision=revision, fixmedins_code=fixmedins_code, at=m.updated_at) for revision, m in mappings]
    await tx.executemany(DROP_WAITING, periods)
    await tx.executemany(GIVE_WAY, [p for p, (_, m) in zip(periods, mappings, strict=True) if m.state == "approved"])
    await tx.executemany(INSERT_MAPPING, rows)


def _period(
    mapping: ItemMapping, *, revision: int, fixmedins_code: str, at: datetime
) -> tuple[str, str, str, int, date, date, datetime]:
    return (fixmedins_code, mapping.list_type, mapping.medins_list_codg, revision, mapping.valid_from,
            mapping.valid_to, at)


async def withdraw_mapping(
    tx: Connection, *, fixmedins_code: str, list_type: str, medins_list_codg: str, med_list_codg: str, at: datetime
) -> bool:
    """Withdraw the mappings of an own item to a national code and say whether there were any; they stay on record."""
    status = await tx.execute(WITHDRAW_MAPPING, fixmedins_code, list_type, medins_list_codg, med_list_codg, at)
    return status != "UPDATE 0"


async def find_on_file(tx: Connection, mapping_id: str) -> MappingOnFile | None:
    """Find and lock an uploaded mapping by its id."""
    row = await tx.fetchrow(BY_ID, mapping_id)
    return None if row is None else _on_file(row)


async def list_on_file(
    tx: Connection, *, state: str, admdvs: str, fixmedins_code: str, limit: int
) -> list[MappingOnFile]:
    """List uploaded mappings of a state, the longest waiting first; ``""`` leaves a criterion out."""
    return [_on_file(row) for row in await tx.fetch(LIST_ON_FILE, state, admdvs, fixmedins_code, limit)]


async def decide(
    tx: Connection, found: MappingOnFile, *, is_approved: bool, by: str, reason: str, at: datetime
) -> None:
    """Write the agency's decision; an approved mapping takes effect in its whole period."""
    mapping = found.mapping
    if is_approved:
        period = _period(mapping, revision=found.revision, fixmedins_code=found.fixmedins_code, at=at)
        await tx.execute(GIVE_WAY, *period)
        await tx.execute(END_BEFORE_NEWER, mapping.mapping_id)
    await tx.execute(DECIDE, mapping.mapping_id, "approved" if is_approved else "refused", by, reason, at)


async def find_for_lines(
    tx: Connection, *, fixmedins_code: str, lines: Sequence[tuple[str, str, date]]
) -> tuple[list[FoundMapping | None], bool]:
    """Find the mapping in force for each line (own code, national code, day), in their order, and whether the
    institution has ever uploaded a mapping; one statement."""
    rows = await tx.fetch(
        OF_LINES, fixmedins_code, [x[0] for x in lines], [x[1] for x in lines], [x[2] for x in lines]
    )
    found = [None if row["state"] is None else FoundMapping(row["state"], row["med_list_codg"]) for row in rows]
    return found, bool(rows) and rows[0]["exists"]


async def list_codes_of(tx: Connection, *, fixmedins_code: str, medins_list_codg: str) -> tuple[str, ...]:
    """List the national codes that an own item is or was mapped to with approval."""
    return tuple(row[0] for row in await tx.fetch(CODES_OF_OWN, fixmedins_code, medins_list_codg))


def _mapping(row: asyncpg.Record) -> ItemMapping:
    return ItemMapping(
        row["medins_list_codg"], row["list_type"], row["med_list_codg"], row["name"], row["valid_from"],
        row["valid_to"], msgspec.json.decode(row["detail"], type=dict[str, str]), row["updated_at"], row["state"],
        row["mapping_id"], tuple(row["doubts"]), row["decided_by"], row["decision"],
    )


def _on_file(row: asyncpg.Record) -> MappingOnFile:
    return MappingOnFile(
        row["fixmedins_code"], row["fixmedins_name"], row["admdvs"], row["revision"], _mapping(row),
        row["proposed_at"], row["decided_at"],
    )
