"""Which month names a clearing period: the one it is cut in, or each of its quarter."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from yibao.policy.reckoning.clearing import ClearingPeriod
from yibao.usecases.clearing.claim_settlements import _months_of


@pytest.mark.parametrize(("name", "begins", "ends", "months"), [
    ("2026-02", date(2026, 2, 1), date(2026, 3, 1), {"202602"}),
    ("2026-02", date(2026, 1, 21), date(2026, 2, 21), {"202602"}),
    ("2026Q1", date(2026, 1, 1), date(2026, 4, 1), {"202601", "202602", "202603"}),
    ("2026Q1", date(2025, 12, 21), date(2026, 3, 21), {"202601", "202602", "202603"}),
])
def test_months(name: str, begins: date, ends: date, months: set[str]) -> None:
    assert _months_of(ClearingPeriod(name, begins, ends), ends - timedelta(days=1)) == months
