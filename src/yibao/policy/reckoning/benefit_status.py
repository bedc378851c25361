"""Benefit status over time: from the facts of a life to periods with reason and clause. Pure; every fact is an argument.

The periods reach into the future: they say what holds if nothing more becomes known, so nobody has to look every night
whether somebody's dues have run out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from yibao.policy.reckoning.benefit_employee import employee_cover
from yibao.policy.reckoning.benefit_facts import (
    EMPLOYEE,
    RESIDENT,
    Cover,
    LifeFacts,
    RelationFact,
    Spell,
    month_of,
)
from yibao.policy.reckoning.benefit_law import BenefitLaw
from yibao.policy.reckoning.benefit_periods import FROZEN, clip, grown
from yibao.policy.reckoning.benefit_resident import resident_cover


def benefit_spells(facts: LifeFacts, law: BenefitLaw) -> tuple[Spell, ...]:
    """Return the spells of the employee and the resident insurance: by insurance, then by day.

    The first spell of an insurance begins with its first relation (a newborn's with the birth), the last one is open.
    Benefits end after the day of death. On one day at most one of the two is due: employee before resident.
    """
    employee = employee_cover(facts, law)
    resident = resident_cover(facts, employee, law)
    return (*_spells(facts, EMPLOYEE, employee), *_spells(facts, RESIDENT, resident))


def status_on(spells: Sequence[Spell], insutype: str, day: object) -> Spell | None:
    """Return the spell of an insurance on a day, None before the first one."""
    return next((s for s in spells if s.insutype == insutype and s.holds(day)), None)  # type: ignore[arg-type]


def _spells(facts: LifeFacts, insutype: str, covers: list[Cover]) -> list[Spell]:
    if not covers:
        return []
    relations = sorted(
        (r for r in facts.relations if r.insutype == insutype), key=lambda r: (r.insured_on, r.relation_id)
    )
    covers = _ended(covers, relations)
    if facts.died_on is not None:
        covers = [*covers, Cover(facts.died_on + timedelta(days=1), None, False, "dead")]
    begin = covers[0].begin_on
    # An edge at each relation's first day: who somebody is, is the relation of the day.
    marks = [
        msgspec.structs.replace(c, begin_on=r.insured_on, paid_months=grown(c, r.insured_on))
        for r in relations for c in clip(covers, begin)
        if c.begin_on < r.insured_on and (c.end_on is None or r.insured_on < c.end_on)
    ]
    return _joined([_spell(c, _relation_of(relations, c), insutype) for c in clip([*covers, *marks], begin)])


def _ended(covers: list[Cover], relations: Sequence[RelationFact]) -> list[Cover]:
    """Say ended instead of not insured where the last relation was ended and nothing follows."""
    last, tail = relations[-1], covers[-1]
    if last.is_ended and not tail.is_due and tail.reason == "not_insured":
        return [*covers[:-1], msgspec.structs.replace(tail, reason="ended")]
    return covers


def _relation_of(relations: Sequence[RelationFact], cover: Cover) -> RelationFact:
    begun = [r for r in relations if r.insured_on <= cover.begin_on]
    return begun[-1] if begun else relations[0]


def _spell(cover: Cover, relation: RelationFact, insutype: str) -> Spell:
    return Spell(
        insutype=insutype, begin_on=cover.begin_on, end_on=cover.end_on, is_due=cover.is_due, reason=cover.reason,
        rules=cover.rules, relation_id=relation.relation_id, admdvs=relation.admdvs, psn_type=relation.psn_type,
        account_kind=relation.account_kind, paid_months=cover.paid_months if cover.is_due else 0,
    )


def _joined(spells: Sequence[Spell]) -> list[Spell]:
    """Join neighbours that say the same; months of continuous payment may only have gone on."""
    joined: list[Spell] = []
    for s in spells:
        if joined and _follows(joined[-1], s):
            joined[-1] = msgspec.structs.replace(joined[-1], end_on=s.end_on)
        else:
            joined.append(s)
    return joined


def _follows(a: Spell, b: Spell) -> bool:
    same = msgspec.structs.replace(b, begin_on=a.begin_on, end_on=a.end_on, paid_months=a.paid_months)
    if same != a:
        return False
    grown = month_of(b.begin_on) - month_of(a.begin_on) if a.is_due and a.reason not in FROZEN else 0
    return b.paid_months == a.paid_months + grown
