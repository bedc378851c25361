"""Spreading a deduction over funds: nothing lost, nobody charged for what it did not bear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.domains.clearing.shares import spread


@pytest.mark.parametrize(("amount", "over", "parts"), [
    (100, {"a": 1, "b": 1}, {"a": 50, "b": 50}),
    # 101 * 2/3 = 67.33, 101 * 1/3 = 33.67: the larger remainder gets the fen that is left.
    (101, {"a": 200, "b": 100}, {"a": 67, "b": 34}),
    (1, {"a": 1, "b": 1, "c": 1}, {"a": 1}),
    (-101, {"a": 200, "b": 100}, {"a": -67, "b": -34}),
    (7, {"a": 0, "b": 9}, {"b": 7}),
    (0, {"a": 3}, {}),
])
def test_by_hand(amount: int, over: dict[str, int], parts: dict[str, int]) -> None:
    assert spread(amount, over) == parts


@given(
    amount=st.integers(-10**9, 10**9),
    over=st.dictionaries(st.text("abcdef", min_size=1), st.integers(0, 10**9), min_size=1).filter(lambda d: sum(d.values()) > 0),
)
def test_the_parts_sum_and_each_is_within_a_fen_of_its_share(amount: int, over: dict[str, int]) -> None:
    parts, total = spread(amount, over), sum(over.values())
    assert sum(parts.values()) == amount
    for fund, bore in over.items():
        assert abs(parts.get(fund, 0) * total - amount * bore) < total
    assert spread(-amount, over) == {fund: -part for fund, part in parts.items()}, "what is given back mirrors it"


@pytest.mark.parametrize("over", [{}, {"a": 0}, {"a": 5, "b": -1}])
def test_nothing_to_spread_over_is_a_defect(over: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="nothing to spread over"):
        spread(5, over)
