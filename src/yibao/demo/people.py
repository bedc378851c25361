"""Invented people: pure generators from a seed, each person a function of its number.

Person ``i`` is the same in a world of ten thousand and in one of a million, so a world can grow.
Identity numbers never repeat: inside a block of a thousand people the serial differs, and blocks
move the birthday and the division, so that equal serials meet different ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from random import Random

import msgspec

from yibao.demo.chance import stream
from yibao.demo.names import person_name
from yibao.demo.places import Region, read_data, regions
from yibao.kernel import identity_number

BLOCK = 1_000
"""People are made in blocks of this size; one block has its own random stream."""

_DAYS = 365


class Kind(msgspec.Struct, frozen=True):
    """A kind of people and how many per 10 000 there are; ``chronic`` is a percentage."""

    key: str
    weight: int
    insutype: str
    psn_type: str
    ages: tuple[int, int]
    regions: tuple[str, ...] = ()
    account_kind: str = "none"
    balance_to: int = 0
    employed: bool = False
    flexible: bool = False
    civil_servant: bool = False
    paused: bool = False
    waiting: bool = False
    dead: bool = False
    formerly_resident: bool = False
    identity: str = ""
    reason: str = ""
    chronic: int = 0


class ChronicKind(msgspec.Struct, frozen=True):
    """A chronic disease that ordinary people of the demo world may be recognised for."""

    code: str
    name: str
    weight: int


class Population(msgspec.Struct, frozen=True):
    """Kinds of people and of chronic diseases."""

    kind: tuple[Kind, ...]
    chronic: tuple[ChronicKind, ...]


class Person(msgspec.Struct, frozen=True):
    """One row of ``people.person``."""

    psn_no: str
    admdvs: str
    certno: str
    name: str
    sex: str
    birth_on: date
    died_on: date | None
    card_no: str
    story: str | None = None


class Relation(msgspec.Struct, frozen=True):
    """One row of ``enrolment.relation``; see the schema for the meaning of each column."""

    psn_no: str
    relation_id: str
    admdvs: str
    insutype: str
    psn_type: str
    status: str
    status_reason: str
    emp_no: str | None
    account_kind: str
    civil_servant: bool
    flexible: bool
    insured_on: date
    paused_on: date | None
    benefit_from: date
    benefit_to: date | None
    paid_months: int


class Recognition(msgspec.Struct, frozen=True):
    """One row of ``applications.chronic_recognition``."""

    psn_no: str
    disease_code: str
    valid_from: date
    admdvs: str
    disease_name: str


class Life(msgspec.Struct, frozen=True):
    """Everything about one person. ``balance`` in fen, None where there is no personal account."""

    person: Person
    relations: tuple[Relation, ...]
    identities: tuple[str, ...]
    recognitions: tuple[Recognition, ...]
    balance: int | None


@cache
def population() -> Population:
    """Return the make-up of the population."""
    return msgspec.toml.decode(read_data("people.toml"), type=Population)


def people(*, seed: int, first: int, last: int, today: date, employers: dict[str, list[str]]) -> Iterator[Life]:
    """Yield the people numbered ``first`` up to before ``last``.

    Args:
        today: the day their ages and insured times are counted back from.
        employers: employer numbers by region.

    Raises:
        ValueError: ``last`` is beyond what the identity numbers can tell apart.
    """
    limit = _DAYS * min(len(r.identity_divisions) for r in regions()) * BLOCK
    if last > limit:
        raise ValueError(f"at most {limit} people, not {last}")
    for block in range(first // BLOCK, (last + BLOCK - 1) // BLOCK):
        rng = stream(seed, "people", block)
        for local in range(BLOCK):
            index = block * BLOCK + local
            life = _life(rng, seed, block, local, today, employers)
            if first <= index < last:
                yield life


@cache
def _home_of(seed: int, local: int) -> tuple[Region, int]:
    """Return the region and the start of the birthday walk for a place in the block, the same in every block."""
    rng = stream(seed, "home", local)
    region = regions()[int(len(regions()) * rng.random())]
    return region, rng.randrange(_DAYS * len(region.identity_divisions))


@cache
def _kinds_of(admdvs: str) -> tuple[tuple[Kind, ...], tuple[int, ...]]:
    """Return the kinds of people of a region with their cumulated weights."""
    kinds = tuple(k for k in population().kind if not k.regions or admdvs in k.regions)
    return kinds, tuple(accumulate(k.weight for k in kinds))


@cache
def _chronic_weights() -> tuple[int, ...]:
    return tuple(accumulate(c.weight for c in population().chronic))


def _life(
    rng: Random, seed: int, block: int, local: int, today: date, employers: dict[str, list[str]]
) -> Life:
    region, start = _home_of(seed, local)
    kinds, weights = _kinds_of(region.admdvs)
    kind = rng.choices(kinds, cum_weights=weights)[0]
    index = block * BLOCK + local
    psn_no = f"{region.admdvs}{index:010d}"
    division, day = divmod((start + block) % (_DAYS * len(region.identity_divisions)), _DAYS)
    birth_on = _birth(rng, kind, day, today)
    is_male = local % 2 == 1
    person = Person(
        psn_no, region.admdvs,
        identity_number.make(region.identity_divisions[division], birth_on, local),
        person_name(rng, is_male=is_male), "1" if is_male else "2", birth_on,
        today - timedelta(days=rng.randrange(10, 300)) if kind.dead else None,
        f"{region.card_prefix}{index:08d}",
    )
    firms = employers[region.admdvs]
    emp_no = firms[int(len(firms) * rng.random() ** 2)] if kind.employed else None
    return Life(
        person,
        _relations(rng, kind, person, emp_no, today),
        (kind.identity,) if kind.identity else (),
        _recognitions(rng, kind, person, today),
        rng.randrange(kind.balance_to * 100) if kind.account_kind == "with_account" else None,
    )


def _birth(rng: Random, kind: Kind, day: int, today: date) -> date:
    """Return a birth date on the given day of a year, within the ages of the kind."""
    low, high = kind.ages
    age = low + int((high - low + 1) * rng.random())
    birth_on = date(today.year - age, 1, 1) + timedelta(days=day)
    if (birth_on.month, birth_on.day) > (today.month, today.day):
        birth_on = date(birth_on.year - 1, 1, 1) + timedelta(days=day)
    return birth_on


def _relations(
    rng: Random, kind: Kind, person: Person, emp_no: str | None, today: date
) -> tuple[Relation, ...]:
    months = 1 + int(min(240, (today - person.birth_on).days // 31) * rng.random())
    insured_on = max(today.replace(day=1) - timedelta(days=30 * months), person.birth_on)
    benefit_from, benefit_to, status = insured_on, None, "1"
    paused_on = None
    if kind.waiting:
        months, insured_on = 1, today - timedelta(days=20)
        benefit_from = today + timedelta(days=70)
    elif kind.paused:
        status, paused_on = "2", today - timedelta(days=rng.randrange(31, 200))
        benefit_to = paused_on
        insured_on = benefit_from = min(insured_on, paused_on)
    elif kind.dead and person.died_on:
        status, benefit_to = "4", person.died_on + timedelta(days=1)
        paused_on = benefit_to
        insured_on = benefit_from = min(insured_on, person.died_on)
    current = Relation(
        person.psn_no, f"{person.psn_no}01", person.admdvs, kind.insutype, kind.psn_type, status, kind.reason,
        emp_no, kind.account_kind, kind.civil_servant, kind.flexible, insured_on, paused_on, benefit_from,
        benefit_to, months,
    )
    if not kind.formerly_resident:
        return (current,)
    since = insured_on - timedelta(days=365 * 3)
    former = Relation(
        person.psn_no, f"{person.psn_no}00", person.admdvs, "390", "1501", "4", "转为职工医保", None, "none",
        False, False, since, insured_on, since, insured_on, 36,
    )
    return (former, current)


def _recognitions(rng: Random, kind: Kind, person: Person, today: date) -> tuple[Recognition, ...]:
    if rng.random() * 100 >= kind.chronic:
        return ()
    disease = rng.choices(population().chronic, cum_weights=_chronic_weights())[0]
    since = today - timedelta(days=rng.randrange(30, 1500))
    return (Recognition(person.psn_no, disease.code, since, person.admdvs, disease.name),)
