"""A region of a few people made by hand, and a window on its ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, datetime
from typing import Any, TypeVar

import asyncpg
import pytest

from yibao.infra.database import Connection, Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import CountingIds
from yibao.policy.law.loading import load_policy
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.verify_books import verify_books

T = TypeVar("T")
REGION = "370300"
AGENCY_ROLE = "yibao_agency"
MAKER = Actor(login="maker", channel="cli", regions=(REGION,), roles=("review",))
CHECKER = Actor(login="checker", channel="cli", regions=(REGION,), roles=("approve",))


def noon(day: date) -> datetime:
    """Return noon of a day in China."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)


class Region:
    """The database of one test, with hands to make people and eyes on their money."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.shelf = PolicyShelf({r: load_policy(files) for r, files in read_policy_files().items() if r == REGION})
        self.ids = CountingIds()
        self._made = 0

    def run(self, deed: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something in one transaction as the owner; what refuses is rolled back by nobody here."""
        async def within() -> T:
            database = await Database.open(self.url, role=None, size=1)
            try:
                async with database.transaction() as tx:
                    return await deed(tx)
            finally:
                await database.close()

        return asyncio.run(within())

    def agency(self, deed: Callable[[Connection], Awaitable[T]], *, regions: tuple[str, ...] = (REGION,)) -> T:
        """Do something as the agency's way in does: with its rights, and seeing only its regions."""
        async def within() -> T:
            database = await Database.open(self.url, role=AGENCY_ROLE, size=1)
            try:
                async with database.transaction(regions=regions) as tx:
                    return await deed(tx)
            finally:
                await database.close()

        return asyncio.run(within())

    def batch(self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Do a batch, which makes its own transactions."""
        async def within() -> T:
            database = await Database.open(self.url, role=None, size=2)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(within())

    def execute(self, sql: str, *values: Any) -> None:
        """Change something by hand."""
        async def change(tx: Connection) -> None:
            await tx.execute(sql, *values)

        self.run(change)

    def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Return rows as the owner sees them."""
        async def read(tx: Connection) -> list[asyncpg.Record]:
            return await tx.fetch(sql, *values)

        return self.run(read)

    def person(self, *, born: date = date(1980, 3, 1), card: str | None = None, balance: int | None = None) -> str:
        """Make a person, with an account when a balance (fen) is given, and return the number."""
        self._made += 1
        psn_no = f"3703{self._made:020d}"
        self.execute(
            "insert into people.person (psn_no, admdvs, cert_type, certno, name, sex, birth_on, card_no) "
            "values ($1, $2, '01', $3, $4, '1', $5, $6)",
            psn_no, REGION, f"T{self._made:017d}", f"甲{self._made}", born, card,
        )
        if balance is not None:
            self.execute("insert into ledger.personal_account (psn_no, admdvs, balance_fen, opened_on) "
                         "values ($1, $2, $3, '2023-01-01')", psn_no, REGION, balance)
            if balance:
                self.execute(
                    "insert into ledger.posting (psn_no, posting_id, admdvs, kind, posted_at, accounts, amounts) values "
                    "($1, 'opening', $2, 'opening', '2023-12-31 00:00+08', array['opening:370300', 'account:' || $1], "
                    "array[-$3::bigint, $3])", psn_no, REGION, balance)
        return psn_no

    def relation(
        self, psn_no: str, *, psn_type: str = "1101", insutype: str = "310", kind: str = "employed",
        begins: date = date(2024, 1, 1), ends: date | None = None, status: str = "1", cause: str = "",
        account_kind: str = "with_account",
    ) -> str:
        """Enrol a person."""
        relation_id = f"{insutype}-{begins:%Y%m%d}-{psn_type}"
        self.execute(
            "insert into enrolment.relation (psn_no, relation_id, admdvs, insutype, psn_type, status, account_kind, "
            "insured_on, paused_on, benefit_from, enrolment_kind, end_cause) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $10, $11)",
            psn_no, relation_id, REGION, insutype, psn_type, status, account_kind, begins, ends, kind, cause,
        )
        return relation_id

    def due(
        self, psn_no: str, month: date, *, base: int, state: str = "arrived", kind: str = "regular", months: int = 1,
        insutype: str = "310", arrived: date | None = None,
    ) -> None:
        """Book a due of a month."""
        self.execute(
            "insert into contributions.due (psn_no, due_id, admdvs, relation_id, insutype, month, months, kind, payer_kind, "
            "payer_no, base_fen, parts, amounts, funds, total_fen, bill_id, state, assessed_at, paid_on, paid_at, arrived_on, "
            "arrived_at, policy_version) values ($1, $2, $3, 'r', $4, $5, $6, $7, 'unit', 'E1', $8, '{}', '{}', '{}', 0, 'B1', "
            "$9, '2024-01-01', $10, '2024-01-01', $10, '2024-01-01', 'v')",
            psn_no, f"{insutype}-{month:%Y%m}-{kind}", REGION, insutype, month, months, kind, base, state,
            arrived or date(2024, 1, 1),
        )

    def arrive(self, psn_no: str, month: date) -> None:
        """Let a due of a month arrive."""
        self.execute("update contributions.due set state = 'arrived' where psn_no = $1 and month = $2 and insutype = '310'",
                     psn_no, month)

    def balance(self, psn_no: str) -> int | None:
        """Return a balance, None where there is no account."""
        rows = self.fetch("select balance_fen from ledger.personal_account where psn_no = $1", psn_no)
        return rows[0][0] if rows else None

    def version(self, psn_no: str) -> int:
        """Return a person's version."""
        return int(self.fetch("select version from people.person where psn_no = $1", psn_no)[0][0])

    def ledger(self, account: str) -> int:
        """Return the sum of what an account received and gave, over every posting."""
        return int(self.fetch("select coalesce(sum(a), 0) from ledger.posting p, unnest(p.accounts, p.amounts) l(n, a) "
                              "where l.n = $1", account)[0][0])

    def breaches(self, *harm: str) -> list[str]:
        """Return what ``verify`` finds, after some harm that is rolled back."""
        async def run() -> list[str]:
            connection = await asyncpg.connect(self.url)
            transaction = connection.transaction()
            await transaction.start()
            try:
                for statement in harm:
                    await connection.execute(statement)
                return [f.says for f in await verify_books(connection, replay=5) if f.breaches]
            finally:
                await transaction.rollback()
                await connection.close()

        return asyncio.run(run())


@pytest.fixture(scope="module")
def region(database_url: str) -> Iterator[Region]:
    """Open an empty region."""
    opened = Region(database_url)
    opened.execute("insert into platform.region (admdvs, name) values ($1, '淄博市') on conflict do nothing", REGION)
    return opened
