"""A region's law with the place of every row: what checks and comparisons look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from yibao.policy.law.conditions import disease_matches
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy, Row
from yibao.policy.law.positions import Positions, document_of, entry_at, split_place

EVER = date.max
"""Last day of a row that has no end."""
_APART = ("layer", "group", "index", "kind", "payer", "part", "adds")
_ANY_OF = ("identity", "trait")


class Entry(msgspec.Struct, frozen=True):
    """A compiled row and what is written of it.

    Attributes:
        row: as compiled.
        file: its file.
        line: its line.
        when: its conditions as written, those of the block included.
        fields: all fields as written, those of the block included.
    """

    row: Row
    file: str
    line: int
    when: Mapping[str, Any]
    fields: Mapping[str, Any]

    @property
    def start(self) -> date:
        """First day."""
        return self.row.valid_from

    @property
    def end(self) -> date:
        """Last day, ``EVER`` if open."""
        return self.row.valid_to or EVER

    def choice(self) -> tuple[str, ...]:
        """Return what tells the rows apart among which the first that fits is taken."""
        row = self.row
        apart = [str(self.fields.get(name, "")) for name in _APART]
        of = row.counter if row.key == "pool_cap" else row.word if row.key == "layer" else ""
        return (row.key, of, *apart)

    def codes(self, dimension: str) -> frozenset[str] | None:
        """Return the codes named in a dimension, None where the row has no such condition."""
        wanted = self.when.get(dimension)
        if wanted is None or isinstance(wanted, dict | bool):
            return None
        return frozenset([wanted] if isinstance(wanted, str) else wanted)

    def allows(self, dimension: str, code: str) -> bool:
        """Say whether a code of a dimension can fit this row."""
        codes = self.codes(dimension)
        return codes is None or code in codes


class Lawbook(msgspec.Struct, frozen=True):
    """A region's compiled law with its files.

    Attributes:
        policy: as the counter uses it.
        entries: every row, in the order in which they are tried.
        documents: file to its tables and lists.
        positions: file to the lines of its fields.
    """

    policy: RegionPolicy
    entries: tuple[Entry, ...]
    documents: Mapping[str, Mapping[str, Any]]
    positions: Mapping[str, Positions]

    def line(self, entry: Entry, field: str) -> int:
        """Return the line of a field of a row."""
        spot = split_place(entry.row.place)
        return self.positions[entry.file].line(spot.block, spot.row, field) if spot else entry.line

    def of(self, *keys: str) -> list[Entry]:
        """Return the rows of some keys."""
        return [entry for entry in self.entries if entry.row.key in keys]

    def choices(self) -> Iterator[list[Entry]]:
        """Yield the groups of rows of which one is chosen, in the order in which they are tried."""
        groups: dict[tuple[str, ...], list[Entry]] = {}
        for entry in self.entries:
            groups.setdefault(entry.choice(), []).append(entry)
        yield from groups.values()

    def within(self, inner: Entry, outer: Entry) -> bool:
        """Say whether every case that fits one row fits the other, whatever the day."""
        return all(
            dimension in inner.when and self._narrower(dimension, inner.when[dimension], wanted)
            for dimension, wanted in outer.when.items()
        )

    def together(self, one: Entry, other: Entry) -> bool:
        """Say whether a case can fit both rows, whatever the day."""
        for dimension in one.when.keys() & other.when.keys():
            mine, theirs = one.codes(dimension), other.codes(dimension)
            if dimension in (*_ANY_OF, "recognised_all", "disease") or mine is None or theirs is None:
                if isinstance(one.when[dimension], dict) and _apart(one.when[dimension], other.when[dimension]):
                    return False
            elif mine.isdisjoint(theirs):
                return False
        return True

    def benefits_of(self, entry: Entry) -> frozenset[str]:
        """Return the benefits a row can apply to."""
        named = entry.codes("benefit")
        if named is not None:
            return named
        insutypes = entry.codes("insutype")
        return frozenset(
            benefit.row.word
            for benefit in self.of("benefit")
            if insutypes is None or insutypes & (benefit.codes("insutype") or insutypes)
        )

    def _narrower(self, dimension: str, inner: Any, outer: Any) -> bool:
        if isinstance(outer, dict):
            return isinstance(inner, dict) and _inside(inner, outer)
        if isinstance(outer, bool) or isinstance(inner, bool | dict):
            return bool(inner == outer)
        mine = frozenset([inner] if isinstance(inner, str) else inner)
        theirs = frozenset([outer] if isinstance(outer, str) else outer)
        if dimension == "recognised_all":
            return theirs <= mine
        if dimension == "disease":
            patterns = tuple(p for word in theirs for p in self.policy.words.diseases.get(word, ()))
            codes = [c for word in mine for c in self.policy.words.diseases.get(word, ())]
            return all(disease_matches(code.rstrip("*"), patterns) or code in patterns for code in codes)
        return mine <= theirs


def read_lawbook(files: Mapping[str, str]) -> Lawbook:
    """Compile a region's files and keep the place of every row.

    Raises:
        BadPolicy: the files do not compile.
    """
    policy = load_policy(files)
    documents = {file: document_of(text) for file, text in files.items()}
    positions = {file: Positions(text) for file, text in files.items()}
    entries = [_entry(row, documents, positions) for row in sorted(policy.rows, key=lambda r: -r.priority)]
    return Lawbook(policy, tuple(entries), documents, positions)


def uncovered(start: date, end: date, by: list[Entry]) -> list[tuple[date, date]]:
    """Return the parts of a period in which none of the rows is in force."""
    left = []
    for entry in sorted(by, key=lambda e: e.start):
        if entry.end < start or entry.start > end:
            continue
        if entry.start > start:
            left.append((start, entry.start - timedelta(days=1)))
        if entry.end >= end:
            return left
        start = max(start, entry.end + timedelta(days=1))
    return [*left, (start, end)] if start <= end else left


def _entry(row: Row, documents: Mapping[str, Mapping[str, Any]], positions: Mapping[str, Positions]) -> Entry:
    spot = split_place(row.place)
    if spot is None or spot.file not in documents:
        raise AssertionError(f"a row without a place: {row.place}")
    fields = entry_at(documents[spot.file], spot)
    line = positions[spot.file].line(spot.block, spot.row, "")
    return Entry(row, spot.file, line, fields.get("when", {}), fields)


def _inside(inner: Mapping[str, int], outer: Mapping[str, int]) -> bool:
    above = "from" not in outer or inner.get("from", outer["from"] - 1) >= outer["from"]
    return above and ("below" not in outer or inner.get("below", outer["below"] + 1) <= outer["below"])


def _apart(one: Any, other: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    return any(
        "below" in low and "from" in high and low["below"] <= high["from"] for low, high in ((one, other), (other, one))
    )
