"""What somebody whose dues are on their way does, business by business: the rules of the plan for that cause."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.windows.model import DISPOSITIONS
from yibao.domains.windows.tables import businesses
from yibao.usecases.deadlines.release import CAUSE
from yibao.usecases.windows.pass_gate import Gate


class OpenWay(msgspec.Struct, frozen=True, kw_only=True):
    """One business and what is done for it meanwhile; ``says_institution`` where institutions are told something else."""

    business: str
    title: str
    disposition: str
    disposition_text: str
    says: str
    says_institution: str
    rule: str
    plan: str


def ways_open(gate: Gate, admdvs: str, at: datetime) -> list[OpenWay]:
    """Return what the plan in force says for each business while dues are on their way; empty where no plan says anything."""
    plan = gate.plan_for(admdvs, at)
    if plan is None:
        return []
    return [
        OpenWay(
            business=code, title=businesses()[code].title, disposition=rule.disposition,
            disposition_text=DISPOSITIONS[rule.disposition], says=rule.says, says_institution=rule.says_institution,
            rule=rule.id, plan=plan.name,
        )
        for rule in plan.rules if CAUSE in rule.when.cause for code in rule.when.business if code in businesses()
    ]
