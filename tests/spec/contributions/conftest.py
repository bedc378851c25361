"""A small region by hand: an employer, flexible workers, a household, retirees, and the clerk who works their dues."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from yibao.infra.database import Connection, Database
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import CountingIds
from yibao.usecases.contributions.book_arrival import Arrival, book_arrival
from yibao.usecases.contributions.receive_payment import Payment, Received, receive_payment
from yibao.usecases.contributions.send_bills import send_bills
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.verify_books import verify_books

SHELF = PolicyShelf({code: city_policy(code) for code in (ZIBO, HUIZHOU)})
CLERK = Actor(login="clerk.one", channel="api", regions=(ZIBO, HUIZHOU), roles=("intake",))
CHECKER = Actor(login="clerk.two", channel="api", regions=(ZIBO, HUIZHOU), roles=("approve",))
TAX = Actor(login="party:tax", channel="exchange", regions=(ZIBO, HUIZHOU))


def noon(day: date | str) -> datetime:
    """Return noon in China of a day."""
    on = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime(on.year, on.month, on.day, 12, tzinfo=SHANGHAI)


class Town:
    """One region's people and the deeds done to them."""

    def __init__(self, database: Database, admdvs: str = ZIBO) -> None:
        self.database, self.admdvs, self.ids = database, admdvs, CountingIds(1)
        self._count = 0

    async def run(self, sql: str, *values: Any) -> list[Any]:
        """Run a statement as the owner."""
        async with self.database.transaction() as tx:
            return list(await tx.fetch(sql, *values))

    async def employer(self, emp_no: str) -> str:
        """Register an employer."""
        await self.run("insert into enrolment.employer (emp_no, admdvs, name, uscc) values ($1, $2, $3, $4)",
                       emp_no, self.admdvs, f"单位{emp_no}", f"91370300{emp_no}")
        return emp_no

    async def person(
        self, *, insutype: str = "310", psn_type: str = "1101", kind: str = "employed", emp_no: str | None = None,
        wage_fen: int | None = None, insured_on: date = date(2024, 1, 1), account_kind: str = "with_account",
        household_no: str = "", identities: tuple[str, ...] = (), birth_on: date = date(1980, 5, 5),
        paused_on: date | None = None,
    ) -> str:
        """Enrol a person and return the number."""
        self._count += 1
        psn_no = f"{self.admdvs}{self._count:06d}"
        await self.run(
            "insert into people.person (psn_no, admdvs, cert_type, certno, name, sex, birth_on, household_no) "
            "values ($1, $2, '01', $3, $4, '1', $5, $6)",
            psn_no, self.admdvs, f"C{psn_no}", f"人{self._count}", birth_on, household_no)
        await self.relate(psn_no, insutype=insutype, psn_type=psn_type, kind=kind, emp_no=emp_no, wage_fen=wage_fen,
                          insured_on=insured_on, account_kind="none" if insutype == "390" else account_kind,
                          paused_on=paused_on)
        for identity in identities:
            await self.run("insert into enrolment.special_identity (psn_no, identity_type, admdvs, valid_from) "
                           "values ($1, $2, $3, $4)", psn_no, identity, self.admdvs, date(2020, 1, 1))
        return psn_no

    async def relate(
        self, psn_no: str, *, insutype: str, psn_type: str, kind: str, emp_no: str | None = None, wage_fen: int | None = None,
        insured_on: date, account_kind: str = "with_account", paused_on: date | None = None,
    ) -> str:
        """Write an enrolment relation and return its id."""
        relation_id = f"R{insutype}{insured_on:%Y%m%d}"
        await self.run(
            "insert into enrolment.relation (psn_no, relation_id, admdvs, insutype, psn_type, status, emp_no, account_kind, "
            "insured_on, paused_on, benefit_from, enrolment_kind, wage_fen) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $11, $12)",
            psn_no, relation_id, self.admdvs, insutype, psn_type, "1" if paused_on is None else "4", emp_no, account_kind,
            insured_on, paused_on, kind, wage_fen)
        return relation_id

    async def deed(self, use_case: Any, command: Any, *, on: str, actor: Actor = CLERK, **more: Any) -> Any:
        """Do a deed in one transaction at noon of a day."""
        async with self.database.transaction() as tx:
            return await use_case(tx, command, actor=actor, now=noon(on), ids=self.ids, **more)

    async def send(self, on: str) -> Any:
        """Send the open bills to the tax bureau."""
        return await send_bills(self.database, admdvs=self.admdvs, now=noon(on), ids=self.ids, actor=CLERK)

    async def pay(
        self, payment_id: str, bill_id: str, amount_fen: int, *, on: str, payer_no: str = "", channel: str = "tax_app",
    ) -> Received:
        """Let the tax bureau tell a payment."""
        payment = Payment(payment_id=payment_id, bill_id=bill_id, amount_fen=amount_fen, channel=channel, paid_at=noon(on),
                          payer_no=payer_no, admdvs=self.admdvs)
        got = await self.deed(receive_payment, payment, on=on, actor=TAX, shelf=SHELF)
        assert isinstance(got, Received), got
        return got

    async def arrive(self, arrival_id: str, payment_ids: tuple[str, ...], amount_fen: int, *, on: str) -> Any:
        """Let the tax bureau tell what it sent to the bank."""
        arrival = Arrival(arrival_id=arrival_id, arrived_on=date.fromisoformat(on), payment_ids=payment_ids,
                          amount_fen=amount_fen, admdvs=self.admdvs)
        return await self.deed(book_arrival, arrival, on=on, actor=TAX, shelf=SHELF)

    async def dues(self, psn_no: str = "") -> list[Any]:
        """Return dues as (due_id, total, state, payer_kind, bill)."""
        return [tuple(r) for r in await self.run(
            "select due_id, total_fen, state, payer_kind, bill_id from contributions.due where $1 = '' or psn_no = $1 "
            "order by psn_no, due_id", psn_no)]

    async def bill(self, payer_no: str) -> Any:
        """Return the payer's newest bill."""
        rows = await self.run("select * from contributions.bill where payer_no = $1 order by made_at desc, bill_id desc limit 1",
                              payer_no)
        return rows[0]

    async def cases(self, state: str = "open") -> list[str]:
        """Return the kinds of cases in a state."""
        return [r["kind"] for r in await self.run(
            "select kind from contributions.work_case where state = $1 order by opened_at, case_id", state)]

    async def balance(self, account: str) -> int:
        """Return what a ledger account received less what it gave."""
        rows = await self.run("select coalesce(sum(l.amount), 0)::bigint as fen from ledger.posting p, "
                              "unnest(p.accounts, p.amounts) l(account, amount) where l.account = $1", account)
        return int(rows[0]["fen"])

    async def breaches(self, *harm: str) -> list[Any]:
        """Return what ``verify`` finds, after some harm that is rolled back."""
        connection: Connection
        async with self.database.connection() as connection:
            await connection.execute("begin isolation level repeatable read")
            try:
                for statement in harm:
                    await connection.execute(statement)
                return [f.says for f in await verify_books(connection, replay=1) if f.breaches]
            finally:
                await connection.execute("rollback")


def day_after(day: str, days: int = 1) -> str:
    """Return an ISO day some days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


@pytest.fixture
async def town(fresh_database_url: str) -> AsyncIterator[Town]:
    """Open an empty region of Zibo."""
    database = await Database.open(fresh_database_url, role=None, size=3)
    yield Town(database)
    await database.close()
