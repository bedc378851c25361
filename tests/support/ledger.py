"""Postings written by hand into an empty database: what a month of a region might hold, without any use case."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from yibao.kernel.business_time import SHANGHAI

T = TypeVar("T")
REGION = "370300"


def at(text: str) -> datetime:
    """Return an instant of business time: ``2024-07-03 09:00``."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)


class HandLedger:
    """A database whose postings are written one by one; each transaction is rolled back or kept as the test says."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._number = 0

    def run(self, work: Callable[[asyncpg.Connection], Awaitable[T]], *, keep: bool = True) -> T:
        """Do some work in one transaction."""
        async def go() -> T:
            connection = await asyncpg.connect(self.url)
            try:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    done = await work(connection)
                except BaseException:
                    await transaction.rollback()
                    raise
                await (transaction.commit() if keep else transaction.rollback())
                return done
            finally:
                await connection.close()

        return asyncio.run(go())

    def do(self, *statements: str) -> None:
        """Run statements and keep what they did."""
        async def work(connection: asyncpg.Connection) -> None:
            for sql in statements:
                await connection.execute(sql)

        self.run(work)

    def fetch(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return rows as plain tuples."""
        async def work(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await connection.fetch(sql, *values)]

        return self.run(work)

    def post(
        self, kind: str, when: str, legs: Mapping[str, int], *, psn_no: str = "P1", posting_id: str = "", region: str = REGION
    ) -> None:
        """Write a posting; accounts may be short: ``310100`` is that fund, ``bank``, ``payout`` and the like the region's.

        A leg of a personal account moves its balance too, as whoever writes the ledger must.
        """
        self._number += 1
        names = [_account(name, region) for name in legs]
        own = sum(amount for name, amount in legs.items() if name.startswith("account:"))

        async def work(connection: asyncpg.Connection) -> None:
            await connection.execute(
                "insert into ledger.posting (psn_no, posting_id, admdvs, kind, posted_at, accounts, amounts) "
                "values ($1, $2, $3, $4, $5, $6, $7)",
                psn_no, posting_id or f"X{self._number}", region, kind, at(when), names, list(legs.values()),
            )
            if own:
                moved = await connection.execute(
                    "update ledger.personal_account set balance_fen = balance_fen + $2 where psn_no = $1", psn_no, own
                )
                if moved == "UPDATE 0":
                    await connection.execute(
                        "insert into ledger.personal_account (psn_no, admdvs, balance_fen, opened_on) values ($1, $2, $3, $4)",
                        psn_no, region, own, at(when).date(),
                    )

        self.run(work)


def _account(name: str, region: str) -> str:
    if ":" in name:
        return name
    return f"fund:{region}:{name}" if name.isdecimal() else f"{name}:{region}"
