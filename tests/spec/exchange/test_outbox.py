"""What is put out for a party: once under its key, in the order of commits, without gaps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from yibao.infra.database import Database
from yibao.kernel.ids import RandomIds
from yibao.usecases.exchange.put_out import put_out, put_out_many

NOW = datetime(2024, 7, 3, 2, 0, tzinfo=UTC)
ROWS = "select no, kind, key, body from exchange.outbox where party = $1 order by no"


async def put(database: Database, party: str, key: str, **body: object) -> bool:
    """Put one message in a transaction of its own."""
    async with database.transaction() as tx:
        return await put_out(tx, party=party, kind="bill", key=key, body=dict(body), admdvs="370300", now=NOW, ids=RandomIds())


async def test_the_same_message_is_put_once(database: Database) -> None:
    assert await put(database, "tax", "B1", amount_fen=100, payer="甲")
    assert not await put(database, "tax", "B1", payer="甲", amount_fen=100)
    rows = await database.fetch(ROWS, "tax")
    assert [tuple(r) for r in rows] == [(1, "bill", "B1", '{"amount_fen":100,"payer":"甲"}')]


async def test_other_words_under_the_same_key_are_a_defect(database: Database) -> None:
    await put(database, "bank", "F1", amount_fen=1)
    with pytest.raises(AssertionError, match="F1"):
        await put(database, "bank", "F1", amount_fen=2)


async def test_what_is_rolled_back_leaves_no_gap(database: Database) -> None:
    await put(database, "hr", "a", n=1)

    async def fails() -> None:
        async with database.transaction() as tx:
            await put_out(tx, party="hr", kind="bill", key="b", body={}, admdvs="370300", now=NOW, ids=RandomIds())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    await put(database, "hr", "c", n=1)
    assert [(r["no"], r["key"]) for r in await database.fetch(ROWS, "hr")] == [(1, "a"), (2, "c")]


async def test_many_at_once_are_numbered_in_order_and_only_the_new_ones(database: Database) -> None:
    async def many(keys: range) -> int:
        async with database.transaction() as tx:
            return await put_out_many(
                tx, party="civil", kind="bill", messages=[(f"k{i}", {"i": i}) for i in keys], admdvs="370300", now=NOW,
                ids=RandomIds(),
            )

    assert await many(range(5)) == 5
    assert await many(range(3, 8)) == 3
    assert [(r["no"], r["key"]) for r in await database.fetch(ROWS, "civil")] == [(i + 1, f"k{i}") for i in range(8)]


async def test_writers_at_once_are_numbered_without_gaps_or_repeats(database: Database) -> None:
    """Four connections put forty messages at once: the numbers are 1 to 40, each key once."""
    await asyncio.gather(*(put(database, "police", f"p{i % 40}", i=i % 40) for i in range(80)))
    rows = await database.fetch(ROWS, "police")
    assert [r["no"] for r in rows] == list(range(1, 41))
    assert {r["key"] for r in rows} == {f"p{i}" for i in range(40)}
