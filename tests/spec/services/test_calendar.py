"""Working days: counted by hand on the calendars of the State Council's notices."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from yibao.domains.services.items import service_book
from yibao.domains.services.model import Pause

CALENDAR = service_book().calendar

DUE = [
    # accepted on Friday 27 September 2024: 29 (Sunday, worked), 30 September, 8, 9, 10 October
    ("2024-09-27", 5, "2024-10-10"),
    # before Spring Festival 2025 (28 January - 4 February off, Sunday 26 January worked): 26, 27 January, 5 February
    ("2025-01-24", 3, "2025-02-05"),
    # Labour Day 2026 (1-5 May off, Saturday 9 May worked): 6, 7, 8, 9, 11 May
    ("2026-04-30", 5, "2026-05-11"),
    # an immediate matter is due the same day
    ("2025-03-03", 0, "2025-03-03"),
    # accepted on a Saturday that is off: the clock starts with Monday
    ("2025-03-08", 1, "2025-03-10"),
    # New Year 2026: 1-3 January off, Sunday 4 January worked
    ("2025-12-31", 1, "2026-01-04"),
]


@pytest.mark.parametrize(("accepted", "days", "due"), DUE)
def test_a_limit_ends_on_the_day_counted_by_hand(accepted: str, days: int, due: str) -> None:
    assert str(CALENDAR.due(date.fromisoformat(accepted), days)) == due
    assert CALENDAR.count(date.fromisoformat(accepted), date.fromisoformat(due)) == days


@pytest.mark.parametrize(("year", "working"), [(2024, 251), (2025, 248), (2026, 248)])
def test_a_year_has_its_working_days(year: int, working: int) -> None:
    """Weekdays of the year, less holidays on weekdays, plus weekends worked; counted from the notices' own totals.

    2024: 262 weekdays - 19 + 8 = 251. 2025: 261 - 18 + 5 = 248. 2026: 261 - 19 + 6 = 248.
    """
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366) if (date(year, 1, 1) + timedelta(days=n)).year == year]
    assert sum(map(CALENDAR.is_working, days)) == working


def test_a_pause_moves_the_end_by_its_working_days() -> None:
    """Five days from Monday 3 March 2025 end on the 10th; three working days' pause (5, 6, 7) move it to the 13th."""
    begin = date(2025, 3, 3)
    assert CALENDAR.due(begin, 5) == date(2025, 3, 10)
    pause = Pause(date(2025, 3, 5), date(2025, 3, 8))
    assert CALENDAR.due(begin, 5, [pause]) == date(2025, 3, 13)
    assert CALENDAR.due(begin, 5, [Pause(date(2025, 3, 8), date(2025, 3, 10))]) == date(2025, 3, 10), "a weekend moves nothing"
    with pytest.raises(ValueError, match="stands"):
        CALENDAR.due(begin, 5, [Pause(date(2025, 3, 5), None)])


def test_a_year_without_notice_has_its_weekends_and_says_so() -> None:
    assert CALENDAR.is_working(date(2031, 10, 1))
    assert not CALENDAR.is_working(date(2031, 10, 4))
    assert not CALENDAR.knows(date(2026, 12, 30), date(2027, 1, 4))
    assert CALENDAR.knows(date(2024, 1, 1), date(2026, 12, 31))
