"""Figures of both cities for stays, births, care elsewhere and the layers above the pool, typed again from the summaries.

Yuan and shares as text for ``Decimal``, as in ``city_numbers``; the engine never reads this file.
"""

from __future__ import annotations

from datetime import date
from typing import Any

# ───────────────────────── Zibo: stays ─────────────────────────

ZIBO_STAY_DEDUCTIBLE = {
    "310": {"1": "300", "2": "500", "3": "700"},
    "390": {"1": "100", "2": "300", "3": "700"},
}
ZIBO_STAY_DEDUCTIBLE_CHILD = "100"
ZIBO_STAY_PART_OF_DEDUCTIBLE = {1: "1", 2: "0.5", 3: "0"}
ZIBO_NO_DEDUCTIBLE_FOR = ("low_income", "destitute")

ZIBO_FLAT_FROM = 2024
ZIBO_STAY_SHARE = {
    "active": {"1": "0.89", "2": "0.85", "3": "0.81"},
    "retired": {"1": "0.93", "2": "0.91", "3": "0.89"},
}
ZIBO_OLD_BOUNDS = ("10000", "50000", "120000")
ZIBO_OLD_STAY_BANDS = {
    "active": {"1": ("0.82", "0.90", "0.90"), "2": ("0.78", "0.85", "0.90"), "3": ("0.74", "0.80", "0.90")},
    "retired": {"1": ("0.91", "0.95", "0.95"), "2": ("0.89", "0.925", "0.95"), "3": ("0.87", "0.90", "0.95")},
}
ZIBO_REFERRAL_FROM = 2025
ZIBO_REFERRAL = {("1", "3"): "0.02", ("2", "3"): "0.02", ("3", "2"): "0.02", ("3", "1"): "0.05"}
ZIBO_RESIDENT_STAY_SHARE = {"1 with essential drugs": "0.85", "1": "0.75", "2": "0.70", "3": "0.60"}

ZIBO_BIRTH_FLOOR = "3000"
ZIBO_RESIDENT_PRENATAL = "300"
ZIBO_EMPLOYEE_PRENATAL = "1000"
ZIBO_ABORTION = {"before 4 months": "400", "from 4 months": "800"}
ZIBO_FAMILY_PLANNING = {"iud": "160", "sterilisation": "1000", "reversal": "2000"}

# ───────────────────────── Zibo: care elsewhere ─────────────────────────

ZIBO_REMOTE_FROM = 2022
ZIBO_REMOTE_FIRST_PAY = "0.10"
ZIBO_REMOTE_TEMPORARY = ("referred", "temporary", "own_choice")
ZIBO_UNREGISTERED_FIRST_PAY = "0.20"
ZIBO_OLD_RESIDENT_FIRST_PAY = {"referred, contracted": "0.15", "referred": "0.30", "not referred": "0.40"}

# ───────────────────────── Zibo: layers ─────────────────────────

ZIBO_LARGE_AMOUNT_SHARE = "0.90"
ZIBO_LARGE_AMOUNT_LIMIT = "400000"

ZIBO_SERIOUS_THRESHOLD = "18000"
ZIBO_SERIOUS_BANDS = (("100000", "0.60"), ("200000", "0.65"), ("300000", "0.70"), (None, "0.75"))
ZIBO_SERIOUS_LIMIT = "400000"
ZIBO_SERIOUS_POOR_THRESHOLD = "9000"
ZIBO_SERIOUS_POOR_MORE = "0.05"
ZIBO_SERIOUS_POOR = ("destitute", "low_income", "returned_to_poverty")

ZIBO_SPECIAL_DRUG: dict[str, Any] = {"above": "20000", "bands": ((None, "0.80"),), "limit": "400000"}
ZIBO_RARE_DRUG: dict[str, Any] = {"above": "20000", "bands": (("400000", "0.80"), (None, "0.85")), "limit": "900000"}

