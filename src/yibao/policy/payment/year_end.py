"""Closes a year: what a point is worth, what each institution is due, and what is still to be paid either way. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

from yibao.kernel.money import WHOLE, share
from yibao.policy.payment.standards import CasePay, PaidStay, price_stay
from yibao.policy.payment.terms import DRG_RATE, Pool, Terms, YearEndTerms


class InstitutionYear(msgspec.Struct, frozen=True):
    """One institution's year. Money in fen.

    Attributes:
        cases, points_e4: stays and their points.
        due_fen: what its stays are worth to the fund; paid_fen: what the fund has paid at the settlements.
        shared_fen: due after surplus and overrun were shared.
        final_fen: what it gets for the year, after a hard budget; adjust_fen: final less paid, negative to give back.
        reason: a Chinese sentence on surplus or overrun.
    """

    fixmedins_code: str
    cases: int
    points_e4: int
    due_fen: int
    paid_fen: int
    shared_fen: int
    final_fen: int
    adjust_fen: int
    reason: str


class YearClosed(msgspec.Struct, frozen=True):
    """A pool's year.

    Attributes:
        value: money of a point in fen, as a fraction; 0 where a rate is used.
        is_cut: whether the budget cut what was due.
        cases: every stay priced at that value.
    """

    pool: Pool
    value: Fraction
    is_cut: bool
    institutions: tuple[InstitutionYear, ...]
    cases: tuple[CasePay, ...]


def close_year(stays: Sequence[PaidStay], pool: Pool, terms: Terms) -> YearClosed:
    """Return what a pool's year comes to.

    With points, a point is worth what the budget leaves after all stays that do not follow it, plus what others
    bear of those that do, divided by their points; never more than the pool's limit. Which stays are costly or cheap
    is decided once, by the budget's value, so that the value does not chase itself.
    """
    first = [price_stay(stay, pool, terms) for stay in stays]
    value = Fraction(0) if pool.method == DRG_RATE else _value(first, pool)
    cases = tuple(first) if pool.method == DRG_RATE else tuple(_revalued(case, value) for case in first)
    shared = _institutions(cases, terms.year_end)
    total = sum(row[1] for row in shared.values())
    is_cut = pool.is_budget_hard and total > pool.budget_fen
    finals = {code: row[1] for code, row in shared.items()}
    if is_cut:
        finals = allocate(pool.budget_fen, finals)
    institutions = tuple(
        _institution(code, own, *shared[code], finals[code]) for code, own in sorted(_by_institution(cases).items())
    )
    return YearClosed(pool, value, is_cut, institutions, cases)


def _value(cases: Sequence[CasePay], pool: Pool) -> Fraction:
    points = sum(case.points_e4 for case in cases if case.follows_value)
    if not points:
        return pool.value
    fixed = sum(case.due_fen for case in cases if not case.follows_value)
    fixed += sum(case.extra_fen for case in cases if case.follows_value)
    others = sum(case.others_fen for case in cases if case.follows_value)
    value = Fraction(max(0, pool.budget_fen - fixed) + others, points) * WHOLE
    return value if pool.value_max is None else min(value, pool.value_max)


def _revalued(case: CasePay, value: Fraction) -> CasePay:
    if not case.follows_value:
        return case
    worth = case.points_e4 * value / WHOLE
    standard = int(worth)  # never more than the budget: a fraction of a fen stays in the fund
    due = max(0, standard + case.extra_fen - case.others_fen)
    return msgspec.structs.replace(case, standard_fen=standard, due_fen=due)


def _by_institution(cases: Sequence[CasePay]) -> dict[str, list[CasePay]]:
    found: dict[str, list[CasePay]] = {}
    for case in cases:
        found.setdefault(case.stay.fixmedins_code, []).append(case)
    return found


def _institutions(cases: Sequence[CasePay], terms: YearEndTerms) -> dict[str, tuple[int, int, str]]:
    """Return institution -> (due, due after sharing, reason)."""
    found = {}
    for code, own in _by_institution(cases).items():
        due, paid = sum(case.due_fen for case in own), sum(case.stay.pool_fen for case in own)
        found[code] = (due, *_share_difference(due, paid, terms))
    return found


def _share_difference(due: int, paid: int, terms: YearEndTerms) -> tuple[int, str]:
    if paid < share(due, terms.cost_floor):
        return paid, "实际支出低于应付的下限，据实支付"
    if paid <= due:
        return due, "结余留用"
    borne = min(paid, share(due, terms.overrun_max)) - due
    return due + share(borne, terms.overrun_share), "合理超支由基金分担，其余由机构承担"


def _institution(
    code: str, own: Sequence[CasePay], due: int, shared: int, reason: str, final: int
) -> InstitutionYear:
    paid = sum(case.stay.pool_fen for case in own)
    return InstitutionYear(
        code, len(own), sum(case.points_e4 for case in own), due, paid, shared, final, final - paid,
        reason if final == shared else f"{reason}；应付合计超出预算，按比例下调",
    )


def allocate(total: int, claims: Mapping[str, int]) -> dict[str, int]:
    """Share out a total in proportion to claims, to the fen: the largest remainders get the fen left over."""
    whole = sum(claims.values())
    parts = {code: divmod(total * claim, whole) for code, claim in claims.items()}
    left = total - sum(part for part, _ in parts.values())
    lucky = sorted(parts, key=lambda code: (-parts[code][1], code))[:left]
    return {code: part + (code in lucky) for code, (part, _) in parts.items()}
