"""Months as their first day, and which months a relation covers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from yibao.domains.enrolment.model import BASIC, Relation


def first_of_month(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def month_after(day: date, months: int = 1) -> date:
    """Return the first day of the month so many months after a day's month."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def months_between(first: date, until: date) -> int:
    """Return how many months lie from one month up to before another."""
    return (until.year - first.year) * 12 + until.month - first.month


def each_month(first: date, until: date) -> Iterator[date]:
    """Yield the months from one month up to before another."""
    month = first_of_month(first)
    while month < first_of_month(until):
        yield month
        month = month_after(month)


def covers_from(relation: Relation) -> date:
    """Return the first month that a relation covers."""
    return first_of_month(relation.insured_on)


def covers_until(relation: Relation) -> date | None:
    """Return the month up to before which a relation covers, None while it is open."""
    return None if relation.paused_on is None else first_of_month(relation.paused_on)


def overlapping(relations: Iterable[Relation], first: date, until: date | None = None) -> list[Relation]:
    """Return the basic relations that cover a month from ``first`` up to before ``until`` (None: without end)."""
    found = []
    for relation in relations:
        if relation.insutype not in BASIC:
            continue
        begin, end = covers_from(relation), covers_until(relation)
        is_empty = end is not None and end <= begin
        if not is_empty and (end is None or end > first) and (until is None or begin < until):
            found.append(relation)
    return found
