"""What the money of a stay costs the database: few statements, as many for one line as for thirty, few round trips."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from bench.counting import Cost, CountingGateway, counting_gateway
from tests.spec.stays.conftest import Charges, days_ago
from tests.support.till import total
from tests.support.ward import Stay, Ward

STATEMENTS_MAX = 15
ROUND_TRIPS_MAX = 4
WARM_UP_STAYS = 3
"""Plans and types are looked up during the first settlements of a connection; the ones after that are counted."""

Ready = Callable[[int], tuple[Stay, dict[str, Any]]]


@pytest.fixture
async def gateway(world_url: str) -> AsyncIterator[CountingGateway]:
    """The gateway over a connection that logs every statement: only a superuser may ask for that."""
    async with counting_gateway(world_url.replace("//yibao@", "//postgres@")) as opened:
        yield opened


@pytest.fixture
def ready(ward: Ward, patient: Mapping[str, Any], charges_of: Charges, slot: Callable[[], int]) -> Ready:
    """Return a function that makes a stay with so many lines, and the message that settles it as an interim."""
    def make(size: int) -> tuple[Stay, dict[str, Any]]:
        day = slot()
        stay = ward.admit(patient, days_ago(day))
        charges = [{**c, "feedetl_sn": str(n)} for n, c in enumerate(charges_of(size, each=3), 1)]
        ward.charge(stay, days_ago(day - 1), charges)
        ward.discharge(stay, days_ago(day - 2))
        return stay, ward.envelope("2304", ward.stay_bill(stay, total(charges)), insured_place=stay.place)

    return make


async def done(gateway: CountingGateway, message: Mapping[str, Any]) -> Cost:
    """Send and return the cost; anything but success fails the test."""
    cost = await gateway.answer(json.dumps(message, ensure_ascii=False).encode())
    assert json.loads(cost.reply)["infcode"] == 0, cost.reply.decode()
    return cost


def cancelling(ward: Ward, stay: Stay, cost: Cost) -> dict[str, Any]:
    """Return the message that cancels what a reply reports as settled."""
    setl_id = json.loads(cost.reply)["output"]["setlinfo"]["setl_id"]
    return ward.envelope("2305", {"data": {**stay.key, "setl_id": setl_id}}, insured_place=stay.place)


async def test_thirty_lines_cost_what_one_line_costs(gateway: CountingGateway, ready: Ready, ward: Ward) -> None:
    for _ in range(WARM_UP_STAYS):
        stay, message = ready(2)
        await done(gateway, cancelling(ward, stay, await done(gateway, message)))
    costs = {}
    for size in (1, 30):
        stay, message = ready(size)
        settled = await done(gateway, message)
        costs[size] = (settled, await done(gateway, cancelling(ward, stay, settled)))
    for one, thirty in zip(costs[1], costs[30], strict=True):
        assert one.statements == thirty.statements
        assert one.round_trips == thirty.round_trips
        assert len(thirty.statements) <= STATEMENTS_MAX, thirty.statements
        assert thirty.round_trips <= ROUND_TRIPS_MAX
        # The count looks into database functions: their writes are not hidden from it.
        assert sum(place.startswith("settlements.write") for place in thirty.statements) >= 5, thirty.statements


async def test_reversing_a_lost_settlement_costs_no_more(gateway: CountingGateway, ready: Ready, ward: Ward) -> None:
    for _ in range(WARM_UP_STAYS + 1):
        stay, message = ready(10)
        await done(gateway, message)
        data = {"psn_no": stay.key["psn_no"], "omsgid": message["msgid"], "oinfno": "2304"}
        cost = await done(gateway, ward.envelope("2601", {"data": data}, insured_place=stay.place))
    assert len(cost.statements) <= STATEMENTS_MAX, cost.statements
    assert cost.round_trips <= ROUND_TRIPS_MAX


async def test_a_repeated_settlement_costs_no_more(gateway: CountingGateway, ready: Ready) -> None:
    _, message = ready(10)
    first = await done(gateway, message)
    await done(gateway, message)
    again = await done(gateway, message)
    assert again.reply == first.reply
    assert len(again.statements) <= STATEMENTS_MAX, again.statements
    assert again.round_trips <= ROUND_TRIPS_MAX
