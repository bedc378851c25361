"""The twenty institutions."""

from __future__ import annotations

import re
from datetime import date

import pytest

from yibao.demo.institutions import Site, blueprints, sites, staff_of
from yibao.demo.names import credit_code
from yibao.demo.places import regions, towns
from yibao.kernel import identity_number

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def made() -> list[Site]:
    """Make all institutions."""
    return list(sites(seed=1, today=TODAY))


def test_there_are_twenty_with_codes_of_twelve_characters(made: list[Site]) -> None:
    codes = [s.plan.code for s in made]
    assert len(codes) == len(set(codes)) == 20
    for site in made:
        assert re.fullmatch(r"[HP]\d{11}", site.plan.code)
        assert (site.plan.code[0] == "P") == (site.plan.kind == "2")
        assert site.plan.division in next(r for r in regions() if r.admdvs == site.plan.region).divisions


def test_both_cities_have_every_level_a_pharmacy_and_a_childrens_hospital(made: list[Site]) -> None:
    for region in regions():
        home = [s.plan for s in made if s.plan.region == region.admdvs]
        assert {p.level for p in home if p.kind == "1"} == {"1", "2", "3"}
        assert any(p.kind == "2" for p in home)
        assert any("children" in p.traits for p in home)
        assert any("primary_care" in p.traits for p in home)


def test_agreements_hold_for_years_but_for_the_planned_exceptions(made: list[Site]) -> None:
    kinds = {s.plan.agreement for s in made}
    assert kinds == {"valid", "expired", "suspended"}
    for site in made:
        assert site.agreement_from < site.agreement_to
        is_due = site.agreement_from <= TODAY < site.agreement_to
        assert is_due == (site.plan.agreement != "expired")
        assert (site.suspended_on is not None) == (site.plan.agreement == "suspended")


def test_an_expired_agreement_is_expired_on_new_years_day_too() -> None:
    for site in sites(seed=1, today=date(2027, 1, 1)):
        if site.plan.agreement == "expired":
            assert site.agreement_to <= date(2027, 1, 1)


def test_every_department_has_two_doctors_and_every_hospital_a_pharmacist(made: list[Site]) -> None:
    codes = [p.code for s in made for p in s.practitioners]
    assert len(codes) == len(set(codes))
    for site in made:
        doctors = [p for p in site.practitioners if p.kind == "1"]
        assert any(p.kind == "3" for p in site.practitioners)
        if site.plan.kind == "1":
            assert {d.dept_code for d in site.departments} == {p.dept_code for p in doctors}
            assert len(doctors) == 2 * len(site.departments)
        assert all(re.fullmatch(r"(D|HY|Y)\d{12}", p.code) for p in site.practitioners)
        assert all(identity_number.is_valid(p.certno) for p in site.practitioners)


def test_who_signs_has_a_key_and_who_does_not_has_none(made: list[Site]) -> None:
    keys = [s.access_key for s in made if s.access_key]
    assert len(keys) == len(set(keys))
    for site in made:
        assert bool(site.access_key) == bool(site.secret) == (site.plan.scheme != "none")


def test_keys_and_passwords_follow_from_the_seed(made: list[Site]) -> None:
    again, other = list(sites(seed=1, today=TODAY)), list(sites(seed=2, today=TODAY))
    assert again == made
    assert [s.secret for s in other if s.secret] != [s.secret for s in made if s.secret]
    logins = [staff_of(s, seed=1) for s in made]
    assert len({x.password for x in logins}) == len(logins)
    assert staff_of(made[0], seed=1) == logins[0] != staff_of(made[0], seed=2)


def test_names_say_that_they_are_invented() -> None:
    assert all("（演示）" in plan.name for plan in blueprints().institution)


def test_credit_codes_carry_their_check_character() -> None:
    # GB 32100: Σ value × weight of the first 17 plus the 18th value is a multiple of 31.
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    code = credit_code("370303", 12345678)
    assert len(code) == 18
    weighted = sum(alphabet.index(c) * pow(3, place, 31) for place, c in enumerate(code[:17]))
    assert (weighted + alphabet.index(code[17])) % 31 == 0


def test_every_county_has_towns() -> None:
    for region in regions():
        assert all(towns()[division] for division in region.divisions)
