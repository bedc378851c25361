"""Remembers plans: cases whose facts agree wherever their law asks for them share one. Forgetting costs only time."""

from __future__ import annotations

from itertools import chain

from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.law.parameters import BenefitLaw, RegionPolicy
from yibao.policy.law.values import Slope
from yibao.policy.pipeline.choosing import Benefit, plan_of
from yibao.policy.pipeline.plan import Plan

MOST_LAWS = 128
"""Laws whose plans are kept; then all are forgotten."""
MOST_PLANS = 512
"""Plans kept of one law; then all of it are forgotten."""


class _Memory:
    """The plans of one law. It holds the law, so that no other one can take its identity meanwhile."""

    __slots__ = ("asked", "law", "plans")

    def __init__(self, law: BenefitLaw) -> None:
        self.law = law
        self.asked = facts_asked(law)
        self.plans: dict[object, Plan] = {}


_MEMORIES: dict[int, _Memory] = {}


def facts_asked(law: BenefitLaw) -> tuple[str, ...]:
    """Return the dimensions that any row of a law looks at, in a condition or a formula."""
    asked: set[str] = set()
    for row in chain.from_iterable(law.rows.values()):
        asked.update(condition.dimension for condition in row.conditions)
        if isinstance(row.formula, Slope):
            asked.add(row.formula.per)
    return tuple(sorted(asked))


def remembered_plan(case: Case, benefit: Benefit, policy: RegionPolicy) -> Plan | Refusal:
    """Return the plan of a case, ``plan_of`` it or of an earlier case that it cannot be told from.

    Beside the facts that the law asks for, the key holds whatever ``plan_of`` reads of a case by itself.
    """
    law, facts = benefit.law, benefit.facts
    memory = _MEMORIES.get(id(law))
    if memory is None:
        if len(_MEMORIES) >= MOST_LAWS:
            _MEMORIES.clear()
        memory = _MEMORIES[id(law)] = _Memory(law)
    key = (
        benefit.row.place,
        case.service_on,
        case.admission,
        case.use_account,
        case.in_parts,
        case.disease_code,
        case.recognised,
        *case.already,
        None,
        *[line.group for line in case.lines if line.group],
        None,
        *[facts[dimension] for dimension in memory.asked],
    )
    plan = memory.plans.get(key)
    if plan is not None:
        return plan
    found = plan_of(case, benefit, policy)
    if isinstance(found, Plan):
        if len(memory.plans) >= MOST_PLANS:
            memory.plans.clear()
        memory.plans[key] = found
    return found
