"""How a region pays by group, as frozen facts of its payment file. Money in fen, ratios and weights in ten-thousandths."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import msgspec

from yibao.kernel.money import WHOLE

BY_ITEM = "1"
DRG_RATE = "drg_rate"
DRG_POINTS = "drg_points"
DIP = "dip"


class Way(msgspec.Struct, frozen=True):
    """Which visits are cleared in which way (``clr_way``) from a day on."""

    valid_from: date
    institution_kinds: frozenset[str]
    med_types: frozenset[str]
    clr_way: str


class Packet(msgspec.Struct, frozen=True):
    """A disease packet (DIP).

    Attributes:
        kind: ``core`` (a diagnosis and its procedures) or ``comprehensive`` (a diagnosis and a kind of treatment).
        diagnosis: the first characters of the main diagnosis.
        treatment: ``conservative``, ``procedure``, ``operation``; ``""`` where the procedures say it.
        procedures: the first characters of every procedure that must be there.
        score_e4: points, in ten-thousandths.
    """

    code: str
    name: str
    kind: str
    diagnosis: str
    treatment: str
    procedures: tuple[str, ...]
    score_e4: int


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """What one year pays out of one fund.

    Attributes:
        method: ``drg_rate`` (yuan per weight), ``drg_points`` or ``dip`` (points, their value from the budget).
        fund_type: the fund whose money is shared out; what other funds and the person bear is not.
        rate_fen: money of weight 1; 0 where points are used.
        points_per_weight: points of weight 1; 0 where not used.
        value: money of one point, fen: the budget's, for the months before the year is closed.
        value_max: what a point may be worth at most when the year is closed, fen; ``None`` without limit.
        budget_fen: what the fund may pay in the year.
        is_budget_hard: whether all dues are cut alike when they exceed the budget.
        weights: group -> weight in ten-thousandths.
        packets: in the order of the file.
        source: where the numbers come from; is_assumed: whether they are invented.
    """

    year: int
    name: str
    insutypes: frozenset[str]
    fund_type: str
    method: str
    rate_fen: int
    points_per_weight: int
    value: Fraction
    value_max: Fraction | None
    budget_fen: int
    is_budget_hard: bool
    scheme: str
    weights: Mapping[str, int]
    packets: tuple[Packet, ...]
    source: str
    is_assumed: bool


class Coefficient(msgspec.Struct, frozen=True):
    """What an institution's groups are worth beside others'; by its code before its level (``""``: not asked)."""

    valid_from: date
    level: str
    fixmedins_code: str
    ratio: int


class OutlierTerms(msgspec.Struct, frozen=True):
    """When a case is not paid its standard. Multiples of the standard and shares in ten-thousandths."""

    high_multiple: int
    high_share: int
    low_multiple: int
    long_stay_days: int
    ungrouped_share: int


class YearEndTerms(msgspec.Struct, frozen=True):
    """How surplus and overrun of an institution are shared when the year is closed, in ten-thousandths of its due."""

    cost_floor: int
    overrun_max: int
    overrun_share: int


class DiseaseAmount(msgspec.Struct, frozen=True):
    """A fixed amount for a disease: a main diagnosis and, where named, one of the procedures, by first characters."""

    valid_from: date
    code: str
    name: str
    diagnoses: tuple[str, ...]
    procedures: tuple[str, ...]
    amount_fen: int


class Terms(msgspec.Struct, frozen=True):
    """All of a region's payment file."""

    admdvs: str
    name: str
    ways: tuple[Way, ...]
    pools: tuple[Pool, ...]
    coefficients: tuple[Coefficient, ...]
    outlier: OutlierTerms
    year_end: YearEndTerms
    by_disease: tuple[DiseaseAmount, ...]

    def clearing_way(self, *, institution_kind: str, med_type: str, on: date) -> str:
        """Return how a visit is cleared (``clr_way``): by item where the region says nothing else."""
        fitting = [
            way for way in self.ways
            if way.valid_from <= on and institution_kind in way.institution_kinds and med_type in way.med_types
        ]
        return max(fitting, key=lambda way: way.valid_from).clr_way if fitting else BY_ITEM

    def pools_of(self, year: int) -> tuple[Pool, ...]:
        """Return the pools of a year; where a year has no file of its own, the latest before it is carried over."""
        newest: dict[str, Pool] = {}
        for pool in self.pools:
            known = newest.get(pool.fund_type)
            if pool.year <= year and (known is None or known.year < pool.year):
                newest[pool.fund_type] = pool
        return tuple(msgspec.structs.replace(pool, year=year) for pool in newest.values())

    def pool_of(self, *, insutype: str, year: int) -> Pool | None:
        """Return the pool of an insurance in a year, None if it is not paid by group then."""
        return next((p for p in self.pools_of(year) if insutype in p.insutypes), None)

    def coefficient_of(self, *, fixmedins_code: str, level: str, on: date) -> int:
        """Return an institution's coefficient on a day, 10 000 where none is set."""
        fitting = [
            c for c in self.coefficients
            if c.valid_from <= on and c.fixmedins_code in ("", fixmedins_code) and c.level in ("", level)
        ]
        best = max(fitting, key=lambda c: (bool(c.fixmedins_code), bool(c.level), c.valid_from), default=None)
        return best.ratio if best else WHOLE

    def disease_amount(self, main: str, procedures: tuple[str, ...], *, on: date) -> DiseaseAmount | None:
        """Return the fixed amount that holds for a case, the newest first."""
        fitting = [
            d for d in self.by_disease
            if d.valid_from <= on and main.startswith(d.diagnoses)
            and (not d.procedures or any(code.startswith(d.procedures) for code in procedures))
        ]
        return max(fitting, key=lambda d: d.valid_from, default=None)
