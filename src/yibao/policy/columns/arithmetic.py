"""The vocabulary of the pipeline on columns: every operation is exact in 64-bit integers, no float ever.

A column is a NumPy array of ``int64``; numbers of the law stay plain integers and are spread over the column. Columns
are worked on piece by piece (one plan, some thousand bills), so that they stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import numpy as np

from yibao.policy.law.rounding import ROUNDINGS
from yibao.policy.pipeline.exact import Amount, Arithmetic, Truth

AMOUNT_MAX: Final = 10**11
"""Fen of one bill or counter. Ratios and scales multiply it at most by 10^7, which leaves 64 bits room."""


class Columns:
    """The vocabulary on columns of bills; plain integers are taken too."""

    __slots__ = ()

    def least(self, first: Amount, *others: Amount) -> Amount:
        """Return the smallest of the amounts, bill by bill."""
        for other in others:
            first = cast(Amount, np.minimum(first, other))
        return first

    def most(self, first: Amount, *others: Amount) -> Amount:
        """Return the largest of the amounts, bill by bill."""
        for other in others:
            first = cast(Amount, np.maximum(first, other))
        return first

    def divide(self, numerator: Amount, denominator: Amount, rounding: str) -> Amount:
        """Return the quotient rounded by one of ``ROUNDINGS``; the denominator is positive."""
        return cast(Amount, _DIVISIONS[rounding](numerator, denominator))

    def pick(self, condition: Truth, then: Amount, otherwise: Amount) -> Amount:
        """Return one of two amounts, bill by bill."""
        return cast(Amount, np.where(condition, then, otherwise))


COLUMNS: Final[Arithmetic] = Columns()


def _half_up(numerator: Any, denominator: Any) -> Any:
    return (2 * numerator + denominator) // (2 * denominator)


def _down(numerator: Any, denominator: Any) -> Any:
    return numerator // denominator


def _up(numerator: Any, denominator: Any) -> Any:
    return (numerator + (denominator - 1)) // denominator


_DIVISIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "half_up": _half_up,
    "down": _down,
    "up": _up,
    "half_up_yuan": lambda n, d: 100 * _half_up(n, 100 * d),
    "down_yuan": lambda n, d: 100 * _down(n, 100 * d),
    "up_yuan": lambda n, d: 100 * _up(n, 100 * d),
}
"""The same modes as ``ROUNDINGS``; numerators are not negative (every base is held at 0 or above)."""

if _DIVISIONS.keys() != ROUNDINGS.keys():
    raise AssertionError("columns must know every rounding that a file may name")
