"""Paged look-ups of the catalogue: a region's terms, its price ceilings, drugs of the national list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from yibao.infra.database import Connection
from yibao.infra.paging import Window, fetch_page


class TermFilter(msgspec.Struct, frozen=True):
    """What a look-up of a region's terms is narrowed by; None leaves a criterion out.

    Attributes:
        codes: any of these national codes.
        name: part of the item's name.
        initials: part of the name's pinyin initials, upper case.
        on: day on which the row is in force.
        begins_from: the row begins on this day or later.
        ends_by: the last day of the row is this day or earlier.
        is_valid: whether the row is in force ``today``.
        level: price limits only: level of institution.
    """

    admdvs: str
    today: date
    code: str | None = None
    codes: tuple[str, ...] | None = None
    list_type: str | None = None
    name: str | None = None
    initials: str | None = None
    charge_type: str | None = None
    class_level: str | None = None
    restricted: bool | None = None
    on: date | None = None
    begins_from: date | None = None
    ends_by: date | None = None
    is_valid: bool | None = None
    level: str | None = None


class TermRow(msgspec.Struct, frozen=True):
    """A row of a region's catalogue: an item and how it is reimbursed in a period (half-open)."""

    code: str
    name: str
    list_type: str
    charge_type: str
    initials: str
    origin: str
    valid_from: date
    valid_to: date | None
    class_level: str
    restricted: bool
    restriction: str
    first_pay: int | None
    source: str
    assumed: bool


class RatioRow(msgspec.Struct, frozen=True):
    """A row of a region's catalogue under one scheme; ``first_pay`` None leaves the ratio to the region's law."""

    code: str
    list_type: str
    class_level: str
    insutype: str
    first_pay: int | None
    valid_from: date
    valid_to: date | None
    negotiated: bool


class LimitRow(msgspec.Struct, frozen=True):
    """A price ceiling of a region for institutions of one level in a period (half-open)."""

    code: str
    level: str
    valid_from: date
    valid_to: date | None
    limit_micro: int
    source: str
    assumed: bool


class DrugRow(msgspec.Struct, frozen=True):
    """A drug of the national list."""

    code: str
    name: str
    initials: str
    spec: str
    dosage_form: str
    unit: str
    maker: str
    class_code: str
    valid_from: date
    valid_to: date | None
    version: str
    detail: dict[str, str]


_PERIOD = """
  and ({on}::date is null or (t.valid_from <= {on} and (t.valid_to is null or t.valid_to > {on})))
  and ({begins}::date is null or t.valid_from >= {begins})
  and ({ends}::date is null or t.valid_to <= {ends}::date + 1)
  and ({valid}::boolean is null
       or {valid} = (t.valid_from <= {today}::date and (t.valid_to is null or t.valid_to > {today}::date)))
"""

# The item as the edition named it whose days the term's are.
_TERM_JOIN = """
from catalogue.term t cross join lateral (
    (select name, list_type, charge_type, initials, origin, negotiated from catalogue.item l
     where l.code = t.code and (t.valid_to is null or l.valid_from < t.valid_to))
    union all
    (select name, list_type, charge_type, initials, origin, negotiated from catalogue.former_item f
     where f.code = t.code and f.valid_from < t.valid_to order by f.valid_from desc limit 1)
    limit 1) i
"""
_TERM_WHERE = """
where t.admdvs = $1
  and ($2::text is null or t.code = $2)
  and ($3::text is null or i.list_type = $3)
  and ($4::text is null or position($4 in i.name) > 0)
  and ($5::text is null or position($5 in i.initials) > 0)
  and ($6::text is null or i.charge_type = $6)
  and ($7::text is null or t.class_level = $7)
  and ($8::boolean is null or t.restricted = $8)
  and ($14::text[] is null or t.code = any($14))
""" + _PERIOD.format(on="$9", begins="$10", ends="$11", valid="$12", today="$13")
COUNT_TERMS = f"select count(*) {_TERM_JOIN} {_TERM_WHERE}"
LIST_TERMS = f"""
select t.code, i.name, i.list_type, i.charge_type, i.initials, i.origin, t.valid_from, t.valid_to,
       t.class_level, t.restricted, t.restriction, t.first_pay, t.source, t.assumed
{_TERM_JOIN} {_TERM_WHERE} order by t.code, t.valid_from limit $15 offset $16
"""
_BY_SCHEME = f"{_TERM_JOIN} cross join unnest($15::text[]) as insutype {_TERM_WHERE}"
COUNT_RATIOS = f"select count(*) {_BY_SCHEME}"
LIST_RATIOS = f"""
select t.code, i.list_type, t.class_level, insutype, t.first_pay, t.valid_from, t.valid_to,
       i.negotiated
{_BY_SCHEME} order by t.code, t.valid_from, insutype limit $16 offset $17
"""

