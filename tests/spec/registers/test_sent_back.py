"""Money that is paid after collection has stopped goes back at once: it pays nothing, it is listed, the tax bureau is told.

The stop of collection is 2025-04-10 00:00 to 2025-04-14 00:00.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import msgspec
import pytest

from tests.spec.contributions.conftest import SHELF, TAX, Town, noon
from yibao.domains.registers.queries import list_book
from yibao.domains.windows.reading import read_plan
from yibao.infra.database import Database
from yibao.kernel.refusal import Refusal
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.receive_payment import (
    Payment,
    PaymentReturned,
    Received,
    receive_payment,
    return_payment,
)
from yibao.usecases.windows.pass_gate import Gate

PLAN = """
format = 1
name = "april"
admdvs = "370300"
title = "征缴停机"
version = 1
published_by = "医保局"
source = "通知"
announced_on = "2025-04-01"

[[track]]
code = "collection"
title = "征缴"
business = ["collection"]
stop = "2025-04-10 00:00"
restart = "2025-04-14 00:00"

[[rule]]
id = "T1"
disposition = "refund_at_once"
when.business = ["contribution", "flexible_contribution"]
phase = ["frozen"]
says = "停止征缴后到账的缴费随到随退，请在恢复后重新缴费"
terms.register = "payment_returned"
"""


@pytest.fixture
def gate() -> Gate:
    plan = read_plan(PLAN)
    assert not isinstance(plan, Refusal), plan.sentence()
    return Gate.of([plan])


@pytest.fixture
async def town(fresh_database_url: str) -> AsyncIterator[Town]:
    database = await Database.open(fresh_database_url, role=None, size=3)
    yield Town(database)
    await database.close()


async def billed(town: Town) -> Any:
    """Return the bill of an employer with one employee on 5000 yuan, sent on 7 April."""
    await town.employer("E1")
    await town.person(emp_no="E1", wage_fen=500_000)
    await assess_month(town.database, admdvs=town.admdvs, month=date(2025, 4, 1), now=noon("2025-04-03"), shelf=SHELF)
    await town.send("2025-04-07")
    return await town.bill("E1")


async def paid(town: Town, gate: Gate, bill: Any, payment_id: str, *, on: str, told: str = "") -> Received:
    """Let the tax bureau tell a payment of a day, on that day or later."""
    payment = Payment(payment_id=payment_id, bill_id=bill["bill_id"], amount_fen=bill["amount_fen"], channel="tax_app",
                      paid_at=noon(on), payer_no="E1", admdvs=town.admdvs)
    got: Received = await town.deed(receive_payment, payment, on=told or on, actor=TAX, shelf=SHELF, gate=gate)
    return got


async def rows(town: Town) -> list[Any]:
    async with town.database.transaction() as tx:
        return await list_book(tx, town.admdvs, kind="payment_returned", plan="april")


async def test_money_paid_inside_the_stop_goes_back_and_pays_later(town: Town, gate: Gate) -> None:
    bill = await billed(town)
    got = await paid(town, gate, bill, "P1", on="2025-04-11")
    assert (got.outcome, got.paid_bills, got.credit_fen) == ("sent_back", (), bill["amount_fen"])
    (row,) = await rows(town)
    assert (row.state, row.paid_fen, row.emp_no, row.applicant_name) == ("received", bill["amount_fen"], "E1", "单位E1")
    (letter,) = await town.run("select body from exchange.outbox where kind = 'payment_return'")
    told = msgspec.json.decode(letter["body"])
    assert (told["payment_id"], told["amount_fen"], told["register_no"]) == ("P1", bill["amount_fen"], row.register_no)
    assert (await town.bill("E1"))["state"] == "sent"
    assert (await paid(town, gate, bill, "P1", on="2025-04-11")).outcome == "repeated"
    assert len(await rows(town)) == 1

    await town.deed(return_payment, PaymentReturned(payment_id="P1"), on="2025-04-12", actor=TAX, shelf=SHELF)
    (row,) = await rows(town)
    assert (row.state, row.due_fen, row.back_fen) == ("done", 0, bill["amount_fen"])
    # After the restart the same bill is paid as ever.
    again = await paid(town, gate, bill, "P2", on="2025-04-14")
    assert (again.outcome, again.paid_bills) == ("paid", (bill["bill_id"],))
    assert await town.breaches() == []


async def test_the_instant_of_paying_counts_not_that_of_telling(town: Town, gate: Gate) -> None:
    bill = await billed(town)
    before = await paid(town, gate, bill, "P1", on="2025-04-09", told="2025-04-11")
    assert before.outcome == "paid"
    late = await paid(town, gate, bill, "P2", on="2025-04-13", told="2025-04-15")
    assert late.outcome == "sent_back"
    assert [r.origin for r in await rows(town)] == ["payment/P2"]
    assert await town.breaches() == []
