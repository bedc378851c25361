"""Which group a case belongs to: categories, core groups and groups, each in the order of its table."""

from __future__ import annotations

import msgspec

from yibao.policy.grouping.case import GroupingCase
from yibao.policy.grouping.conditions import Condition, Facts, Found
from yibao.policy.grouping.reading import read_case
from yibao.policy.grouping.scheme import Category, CoreGroup, Group, Scheme

GROUPED = "grouped"
NO_MAIN_DIAGNOSIS = "NO_MAIN_DIAGNOSIS"
MAIN_DIAGNOSIS_UNKNOWN = "MAIN_DIAGNOSIS_UNKNOWN"
MAIN_DIAGNOSIS_UNLISTED = "MAIN_DIAGNOSIS_UNLISTED"
CONDITIONS_NOT_MET = "CONDITIONS_NOT_MET"
NO_CORE_GROUP = "NO_CORE_GROUP"


class Complication(msgspec.Struct, frozen=True, gc=False):
    """Another diagnosis that is a complication: ``kind`` ``mcc`` or ``cc``, its table, whether it is excluded."""

    code: str
    kind: str
    table: str
    is_excluded: bool


class Grouped(msgspec.Struct, frozen=True, gc=False):
    """The answer for one case.

    Attributes:
        state: ``grouped``, or why it is not: ``NO_MAIN_DIAGNOSIS``, ``MAIN_DIAGNOSIS_UNKNOWN`` (no code of the
            scheme), ``MAIN_DIAGNOSIS_UNLISTED`` (in no category), ``CONDITIONS_NOT_MET`` (listed, but sex, age or
            sites do not fit), ``NO_CORE_GROUP`` (in a category, but none of its core groups takes it).
        category, core, group: rows of the scheme; ``None`` if ungrouped.
        entry, core_entry: what made the conditions of category and core group hold, in their order.
        complications: other diagnoses that were weighed; empty where the core group has one group only.
        passed: categories entered before whose core groups all refused the case.
        facts: the case as it was read.
        notes: Chinese sentences on what in the case was not plain.
    """

    case: str
    state: str
    category: Category | None
    core: CoreGroup | None
    group: Group | None
    entry: tuple[Found, ...]
    core_entry: tuple[Found, ...]
    complications: tuple[Complication, ...]
    passed: tuple[Category, ...]
    facts: Facts
    notes: tuple[str, ...]


def group_case(case: GroupingCase, scheme: Scheme, notes: tuple[str, ...] = ()) -> Grouped:
    """Return the group of a case, or why it has none. Never fails: every case has an answer.

    Args:
        case: the finished stay.
        scheme: the published tables.
        notes: what the reader of the file already had to say about the row.
    """
    read = read_case(case, scheme)
    facts, said = read.facts, (*notes, *read.notes)
    passed: list[Category] = []
    if facts.main:
        for category in scheme.candidates.get(facts.main) or scheme.candidates[""]:
            entry = _held(category.conditions, facts, category)
            if entry is None:
                continue
            for core in category.cores:
                core_entry = _held_in_core(core, facts)
                if core_entry is None:
                    continue
                group, complications = _by_severity(core, facts, scheme)
                if group is not None:
                    return Grouped(
                        case.case, GROUPED, category, core, group, entry, core_entry, complications,
                        tuple(passed), facts, said,
                    )
            passed.append(category)
    state = _why_not(facts, scheme, passed)
    return Grouped(case.case, state, None, None, None, (), (), (), tuple(passed), facts, said)


def _held(conditions: tuple[Condition, ...], facts: Facts, row: Category) -> tuple[Found, ...] | None:
    evidence = []
    for condition in conditions:
        found = condition.test(facts, row.diagnoses, {}, row.sites)
        if found is None:
            return None
        evidence.append(found)
    return tuple(evidence)


def _held_in_core(core: CoreGroup, facts: Facts) -> tuple[Found, ...] | None:
    evidence = []
    for condition in core.conditions:
        found = condition.test(facts, core.diagnoses, core.procedures, {})
        if found is None:
            return None
        evidence.append(found)
    return tuple(evidence)


def complications_of(facts: Facts, scheme: Scheme) -> tuple[Complication, ...]:
    """Return every other diagnosis that is a complication, excluded or not, in the order of the case.

    A diagnosis is excluded when its table is the one the main diagnosis names; then it is part of the main
    diagnosis's own picture and does not make the case heavier.
    """
    main = scheme.diagnoses.get(facts.main)
    exclusion = main.exclusion if main else ""
    found = []
    for code in facts.diagnoses[1:]:
        known = scheme.diagnoses.get(code)
        if known is None:
            continue
        for kind, table in (("mcc", known.mcc), ("cc", known.cc)):
            if table:
                found.append(Complication(code, kind, table, table == exclusion))
    return tuple(found)


def _by_severity(
    core: CoreGroup, facts: Facts, scheme: Scheme
) -> tuple[Group | None, tuple[Complication, ...]]:
    if core.groups[0].severity == "any":
        return core.groups[0], ()
    complications = complications_of(facts, scheme)
    counted = {c.kind for c in complications if not c.is_excluded}
    for group in core.groups:
        if group.severity == "any" or "mcc" in counted or (group.severity == "mcc_or_cc" and "cc" in counted):
            return group, complications
    return None, complications


def _why_not(facts: Facts, scheme: Scheme, passed: list[Category]) -> str:
    if not facts.main:
        return NO_MAIN_DIAGNOSIS
    if any(category.diagnoses for category in passed):
        return NO_CORE_GROUP
    if any(facts.main in category.diagnoses for category in scheme.categories):
        return CONDITIONS_NOT_MET
    return MAIN_DIAGNOSIS_UNLISTED if facts.main in scheme.diagnoses else MAIN_DIAGNOSIS_UNKNOWN
