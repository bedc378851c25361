"""Spread a deduction over the funds that bore what is deducted from."""

from __future__ import annotations

from collections.abc import Mapping


def spread(amount: int, over: Mapping[str, int]) -> dict[str, int]:
    """Return how much of ``amount`` (fen) falls on each fund, in proportion to what it bore; the parts sum to it.

    What whole fen cannot share falls on the funds with the largest remainders, the first named where they are equal.

    Raises:
        ValueError: no fund bore anything.
    """
    total = sum(over.values())
    if total <= 0 or min(over.values()) < 0:
        raise ValueError("nothing to spread over")
    sign = -1 if amount < 0 else 1
    parts = {fund: abs(amount) * bore // total for fund, bore in over.items()}
    rest = abs(amount) - sum(parts.values())
    by_remainder = sorted(over, key=lambda fund: -(abs(amount) * over[fund] % total))
    for fund in by_remainder[:rest]:
        parts[fund] += 1
    return {fund: sign * part for fund, part in parts.items() if part}
