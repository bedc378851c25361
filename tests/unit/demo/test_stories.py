"""The stories as data: complete, various, and told for any day."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from yibao.demo.employers import employers
from yibao.demo.institutions import blueprints
from yibao.demo.places import regions
from yibao.demo.stories import (
    FIRST_VISIT,
    Story,
    Visit,
    certificate_of,
    institution_of,
    psn_no_of,
    stories,
)
from yibao.demo.story_people import story_lives
from yibao.kernel import identity_number
from yibao.kernel.business_time import age_on

PATIENTS = [s for s in stories() if not s.apart]
DAYS = [date(2026, 11, 22), date(2027, 1, 1), date(2028, 2, 29), date(2026, 12, 31)]
FIRMS = {r.admdvs: employers(r, seed=1) for r in regions()}


def test_at_least_fifty_patients_and_twenty_in_each_city() -> None:
    assert len(PATIENTS) >= 50
    homes = Counter(s.region for s in PATIENTS)
    assert homes["370300"] >= 20
    assert homes["441300"] >= 20


def test_keys_names_and_numbers_are_each_ones_own() -> None:
    for of in (lambda s: s.key, psn_no_of, lambda s: s.person.name):
        values = [of(s) for s in stories()]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("region", ["370300", "441300"])
def test_each_city_shows_the_variety_of_the_law(region: str) -> None:
    told = [s for s in PATIENTS if s.region == region]
    levels = {x.good.class_level for s in told for x in s.visit.fee_lines()}
    kinds = {x.good.list_type for s in told for x in s.visit.fee_lines()}
    assert {s.visit.med_type for s in told} == {"11", "12", "13", "14"}
    assert {s.person.insutype for s in told} == {"310", "390"}
    assert {s.person.psn_type[:2] for s in told} >= {"11", "12", "14", "15", "16"}
    assert levels == {"01", "02", "03"}
    assert kinds == {"101", "102", "201", "301"}
    assert any(s.expected["overlmt_selfpay"] for s in told)
    assert any(s.expected["fulamt_ownpay_amt"] for s in told)
    assert len({s.visit.dise_codg for s in told}) >= 4
    assert any(s.history and not s.expected["hifp_pay"] for s in told)
    with_account = [s for s in told if s.person.balance]
    assert any(s.expected["balc"] == 0 and s.expected["psn_cash_pay"] == 0 for s in with_account)
    assert any(s.expected["balc"] == 0 and s.expected["psn_cash_pay"] > 0 for s in with_account)
    assert any(s.person.balance == 0 for s in told)


@pytest.mark.parametrize("story", [s for s in stories() if not s.refusal], ids=lambda s: s.key)
def test_expected_amounts_keep_the_identities_of_a_settlement(story: Story) -> None:
    e = story.expected
    assert e["medfee_sumamt"] == story.visit.total()
    assert e["medfee_sumamt"] == sum(
        e[f] for f in ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    )
    assert e["medfee_sumamt"] == e["fund_pay_sumamt"] + e["psn_part_amt"]
    assert e["psn_part_amt"] == e["acct_pay"] + e["psn_cash_pay"]
    assert e["balc"] == (story.person.balance or Decimal(0)) - e["acct_pay"]
    assert min(e.values()) >= 0


@pytest.mark.parametrize("story", PATIENTS, ids=lambda s: s.key)
def test_a_patient_needs_nothing_that_the_description_does_not_carry(story: Story) -> None:
    first = next(p for p in blueprints().institution if p.region == story.region and p.scheme == "none")
    assert institution_of(story, story.visit) == first
    assert story.visit.use_account
    assert not any(x.good.restricted for x in story.visit.fee_lines())
    assert story.expected
    # Earlier visits leave the account alone, so that its balance is the same in every year.
    assert not any(visit.use_account for visit in story.history)


@pytest.mark.parametrize("today", DAYS)
def test_patients_have_their_age_on_any_day(today: date) -> None:
    numbers = set()
    for story in stories():
        certno, birth_on = certificate_of(story, today=today)
        assert identity_number.is_valid(certno)
        assert age_on(birth_on, today) == story.person.age
        assert birth_on <= today
        numbers.add(certno)
    assert len(numbers) == len(stories())


@pytest.mark.parametrize("today", DAYS)
def test_patients_are_insured_as_told_on_any_day(today: date) -> None:
    lives = {x.person.story: x for x in story_lives(today=today, employers=FIRMS, diseases={})}
    for story in stories():
        life = lives[story.key]
        relation = life.relations[0]
        is_due = relation.benefit_from <= today and (relation.benefit_to is None or today < relation.benefit_to)
        assert is_due == (story.person.state == "insured")
        assert (life.person.died_on is not None) == (story.person.state == "dead")
        assert all(r.valid_from <= today for r in life.recognitions)
        assert relation.insured_on <= today


def test_chronic_visits_are_recognised_except_where_that_is_the_story() -> None:
    for story in stories():
        for visit in (*story.history, story.visit):
            if visit.dise_codg and "没有该病种" not in story.refusal:
                assert visit.dise_codg in story.person.recognitions


def test_the_first_visit_is_nobody_of_the_patients() -> None:
    assert FIRST_VISIT in {s.key for s in stories()}
    assert FIRST_VISIT not in {s.key for s in PATIENTS}


def test_a_visit_at_an_unknown_institution_is_found_out() -> None:
    lost = Visit("11", "J06.900", "急性上呼吸道感染", (("CT扫描", 1),), at="没有这家医院")
    with pytest.raises(LookupError, match="没有这家医院"):
        institution_of(stories()[0], lost)
