"""A person's settlements of a year in the order in which they would stand without a window. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.settlements.model import Settlement


class Standing(msgspec.Struct, frozen=True):
    """A settlement in force.

    Attributes:
        service_at: when it would have been settled: a visit or a sale at its time, a stay at its discharge.
        is_late: a window has made it late; the others stand where they were counted.
        is_fixed: it was paid by hand and is not settled again: it and everything counted before it stay where they are.
        is_stay: it covers a stay, and so has a number among the stays of its year.
        plan: of the window that made it late, ``""`` for the others.
    """

    settlement: Settlement
    service_at: datetime
    is_late: bool
    is_fixed: bool
    is_stay: bool
    plan: str


def in_service_order(held: Sequence[Standing]) -> list[Standing]:
    """Return the settlements of a year, counted in the order given, as they would have been counted without a window.

    Those that no window made late keep their order: each late one comes before the first of them that serves a later
    instant. Late ones stand in the order of service among each other; of one instant the one counted first comes first.
    """
    free = max((n + 1 for n, one in enumerate(held) if one.is_fixed), default=0)
    order = [one for one in held[free:] if not one.is_late]
    # From the last to the first, so that of two for the same place the later one stands behind.
    for late in sorted((one for one in held[free:] if one.is_late), key=lambda one: one.service_at, reverse=True):
        place = next((n for n, one in enumerate(order) if one.service_at > late.service_at), len(order))
        order.insert(place, late)
    return [*held[:free], *order]


def blocked_by(held: Sequence[Standing]) -> Standing | None:
    """Return a settlement that cannot be settled again and yet serves a later instant than one that came late after it."""
    for n, fixed in enumerate(held):
        if fixed.is_fixed and any(one.is_late and one.service_at < fixed.service_at for one in held[n + 1:]):
            return fixed
    return None


def first_moved(held: Sequence[Standing], order: Sequence[Standing]) -> int | None:
    """Return the first place at which the two orders differ, None where they are the same."""
    return next((n for n, (was, now) in enumerate(zip(held, order, strict=True)) if was is not now), None)
