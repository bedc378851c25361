"""Money is an integer number of fen (1 yuan = 100 fen); ratios are integers in ten-thousandths.

No float ever carries money. The wire's decimals come in as text or ``Decimal`` and leave as JSON
numbers with two decimals.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NewType

Fen = NewType("Fen", int)
"""An amount in fen."""

Ratio = NewType("Ratio", int)
"""A share in ten-thousandths: 8500 is 85 %. Fits the wire's four decimals exactly."""

MicroYuan = NewType("MicroYuan", int)
"""A unit price in millionths of a yuan: the wire gives prices six decimals."""

QuantityE4 = NewType("QuantityE4", int)
"""A quantity in ten-thousandths: the wire gives quantities four decimals."""

WHOLE: Ratio = Ratio(10_000)


def div_half_up(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero, the way cents are rounded in every cited city.

    Args:
        numerator: any integer.
        denominator: a positive integer.
    """
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((-2 * numerator + denominator) // (2 * denominator))


def share(amount: int, ratio: int) -> int:
    """Return ``amount`` (fen) times ``ratio`` (ten-thousandths), in fen, rounded half up."""
    return div_half_up(amount * ratio, 10_000)


def line_amount(price: int, quantity: int) -> int:
    """Return price (millionths of a yuan) times quantity (ten-thousandths) in fen, half up."""
    return div_half_up(price * quantity, 100_000_000)


def to_scaled(value: Decimal, digits: int) -> int:
    """Return a decimal number as an integer scaled by ``10**digits``.

    Raises:
        ValueError: the value has more decimals than ``digits`` or is not finite.
    """
    if not value.is_finite():
        raise ValueError("not a finite number")
    scaled = value.scaleb(digits)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"more than {digits} decimals")
    return whole


def yuan_to_fen(value: Decimal) -> int:
    """Return yuan as fen; refuses fractions of a fen with ``ValueError``."""
    return to_scaled(value, 2)


def fen_to_yuan(fen: int) -> Decimal:
    """Return fen as a ``Decimal`` with two decimals."""
    return Decimal(fen).scaleb(-2)


def yuan_text(fen: int) -> str:
    """Return fen as text with two decimals: ``-5`` is ``-0.05``, ``123456`` is ``1234.56``."""
    sign = "-" if fen < 0 else ""
    whole, cents = divmod(abs(fen), 100)
    return f"{sign}{whole}.{cents:02d}"


def round_half_up(value: Decimal, digits: int) -> int:
    """Return a decimal as an integer scaled by ``10**digits``, rounded half up."""
    return int(value.scaleb(digits).quantize(Decimal(1), rounding=ROUND_HALF_UP))
