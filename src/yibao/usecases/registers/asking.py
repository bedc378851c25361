"""What registers ask of the gate beside whether something is open: whose plan it is."""

from __future__ import annotations

from datetime import datetime

from yibao.usecases.windows.pass_gate import Gate


def plan_name(gate: Gate | None, admdvs: str, at: datetime) -> str:
    """Return the name of the plan in force, ``""`` without one."""
    plan = None if gate is None else gate.plan_for(admdvs, at)
    return "" if plan is None else plan.name
