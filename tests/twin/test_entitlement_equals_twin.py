"""Generated lives: the platform's benefit status equals the plain twin's on every day that matters."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta

import pytest

from tests.twin.entitlement_twin import Life, employee_on, first, resident_on
from tests.twin.generated_lives import draw_life
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import SHANGHAI
from yibao.policy.law.loading import load_policy
from yibao.policy.reckoning.benefit_facts import (
    DueFact,
    IdentityFact,
    LifeFacts,
    RelationFact,
    Spell,
    known_at,
)
from yibao.policy.reckoning.benefit_law import BenefitLaw
from yibao.policy.reckoning.benefit_status import benefit_spells, status_on

LIVES, SEED = 2_000, 20241122
KINDS = {"e": "employed", "r": "retired", "o": "past_retirement_once", "c": "resident"}


@pytest.fixture(scope="module")
def law() -> BenefitLaw:
    """Return the law as it ships."""
    policies = {admdvs: load_policy(texts) for admdvs, texts in read_policy_files().items()}
    return BenefitLaw(policies.__getitem__)


def facts_of(life: Life) -> LifeFacts:
    """Return a generated life as the platform's facts."""
    def psn_type(kind: str) -> str:
        return "1501" if kind == "c" else "1101" if kind == "e" else "1201"

    relations = tuple(
        RelationFact(
            relation_id=f"r{n}", admdvs=life.region, insutype="390" if j.kind == "c" else "310",
            psn_type=psn_type(j.kind), kind=KINDS[j.kind], insured_on=j.begin, paused_on=j.end,
        )
        for n, j in enumerate(life.jobs)
    )
    dues = [DueFact(insutype="310", month=first(m), paid_on=p, paid_at=_noon(p)) for m, p in life.paid.items()]
    if life.lump:
        dues.append(DueFact(insutype="310", month=date(2025, 1, 1), kind="lump", paid_on=life.lump, paid_at=_noon(life.lump)))
    dues += [
        DueFact(insutype="390", month=date(y, 1, 1), months=12, paid_on=p, kind="regular" if p.year <= y else "back",
                paid_at=_noon(p))
        for y, p in life.years.items()
    ]
    identities = (IdentityFact(*life.assisted),) if life.assisted else ()
    return LifeFacts(
        birth_on=life.birth, died_on=life.died, relations=relations, dues=tuple(dues), identities=identities
    )


def test_two_thousand_lives(law: BenefitLaw) -> None:
    chance = random.Random(SEED)
    met = set()
    for n in range(LIVES):
        life = draw_life(chance)
        spells = benefit_spells(facts_of(life), law)
        _compare(spells, life, f"life {n} of seed {SEED}")
        met |= {s.reason for s in spells}
    # The lives are worth something only if they meet what the law knows.
    assert met >= {
        "paid", "arrears_kept", "back_paid", "retired", "newborn", "resident_season", "resident_late",
        "identity_no_wait", "from_employee", "not_yet_paid", "waiting", "unpaid", "lump_unpaid", "gap_not_paid",
        "resident_unpaid", "not_insured", "covered_by_employee", "dead", "before_year",
    }


def test_what_was_known_then_is_what_had_been_paid_by_then(law: BenefitLaw) -> None:
    chance = random.Random(SEED + 1)
    changed = 0
    for n in range(LIVES // 10):
        life = draw_life(chance)
        day = date(2023, 1, 1) + timedelta(days=chance.randrange(1_300))
        paid = {m: p for m, p in life.paid.items() if p <= day}
        years = {y: p for y, p in life.years.items() if p <= day}
        then = life._replace(
            paid=paid, years=years, lump=life.lump if life.lump and life.lump <= day else None, memo={}
        )
        known = benefit_spells(known_at(facts_of(life), _noon(day)), law)
        _compare(known, then, f"life {n} of seed {SEED + 1}, known on {day}")
        changed += known != benefit_spells(facts_of(life), law)
    assert changed > LIVES // 40, "what became known later changed nobody's status"


def _compare(spells: tuple[Spell, ...], life: Life, name: str) -> None:
    for day in _days(spells):
        for insutype, twin in (("310", employee_on), ("390", resident_on)):
            spell = status_on(spells, insutype, day)
            said = None if spell is None else spell.is_due
            assert said == twin(life, day), f"{name}: {insutype} on {day}, {spell}, {life._replace(memo={})}"


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), SHANGHAI)


def _days(spells: tuple[Spell, ...]) -> list[date]:
    """Return the first and the last day of every spell, and the first of every month."""
    days = {first(m) for m in range(2021 * 12 + 11, 2027 * 12 + 8)}
    days |= {s.begin_on + timedelta(days=d) for s in spells for d in (0, -1)}
    return sorted(d for d in days if date(2021, 12, 1) <= d < date(2027, 9, 1))
