"""Draws how much the registers of a window hold, day by day, as an SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence

from yibao.domains.console.model import Day

_WIDE, _HIGH, _LEFT, _TOP, _FOOT = 640, 180, 44, 14, 28


def draw_days(days: Sequence[Day]) -> str:
    """Return a chart of the rows that were open at the end of each day; an empty text where there is no day."""
    if not days:
        return ""
    most = max(1, max(day.open for day in days))
    step = (_WIDE - _LEFT) / len(days)
    floor = _HIGH - _FOOT
    scale = (floor - _TOP) / most
    parts = [
        f'<svg class="days" viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-labelledby="days-title">',
        f'<title id="days-title">{_says(days)}</title>',
        f'<text x="{_LEFT - 6}" y="{_TOP + 8}" text-anchor="end">{most}</text>',
        f'<text x="{_LEFT - 6}" y="{floor}" text-anchor="end">0</text>',
        f'<path class="floor" d="M{_LEFT} {floor}H{_WIDE}"/>',
    ]
    every = max(1, -(-len(days) // 8))
    for n, day in enumerate(days):
        x = _LEFT + n * step
        high = day.open * scale
        parts.append(
            f'<rect class="p-fund" x="{x + step * 0.15:.1f}" y="{floor - high:.1f}" width="{step * 0.7:.1f}" height="{high:.1f}">'
            f"<title>{day.on.month}月{day.on.day}日：收{day.received}，结{day.ended}，未结{day.open}</title></rect>"
        )
        if n % every == 0:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{_HIGH - 8}" text-anchor="middle">{day.on.month}-{day.on.day}</text>')
    return "".join([*parts, "</svg>"])


def _says(days: Sequence[Day]) -> str:
    last = days[-1]
    return (f"每日末未办结的登记事项：{days[0].on.month}月{days[0].on.day}日{days[0].open}件，"
            f"最多{max(d.open for d in days)}件，{last.on.month}月{last.on.day}日{last.open}件")
