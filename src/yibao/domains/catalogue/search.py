"""Search of the catalogue by code, name or pinyin initials: what a person at a counter types."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.infra.database import Connection


class Hit(msgspec.Struct, frozen=True):
    """A row of a national list that a search found.

    Attributes:
        part: ``item``, ``diagnosis``, ``procedure`` or ``chronic_disease``.
        list_type: of items only.
        class_level, first_pay, restriction, limit_micro: of items, as the region asked for reimburses them on the day at
            an institution of the level asked for; ``""`` and None where the region's catalogue does not hold the item.
    """

    part: str
    list_type: str
    code: str
    name: str
    initials: str
    spec: str
    dosage_form: str
    unit: str
    maker: str
    valid_from: date
    valid_to: date | None
    version: str
    origin: str
    class_level: str = ""
    first_pay: int | None = None
    restriction: str = ""
    limit_micro: int | None = None


# What fits best comes first: the code itself, codes and names that begin so, names that hold it, initials.
_SEARCH = """
select {columns}, case
    when code in ($1, $2) then 0 when starts_with(code, $1) or starts_with(code, $2) then 1 when name = $1 then 2
    when initials = $3 then 3 when starts_with(name, $1) then 4 when starts_with(initials, $3) then 5
    when position($1 in name) > 0 then 6 else 7 end as rank
from {table} t
where (starts_with(code, $1) or starts_with(code, $2) or position($1 in name) > 0
       or ($3 <> '' and position($3 in initials) > 0))
  and ($4::date is null or (valid_from <= $4 and (valid_to is null or valid_to > $4)))
order by rank, length(name), code limit $5
"""
_CODED = "'' as list_type, code, name, initials, '', '', '', '', valid_from, valid_to, version, 'national'"
_SOURCES = {
    "item": "list_type, code, name, initials, spec, dosage_form, unit, maker, valid_from, valid_to, version, origin",
    "diagnosis": _CODED,
    "procedure": _CODED,
    "chronic_disease": _CODED,
}
PARTS = tuple(_SOURCES)


def search_sql(part: str) -> str:
    """Return the statement that searches one list; among equal fits the shorter name comes first."""
    # Chronic diseases are few and keep no initials.
    table = "(select *, '' as initials from catalogue.chronic_disease)" if part == "chronic_disease" else f"catalogue.{part}"
    return _SEARCH.format(columns=_SOURCES[part], table=table)


REGION_TERMS = """
select w.code, t.class_level, t.first_pay, t.restriction, p.limit_micro
from unnest($2::text[]) as w(code)
cross join lateral (
    select * from catalogue.term t where t.admdvs = $1 and t.code = w.code and t.valid_from <= $3
      and (t.valid_to is null or t.valid_to > $3) order by t.valid_from desc limit 1) t
left join lateral (
    select * from catalogue.price_limit p where p.admdvs = $1 and p.code = w.code and p.level = $4 and p.valid_from <= $3
      and (p.valid_to is null or p.valid_to > $3) order by p.valid_from desc limit 1) p on true
"""
EDITIONS = "select part, version, loaded_at, rows, changed, source, digest from catalogue.edition order by loaded_at, part"


async def search(
    tx: Connection, part: str, *, text: str, initials: str, on: date | None, limit: int
) -> list[tuple[int, Hit]]:
    """Search one list and return hits with how well they fit, best first.

    Args:
        text: beginning of a code, in upper case too, or part of a name.
        initials: part of the pinyin initials, upper case; ``""`` does not look at them.
        on: day on which the row is in force; None takes every row.
    """
    rows = await tx.fetch(search_sql(part), text, text.upper(), initials, on, limit)
    return [(row["rank"], Hit(part, *list(row.values())[:-1])) for row in rows]


async def price_hits(tx: Connection, hits: list[Hit], *, admdvs: str, on: date, level: str) -> list[Hit]:
    """Return hits with what a region pays for them on a day at an institution of a level."""
    codes = [hit.code for hit in hits if hit.part == "item"]
    found = {row["code"]: row for row in await tx.fetch(REGION_TERMS, admdvs, codes, on, level)}
    return [
        msgspec.structs.replace(
            hit, class_level=row["class_level"], first_pay=row["first_pay"], restriction=row["restriction"],
            limit_micro=row["limit_micro"],
        ) if (row := found.get(hit.code)) is not None and hit.part == "item" else hit
        for hit in hits
    ]
