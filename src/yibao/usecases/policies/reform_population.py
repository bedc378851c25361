"""A year of invented people and their visits, drawn from a seed: what a reform is tried on. Needs the ``batch`` extra.

People are drawn in blocks, each from a stream of its own, so person ``i`` lives the same year whatever the number of
people and however many blocks are worked on at a time. How often people fall ill and what it costs is invented, not
counted anywhere. Only whole numbers are drawn, so no amount was ever a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

BLOCK: Final = 10_000
"""People are drawn in blocks of this size."""
PERSON = "person"
"""Column of a visit: number of its person within the block."""

Column = NDArray[np.int64]


class Kind(msgspec.Struct, frozen=True):
    """A kind of people: ``weight`` is relative, ``balance_to`` in yuan, ``chronic`` a percentage, ``ages`` inclusive."""

    weight: int
    insutype: str
    psn_type: str
    ages: tuple[int, int]
    account_kind: str = "none"
    balance_to: int = 0
    civil_servant: bool = False
    identity: str = ""
    chronic: int = 0


class Disease(msgspec.Struct, frozen=True):
    """A chronic disease for which people are recognised, with its relative weight."""

    code: str
    weight: int


class MakeUp(msgspec.Struct, frozen=True):
    """What a population is drawn from."""

    kinds: tuple[Kind, ...]
    diseases: tuple[Disease, ...]


class People(msgspec.Struct, frozen=True):
    """The people of a block, by column.

    Attributes:
        kind: number of the kind; ``age`` in full years; ``disease`` number of the disease, -1 none.
        balance: of the own account on 1 January, fen.
        years: full years of continuous enrolment; ``claim_free`` whether nothing was paid the year before.
        clinics: visits of the year outside hospital, ``stays`` in hospital.
    """

    kind: Column
    age: Column
    disease: Column
    balance: Column
    years: Column
    claim_free: NDArray[np.bool_]
    clinics: Column
    stays: Column


class Year(msgspec.Struct, frozen=True):
    """People and their visits.

    Attributes:
        first: number of the first person.
        people: by column.
        visits: bills in the columns that ``decide_columns`` takes, and ``PERSON``; first visits of everybody, then
            second ones, and so on.
        rounds: where the first, second ... visits begin in ``visits``, and at last where they end.
    """

    first: int
    people: People
    visits: pl.DataFrame
    rounds: tuple[int, ...]


_ORDINARY, _EMERGENCY, _CHRONIC, _STAY = range(4)
_MED_TYPES = ("11", "13", "14", "21")
_LEVELS = ("1", "2", "3")
_TRAITS = ("", "primary_care|essential_drugs", "children")
_REMOTE = (("", ""), ("referred", "in_province"), ("temporary", "outside"), ("own_choice", "in_province"))
_PROVIDERS = ("first", "second", "other")
_RANK = "150"
_EVERY_OTHER_DAY = ("M07803",)
"""Diseases treated so often that bills come twice a month."""
_AT_CLINIC = ("M03900", "M01600")
"""Diseases whose drugs are also had at an ordinary visit that names the disease."""
_RARE = (Disease("M07803", 1), Disease("M08300", 1))
"""Costly diseases that a population has beside those of its make-up."""

_MOST_VISITS = ((6, 12), (18, 7), (45, 7), (60, 10), (150, 15))
"""Most ordinary visits in a year, below which age."""
_STAYS = ((6, 90), (18, 40), (45, 60), (60, 110), (75, 230), (150, 340))
"""Of a thousand people how many are in hospital in a year, below which age."""
_CHRONIC_STAYS = 160
"""And how many more of those with a chronic disease."""

_COSTS: Final = {
    (_ORDINARY, 0): (3_000, 60_000, 3), (_ORDINARY, 1): (6_000, 150_000, 3), (_ORDINARY, 2): (10_000, 300_000, 3),
    (_EMERGENCY, 0): (5_000, 80_000, 3), (_EMERGENCY, 1): (10_000, 250_000, 3), (_EMERGENCY, 2): (20_000, 600_000, 3),
    (_CHRONIC, 0): (8_000, 80_000, 2), (_CHRONIC, 1): (15_000, 200_000, 3), (_CHRONIC, 2): (20_000, 800_000, 4),
    (_STAY, 0): (150_000, 1_200_000, 3), (_STAY, 1): (300_000, 8_000_000, 7), (_STAY, 2): (600_000, 40_000_000, 9),
}  # fmt: skip
"""Cost of a visit by kind and level: lowest and highest in fen, and how much rarer dear ones are than cheap ones."""
_SHIFT = 10
_ONE = 1 << _SHIFT


def draw_year(makeup: MakeUp, *, block: int, seed: int, year: int, most: int = BLOCK) -> Year:
    """Return a block of people with the visits of a year; the first ``most`` of the block's people.

    Args:
        makeup: kinds of people and diseases, neither empty.
        block: number of the block.
        year: calendar year of the visits.
    """
    rng = np.random.default_rng([seed, block])
    diseases = (*makeup.diseases, *_RARE)
    people = _people(rng, makeup.kinds, diseases)
    person, day, kind = _visits(rng, people, diseases, year)
    level = _levels(rng, kind)
    facts = _facts(rng, people, person, kind, level, makeup.kinds, diseases)
    start = np.datetime64(date(year, 1, 1), "D").astype(np.int64)
    on = pl.Series((start + day).astype(np.int32)).cast(pl.Date)
    visits = pl.DataFrame({PERSON: person, "service_on": on, **facts, **_amounts(rng, kind, level)})
    # Everything has been drawn: leaving people out now cannot change the year of the others.
    ordinal = _ordinals(person)
    rows = np.flatnonzero(person < most)
    order = rows[np.argsort(ordinal[rows], kind="stable")]
    ends = np.cumsum(np.bincount(ordinal[rows])) if len(rows) else ()
    kept = People(*(getattr(people, name)[:most] for name in People.__struct_fields__))
    return Year(block * BLOCK, kept, visits[pl.Series(order)], (0, *(int(end) for end in ends)))


def _people(rng: np.random.Generator, kinds: Sequence[Kind], diseases: Sequence[Disease]) -> People:
    kind = _weighted(rng, [k.weight for k in kinds], BLOCK)
    low, high = (np.array([k.ages[end] for k in kinds])[kind] for end in (0, 1))
    age = low + _below(rng, high - low + 1)
    chronic = rng.integers(0, 100, BLOCK) < np.array([k.chronic for k in kinds])[kind]
    disease = np.where(chronic, _weighted(rng, [d.weight for d in diseases], BLOCK), -1)
    balance = _below(rng, np.array([100 * k.balance_to + 1 for k in kinds])[kind])
    years = _below(rng, np.minimum(age, 30) + 1)
    claim_free = rng.integers(0, 3, BLOCK) == 0
    ordinary = _by_age(age, _MOST_VISITS) * rng.integers(0, 1000, BLOCK) * rng.integers(0, 1000, BLOCK) // 10**6
    often = np.isin(disease, [n for n, d in enumerate(diseases) if d.code in _EVERY_OTHER_DAY])
    regular = np.where(often, 24, np.where(disease >= 0, 3 + rng.integers(0, 8, BLOCK), 0))
    ill = (_by_age(age, _STAYS) + np.where(disease >= 0, _CHRONIC_STAYS, 0)) * 1000
    luck = rng.integers(0, 10**6, BLOCK)
    stays = (luck < ill).astype(np.int64) + (luck < ill // 5) + (luck < ill // 20)
    return People(kind, age, disease, balance, years, claim_free, ordinary + regular, stays)


def _visits(rng: np.random.Generator, people: People, diseases: Sequence[Disease], year: int) -> Column:
    """Return person, day and kind of every visit, in the order of the days of each person."""
    everybody = np.arange(BLOCK, dtype=np.int64)
    clinic, stay = np.repeat(everybody, people.clinics), np.repeat(everybody, people.stays)
    person = np.concatenate([clinic, stay])
    chance = rng.integers(0, 100, len(clinic))
    ill = people.disease[clinic] >= 0
    kind = np.where(ill & (chance < 65), _CHRONIC, np.where(chance < 95, _ORDINARY, _EMERGENCY))
    kind = np.concatenate([kind, np.full(len(stay), _STAY)])
    often = np.isin(people.disease[person], [n for n, d in enumerate(diseases) if d.code in _EVERY_OTHER_DAY])
    kind = np.where(often & (kind == _ORDINARY), _CHRONIC, kind)
    days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    day = rng.integers(0, days, len(person))
    order = np.lexsort((kind, day, person))
    return np.stack([person[order], day[order], kind[order]])


def _facts(
    rng: np.random.Generator, people: People, person: Column, kind: Column, level: Column, kinds: Sequence[Kind],
    diseases: Sequence[Disease],
) -> dict[str, Any]:  # fmt: skip
    of = people.kind[person]
    age, years = people.age[person], people.years[person]
    names = [d.code for d in diseases]
    recognised = people.disease[person] + 1
    at_clinic = np.isin(people.disease[person], [n for n, name in enumerate(names) if name in _AT_CLINIC])
    named = (kind == _CHRONIC) | (at_clinic & (kind == _ORDINARY) & (rng.integers(0, 3, len(person)) > 0))
    admission = np.ones(len(person), dtype=np.int64)
    stays = kind == _STAY
    admission[stays] = 1 + _ordinals(person[stays])
    away = np.where(stays, np.searchsorted([930, 960, 980], rng.integers(0, 1000, len(person)), "right"), 0)
    traits = np.where(level == 0, 1, np.where((level == 2) & (age < 14), 2, 0))
    provider = np.minimum(level, rng.integers(0, 3, len(person)))
    with_account = [k.account_kind == "with_account" for k in kinds]
    return {
        "insutype": _words([k.insutype for k in kinds], of), "med_type": _words(_MED_TYPES, kind),
        "psn_type": _words([k.psn_type for k in kinds], of), "age": age, "level": _words(_LEVELS, level),
        "traits": _words(_TRAITS, traits), "identities": _words([k.identity for k in kinds], of),
        "account_kind": _words([k.account_kind for k in kinds], of),
        "civil_servant": np.array([k.civil_servant for k in kinds])[of],
        "rank": _words([_RANK if k.civil_servant else "" for k in kinds], of), "paid_months": 12 * years + 6,
        "continuous_years": years, "claim_free": people.claim_free[person],
        "disease_code": _words(["", *names], np.where(named, recognised, 0)),
        "recognised": _words(["", *names], recognised), "admission": admission,
        "remote": _words([r[0] for r in _REMOTE], away), "remote_place": _words([r[1] for r in _REMOTE], away),
        "provider": _words(_PROVIDERS, provider), "use_account": np.array(with_account)[of],
    }  # fmt: skip


def _amounts(rng: np.random.Generator, kind: Column, level: Column) -> dict[str, Column]:
    """Return what each visit costs, fen: many cheap ones, few dear ones; and what of it is out of scope."""
    amount = np.zeros(len(kind), dtype=np.int64)
    for (of_kind, of_level), (low, high, power) in _COSTS.items():
        rows = np.flatnonzero((kind == of_kind) & (level == of_level))
        chance = rng.integers(0, _ONE, len(rows))
        extra = np.full(len(rows), high - low, dtype=np.int64)
        for _ in range(power):
            extra = extra * chance >> _SHIFT
        amount[rows] = low + extra
    own = amount * rng.integers(0, 120, len(kind)) // 1000
    over = amount * rng.integers(0, 10, len(kind)) // 1000
    first_pay = amount * rng.integers(0, 100, len(kind)) // 1000
    in_scope = amount - own - over - first_pay
    return {"amount": amount, "own": own, "over": over, "first_pay": first_pay, "in_scope": in_scope}


def _levels(rng: np.random.Generator, kind: Column) -> Column:
    """Return 0, 1, 2 for the three levels: visits mostly near home, stays mostly in larger hospitals."""
    chance = rng.integers(0, 100, len(kind))
    near, middle = np.where(kind == _STAY, 20, 50), np.where(kind == _STAY, 65, 82)
    return (chance >= near).astype(np.int64) + (chance >= middle)


def _ordinals(person: Column) -> Column:
    """Return 0 for the first row of each person, 1 for the second ...; rows of a person lie together."""
    place = np.arange(len(person), dtype=np.int64)
    new = np.ones(len(person), dtype=bool)
    new[1:] = person[1:] != person[:-1]
    return place - np.maximum.accumulate(np.where(new, place, 0))


def _weighted(rng: np.random.Generator, weights: Sequence[int], count: int) -> Column:
    ends = np.cumsum(weights)
    return np.searchsorted(ends, rng.integers(0, int(ends[-1]), count), "right")


def _below(rng: np.random.Generator, limits: Column) -> Column:
    """Return a whole number from 0 to below each limit; limits are far below 2 to the 31st."""
    return rng.integers(0, 1 << 31, len(limits)) * limits >> 31


def _by_age(age: Column, table: Sequence[tuple[int, int]]) -> Column:
    values = np.array([value for _, value in table], dtype=np.int64)
    return values[np.searchsorted([below for below, _ in table[:-1]], age, "right")]


def _words(words: Sequence[str], codes: Column) -> pl.Series:
    """Return a column of words by their numbers."""
    kept = list(dict.fromkeys(words))
    numbers = np.array([kept.index(word) for word in words])
    return pl.Series(kept, dtype=pl.Enum(kept)).gather(pl.Series(numbers[codes]))
