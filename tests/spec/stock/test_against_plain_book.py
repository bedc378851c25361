"""Random months of a shop: the platform's stock equals a plain book that is read from the first line to the last."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction

import asyncpg
import pytest

from tests.support.storeroom import PlainBook, change, count, purchase, sale, send, stock_of, today
from tests.support.till import Till
from yibao.usecases.verification.reference_checks import REFERENCE_CHECKS

SHELVES = [("P1", "b1"), ("P1", "b2"), ("P2", "b1")]
KINDS_OF_TYPE = {"1": ("count",), "2": ("change",), "3": ("purchase", "supplier_return"), "4": ("sale", "sale_return")}
SENT_AS = {"purchase": "3503", "supplier_return": "3504", "sale": "3505", "sale_return": "3506"}
SIGN = {"purchase": 1, "supplier_return": -1, "sale": -1, "sale_return": 1}


def one_step(rng: random.Random, shop: Till, book: PlainBook, prefix: str) -> None:
    """Send one random record or deletion and note it; what the book says cannot be must be refused."""
    own, batch = rng.choice(SHELVES)
    own, batch = prefix + own, prefix + batch
    shelf, days = (own, batch), rng.randrange(8)
    day = today() - timedelta(days=days)
    amount = Fraction(rng.randrange(1, 80), rng.choice([1, 2, 4]))
    kind = rng.choice(["count", "change", "purchase", "supplier_return", "sale", "sale", "sale_return", "delete"])
    number = float(amount)
    if kind == "delete":
        data_type = rng.choice("1234")
        is_there = book.delete(batch, KINDS_OF_TYPE[data_type])
        assert send(shop, "3507", {"data": {"fixmedins_bchno": batch, "inv_data_type": data_type}}).ok == is_there
    elif kind == "count":
        assert send(shop, "3501", {"invinfo": count(number, days_ago=days, own=own, batch=batch)}).ok
        book.put("count", shelf, day, amount)
    elif kind == "change":
        code, sign = rng.choice([("101", 1), ("102", -1), ("103", 1), ("104", -1), ("110", 1), ("111", -1)])
        assert send(shop, "3502", {"invinfo": change(code, number, days_ago=days, own=own, batch=batch)}).ok
        book.put("change", shelf, day, sign * amount)
    else:
        node = "purcinfo" if kind in ("purchase", "supplier_return") else "selinfo"
        content = (
            purchase(number, days_ago=days, own=own, batch=batch) if node == "purcinfo"
            else sale(number, days_ago=days, fixmedins_hilist_id=own, fixmedins_bchno=batch)
        )
        can_be = True
        if kind == "sale_return":
            can_be = book.total("sale_return", shelf) + amount <= book.total("sale", shelf)
        elif kind == "supplier_return":
            bought, back = book.total("purchase", shelf), book.total("supplier_return", shelf)
            if any(r["kind"] == "count" and r["shelf"] == shelf and not r["gone"] for r in book.rows):
                bought = max(bought, back + book.stock(shelf))
            can_be = back + amount <= bought
        reply = send(shop, SENT_AS[kind], {node: content})
        assert reply.ok == can_be, (kind, reply.reason)
        if can_be:
            book.put(kind, shelf, day, SIGN[kind] * amount)


@pytest.mark.parametrize("seed", range(6))
def test_random_months_equal_the_plain_book(till_for: Callable[..., Till], seed: int) -> None:
    rng, book, shop, prefix = random.Random(seed), PlainBook(), till_for(kind="2"), f"s{seed}"
    for _ in range(60):
        one_step(rng, shop, book, prefix)
    for own, batch in SHELVES:
        shelf = (prefix + own, prefix + batch)
        expected = book.stock(shelf)
        assert (stock_of(shop, own=shelf[0], batch=shelf[1]) or 0) == float(expected), shelf


def test_after_random_months_nothing_is_broken(world_url: str) -> None:
    async def ask() -> list[int]:
        connection = await asyncpg.connect(world_url)
        try:
            return [len(await connection.fetch(check.sql)) for check in REFERENCE_CHECKS]
        finally:
            await connection.close()

    assert asyncio.run(ask()) == [0] * len(REFERENCE_CHECKS)
