"""The working-day calendar: weekends, public holidays and the weekend days that are worked for them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from yibao.domains.services.model import Pause

_DAY = timedelta(days=1)
_SATURDAY = 5


class Calendar(msgspec.Struct, frozen=True):
    """Days off and days worked that the weekday does not tell; ``years`` are those whose notice is known."""

    off: frozenset[date]
    work: frozenset[date]
    years: frozenset[int]

    def is_working(self, day: date) -> bool:
        """Say whether offices work on a day; in a year without a notice only weekends are off."""
        if day in self.work:
            return True
        return day.weekday() < _SATURDAY and day not in self.off

    def knows(self, begin: date, end: date) -> bool:
        """Say whether the holidays of every year from ``begin`` to ``end`` (inclusive) are known."""
        return all(year in self.years for year in range(begin.year, end.year + 1))

    def count(self, begin: date, end: date, pauses: Sequence[Pause] = ()) -> int:
        """Return the working days after ``begin`` up to and with ``end`` on which the clock ran."""
        days, day = 0, begin
        while day < end:
            day += _DAY
            days += self.is_working(day) and not _stands(day, pauses)
        return days

    def due(self, accepted_on: date, working_days: int, pauses: Sequence[Pause] = ()) -> date:
        """Return the last day of a limit: the day of acceptance does not count; 0 means the same day.

        Every pause must have ended; its days are not counted, and the due date moves past them.
        """
        if any(p.end is None for p in pauses):
            raise ValueError("a clock that stands has no due date")
        day, left = accepted_on, working_days
        while left > 0:
            day += _DAY
            left -= self.is_working(day) and not _stands(day, pauses)
        return day


def _stands(day: date, pauses: Sequence[Pause]) -> bool:
    return any(p.begin <= day and (p.end is None or day < p.end) for p in pauses)
