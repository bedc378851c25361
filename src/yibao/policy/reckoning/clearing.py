"""Which clearing period a settlement falls into: the region's cycle with the institutions, and the day on which it is cut."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import msgspec

from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy

_MONTHS = {"month": 1, "quarter": 3}


class ClearingPeriod(msgspec.Struct, frozen=True):
    """A clearing period: ``name`` (``2026-02``, ``2026Q1``) and its days, ``ends`` not included."""

    name: str
    begins: date
    ends: date


def clearing_period(policy: RegionPolicy, settled_on: date) -> ClearingPeriod | Refusal:
    """Return the clearing period of a day of settlement, by ``clearing.period`` and ``clearing.cut_day``.

    A month that is cut on the 20th ends with that day: what is settled on the 21st is cleared with the next month.
    Without a cut day, or where the month is shorter, the period ends with the calendar month.
    """
    cycle = policy.setting("clearing.period", settled_on)
    if cycle is None:
        return refuse(
            "NO_LAW_FOR_DAY", f"{policy.name}未载入 {settled_on.isoformat()} 当日有效的清算周期",
            received=settled_on.isoformat(), remedy="请由医保部门补充当日的政策参数",
        )
    row = policy.setting("clearing.cut_day", settled_on)
    cut = row.number if row is not None else 0
    length = _MONTHS[cycle.word]
    last = _months(settled_on) + (settled_on > _last_day(_months(settled_on), cut))
    first = last - last % length
    name = f"{first // 12}-{first % 12 + 1:02d}" if length == 1 else f"{first // 12}Q{first % 12 // length + 1}"
    day = timedelta(days=1)
    return ClearingPeriod(name, _last_day(first - 1, cut) + day, _last_day(first + length - 1, cut) + day)


def _months(day: date) -> int:
    """Return the number of a day's month, counted from year 0."""
    return day.year * 12 + day.month - 1


def _last_day(month: int, cut: int) -> date:
    """Return the last day of a month's clearing; ``cut`` 0 is the end of the month."""
    year, index = divmod(month, 12)
    length = monthrange(year, index + 1)[1]
    return date(year, index + 1, min(cut, length) if cut else length)
