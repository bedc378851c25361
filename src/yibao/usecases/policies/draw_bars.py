"""Draws lying bars as SVG that reads on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import msgspec

_LABELS, _WIDTH, _NUMBERS, _TOP, _BAR, _STEP, _HEAD = 230, 340, 190, 64, 14, 20, 30
_COLOURS = {
    "before": ("#94a3b8", "#64748b"),
    "after": ("#2f6db3", "#5b9bdc"),
    "won": ("#3f8f4f", "#6cc07c"),
    "lost": ("#c0562f", "#e0875f"),
}
_STYLE = """text{{font-family:system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;\
font-size:11px;fill:#59636e}}.t{{font-size:15px;font-weight:600;fill:#1f2328}}.p{{font-size:12px;fill:#1f2328}}\
.g{{stroke:#59636e;stroke-opacity:.25}}{light}\
@media(prefers-color-scheme:dark){{text{{fill:#9198a1}}.t,.p{{fill:#f0f6fc}}.g{{stroke:#9198a1}}{dark}}}"""


class Bar(msgspec.Struct, frozen=True):
    """One bar: its label, its length (0 or more), its shade, and what is written beside it."""

    label: str
    value: int
    shade: str
    said: str


class Panel(msgspec.Struct, frozen=True):
    """Bars that stand together under a heading, all of one scale."""

    title: str
    bars: list[Bar]


def draw_bars(title: str, subtitle: str, panels: Sequence[Panel]) -> str:
    """Return a chart of panels below each other; the longest bar of all sets the scale."""
    drawn = [panel for panel in panels if panel.bars]
    longest = max((bar.value for panel in drawn for bar in panel.bars), default=0) or 1
    high = _TOP + sum((_HEAD if panel.title else 0) + _STEP * len(panel.bars) for panel in drawn) + 16
    wide = _LABELS + _WIDTH + _NUMBERS
    light, dark = ("".join(f".{n}{{fill:{c[shade]}}}" for n, c in _COLOURS.items()) for shade in (0, 1))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(subtitle)}</desc>",
        f"<style>{_STYLE.format(light=light, dark=dark)}</style>",
        f'<text class="t" x="16" y="24">{escape(title)}</text>',
        f'<text x="16" y="44">{escape(subtitle)}</text>',
    ]
    top = _TOP
    for panel in drawn:
        if panel.title:
            parts.append(f'<text class="p" x="16" y="{top + 18}">{escape(panel.title)}</text>')
            top += _HEAD
        parts += _bars(panel.bars, longest, top)
        top += _STEP * len(panel.bars)
    if not drawn:
        parts.append(f'<text x="16" y="{_TOP + 12}">没有变化</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bars(bars: Sequence[Bar], longest: int, top: int) -> Iterator[str]:
    yield f'<line class="g" x1="{_LABELS}" x2="{_LABELS}" y1="{top - 2}" y2="{top + _STEP * len(bars) - 2}"/>'
    for number, bar in enumerate(bars):
        y = top + _STEP * number
        long = max(_WIDTH * bar.value // longest, 1 if bar.value else 0)
        yield f'<text x="{_LABELS - 8}" y="{y + 11}" text-anchor="end">{escape(bar.label)}</text>'
        yield f'<rect class="{bar.shade}" x="{_LABELS}" y="{y}" width="{long}" height="{_BAR}" rx="2"/>'
        yield f'<text x="{_LABELS + long + 6}" y="{y + 11}">{escape(bar.said)}</text>'
