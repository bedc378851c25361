"""Generated lives for the comparison: people, bills, visits and reversals, drawn from a seed.

Plain weighted draws instead of hypothesis: rare meetings (a ceiling reached by a person with two diseases in the
year its figure changed) need a steady hand on the weights. A life is named by its number, and can be lived again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from tests.twin.settlement_twin import TwinLine, TwinPerson

PROOF_N = int(os.environ.get("YIBAO_PROOF_N", "300"))
PROOF_SEED = int(os.environ.get("YIBAO_PROOF_SEED", "20211018"))

DISEASES = (
    "M00500", "M00503", "M00504", "M01200", "M01600", "M01609", "M02101", "M03900", "M04600", "M04803",
    "M05400", "M07800", "M07803", "M07804", "M08300",
)  # fmt: skip
_PAIRS = (
    ("M03900", "M01600"),
    ("M04600", "M01600"),
    ("M04600", "M01600", "M04803"),
    ("M01609", "M05400"),
    ("M02101", "M03900"),
)
_CHANGE_DAYS = (date(2022, 11, 30), date(2022, 12, 1), date(2023, 12, 31), date(2024, 1, 1), date(2025, 1, 1))
_PRICES_YUAN_MAX = {"small": 60, "normal": 800, "large": 9_000, "huge": 120_000}


@dataclass(frozen=True)
class Visit:
    """One visit of one of the people, by index."""

    who: int
    level: str
    lines: list[TwinLine]
    day: date
    use_account: bool
    med_type: str
    disease: str
    institution_kind: str
    children_hospital: bool


@dataclass(frozen=True)
class Reversal:
    """Take back the n-th settlement that still stands, counted modulo their number."""

    n: int


@dataclass(frozen=True)
class Life:
    """Two people with their opening balances, and what happens to them."""

    people: tuple[TwinPerson, TwinPerson]
    money: tuple[Decimal, Decimal]
    events: list[Visit | Reversal]


def life(number: int, seed: int = PROOF_SEED) -> Life:
    """Draw the life with a number."""
    draw = Random(seed * 1_000_003 + number)
    people = (_person(draw, 0), _person(draw, 1))
    money = (_decimal(draw, 3000, 2), _decimal(draw, 300, 2))
    year = draw.choice((2021, 2022, 2023, 2024, 2025, 2025, 2026, 2026, 2026))
    scale = draw.choice(("small", "normal", "normal", "large", "large", "huge"))
    chronic = draw.random() < 0.5
    events: list[Visit | Reversal] = []
    for _ in range(draw.randint(1, 14)):
        if draw.random() < 0.2:
            events.append(Reversal(draw.randrange(20)))
        else:
            events.append(_visit(draw, people, year, scale, chronic))
    return Life(people, money, events)


def _person(draw: Random, number: int) -> TwinPerson:
    diseases = draw.choice((*_PAIRS * 2, *((d,) for d in DISEASES)))
    if draw.random() < 0.6:
        return TwinPerson(
            psn_no=f"P{number}",
            insutype="310",
            psn_type=draw.choice(("1101", "1105", "1201")),
            account_kind=draw.choice(("with_account", "pool_only")),
            paid_months=draw.choice((0, 5, 6, 240)),
            recognised=diseases,
        )
    return TwinPerson(f"P{number}", "390", draw.choice(("1403", "1501", "1601", "1701")), recognised=diseases)


def _visit(
    draw: Random, people: tuple[TwinPerson, TwinPerson], year: int, scale: str, chronic: bool
) -> Visit:
    who = draw.choice((0, 0, 0, 1))
    disease = draw.choice((*people[who].recognised * 3, "", draw.choice(DISEASES)))
    usual, other = ("14", "11") if chronic else ("11", "14")
    return Visit(
        who=who,
        level=draw.choice("123"),
        lines=[_line(draw, scale) for _ in range(draw.choice((1, 2, 3, 6)))],
        day=_day(draw, year),
        use_account=draw.random() < 0.6,
        med_type=draw.choices((usual, other, "12", "13", "41"), (70, 12, 7, 7, 4))[0],
        disease=disease,
        institution_kind="2" if draw.random() < 0.1 else "1",
        children_hospital=draw.random() < 0.2,
    )


def _day(draw: Random, year: int) -> date:
    chance = draw.random()
    if chance < 0.85:
        return date(year, 1, 1) + timedelta(days=draw.randrange(365))
    if chance < 0.95:
        return draw.choice(_CHANGE_DAYS)
    return date(2020, 11, 1) + timedelta(days=draw.randrange(2300))


def _line(draw: Random, scale: str) -> TwinLine:
    top = _PRICES_YUAN_MAX[scale]
    price = _decimal(draw, top, draw.choice((0, 2, 2, 6)))
    return TwinLine(
        price=price,
        quantity=draw.choice((Decimal(1), Decimal(draw.randint(1, 9)), _decimal(draw, 5, 4))),
        list_type=draw.choice(("101", "102", "201", "301")),
        class_level=draw.choice(("01", "02", "02", "02", "03")),
        first_pay=draw.choice((None, None, None, Decimal(0), Decimal("0.05"), Decimal("0.3333"), Decimal(1))),
        price_limit=draw.choice((None, None, _decimal(draw, top, 2), price)),
        restricted=draw.random() < 0.3,
        hosp_appr_flag=draw.choice(("0", "0", "1", "1", "1", "2")),
        not_paid=draw.random() < 0.03,
    )


def _decimal(draw: Random, below: int, digits: int) -> Decimal:
    return Decimal(draw.randint(0, below * 10**digits)).scaleb(-digits)
