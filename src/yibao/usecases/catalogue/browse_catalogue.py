"""Look through a region's catalogue page by page: items, price ceilings, first-pay ratios, mappings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Generic, TypeVar

import msgspec

from yibao.domains.catalogue import listings
from yibao.domains.catalogue.listings import DrugRow, LimitRow, RatioRow, TermFilter, TermRow
from yibao.infra.database import Connection
from yibao.infra.paging import Window
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.lines import default_first_pay
from yibao.usecases.visits.fee_line import group_of

T = TypeVar("T")

ETHNIC_MEDICINE = "ZI"
"""Class of ethnic medicine in the drug catalogue."""

BASIC_SCHEMES = frozenset({"310", "390"})
"""Schemes whose first-pay shares are listed, for employees and residents; maternity care is paid by theirs."""


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """A page of a listing: rows in all, rows of the page, and the day all of them were last changed."""

    total: int
    rows: list[T]
    updated_on: date | None = None


async def browse_terms(
    tx: Connection, wanted: TermFilter, window: Window, *, updated_from: date
) -> Listing[TermRow]:
    """Look through the items of a region's catalogue that changed on ``updated_from`` or later."""
    updated_on = await _updated_on(tx, "terms")
    if updated_on is None or updated_on < updated_from:
        return Listing(0, [], updated_on)
    return Listing(*await listings.list_terms(tx, wanted, window), updated_on)


async def browse_price_limits(
    tx: Connection, wanted: TermFilter, window: Window, *, updated_from: date
) -> Listing[LimitRow]:
    """Look through a region's price ceilings."""
    updated_on = await _updated_on(tx, "price_limits")
    if updated_on is None or updated_on < updated_from:
        return Listing(0, [], updated_on)
    return Listing(*await listings.list_price_limits(tx, wanted, window), updated_on)


async def browse_first_pay(
    tx: Connection, wanted: TermFilter, window: Window, *, updated_from: date, policy: RegionPolicy,
    insutype: str | None,
) -> Listing[RatioRow] | Refusal:
    """Look through first-pay ratios by scheme; where an item has none of its own, the region's law decides.

    Args:
        insutype: scheme to narrow to; None gives every scheme the region's law knows.
    """
    day = wanted.on or wanted.today
    updated_on = await _updated_on(tx, "terms")
    law = policy.law_on(day)
    if law is None:
        return refuse(
            "NO_LAW_FOR_DAY", f"{policy.name}未载入 {day.isoformat()} 当日的政策参数",
            field="data.query_date", received=day.isoformat(), remedy="请更换查询时间点",
        )
    schemes = [scheme for scheme in sorted(law.first_pay.keys() & BASIC_SCHEMES) if insutype in (None, scheme)]
    if updated_on is None or updated_on < updated_from or not schemes:
        return Listing(0, [], updated_on)
    total, rows = await listings.list_first_pay(tx, wanted, window, insutypes=schemes)
    return Listing(total, _with_defaults(rows, policy, day), updated_on)


async def browse_ethnic_medicine(
    tx: Connection, window: Window, *, code: str | None, name: str | None, version: str | None,
    is_valid: bool | None, today: date, updated_from: date,
) -> Listing[DrugRow]:
    """Look through the ethnic medicine of the national drug list by code, name or pinyin initials."""
    updated_on = await _updated_on(tx, "drugs")
    if updated_on is None or updated_on < updated_from:
        return Listing(0, [], updated_on)
    is_initials = name is not None and name.isascii()
    total, rows = await listings.list_drugs(
        tx, class_prefix=ETHNIC_MEDICINE, code=code, name=None if is_initials else name,
        initials=name.upper() if name and is_initials else None, version=version, is_valid=is_valid,
        today=today, window=window,
    )
    return Listing(total, rows, updated_on)


def _with_defaults(rows: Sequence[RatioRow], policy: RegionPolicy, day: date) -> list[RatioRow]:
    """Return the rows with the region's ratio where they have none; those the law is silent on keep None."""
    filled = []
    for row in rows:
        if row.first_pay is None:
            default = default_first_pay(
                policy, day, insutype=row.insutype, list_type=row.list_type, class_level=row.class_level,
                group=group_of(negotiated=row.negotiated),
            )
            if default is not None:
                row = msgspec.structs.replace(row, first_pay=default.number)
        filled.append(row)
    return filled


async def _updated_on(tx: Connection, part: str) -> date | None:
    at: datetime | None = await listings.find_loaded_at(tx, part)
    return None if at is None else business_date(at)