_LIMITS = """
from catalogue.price_limit t
where t.admdvs = $1 and ($2::text is null or t.code = $2) and ($3::text is null or t.level = $3)
""" + _PERIOD.format(on="$4", begins="$5", ends="$6", valid="$7", today="$8")
COUNT_LIMITS = "select count(*)" + _LIMITS
LIST_LIMITS = f"""
select t.code, t.level, t.valid_from, t.valid_to, t.limit_micro, t.source, t.assumed
{_LIMITS} order by t.code, t.level, t.valid_from limit $9 offset $10
"""

_DRUGS = """
from catalogue.item t
where t.list_type = '101' and starts_with(t.class_code, $1)
  and ($2::text is null or t.code = $2)
  and ($3::text is null or position($3 in t.name) > 0)
  and ($4::text is null or position($4 in t.initials) > 0)
  and ($5::text is null or t.version = $5)
  and ($6::boolean is null
       or $6 = (t.valid_from <= $7::date and (t.valid_to is null or t.valid_to > $7::date)))
"""
COUNT_DRUGS = "select count(*)" + _DRUGS
LIST_DRUGS = f"""
select t.code, t.name, t.initials, t.spec, t.dosage_form, t.unit, t.maker, t.class_code,
       t.valid_from, t.valid_to, t.version, t.detail
{_DRUGS} order by t.code limit $8 offset $9
"""

LOADED_AT = "select loaded_at from catalogue.loaded where part = $1"


async def find_loaded_at(tx: Connection, part: str) -> datetime | None:
    """Find when a part of the catalogue was loaded last, None if never."""
    at: datetime | None = await tx.fetchval(LOADED_AT, part)
    return at


async def list_terms(tx: Connection, wanted: TermFilter, window: Window) -> tuple[int, list[TermRow]]:
    """List a page of a region's catalogue, by code: how many rows there are in all, and those of the page."""
    return await fetch_page(
        tx, COUNT_TERMS, LIST_TERMS, _criteria(wanted), window, lambda row: TermRow(*row)
    )


async def list_first_pay(
    tx: Connection, wanted: TermFilter, window: Window, *, insutypes: Sequence[str]
) -> tuple[int, list[RatioRow]]:
    """List a page of a region's catalogue with its own first-pay ratios, one row for each scheme."""
    values = (*_criteria(wanted), list(insutypes))
    return await fetch_page(tx, COUNT_RATIOS, LIST_RATIOS, values, window, lambda row: RatioRow(*row))


def _criteria(wanted: TermFilter) -> tuple[Any, ...]:
    return (
        wanted.admdvs, wanted.code, wanted.list_type, wanted.name, wanted.initials, wanted.charge_type,
        wanted.class_level, wanted.restricted, wanted.on, wanted.begins_from, wanted.ends_by, wanted.is_valid,
        wanted.today, None if wanted.codes is None else list(wanted.codes),
    )


async def list_price_limits(tx: Connection, wanted: TermFilter, window: Window) -> tuple[int, list[LimitRow]]:
    """List a page of a region's price ceilings, by code and level."""
    values = (
        wanted.admdvs, wanted.code, wanted.level, wanted.on, wanted.begins_from, wanted.ends_by,
        wanted.is_valid, wanted.today,
    )
    return await fetch_page(tx, COUNT_LIMITS, LIST_LIMITS, values, window, lambda row: LimitRow(*row))


async def list_drugs(
    tx: Connection, *, class_prefix: str, code: str | None, name: str | None, initials: str | None,
    version: str | None, is_valid: bool | None, today: date, window: Window,
) -> tuple[int, list[DrugRow]]:
    """List a page of the national drugs whose class begins with ``class_prefix``, by code."""
    values = (class_prefix, code, name, initials, version, is_valid, today)
    return await fetch_page(tx, COUNT_DRUGS, LIST_DRUGS, values, window, _drug)


def _drug(row: asyncpg.Record) -> DrugRow:
    values = dict(row)
    return DrugRow(**values | {"detail": msgspec.json.decode(values["detail"], type=dict[str, str])})
