"""How many days of medicine may be given at once: the law's limit of the day, raised by a plan until its date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from yibao.domains.dispensing.supply_limits import supply_limit
from yibao.domains.windows.gate import fits, holds
from yibao.domains.windows.model import Asked, Plan, Rule
from yibao.domains.windows.terms import day_of
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Fault
from yibao.usecases.visits.fee_line import LineInput
from yibao.usecases.windows.business_of import settlement_business, visit_class
from yibao.usecases.windows.pass_gate import Gate

STOCK_UP = "stock_up"
_CLASS = {"chronic_settlement": "chronic", "negotiated_drug": "negotiated"}
"""What the file of limits calls the visits of a business."""
DAYS_OF_MONTH = 30
"""A rule that counts in months means so many days each."""


def supply_faults(
    lines: Sequence[LineInput], *, med_type: str, kind: str, admdvs: str, at: datetime, gate: Gate, node: str
) -> list[Fault]:
    """Return the lines that give more days of medicine than are allowed at an instant of service.

    Only what an institution says (``prd_days``) is looked at, and only of classes the law limits.

    Args:
        kind: ``outpatient`` or ``pharmacy``. admdvs: where the person is insured. node: of the message, for the fields.
    """
    business_day = at.astimezone(SHANGHAI).date()
    business = settlement_business(med_type, kind=kind, is_remote=False)
    law = supply_limit(admdvs, _CLASS.get(business, ""), business_day)
    if law is None:
        return []
    said = [(i, _days(x.detail.get("prd_days", ""))) for i, x in enumerate(lines)]
    if all(days <= law.days for _, days in said):
        return []
    most, basis = raised(gate, med_type=med_type, kind=kind, admdvs=admdvs, at=at, least=law.days)
    return [
        Fault("SUPPLY_TOO_LONG", f"一次最多取{most}天的药", f"{node}[{i}].prd_days", str(days), f"请按{most}天以内开药",
              basis or f"{law.rule} {law.source}")
        for i, days in said if days > most
    ]


def raised(
    gate: Gate, *, med_type: str, kind: str, admdvs: str, at: datetime, least: int
) -> tuple[int, str]:
    """Return the limit in days as a plan raises it at an instant, with the rule; the law's where no plan does."""
    plan = gate.plan_for(admdvs, at)
    if plan is None:
        return least, ""
    asked = Asked(
        business=settlement_business(med_type, kind=kind, is_remote=False), admdvs=admdvs, channel="gateway",
        visit_class=visit_class(med_type, kind=kind),
        institution="pharmacy" if kind == "pharmacy" else "hospital",
    )
    found = max(((_allowed(r), r) for r in plan.rules if _counts(plan, r, asked, at)), key=lambda f: f[0], default=None)
    if found is None or found[0] <= least:
        return least, ""
    return found[0], f"{plan.name} v{plan.version} {found[1].id}"


def _counts(plan: Plan, rule: Rule, asked: Asked, at: datetime) -> bool:
    """Say whether a rule raises the limit at an instant: in its stages, and to the end of the day it names."""
    if rule.disposition != STOCK_UP or not fits(rule.when, asked):
        return False
    track, until = plan.track_of(asked.business), day_of(rule, "until")
    if track is None:
        return False
    # Who may stock up until a day may do so from the last call on, whatever the stage.
    begun = until is not None and at >= (rule.begin or track.last_call or track.stop)
    return (begun or holds(rule, track, at)) and (until is None or at < _end_of(until))


def _end_of(day: date) -> datetime:
    return datetime.combine(date.fromordinal(day.toordinal() + 1), time.min, SHANGHAI)


def _allowed(rule: Rule) -> int:
    days, months = rule.terms.get("days"), rule.terms.get("months")
    if isinstance(days, int):
        return days
    return months * DAYS_OF_MONTH if isinstance(months, int) else 0


def _days(text: str) -> int:
    """Return whole days of what was sent, 0 where nothing was; a part of a day is a day."""
    try:
        return -int(-float(text) // 1) if text else 0
    except ValueError:
        return 0
