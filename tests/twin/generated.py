"""Generated lives for the comparison: people, bills, visits and reversals, drawn by hypothesis."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from tests.twin.settlement_twin import TwinLine, TwinPerson

PROOF_N = int(os.environ.get("YIBAO_PROOF_N", "300"))
PROOF_SEED = int(os.environ.get("YIBAO_PROOF_SEED", "20211018"))

DISEASES = (
    "M00500", "M00503", "M00504", "M01200", "M01600", "M01609", "M02101", "M03900", "M04600", "M04803",
    "M05400", "M07800", "M07803", "M07804", "M08300",
)  # fmt: skip


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


def yuan(low: int, high: int, digits: int) -> st.SearchStrategy[Decimal]:
    """Amounts between two whole numbers of yuan with some decimals."""
    return st.integers(low * 10**digits, high * 10**digits).map(lambda v: Decimal(v).scaleb(-digits))


def prices() -> st.SearchStrategy[Decimal]:
    """Small, large and six-decimal prices."""
    return st.one_of(yuan(0, 30, 2), yuan(0, 2, 6), yuan(1, 9000, 2), yuan(20000, 90000, 0))


lines = st.builds(
    TwinLine,
    price=prices(),
    quantity=st.one_of(st.integers(1, 30).map(Decimal), yuan(0, 12, 4)),
    list_type=st.sampled_from(["101", "102", "201", "301"]),
    class_level=st.sampled_from(["01", "02", "02", "03"]),
    first_pay=st.one_of(st.none(), st.sampled_from([Decimal(0), Decimal("0.05"), Decimal("0.3333"), Decimal(1)])),
    price_limit=st.one_of(st.none(), prices()),
    restricted=st.booleans(),
    hosp_appr_flag=st.sampled_from(["0", "1", "1", "2"]),
    not_paid=st.sampled_from([False, False, False, True]),
)


def person(number: int) -> st.SearchStrategy[TwinPerson]:
    """Somebody of one of the two insurances."""
    recognised = st.lists(st.sampled_from(DISEASES), max_size=3, unique=True).map(tuple)
    employee = st.builds(
        TwinPerson,
        psn_no=st.just(f"P{number}"),
        insutype=st.just("310"),
        psn_type=st.sampled_from(["1101", "1105", "1201"]),
        account_kind=st.sampled_from(["with_account", "pool_only"]),
        paid_months=st.sampled_from([0, 5, 6, 240]),
        recognised=recognised,
    )
    resident = st.builds(
        TwinPerson,
        psn_no=st.just(f"P{number}"),
        insutype=st.just("390"),
        psn_type=st.sampled_from(["1403", "1501", "1601", "1701"]),
        recognised=recognised,
    )
    return st.one_of(employee, resident)


days = st.one_of(
    st.dates(date(2020, 11, 1), date(2027, 2, 28)),
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    st.sampled_from([date(2022, 11, 30), date(2022, 12, 1), date(2023, 12, 31), date(2024, 1, 1), date(2025, 1, 1)]),
)

visits = st.builds(
    Visit,
    who=st.integers(0, 1),
    level=st.sampled_from(["1", "2", "3"]),
    lines=st.lists(lines, min_size=1, max_size=6),
    day=days,
    use_account=st.booleans(),
    med_type=st.sampled_from(["11", "11", "12", "13", "14", "14", "41"]),
    disease=st.one_of(st.just(""), st.sampled_from(DISEASES)),
    institution_kind=st.sampled_from(["1", "1", "1", "2"]),
    children_hospital=st.sampled_from([False, False, True]),
)
lives = st.lists(st.one_of(visits, visits, visits, st.builds(Reversal, st.integers(0, 20))), min_size=1, max_size=10)
balances = st.tuples(yuan(0, 3000, 2), yuan(0, 3000, 2))
