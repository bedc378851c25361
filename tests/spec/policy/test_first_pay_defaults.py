"""First-pay of class B items where the item has no ratio of its own: ZB-415 and HZ-408."""

from __future__ import annotations

from datetime import date

import pytest

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from yibao.policy.lines import LineSplit, classify_line

KINDS = {"101": 0, "102": 0, "103": 0, "104": 0, "106": 0, "201": 1, "301": 2}


@pytest.mark.parametrize(
    ("city", "rule", "percent"), [(ZIBO, "ZB-415", (10, 15, 20)), (HUIZHOU, "HZ-408", (5, 10, 10))]
)
@pytest.mark.parametrize("list_type", KINDS)
@pytest.mark.parametrize("insutype", ["310", "390"])
def test_class_b(city: str, rule: str, percent: tuple[int, int, int], list_type: str, insutype: str) -> None:
    def split(class_level: str) -> LineSplit:
        found = classify_line(
            policy=city_policy(city),
            service_on=date(2026, 6, 1),
            insutype=insutype,
            list_type=list_type,
            class_level=class_level,
            amount=10_000,
            price=100_000_000,
            quantity=10_000,
        )
        assert isinstance(found, LineSplit)
        return found

    assert split("02").first_pay == percent[KINDS[list_type]] * 100
    assert split("02").used[0].rule == rule
    assert split("01").first_pay == 0
    assert split("03").own == 10_000
