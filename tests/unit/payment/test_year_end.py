"""Closing a year: a case by hand, and generated years equal to the plain reckoning, to the fen."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from tests.twin.payment_reader import Rules, Stay, close
from yibao.kernel.money import fen_to_yuan, yuan_to_fen
from yibao.policy.payment.standards import PaidStay
from yibao.policy.payment.terms import Coefficient, OutlierTerms, Packet, Pool, Terms, YearEndTerms
from yibao.policy.payment.year_end import allocate, close_year

DAY = date(2026, 1, 1)
TERMS = Terms(
    admdvs="999900", name="示例", ways=(), pools=(), by_disease=(),
    coefficients=(Coefficient(DAY, "3", "", 10_500), Coefficient(DAY, "2", "", 9_500)),
    outlier=OutlierTerms(30_000, 8_000, 4_000, 60, 7_000), year_end=YearEndTerms(7_000, 12_000, 5_000),
)
POOL = Pool(
    year=2026, name="示例", insutypes=frozenset({"310"}), fund_type="310100", method="dip", rate_fen=0,
    points_per_weight=0, value=Fraction(10_000), value_max=None, budget_fen=1_000_000, is_budget_hard=True, scheme="",
    weights={}, packets=(), source="", is_assumed=True,
)


def paid(code: str, *, score_e4: int | None, cost: int, fund: int, level: str = "3", days: int = 5) -> PaidStay:
    packet = None if score_e4 is None else Packet("P", "", "core", "K", "", (), score_e4)
    return PaidStay(
        setl_id="1", fixmedins_code=code, level=level, insutype="310", settled_on=date(2026, 5, 1), group="G" if packet else "",
        packet=packet, main="K", procedures=(), los_days=days, cost_fen=cost, pool_fen=fund,
    )


def test_a_year_by_hand() -> None:
    """Two stays of 50 points each at level 3 (×1.05): 105 points; others bear 2 000 + 1 000 yuan; budget 10 000.

    A point is worth (10 000 + 3 000) / 105 yuan; each stay 6 500. A is due 4 500 and was paid 4 000: keeps the surplus.
    B is due 5 500 and was paid 6 000: half of the overrun of 500 is shared, 5 750. Together 10 250 exceed the hard
    budget of 10 000: A 4 500 × 10 000 / 10 250 = 4 390.2439, B 5 609.7560: the fen left over goes to B.
    """
    stays = [paid("A", score_e4=500_000, cost=600_000, fund=400_000), paid("B", score_e4=500_000, cost=700_000, fund=600_000)]
    closed = close_year(stays, POOL, TERMS)
    assert closed.value == Fraction(1_300_000, 105)
    first, second = closed.institutions
    assert (first.due_fen, first.shared_fen, second.due_fen, second.shared_fen) == (450_000, 450_000, 550_000, 575_000)
    assert closed.is_cut
    assert (first.final_fen, second.final_fen) == (439_024, 560_976)
    assert (first.adjust_fen, second.adjust_fen) == (39_024, -39_024)


def test_a_point_is_never_worth_more_than_the_limit() -> None:
    pool = msgspec.structs.replace(POOL, value_max=Fraction(11_000), budget_fen=100_000_000)
    closed = close_year([paid("A", score_e4=500_000, cost=600_000, fund=400_000)], pool, TERMS)
    # 52.5 points × 110.00 = 5 775.00; others bear 2 000
    assert (closed.value, closed.institutions[0].due_fen) == (11_000, 377_500)


def test_an_empty_year_is_worth_nothing() -> None:
    closed = close_year([], POOL, TERMS)
    assert (closed.institutions, closed.is_cut) == ((), False)


@pytest.mark.parametrize("method", ["dip", "drg_points", "drg_rate"])
@pytest.mark.parametrize("seed", range(40))
def test_generated_years_equal_the_plain_reckoning(method: str, seed: int) -> None:
    chance = random.Random(f"{method}{seed}")
    is_rate = method == "drg_rate"
    per_weight = 100 if method == "drg_points" else 0
    weights = {f"G{n}": chance.randint(2_000, 90_000) for n in range(9)}
    has_limit = chance.random() < 0.5
    pool = msgspec.structs.replace(
        POOL, method=method, weights={} if method == "dip" else weights, points_per_weight=per_weight,
        rate_fen=1_234_567 if is_rate else 0, value=Fraction(0 if is_rate else 9_649),
        value_max=Fraction(12_500) if has_limit and not is_rate else None,
        budget_fen=chance.choice((3_000_000, 20_000_000, 90_000_000, 400_000_000)),
    )
    stays, plain = [], []
    for _ in range(chance.randint(1, 60)):
        code, level = chance.choice((("A", "3"), ("B", "2"), ("C", "3"), ("D", "2")))
        group = chance.choice([*weights, ""])
        cost = chance.choice((chance.randint(10_000, 200_000), chance.randint(200_000, 9_000_000)))
        fund, days = cost * chance.randint(0, 100) // 100, chance.choice((3, 20, 60, 61))
        score = weights[group] * 100 if group else None
        made = paid(code, score_e4=score if method == "dip" else None, cost=cost, fund=fund, level=level, days=days)
        stays.append(msgspec.structs.replace(made, group=group))
        weight = None if score is None else Decimal(score if method == "dip" else weights[group]) / 10_000
        plain.append(Stay(code, level, weight, days, fen_to_yuan(cost), fen_to_yuan(fund)))
    rules = Rules(
        is_rate=is_rate, rate=Decimal("12345.67"), points_per_weight=per_weight or 1, value=Decimal("96.49"),
        value_max=Decimal(125) if pool.value_max is not None else None, budget=fen_to_yuan(pool.budget_fen),
        coefficients={"3": Decimal("1.05"), "2": Decimal("0.95")}, high=(Decimal(3), Decimal("0.8")), low=Decimal("0.4"),
        long_stay=60, ungrouped=Decimal("0.7"), floor=Decimal("0.7"), overrun=(Decimal("1.2"), Decimal("0.5")),
    )
    closed = close_year(stays, pool, TERMS)
    assert {i.fixmedins_code: (i.final_fen, i.adjust_fen) for i in closed.institutions} == {
        code: (yuan_to_fen(final), yuan_to_fen(adjust)) for code, (final, adjust) in close(plain, rules).items()
    }
    assert sum(i.final_fen for i in closed.institutions) <= pool.budget_fen


def test_a_total_is_shared_out_to_the_fen() -> None:
    assert allocate(100, {"a": 1, "b": 1, "c": 1}) == {"a": 34, "b": 33, "c": 33}
    assert sum(allocate(999_999, {str(n): n for n in range(1, 50)}).values()) == 999_999
