"""How last days move, against days counted by hand."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.deadline import (
    CONDITION,
    FIXED,
    MONTHS,
    OPEN,
    WINDOW,
    Extension,
    Window,
    days_lost,
    months_later,
    moved,
)


def at(text: str) -> datetime:
    """Return an instant of business time."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def day(text: str) -> date:
    """Return a day."""
    return date.fromisoformat(text)


ZIBO = Window(day("2021-10-10"), day("2021-10-19"))  # 10, 11, ... 18 October: nine days
HUIZHOU = Window(day("2021-01-25"), day("2021-02-03"))


@pytest.mark.parametrize(("stop", "restart", "begin", "end"), [
    ("2021-10-10 00:00", "2021-10-19 00:00", "2021-10-10", "2021-10-19"),  # Zibo: midnight to midnight
    ("2021-01-25 00:00", "2021-02-03 08:00", "2021-01-25", "2021-02-03"),  # Huizhou: open at eight, that day is not lost
    ("2021-08-21 18:00", "2021-08-26 08:00", "2021-08-22", "2021-08-26"),  # Lanzhou: the day of the stop was worked
    ("2021-04-20 00:00", "2021-04-30 15:00", "2021-04-20", "2021-05-01"),  # Jiangmen: open in the afternoon, lost
    ("2021-12-22 18:00", "2021-12-31 23:00", "2021-12-23", "2022-01-01"),  # Wuhan: an hour before the new year
    ("2021-08-16 18:00", "2021-08-17 08:00", "2021-08-17", "2021-08-17"),  # over night: nothing is lost
])
def test_days_lost(stop: str, restart: str, begin: str, end: str) -> None:
    assert days_lost(at(stop), at(restart)) == Window(day(begin), day(end))


def test_a_restart_to_be_announced_has_no_end() -> None:
    assert days_lost(at("2021-10-10 00:00"), None) == Window(day("2021-10-10"), None)
    assert Window(day("2021-10-10"), None).days is None
    assert ZIBO.days == 9


@pytest.mark.parametrize(("due", "begun", "after"), [
    ("2021-10-15", None, "2021-10-24"),          # inside the stop: nine days later
    ("2021-11-30", None, "2021-12-09"),          # after it, but the clock lost nine days
    ("2021-10-18", None, "2021-10-27"),
    ("2021-10-10", None, "2021-10-19"),          # the first day of the stop
    ("2021-10-09", None, "2021-10-09"),          # could still be met
    ("2021-10-30", "2021-10-14", "2021-11-04"),  # begun inside: 14 to 18 October are lost, five days
    ("2021-11-18", "2021-10-19", "2021-11-18"),  # begun after the restart
    ("2021-11-18", "2021-10-18", "2021-11-19"),  # begun on the last day of the stop
])
def test_by_the_days_lost(due: str, begun: str | None, after: str) -> None:
    extension = Extension(way=WINDOW)
    assert moved(day(due), extension, ZIBO, begun_on=day(begun) if begun else None) == day(after)


@pytest.mark.parametrize(("due", "begun", "after"), [
    ("2021-08-16", None, "2021-12-31"),          # Shenzhen: claim limits in the stop, to the end of the year
    ("2021-08-14", None, "2021-08-14"),          # before the stop
    ("2021-09-30", None, "2021-12-31"),          # later, but nobody fares worse than who had less time
    ("2022-01-10", None, "2022-01-10"),          # later than the fixed day
    ("2021-10-01", "2021-08-20", "2021-10-01"),  # a clock that began after the restart
])
def test_to_a_fixed_day(due: str, begun: str | None, after: str) -> None:
    window = Window(day("2021-08-15"), day("2021-08-17"))
    extension = Extension(way=FIXED, until=day("2021-12-31"))
    assert moved(day(due), extension, window, begun_on=day(begun) if begun else None) == day(after)


@pytest.mark.parametrize(("due", "after"), [
    ("2021-12-25", "2022-04-01"), ("2022-03-31", "2022-04-01"), ("2022-06-01", "2022-06-01"), ("2021-12-22", "2021-12-22"),
])
def test_months_after_the_restart(due: str, after: str) -> None:
    window = Window(day("2021-12-23"), day("2022-01-01"))  # Wuhan: three months to make up
    assert moved(day(due), Extension(way=MONTHS, months=3), window) == day(after)


def test_until_a_condition_is_met() -> None:
    extension = Extension(way=CONDITION)
    due = day("2021-02-10")
    assert moved(due, extension, HUIZHOU) == OPEN
    # 25 January to 19 February: 7 days of January and 19 of February are not counted.
    assert moved(due, extension, HUIZHOU, met_on=day("2021-02-20")) == day("2021-03-08")
    # Begun on 5 February, met on the 20th: fifteen days.
    assert moved(due, extension, HUIZHOU, begun_on=day("2021-02-05"), met_on=day("2021-02-20")) == day("2021-02-25")
    # Begun after it was met: nothing was lost.
    assert moved(due, extension, HUIZHOU, begun_on=day("2021-02-22"), met_on=day("2021-02-20")) == due


def test_while_nobody_knows_the_restart_nothing_ends() -> None:
    unknown = Window(day("2021-10-10"), None)
    assert moved(day("2021-10-15"), Extension(way=WINDOW), unknown) == OPEN
    assert moved(day("2021-10-15"), Extension(way=MONTHS, months=1), unknown) == OPEN
    assert moved(day("2021-10-09"), Extension(way=WINDOW), unknown) == day("2021-10-09")
    assert moved(OPEN, Extension(way=WINDOW), ZIBO) == OPEN


def test_months_end_with_their_month() -> None:
    assert months_later(day("2021-01-31"), 1) == day("2021-02-28")
    assert months_later(day("2021-11-30"), 3) == day("2022-02-28")
    assert months_later(day("2021-10-01"), 0) == day("2021-10-01")


def test_never_earlier_and_never_out_of_order() -> None:
    """Whoever had more time before has no less of it afterwards, for every way and every pair of days of a year."""
    extensions = [Extension(way=WINDOW), Extension(way=FIXED, until=day("2021-12-31")), Extension(way=MONTHS, months=2)]
    days = [date.fromordinal(day("2021-09-01").toordinal() + n) for n in range(150)]
    for extension in extensions:
        after = [moved(d, extension, ZIBO) for d in days]
        assert all(a >= d for a, d in zip(after, days, strict=True))
        assert after == sorted(after)
