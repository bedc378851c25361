"""Benefit status by a second, naive reckoning: one question per day, numbers of the law written out here.

Shares nothing with the product. A life is plain tuples; the answer for a day is ``(is due, reason)``. It does not walk
through the months and keeps nothing in mind: every answer is looked up anew from the lists of payments.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

LAG, GAP, WAIT = 1, 3, 3
KEPT = {"370300": 1, "441300": 0}
HAS_EMPLOYEE_WAIT = {"370300": True, "441300": False}
ASSISTED = {
    "370300": {"2302", "2303", "2304", "2305", "2307", "2360"},
    "441300": {"2301", "2303", "2304", "2305", "2306", "2307", "2308"},
}


class Job(NamedTuple):
    """A relation: region's employee (``e``), retired (``r``), retired by a lump (``o``) or resident (``c``)."""

    kind: str
    begin: date
    end: date | None


class Life(NamedTuple):
    """A generated life: ``paid`` by month number (employee), ``years`` paid as a resident; ``memo`` only saves time."""

    region: str
    birth: date
    jobs: tuple[Job, ...]
    paid: dict[int, date]
    lump: date | None
    years: dict[int, date]
    assisted: tuple[str, date] | None
    died: date | None
    memo: dict[object, object]


def no(day: date) -> int:
    """Return the number of a day's month."""
    return day.year * 12 + day.month - 1


