"""Sorts bills into classes that the law treats alike, by their facts alone: one plan serves a whole class.

Two values of a fact are alike when every condition of the region's law answers the same for both, so a city with three
age limits has four ages. Where the law reckons with the value itself (a ratio that grows with age), nothing is merged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.law.values import Slope

GROUP = "group:"
"""Prefix of columns that hold the in-scope cost of a named group of lines."""
LIST_SEPARATOR = "|"
"""Facts that are lists (identities, traits, recognised diseases) are one text in a frame, joined by this."""

FACTS: Mapping[str, Any] = {
    "service_on": None, "insutype": None, "med_type": None, "psn_type": None, "age": None, "level": None,
    "institution_kind": "1", "traits": "", "identities": "", "account_kind": "none", "civil_servant": False, "rank": "",
    "enrolment_kind": "", "paid_months": 0, "continuous_years": 0, "claim_free": False, "disease_code": "",
    "recognised": "", "admission": 1, "remote": "", "remote_place": "", "referred_from": "", "maternity": "",
    "pregnancy_months": 0, "foetuses": 1, "provider": "", "cause": "", "maternity_filing": "", "use_account": False,
}
"""The fact columns of a frame of bills with their defaults; those without a default must be there."""

_DIMENSIONS = {"disease_code": "disease", "identities": "identity", "traits": "trait"}
"""Columns whose dimension in conditions bears another name."""

Codes = NDArray[np.int64]
_SPAN_MAX = 1 << 16
_TABLE_MAX = 1 << 22
"""Up to so many different keys are numbered by a table, more by sorting."""


class Classes(msgspec.Struct, frozen=True):
    """The classes of a frame.

    Attributes:
        of_row: the class of each bill.
        cases: a case of each class, with the facts of one of its bills and no amounts.
    """

    of_row: Codes
    cases: tuple[Case, ...]


class _Fact(msgspec.Struct, frozen=True):
    """One fact column: the group of each bill, and one value of each group."""

    name: str
    of_row: Codes
    values: tuple[Any, ...]


def classes_of(frame: pl.DataFrame, policy: RegionPolicy) -> Classes:
    """Return the classes of the bills of one region.

    Raises:
        ValueError: a fact column without a default is missing.
    """
    missing = [name for name, default in FACTS.items() if default is None and name not in frame.columns]
    if missing:
        raise ValueError(f"columns missing in the bills: {', '.join(missing)}")
    facts = [_fact(frame[name], policy) for name in FACTS if name in frame.columns]
    key, count = np.zeros(frame.height, dtype=np.int64), 1
    for fact in facts:
        if len(fact.values) > 1:
            key, count = _dense(key * len(fact.values) + fact.of_row, count * len(fact.values))
    firsts = _first_rows(key, count)
    groups = tuple(name.removeprefix(GROUP) for name in frame.columns if name.startswith(GROUP))
    cases = tuple(
        _case(policy.admdvs, {fact.name: fact.values[fact.of_row[row]] for fact in facts}, groups) for row in firsts
    )
    return Classes(key, cases)


def _fact(column: pl.Series, policy: RegionPolicy) -> _Fact:
    """Group the values of a column that the law cannot tell apart."""
    signature = _signature(column.name, policy)
    groups: dict[Any, int] = {}
    kept: list[Any] = []
    codes: list[int] = []
    numbers, values = _numbered(column)
    for value in values:
        mark = signature(value)
        if mark not in groups:
            groups[mark] = len(kept)
            kept.append(value)
        codes.append(groups[mark])
    if len(kept) <= 1:
        return _Fact(column.name, np.zeros(len(column), dtype=np.int64), tuple(kept))
    return _Fact(column.name, np.array(codes, dtype=np.int64)[numbers], tuple(kept))


def _numbered(column: pl.Series) -> tuple[Codes, list[Any]]:
    """Return the number of each bill's value, and the values in the order of their numbers."""
    whole = column.dtype.is_integer() or column.dtype in (pl.Date, pl.Boolean, pl.Enum, pl.Categorical)
    if whole and len(column):
        physical = column.cast(pl.Int64).to_numpy() if column.dtype == pl.Boolean else column.to_physical().to_numpy()
        lowest = int(physical.min())
        if int(physical.max()) - lowest < _SPAN_MAX:
            numbers, count = _dense(physical.astype(np.int64) - lowest, int(physical.max()) - lowest + 1)
            return numbers, column.gather(pl.Series(_first_rows(numbers, count))).to_list()
    values = column.unique()
    numbers = column.replace_strict(values, pl.Series(range(len(values)), dtype=pl.Int64), return_dtype=pl.Int64).to_numpy()
    return numbers, values.to_list()


