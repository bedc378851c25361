"""Generated lives: the platform's benefit status equals the plain twin's on every day that matters."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from tests.twin.entitlement_twin import Life, employee_on, first, resident_on
from tests.twin.generated_lives import draw_life
from yibao.infra.policy_files import read_policy_files
from yibao.policy.law.loading import load_policy
from yibao.policy.reckoning.benefit_facts import DueFact, IdentityFact, LifeFacts, RelationFact, Spell
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
    dues = [DueFact(insutype="310", month=first(m), paid_on=p) for m, p in life.paid.items()]
    dues += [DueFact(insutype="310", month=date(2025, 1, 1), kind="lump", paid_on=life.lump)] if life.lump else []
    dues += [
        DueFact(insutype="390", month=date(y, 1, 1), months=12, paid_on=p, kind="regular" if p.year <= y else "back")
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
        for day in _days(spells):
            for insutype, twin in (("310", employee_on), ("390", resident_on)):
                spell = status_on(spells, insutype, day)
                said = None if spell is None else spell.is_due
                assert said == twin(life, day), f"life {n} of seed {SEED}: {insutype} on {day}, {spell}, {life}"
        met |= {s.reason for s in spells}
    # The lives are worth something only if they meet what the law knows.
    assert met >= {
        "paid", "arrears_kept", "back_paid", "retired", "newborn", "resident_season", "resident_late",
        "identity_no_wait", "from_employee", "not_yet_paid", "waiting", "unpaid", "lump_unpaid", "gap_not_paid",
        "resident_unpaid", "not_insured", "covered_by_employee", "dead", "before_year",
    }


def _days(spells: tuple[Spell, ...]) -> list[date]:
    """Return the first and the last day of every spell, and every first and fifteenth of a month."""
    days = {first(m) + timedelta(days=d) for m in range(2021 * 12 + 11, 2027 * 12 + 8) for d in (0, 14)}
    days |= {s.begin_on + timedelta(days=d) for s in spells for d in (0, -1)}
    return sorted(d for d in days if date(2021, 12, 1) <= d < date(2027, 9, 1))
