"""A hospital with its accountant, and the agency's desk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import msgspec
import pytest

from tests.spec.books.test_difference_kinds import CLASS, ordinary
from tests.support.accountant import Entry, claim, entry_of
from tests.support.agency import Desk
from tests.support.till import Till
from yibao.usecases.verification.verify_books import verify_books

Book = list[Entry]
FREE = """
select coalesce(sum(case kind when 'refund' then -1 else 1 end), 0), coalesce(sum(medfee_fen), 0)::bigint,
       coalesce(sum(fund_fen), 0)::bigint, coalesce(sum(account_fen), 0)::bigint, coalesce(sum(scope_fen), 0)::bigint,
       coalesce(sum(cash_fen), 0)::bigint
from settlements.settlement s where fixmedins_code = $1 and clr_type = $2
 and not exists (select from clearing.claim_item i where i.setl_id = s.setl_id and i.is_live)
"""
TABLES = ("clearing.file", "clearing.claim", "clearing.claim_item", "clearing.deduction", "clearing.payee",
          "clearing.payment", "clearing.payment_file", "clearing.return_file", "ledger.posting", "ledger.personal_account",
          "settlements.settlement", "settlements.counter", "platform.message", "platform.audit_entry")


class Office(msgspec.Struct, frozen=True):
    """A hospital with its accountant, and the agency's desk."""

    till: Till
    desk: Desk
    people: list[dict[str, Any]]
    url: str

    @property
    def code(self) -> str:
        """Return the hospital's code."""
        return self.till.counter.fixmedins_code

    def settle(self, n: int = 0) -> Entry:
        """Settle a visit and return the book's line."""
        patient = self.people[n % len(self.people)]
        bill = self.till.prepare(patient, patient["visit"])
        return entry_of(self.till.call("2207", bill, insured_place=patient["insuplc_admdvs"])["setlinfo"])

    def cancel(self, entry: Entry) -> Entry:
        """Cancel a settlement and return the negative line."""
        keys = {"setl_id": entry.setl_id, "mdtrt_id": entry.mdtrt_id, "psn_no": entry.psn_no}
        return entry_of(self.till.call("2208", {"data": keys})["setlinfo"], is_refund=True, origin=entry)

    def claim(self, book: Book, **more: Any) -> str:
        """Claim the lines of a book and return the claim's id."""
        return str(self.till.call("3203", claim(book, clr_type=CLASS, **more))["result"]["clr_appy_evt_id"])

    def free(self) -> Book:
        """Return lines with the sums of all that nobody has claimed, none if there is nothing."""
        (row,) = self.fetch(FREE, self.code, CLASS)
        visits, total, fund, account, scope, cash = (int(v) for v in row)
        nothing = Entry("", "", "", 0, 0, 0, False, clr_type=CLASS)
        first = msgspec.structs.replace(nothing, total=total, fund=fund, account=account, scope=scope, cash=cash)
        return [first] + [nothing] * (visits - 1) if visits else []

    def fetch(self, sql: str, *values: Any) -> list[Any]:
        """Return rows as the owner of the tables sees them."""
        async def run() -> list[Any]:
            connection = await asyncpg.connect(self.url)
            try:
                return list(await connection.fetch(sql, *values))
            finally:
                await connection.close()

        return asyncio.run(run())

    def everything(self) -> dict[str, str]:
        """Return a digest of each table that clearing could touch."""
        sums = " union all ".join(
            f"select '{table}', coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {table} t" for table in TABLES
        )
        return dict(self.fetch(sums))

    def breaches(self, *harm: str) -> list[Any]:
        """Return what ``verify`` finds, after some harm that is rolled back."""
        async def run() -> list[Any]:
            connection = await asyncpg.connect(self.url)
            transaction = connection.transaction()
            await transaction.start()
            try:
                for statement in harm:
                    await connection.execute(statement)
                return [f for f in await verify_books(connection, replay=5) if f.breaches]
            finally:
                await transaction.rollback()
                await connection.close()

        return asyncio.run(run())


@pytest.fixture(scope="module")
def office(till_for: Callable[..., Till], world: dict[str, Any], world_url: str) -> Office:
    """Open a hospital whose bank account is known."""
    till, desk = till_for(), Desk(world_url)
    opened = Office(till, desk, ordinary(till, world), world_url)
    desk.payee(opened.code)
    return opened
