"""Zibo, rule by rule: each line is one visit with its deductible and pool payment, worked out by hand in yuan."""

from __future__ import annotations

import pytest

from tests.spec.policy.cities import ZIBO
from tests.spec.policy.visit import Visit, outcome, rules

OUT = "ordinary_outpatient"
CHR = "chronic_outpatient"

SPEC = [
    # Employees, ordinary outpatient
    ("ZB-201", Visit(ZIBO, "2025-03-01", "在职", "1", "1000"), "100.00", "720.00"),  # 900 × 80 %
    ("ZB-201", Visit(ZIBO, "2026-03-01", "在职", "2", "1000"), "500.00", "350.00"),  # 500 × 70 %
    ("ZB-201", Visit(ZIBO, "2026-03-01", "在职", "3", "1000"), "700.00", "180.00"),  # 300 × 60 %
    # ZB-202: 100 borne at level 1 leaves 600 of the 700 at level 3
    (
        "ZB-201",
        Visit(ZIBO, "2026-03-01", "在职", "3", "1000", used={f"{OUT}.deductible": "100"}),
        "600.00",
        "240.00",
    ),
    (
        "ZB-203",
        Visit(ZIBO, "2026-03-01", "在职", "2", "100.10", used={f"{OUT}.deductible": "500"}),
        "0.00",
        "70.07",
    ),
    ("ZB-204", Visit(ZIBO, "2026-03-01", "退休", "1", "1000"), "100.00", "765.00"),  # 900 × 85 %
    ("ZB-204", Visit(ZIBO, "2026-03-01", "退休", "2", "1000"), "500.00", "375.00"),
    ("ZB-204", Visit(ZIBO, "2026-03-01", "退休", "3", "1000"), "700.00", "195.00"),
    ("ZB-205", Visit(ZIBO, "2026-03-01", "在职", "1", "10000"), "100.00", "4500.00"),
    ("ZB-205", Visit(ZIBO, "2026-03-01", "退休", "1", "10000"), "100.00", "5500.00"),
    ("ZB-206", Visit(ZIBO, "2026-03-01", "在职", "2", "1000", med_type="13"), "500.00", "350.00"),
    ("ZB-207", Visit(ZIBO, "2026-03-01", "在职", "3", "1000", pharmacy=True), "100.00", "720.00"),
    (
        "ZB-207",
        Visit(ZIBO, "2024-03-01", "退休", "3", "1000", pharmacy=True),
        "50.00",
        "807.50",
    ),  # 950 × 85 %
    ("ZB-208", Visit(ZIBO, "2024-12-31", "在职", "1", "1000"), "50.00", "760.00"),
    ("ZB-208", Visit(ZIBO, "2023-01-01", "退休", "1", "10000"), "50.00", "3000.00"),
    ("ZB-208", Visit(ZIBO, "2024-01-01", "在职", "1", "10000"), "50.00", "4000.00"),
    # Employees, chronic outpatient
    ("ZB-301", Visit(ZIBO, "2026-03-01", "在职", "2", "3000", "14", "M05400"), "1000.00", "1400.00"),
    ("ZB-302", Visit(ZIBO, "2026-03-01", "在职", "3", "3000", "14", "M02101"), "0.00", "2100.00"),
    ("ZB-303", Visit(ZIBO, "2026-03-01", "退休", "2", "3000", "14", "M05400"), "1000.00", "1600.00"),
    ("ZB-304", Visit(ZIBO, "2026-03-01", "在职", "3", "5000", "14", "M00503"), "1000.00", "3000.00"),
    ("ZB-304", Visit(ZIBO, "2026-03-01", "退休", "3", "5000", "14", "M00500"), "1000.00", "3400.00"),
    ("ZB-303", Visit(ZIBO, "2026-03-01", "在职", "3", "5000", "14", "M00504"), "1000.00", "2800.00"),
    ("ZB-305", Visit(ZIBO, "2021-11-01", "在职", "3", "2100", "14", "M08300"), "100.00", "1800.00"),
    ("ZB-306", Visit(ZIBO, "2026-03-01", "退休", "3", "2100", "14", "M08300"), "100.00", "1900.00"),
    ("ZB-308", Visit(ZIBO, "2026-03-01", "在职", "3", "400", "14", "M07803"), "0.00", "360.00"),
    ("ZB-308", Visit(ZIBO, "2026-03-01", "退休", "3", "400", "14", "M07804"), "0.00", "380.00"),
    ("ZB-309", Visit(ZIBO, "2026-03-01", "在职", "1", "9000", "14", "M01600"), "1000.00", "4000.00"),
    ("ZB-309", Visit(ZIBO, "2026-03-01", "在职", "1", "9000", "14", "M04600"), "1000.00", "5000.00"),
    # two capped diseases: 5000 + half of 4000
    (
        "ZB-309",
        Visit(ZIBO, "2026-03-01", "在职", "1", "19000", "14", "M01600", ("M01600", "M04600")),
        "1000.00",
        "7000.00",
    ),
    # three: 5000 + half of 5000 + half of 4000
    (
        "ZB-309",
        Visit(ZIBO, "2026-03-01", "在职", "1", "19000", "14", "M04600", ("M01600", "M04803", "M04600")),
        "1000.00",
        "9500.00",
    ),
    ("ZB-410", Visit(ZIBO, "2026-03-01", "退休", "3", "300000", "14", "M05400"), "1000.00", "160000.00"),
    ("ZB-410", Visit(ZIBO, "2023-03-01", "退休", "3", "300000", "14", "M08300"), "100.00", "120000.00"),
    # Residents
    ("ZB-501", Visit(ZIBO, "2021-11-01", "居民", "1", "500"), "50.00", "225.00"),
    ("ZB-501", Visit(ZIBO, "2026-03-01", "儿童", "3", "5000"), "50.00", "1000.00"),
    ("ZB-502", Visit(ZIBO, "2021-11-01", "居民", "1", "800", disease="M03900"), "0.00", "560.00"),
    ("ZB-503", Visit(ZIBO, "2026-03-01", "居民", "1", "5000", disease="M01600"), "0.00", "1000.00"),
    (
        "ZB-503",
        Visit(ZIBO, "2026-03-01", "居民", "1", "5000", disease="M01600", recognised=("M03900", "M01600")),
        "0.00",
        "1200.00",
    ),
    # ZB-504: what ordinary visits used up is gone for the two diseases, and the other way round
    (
        "ZB-503",
        Visit(ZIBO, "2026-03-01", "居民", "1", "800", disease="M03900", used={f"{OUT}.pool": "700"}),
        "0.00",
        "300.00",
    ),
    (
        "ZB-501",
        Visit(
            ZIBO, "2026-03-01", "居民", "1", "800", used={f"{OUT}.pool": "1150", f"{OUT}.deductible": "50"}
        ),
        "0.00",
        "0.00",
    ),
    (
        "ZB-501",
        Visit(ZIBO, "2026-03-01", "居民", "1", "150", med_type="13", disease="M03900"),
        "50.00",
        "50.00",
    ),
    ("ZB-505", Visit(ZIBO, "2026-03-01", "老年居民", "2", "1500", "14", "M05400"), "500.00", "600.00"),
    ("ZB-506", Visit(ZIBO, "2023-01-01", "居民", "2", "400", "14", "M05400"), "400.00", "0.00"),
    ("ZB-306", Visit(ZIBO, "2026-03-01", "居民", "3", "1100", "14", "M08300"), "100.00", "750.00"),
    ("ZB-308", Visit(ZIBO, "2026-03-01", "居民", "3", "400", "14", "M07803"), "0.00", "320.00"),
    (
        "ZB-507",
        Visit(
            ZIBO,
            "2026-03-01",
            "居民",
            "3",
            "1500",
            "14",
            "M05400",
            used={"inpatient_chronic.pool": "199999.50"},
        ),
        "500.00",
        "0.50",
    ),
]


