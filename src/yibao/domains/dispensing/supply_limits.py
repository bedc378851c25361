"""How many days of a medicine one prescription may hold: dated rows of data/supply/limits.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib import resources

import msgspec


class SupplyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A limit in days; ``admdvs`` ``""`` is the whole country. The period includes both ends, as the file writes it."""

    rule: str
    admdvs: str
    visit_class: str
    days: int
    begin: date
    end: date | None
    source: str


@cache
def supply_rows() -> tuple[SupplyRow, ...]:
    """Return the rows of the package's file."""
    text = resources.files("yibao").joinpath("data", "supply", "limits.csv").read_text("utf-8")
    return tuple(
        SupplyRow(
            rule=r["rule"], admdvs=r["admdvs"], visit_class=r["visit_class"], days=int(r["days"]),
            begin=date.fromisoformat(r["from"]), end=date.fromisoformat(r["to"]) if r["to"] else None, source=r["source"],
        )
        for r in csv.DictReader(text.splitlines())
    )


def supply_limit(
    admdvs: str, visit_class: str, on: date, *, rows: Iterable[SupplyRow] | None = None
) -> SupplyRow | None:
    """Return the limit that holds in a region on a day, the region's own before the country's; None: no limit."""
    found = [
        r for r in (supply_rows() if rows is None else rows)
        if r.visit_class == visit_class and r.admdvs in ("", admdvs) and r.begin <= on and (r.end is None or on <= r.end)
    ]
    return max(found, key=lambda r: bool(r.admdvs), default=None)
