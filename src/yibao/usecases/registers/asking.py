"""What registers need of the gate: whether a business is open, how its papers are taken, whose plan it is."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from yibao.domains.windows.model import Asked, Judged, Plan


class Asks(Protocol):
    """The gate, as far as registers ask it."""

    def ask(self, asked: Asked, at: datetime) -> Judged:
        """Judge what somebody is about to do."""
        ...

    def plan_for(self, admdvs: str, at: datetime) -> Plan | None:
        """Return the plan in force for a region."""
        ...


def plan_name(gate: Asks | None, admdvs: str, at: datetime) -> str:
    """Return the name of the plan in force, ``""`` without one."""
    plan = None if gate is None else gate.plan_for(admdvs, at)
    return "" if plan is None else plan.name
