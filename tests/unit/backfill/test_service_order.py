"""Late bills stand where they would stand without a window, whatever order they came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from yibao.domains.settlements.model import Settlement
from yibao.usecases.backfill.decide_in_order import Purse
from yibao.usecases.backfill.service_order import Standing, blocked_by, first_moved, in_service_order

START = datetime(2025, 10, 1, tzinfo=UTC)


class Stub:
    """A settlement as far as its place is concerned."""

    def __init__(self, setl_id: str, account: int = 0) -> None:
        self.setl_id, self.account_fen, self.shared_fen = setl_id, account, 0


def standing(hour: int, *, late: bool = False, fixed: bool = False, account: int = 0) -> Standing:
    return Standing(
        settlement=cast(Settlement, Stub(f"{hour}", account)), service_at=START + timedelta(hours=hour), is_late=late,
        is_fixed=fixed, is_stay=False, plan="",
    )


def hours(order: list[Standing]) -> list[int]:
    return [round((one.service_at - START) / timedelta(hours=1)) for one in order]


def test_a_late_bill_goes_before_what_serves_a_later_instant() -> None:
    held = [standing(1), standing(9), standing(5, late=True)]
    assert hours(in_service_order(held)) == [1, 5, 9]
    assert first_moved(held, in_service_order(held)) == 1


def test_what_no_window_made_late_keeps_its_order() -> None:
    held = [standing(9), standing(3), standing(20, late=True)]
    assert hours(in_service_order(held)) == [9, 3, 20]
    assert first_moved(held, in_service_order(held)) is None


def test_what_was_paid_by_hand_and_what_came_before_it_stay() -> None:
    held = [standing(2), standing(8, fixed=True), standing(12), standing(5, late=True)]
    assert hours(in_service_order(held)) == [2, 8, 5, 12]
    assert blocked_by(held) is held[1]
    assert blocked_by(held[:3]) is None


@given(
    st.lists(st.integers(0, 40), unique=True, max_size=6), st.lists(st.integers(41, 80), unique=True, max_size=4),
    st.randoms(use_true_random=False),
)
def test_the_order_of_entry_changes_nothing(late: list[int], ordinary: list[int], random: Any) -> None:
    # Ordinary bills are counted as they come; late ones come anywhere among them. Hours of care are spread over all of it.
    spread = {hour: random.randrange(200) for hour in [*late, *ordinary]}
    bills = {hour: standing(spread[hour] * 100 + hour, late=hour in late) for hour in spread}
    entries = []
    for _ in range(2):
        order = [bills[h] for h in ordinary]
        for hour in random.sample(late, len(late)):
            order.insert(random.randrange(len(order) + 1), bills[hour])
        entries.append(in_service_order(order))
    assert entries[0] == entries[1]
    placed = [one.service_at for one in entries[0] if one.is_late]
    assert placed == sorted(placed)
    assert [one for one in entries[0] if not one.is_late] == [bills[h] for h in ordinary]


def test_the_account_pays_what_it_could_have_paid_then() -> None:
    # 100.00 was there; the bill of hour 9 drew 70.00, then 200.00 came in, and the bill of hour 5 came late and drew 80.00.
    counted = [standing(9, account=7000), standing(5, late=True, account=8000)]
    purse = Purse.of(counted, 30000 - 7000 - 8000)
    assert purse.has_for("5", 30000 - 7000) == 30000
    purse.spent += 8000
    # The later one had 100.00 before it; 80.00 of it are gone now. The 200.00 that came since are not its own.
    assert purse.has_for("9", 10000) == 2000
    purse.spent += 2000
    assert purse.left - purse.spent == 20000
