"""The two cities' figures, typed a second time from the published summaries; the engine never reads this file.

Yuan and shares as text for ``Decimal``. Each table is keyed by the first year it holds (the year alone decides:
every change in these tables falls on 1 January, except Huizhou's outpatient rules of 2022-12-01, which stand
under ``HUIZHOU_OUTPATIENT_START``).
"""

from __future__ import annotations

from datetime import date
from typing import Any

# ───────────────────────── Zibo ─────────────────────────

ZIBO_EMPLOYEE_OUTPATIENT: dict[int, dict[str, Any]] = {
    2023: {
        "deductible": {"1": "50", "2": "500", "3": "700"},
        "share": {"1": "0.80", "2": "0.70", "3": "0.60"},
        "retired_more": "0.05",
        "cap": {"active": "3000", "retired": "3000"},
    },
    2024: {
        "deductible": {"1": "50", "2": "500", "3": "700"},
        "share": {"1": "0.80", "2": "0.70", "3": "0.60"},
        "retired_more": "0.05",
        "cap": {"active": "4000", "retired": "4000"},
    },
    2025: {
        "deductible": {"1": "100", "2": "500", "3": "700"},
        "share": {"1": "0.80", "2": "0.70", "3": "0.60"},
        "retired_more": "0.05",
        "cap": {"active": "4500", "retired": "5500"},
    },
}
ZIBO_EMPLOYEE_EMERGENCY_FROM = 2025
ZIBO_EMPLOYEE_CHRONIC_DEDUCTIBLE = {2025: "1000"}
ZIBO_MENTAL_WITHOUT_DEDUCTIBLE_FROM = 2025
ZIBO_ANTI_REJECTION_DEDUCTIBLE = "100"
ZIBO_CHRONIC_SHARE = {"active": "0.70", "retired": "0.80", "resident": "0.60"}
ZIBO_CANCER_SHARE = {"active": "0.75", "retired": "0.85"}
ZIBO_CANCER_FROM = 2023
ZIBO_ANTI_REJECTION_SHARE = {"active": "0.90", "retired": "0.95", "resident": "0.75"}
ZIBO_DIALYSIS_SHARE = {"active": "0.90", "retired": "0.95", "resident": "0.80"}
ZIBO_EMPLOYEE_DISEASE_CAPS = {"M016": "4000", "M046": "5000", "M048": "5000"}
ZIBO_OTHER_DISEASES_COUNT = "0.5"
ZIBO_EMPLOYEE_YEAR_CAP = {2021: "120000", 2024: "160000"}

ZIBO_RESIDENT_OUTPATIENT = {"deductible": "50", "share": "0.50", "cap": "1000"}
ZIBO_TWO_DISEASE = {"share": "0.70", "cap": "1000", "cap_both": "1200"}
ZIBO_RESIDENT_CHRONIC_DEDUCTIBLE = {2023: "500"}
ZIBO_RESIDENT_YEAR_CAP = "200000"

# ───────────────────────── Huizhou ─────────────────────────

HUIZHOU_OUTPATIENT_START = date(2022, 12, 1)
HUIZHOU_EMPLOYEE_SHARE = {
    "retired": {"1": "0.87", "2": "0.67", "3": "0.62"},
    "with_account": {"1": "0.85", "2": "0.65", "3": "0.60"},
    "pool_only": {"1": "0.80", "2": "0.60", "3": "0.55"},
}
HUIZHOU_EMPLOYEE_CAP = {2022: "1797", 2023: "1987", 2024: "2028", 2025: "2086", 2026: "2086"}
HUIZHOU_RESIDENT_FROM = 2025
HUIZHOU_RESIDENT_SHARE = {"1": "0.75", "2": "0.40", "3": "0.40", "children": "0.60"}
HUIZHOU_RESIDENT_CAP = "800"

HUIZHOU_FIRST_CLASS = ("M005", "M07803", "M07804", "M083", "M012")
HUIZHOU_FIRST_CLASS_RETIRED = "0.96"
HUIZHOU_FIRST_CLASS_ACTIVE = "0.95"
HUIZHOU_FIRST_CLASS_ACTIVE_SHORT = "0.50"
HUIZHOU_FULL_SHARE_MONTHS = 6
HUIZHOU_FIRST_CLASS_RESIDENT = {"1": "0.95", "2": "0.85", "3": "0.75"}
HUIZHOU_SECOND_CLASS = {"310": "0.80", "390": "0.60"}
HUIZHOU_SECOND_CLASS_CAPS = {
    "310": {"hypertension": "2400", "diabetes": "3600", "both": "5000"},
    "390": {"hypertension": "1200", "diabetes": "1800", "both": "2500"},
}
HUIZHOU_YEAR_CAP = {"310": "600000", "390": "500000"}

# ───────────────────────── class B first-pay, where the item has no ratio of its own ─────────────────────────

FIRST_PAY = {
    "370300": {"drug": "0.10", "service": "0.15", "material": "0.20"},
    "441300": {"drug": "0.05", "service": "0.10", "material": "0.10"},
}
NEGOTIATED_FIRST_PAY = {(city, kind): "0.10" for city in ("441300",) for kind in ("14", "18", "9904")}
"""Of negotiated drugs where they are paid as such, by city and visit class; Zibo has none of its own."""
