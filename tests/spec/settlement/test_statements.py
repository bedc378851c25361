"""What a settlement costs the database: few statements, as many for one fee line as for thirty, and few round trips."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import asyncpg
import pytest

from bench.counting import Cost, CountingGateway, counting_gateway
from tests.support.till import Till

STATEMENTS_MAX = 15
ROUND_TRIPS_MAX = 4
WARM_UP_VISITS = 3
"""Plans and types are looked up during the first settlements of a connection; the ones after that are counted."""


@pytest.fixture
async def gateway(world_url: str) -> AsyncIterator[CountingGateway]:
    """The gateway over a connection that logs every statement: only a superuser may ask for that."""
    async with counting_gateway(world_url.replace("//yibao@", "//postgres@")) as opened:
        yield opened


@pytest.fixture
def bill_of(till: Till, world: Mapping[str, Any]) -> Callable[[int], bytes]:
    """Return a function that makes the 2207 message of a new visit with so many fee lines."""
    patient = next(p for p in world["patients"] if p["insutype"] == "310" and p["visit"]["med_type"] == "11")
    drugs = [i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] != "03"]

    def bill(size: int) -> bytes:
        lines = [
            {"med_list_codg": d["med_list_codg"], "medins_list_codg": d["medins_list_codg"], "pric": d["price"], "cnt": 1,
             "det_item_fee_sumamt": d["price"]}
            for d in drugs[:size]
        ]
        content = till.prepare(patient, {**patient["visit"], "lines": lines})
        message = till.envelope("2207", content, insured_place=patient["insuplc_admdvs"])
        return json.dumps(message, ensure_ascii=False).encode()

    return bill


async def settled(gateway: CountingGateway, body: bytes) -> Cost:
    """Settle and return the cost; anything but a settlement fails the test."""
    cost = await gateway.answer(body)
    assert json.loads(cost.reply)["infcode"] == 0, cost.reply.decode()
    return cost


async def test_thirty_lines_cost_what_one_line_costs(
    gateway: CountingGateway, bill_of: Callable[[int], bytes]
) -> None:
    for _ in range(WARM_UP_VISITS):
        await settled(gateway, bill_of(2))
    one, thirty = await settled(gateway, bill_of(1)), await settled(gateway, bill_of(30))
    assert one.statements == thirty.statements
    assert one.round_trips == thirty.round_trips
    assert len(thirty.statements) <= STATEMENTS_MAX, thirty.statements
    assert thirty.round_trips <= ROUND_TRIPS_MAX
    # The count looks into database functions: their writes are not hidden from it.
    assert sum(place.startswith("settlements.write") for place in thirty.statements) >= 5, thirty.statements


async def test_a_repeated_message_costs_no_more(gateway: CountingGateway, bill_of: Callable[[int], bytes]) -> None:
    body = bill_of(10)
    first = await settled(gateway, body)
    await settled(gateway, body)
    again = await settled(gateway, body)
    assert again.reply == first.reply
    assert len(again.statements) <= STATEMENTS_MAX, again.statements
    assert again.round_trips <= ROUND_TRIPS_MAX


async def test_a_settlement_that_meets_another_change_takes_its_turn_in_two_more(
    gateway: CountingGateway, bill_of: Callable[[int], bytes], world_url: str
) -> None:
    earlier = bill_of(2)
    for _ in range(WARM_UP_VISITS):
        await settled(gateway, earlier)  # the repeats look for the stored reply in the person's turn
    await settled(gateway, bill_of(2))
    body = bill_of(10)
    changing, watching = await asyncpg.connect(world_url), await asyncpg.connect(world_url)
    try:
        await changing.execute("begin")
        await changing.execute(
            "update people.person set version = version + 1 where psn_no = $1", json.loads(body)["input"]["data"]["psn_no"]
        )
        settling = asyncio.create_task(settled(gateway, body))
        while not settling.done() and not await watching.fetchval("select count(*) from pg_locks where not granted"):
            pass
        await changing.execute("commit")
        cost = await settling
    finally:
        await changing.close()
        await watching.close()
    assert sum(place.startswith("settlements.take_turn") for place in cost.statements) >= 1, cost.statements
    assert cost.round_trips <= ROUND_TRIPS_MAX
