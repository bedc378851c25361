"""How a step's exact result becomes fen. Which way applies is a dated value of the region."""

from __future__ import annotations

from collections.abc import Callable

from yibao.kernel.money import div_half_up

Rounding = Callable[[int, int], int]
"""Divides a numerator by a positive denominator and rounds to whole fen."""

_YUAN = 100


def _down(numerator: int, denominator: int) -> int:
    return numerator // denominator


def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _half_up_to_yuan(numerator: int, denominator: int) -> int:
    return _YUAN * div_half_up(numerator, _YUAN * denominator)


def _down_to_yuan(numerator: int, denominator: int) -> int:
    return _YUAN * _down(numerator, _YUAN * denominator)


def _up_to_yuan(numerator: int, denominator: int) -> int:
    return _YUAN * _up(numerator, _YUAN * denominator)


ROUNDINGS: dict[str, tuple[str, Rounding]] = {
    "half_up": ("四舍五入到分", div_half_up),
    "down": ("舍去分以下", _down),
    "up": ("进位到分", _up),
    "half_up_yuan": ("四舍五入到元", _half_up_to_yuan),
    "down_yuan": ("舍去元以下", _down_to_yuan),
    "up_yuan": ("进位到元", _up_to_yuan),
}
"""Rounding modes a policy file may name, with their Chinese names."""
