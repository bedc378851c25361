"""Invented people: repeatable, valid, never the same number twice, never a real person's."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import islice

import pytest

from yibao.demo.employers import employers
from yibao.demo.people import BLOCK, Life, people, population
from yibao.demo.places import regions
from yibao.kernel import identity_number
from yibao.kernel.business_time import age_on

TODAY = date(2026, 11, 22)
NEW_YEAR = date(2027, 1, 1)
FIRMS = {r.admdvs: [e.emp_no for e in employers(r, seed=1)] for r in regions()}


def made(first: int, last: int, *, seed: int = 1, today: date = TODAY) -> list[Life]:
    """Make people of a seed."""
    return list(people(seed=seed, first=first, last=last, today=today, employers=FIRMS))


@pytest.fixture(scope="module")
def crowd() -> list[Life]:
    """Make twenty thousand people."""
    return made(0, 20_000)


def test_no_number_comes_twice(crowd: list[Life]) -> None:
    for field in ("psn_no", "certno", "card_no"):
        assert len({getattr(x.person, field) for x in crowd}) == len(crowd)


def test_numbers_far_apart_do_not_meet_either() -> None:
    # Same places in blocks that lie a whole birthday walk of one division apart.
    far = [x.person.certno for block in (0, 364, 365, 366, 1824) for x in made(block * BLOCK, (block + 1) * BLOCK)]
    assert len(set(far)) == len(far)


def test_more_people_than_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        next(people(seed=1, first=0, last=10_000_000, today=TODAY, employers=FIRMS))


@pytest.mark.parametrize("today", [TODAY, NEW_YEAR, date(2028, 2, 29)])
def test_identity_numbers_are_valid_and_tell_birthday_and_sex(today: date) -> None:
    for life in made(0, 2_000, today=today):
        person = life.person
        assert identity_number.is_valid(person.certno)
        assert person.certno[6:14] == f"{person.birth_on:%Y%m%d}"
        assert (int(person.certno[16]) % 2 == 1) == (person.sex == "1")


def test_no_identity_number_can_belong_to_a_real_person(crowd: list[Life]) -> None:
    real = {division for r in regions() for division in r.divisions} | {r.admdvs for r in regions()}
    assert not {x.person.certno[:6] for x in crowd} & real


@pytest.mark.parametrize("today", [TODAY, NEW_YEAR, date(2028, 2, 29)])
def test_everybody_is_as_old_as_their_kind(today: date) -> None:
    bounds = {"1401": (0, 0), "1402": (1, 5), "1403": (6, 17), "1404": (18, 22)}
    for life in made(0, 4_000, today=today):
        low, high = bounds.get(life.relations[-1].psn_type, (18, 96))
        assert life.person.birth_on <= today
        assert low <= age_on(life.person.birth_on, today) <= high


def test_the_same_seed_makes_the_same_people_in_worlds_of_any_size(crowd: list[Life]) -> None:
    assert made(0, 1_500) == crowd[:1_500]
    assert made(1_234, 3_456) == crowd[1_234:3_456]
    assert made(0, 100, seed=2) != crowd[:100]


def test_people_come_as_a_stream() -> None:
    endless = people(seed=1, first=0, last=1_000_000, today=TODAY, employers=FIRMS)
    assert len(list(islice(endless, 10))) == 10


def test_every_kind_of_life_occurs(crowd: list[Life]) -> None:
    relations = [r for x in crowd for r in x.relations]
    assert {r.insutype for r in relations} == {"310", "390"}
    assert {r.status for r in relations} == {"1", "2", "4"}
    assert {r.account_kind for r in relations} == {"with_account", "pool_only", "none"}
    assert any(r.civil_servant for r in relations)
    assert any(r.flexible for r in relations)
    assert any(r.benefit_from > TODAY for r in relations)
    assert any(x.person.died_on for x in crowd)
    assert any(len(x.relations) == 2 for x in crowd)
    assert {i for x in crowd for i in x.identities} == {"2303", "2304", "2308"}
    assert {r.disease_code for x in crowd for r in x.recognitions} == {c.code for c in population().chronic}


def test_pool_only_is_huizhous_own(crowd: list[Life]) -> None:
    homes = Counter(r.admdvs for x in crowd for r in x.relations if r.account_kind == "pool_only")
    assert set(homes) == {"441300"}


def test_both_cities_are_peopled(crowd: list[Life]) -> None:
    homes = Counter(x.person.admdvs for x in crowd)
    assert set(homes) == {"370300", "441300"}
    assert min(homes.values()) > 8_000


def test_accounts_belong_to_employees_with_account_only(crowd: list[Life]) -> None:
    for life in crowd:
        has_account = life.relations[-1].account_kind == "with_account"
        assert (life.balance is not None) == has_account
        assert life.balance is None or life.balance >= 0


def test_benefits_end_with_death_and_with_the_pause(crowd: list[Life]) -> None:
    for life in crowd:
        current = life.relations[-1]
        assert current.insured_on <= current.benefit_from
        assert current.benefit_to is None or current.benefit_from <= current.benefit_to
        if life.person.died_on:
            assert current.status == "4"
            assert life.person.birth_on <= life.person.died_on < TODAY
        if current.status == "2":
            assert current.paused_on == current.benefit_to
            assert current.status_reason


def test_employees_work_for_an_employer_of_their_city(crowd: list[Life]) -> None:
    employed = [r for x in crowd for r in x.relations if r.emp_no]
    assert employed
    assert all(r.emp_no in FIRMS[r.admdvs] for r in employed)
