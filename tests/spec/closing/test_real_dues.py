"""A unit's July: assessed, paid with five yuan too much, arrived, credited, closed; in August the five yuan go back.

One employee with 5000 yuan in Zibo: 400.00 by the unit, 100.00 by himself, 100.00 into his account (2 %).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import date

import pytest

from tests.spec.closing.conftest import AUGUST, JULY, actor
from tests.spec.contributions.conftest import CHECKER, SHELF, TAX, Town, noon
from tests.spec.contributions.test_assessment import assess
from yibao.infra.database import Database
from yibao.kernel.refusal import Refusal
from yibao.usecases.closing.close_month import ClosedMonth, CloseMonth, close_month
from yibao.usecases.closing.export_vouchers import VoucherBook, read_vouchers
from yibao.usecases.contributions.finish_refund import RefundDone, finish_refund
from yibao.usecases.contributions.reconcile_tax import Statement, StatementRow, reconcile_tax
from yibao.usecases.contributions.refund_payment import RefundRequest, approve_refund, request_refund
from yibao.usecases.personal_accounts.credit_month import credit_month
from yibao.usecases.verification.closing_checks import CLOSING_CHECKS

REGION = "370300"


@pytest.fixture
async def town(fresh_database_url: str) -> AsyncIterator[Town]:
    """Open an empty region of Zibo."""
    database = await Database.open(fresh_database_url, role=None, size=3)
    await database.fetch("insert into platform.region (admdvs, name) values ('370300', '淄博市')")
    yield Town(database)
    await database.close()


async def close(town: Town, month: date, on: str) -> ClosedMonth | Refusal:
    done: ClosedMonth | Refusal = await town.deed(
        close_month, CloseMonth(admdvs=REGION, month=month), on=on, actor=actor("张会计")
    )
    return done


async def parties(town: Town, month: date) -> dict[tuple[str, str], int]:
    """Return debit less credit of what is no fund, by book, without the funds' own lines."""
    async with town.database.transaction() as tx:
        book = await read_vouchers(tx, admdvs=REGION, month=month)
    assert isinstance(book, VoucherBook)
    sums: dict[tuple[str, str], int] = {}
    for voucher in book.vouchers:
        for line in voucher.lines:
            if not line.detail.isdecimal():
                key = (voucher.book, line.detail)
                sums[key] = sums.get(key, 0) + line.debit_fen - line.credit_fen
    return {key: fen for key, fen in sums.items() if fen}


async def test_a_month_of_dues_is_closed_when_everything_is_done(town: Town) -> None:
    await town.employer("E1")
    await town.person(emp_no="E1", wage_fen=500_000)
    await assess(town, JULY, "2024-07-03")
    await town.send("2024-07-04")
    bill = await town.bill("E1")
    await town.pay("P1", bill["bill_id"], 50_500, on="2024-07-10", payer_no="E1")
    await town.arrive("A1", ("P1",), 50_500, on="2024-07-11")
    # Nobody has compared the day with the tax bureau, nothing was credited: both are named, with where to work them.
    refused = await close(town, JULY, "2024-08-02")
    assert isinstance(refused, Refusal)
    assert [f.field for f in refused.faults] == ["checklist.tax_days", "checklist.credit_run"]
    statement = Statement(
        day=date(2024, 7, 10), admdvs=REGION, count=1, amount_fen=50_500, digest=hashlib.new("sm3", b"P1,50500").hexdigest(),
        rows=(StatementRow(payment_id="P1", amount_fen=50_500, bill_id=bill["bill_id"]),),
    )
    await town.deed(reconcile_tax, statement, on="2024-07-10", actor=TAX)
    await credit_month(town.database, admdvs=REGION, month=JULY, now=noon("2024-07-15"), shelf=SHELF)
    done = await close(town, JULY, "2024-08-02")
    assert isinstance(done, ClosedMonth), done
    balances = {b.fund: (b.opening_fen, b.income_fen, b.spending_fen, b.carried_fen) for b in done.balances}
    # The 100.00 of the account came from the fund it is part of.
    assert balances == {"310100": (0, 40_000, 0, 40_000), "310200": (0, 10_000, 0, 10_000)}
    assert await parties(town, JULY) == {
        ("310", "银行存款"): 50_000, ("999", "银行存款"): 500, ("999", "缴费人待分配款"): -500,
    }
    # Said, but no hindrance: the five yuan are a case, and nobody relays messages to the tax bureau in this test.
    assert {line.code: line.open for line in done.checklist if line.open} == {"dues_cases": 1, "exchange": 1}
    assert await broken(town) == []

    await town.deed(request_refund, RefundRequest(refund_id="R1", payment_id="P1", amount_fen=500, reason="多缴"),
                    on="2024-08-05")
    await town.deed(approve_refund, "R1", on="2024-08-06", actor=CHECKER, shelf=SHELF)
    await town.deed(finish_refund, RefundDone(refund_id="R1", done_on=date(2024, 8, 7)), on="2024-08-07", actor=TAX)
    later = await close(town, AUGUST, "2024-09-02")
    assert isinstance(later, ClosedMonth), later
    assert {b.fund: b.carried_fen for b in later.balances} == {"310100": 40_000, "310200": 10_000}
    assert await parties(town, AUGUST) == {("999", "缴费人待分配款"): 500, ("999", "银行存款"): -500}
    assert await broken(town) == []


async def broken(town: Town) -> list[str]:
    """Return which checks about closing find something."""
    return [check.says for check in CLOSING_CHECKS if await town.run(check.sql)]
