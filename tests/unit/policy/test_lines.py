"""One fee line splits into fully own, over limit, first-pay and in scope."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policy.small_policy import DAY, WHOLE, block, small_policy
from yibao.kernel.money import line_amount
from yibao.kernel.refusal import Refusal
from yibao.policy.lines import LineSplit, classify_line

POLICY = small_policy(
    WHOLE
    + block(
        "first_pay",
        '{ rule = "F-1", value = "0%", when = { class_level = "01" } },\n'
        '{ rule = "F-3", value = "30%", when = { group = "negotiated", med_type = "18" }, priority = 1 },\n'
        '{ rule = "F-2", value = "10%", when = { class_level = "02", list_type = "101" } }',
    )
)


def split(amount: int, **more: Any) -> LineSplit | Refusal:
    """Classify a line of a class B drug sold once, unless said otherwise."""
    line: dict[str, Any] = {
        "service_on": DAY,
        "insutype": "310", "list_type": "101", "class_level": "02", "price": amount * 10_000, "quantity": 10_000
    }  # fmt: skip
    return classify_line(policy=POLICY, amount=amount, **{**line, **more})


def parts(found: LineSplit | Refusal) -> tuple[int, int, int, int]:
    assert isinstance(found, LineSplit), found
    return found.own, found.over, found.first_pay, found.in_scope


def test_class_a_is_in_scope_as_a_whole() -> None:
    assert parts(split(1_000, class_level="01")) == (0, 0, 0, 1_000)


def test_class_b_takes_the_regions_ratio_and_names_its_rule() -> None:
    found = split(1_000)
    assert parts(found) == (0, 0, 100, 900)
    assert isinstance(found, LineSplit)
    assert (found.first_pay_ratio, found.used[0].rule) == (1_000, "F-2")


@pytest.mark.parametrize(
    ("more", "first"),
    [
        ({"group": "negotiated", "med_type": "18"}, 300),
        ({"group": "negotiated", "med_type": "11"}, 100),
        ({"group": "special_drug", "med_type": "18"}, 100),
        ({"med_type": "18"}, 100),
        ({"group": "negotiated", "med_type": "18", "first_pay": 500}, 50),
        ({"group": "negotiated", "med_type": "18", "class_level": "03"}, 0),
    ],
)
def test_a_group_bears_its_own_ratio_in_the_visit_classes_named(more: dict[str, Any], first: int) -> None:
    found = split(1_000, **more)
    assert parts(found)[2] == first


def test_the_items_own_ratio_goes_first() -> None:
    found = split(1_000, first_pay=500)
    assert parts(found) == (0, 0, 50, 950)
    assert isinstance(found, LineSplit)
    assert found.used == ()


def test_first_pay_rounds_half_up() -> None:
    assert parts(split(452, first_pay=500)) == (0, 0, 23, 429)


def test_above_the_price_limit() -> None:
    # 3 pieces of 12.345678 yuan under a limit of 10 yuan: 7.04 over the limit, 10 % of the rest first.
    amount = line_amount(12_345_678, 30_000)
    found = split(amount, price=12_345_678, quantity=30_000, price_limit=10_000_000)
    assert amount == 3_704
    assert parts(found) == (0, 704, 300, 2_700)


def test_at_or_below_the_price_limit_nothing_is_over() -> None:
    assert parts(split(1_000, price_limit=10_000_000)) == (0, 0, 100, 900)


def test_over_limit_never_exceeds_the_line() -> None:
    found = split(1, price=1_000_000, quantity=10_000, price_limit=0)
    assert parts(found) == (0, 1, 0, 0)


@pytest.mark.parametrize(
    ("more", "is_own"),
    [
        ({"class_level": "03"}, True),
        ({"class_level": "03", "hosp_appr_flag": "1"}, True),
        ({"restricted": True}, True),
        ({"restricted": True, "hosp_appr_flag": "0"}, True),
        ({"restricted": True, "hosp_appr_flag": "2"}, True),
        ({"restricted": True, "hosp_appr_flag": "1"}, False),
        ({"hosp_appr_flag": "2"}, True),
        ({"hosp_appr_flag": "1"}, False),
        ({"reason": "单独使用不予支付"}, True),
    ],
)
def test_what_makes_a_line_fully_own(more: dict[str, Any], is_own: bool) -> None:
    found = split(1_000, **more)
    assert isinstance(found, LineSplit)
    assert (found.own == 1_000) is is_own
    assert bool(found.reason) is is_own
    if "reason" in more:
        assert found.reason == "单独使用不予支付"


def test_no_ratio_for_such_an_item_is_refused() -> None:
    found = split(1_000, list_type="301")
    assert isinstance(found, Refusal)
    assert found.code == "NO_FIRST_PAY_RATIO"
    before_any_law = split(1_000, service_on=date(2019, 12, 31))
    assert isinstance(before_any_law, Refusal)
    assert "2019-12-31" in before_any_law.sentence()


@given(
    price=st.integers(0, 10**12),
    quantity=st.integers(0, 10**8),
    limit=st.one_of(st.none(), st.integers(0, 10**12)),
    first_pay=st.integers(0, 10_000),
    class_level=st.sampled_from(["01", "02", "03"]),
    restricted=st.booleans(),
    flag=st.sampled_from(["0", "1", "2"]),
)
def test_every_line_splits_exactly(
    price: int,
    quantity: int,
    limit: int | None,
    first_pay: int,
    class_level: str,
    restricted: bool,
    flag: str,
) -> None:
    amount = line_amount(price, quantity)
    found = parts(
        split(
            amount, price=price, quantity=quantity, price_limit=limit, first_pay=first_pay, class_level=class_level,
            restricted=restricted, hosp_appr_flag=flag,
        )
    )  # fmt: skip
    assert sum(found) == amount
    assert min(found) >= 0
