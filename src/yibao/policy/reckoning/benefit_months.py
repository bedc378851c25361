"""Months of a life by what was paid for them, and by what a window took from them."""

from __future__ import annotations

from datetime import date, timedelta

from yibao.policy.reckoning.benefit_facts import EMPLOYEE, REGULAR_KINDS, RESIDENT, LifeFacts, month_of


def still_months(facts: LifeFacts) -> set[tuple[str, int]]:
    """Return the months of a region in which nobody could join or pay: they do not count in a break."""
    found = set()
    for s in facts.standstills:
        if s.clock == "gap":
            last = s.window.end - timedelta(days=1) if s.window.end is not None else s.window.begin
            found |= {(s.admdvs, m) for m in range(month_of(s.window.begin), month_of(last) + 1)}
    return found


def paid_months(facts: LifeFacts) -> dict[int, date]:
    """Return the first payment of each month of the employee insurance that was paid for."""
    paid: dict[int, date] = {}
    for due in facts.dues:
        if due.insutype != EMPLOYEE or due.kind not in REGULAR_KINDS or due.paid_on is None:
            continue
        for month in range(month_of(due.month), month_of(due.month) + due.months):
            paid[month] = min(due.paid_on, paid.get(month, due.paid_on))
    return paid


def resident_months(facts: LifeFacts) -> set[int]:
    """Return the months that were insured as a resident: they are no gap of the employee insurance."""
    years = {
        d.month.year for d in facts.dues
        if d.insutype == RESIDENT and d.kind in REGULAR_KINDS and d.paid_on and d.paid_on.year <= d.month.year
    }
    months = set()
    for r in facts.relations:
        if r.insutype == RESIDENT:
            end = month_of(r.paused_on) if r.paused_on else (max(years, default=0) + 1) * 12
            months |= {m for m in range(month_of(r.insured_on), end) if m // 12 in years}
    return months
