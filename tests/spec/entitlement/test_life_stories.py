"""Thirty lives, day by day, against tables made by hand from the clauses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.spec.entitlement.life_stories import LIVES, Line, facts_of, lines_of
from yibao.infra.policy_files import read_policy_files
from yibao.policy.law.loading import load_policy
from yibao.policy.reckoning.benefit_facts import Spell, known_at
from yibao.policy.reckoning.benefit_law import BenefitLaw
from yibao.policy.reckoning.benefit_status import benefit_spells, status_on
from yibao.policy.reckoning.benefit_words import REASONS, words_of

LAST = date(2028, 12, 31)
"""How far a line without end is followed."""


@pytest.fixture(scope="module")
def law() -> BenefitLaw:
    """Return the law as it ships."""
    policies = {admdvs: load_policy(texts) for admdvs, texts in read_policy_files().items()}
    return BenefitLaw(policies.__getitem__)


def _days(line: Line) -> list[date]:
    end = line.end or LAST
    return [line.begin + timedelta(days=n) for n in range((end - line.begin).days)]


def _differences(spells: Sequence[Spell], lines: Sequence[Line]) -> list[str]:
    found = []
    for line in lines:
        for day in _days(line):
            spell = status_on(spells, line.insutype, day)
            is_same = (
                spell is not None and (spell.is_due, spell.reason) == (line.is_due, line.reason)
                and (not line.rule or line.rule in spell.rules)
            )
            if not is_same:
                found.append(f"{day} {line.insutype}: {line.reason} {line.rule}, got {spell}")
                break
    return found


@pytest.mark.parametrize("life", LIVES, ids=[x["name"].split()[0] for x in LIVES])
def test_equals_the_table_made_by_hand(life: dict[str, Any], law: BenefitLaw) -> None:
    spells = benefit_spells(facts_of(life), law)
    assert _differences(spells, lines_of(life["table"])) == []
    for day, insutype, psn_type in life.get("psn_type", ()):
        spell = status_on(spells, insutype, date.fromisoformat(day))
        assert spell is not None
        assert spell.psn_type == psn_type


@pytest.mark.parametrize("life", [x for x in LIVES if "then" in x], ids=lambda x: x["name"].split()[0])
def test_as_it_was_known_then(life: dict[str, Any], law: BenefitLaw) -> None:
    now = benefit_spells(facts_of(life), law)
    for then in life["then"]:
        lines = lines_of(then["table"])
        known = benefit_spells(known_at(facts_of(life), then["at"]), law)
        assert _differences(known, lines) == []
        assert _differences(now, lines) != [], "what became known later changes nothing: the table proves nothing"


@pytest.mark.parametrize("life", LIVES, ids=[x["name"].split()[0] for x in LIVES])
def test_spells_follow_each_other_without_a_hole(life: dict[str, Any], law: BenefitLaw) -> None:
    spells = benefit_spells(facts_of(life), law)
    for insutype in {s.insutype for s in spells}:
        own = [s for s in spells if s.insutype == insutype]
        assert own[-1].end_on is None
        assert all(a.end_on == b.begin_on for a, b in pairwise(own))
    for s in spells:
        assert bool(REASONS[s.reason].fault) is not s.is_due
        assert words_of(s.reason, s.begin_on, s.end_on)


def test_every_reason_is_met_in_a_story() -> None:
    told = {row[4] for x in LIVES for t in [x, *x.get("then", ())] for row in t["table"]}
    assert set(REASONS) - told == {"loaded", "ended", "year_back_paid"}
