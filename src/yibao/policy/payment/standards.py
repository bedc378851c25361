"""What one case earns: its standard by group, packet or disease, and when it is paid otherwise. Pure."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import msgspec

from yibao.kernel.money import WHOLE, div_half_up, share
from yibao.policy.payment.terms import DIP, DRG_RATE, Packet, Pool, Terms

STANDARD, HIGH, LOW, LONG_STAY, BY_DISEASE = "standard", "high", "low", "long_stay", "by_disease"
UNGROUPED, NO_WEIGHT, EXIT = "ungrouped", "no_weight", "exit"
_SHARED = (STANDARD, HIGH)
"""Kinds whose money follows the point's value when the year is closed."""


class PaidStay(msgspec.Struct, frozen=True, kw_only=True):
    """A settled stay as payment by group looks at it. Money in fen.

    Attributes:
        group: payment group (DRG) or ``""``; packet: disease packet (DIP) or None.
        main, procedures: codes of the list, for payment by disease.
        cost_fen: total cost; pool_fen: what the pool's fund paid at the settlement.
        is_exit: whether the agency approved that the stay leaves payment by group.
    """

    setl_id: str
    fixmedins_code: str
    level: str
    insutype: str
    settled_on: date
    group: str
    packet: Packet | None
    main: str
    procedures: tuple[str, ...]
    los_days: int
    cost_fen: int
    pool_fen: int
    is_exit: bool = False


class CasePay(msgspec.Struct, frozen=True):
    """What a stay earns.

    Attributes:
        kind: ``standard``, ``high``, ``low``, ``long_stay``, ``by_disease``, ``ungrouped``, ``no_weight``, ``exit``.
        weight_e4: weight or score of the group; points_e4: points after the coefficient; 0 where there are none.
        standard_fen: what the whole stay is worth; extra_fen: what is paid beside it for a costly case.
        due_fen: what the pool's fund owes for it: its worth less what others bear, never below 0.
        reason: a Chinese sentence with the calculation.
    """

    stay: PaidStay
    kind: str
    weight_e4: int
    points_e4: int
    standard_fen: int
    extra_fen: int
    due_fen: int
    reason: str

    @property
    def others_fen(self) -> int:
        """Return what the person and other funds bear."""
        return self.stay.cost_fen - self.stay.pool_fen

    @property
    def follows_value(self) -> bool:
        """Tell whether the stay's worth follows the value of a point."""
        return self.points_e4 > 0 and self.kind in _SHARED


def price_stay(stay: PaidStay, pool: Pool, terms: Terms, *, value: Fraction | None = None) -> CasePay:
    """Return what a stay earns.

    The order: exit approved, by disease, ungrouped, long stay, then the standard with its limits for costly and
    cheap cases. ``value`` is money of a point in fen, where it is not the budget's.
    """
    on, outlier = stay.settled_on, terms.outlier
    if stay.is_exit:
        return _by_item(stay, EXIT, "医保经办机构同意退出按组付费，按项目据实支付")
    if amount := terms.disease_amount(stay.main, stay.procedures, on=on):
        return _worth(stay, BY_DISEASE, 0, 0, amount.amount_fen, 0, f"按病种付费 {amount.code} {amount.name}，定额")
    weight = _weight(stay, pool)
    if weight is None:
        kind = NO_WEIGHT if stay.group else UNGROUPED
        why = f"{stay.group}没有权重" if stay.group else "未入组"
        due = share(stay.pool_fen, outlier.ungrouped_share)
        return CasePay(stay, kind, 0, 0, 0, 0, due, f"{why}，按项目费用的{_percent(outlier.ungrouped_share)}支付")
    if stay.los_days > outlier.long_stay_days:
        return _by_item(
            stay, LONG_STAY, f"住院{stay.los_days}天，超过{outlier.long_stay_days}天，按项目据实支付", weight
        )
    ratio = terms.coefficient_of(fixmedins_code=stay.fixmedins_code, level=stay.level, on=on)
    points, standard = _standard(weight, ratio, pool, pool.value if value is None else value)
    formula = _formula(weight, ratio, pool)
    if stay.cost_fen > share(standard, outlier.high_multiple):
        extra = share(stay.cost_fen - share(standard, outlier.high_multiple), outlier.high_share)
        why = f"{formula}；费用高于标准的{_times(outlier.high_multiple)}倍，超出部分加付{_percent(outlier.high_share)}"
        return _worth(stay, HIGH, weight, points, standard, extra, why)
    if stay.cost_fen < share(standard, outlier.low_multiple):
        why = f"{formula}；费用低于标准的{_times(outlier.low_multiple)}倍，按项目据实支付"
        return _by_item(stay, LOW, why, weight)
    return _worth(stay, STANDARD, weight, points, standard, 0, formula)


def _weight(stay: PaidStay, pool: Pool) -> int | None:
    if pool.method == DIP:
        return stay.packet.score_e4 if stay.packet else None
    return pool.weights.get(stay.group) if stay.group else None


def _standard(weight: int, ratio: int, pool: Pool, value: Fraction) -> tuple[int, int]:
    """Return points (ten-thousandths, 0 where a rate is used) and the money of the standard in fen."""
    if pool.method == DRG_RATE:
        return 0, div_half_up(weight * ratio * pool.rate_fen, WHOLE * WHOLE)
    points = div_half_up(weight * (pool.points_per_weight or 1) * ratio, WHOLE)
    worth = points * value
    return points, div_half_up(worth.numerator, worth.denominator * WHOLE)


def _formula(weight: int, ratio: int, pool: Pool) -> str:
    if pool.method == DRG_RATE:
        return f"权重{_decimal(weight)}×费率{_yuan(pool.rate_fen)}×机构系数{_decimal(ratio)}"
    name = "分值" if pool.method == DIP else f"权重×{pool.points_per_weight}"
    return f"{name}{_decimal(weight)}×机构系数{_decimal(ratio)}×点值"


def _worth(stay: PaidStay, kind: str, weight: int, points: int, standard: int, extra: int, why: str) -> CasePay:
    due = max(0, standard + extra - (stay.cost_fen - stay.pool_fen))
    return CasePay(stay, kind, weight, points, standard, extra, due, why)


def _by_item(stay: PaidStay, kind: str, why: str, weight: int = 0) -> CasePay:
    return CasePay(stay, kind, weight, 0, stay.cost_fen, 0, stay.pool_fen, why)


def _decimal(e4: int) -> str:
    return f"{e4 // WHOLE}.{e4 % WHOLE:04d}"


def _times(e4: int) -> str:
    return _decimal(e4).rstrip("0").rstrip(".")


def _percent(e4: int) -> str:
    return f"{_times(e4 * 100)}%"


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
