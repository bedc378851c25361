"""Sorts people into groups and adds up who pays less and who pays more after a change of law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.policies.reform_population import MakeUp, Year

GROUPINGS: Final[Mapping[str, str]] = {
    "person_class": "人员类别", "age_band": "年龄", "identity": "特殊身份", "use": "就医情况",
}  # fmt: skip
"""Groupings with their Chinese names."""

NO_IDENTITY: Final = "无特殊身份"
_AGES = ((18, "17 岁以下"), (45, "18—44 岁"), (60, "45—59 岁"), (75, "60—74 岁"), (1000, "75 岁以上"))
_USES = ("未就医", "门诊 1—3 次", "门诊 4—9 次", "门诊 10 次以上", "住院 1 次", "住院 2 次以上")
_INSURANCES = {"310": "职工医保", "390": "居民医保"}

Column = NDArray[np.int64]


class GroupSum(msgspec.Struct):
    """A group of people; amounts in fen. Winners pay less than before, losers more.

    Attributes:
        persons: how many.
        amount: what their year cost.
        before, after: what they pay of it themselves.
        winners, won: how many pay less, and how much less in total.
        losers, lost: how many pay more, and how much more in total.
    """

    persons: int = 0
    amount: int = 0
    before: int = 0
    after: int = 0
    winners: int = 0
    won: int = 0
    losers: int = 0
    lost: int = 0


class Groups:
    """The sums of every group of every grouping."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, GroupSum]] = {name: {} for name in GROUPINGS}

    def add(self, labels: Mapping[str, pl.Series], amount: Column, before: Column, after: Column) -> None:
        """Add some people."""
        change = after - before
        facts = {
            "persons": np.ones_like(change), "amount": amount, "before": before, "after": after,
            "winners": change < 0, "won": np.where(change < 0, -change, 0),
            "losers": change > 0, "lost": np.where(change > 0, change, 0),
        }  # fmt: skip
        for grouping in GROUPINGS:
            frame = pl.DataFrame({"group": labels[grouping], **{n: c.astype(np.int64) for n, c in facts.items()}})
            for row in frame.group_by("group").agg(pl.all().sum()).to_dicts():
                group = self._sums[grouping].setdefault(row.pop("group"), GroupSum())
                for name, value in row.items():
                    setattr(group, name, getattr(group, name) + value)

    def sums(self) -> dict[str, dict[str, GroupSum]]:
        """Return the groups of every grouping, ages and uses in their own order, others by size."""
        placed = {label: n for n, label in enumerate([*(label for _, label in _AGES), *_USES])}
        return {
            grouping: dict(sorted(found.items(), key=lambda e: (placed.get(e[0], -1), -e[1].persons, e[0])))
            for grouping, found in self._sums.items()
        }

    def everybody(self) -> GroupSum:
        """Return the sum over all people."""
        whole = GroupSum()
        for group in self._sums["person_class"].values():
            for name in GroupSum.__struct_fields__:
                setattr(whole, name, getattr(whole, name) + getattr(group, name))
        return whole


def groups_of(year: Year, makeup: MakeUp, policy: RegionPolicy) -> dict[str, pl.Series]:
    """Return the group of each person in every grouping, in Chinese."""
    people, names = year.people, policy.words.names
    classes, identities = [], []
    for kind in makeup.kinds:
        word = policy.person_class(kind.psn_type)
        insurance = _INSURANCES.get(kind.insutype, kind.insutype)
        classes.append(f"{insurance}{names.get(f'person.{word}', '其他人员')}")
        unnamed = f"特殊身份 {kind.identity}" if kind.identity else NO_IDENTITY
        identities.append(names.get(f"identity.{kind.identity}", unnamed))
    age = np.searchsorted([below for below, _ in _AGES[:-1]], people.age, "right")
    use = np.searchsorted([1, 4, 10], people.clinics, "right")
    use = np.where(people.stays > 0, 3 + np.minimum(people.stays, 2), use)
    return {
        "person_class": _named(classes, people.kind), "age_band": _named([label for _, label in _AGES], age),
        "identity": _named(identities, people.kind), "use": _named(_USES, use),
    }  # fmt: skip


def _named(words: list[str] | tuple[str, ...], codes: Column) -> pl.Series:
    return pl.Series(words, dtype=pl.String).gather(pl.Series(codes.astype(np.int64)))
