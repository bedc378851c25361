"""Arranges dated rows into the law of each day, so that deciding only has to look at rows in force."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

import msgspec

from yibao.policy.law.keys import KINDS
from yibao.policy.law.parameters import BenefitLaw, CapLaw, DayLaw, Row

NEEDED = ("deductible", "pool_ratio", "fund", "rounding", "benefit_year", "order")
"""Keys without which a benefit cannot be decided."""
NOT_FOR_LUMP = ("deductible", "pool_ratio")
"""Those that a benefit does without where it pays a lump."""

Rows = Mapping[str, tuple[Row, ...]]


class Filed(msgspec.Struct, frozen=True):
    """A row with what decides its place in the law.

    Attributes:
        row: as read.
        bare: without the conditions on insurance and benefit that its place guarantees.
        insutypes: the insurances it is for, empty for all.
        benefits: the benefits it is for, empty for all.
        place: who reads it, see ``Kind``.
    """

    row: Row
    bare: Row
    insutypes: frozenset[str]
    benefits: frozenset[str]
    place: str

    def serves(self, insutype: str, benefit: str) -> bool:
        """Say whether the row may apply to an insurance and a benefit."""
        return (not self.insutypes or insutype in self.insutypes) and (
            not self.benefits or benefit in self.benefits
        )


class Arrangement:
    """The law of each day of a region, arranged when it is first asked for and kept.

    Args:
        rows: every row, in the order of the files.
    """

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self._filed = tuple(_file(row) for row in sorted(rows, key=lambda r: -r.priority))
        chosen = [f for f in self._filed if f.place in ("choosing", "line")]
        self._insutypes = tuple(sorted({i for f in chosen for i in f.insutypes}))
        self._benefits = tuple(
            sorted({(i, f.row.word) for f in self._filed if f.place == "choosing" for i in f.insutypes})
        )
        self._indexes = _by_key((f.row for f in self._filed if f.place == "index"), "index")
        self._laws: dict[date, DayLaw] = {}

    def law_from(self, day: date) -> DayLaw:
        """Return the law that is in force on a day; asked for days of change only, it is arranged once for each."""
        law = self._laws.get(day)
        if law is None:
            law = self._laws[day] = self._arrange(day)
        return law

    def index(self, name: str, day: date) -> Row | None:
        """Return the value of an index on a day, None if there is none."""
        return next((row for row in self._indexes.get(name, ()) if row.in_force(day)), None)

    def _arrange(self, day: date) -> DayLaw:
        filed = [f for f in self._filed if f.row.in_force(day)]
        plain = _by_key(f.row for f in filed if not f.row.conditions)
        return DayLaw(
            valid_from=day,
            choosing={i: _for_insutype(filed, "choosing", i) for i in self._insutypes},
            benefits={(i, b): self._benefit_law(filed, i, b) for i, b in self._benefits},
            first_pay={i: _for_insutype(filed, "line", i) for i in self._insutypes},
            settings={key: plain.get(key, ()) for key in KINDS},
            reckoning=_by_key(f.row for f in filed if f.place == "reckoning"),
            indexes={name: row for name in self._indexes if (row := self.index(name, day))},
        )

    def _benefit_law(self, filed: list[Filed], insutype: str, benefit: str) -> BenefitLaw:
        rows = _by_key(f.bare for f in filed if f.place == "bill" and f.serves(insutype, benefit))
        ever = [f.row for f in self._filed if f.place == "bill" and f.serves(insutype, benefit)]
        caps = _caps([row for row in ever if row.key == "pool_cap"], rows.get("pool_cap", ()))
        missing = [KINDS[key].name for key in _missing_keys(rows, {row.key for row in ever})]
        missing += [cap.name for cap in caps if not cap.rows and not cap.optional]
        return BenefitLaw(rows, caps, tuple(missing))


def arrange(rows: tuple[Row, ...]) -> tuple[tuple[date, ...], Arrangement]:
    """Return the days on which the law changes, ascending, and the law from each of them on."""
    changes = {r.valid_from for r in rows} | {r.valid_to + timedelta(days=1) for r in rows if r.valid_to}
    return tuple(sorted(changes)), Arrangement(rows)


def needed_keys(keys: Collection[str]) -> tuple[str, ...]:
    """Return the keys a benefit needs, given those it ever has: one that pays a lump needs no ratio."""
    return tuple(key for key in NEEDED if "lump" not in keys or key not in NOT_FOR_LUMP)


def words_allowed(row: Row, dimension: str) -> frozenset[str]:
    """Return the codes a row names in one dimension, none if it has no such condition."""
    for condition in row.conditions:
        if condition.dimension == dimension and condition.allowed is not None:
            return condition.allowed
    return frozenset()


def _missing_keys(rows: Rows, ever: Collection[str]) -> list[str]:
    missing = [key for key in needed_keys(ever) if key not in rows]
    if "lump" in ever and "lump" not in rows and "pool_ratio" not in rows:
        missing.append("lump")
    return missing


def _file(row: Row) -> Filed:
    left = tuple(c for c in row.conditions if c.dimension not in ("insutype", "benefit"))
    bare = row if len(left) == len(row.conditions) else msgspec.structs.replace(row, conditions=left)
    return Filed(
        row, bare, words_allowed(row, "insutype"), words_allowed(row, "benefit"), KINDS[row.key].place
    )


def _for_insutype(filed: list[Filed], place: str, insutype: str) -> tuple[Row, ...]:
    return tuple(f.bare for f in filed if f.place == place and f.serves(insutype, ""))


def _caps(ever: list[Row], in_force: tuple[Row, ...]) -> tuple[CapLaw, ...]:
    caps = []
    for counter in dict.fromkeys(row.counter for row in ever):
        group = [row for row in ever if row.counter == counter]
        optional = all(row.extra.get("optional", False) for row in group)
        rows = tuple(row for row in in_force if row.counter == counter)
        caps.append(CapLaw(counter, group[0].used.name, optional, rows))
    return tuple(caps)


def _by_key(rows: Iterable[Row], attribute: str = "") -> dict[str, tuple[Row, ...]]:
    """Return rows by key, or by one of their attributes, each in the given order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row.extra[attribute]) if attribute else row.key, []).append(row)
    return {name: tuple(group) for name, group in found.items()}