@pytest.mark.parametrize(
    ("rule", "visit", "deductible", "pool"), SPEC, ids=[f"{n}-{r[0]}" for n, r in enumerate(SPEC)]
)
def test_zibo(rule: str, visit: Visit, deductible: str, pool: str) -> None:
    assert outcome(visit) == (deductible, pool)
    assert rule in rules(visit), "the trace names the rule"


@pytest.mark.parametrize(
    ("visit", "code"),
    [
        (
            Visit(ZIBO, "2022-12-31", "在职", "1", "1000"),
            "NO_LAW_FOR_DAY",
        ),  # employees' figures begin in 2023
        (
            Visit(ZIBO, "2024-12-31", "在职", "1", "1000", "14", "M05400"),
            "NO_LAW_FOR_DAY",
        ),  # ZB-301 from 2025
        (
            Visit(ZIBO, "2022-12-31", "居民", "1", "1000", "14", "M05400"),
            "NO_LAW_FOR_DAY",
        ),  # ZB-506 from 2023
        (Visit(ZIBO, "2020-12-31", "居民", "1", "1000"), "NO_LAW_FOR_DAY"),
        (Visit(ZIBO, "2026-03-01", "居民", "1", "1000", pharmacy=True), "BENEFIT_NOT_OFFERED"),
        (Visit(ZIBO, "2026-03-01", "在职", "1", "1000", "71"), "BENEFIT_NOT_OFFERED"),
        (Visit(ZIBO, "2026-03-01", "在职", "1", "1000", "14"), "DISEASE_CODE_MISSING"),
    ],
)
def test_zibo_refuses_instead_of_guessing(visit: Visit, code: str) -> None:
    assert outcome(visit) == (code, "")
