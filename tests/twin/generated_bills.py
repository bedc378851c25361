"""Generated years of bills over the whole law: stays, births, chronic visits, care elsewhere, households in need.

A year is one person's bills in the order of their settlement; it is named by its number and can be drawn again from the
same seed. Weights lean to where rules meet: a ceiling reached by the third stay, a law that changes within the year.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from tests.twin.visit_facts import USUAL, Circumstances, TwinLine, TwinPerson

BILLS_N = int(os.environ.get("YIBAO_BILLS_N", "2000"))
BILLS_SEED = int(os.environ.get("YIBAO_PROOF_SEED", "20211018"))

_DISEASES = ("M00500", "M00503", "M01600", "M02101", "M03900", "M04600", "M05400", "M07803", "M08300")
_IDENTITIES = ("", "", "", "low_income", "destitute", "returned_to_poverty", "borderline", "monitored", "hardship")
_ONLY_HUIZHOU = ("orphan", "commercially_insured", "commercially_insured")
_TOP_YUAN = {"small": 900, "normal": 9_000, "large": 60_000, "huge": 400_000}
_REFERRALS = ("", "", "", "1", "2", "3")


@dataclass(frozen=True)
class DrawnBill:
    """One bill of the year's person."""

    level: str
    lines: tuple[TwinLine, ...]
    day: date
    med_type: str
    disease: str
    use_account: bool
    how: Circumstances


@dataclass(frozen=True)
class DrawnYear:
    """A person, what is in the account, and the bills of one year."""

    city: str
    person: TwinPerson
    balance: Decimal
    bills: tuple[DrawnBill, ...]


def year_of_bills(number: int, seed: int = BILLS_SEED) -> DrawnYear:
    """Draw the year with a number; the two cities take turns."""
    draw = Random(seed * 1_000_003 + 7_919 * number)
    city = ("370300", "441300")[number % 2]
    person = _person(draw, city)
    year = draw.choice((2021, 2022, 2023, 2024, 2025, 2025, 2026, 2026))
    scale = draw.choice(("small", "normal", "large", "large", "huge", "huge"))
    admissions = draw.choice((0, 0, 0, 1, 2))
    bills = []
    for _ in range(draw.randint(2, 6)):
        bill = _bill(draw, person, city, _day(draw, year), scale, admissions + 1)
        admissions += bill.med_type in ("21", "22", "52") and admissions < 3
        bills.append(bill)
    return DrawnYear(city, person, _yuan(draw, 3_000), tuple(bills))


def _person(draw: Random, city: str) -> TwinPerson:
    recognised = tuple(draw.sample(_DISEASES, draw.choice((0, 1, 1, 2))))
    identity = draw.choice(_IDENTITIES + _ONLY_HUIZHOU if city == "441300" else _IDENTITIES)
    if draw.random() < 0.55:
        return TwinPerson(
            "P", "310", draw.choice(("1101", "1101", "1201")), draw.choice(("with_account", "pool_only")),
            draw.choice((0, 5, 6, 11, 12, 240)), recognised, identity, draw.random() < 0.3,
        )
    return TwinPerson("P", "390", draw.choice(("1401", "1501", "1501", "1601")), recognised=recognised, identity=identity)


def _bill(draw: Random, person: TwinPerson, city: str, day: date, scale: str, admission: int) -> DrawnBill:
    kind = draw.choices(("21", "22", "14", "11", "52", "51", "53", "18"), (52, 6, 16, 8, 8, 4, 3, 3))[0]
    disease = draw.choice((*person.recognised, draw.choice(_DISEASES))) if kind == "14" or draw.random() < 0.2 else ""
    if kind == "18":
        disease = draw.choice(("", "E74.003"))
    how = USUAL
    group = ""
    if kind in ("21", "22"):
        how = _stay(draw, city, person.insutype, day, admission)
    elif kind == "14":
        group = "negotiated" if city == "441300" and draw.random() < 0.3 else ""
    elif kind == "52":
        how = Circumstances(admission, maternity=draw.choice(("birth", "birth", "difficult", "caesarean", "miscarriage")))
    elif kind == "51":
        how = Circumstances(maternity="prenatal", pregnancy_months=draw.randint(2, 9))
    elif kind == "53":
        how = Circumstances(
            maternity=draw.choice(("abortion", "iud", "sterilisation", "reversal")), pregnancy_months=draw.randint(1, 6)
        )
    if kind in ("21", "22", "11") and not how.remote and draw.random() < 0.08:
        how = replace(how, cause=draw.choice(("accident", "third_party", "work_injury", "work_injury")))
    top = min(_TOP_YUAN[scale], 6_000) if kind in ("51", "53", "11") else _TOP_YUAN[scale]
    lines = tuple(_line(draw, top, group if place == 0 else "") for place in range(draw.choice((1, 2, 3))))
    return DrawnBill(draw.choice("123"), lines, day, kind, disease, draw.random() < 0.5, how)


def _stay(draw: Random, city: str, insutype: str, day: date, admission: int) -> Circumstances:
    traits = tuple(draw.sample(("designated", "essential_drugs", "non_contracted", "contracted"), draw.choice((0, 1, 1, 2))))
    elsewhere = draw.random()
    if elsewhere < 0.2:
        kinds = ["registered", "referred", "temporary", "unregistered", "own_choice"]
        if city == "441300":
            kinds.append("emergency")
        elif day.year < 2022 and insutype == "310":
            kinds = ["registered", "unregistered"]
        remote = draw.choice(kinds)
        return Circumstances(admission, remote, traits=traits)
    return Circumstances(admission, referred_from=draw.choice(_REFERRALS), traits=traits)


def _day(draw: Random, year: int) -> date:
    chance = draw.random()
    if chance < 0.1:
        return draw.choice((date(2021, 9, 30), date(2021, 10, 1), date(2025, 10, 31), date(2025, 11, 1), date(year, 12, 31)))
    return date(year, 1, 1) + timedelta(days=draw.randrange(365))


def _line(draw: Random, top: int, group: str) -> TwinLine:
    return TwinLine(
        price=_yuan(draw, top),
        list_type=draw.choice(("101", "201", "301")),
        class_level=draw.choices(("01", "02", "03"), (70, 22, 8))[0],
        first_pay=draw.choice((None, None, Decimal("0.05"), Decimal("0.3333"))),
        group=group,
    )


def _yuan(draw: Random, below: int) -> Decimal:
    whole = draw.random() < 0.3
    return Decimal(draw.randrange(below)) if whole else Decimal(draw.randrange(below * 100)).scaleb(-2)
