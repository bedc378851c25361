"""The kinds of books and the papers they ask for, as data: read once."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec

from yibao.domains.registers.model import AskedPaper, Kind


class Books(msgspec.Struct, frozen=True):
    """Every kind of book, with the papers of each; ``items``: business and book of a service item's kinds of deed."""

    kinds: dict[str, Kind]
    papers: dict[str, tuple[AskedPaper, ...]]
    items: dict[tuple[str, str], tuple[str, str]]


@cache
def books() -> Books:
    """Return the packaged data, read once.

    Raises:
        ValueError: a paper of no book.
    """
    data = resources.files("yibao") / "data"
    kinds = {row["kind"]: Kind(row["kind"], row["title"], row["money"], row["keeper"])
             for row in _rows(data / "windows" / "registers.csv")}
    papers: dict[str, list[AskedPaper]] = {code: [] for code in kinds}
    for row in _rows(data / "registers" / "papers.csv"):
        if row["kind"] not in papers:
            raise ValueError(f"a paper of no book: {row['kind']}")
        papers[row["kind"]].append(AskedPaper(row["kind"], int(row["ordinal"]), row["paper"], row["title"], row["rule"]))
    items = {(row["item_code"], row["kind"]): (row["business"], row["register"])
             for row in _rows(data / "registers" / "items.csv")}
    return Books(kinds, {code: tuple(sorted(found, key=lambda p: p.ordinal)) for code, found in papers.items()}, items)


def _rows(file: Traversable) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(file.read_text(encoding="utf-8").splitlines())