def _signature(name: str, policy: RegionPolicy) -> Callable[[Any], Any]:
    """Return what tells two values of a fact apart."""
    if name == "service_on":
        return lambda day: bisect_right(policy.starts, day)
    if name == "use_account":
        return bool
    if name == "psn_type":
        return policy.person_class
    dimension = _DIMENSIONS.get(name, name)
    if _reckoned_with(dimension, policy):
        return lambda value: value
    tests = {
        c.content(): c.test for row in policy.rows for c in row.conditions
        if c.dimension == dimension or (name == "disease_code" and c.dimension == "recognised_all")
        or (name == "recognised" and c.dimension in ("recognised_all", "disease"))
    }
    if name in ("disease_code", "recognised") and any(c[0] == "recognised_all" for c in tests):
        return lambda value: value
    chosen = tuple(tests.values())
    if name in ("identities", "traits"):
        return lambda text: tuple(bool(test(_listed(text))) for test in chosen)
    if name == "disease_code":
        # Whether a bill names a disease at all decides of itself whether some benefits are granted.
        return lambda code: (code != "", *(bool(test(code)) for test in chosen))
    return lambda value: tuple(bool(test(value)) for test in chosen)


def _reckoned_with(dimension: str, policy: RegionPolicy) -> bool:
    """Say whether the law reckons with a fact's value itself, not only with conditions on it."""
    for row in policy.rows:
        if isinstance(row.formula, Slope) and row.formula.per == dimension:
            return True
        if row.key == "deductible_step" and dimension == "admission":
            return True
        if "each_other_disease" in row.extra and dimension in ("recognised", "disease"):
            return True
    return False


def _dense(key: Codes, count: int) -> tuple[Codes, int]:
    """Number the different keys (each below ``count``) from 0 without a gap; return them and how many there are."""
    if count > _TABLE_MAX:
        _, codes = np.unique(key, return_inverse=True)
        return codes.astype(np.int64), int(codes.max(initial=-1)) + 1
    present = np.zeros(count, dtype=bool)
    present[key] = True
    table = np.cumsum(present) - 1
    return table[key], int(present.sum())


def _first_rows(key: Codes, count: int) -> Codes:
    """Return one row of each key."""
    rows = np.zeros(count, dtype=np.int64)
    rows[key] = np.arange(len(key))
    return rows if len(key) else rows[:0]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(LIST_SEPARATOR)) if text else ()


def _case(admdvs: str, facts: Mapping[str, Any], groups: tuple[str, ...]) -> Case:
    """Return a case with these facts, defaults elsewhere, and a bill of nothing, with lines of every group."""
    f: dict[str, Any] = {**FACTS, **facts}
    day: date = f["service_on"]
    return Case(
        admdvs=admdvs, service_on=day, insutype=f["insutype"], med_type=f["med_type"],
        person=PersonFacts(
            psn_type=f["psn_type"], age=f["age"], identities=_listed(f["identities"]), civil_servant=f["civil_servant"],
            account_kind=f["account_kind"], paid_months=f["paid_months"], rank=f["rank"],
            enrolment_kind=f["enrolment_kind"], continuous_years=f["continuous_years"], claim_free=f["claim_free"],
        ),
        institution=InstitutionFacts(
            code="", kind=f["institution_kind"], level=f["level"], traits=_listed(f["traits"])
        ),
        lines=tuple(LineGroup(0, 0, 0, 0, 0, group=name) for name in ("", *groups)),
        disease_code=f["disease_code"], recognised=_listed(f["recognised"]),
        use_account=f["use_account"], admission=f["admission"], remote=f["remote"], remote_place=f["remote_place"],
        referred_from=f["referred_from"], maternity=f["maternity"], pregnancy_months=f["pregnancy_months"],
        foetuses=f["foetuses"], provider=f["provider"], cause=f["cause"], maternity_filing=f["maternity_filing"],
    )
