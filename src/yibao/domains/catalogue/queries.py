"""Reads of the catalogue that a settlement needs. Paged look-ups are in ``listings``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from yibao.domains.catalogue.model import CatalogueItem, ItemTerm
from yibao.infra.database import Connection

# Lateral limits instead of plain joins: two rows that overlap by mistake must not double a fee line.
TERMS = """
select i.code, i.name, i.list_type, i.charge_type, i.unit, i.spec, i.class_code, i.negotiated, i.origin,
       i.version, t.class_level, t.restricted, t.restriction, t.first_pay, t.source, t.assumed,
       p.limit_micro, coalesce(p.source, ''), coalesce(p.assumed, false), t.valid_from, t.valid_to
from catalogue.item i
cross join lateral (
    select * from catalogue.term t
    where t.admdvs = $1 and t.code = i.code and t.valid_from <= $3 and (t.valid_to is null or t.valid_to > $3)
    order by t.valid_from desc limit 1) t
left join lateral (
    select * from catalogue.price_limit p
    where p.admdvs = $1 and p.code = i.code and p.level = $4
      and p.valid_from <= $3 and (p.valid_to is null or p.valid_to > $3)
    order by p.valid_from desc limit 1) p on true
where i.code = any($2::text[]) and i.valid_from <= $3 and (i.valid_to is null or i.valid_to > $3)
"""

DIAGNOSES = """
select code, name from catalogue.diagnosis
where code = any($1::text[]) and valid_from <= $2 and (valid_to is null or valid_to > $2)
"""

CHRONIC_DISEASES = """
select code, name from catalogue.chronic_disease
where code = any($1::text[]) and valid_from <= $2 and (valid_to is null or valid_to > $2)
"""


ITEMS = "select code, list_type, name, valid_from, valid_to from catalogue.item where code = any($1::text[])"


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
    rows = await tx.fetch(TERMS, admdvs, list(set(codes)), on, level)
    return {row[0]: ItemTerm(*row) for row in rows}


async def diagnosis_exists(tx: Connection, *, codes: Iterable[str], on: date) -> dict[str, str]:
    """Find which diagnosis codes are in the catalogue on a day: code -> name; unknown codes are absent."""
    rows = await tx.fetch(DIAGNOSES, list(set(codes)), on)
    return {row["code"]: row["name"] for row in rows}


async def chronic_disease_exists(tx: Connection, *, codes: Iterable[str], on: date) -> dict[str, str]:
    """Find which chronic-disease codes are in the catalogue on a day: code -> name."""
    rows = await tx.fetch(CHRONIC_DISEASES, list(set(codes)), on)
    return {row["code"]: row["name"] for row in rows}


async def find_items(tx: Connection, *, codes: Iterable[str]) -> dict[str, CatalogueItem]:
    """Find items of the national list, whatever the day; unknown codes are absent."""
    return {row["code"]: CatalogueItem(*row) for row in await tx.fetch(ITEMS, list(set(codes)))}
