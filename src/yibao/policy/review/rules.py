"""The rules after reading: immutable rows, found by the item they are about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

MAN, WOMAN = "1", "2"


class Kind(msgspec.Struct, frozen=True):
    """One kind of rule: its code on the wire and what all its rules share.

    Attributes:
        reach: ``institution`` where only charges of the same institution count together, else ``person``.
    """

    name: str
    code: str
    title: str
    severity: str
    behaviour: str
    reach: str


class Ages(msgspec.Struct, frozen=True):
    """An age that a rule names; half-open in full years, or days since birth."""

    word: str
    from_years: int | None = None
    below_years: int | None = None
    days_max: int | None = None


class Course(msgspec.Struct, frozen=True):
    """How long something is paid.

    Attributes:
        within: ``stay`` counts the visit alone, ``course`` until ``gap_days`` pass without the item.
        measure: ``paid`` counts days with a charge, ``span`` from the first day on.
    """

    days: int
    within: str
    measure: str
    gap_days: int


class Rule(msgspec.Struct, frozen=True):
    """A rule about one item.

    Attributes:
        rule_id: unique; begins with the code of its kind.
        item: national code of a service, name of a drug or piece.
        word: the table's own value (女, 儿童, 二级, 单日 ...).
        text: what is printed beside it, ``""`` if nothing.
    """

    rule_id: str
    kind: Kind
    item: str
    item_name: str
    word: str
    source: str
    text: str = ""


class SexRule(Rule, frozen=True):
    """Only for one sex."""

    sex: str = ""


class AgeRule(Rule, frozen=True):
    """Only for an age."""

    ages: Ages = Ages("")


class VisitRule(Rule, frozen=True):
    """Only in some kinds of visit; also those of an insurance (work injury, maternity)."""

    allowed: frozenset[str] = frozenset()


class LevelRule(Rule, frozen=True):
    """Only at institutions from a level on; ``first_only`` where only the first prescription needs it."""

    level: str = ""
    first_only: bool = False


class PairRule(Rule, frozen=True):
    """The item includes another one, which is not charged beside it within a window.

    Attributes:
        other: code of the included item.
        window: ``day``, ``visit``, ``hours`` (fewer than ``hours`` apart) or ``clock_hour``.
    """

    other: str = ""
    other_name: str = ""
    window: str = ""
    hours: int = 0


class IncisionRule(Rule, frozen=True):
    """An operation that shares its incision with the others of a group."""

    group: str = ""


class FrequencyRule(Rule, frozen=True):
    """At most ``times`` units (hours, days, times) within ``days`` days; one day is a calendar day."""

    times: int = 0
    days: int = 1


class CourseRule(Rule, frozen=True):
    """Paid for a number of days at most."""

    course: Course = Course(0, "", "", 0)


class PieceRule(Rule, frozen=True):
    """A herbal piece that is not paid alone, nor beside others of its kind only."""


class OrderFrequency(msgspec.Struct, frozen=True):
    """How often an order may be carried out: ``times`` in ``period_days``; not ``bounded``: as needed."""

    code: str
    name: str
    period_days: int
    times: int
    bounded: bool


class RuleBook(msgspec.Struct, frozen=True):
    """All rules, ready to be asked.

    Attributes:
        version: digest of the files, kept with everything that was judged by them.
        by_item: rules by code of a service, or by name of a drug or piece.
        included: pair rules by the code of the included item.
        frequencies: ordered frequencies by code, name and alias.
        visits: kind of visit to the ``med_type`` that count as it.
        items: ``drug``, ``piece``, ``service`` to their ``list_type``.
        look_back_days: how far back charges are read.
    """

    version: str
    valid_from: date
    kinds: Mapping[str, Kind]
    rules: Mapping[str, Rule]
    by_item: Mapping[str, tuple[Rule, ...]]
    included: Mapping[str, tuple[PairRule, ...]]
    frequencies: Mapping[str, OrderFrequency]
    visits: Mapping[str, frozenset[str]]
    items: Mapping[str, frozenset[str]]
    look_back_days: int

    def visit_kinds(self, med_type: str) -> frozenset[str]:
        """Return what a visit of a ``med_type`` counts as."""
        return frozenset(kind for kind, types in self.visits.items() if med_type in types)

    def known(self, rule_id: str) -> bool:
        """Say whether a text names a rule or the code of a kind."""
        return rule_id in self.rules or any(kind.code == rule_id for kind in self.kinds.values())
