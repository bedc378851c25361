"""How values are written in policy files, and how they are read: ``500元``, ``75%``, ``5个百分点``, ``3个月``, ``不设``."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from yibao.kernel.money import WHOLE, to_scaled, yuan_text

_AMOUNT = re.compile(r"(\d+(?:\.\d{1,2})?)元")
_RATIO = re.compile(r"(\d+(?:\.\d{1,2})?)%")
_POINTS = re.compile(r"([+-]?\d+(?:\.\d{1,2})?)个百分点")
_COUNT = re.compile(r"(\d+)([^\d\s.%]+)")
ABSENT = "不设"
"""How a file says that there is no deductible or no ceiling."""


class Band(msgspec.Struct, frozen=True):
    """One band of a banded ratio: up to ``upper`` fen (None: without end) at ``ratio`` ten-thousandths."""

    upper: int | None
    ratio: int


class Share(msgspec.Struct, frozen=True):
    """A share of a base, held between two amounts.

    Attributes:
        ratio: ten-thousandths of the base, may exceed the whole.
        of: ``amount`` (whole bill), ``in_scope``, ``index.<name>`` or ``input.<name>``.
        at_least: lowest result in fen, None if there is none.
        at_most: highest result in fen, None if there is none.
        rounding: how the share becomes fen, see ``ROUNDINGS``.
        years_back: take the index of 1 January so many years before the day of service; 0: of that day.
    """

    ratio: int
    of: str
    at_least: int | None = None
    at_most: int | None = None
    rounding: str = "half_up"
    years_back: int = 0


class Slope(msgspec.Struct, frozen=True):
    """A number that grows with a fact: ``start + plus × max(per − beyond, 0)``, at most ``at_most``.

    Attributes:
        start: fen or ten-thousandths, as the key has it; so are ``plus`` and ``at_most``.
        plus: what each further year or month adds; negative where it takes off.
        per: ``age``, ``continuous_years`` or ``paid_months``.
        beyond: years or months that add nothing.
        at_most: highest result, None if there is none.
    """

    start: int
    plus: int
    per: str
    beyond: int = 0
    at_most: int | None = None


def read_amount(text: str) -> int | None:
    """Return an amount written as ``500元`` or ``33.50元`` in fen, None if it is not written so."""
    found = _AMOUNT.fullmatch(text)
    return to_scaled(Decimal(found[1]), 2) if found else None


def read_ratio(text: str, highest: int = WHOLE) -> int | None:
    """Return a share written as ``75%`` or ``62.50%`` in ten-thousandths, None if it is not one up to the highest."""
    found = _RATIO.fullmatch(text)
    ratio = to_scaled(Decimal(found[1]), 2) if found else None
    return ratio if ratio is not None and ratio <= highest else None


def read_points(text: str) -> int | None:
    """Return points written as ``5个百分点`` or ``-20个百分点`` in ten-thousandths, None if not written so."""
    found = _POINTS.fullmatch(text)
    return to_scaled(Decimal(found[1]), 2) if found else None


def read_count(text: str) -> tuple[int, str] | None:
    """Return a whole count and its unit, written as ``3个月`` or ``98天``; None if it is not written so."""
    found = _COUNT.fullmatch(text)
    return (int(found[1]), found[2]) if found else None


def ratio_text(ratio: int) -> str:
    """Return a ratio of ten-thousandths as text: ``7500`` is ``75%``, ``6250`` is ``62.5%``."""
    whole, rest = divmod(abs(ratio), 100)
    sign = "-" if ratio < 0 else ""
    return f"{sign}{whole}%" if rest == 0 else f"{sign}{whole}.{rest:02d}".rstrip("0") + "%"


def bands_text(bands: tuple[Band, ...]) -> str:
    """Return bands as one line of text: ``30000.00 元以内 60%；以上 65%``."""
    parts = [
        f"以上 {ratio_text(b.ratio)}"
        if b.upper is None
        else f"{yuan_text(b.upper)} 元以内 {ratio_text(b.ratio)}"
        for b in bands
    ]
    return "；".join(parts)
