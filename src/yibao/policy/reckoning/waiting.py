"""Waiting: how many months before benefits apply, and from which day they do."""

from __future__ import annotations

from datetime import date, timedelta

from yibao.kernel.refusal import Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import WaitingCase
from yibao.policy.reckoning.lookup import Lookup, look_up
from yibao.policy.reckoning.trace import Journal

Amounts = tuple[tuple[str, int], ...]


def reckon_waiting(case: WaitingCase, lookup: Lookup, journal: Journal) -> Amounts | Refusal:
    """Return ``wait_months``: 0 for a newborn in time, a gap that is allowed or payment in the window."""
    if _newborn_in_time(case, lookup, journal):
        return (("wait_months", 0),)
    if _gap_is_allowed(case, lookup, journal):
        return (("wait_months", 0),)
    if case.in_window:
        journal.add("wait_window", "待遇等待期", base=0, amount=0, formula="在集中缴费期内缴费，无等待期")
        return (("wait_months", 0),)
    return _months(case, lookup, journal)


def starts_on(case: WaitingCase, wait_months: int, lookup: Lookup) -> date:
    """Return the first day of benefits.

    A newborn enrolled in time has them from birth. Who need not wait has them from the first day the
    payment covers; who waits, from the first day of the month after so many whole months.
    """
    if case.born_on is not None and _newborn_in_time(case, lookup, Journal(False)):
        return case.born_on
    enrolled = case.enrolled_on or case.on
    if not wait_months:
        return case.covered_from or enrolled
    waited = _first_of_month(enrolled, wait_months + 1)
    return max(waited, case.covered_from or waited)


def benefit_from(case: WaitingCase, policy: RegionPolicy) -> date | Refusal:
    """Return the day from which benefits apply, or why the law does not say."""
    lookup = look_up(case, policy)
    if isinstance(lookup, Refusal):
        return lookup
    amounts = reckon_waiting(case, lookup, Journal(False))
    return amounts if isinstance(amounts, Refusal) else starts_on(case, dict(amounts)["wait_months"], lookup)


def newborn_until(case: WaitingCase, policy: RegionPolicy) -> date | Refusal:
    """Return the last day on which a newborn enrols with benefits from birth, or why there is none."""
    lookup = look_up(case, policy)
    if isinstance(lookup, Refusal):
        return lookup
    if case.born_on is None or lookup.first("newborn_window") is None:
        return lookup.silent("新生儿参保期限", "newborn_window")
    return _window_end(case.born_on, lookup)


def gap_allowed(case: WaitingCase, policy: RegionPolicy) -> int | Refusal:
    """Return how many months payment may pause and still count as continuous once they are paid back."""
    lookup = look_up(case, policy)
    if isinstance(lookup, Refusal):
        return lookup
    if lookup.first("gap_allowed") is None:
        return lookup.silent("允许中断缴费的期限", "gap_allowed")
    return lookup.number("gap_allowed")


def _newborn_in_time(case: WaitingCase, lookup: Lookup, journal: Journal) -> bool:
    row = lookup.first("newborn_window")
    if case.born_on is None or row is None or row.absent:
        return False
    enrolled = case.enrolled_on or case.on
    passed = (enrolled - case.born_on).days
    in_time = enrolled <= _window_end(case.born_on, lookup)
    said = (
        f"，自 {case.born_on.isoformat()} 出生之日起享受" if in_time else "，已超过期限，按新参保计算等待期"
    )
    formula = f"出生后 {passed} 天参保，期限 {row.number} 天{said}"
    journal.add("newborn", row.used.name, base=row.number, amount=passed, formula=formula, used=(row.used,))
    return in_time


def _window_end(born_on: date, lookup: Lookup) -> date:
    return born_on + timedelta(days=lookup.number("newborn_window"))


def _gap_is_allowed(case: WaitingCase, lookup: Lookup, journal: Journal) -> bool:
    row = lookup.first("gap_allowed")
    if case.gap_months is None or row is None:
        return False
    allowed = case.gap_months <= lookup.number("gap_allowed")
    said = "补缴后连续计算" if allowed else "已超过，按重新参保计算等待期"
    formula = f"中断 {case.gap_months} 个月，允许 {lookup.number('gap_allowed')} 个月，{said}"
    journal.add("wait_gap", row.used.name, base=case.gap_months, amount=0, formula=formula, used=(row.used,))
    return allowed


def _months(case: WaitingCase, lookup: Lookup, journal: Journal) -> Amounts | Refusal:
    fixed_row = lookup.first("wait_fixed")
    if fixed_row is None:
        return lookup.silent("固定等待期", "wait_fixed")
    fixed, least = lookup.number("wait_fixed"), lookup.number("wait_least")
    per, repair = lookup.number("wait_per_missed_year"), lookup.number("wait_repair_per_year")
    # Paying back repairs only what missed years added: the fixed part always stays.
    added = max(per * case.years_missed - repair * case.paid_back_years, 0)
    months = max(fixed + added, least)
    formula = f"{fixed} + {per} × 断缴 {case.years_missed} 年"
    if case.paid_back_years:
        formula += f" − {repair} × 补缴 {case.paid_back_years} 年"
    formula += f" = {fixed + added} 个月"
    if months > fixed + added:
        formula += f"，不少于 {least} 个月，计 {months} 个月"
    keys = ("wait_fixed", "wait_per_missed_year", "wait_repair_per_year", "wait_least")
    rows = [lookup.first(key) for key in keys]
    used = tuple(row.used for row in rows if row is not None)
    journal.add("wait", "待遇等待期", base=fixed, amount=months, formula=formula, used=used)
    return (("wait_months", months),)


def _first_of_month(day: date, months_later: int) -> date:
    years, month = divmod(day.month - 1 + months_later, 12)
    return date(day.year + years, month + 1, 1)
