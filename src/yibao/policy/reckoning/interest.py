"""Interest of a personal account for a year, by day products: each day's closing balance counts once."""

from __future__ import annotations

from datetime import date

from yibao.kernel.money import WHOLE, div_half_up


def days_of(year: int) -> int:
    """Return how many days a year has."""
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def interest_of(products: int, rate: int, *, year: int) -> int:
    """Return the interest of a year in fen: products x rate / days of the year, rounded half up once.

    Args:
        products: sum of the closing balances, fen times days; rate: a year's rate in ten-thousandths.
    """
    return div_half_up(products * rate, WHOLE * days_of(year))
