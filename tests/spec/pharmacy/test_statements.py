"""What a sale costs the database: few statements, as many for one line as for thirty, and few round trips."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import asyncpg
import pytest

from bench.counting import Cost, CountingGateway, counting_gateway
from tests.spec.pharmacy.conftest import Item
from tests.support.drugstore import Drugstore, Prescriber, sold

STATEMENTS_MAX = 15
ROUND_TRIPS_MAX = 4
WARM_UP_SALES = 3
"""Plans and types are looked up during the first settlements of a connection; the ones after that are counted."""
Body = Callable[..., bytes]


@pytest.fixture
async def gateway(world_url: str) -> AsyncIterator[CountingGateway]:
    """The gateway over a connection that logs every statement: only a superuser may ask for that."""
    async with counting_gateway(world_url.replace("//yibao@", "//postgres@")) as opened:
        yield opened


@pytest.fixture
def body_of(drugstore: Drugstore, patient: Mapping[str, Any], drugs: list[Item]) -> Body:
    """Return a function that makes the 2102 message of a sale with so many lines; ``rxno`` puts them on a prescription."""

    def body(size: int, rxno: str = "", infno: str = "2102") -> bytes:
        content = drugstore.purchase(patient, [sold(drug, 0.01, rxno=rxno) for drug in drugs[:size]])
        message = drugstore.till.envelope(infno, content, insured_place=patient["insuplc_admdvs"])
        return json.dumps(message, ensure_ascii=False).encode()

    return body


async def answered(gateway: CountingGateway, body: bytes) -> Cost:
    """Send and return the cost; anything but success fails the test."""
    cost = await gateway.answer(body)
    assert json.loads(cost.reply)["infcode"] == 0, cost.reply.decode()
    return cost


@pytest.mark.drives("2102")
async def test_thirty_lines_cost_what_one_line_costs(gateway: CountingGateway, body_of: Body) -> None:
    for _ in range(WARM_UP_SALES):
        await answered(gateway, body_of(2))
    one, thirty = await answered(gateway, body_of(1)), await answered(gateway, body_of(30))
    assert one.statements == thirty.statements
    assert one.round_trips == thirty.round_trips
    assert len(thirty.statements) <= STATEMENTS_MAX, thirty.statements
    assert thirty.round_trips == 2  # one read, one write
    # The count looks into database functions: their writes are not hidden from it.
    assert sum(place.startswith("dispensing.write_sale") for place in thirty.statements) >= 3, thirty.statements


async def test_a_sale_on_a_prescription_costs_little_more(
    gateway: CountingGateway, body_of: Body, prescriber: Prescriber, drugstore: Drugstore, patient: Mapping[str, Any],
    drugs: list[Item],
) -> None:
    rx = prescriber.prescribe(patient, [(drug, 2) for drug in drugs[:30]])
    drugstore.accept(rx)
    for _ in range(WARM_UP_SALES):
        await answered(gateway, body_of(2, rx["hiRxno"]))
    one, thirty = await answered(gateway, body_of(1, rx["hiRxno"])), await answered(gateway, body_of(30, rx["hiRxno"]))
    assert one.statements == thirty.statements
    assert len(thirty.statements) <= STATEMENTS_MAX, thirty.statements
    assert (one.round_trips, thirty.round_trips) == (2, 2)


async def test_a_trial_is_one_question(gateway: CountingGateway, body_of: Body) -> None:
    for _ in range(WARM_UP_SALES):
        await answered(gateway, body_of(2, infno="2101"))
    cost = await answered(gateway, body_of(30, infno="2101"))
    assert cost.round_trips == 1
    assert len(cost.statements) <= STATEMENTS_MAX


async def test_a_repeated_message_costs_no_more(gateway: CountingGateway, body_of: Body) -> None:
    body = body_of(10)
    first = await answered(gateway, body)
    await answered(gateway, body)
    again = await answered(gateway, body)
    assert again.reply == first.reply
    assert len(again.statements) <= STATEMENTS_MAX, again.statements
    assert again.round_trips <= ROUND_TRIPS_MAX


async def test_a_sale_that_meets_another_change_takes_its_turn_in_two_more(
    gateway: CountingGateway, body_of: Body, patient: Mapping[str, Any], world_url: str
) -> None:
    earlier = body_of(2)
    for _ in range(WARM_UP_SALES):
        await answered(gateway, earlier)  # the repeats look for the stored reply in the person's turn
    changing, watching = await asyncpg.connect(world_url), await asyncpg.connect(world_url)
    try:
        await changing.execute("begin")
        await changing.execute("update people.person set version = version + 1 where psn_no = $1", patient["psn_no"])
        selling = asyncio.create_task(answered(gateway, body_of(10)))
        while not selling.done() and not await watching.fetchval("select count(*) from pg_locks where not granted"):
            pass
        await changing.execute("commit")
        cost = await selling
    finally:
        await changing.close()
        await watching.close()
    assert sum(place.startswith("dispensing.take_turn_for_sale") for place in cost.statements) >= 1, cost.statements
    assert cost.round_trips <= ROUND_TRIPS_MAX
