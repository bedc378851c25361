"""Dated parameters after compilation: immutable rows, the law of a day, and a region's whole policy."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import Protocol

import msgspec

from yibao.policy.decision import Used
from yibao.policy.law.conditions import Condition, Facts, Words
from yibao.policy.law.keys import KINDS, Kind
from yibao.policy.law.values import Band, Share, Slope

__all__ = [
    "KINDS",
    "BenefitLaw",
    "CapLaw",
    "DayLaw",
    "Kind",
    "RegionPolicy",
    "Row",
    "first_match",
]


class Row(msgspec.Struct, frozen=True):
    """One dated value with the conditions under which it applies.

    Attributes:
        key: what it is a value of, see ``KINDS``.
        number: fen for amounts, ten-thousandths for ratios and points, whole units for counts; 0 where
            ``formula`` says how the number comes about.
        absent: the law says that there is none (no deductible, no ceiling).
        bands: the bands of a banded ratio, empty for a flat one.
        word: a code or choice, the unit of a count; for an ``order`` the words joined by a space.
        valid_from: first day.
        valid_to: last day, None if open.
        conditions: all must hold.
        used: how a trace names this row.
        counter: counter it reads and adds to.
        extra: attributes of the key, see ``KINDS``.
        place: file and ordinal, for messages.
        priority: rows with a higher one are tried first; equal ones in the order of the file.
        formula: a share of a base, or a number that grows with a fact; None for a plain number.
    """

    key: str
    number: int
    absent: bool
    bands: tuple[Band, ...]
    word: str
    valid_from: date
    valid_to: date | None
    conditions: tuple[Condition, ...]
    used: Used
    counter: str
    extra: Mapping[str, str | bool | int]
    place: str
    priority: int = 0
    formula: Share | Slope | None = None

    def applies(self, facts: Facts) -> bool:
        """Say whether all conditions hold for these facts."""
        for condition in self.conditions:  # noqa: SIM110 - a plain loop is twice as fast as all()
            if not condition.test(facts[condition.dimension]):
                return False
        return True

    def allows(self, dimension: str, word: str) -> bool:
        """Say whether a code is possible in one dimension, before the case is known."""
        return all(
            c.allowed is None or word in c.allowed for c in self.conditions if c.dimension == dimension
        )

    def in_force(self, day: date) -> bool:
        """Say whether the row is the law of a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class CapLaw(msgspec.Struct, frozen=True):
    """The rows of one ceiling, told apart from other ceilings of the benefit by its counter."""

    counter: str
    name: str
    optional: bool
    rows: tuple[Row, ...]


class BenefitLaw(msgspec.Struct, frozen=True):
    """Everything that is in force on a day for one insurance and one benefit kind.

    Attributes:
        rows: by key, those with a higher priority first, without their conditions on insurance and
            benefit; a key without rows is absent.
        caps: the ceilings, by counter.
        missing: Chinese names of the parameters that the region has at other times, but not on this day.
    """

    rows: Mapping[str, tuple[Row, ...]]
    caps: tuple[CapLaw, ...]
    missing: tuple[str, ...]


class DayLaw(msgspec.Struct, frozen=True):
    """The law between two changes.

    Attributes:
        valid_from: its first day.
        choosing: by insurance, the rows that choose the benefit.
        benefits: by insurance and benefit.
        first_pay: by insurance, the first-pay shares of fee lines.
        settings: by key, the rows without conditions.
        reckoning: by key, what is no bill, with all conditions.
        indexes: by name, the index in force.
    """

    valid_from: date
    choosing: Mapping[str, tuple[Row, ...]]
    benefits: Mapping[tuple[str, str], BenefitLaw]
    first_pay: Mapping[str, tuple[Row, ...]]
    settings: Mapping[str, tuple[Row, ...]]
    reckoning: Mapping[str, tuple[Row, ...]]
    indexes: Mapping[str, Row]


class Laws(Protocol):
    """The laws of all days, each arranged when it is first asked for."""

    def law_from(self, day: date) -> DayLaw:
        """Return the law that begins on a day of change."""
        ...

    def index(self, name: str, day: date) -> Row | None:
        """Return the value of an index on a day, None if there is none."""
        ...


class RegionPolicy(msgspec.Struct, frozen=True):
    """A region's law for all days, compiled from its files.

    Attributes:
        admdvs: the region.
        name: its Chinese name.
        version: SHA-256 (hex) of the content of the files; stored with every settlement.
        words: the region's vocabulary.
        person_classes: two or four leading digits of ``psn_type`` to the person class.
        rows: every row in the order of the files, for listings.
        starts: the days on which the law changes, ascending.
        laws: the law from each of these days on.
    """

    admdvs: str
    name: str
    version: str
    words: Words
    person_classes: Mapping[str, str]
    rows: tuple[Row, ...]
    starts: tuple[date, ...]
    laws: Laws

    def law_on(self, day: date) -> DayLaw | None:
        """Return the law of a day, None before the first day any file knows."""
        place = bisect_right(self.starts, day)
        return self.laws.law_from(self.starts[place - 1]) if place else None

    def person_class(self, psn_type: str) -> str:
        """Return the person class of a ``psn_type``, the longest prefix first; ``""`` if the region knows none."""
        classes = self.person_classes
        return classes.get(psn_type[:4]) or classes.get(psn_type[:2], "")

    def index(self, name: str, day: date) -> Row | None:
        """Return the row of a dated index on a day, e.g. the average wage; None if none is in force."""
        return self.laws.index(name, day)

    def setting(self, key: str, day: date) -> Row | None:
        """Return the region-wide row of a key on a day, e.g. ``reversal.later_settlements``; None if not loaded.

        ``row.word`` holds a choice; ``row.number`` 1 or 0 a truth; ``row.used`` its source.
        """
        law = self.law_on(day)
        rows = law.settings.get(key, ()) if law else ()
        return rows[0] if rows else None

    def rows_on(self, day: date) -> tuple[Row, ...]:
        """Return every row that is in force on a day, in the order of the files."""
        return tuple(r for r in self.rows if r.in_force(day))


def first_match(rows: tuple[Row, ...], facts: Facts) -> Row | None:
    """Return the first row whose conditions all hold; None if there is none."""
    for row in rows:
        if row.applies(facts):
            return row
    return None
