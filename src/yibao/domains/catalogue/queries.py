"""Reads of the catalogue that a settlement needs. Paged look-ups are in ``listings``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from yibao.domains.catalogue.model import CatalogueItem, ItemTerm, Successor
from yibao.infra.database import Connection

# Lateral limits instead of plain joins: two rows that overlap by mistake must not double a fee line. What an earlier
# edition said of an item counts on the days of that edition.
TERMS_ON_DAYS = """
select w.code, w.day, i.name, i.list_type, i.charge_type, i.unit, i.spec, i.class_code, i.negotiated, i.origin,
       i.version, t.class_level, t.restricted, t.restriction, t.first_pay, t.source, t.assumed,
       p.limit_micro, coalesce(p.source, ''), coalesce(p.assumed, false), t.valid_from, t.valid_to
from unnest($2::text[], $3::date[]) as w(code, day)
cross join lateral (
    (select name, list_type, charge_type, unit, spec, class_code, negotiated, origin, version from catalogue.item l
     where l.code = w.code and l.valid_from <= w.day and (l.valid_to is null or l.valid_to > w.day))
    union all
    (select name, list_type, charge_type, unit, spec, class_code, negotiated, origin, version from catalogue.former_item f
     where f.code = w.code and f.valid_from <= w.day and f.valid_to > w.day)
    limit 1) i
cross join lateral (
    select * from catalogue.term t
    where t.admdvs = $1 and t.code = w.code and t.valid_from <= w.day and (t.valid_to is null or t.valid_to > w.day)
    order by t.valid_from desc limit 1) t
left join lateral (
    select * from catalogue.price_limit p
    where p.admdvs = $1 and p.code = w.code and p.level = $4
      and p.valid_from <= w.day and (p.valid_to is null or p.valid_to > w.day)
    order by p.valid_from desc limit 1) p on true
"""

DIAGNOSES = """
select code, name from catalogue.diagnosis
where code = any($1::text[]) and valid_from <= $2 and (valid_to is null or valid_to > $2)
"""

CHRONIC_DISEASES = """
select code, name from catalogue.chronic_disease
where code = any($1::text[]) and valid_from <= $2 and (valid_to is null or valid_to > $2)
"""


ITEMS = """
select code, list_type, name, valid_from, valid_to, unit, spec, dosage_form, maker, approval_no
from catalogue.item where code = any($1::text[])
"""
SUCCESSORS = """
select s.code, s.successor, i.name, s.valid_from from catalogue.successor s
join catalogue.item i on i.code = s.successor
where s.code = any($1::text[]) order by s.code, s.valid_from, s.successor
"""


async def terms_for(
    tx: Connection, *, admdvs: str, codes: Iterable[str], on: date, level: str
) -> dict[str, ItemTerm]:
    """Find how a region reimburses items on a day, in one statement.

    A code that the region's catalogue does not hold on that day is absent from the result.

    Args:
        admdvs: pooling region whose catalogue decides.
        codes: national item codes; duplicates do no harm.
        on: day of service.
        level: level of the institution (``1``, ``2``, ``3``), which decides the price ceiling.
    """
    found = await terms_on_days(tx, admdvs=admdvs, wanted=((code, on) for code in codes), level=level)
    return {code: term for (code, _), term in found.items()}


async def terms_on_days(
    tx: Connection, *, admdvs: str, wanted: Iterable[tuple[str, date]], level: str
) -> dict[tuple[str, date], ItemTerm]:
    """Find how a region reimburses items, each on a day of its own, in one statement.

    A pair of code and day that the region's catalogue does not hold is absent from the result. Arguments as
    :func:`terms_for`; ``wanted`` are pairs of national code and day of service, duplicates do no harm.
    """
    pairs = sorted(set(wanted))
    rows = await tx.fetch(TERMS_ON_DAYS, admdvs, [code for code, _ in pairs], [day for _, day in pairs], level)
    return {(row[0], row[1]): ItemTerm(row[0], *row[2:]) for row in rows}


async def diagnosis_exists(tx: Connection, *, codes: Iterable[str], on: date) -> dict[str, str]:
    """Find which diagnosis codes are in the catalogue on a day: code -> name; unknown codes are absent."""
    rows = await tx.fetch(DIAGNOSES, list(set(codes)), on)
    return {row["code"]: row["name"] for row in rows}


async def chronic_disease_exists(tx: Connection, *, codes: Iterable[str], on: date) -> dict[str, str]:
    """Find which chronic-disease codes are in the catalogue on a day: code -> name."""
    rows = await tx.fetch(CHRONIC_DISEASES, list(set(codes)), on)
    return {row["code"]: row["name"] for row in rows}


async def find_items(tx: Connection, *, codes: Iterable[str]) -> dict[str, CatalogueItem]:
    """Find items as the latest edition has them, whatever the day; unknown codes are absent."""
    return {row["code"]: CatalogueItem(*row) for row in await tx.fetch(ITEMS, list(set(codes)))}


async def find_successors(tx: Connection, *, codes: Iterable[str]) -> dict[str, list[Successor]]:
    """Find what took the place of codes that left the catalogue; codes without a known successor are absent."""
    found: dict[str, list[Successor]] = {}
    for row in await tx.fetch(SUCCESSORS, list(set(codes))):
        found.setdefault(row["code"], []).append(Successor(row["successor"], row["name"], row["valid_from"]))
    return found
