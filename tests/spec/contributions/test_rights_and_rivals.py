"""The same deeds by the agency's own role with its regions, by two at once, and from the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest
from typer.testing import CliRunner

from tests.spec.contributions.conftest import CHECKER, CLERK, SHELF, TAX, Town, noon
from tests.spec.contributions.test_assessment import assess
from tests.spec.contributions.test_payments import OWED, money
from yibao.entrypoints.cli.main import app
from yibao.infra.database import AGENCY, Database
from yibao.kernel.ids import CountingIds, RandomIds
from yibao.usecases.contributions.book_arrival import Arrival, book_arrival
from yibao.usecases.contributions.cancel_dues import CancelDues, cancel_dues
from yibao.usecases.contributions.declare_base import DeclareBase, Declared, declare_base
from yibao.usecases.contributions.make_bill import BillMade
from yibao.usecases.contributions.pay_back import PayBack, pay_back
from yibao.usecases.contributions.receive_payment import Payment, Received, receive_payment
from yibao.usecases.contributions.refund_payment import RefundRequest, refund_payment

ZIBO, HUIZHOU = "370300", "441300"
WAITING = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@pytest.fixture
async def shop(town: Town) -> Town:
    """A unit with one employee whose July is sent to the tax bureau."""
    await town.employer("E1")
    await town.person(emp_no="E1", wage_fen=500_000)
    await assess(town, date(2024, 7, 1), "2024-07-03")
    await town.send("2024-07-04")
    return town


@pytest.fixture
async def agency(shop: Town, fresh_database_url: str) -> AsyncIterator[Database]:
    """The shop's database as the agency's role sees it."""
    database = await Database.open(fresh_database_url, role=AGENCY, size=2)
    yield database
    await database.close()


async def test_the_agencys_role_can_do_every_deed_in_its_region(shop: Town, agency: Database) -> None:
    bill = await shop.bill("E1")
    (member,) = await shop.run("select psn_no from contributions.due")
    ids, now = CountingIds(9_000), noon("2024-07-20")
    means = {"actor": CLERK, "now": now, "ids": ids, "shelf": SHELF}
    async with agency.transaction(regions=(ZIBO,)) as tx:
        base = DeclareBase(psn_no=member["psn_no"], valid_from=date(2024, 8, 1), wage_fen=600_000)
        assert isinstance(await declare_base(tx, base, **means), Declared)
        paid = Payment(payment_id="P1", bill_id=bill["bill_id"], amount_fen=OWED, channel="counter", paid_at=now)
        assert isinstance(await receive_payment(tx, paid, **means), Received)
        arrival = Arrival(arrival_id="A1", arrived_on=date(2024, 7, 20), payment_ids=("P1",), amount_fen=OWED)
        assert (await book_arrival(tx, arrival, **means)).state == "booked"
        request = RefundRequest(refund_id="T1", payment_id="P1", amount_fen=OWED, reason="错缴",
                                dues=((member["psn_no"], "310-202407-regular"),))
        assert (await refund_payment(tx, request, checker=CHECKER, **means)).state == "approved"
        arrears = PayBack(payer_no="E1", psn_nos=(member["psn_no"],), first=date(2024, 7, 1), before=date(2024, 8, 1),
                          pay_on=date(2024, 7, 24))
        made = await pay_back(tx, arrears, **means)
        assert isinstance(made, BillMade)
        assert made.due_keys == (f"{member['psn_no']}/310-202407-back",)
        gone = await cancel_dues(tx, CancelDues(psn_no=member["psn_no"], first=date(2024, 7, 1), reason="离职"), **means)
        assert gone.due_ids == ("310-202407-back",)
    assert await shop.breaches() == []


async def test_another_region_sees_and_changes_nothing(shop: Town, agency: Database) -> None:
    async with agency.transaction(regions=(HUIZHOU,)) as tx:
        for table in ("due", "bill", "base", "payment", "work_case", "refund", "run", "allocation", "arrival", "statement"):
            assert await tx.fetchval(f"select count(*) from contributions.{table}") == 0
        assert await tx.execute("update contributions.bill set amount_fen = 0") == "UPDATE 0"
    async with agency.transaction(regions=(ZIBO,)) as tx:
        assert await tx.fetchval("select count(*) from contributions.due") == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.execute("delete from contributions.due")


async def test_one_payment_told_by_ten_at_once_is_taken_once(shop: Town, fresh_database_url: str) -> None:
    bill = await shop.bill("E1")
    database = await Database.open(fresh_database_url, role=None, size=10)

    async def tell(payment_id: str) -> str:
        told = Payment(payment_id=payment_id, bill_id=bill["bill_id"], amount_fen=OWED, channel="bank",
                       paid_at=noon("2024-07-10"), payer_no="E1")
        async with database.transaction() as tx:
            got = await receive_payment(tx, told, actor=TAX, now=noon("2024-07-10"), ids=RandomIds(), shelf=SHELF)
        assert isinstance(got, Received)
        return got.outcome

    try:
        outcomes = await asyncio.gather(*(tell("P1") for _ in range(5)), *(tell(f"Q{n}") for n in range(5)))
    finally:
        await database.close()
    # One pays; the same again is a repeat; what others paid for the same bill is their credit.
    assert sorted(outcomes) in (
        ["held"] * 5 + ["paid"] + ["repeated"] * 4, ["held"] * 4 + ["held", "paid"] + ["repeated"] * 4)
    await shop.arrive("A1", ("P1", *(f"Q{n}" for n in range(5))), 6 * OWED, on="2024-07-11")
    assert await money(shop) == (300_000, 40_000, 10_000, 250_000)
    assert await shop.breaches() == []


def test_the_command_line_shows_bills_cases_and_dues(
    fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIBAO_DATABASE_URL", fresh_database_url)

    async def prepare() -> str:
        database = await Database.open(fresh_database_url, role=None, size=2)
        town = Town(database)
        await town.employer("E1")
        one = await town.person(emp_no="E1", wage_fen=500_000)
        await town.person(emp_no="E1")
        await assess(town, date(2024, 7, 1), "2024-07-03")
        await database.close()
        return one

    one = asyncio.run(prepare())
    run = CliRunner()

    def ask(*words: str) -> dict[str, list[dict[str, object]]]:
        done = run.invoke(app, ["dues", *words, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    assert [b["amount_fen"] for b in ask("bills", "--payer", "E1")["bills"]] == [50_000]
    assert [c["kind"] for c in ask("cases", "--region", "370300")["cases"]] == ["BASE_MISSING"]
    assert [d["due_id"] for d in ask("person", one)["dues"]] == ["310-202407-regular"]
    people = run.invoke(app, ["dues", "bills"])
    assert "500.00" in people.stdout
    assert "单位E1" in people.stdout
    refused = run.invoke(app, ["dues", "assess", "370300", "2024-09", "--json"])
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["faults"][0]["code"] == "EARLIER_MONTH_OPEN"


async def test_a_bill_is_not_added_to_while_it_is_sent(town: Town) -> None:
    """Whoever assesses waits for whoever sends, and then opens a second bill: what the tax bureau was told stays true."""
    await town.employer("E1")
    await town.person(emp_no="E1", wage_fen=500_000)
    await assess(town, date(2024, 7, 1), "2024-07-03")
    late = await town.person(emp_no="E1", wage_fen=600_000)
    first = await town.bill("E1")
    async with town.database.transaction() as sending:
        await sending.fetch("select bill_id from contributions.bill where state = 'open' for update")
        assessing = asyncio.create_task(assess(town, date(2024, 7, 1), "2024-07-04"))
        while not await town.run(WAITING):
            await asyncio.sleep(0)
        await sending.execute("update contributions.bill set state = 'sent'")
    await assessing
    bills = await town.run("select ordinal, state, count, amount_fen from contributions.bill order by ordinal")
    assert [(b["ordinal"], b["state"], b["count"]) for b in bills] == [(1, "sent", 1), (2, "open", 1)]
    assert bills[0]["amount_fen"] == first["amount_fen"]
    (due,) = await town.run("select total_fen from contributions.due where psn_no = $1", late)
    assert bills[1]["amount_fen"] == due["total_fen"]