ZIBO_CIVIL_STAY_SHARE = "0.80"
ZIBO_CIVIL_OUTPATIENT = {"above": "800", "share": "0.80", "limit": "4000"}

ZIBO_ASSISTANCE_FROM = date(2025, 11, 1)
ZIBO_ASSISTANCE: dict[str, tuple[tuple[str, str, str], ...]] = {  # above, share, limit of a year; layer after layer
    "destitute": (("0", "0.75", "30000"), ("5000", "0.70", "20000")),
    "low_income": (("0", "0.75", "30000"), ("5000", "0.70", "20000")),
    "returned_to_poverty": (("0", "0.75", "30000"), ("5000", "0.70", "20000")),
    "borderline": (("3000", "0.50", "20000"), ("10000", "0.70", "20000")),
    "monitored": (("3000", "0.50", "20000"), ("10000", "0.70", "20000")),
    "hardship": (("12000", "0.60", "20000"),),  # a quarter of an income of 48000
}

# ───────────────────────── Huizhou ─────────────────────────

HUIZHOU_STAY_DEDUCTIBLE = {"1": "200", "2": "400", "3": "650"}
HUIZHOU_ONE_DEDUCTIBLE_A_YEAR = ("M005", "M07803", "M07804", "M021")
HUIZHOU_ACCIDENT_CAP = "100000"
HUIZHOU_OUTSIDE_DEDUCTIBLE = {
    "registered": "1000", "referred": "1000", "emergency": "1000",
    "temporary": "1600", "own_choice": "1600", "unregistered": "1600",
}
HUIZHOU_NOT_REGISTERED = ("temporary", "own_choice", "unregistered")
HUIZHOU_OWN_CHOICE: dict[str, Any] = {
    "contracted": {"310": "0.70", "390 less": "0.20"},
    "other": {"310": "0.50", "390": "0.45"},
}
HUIZHOU_NEGOTIATED = {"310": "0.80", "390": "0.60"}

HUIZHOU_SERIOUS_THRESHOLD = "10000"
HUIZHOU_SERIOUS_BOUNDS = ("50000", "100000", None)
HUIZHOU_SERIOUS_SHARES = {"390": ("0.60", "0.70", "0.80"), "310": ("0.70", "0.75", "0.85")}
HUIZHOU_SERIOUS_LIMIT = "400000"
HUIZHOU_SERIOUS_POOR = {"destitute": ("2000", "0.10"), "low_income": ("3000", "0.05"), "borderline": ("3000", "0.05")}

HUIZHOU_OLD_RULE_UNTIL = date(2024, 2, 29)
HUIZHOU_SUPPLEMENTARY_SHARE = "0.95"
HUIZHOU_WHOLLY_ASSISTED = ("orphan", "destitute")
HUIZHOU_COMMERCIAL_YEAR = 2023
HUIZHOU_COMMERCIAL_OWN = {"above": "10000", "share": "0.95"}
HUIZHOU_COMMERCIAL_OUT: dict[str, Any] = {"above": "12000", "bands": (("100000", "0.50"), (None, "0.70"))}

HUIZHOU_ASSISTANCE_FOR = ("low_income", "borderline", "hardship")
HUIZHOU_ASSISTANCE_BANDS = (("50000", "0.80"), (None, "0.90"))
HUIZHOU_ASSISTANCE_LIMIT = "100000"

HUIZHOU_BIRTH_NEW_RULE = date(2021, 10, 1)
HUIZHOU_BIRTH_OLD_SHARE = {"a year of payment": "1", "less": "0.50"}
HUIZHOU_BIRTH_MONTHS = 12
HUIZHOU_PRENATAL = "1000"
HUIZHOU_FAMILY_PLANNING = {"iud": "320", "sterilisation": "1590"}  # taking an IUD out, 270, is no kind of its own
HUIZHOU_RESIDENT_BIRTH_MORE = "0.05"
