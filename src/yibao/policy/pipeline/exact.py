"""The exact vocabulary in which every step of the pipeline is written, once for a single bill and for columns of bills.

An ``Amount`` is a whole number: an ``int``, or a column expression that answers to ``+``, ``-``, ``*`` and to
comparisons. A step therefore never asks ``if`` of an amount, never uses ``min``, ``max``, ``sum`` or ``//`` on one and
never rounds by itself; it may branch on rules and on facts, which are known before any amount.
"""

from __future__ import annotations

from typing import Final, Protocol

from yibao.policy.law.rounding import ROUNDINGS

Amount = int
"""Whole fen. Typed as ``int``; a column expression may stand in its place."""

Truth = bool
"""The outcome of a comparison of amounts; only ``Arithmetic.pick`` may look at it."""


class Held(Protocol):
    """Takes the smallest, or the largest, of two amounts or more."""

    def __call__(self, first: Amount, second: Amount, /, *others: Amount) -> Amount:
        """Return one of the amounts."""


class Arithmetic(Protocol):
    """What a step may do with amounts beside ``+``, ``-`` and ``*``."""

    def least(self, first: Amount, second: Amount, /, *others: Amount) -> Amount:
        """Return the smallest of the amounts."""

    def most(self, first: Amount, second: Amount, /, *others: Amount) -> Amount:
        """Return the largest of the amounts."""

    def divide(self, numerator: Amount, denominator: Amount, rounding: str) -> Amount:
        """Return the quotient rounded the way a policy file names (``half_up``); the denominator is positive."""

    def pick(self, condition: Truth, then: Amount, otherwise: Amount) -> Amount:
        """Return one of two amounts; both have been worked out."""


class Scalar:
    """The vocabulary on plain integers: one bill at a time."""

    __slots__ = ()

    least: Final[Held] = staticmethod(min)
    most: Final[Held] = staticmethod(max)

    @staticmethod
    def divide(numerator: Amount, denominator: Amount, rounding: str) -> Amount:
        """Return the quotient rounded by one of ``ROUNDINGS``; the denominator is positive."""
        return ROUNDINGS[rounding][1](numerator, denominator)

    @staticmethod
    def pick(condition: Truth, then: Amount, otherwise: Amount) -> Amount:
        """Return one of two amounts."""
        return then if condition else otherwise


SCALAR: Final[Arithmetic] = Scalar()
