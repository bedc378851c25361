"""The service items as data: read once, looked up by code, region and day."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec

from yibao.domains.services.calendar import Calendar
from yibao.domains.services.model import Item, Limit, Paper

TRANSFER_OUT, TRANSFER_IN = "transfer.out", "transfer.in"
"""The two clocks of a transfer, in the table of limits."""


class ServiceBook(msgspec.Struct, frozen=True):
    """Everything the data says of services; see its README."""

    items: dict[str, Item]
    limits: tuple[Limit, ...]
    papers: dict[str, tuple[Paper, ...]]
    calendar: Calendar
    words: dict[str, dict[str, str]]
    appeal: str
    certificate_days: int

    def limit_of(self, code: str, *, admdvs: str, on: date) -> Limit:
        """Return the limit of an item in a region on a day: the region's own before the national one, then the newest.

        Raises:
            LookupError: the table has none; the data is wrong.
        """
        found = [row for row in self.limits if row.code == code and row.region in ("", admdvs) and row.valid_from <= on]
        if not found:
            # Before the national list there was none; its first rows then stand in.
            found = [row for row in self.limits if row.code == code and row.region in ("", admdvs)]
            if not found:
                raise LookupError(f"no limit for {code}")
            return min(found, key=lambda row: row.valid_from)
        return max(found, key=lambda row: (row.region != "", row.valid_from))


@cache
def service_book() -> ServiceBook:
    """Return the packaged data, read once."""
    return read_book(resources.files("yibao") / "data" / "services")


def read_book(directory: Traversable) -> ServiceBook:
    """Return what the files of a directory say.

    Raises:
        ValueError: a row contradicts another one: an item twice, a limit or a paper of no item.
    """
    items = {row["code"]: _item(row) for row in _rows(directory, "items.csv")}
    limits = tuple(
        Limit(row["code"], row["region"], date.fromisoformat(row["valid_from"]), int(row["working_days"]), row["source"],
              row["mark"]) for row in _rows(directory, "limits.csv")
    )
    papers: dict[str, list[Paper]] = {code: [] for code in items}
    for row in _rows(directory, "materials.csv"):
        if row["item_code"] not in papers:
            raise ValueError(f"a paper of no item: {row['item_code']}")
        papers[row["item_code"]].append(
            Paper(row["item_code"], int(row["ordinal"]), row["material"], row["title"], row["rule"], row["mark"]))
    if strangers := {row.code for row in limits} - set(items) - {TRANSFER_OUT, TRANSFER_IN}:
        raise ValueError(f"limits of no item: {sorted(strangers)}")
    words = tomllib.loads((directory / "words.toml").read_text(encoding="utf-8"))
    return ServiceBook(
        items, limits, {code: tuple(sorted(rows, key=lambda p: p.ordinal)) for code, rows in papers.items()},
        _calendar(directory), {name: table for name, table in words.items() if isinstance(table, dict)}, words["appeal"],
        words["certificate_days"],
    )


def _item(row: dict[str, str]) -> Item:
    return Item(row["code"], row["title"], tuple(row["applicants"].split("|")), tuple(row["channels"].split("|")),
                row["review"], row["effect"], row["instead"])


def _calendar(directory: Traversable) -> Calendar:
    days = [(date.fromisoformat(row["day"]), row["kind"]) for row in _rows(directory, "holidays.csv")]
    return Calendar(
        frozenset(day for day, kind in days if kind == "off"), frozenset(day for day, kind in days if kind == "work"),
        frozenset(day.year for day, _ in days),
    )


def _rows(directory: Traversable, name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader((directory / name).read_text(encoding="utf-8").splitlines())
