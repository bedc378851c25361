"""Words of a window: times as a notice writes them, when service comes back, weekdays. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from yibao.domains.windows.model import STAGES, Hotline, Plan, Track
from yibao.kernel.business_time import SHANGHAI

TO_BE_ANNOUNCED = "待公告"
_WEEKDAYS = "一二三四五六日"
_TIME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_WEEKDAY = re.compile(r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日\s*[（(](?:星期|周)([一二三四五六日天])[)）]")
_MIDNIGHT_HOUR = 24


def read_instant(text: str) -> datetime | None:
    """Return the instant of ``2021-10-18 24:00`` (midnight that ends the 18th) in business time; None: no time."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    ends_day = hour == _MIDNIGHT_HOUR and minute == second == 0
    try:
        begin = datetime(year, month, day, 0 if ends_day else hour, minute, second, tzinfo=SHANGHAI)
    except ValueError:
        return None
    return begin + timedelta(days=1) if ends_day else begin


def day_says(day: date) -> str:
    """Return a date as ``10月18日（星期一）``."""
    return f"{day.month}月{day.day}日（星期{_WEEKDAYS[day.weekday()]}）"


def instant_says(at: datetime, *, is_end: bool = False) -> str:
    """Return an instant as ``10月10日（星期日）00:00``; midnight as the end of a day is the day before, 24:00."""
    local = at.astimezone(SHANGHAI)
    if is_end and local.time() == time.min:
        return f"{day_says(local.date() - timedelta(days=1))}24:00"
    return f"{day_says(local.date())}{local:%H:%M}"


def stop_says(track: Track) -> str:
    """Return when a track stops, as the notice says it."""
    return track.stop_says or instant_says(track.stop)


def restart_says(track: Track) -> str:
    """Return when a track comes back, as the notice says it: to be announced, perhaps with what is expected."""
    if track.restart is None:
        if track.restart_says:
            return track.restart_says
        return f"{TO_BE_ANNOUNCED}（预计{instant_says(track.expected)}）" if track.expected else TO_BE_ANNOUNCED
    return track.restart_says or instant_says(track.restart, is_end=True)


def stage_says(stage: str) -> str:
    """Return what people call a stage."""
    return STAGES[stage]


def hotline_of(plan: Plan, *, business: str = "", county: str = "") -> Hotline | None:
    """Return the telephone for a business and a county: the one that names most of them, of equals the first."""
    fits = [
        h for h in plan.hotlines
        if (not h.business or business in h.business) and (not h.county or county in h.county)
    ]
    return max(fits, key=lambda h: (bool(h.county), bool(h.business)), default=None)


def wrong_weekdays(text: str, year: int) -> Iterator[tuple[str, str]]:
    """Give each day of a text whose weekday is wrong, with the right one; days without a year are of ``year``."""
    for found in _WEEKDAY.finditer(text):
        said = "日" if found[4] == "天" else found[4]
        try:
            right = _WEEKDAYS[date(int(found[1] or year), int(found[2]), int(found[3])).weekday()]
        except ValueError:
            yield found[0], "没有这一天"
            continue
        if said != right:
            yield found[0], f"星期{right}"
