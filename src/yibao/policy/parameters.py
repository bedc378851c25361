"""Dated parameters after compilation: immutable rows, the law of a day, and a region's whole policy."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import msgspec

from yibao.policy.conditions import CASE_DIMENSIONS, LINE_DIMENSIONS, Condition, Facts, Words
from yibao.policy.decision import Used
from yibao.policy.values import Band


class Kind(msgspec.Struct, frozen=True):
    """What a parameter key accepts.

    Attributes:
        name: Chinese name of the kind, used in messages.
        value: ``amount``, ``ratio``, ``points``, ``code``, ``choice``, ``truth`` or ``order``.
        choices: the words a ``choice`` or an ``order`` may use.
        extra: attributes that only this key has.
        dimensions: what its rows may depend on; region-wide settings depend on nothing but the day.
    """

    name: str
    value: str
    choices: tuple[str, ...] = ()
    extra: frozenset[str] = frozenset()
    dimensions: tuple[str, ...] = CASE_DIMENSIONS


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "benefit": Kind(
            "待遇类别",
            "code",
            extra=frozenset({"title", "clr_type", "needs_disease", "needs_recognition"}),
            dimensions=tuple(d for d in CASE_DIMENSIONS if d != "benefit"),
        ),
        "deductible": Kind("起付标准", "amount", extra=frozenset({"counter"})),
        "item_limit": Kind("计入限额", "amount"),
        "pool_ratio": Kind("统筹支付比例", "ratio", extra=frozenset({"base"})),
        "pool_bonus": Kind("支付比例加减", "points"),
        "pool_cap": Kind(
            "支付限额", "amount", extra=frozenset({"counter", "optional", "each_other_disease"})
        ),
        "fund": Kind("支付基金", "code", extra=frozenset({"field"})),
        "first_pay": Kind("先行自付比例", "ratio", dimensions=LINE_DIMENSIONS),
        "rounding": Kind("取整方式", "choice", ("half_up", "down", "up", "half_up_yuan", "down_yuan")),
        "benefit_year": Kind("待遇年度", "choice", ("service_date",)),
        "order": Kind("支付顺序", "order", ("pool", "own_account", "shared_account", "cash")),
        "account.pays": Kind("个人账户支付范围", "choice", ("person_part", "in_scope")),
        "account.shared_inside_acct_pay": Kind("共济支付计入个人账户支付", "truth", dimensions=()),
        "reversal.later_settlements": Kind("撤销时已有后续结算", "choice", ("refuse", "keep"), dimensions=()),
    }
)
"""Every key a policy file may use. A later benefit adds a key here and a step that reads it."""


class Row(msgspec.Struct, frozen=True):
    """One dated value with the conditions under which it applies.

    Attributes:
        key: what it is a value of, see ``KINDS``.
        number: fen for amounts, ten-thousandths for ratios and points.
        absent: the law says that there is none (no deductible, no ceiling).
        bands: the bands of a banded ratio, empty for a flat one.
        word: a code or choice; for an ``order`` the words joined by a space.
        valid_from: first day.
        valid_to: last day, None if open.
        conditions: all must hold.
        used: how a trace names this row.
        counter: yearly counter it reads and adds to.
        extra: attributes of the key, see ``KINDS``.
        place: file and ordinal, for messages.
        priority: rows with a higher one are tried first; equal ones in the order of the file.
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


class CapLaw(msgspec.Struct, frozen=True):
    """The rows of one ceiling, told apart from other ceilings of the benefit by its counter."""

    counter: str
    name: str
    optional: bool
    rows: tuple[Row, ...]


class BenefitLaw(msgspec.Struct, frozen=True):
    """Everything that is in force on a day for one insurance and one benefit kind.

    ``missing`` names the parameters that the region has at other times, but not on this day.
    """

    deductible: tuple[Row, ...]
    item_limit: tuple[Row, ...]
    pool_ratio: tuple[Row, ...]
    pool_bonus: tuple[Row, ...]
    caps: tuple[CapLaw, ...]
    fund: tuple[Row, ...]
    rounding: tuple[Row, ...]
    benefit_year: tuple[Row, ...]
    order: tuple[Row, ...]
    account_pays: tuple[Row, ...]
    missing: tuple[str, ...]


class DayLaw(msgspec.Struct, frozen=True):
    """The law between two changes. Keys of ``benefits``: (insutype, benefit); of ``choosing``: insutype."""

    valid_from: date
    choosing: Mapping[str, tuple[Row, ...]]
    benefits: Mapping[tuple[str, str], BenefitLaw]
    first_pay: Mapping[str, tuple[Row, ...]]
    settings: Mapping[str, tuple[Row, ...]]


class RegionPolicy(msgspec.Struct, frozen=True):
    """A region's law for all days, compiled from its files.

    Attributes:
        admdvs: the region.
        name: its Chinese name.
        version: SHA-256 (hex) of the content of the files; stored with every settlement.
        words: the region's vocabulary.
        rows: every row in the order of the files, for listings.
        starts: first days of ``laws``, ascending.
        laws: the law from each of these days on.
    """

    admdvs: str
    name: str
    version: str
    words: Words
    person_classes: Mapping[str, str]
    rows: tuple[Row, ...]
    starts: tuple[date, ...]
    laws: tuple[DayLaw, ...]

    def law_on(self, day: date) -> DayLaw | None:
        """Return the law of a day, None before the first day any file knows."""
        index = bisect_right(self.starts, day)
        return self.laws[index - 1] if index else None

    def person_class(self, psn_type: str) -> str:
        """Return the person class of a ``psn_type`` by its first two digits, ``""`` if the region knows none."""
        return self.person_classes.get(psn_type[:2], "")

    def setting(self, key: str, day: date) -> Row | None:
        """Return the region-wide row of a key on a day, e.g. ``reversal.later_settlements``; None if not loaded.

        ``row.word`` holds a choice; ``row.number`` 1 or 0 a truth; ``row.used`` its source.
        """
        law = self.law_on(day)
        rows = law.settings.get(key, ()) if law else ()
        return rows[0] if rows else None

    def rows_on(self, day: date) -> tuple[Row, ...]:
        """Return every row that is in force on a day, in the order of the files."""
        return tuple(
            r for r in self.rows if r.valid_from <= day and (r.valid_to is None or day <= r.valid_to)
        )


def first_match(rows: tuple[Row, ...], facts: Facts) -> Row | None:
    """Return the first row whose conditions all hold; None if there is none."""
    for row in rows:
        if row.applies(facts):
            return row
    return None
