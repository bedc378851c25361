"""Which month may be closed, opened again, or posted into. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from yibao.domains.closing.model import OPEN, REOPENING, STATES, Month
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal, refuse

GRACE = timedelta(minutes=5)
"""After a month's last instant, a deed that began in it may still be on its way: no request takes longer than this."""


FIRST_YEAR, LAST_YEAR = 1990, 2100
"""No medical-insurance fund is older than that; a month beyond is a slip of the pen."""


def first_of(day: date) -> date:
    """Return the month of a day."""
    return day.replace(day=1)


def month_after(month: date) -> date:
    """Return the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_before(month: date) -> date:
    """Return the month before."""
    return first_of(month - timedelta(days=1))


def begin_of(month: date) -> datetime:
    """Return the first instant of a month, business time."""
    return datetime.combine(month, time.min, SHANGHAI)


def called(month: date) -> str:
    """Return a month as people write it: 2026年02月."""
    return f"{month.year}年{month.month:02d}月"


def refuse_month(month: date) -> Refusal | None:
    """Refuse what is no month of accounts: not a first day, or outside the years that any book can hold."""
    if month.day == 1 and FIRST_YEAR <= month.year <= LAST_YEAR:
        return None
    return refuse("MONTH_INVALID", f"月份应为{FIRST_YEAR}至{LAST_YEAR}年某月1日", field="month", received=month.isoformat(),
                  remedy="请填写yyyy-MM")


def refuse_posting(month: Month | None, on: date) -> Refusal | None:
    """Refuse a posting dated in a closed month; one that was opened again takes postings.

    Args:
        month: the month of the day ``on``, None if it was never closed.
    """
    if month is None or month.state == OPEN:
        return None
    return refuse(
        "MONTH_CLOSED", f"{called(month.month)}已结账，不能再记入该月的账", field="posted_on", received=on.isoformat(),
        remedy="请记入当前未结账的月份；确须更正的，由两人办理重新打开",
    )


def refuse_close(month: date, known: Month | None, last: Month | None, *, now: datetime) -> Refusal | None:
    """Refuse a close: not a month, not over, already closed, or not the next one.

    Args:
        known: the month itself if it was closed before; last: the newest month that was ever closed.
    """
    refusal = refuse_month(month)
    if refusal is not None:
        return refusal
    if now < begin_of(month_after(month)) + GRACE:
        return refuse(
            "MONTH_NOT_OVER", f"{called(month)}尚未结束，月末5分钟后方可结账", field="month", received=month.isoformat(),
            remedy=f"请在{month_after(month).isoformat()} 00:05以后办理",
        )
    if known is not None and known.state != OPEN:
        return refuse("MONTH_CLOSED", f"{called(month)}{STATES[known.state]}", field="month", received=month.isoformat(),
                      remedy="无需再次结账")
    if known is None and last is not None and month != month_after(last.month):
        return refuse(
            "MONTH_NOT_NEXT", f"上次结账到{called(last.month)}，须逐月结账", field="month", received=month.isoformat(),
            remedy=f"请先结{called(month_after(last.month))}",
        )
    if known is None and last is not None and last.state == OPEN:
        return refuse("MONTH_NOT_NEXT", f"{called(last.month)}已重新打开，尚未再次结账", field="month",
                      received=month.isoformat(), remedy=f"请先结{called(last.month)}")
    return None


def refuse_ask(month: Month | None, last: Month | None, *, asked: date, reason: str) -> Refusal | None:
    """Refuse to ask for a month to be opened again: only the newest closed one, and with a reason."""
    invalid = refuse_month(asked)
    if invalid is not None:
        return invalid
    if month is None or month.state == OPEN:
        return refuse("MONTH_OPEN", f"{called(asked)}没有结账", field="month", received=asked.isoformat(), remedy="无需重新打开")
    if month.state == REOPENING:
        return refuse("REOPEN_ASKED", f"{called(asked)}已申请重新打开，等待复核", field="month", received=asked.isoformat(),
                      remedy="请由另一名经办人复核")
    if last is not None and last.month != month.month:
        return refuse(
            "MONTH_NOT_LAST", f"{called(last.month)}已结账，余额已结转，不能只打开{called(asked)}", field="month",
            received=asked.isoformat(), remedy=f"更正请记入未结账月份；确须打开的，从{called(last.month)}起逐月打开",
        )
    if not reason.strip():
        return refuse("REASON_MISSING", "重新打开须写明理由", field="reason", remedy="请填写理由")
    return None


def refuse_decision(month: Month | None, *, asked: date, by: str) -> Refusal | None:
    """Refuse to decide on opening again: nothing was asked, or the same person asked (four eyes)."""
    if month is None or month.state != REOPENING:
        return refuse("REOPEN_NOT_ASKED", f"{called(asked)}没有待复核的重新打开申请", field="month", received=asked.isoformat(),
                      remedy="请先申请")
    if _folded(month.asked_by or "") == _folded(by):
        return refuse("FOUR_EYES", "申请与复核须由两人办理", field="operator", received=by, remedy="请由另一名经办人复核")
    return None


def refuse_nobody(by: str) -> Refusal | None:
    """Refuse a deed without the name of who does it."""
    if _folded(by):
        return None
    return refuse("OPERATOR_MISSING", "须写明经办人", field="operator", remedy="请填写经办人姓名")


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()
