"""Huizhou, rule by rule: each line is one visit with its deductible and pool payment, worked out by hand in yuan."""

from __future__ import annotations

import pytest

from tests.spec.policy.cities import HUIZHOU
from tests.spec.policy.visit import Visit, outcome, rules

POOL = "ordinary_outpatient.pool"

SPEC = [
    # Employees, ordinary outpatient: no deductible
    ("HZ-301", Visit(HUIZHOU, "2026-03-01", "在职", "1", "100"), "85.00"),
    ("HZ-302", Visit(HUIZHOU, "2026-03-01", "在职", "2", "100"), "65.00"),
    ("HZ-302", Visit(HUIZHOU, "2026-03-01", "在职", "3", "100"), "60.00"),
    ("HZ-303", Visit(HUIZHOU, "2026-03-01", "在职", "1", "100", account_kind="pool_only"), "80.00"),
    ("HZ-303", Visit(HUIZHOU, "2026-03-01", "在职", "2", "100", account_kind="pool_only"), "60.00"),
    ("HZ-303", Visit(HUIZHOU, "2026-03-01", "在职", "3", "100", account_kind="pool_only"), "55.00"),
    ("HZ-304", Visit(HUIZHOU, "2026-03-01", "退休", "1", "100"), "87.00"),
    ("HZ-304", Visit(HUIZHOU, "2026-03-01", "退休", "2", "100", account_kind="pool_only"), "67.00"),
    ("HZ-304", Visit(HUIZHOU, "2026-03-01", "退休", "3", "0.05"), "0.03"),  # 0.031
    # The ceiling of each year
    ("HZ-305", Visit(HUIZHOU, "2022-12-31", "在职", "1", "9000"), "1797.00"),
    ("HZ-305", Visit(HUIZHOU, "2023-06-01", "在职", "1", "9000"), "1987.00"),
    ("HZ-305", Visit(HUIZHOU, "2024-06-01", "在职", "1", "9000"), "2028.00"),
    ("HZ-305", Visit(HUIZHOU, "2025-06-01", "退休", "1", "9000"), "2086.00"),
    ("HZ-305", Visit(HUIZHOU, "2026-06-01", "退休", "1", "9000", used={POOL: "2000"}), "86.00"),
    (
        "HZ-307",
        Visit(HUIZHOU, "2026-06-01", "退休", "1", "9000", disease="M02101", used={POOL: "2086"}),
        "7830.00",
    ),
    # Residents
    ("HZ-312", Visit(HUIZHOU, "2025-06-01", "居民", "1", "200"), "150.00"),
    ("HZ-312", Visit(HUIZHOU, "2026-06-01", "儿童", "3", "200", children=True), "120.00"),
    ("HZ-313", Visit(HUIZHOU, "2026-06-01", "儿童", "1", "9000"), "800.00"),
    ("HZ-314", Visit(HUIZHOU, "2026-06-01", "老年居民", "2", "200"), "80.00"),
    # Special outpatient, first class as inpatient care
    ("HZ-402", Visit(HUIZHOU, "2026-06-01", "在职", "3", "1000", "14", "M00504"), "950.00"),
    ("HZ-402", Visit(HUIZHOU, "2026-06-01", "在职", "3", "1000", "14", "M00504", paid_months=6), "950.00"),
    ("HZ-402", Visit(HUIZHOU, "2026-06-01", "在职", "3", "1000", "14", "M00504", paid_months=5), "500.00"),
    ("HZ-403", Visit(HUIZHOU, "2026-06-01", "退休", "1", "1000", "14", "M07803", paid_months=0), "960.00"),
    ("HZ-404", Visit(HUIZHOU, "2026-06-01", "居民", "1", "1000", "14", "M08300"), "950.00"),
    ("HZ-404", Visit(HUIZHOU, "2026-06-01", "居民", "2", "1000", "14", "M01200"), "850.00"),
    ("HZ-404", Visit(HUIZHOU, "2026-06-01", "居民", "3", "1000", "14", "M00503"), "750.00"),
    ("HZ-405", Visit(HUIZHOU, "2026-06-01", "退休", "3", "900000", "14", "M00503"), "600000.00"),
    ("HZ-405", Visit(HUIZHOU, "2026-06-01", "居民", "1", "900000", "14", "M00503"), "500000.00"),
    # Second class: flat shares, ceilings by disease
    ("HZ-503", Visit(HUIZHOU, "2026-06-01", "在职", "3", "1000", "14", "M05400"), "800.00"),
    ("HZ-503", Visit(HUIZHOU, "2021-06-01", "居民", "3", "1000", "14", "M05400"), "600.00"),
    ("HZ-504", Visit(HUIZHOU, "2026-06-01", "在职", "1", "9000", "14", "M03900"), "2400.00"),
    ("HZ-504", Visit(HUIZHOU, "2026-06-01", "在职", "1", "9000", "14", "M01600"), "3600.00"),
    (
        "HZ-504",
        Visit(HUIZHOU, "2026-06-01", "在职", "1", "9000", "14", "M01600", ("M03900", "M01600")),
        "5000.00",
    ),
    ("HZ-504", Visit(HUIZHOU, "2026-06-01", "居民", "1", "9000", "14", "M03900"), "1200.00"),
    ("HZ-504", Visit(HUIZHOU, "2026-06-01", "居民", "1", "9000", "14", "M01600"), "1800.00"),
    ("HZ-504", Visit(HUIZHOU, "2026-06-01", "居民", "1", "9000", "14", "M03900", ("M01600",)), "2500.00"),
]


@pytest.mark.parametrize(("rule", "visit", "pool"), SPEC, ids=[f"{n}-{r[0]}" for n, r in enumerate(SPEC)])
def test_huizhou(rule: str, visit: Visit, pool: str) -> None:
    assert outcome(visit) == ("0.00", pool)
    assert rule in rules(visit), "the trace names the rule"


@pytest.mark.parametrize(
    ("visit", "code"),
    [
        (
            Visit(HUIZHOU, "2022-11-30", "在职", "1", "100"),
            "NO_LAW_FOR_DAY",
        ),  # outpatient rules from 2022-12-01
        (Visit(HUIZHOU, "2024-12-31", "居民", "1", "100"), "NO_LAW_FOR_DAY"),  # resident figures from 2025
        (Visit(HUIZHOU, "2026-06-01", "在职", "1", "100", pharmacy=True), "BENEFIT_NOT_OFFERED"),
        (Visit(HUIZHOU, "2026-06-01", "在职", "1", "100", "14"), "DISEASE_CODE_MISSING"),
    ],
)
def test_huizhou_refuses_instead_of_guessing(visit: Visit, code: str) -> None:
    assert outcome(visit) == (code, "")
