"""A published grouping scheme as frozen tables: categories (MDC), core groups (ADRG), groups (DRG), codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from yibao.policy.grouping.conditions import BY_MAIN_DIAGNOSIS, Condition, SchemeFault, conditions_of

Rows = Sequence[Mapping[str, str]]
SUBCATEGORY = 5
"""A code's first characters that name its subcategory: ``K80.1``."""


class Diagnosis(msgspec.Struct, frozen=True, gc=False):
    """What the scheme knows of a diagnosis code.

    Attributes:
        name: the published name, ``""`` for the four codes that only the group lists name.
        mcc: number of the exclusion table the code belongs to as a major complication, ``""`` if it is none.
        cc: likewise as a complication.
        exclusion: the exclusion table the code names as main diagnosis: members of it do not count beside it.
    """

    name: str
    mcc: str = ""
    cc: str = ""
    exclusion: str = ""


class Group(msgspec.Struct, frozen=True, gc=False):
    """A payment group (DRG). ``severity``: ``mcc``, ``mcc_or_cc`` or ``any``."""

    code: str
    name: str
    order: int
    severity: str


class CoreGroup(msgspec.Struct, frozen=True, gc=False):
    """A core group (ADRG): its entry rule with its lists, and its groups in the order they are tested."""

    code: str
    name: str
    order: int
    rule: str
    conditions: tuple[Condition, ...]
    diagnoses: frozenset[str]
    procedures: Mapping[str, frozenset[str]]
    groups: tuple[Group, ...]


class Category(msgspec.Struct, frozen=True, gc=False):
    """A major diagnostic category (MDC) with its core groups in the order they are tested."""

    code: str
    name: str
    order: int
    rule: str
    conditions: tuple[Condition, ...]
    diagnoses: frozenset[str]
    sites: Mapping[str, str]
    cores: tuple[CoreGroup, ...]


class Scheme(msgspec.Struct, frozen=True, gc=False):
    """A whole scheme, complete in itself.

    Attributes:
        ungrouped: the code of a case that no category takes.
        newborn_days_max: the last day of age at which a child is a newborn.
        infant_days_max: the last day of age that counts as age 0 where the years are not given.
        categories: in the order they are tested.
        diagnoses: code -> what is known of it, all codes that a table of the scheme names.
        procedures: code -> published name.
        valid_operations: procedures that count as an operation.
        moved: (``dx`` or ``op``, code) -> the code of the scheme that stands for it.
        spellings: (``dx`` or ``op``, folded code) -> the code as the tables spell it.
        candidates: main diagnosis -> the categories that list it or list none, in their order.
        listed: subcategory (first five characters) -> the diagnoses of it that some category lists.
    """

    code: str
    name: str
    ungrouped: str
    newborn_days_max: int
    infant_days_max: int
    categories: tuple[Category, ...]
    diagnoses: Mapping[str, Diagnosis]
    procedures: Mapping[str, str]
    valid_operations: frozenset[str]
    moved: Mapping[tuple[str, str], str]
    spellings: Mapping[tuple[str, str], str]
    candidates: Mapping[str, tuple[Category, ...]]
    listed: Mapping[str, tuple[str, ...]]

    def groups(self) -> Iterable[tuple[Category, CoreGroup, Group]]:
        """Return every group with its core group and category, in the order they are tested."""
        return (
            (category, core, group)
            for category in self.categories for core in category.cores for group in core.groups
        )


def build_scheme(head: Mapping[str, Any], tables: Mapping[str, Rows]) -> Scheme:
    """Return the scheme that these rows describe.

    Args:
        head: ``code``, ``name``, ``ungrouped``, ``newborn_days_max``, ``infant_days_max``.
        tables: rows of ``mdc``, ``mdc_dx``, ``adrg``, ``adrg_dx``, ``adrg_op``, ``drg``, ``diagnoses``,
            ``procedures`` and ``code_map``, as ``data/grouping/README.md`` describes them.

    Raises:
        SchemeFault: a rule word nobody knows, or rows that point to nothing.
    """
    cores = _cores(tables)
    categories = _categories(tables, cores)
    if sum(len(c.cores) for c in categories) != len(tables["adrg"]):
        raise SchemeFault("an ADRG names an MDC that is not there")
    listed = {row["dx_code"] for name in ("mdc_dx", "adrg_dx") for row in tables[name]}
    diagnoses = {code: Diagnosis("") for code in listed} | {
        row["code"]: Diagnosis(row["name"], row["mcc_table"], row["cc_table"], row["exclusion_table"])
        for row in tables["diagnoses"]
    }
    procedures = {row["code"]: row["name"] for row in tables["procedures"]}
    moved = {(row["kind"], row["from_code"]): row["to_code"] for row in tables["code_map"]}
    return Scheme(
        code=str(head["code"]), name=str(head["name"]), ungrouped=str(head["ungrouped"]),
        newborn_days_max=int(head["newborn_days_max"]), infant_days_max=int(head["infant_days_max"]),
        categories=categories, diagnoses=diagnoses, procedures=procedures, moved=moved,
        spellings=_spellings(diagnoses, procedures, moved), listed=_by_subcategory(categories),
        candidates=_candidates(categories),
        valid_operations=frozenset(row["code"] for row in tables["procedures"] if row["valid_op"] == "1"),
    )


