"""Arranges dated rows into the law of each day, so that deciding only has to look at rows in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from yibao.policy.parameters import KINDS, BenefitLaw, CapLaw, DayLaw, Row

NEEDED = ("deductible", "pool_ratio", "fund", "rounding", "benefit_year", "order")
"""Keys without which a benefit cannot be decided."""


def arrange(rows: tuple[Row, ...]) -> tuple[tuple[date, ...], tuple[DayLaw, ...]]:
    """Return the days on which the law changes, ascending, and the law from each of them on."""
    changes = {r.valid_from for r in rows} | {r.valid_to + timedelta(days=1) for r in rows if r.valid_to}
    starts = tuple(sorted(changes))
    ordered = tuple(sorted(rows, key=lambda r: -r.priority))  # stable: file order within a priority
    return starts, tuple(_law_from(day, ordered) for day in starts)


def _law_from(day: date, rows: tuple[Row, ...]) -> DayLaw:
    insutypes = sorted({word for r in rows for word in words_allowed(r, "insutype")})
    benefits = sorted({r.word for r in rows if r.key == "benefit"})
    return DayLaw(
        valid_from=day,
        choosing={i: tuple(_pick(rows, "benefit", day, i)) for i in insutypes},
        benefits={(i, b): _benefit_law(rows, day, i, b) for i in insutypes for b in benefits},
        first_pay={i: tuple(_pick(rows, "first_pay", day, i)) for i in insutypes},
        settings={
            key: tuple(r for r in rows if r.key == key and not r.conditions and _in_force(r, day))
            for key in KINDS
        },
    )


def _benefit_law(rows: tuple[Row, ...], day: date, insutype: str, benefit: str) -> BenefitLaw:
    def pick(key: str) -> tuple[Row, ...]:
        return tuple(_pick(rows, key, day, insutype, benefit))

    ever = [r for r in rows if r.allows("insutype", insutype) and r.allows("benefit", benefit)]
    caps = []
    for counter in dict.fromkeys(r.counter for r in ever if r.key == "pool_cap"):
        group = [r for r in ever if r.key == "pool_cap" and r.counter == counter]
        in_force = tuple(r for r in pick("pool_cap") if r.counter == counter)
        caps.append(
            CapLaw(counter, group[0].used.name, all(r.extra.get("optional", False) for r in group), in_force)
        )
    missing = [KINDS[key].name for key in NEEDED if not pick(key)]
    missing += [cap.name for cap in caps if not cap.rows and not cap.optional]
    return BenefitLaw(
        deductible=pick("deductible"),
        item_limit=pick("item_limit"),
        pool_ratio=pick("pool_ratio"),
        pool_bonus=pick("pool_bonus"),
        caps=tuple(caps),
        fund=pick("fund"),
        rounding=pick("rounding"),
        benefit_year=pick("benefit_year"),
        order=pick("order"),
        account_pays=pick("account.pays"),
        missing=tuple(missing),
    )


def _pick(rows: tuple[Row, ...], key: str, day: date, insutype: str, benefit: str = "") -> Iterable[Row]:
    for row in rows:
        if row.key != key or not _in_force(row, day) or not row.allows("insutype", insutype):
            continue
        if benefit and not row.allows("benefit", benefit):
            continue
        yield _without_known(row, "insutype", *(("benefit",) if benefit else ()))


def _without_known(row: Row, *known: str) -> Row:
    """Return the row without the conditions that its place in the table already guarantees."""
    left = tuple(c for c in row.conditions if c.dimension not in known)
    return row if len(left) == len(row.conditions) else msgspec.structs.replace(row, conditions=left)


def _in_force(row: Row, day: date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)


def words_allowed(row: Row, dimension: str) -> frozenset[str]:
    """Return the codes a row names in one dimension, none if it has no such condition."""
    for condition in row.conditions:
        if condition.dimension == dimension and condition.allowed is not None:
            return condition.allowed
    return frozenset()
