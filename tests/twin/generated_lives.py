"""Draws lives: jobs, gaps, late payments, retirements, resident years, newborns, identities, deaths."""

from __future__ import annotations

import random
from datetime import date, timedelta

from tests.twin.entitlement_twin import Job, Life, first, no

BEGIN = date(2022, 1, 1)


def draw_life(chance: random.Random) -> Life:
    """Return one life inside 2022 to 2026."""
    region = chance.choice(("370300", "370300", "441300"))
    if chance.random() < 0.12:
        return _child(chance, region)
    jobs: list[Job] = []
    paid: dict[int, date] = {}
    years: dict[int, date] = {}
    day = BEGIN + timedelta(days=chance.randrange(300))
    for _ in range(chance.randint(1, 3)):
        kind = chance.choice("eeec")
        length = chance.randint(2, 26)
        end = _within(first(no(day) + length), chance)
        if kind == "c":
            jobs.append(Job("c", day, end))
            _pay_years(chance, day, end, years)
        else:
            jobs.append(Job("e", day, end))
            _pay_months(chance, no(day), no(end), paid)
        day = _within(first(no(end) + chance.choice((0, 0, 1, 2, 3, 4, 5, 8))), chance)
        day = max(day, end)
        if day.year > 2026:
            break
    last = jobs[-1]
    if chance.random() < 0.5:
        jobs[-1] = last._replace(end=None)
    lump = None
    if last.kind == "e" and jobs[-1].end is not None and chance.random() < 0.3:
        begins = first(no(last.end or BEGIN))
        jobs[-1] = last._replace(end=begins)
        paid = {m: p for m, p in paid.items() if m < no(begins)}
        kind = chance.choice("ro")
        jobs.append(Job(kind, begins, None))
        lump = begins + timedelta(days=chance.randrange(200)) if kind == "o" and chance.random() < 0.8 else None
    assisted = None
    if chance.random() < 0.2:
        assisted = (chance.choice(("2303", "2304", "2399")), date(2024, 1, 1) + timedelta(days=chance.randrange(700)))
    died = date(2025, 1, 1) + timedelta(days=chance.randrange(600)) if chance.random() < 0.08 else None
    return Life(region, date(1970, 3, 3), tuple(jobs), paid, lump, years, assisted, died, {})


def _child(chance: random.Random, region: str) -> Life:
    birth = date(2024, 4, 1) + timedelta(days=chance.randrange(500))
    enrolled = birth + timedelta(days=chance.randrange(150))
    years = {enrolled.year: enrolled + timedelta(days=chance.randrange(3))}
    years = {y: min(p, date(y, 12, 31)) for y, p in years.items()}
    if chance.random() < 0.7:
        _pay_years(chance, date(enrolled.year + 1, 1, 1), date(2026, 12, 31), years)
    return Life(region, birth, (Job("c", enrolled, None),), {}, None, years, None, None, {})


def _within(month: date, chance: random.Random) -> date:
    return month + timedelta(days=chance.choice((0, 0, 4, 11, 24)))


def _pay_months(chance: random.Random, begin: int, end: int, paid: dict[int, date]) -> None:
    month = begin
    while month < end:
        if chance.random() < 0.10:
            run = chance.randint(1, 6)
            stop = min(month + run, end)
            at = first(stop) + timedelta(days=chance.randrange(45))
            if chance.random() < 0.75:
                paid.update(dict.fromkeys(range(month, stop), at))
            month = stop
            continue
        paid[month] = first(month) + timedelta(days=chance.randrange(8, 27))
        month += 1


def _pay_years(chance: random.Random, begin: date, end: date, years: dict[int, date]) -> None:
    for year in range(begin.year, end.year + 1):
        draw = chance.random()
        if draw < 0.5:
            years[year] = date(year - 1, 10, 1) + timedelta(days=chance.randrange(90))
        elif draw < 0.72:
            years[year] = date(year, 1, 1) + timedelta(days=chance.randrange(300))
        elif draw < 0.85 and year < 2026:
            years[year] = date(year + 1, 1, 1) + timedelta(days=chance.randrange(300))