def fold(code: str) -> str:
    """Return a code without regard to the case of its letters."""
    return code.casefold()


def _spellings(
    diagnoses: Iterable[str], procedures: Iterable[str], moved: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    known = [("dx", code) for code in diagnoses] + [("op", code) for code in procedures] + list(moved)
    spellings: dict[tuple[str, str], str] = {}
    for kind, code in known:
        if spellings.setdefault((kind, fold(code)), code) != code:
            raise SchemeFault(f"two codes differ in the case of letters only: {code}")
    return spellings


def _candidates(categories: Sequence[Category]) -> dict[str, tuple[Category, ...]]:
    """Return the categories worth asking for each main diagnosis; ``""`` stands for any that nobody lists."""
    for category in categories:
        if category.diagnoses and not category.rule.startswith(BY_MAIN_DIAGNOSIS):
            raise SchemeFault(f"{category.code} lists diagnoses that its rule does not ask for")
    codes = {code for category in categories for code in category.diagnoses} | {""}
    return {code: tuple(c for c in categories if not c.diagnoses or code in c.diagnoses) for code in codes}


def _by_subcategory(categories: Iterable[Category]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code in sorted({code for category in categories for code in category.diagnoses}):
        found.setdefault(code[:SUBCATEGORY], []).append(code)
    return {head: tuple(codes) for head, codes in found.items()}


def _cores(tables: Mapping[str, Rows]) -> dict[str, list[CoreGroup]]:
    diagnoses = _sets(tables["adrg_dx"], "adrg", "dx_code")
    procedures = _lists(tables["adrg_op"])
    groups: dict[str, list[Group]] = {}
    for row in tables["drg"]:
        group = Group(row["drg"], row["name"], int(row["test_order"]), row["severity"])
        groups.setdefault(row["adrg"], []).append(group)
    cores: dict[str, list[CoreGroup]] = {}
    for row in tables["adrg"]:
        code = row["adrg"]
        if code not in groups:
            raise SchemeFault(f"{code} has no group")
        cores.setdefault(row["mdc"], []).append(CoreGroup(
            code=code, name=row["name"], order=int(row["test_order"]), rule=row["entry_rule"],
            conditions=conditions_of(row["entry_rule"]), diagnoses=diagnoses.get(code, frozenset()),
            procedures=procedures.get(code, {}), groups=tuple(sorted(groups[code], key=_order)),
        ))
    return cores


def _categories(tables: Mapping[str, Rows], cores: Mapping[str, Sequence[CoreGroup]]) -> tuple[Category, ...]:
    diagnoses = _sets(tables["mdc_dx"], "mdc", "dx_code")
    sites: dict[str, dict[str, str]] = {}
    for row in tables["mdc_dx"]:
        if row["trauma_site"]:
            sites.setdefault(row["mdc"], {})[row["dx_code"]] = row["trauma_site"]
    found = [
        Category(
            code=row["mdc"], name=row["name"], order=int(row["test_order"]), rule=row["entry_rule"],
            conditions=conditions_of(row["entry_rule"]), diagnoses=diagnoses.get(row["mdc"], frozenset()),
            sites=sites.get(row["mdc"], {}), cores=tuple(sorted(cores.get(row["mdc"], ()), key=_order)),
        )
        for row in tables["mdc"]
    ]
    return tuple(sorted(found, key=_order))


def _order(row: Category | CoreGroup | Group) -> int:
    return row.order


def _sets(rows: Rows, key: str, value: str) -> dict[str, frozenset[str]]:
    collected: dict[str, set[str]] = {}
    for row in rows:
        collected.setdefault(row[key], set()).add(row[value])
    return {code: frozenset(values) for code, values in collected.items()}


def _lists(rows: Rows) -> dict[str, dict[str, frozenset[str]]]:
    collected: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        collected.setdefault(row["adrg"], {}).setdefault(row["list_no"], set()).add(row["op_code"])
    return {
        code: {number: frozenset(values) for number, values in lists.items()} for code, lists in collected.items()
    }
