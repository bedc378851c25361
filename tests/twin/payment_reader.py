"""A second, plain reckoning of payment by group: decimals and fractions, one institution at a time.

Written from ``src/yibao/data/payments/README.md``; it imports nothing of the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

CENT = Decimal("0.01")
Money = Decimal


@dataclass(frozen=True)
class Rules:
    """A pool and the region's rules, in yuan and plain shares."""

    is_rate: bool
    rate: Money
    points_per_weight: int
    value: Money
    value_max: Money | None
    budget: Money
    coefficients: dict[str, Decimal]
    high: tuple[Decimal, Decimal]
    low: Decimal
    long_stay: int
    ungrouped: Decimal
    floor: Decimal
    overrun: tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Stay:
    """A settled stay in yuan; ``weight`` None if it has no group."""

    code: str
    level: str
    weight: Decimal | None
    days: int
    cost: Money
    fund: Money


def cents(amount: Decimal | Fraction) -> Money:
    """Round half up to a fen."""
    if isinstance(amount, Fraction):
        amount = Decimal(amount.numerator) / Decimal(amount.denominator)
    return amount.quantize(CENT, ROUND_HALF_UP)


def down(amount: Fraction) -> Money:
    """Cut to a fen."""
    return Decimal(int(amount * 100)) / 100


def judge(stay: Stay, rules: Rules) -> tuple[str, Decimal, Money, Money]:
    """Return kind, points, standard and extra at the budget's value."""
    if stay.weight is None:
        return "ungrouped", Decimal(0), Decimal(0), Decimal(0)
    if stay.days > rules.long_stay:
        return "item", Decimal(0), stay.cost, Decimal(0)
    factor = rules.coefficients[stay.level]
    if rules.is_rate:
        points, standard = Decimal(0), cents(stay.weight * rules.rate * factor)
    else:
        points = (stay.weight * rules.points_per_weight * factor).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        standard = cents(points * rules.value)
    limit, more = rules.high
    if stay.cost > cents(standard * limit):
        return "high", points, standard, cents((stay.cost - cents(standard * limit)) * more)
    if stay.cost < cents(standard * rules.low):
        return "item", Decimal(0), stay.cost, Decimal(0)
    return "standard", points, standard, Decimal(0)


def due(stay: Stay, kind: str, standard: Money, extra: Money, rules: Rules) -> Money:
    """Return what the fund owes for a stay."""
    if kind == "item":
        return stay.fund
    if kind == "ungrouped":
        return cents(stay.fund * rules.ungrouped)
    return max(Decimal(0), standard + extra - (stay.cost - stay.fund))


def close(stays: list[Stay], rules: Rules) -> dict[str, tuple[Money, Money]]:
    """Return institution -> (final, difference to what was paid)."""
    judged = [(stay, *judge(stay, rules)) for stay in stays]
    if not rules.is_rate:
        sharing = [row for row in judged if row[2] > 0]
        points = sum((row[2] for row in sharing), Decimal(0))
        if points:
            fixed = sum((due(row[0], row[1], row[3], row[4], rules) for row in judged if row[2] == 0), Decimal(0))
            fixed += sum((row[4] for row in sharing), Decimal(0))
            others = sum((row[0].cost - row[0].fund for row in sharing), Decimal(0))
            value = Fraction(max(Decimal(0), rules.budget - fixed) + others) / Fraction(points)
            if rules.value_max is not None:
                value = min(value, Fraction(rules.value_max))
            judged = [
                (stay, kind, p, down(Fraction(p) * value) if p > 0 else standard, extra)
                for stay, kind, p, standard, extra in judged
            ]
    shared: dict[str, Money] = {}
    for code in {stay.code for stay in stays}:
        own = [row for row in judged if row[0].code == code]
        owed = sum((due(row[0], row[1], row[3], row[4], rules) for row in own), Decimal(0))
        paid = sum((row[0].fund for row in own), Decimal(0))
        if paid < cents(owed * rules.floor):
            shared[code] = paid
        elif paid <= owed:
            shared[code] = owed
        else:
            most, part = rules.overrun
            shared[code] = owed + cents((min(paid, cents(owed * most)) - owed) * part)
    total = sum(shared.values(), Decimal(0))
    if total > rules.budget:
        exact = {code: Fraction(rules.budget) * Fraction(claim) / Fraction(total) for code, claim in shared.items()}
        shared = {code: down(part) for code, part in exact.items()}
        missing = int((rules.budget - sum(shared.values(), Decimal(0))) * 100)
        for code in sorted(exact, key=lambda c: (-(exact[c] * 100 - int(exact[c] * 100)), c))[:missing]:
            shared[code] += CENT
    return {
        code: (final, final - sum((s.fund for s in stays if s.code == code), Decimal(0)))
        for code, final in shared.items()
    }
