"""Draws who pays which share of a bill from 0 to the highest one, as SVG that reads on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import isqrt

from yibao.usecases.policies.who_pays import HIGHEST, PAYERS, PERSON, Curve, Picture

_WIDTH, _HEIGHT, _GAP, _LEFT, _TOP = 250, 190, 34, 46, 84
_TICKS = ((100_000, "1千"), (1_000_000, "1万"), (5_000_000, "5万"), (10_000_000, "10万"), (20_000_000, "20万"),
          (30_000_000, "30万"), (50_000_000, "50万"))  # fmt: skip
_COLOURS = {
    "hifp_pay": ("#2f6db3", "#5b9bdc"),
    "hifob_pay": ("#1f8f86", "#3fbfb3"),
    "hifmi_pay": ("#7a55a8", "#a98ad6"),
    "cvlserv_pay": ("#b0567b", "#d98aaa"),
    "hifes_pay": ("#6b7f2a", "#a3b954"),
    "maf_pay": ("#3f8f4f", "#6cc07c"),
    "hifdm_pay": ("#8a6d3b", "#bfa06a"),
    "oth_pay": ("#64748b", "#94a3b8"),
    PERSON: ("#f0b35a", "#c98a2e"),
}
_STYLE = """text{{font-family:system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;\
font-size:11px;fill:#59636e}}.t{{font-size:15px;font-weight:600;fill:#1f2328}}.p{{font-size:12px;fill:#1f2328}}\
.g{{stroke:#59636e;stroke-opacity:.25}}.e{{stroke:#fff;stroke-width:1}}{light}\
@media(prefers-color-scheme:dark){{text{{fill:#9198a1}}.t,.p{{fill:#f0f6fc}}.g{{stroke:#9198a1}}.e{{stroke:#0d1117}}{dark}}}"""


def draw_shares(picture: Picture, *, region: str) -> str:
    """Return the chart of one benefit: a panel for each level, the payers' shares stacked to the whole bill."""
    panels = len(picture.curves)
    wide = max(_LEFT + panels * _WIDTH + (panels - 1) * _GAP + 20, 460)
    high = _TOP + _HEIGHT + 44
    title = f"{region} {picture.title}：谁付多少"
    payers = [p for p in PAYERS if any(p in curve.paid for curve in picture.curves)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(f'横轴为一次就诊的政策范围内费用，纵轴为各方支付的份额；{picture.person}，{picture.day} 的规定')}</desc>",
        f"<style>{_style(payers)}</style>",
        f'<text class="t" x="{_LEFT - 30}" y="24">{escape(title)}</text>',
        *_legend(payers),
    ]
    for number, curve in enumerate(picture.curves):
        parts += _panel(curve, payers, _LEFT + number * (_WIDTH + _GAP), first=number == 0)
    parts.append(f'<text x="{_LEFT}" y="{high - 6}">一次就诊的政策范围内费用（元，平方根刻度），本年首次</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _style(payers: list[str]) -> str:
    light, dark = (
        "".join(f".{payer.replace('_', '-')}{{fill:{_COLOURS[payer][shade]}}}" for payer in payers) for shade in (0, 1)
    )
    return _STYLE.format(light=light, dark=dark)


def _legend(payers: list[str]) -> Iterator[str]:
    at = _LEFT - 30
    for payer in payers:
        yield f'<rect class="{payer.replace("_", "-")}" x="{at}" y="38" width="12" height="12" rx="2"/>'
        yield f'<text x="{at + 17}" y="48">{PAYERS[payer]}</text>'
        at += 30 + 12 * len(PAYERS[payer])


def _panel(curve: Curve, payers: list[str], left: int, *, first: bool) -> Iterator[str]:
    yield f'<text class="p" x="{left}" y="{_TOP - 10}">{escape(curve.label or "各级医疗机构")}</text>'
    floor = [0] * len(curve.bills)
    for payer in payers:
        if payer not in curve.paid:
            continue
        roof = [below + paid for below, paid in zip(floor, curve.paid[payer], strict=True)]
        yield _area(payer, curve.bills, floor, roof, left)
        floor = roof
    for quarter in range(5):
        y = _TOP + _HEIGHT - _HEIGHT * quarter // 4
        yield f'<line class="g" x1="{left}" x2="{left + _WIDTH}" y1="{y}" y2="{y}"/>'
        if first:
            yield f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{quarter * 25}%</text>'
    for bill, label in _TICKS:
        x = _tenths(left * 10 + _across(bill))
        yield f'<line class="g" x1="{x}" x2="{x}" y1="{_TOP + _HEIGHT}" y2="{_TOP + _HEIGHT + 4}"/>'
        yield f'<text x="{x}" y="{_TOP + _HEIGHT + 16}" text-anchor="middle">{label}</text>'


def _area(payer: str, bills: tuple[int, ...], floor: list[int], roof: list[int], left: int) -> str:
    """Return the area between two sums. A bill of nothing has no shares: the first real one stands for it."""
    points = [n for n, bill in enumerate(bills) if bill]
    ahead = [(0, points[0]), *((_across(bills[n]), n) for n in points)]
    up = [f"{_tenths(left * 10 + x)},{_tenths(_down(roof[n], bills[n]))}" for x, n in ahead]
    back = [f"{_tenths(left * 10 + x)},{_tenths(_down(floor[n], bills[n]))}" for x, n in reversed(ahead)]
    return f'<polygon class="{payer.replace("_", "-")} e" points="{" ".join([*up, *back])}"/>'


def _across(bill: int) -> int:
    """Return where a bill stands from left to right, in tenths of a pixel: by its root, for small bills are many."""
    return _WIDTH * isqrt(bill * 100_000_000 // HIGHEST) // 1000


def _down(paid: int, bill: int) -> int:
    return 10 * (_TOP + _HEIGHT) - 10 * _HEIGHT * paid // bill


def _tenths(tenths: int) -> str:
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else str(whole)