def first(month: int) -> date:
    """Return the first day of a numbered month."""
    return date(month // 12, month % 12 + 1, 1)


# ── employee ──


def job_of(life: Life, month: int) -> Job | None:
    """Return the job (or retirement) that covers a month for dues."""
    found = [
        j for j in life.jobs
        if j.kind != "c" and no(j.begin) <= month and (j.end is None or month < no(j.end))
    ]
    return found[-1] if found else None


def paid_day(life: Life, month: int) -> date | None:
    """Return when a month was paid; long ago for months that are free."""
    job = job_of(life, month)
    if job and job.kind == "r":
        return date(1900, 1, 1)
    if month in life.paid:
        return life.paid[month]
    if job and job.kind == "o":
        return life.lump
    return None


def is_resident_month(life: Life, month: int) -> bool:
    """Say whether the month was insured and paid as a resident."""
    if job_of(life, month) or month in life.paid:
        return False
    pay = life.years.get(month // 12)
    if pay is None or pay.year > month // 12:
        return False
    return any(j.kind == "c" and no(j.begin) <= month and (j.end is None or month < no(j.end)) for j in life.jobs)


def is_good(life: Life, month: int) -> bool:
    """Say whether a month was paid before its benefits, and what is kept of them, had run out."""
    day = paid_day(life, month)
    return day is not None and day < first(month + LAG + KEPT[life.region])


def began(life: Life) -> int:
    """Return the first month anything was paid for."""
    if "began" not in life.memo:
        last = max([no(j.begin) for j in life.jobs] + [no(j.end) for j in life.jobs if j.end] + list(life.paid)) + 40
        start = min(no(j.begin) for j in life.jobs)
        months = range(min([start, *life.paid]), last)
        life.memo["began"] = next((m for m in months if paid_day(life, m) is not None), 10**9)
    return life.memo["began"]  # type: ignore[return-value]


def break_around(life: Life, month: int) -> tuple[int, int]:
    """Return the break a month lies in: from its first month to the one after its last, by looking both ways."""
    def in_break(m: int) -> bool:
        return m > began(life) and not is_good(life, m) and not is_resident_month(life, m)

    edge = max(list(life.paid) + [no(j.begin) for j in life.jobs] + [no(j.end) for j in life.jobs if j.end] + [month])
    edge += 16
    a = month
    while in_break(a - 1):
        a -= 1
    b = month + 1
    while b <= edge and in_break(b):
        b += 1
    if b > edge:
        # Open at the end: what was paid back at last is one break, what is still owed another.
        late = [m for m in range(a, b) if paid_day(life, m) is not None]
        cut = max(late) + 1 if late else None
        if cut is not None:
            return (a, cut) if month < cut else (cut, 10**9)
        return (a, 10**9)
    return (a, b)


def wait_end(life: Life, a: int, b: int) -> int:
    """Return the first month with benefits after a break that was too long, 0 where nobody waits."""
    if b - a <= GAP or not HAS_EMPLOYEE_WAIT[life.region] or b >= 10**9:
        return 0
    days = []
    m = b - 1
    tail = []
    while m >= a and paid_day(life, m) is not None:
        tail.append(paid_day(life, m))
        m -= 1
    if tail:
        days.append(max(d for d in tail if d))
    after = paid_day(life, b) if is_good(life, b) else None
    if after:
        days.append(after)
    days = [d for d in days if d.year > 1900]
    return no(min(days)) + 1 + WAIT if days else 0


def starts_at(life: Life, month: int) -> int:
    """Return the first month with benefits, as set by every beginning and every wait up to a due month."""
    if ("starts", month) not in life.memo:
        life.memo["starts", month] = _starts_at(life, month)
    return life.memo["starts", month]  # type: ignore[return-value]


def _starts_at(life: Life, month: int) -> int:
    top = 0
    for m in range(began(life), month + 1):
        day = paid_day(life, m)
        if day is None:
            continue
        if is_good(life, m) or m == began(life):
            before = m - 1
            fresh = m == began(life) or not own(life, before)
            if fresh and day.year > 1900:
                top = max(top, max(m, no(day)) + LAG)
            if m > began(life) and not is_good(life, before) and not is_resident_month(life, before):
                a, b = break_around(life, before) if before > began(life) else (m, m)
                top = max(top, wait_end(life, a, b))
    # A wait that a late payment at the very end has begun.
    a, b = break_around(life, month) if month > began(life) and not is_good(life, month) else (0, 0)
    if a and a < 10**8 and b >= 10**9 and a > began(life) + 1 and not is_good(life, a - 1):
        c, d = break_around(life, a - 1)
        if d == a:
            top = max(top, wait_end(life, c, d))
    return top


def own(life: Life, month: int) -> bool:
    """Say whether a month was paid for here so that it counts without a break."""
    day = paid_day(life, month)
    if day is None:
        return False
    if month == began(life) or is_good(life, month):
        return True
    a, b = break_around(life, month)
    return b - a <= GAP and all(paid_day(life, m) is not None for m in range(a, b))


def employee_on(life: Life, day: date) -> bool | None:
    """Say whether employee benefits are due on a day, None before the first employment."""
    jobs = [j for j in life.jobs if j.kind != "c"]
    if not jobs or day < min(j.begin for j in jobs):
        return None
    if life.died and day > life.died:
        return False
    month = no(day) - LAG
    start = began(life)
    if month < start:
        return False
    pay = paid_day(life, month)
    if pay is not None and (is_good(life, month) or month == start):
        return no(day) >= starts_at(life, month)
    if is_resident_month(life, month):
        return False
    a, b = break_around(life, month)
    if pay is not None and b - a <= GAP:
        return no(day) >= starts_at(life, a - 1)
    owed = all(job_of(life, m) is not None for m in range(a, month + 1))
    if owed and own(life, a - 1) and month - a < KEPT[life.region]:
        return no(day) >= starts_at(life, month)
    return False


# ── resident ──


def season_end(region: str, year: int) -> date:
    """Return the last day on which a year is paid for in season."""
    if region == "441300":
        return date(year, 6, 30) if year == 2023 else date(year, 2, 28)
    return date(year, 1, 30) if year == 2022 else date(year - 1, 12, 31)


def had_employee(life: Life, year: int) -> bool:
    """Say whether employee benefits were due on any day of a year (they change by months only)."""
    if ("had", year) not in life.memo:
        days = [date(year, m, d) for m in range(1, 13) for d in (1, 28)]
        days += [j.begin for j in life.jobs if j.begin.year == year]
        life.memo["had", year] = any(employee_on(life, d) for d in days)
    return bool(life.memo["had", year])


def resident_start(life: Life, year: int) -> date:
    """Return the first day with benefits of a year that was paid for in time to count."""
    pay = life.years[year]
    begin = date(year, 1, 1)
    if (pay - life.birth).days <= 90 and year in (life.birth.year, life.birth.year + 1):
        return life.birth if year == life.birth.year else begin
    covered = [y for y, p in life.years.items() if y < year and p.year <= y]
    covered += [y for y in range(2021, year) if had_employee(life, y)]
    missed = list(range(max(covered) + 1, year)) if covered else []
    in_season = pay <= season_end(life.region, year) and (pay < begin or year >= 2025)
    if in_season and not missed:
        return begin
    law_day = max(pay, begin)
    if life.assisted and life.assisted[0] in ASSISTED[life.region] and life.assisted[1] <= pay and law_day.year >= 2025:
        return begin if in_season else max(begin, pay)
    last = last_employee_day(life, pay)
    if last is not None and no(pay) - no(last + timedelta(days=1)) <= 3:
        return begin if in_season else max(begin, pay)
    if law_day.year < 2025:
        return max(begin, first(no(pay) + 1))
    back = sorted(life.years[y] for y in missed if y in life.years)
    best = None
    for k in range(len(back) + 1):
        months = 3 + max(len(missed) - k, 0)
        if len(missed) >= 4:
            months = max(months, 6)
        day = first(no(pay) + 1 + months)
        if k and back[k - 1] > pay:
            day = max(day, first(no(back[k - 1]) + 1))
        best = day if best is None else min(best, day)
    assert best is not None
    return max(best, begin)


def last_employee_day(life: Life, pay: date) -> date | None:
    """Return the last day with employee benefits before or on a day, None if that was longer ago than matters."""
    for back in range(160):
        if employee_on(life, pay - timedelta(days=back)):
            return pay - timedelta(days=back)
    return None


def resident_on(life: Life, day: date) -> bool | None:
    """Say whether resident benefits are due on a day, None before the first enrolment."""
    jobs = [j for j in life.jobs if j.kind == "c"]
    if not jobs:
        return None
    year = day.year
    pay = life.years.get(year)
    counts = pay is not None and pay.year <= year
    newborn = counts and year == life.birth.year and (pay - life.birth).days <= 90  # type: ignore[operator]
    if day < min(j.begin for j in jobs) and not (newborn and day >= life.birth):
        return None
    if life.died and day > life.died:
        return False
    if not counts or not (newborn or any(j.begin <= day and (j.end is None or day < j.end) for j in jobs)):
        return False
    if newborn and not any(day < (j.end or date.max) for j in jobs):
        return False
    if employee_on(life, day):
        return False
    start = resident_start(life, year)
    carried = [
        resident_start(life, y) for y, p in life.years.items() if y < year and p.year <= y and not is_free_start(life, y)
    ]
    if is_free_start(life, year):
        return day >= start
    return day >= max([start, *carried])


def is_free_start(life: Life, year: int) -> bool:
    """Say whether a year began as a newborn's or an assisted person's does: they wait for nothing."""
    pay = life.years[year]
    begin = date(year, 1, 1)
    if (pay - life.birth).days <= 90 and year in (life.birth.year, life.birth.year + 1):
        return True
    covered = [y for y, p in life.years.items() if y < year and p.year <= y]
    covered += [y for y in range(2021, year) if had_employee(life, y)]
    in_season = pay <= season_end(life.region, year) and (pay < begin or year >= 2025)
    if in_season and not (covered and max(covered) + 1 < year):
        return False
    return bool(
        life.assisted and life.assisted[0] in ASSISTED[life.region] and life.assisted[1] <= pay
        and max(pay, begin).year >= 2025
    )
