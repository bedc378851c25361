"""What the law says about filings: who decides them, how long they hold, when a choice may be changed."""

from __future__ import annotations

import calendar
from collections.abc import Collection
from datetime import date, timedelta

from yibao.policy.law.parameters import RegionPolicy, Row, first_match


def filing_row(
    policy: RegionPolicy, key: str, on: date, *, insutype: str, disease: str = "", level: str = "",
    traits: Collection[str] = (),
) -> Row | None:
    """Return the row of a key (``recognition_by``, ``choice_limit`` ...) that applies on a day, None if there is none.

    Args:
        level, traits: of the institution that is chosen.
    """
    law = policy.law_on(on)
    if law is None:
        return None
    facts = {"insutype": insutype, "disease": disease, "level": level, "trait": tuple(sorted(traits))}
    return first_match(law.reckoning.get(key, ()), facts)


def review_on(policy: RegionPolicy, begin: date, *, insutype: str, disease: str) -> date | None:
    """Return the day on which a recognition that begins on ``begin`` must be reviewed, None if never.

    It is the first day on which the recognition opens nothing any more.
    """
    row = filing_row(policy, "recognition_review", begin, insutype=insutype, disease=disease)
    return months_after(begin, row.number) if row is not None else None


def change_day(policy: RegionPolicy, today: date, *, insutype: str) -> date | Row:
    """Return the first day on which a changed choice counts, or the row that names the period for changes.

    The row means that ``today`` lies outside of that period.
    """
    window = filing_row(policy, "choice_change", today, insutype=insutype)
    if window is not None and not _within(window.word, today):
        return window
    effect = filing_row(policy, "choice_effect", today, insutype=insutype)
    if effect is not None and effect.word == "next_year":
        return date(today.year + 1, 1, 1)
    return today


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month, its last day where the month is shorter."""
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def days_after(day: date, row: Row | None) -> date | None:
    """Return the first day after a period of days that begins with ``day``, None where the law has no period."""
    return day + timedelta(days=row.number) if row is not None else None


def _within(window: str, day: date) -> bool:
    """Say whether a day lies in a period of the year written ``09-01/12-31``, both ends included."""
    begin, end = window.split("/")
    at = f"{day.month:02d}-{day.day:02d}"
    return begin <= at <= end if begin <= end else at >= begin or at <= end
