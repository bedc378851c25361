"""Exact rates: numbers that grow with a fact, scaled own shares, common scales and their inverse."""

from __future__ import annotations

from math import gcd, lcm

import msgspec

from yibao.kernel.money import WHOLE
from yibao.policy.law.conditions import Facts
from yibao.policy.law.values import Band, Slope
from yibao.policy.pipeline.plan import GroupPlan, PoolPlan


def slope_at(formula: Slope, facts: Facts) -> int:
    """Return a number that grows with a fact, in the unit of its key."""
    number = formula.start + formula.plus * max(int(facts[formula.per]) - formula.beyond, 0)
    return number if formula.at_most is None else min(number, formula.at_most)


def held(ratio: int) -> int:
    """Return a ratio held between nothing and the whole."""
    return min(max(ratio, 0), WHOLE)


def scaled_own(bands: tuple[Band, ...], factor: int) -> tuple[tuple[Band, ...], int]:
    """Return bands in which the person's own share is scaled: 1 − factor × (1 − ratio), exactly, in least terms."""
    rates = [WHOLE * WHOLE - factor * (WHOLE - band.ratio) for band in bands]
    whole = WHOLE * WHOLE
    least = gcd(whole, *rates)
    return (
        tuple(Band(b.upper, rate // least) for b, rate in zip(bands, rates, strict=True)),
        whole // least,
    )


def one_scale(pool: PoolPlan, groups: tuple[GroupPlan, ...]) -> tuple[PoolPlan, tuple[GroupPlan, ...]]:
    """Return pool and groups with rates of one scale; the groups' come in ten-thousandths."""
    if pool.scale == WHOLE:
        return pool, groups
    scale = lcm(pool.scale, WHOLE)
    return _times(pool, groups, scale // pool.scale, scale // WHOLE)


def invertible(pool: PoolPlan, groups: tuple[GroupPlan, ...]) -> tuple[PoolPlan, tuple[GroupPlan, ...], int]:
    """Return pool and groups in least terms, and the common multiple of their rates."""
    pool, groups = one_scale(pool, groups)
    rates = [*(b.ratio for b in pool.bands), *(g.rate for g in groups)]
    least = gcd(pool.scale, *rates)
    bands = tuple(Band(b.upper, b.ratio // least) for b in pool.bands)
    pool = msgspec.structs.replace(pool, bands=bands, scale=pool.scale // least)
    groups = tuple(msgspec.structs.replace(g, rate=g.rate // least) for g in groups)
    return pool, groups, lcm(*(rate // least for rate in rates if rate))


def _times(
    pool: PoolPlan, groups: tuple[GroupPlan, ...], of_pool: int, of_groups: int
) -> tuple[PoolPlan, tuple[GroupPlan, ...]]:
    bands = tuple(Band(b.upper, b.ratio * of_pool) for b in pool.bands)
    return (
        msgspec.structs.replace(pool, bands=bands, scale=pool.scale * of_pool),
        tuple(msgspec.structs.replace(g, rate=g.rate * of_groups) for g in groups),
    )
