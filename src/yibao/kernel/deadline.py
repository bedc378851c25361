"""How a last day moves because business stood still: four ways, one rule for each. Pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta

import msgspec

from yibao.kernel.business_time import SHANGHAI

OPEN = date.max
"""A last day that nobody knows yet: until further notice."""
WINDOW, FIXED, CONDITION, MONTHS = "window", "fixed", "condition", "months"
WAYS = (WINDOW, FIXED, CONDITION, MONTHS)
"""By the days lost, to a fixed day, until something has happened, by months after the restart."""
_HALF_A_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)


class Window(msgspec.Struct, frozen=True):
    """The days on which a business stands still, half-open; ``end`` None: nobody knows until when."""

    begin: date
    end: date | None

    @property
    def days(self) -> int | None:
        """Return how many days are lost, None while the end is not known."""
        return None if self.end is None else max((self.end - self.begin).days, 0)


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """A promise that some last days move.

    Attributes:
        way: one of ``WAYS``. until: the fixed day. months: after the end of the window.
        rule: id of the rule of the plan behind it.
    """

    way: str
    until: date | None = None
    months: int = 0
    rule: str = ""


def days_lost(stop: datetime, restart: datetime | None) -> Window:
    """Return the days of a stop: a day counts as lost when business stood still for half of it or more.

    A restart at eight in the morning loses nobody that day, a stop at six in the evening neither; a restart in the
    afternoon does.
    """
    begin = stop.astimezone(SHANGHAI)
    first = begin.date() if _midnight(begin.date() + _DAY) - begin >= _HALF_A_DAY else begin.date() + _DAY
    if restart is None:
        return Window(first, None)
    end = restart.astimezone(SHANGHAI)
    after = end.date() + _DAY if end - _midnight(end.date()) >= _HALF_A_DAY else end.date()
    return Window(first, max(first, after))


def moved(
    due_on: date, extension: Extension, window: Window, *, begun_on: date | None = None, met_on: date | None = None
) -> date:
    """Return the last day that takes the place of ``due_on``; the same where the extension does not concern it.

    Only a clock that was running inside the window moves: its last day is not before the window, and it did not begin
    after it. By the days lost: as many days later as the clock lost, fewer where it began inside. To a fixed day or by
    months: to that day, where the last day is earlier, so that nobody whose limit ends just after the restart fares worse
    than somebody whose limit ended just before. Until a condition: the clock stands from the stop (or from its beginning)
    until the day the condition is met (``met_on``), and ``OPEN`` until then.

    Args:
        due_on: last day, counted. begun_on: the day the clock began, None if long before.
        met_on: the day the condition was met, None while it is not.
    """
    began_after = begun_on is not None and window.end is not None and begun_on >= window.end
    if due_on < window.begin or due_on == OPEN or (began_after and extension.way != CONDITION):
        return due_on
    if extension.way == FIXED:
        return max(due_on, extension.until) if extension.until is not None else due_on
    end = met_on if extension.way == CONDITION else window.end
    if end is None:
        return OPEN
    if extension.way == MONTHS:
        return max(due_on, months_later(end, extension.months))
    since = max(window.begin, begun_on) if begun_on is not None else window.begin
    return due_on + max(end - since, timedelta())


def months_later(day: date, months: int) -> date:
    """Return the same day of a later month, its last day where that month is shorter."""
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)
