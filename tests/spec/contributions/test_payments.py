"""What becomes of a payment: exact, short, over, double, by somebody else, for nothing known, out of order. No fen is lost.

One employee with a declared wage of 5000 yuan in Zibo, July 2024: unit 8 % = 400.00, own 2 % = 100.00, so 500.00 a month.
"""

from __future__ import annotations

from datetime import date

import pytest

from tests.spec.contributions.conftest import CLERK, SHELF, TAX, Town, noon
from yibao.kernel.refusal import Refusal
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.close_case import CloseCase, close_case
from yibao.usecases.contributions.receive_payment import (
    Payment,
    PaymentReturned,
    receive_payment,
    return_payment,
)
from yibao.usecases.contributions.set_off import SetOff, set_off

JULY = date(2024, 7, 1)
OWED = 50_000
BANK, POOL, OWN, REST = "bank:370300", "fund:370300:310100", "fund:370300:310200", "unallocated:370300"


@pytest.fixture
async def shop(town: Town) -> Town:
    """A unit with one employee whose July is sent to the tax bureau."""
    await town.employer("E1")
    await town.employer("E2")
    await town.person(emp_no="E1", wage_fen=500_000)
    await assess(town, JULY, "2024-07-03")
    await town.send("2024-07-04")
    return town


async def assess(town: Town, month: date, on: str) -> None:
    done = await assess_month(town.database, admdvs=town.admdvs, month=month, now=noon(on), shelf=SHELF)
    assert not isinstance(done, Refusal), done.sentence()


async def money(town: Town) -> tuple[int, int, int, int]:
    """Return what came in, what the two funds have, and what belongs to no bill; the four always tie."""
    sums = (-await town.balance(BANK), await town.balance(POOL), await town.balance(OWN), await town.balance(REST))
    assert sums[0] == sum(sums[1:])
    return sums


async def test_an_exact_payment_goes_through_every_state_with_its_dates(shop: Town) -> None:
    bill = await shop.bill("E1")
    got = await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")
    assert (got.outcome, got.credit_fen, got.cases) == ("paid", 0, ())
    assert await money(shop) == (0, 0, 0, 0)
    await shop.arrive("A1", ("P1",), OWED, on="2024-07-11")
    assert await money(shop) == (50_000, 40_000, 10_000, 0)
    (due,) = await shop.run("select * from contributions.due")
    assert (due["state"], due["paid_on"], due["arrived_on"]) == ("arrived", date(2024, 7, 10), date(2024, 7, 11))
    assert (due["assessed_at"], due["sent_at"]) == (noon("2024-07-03"), noon("2024-07-04"))
    assert await shop.cases() == []
    assert await shop.breaches() == []


async def test_the_same_payment_again_has_no_effect_and_other_words_are_a_case(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")
    assert (await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")).outcome == "repeated"
    assert (await shop.pay("P1", bill["bill_id"], OWED + 1, on="2024-07-10", payer_no="E1")).cases == ("PAYMENT_CHANGED",)
    assert len(await shop.run("select 1 from contributions.payment")) == 1
    await shop.arrive("A1", ("P1",), OWED, on="2024-07-11")
    await shop.arrive("A1", ("P1",), OWED, on="2024-07-11")
    assert await money(shop) == (50_000, 40_000, 10_000, 0)


async def test_a_short_payment_stays_the_payers_until_the_rest_comes(shop: Town) -> None:
    bill = await shop.bill("E1")
    short = await shop.pay("P1", bill["bill_id"], 30_000, on="2024-07-10", payer_no="E1")
    assert (short.outcome, short.credit_fen, short.cases) == ("held", 30_000, ("SHORT_PAYMENT",))
    await shop.arrive("A1", ("P1",), 30_000, on="2024-07-11")
    assert await money(shop) == (30_000, 0, 0, 30_000)
    assert (await shop.dues())[0][2] == "sent"
    rest = await shop.pay("P2", bill["bill_id"], 20_000, on="2024-07-12", payer_no="E1")
    assert (rest.outcome, rest.paid_bills) == ("paid", (bill["bill_id"],))
    assert await shop.cases() == []
    # Paid, but not arrived before the second part has reached the bank too.
    assert (await shop.dues())[0][2] == "paid"
    assert await money(shop) == (30_000, 0, 0, 30_000)
    await shop.arrive("A2", ("P2",), 20_000, on="2024-07-15")
    assert await money(shop) == (50_000, 40_000, 10_000, 0)
    assert await shop.breaches() == []


async def test_too_much_is_kept_and_set_off_against_the_next_month(shop: Town) -> None:
    bill = await shop.bill("E1")
    over = await shop.pay("P1", bill["bill_id"], 70_000, on="2024-07-10", payer_no="E1")
    assert (over.outcome, over.credit_fen, over.cases) == ("paid", 20_000, ("OVER_PAYMENT",))
    await shop.arrive("A1", ("P1",), 70_000, on="2024-07-11")
    assert await money(shop) == (70_000, 40_000, 10_000, 20_000)
    await assess(shop, date(2024, 8, 1), "2024-08-02")
    await shop.send("2024-08-02")
    august = (await shop.bill("E1"))["bill_id"]
    part = await shop.deed(set_off, SetOff(payment_id="P1", bill_id=august), on="2024-08-03", shelf=SHELF)
    assert (part.outcome, part.credit_fen) == ("held", 0)
    assert await shop.cases() == []
    last = await shop.pay("P2", august, 30_000, on="2024-08-05", payer_no="E1")
    assert last.outcome == "paid"
    await shop.arrive("A2", ("P2",), 30_000, on="2024-08-06")
    assert await money(shop) == (100_000, 80_000, 20_000, 0)
    assert await shop.breaches() == []


async def test_a_second_payment_of_a_paid_bill_is_credit(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")
    double = await shop.pay("P2", bill["bill_id"], OWED, on="2024-07-11", payer_no="E1", channel="bank")
    assert (double.outcome, double.credit_fen, double.cases) == ("held", OWED, ("DOUBLE_PAYMENT",))
    await shop.arrive("A1", ("P1", "P2"), 2 * OWED, on="2024-07-12")
    assert await money(shop) == (100_000, 40_000, 10_000, 50_000)
    assert await shop.breaches() == []


async def test_somebody_elses_payment_waits_for_a_decision(shop: Town) -> None:
    bill = await shop.bill("E1")
    wrong = await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E2")
    assert (wrong.outcome, wrong.cases) == ("held", ("WRONG_PAYER",))
    assert (await shop.dues())[0][2] == "sent"
    # Another payment of the right payer is not mixed with the one that is held.
    right = await shop.pay("P2", bill["bill_id"], OWED, on="2024-07-11", payer_no="E1")
    assert (right.outcome, right.credit_fen) == ("paid", 0)
    assert await shop.breaches() == []


async def test_a_payment_on_behalf_is_accepted_by_closing_its_case(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E2")
    command = CloseCase(case_id="WRONG_PAYER/P1", outcome="母公司代缴，已核实", accept_payer=True)
    await shop.deed(close_case, command, on="2024-07-12", shelf=SHELF)
    assert (await shop.dues())[0][2] == "paid"
    assert await shop.cases() == []
    assert await shop.breaches() == []


async def test_an_unknown_bill_and_an_amount_that_is_none(shop: Town) -> None:
    unknown = await shop.pay("P1", "B370300-202407-E9-1", OWED, on="2024-07-10", payer_no="E9")
    assert (unknown.outcome, unknown.credit_fen, unknown.cases) == ("held", OWED, ("UNKNOWN_BILL",))
    await shop.arrive("A1", ("P1",), OWED, on="2024-07-11")
    assert await money(shop) == (50_000, 0, 0, 50_000)
    bill = await shop.bill("E1")
    for n, fen in enumerate((0, -1)):
        assert (await shop.pay(f"N{n}", bill["bill_id"], fen, on="2024-07-10")).cases == ("NEGATIVE_AMOUNT",)
    assert len(await shop.run("select 1 from contributions.payment")) == 1
    assert await shop.breaches() == []


async def test_a_payment_of_no_region_is_refused(shop: Town) -> None:
    told = Payment(payment_id="P1", bill_id="X", amount_fen=1, channel="bank", paid_at=noon("2024-07-10"))
    got = await shop.deed(receive_payment, told, on="2024-07-10", actor=TAX, shelf=SHELF)
    assert isinstance(got, Refusal)
    assert got.code == "REGION_UNKNOWN"


async def test_an_arrival_that_comes_before_its_payment_waits_for_it(shop: Town) -> None:
    bill = await shop.bill("E1")
    early = await shop.arrive("A1", ("P1",), OWED, on="2024-07-11")
    assert (early.state, early.missing, early.cases) == ("waiting", ("P1",), ("ARRIVAL_WAITING",))
    await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")
    assert await shop.cases() == []
    assert (await shop.dues())[0][2] == "arrived"
    assert await money(shop) == (50_000, 40_000, 10_000, 0)
    (row,) = await shop.run("select state, booked_fen from contributions.arrival")
    assert tuple(row) == ("booked", OWED)


async def test_an_arrival_with_another_sum_or_a_payment_of_another_is_a_case(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")
    assert (await shop.arrive("A1", ("P1",), OWED + 5, on="2024-07-11")).cases == ("ARRIVAL_TOTAL",)
    assert (await shop.arrive("A2", ("P1",), OWED, on="2024-07-12")).cases == ("ARRIVAL_TWICE", "ARRIVAL_TOTAL")
    assert (await shop.arrive("A1", ("P1",), OWED, on="2024-07-11")).cases == ("ARRIVAL_CHANGED",)
    assert await money(shop) == (50_000, 40_000, 10_000, 0)
    assert await shop.breaches() == []


async def test_a_payment_taken_back_before_it_arrives_is_owed_again(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")
    back = PaymentReturned(payment_id="P1", reason="卡号有误")
    got = await shop.deed(return_payment, back, on="2024-07-11", actor=TAX, shelf=SHELF)
    assert got.outcome == "returned"
    assert (await shop.dues())[0][2] == "sent"
    assert (await shop.deed(return_payment, back, on="2024-07-11", actor=TAX, shelf=SHELF)).outcome == "repeated"
    await shop.pay("P2", bill["bill_id"], OWED, on="2024-07-12", payer_no="E1")
    await shop.arrive("A1", ("P2",), OWED, on="2024-07-13")
    late = await shop.deed(return_payment, PaymentReturned(payment_id="P2"), on="2024-07-14", actor=TAX, shelf=SHELF)
    unknown = await shop.deed(return_payment, PaymentReturned(payment_id="P9"), on="2024-07-14", actor=TAX_OF_ZIBO, shelf=SHELF)
    assert (late.cases, unknown.cases) == (("RETURN_TOO_LATE",), ("RETURN_UNKNOWN",))
    assert await money(shop) == (50_000, 40_000, 10_000, 0)
    assert await shop.breaches() == []


async def test_what_was_paid_twice_stays_paid_when_one_payment_is_taken_back(shop: Town) -> None:
    bill = await shop.bill("E1")
    for payment_id in ("P1", "P2"):
        await shop.pay(payment_id, bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")
    await shop.deed(return_payment, PaymentReturned(payment_id="P1"), on="2024-07-12", actor=TAX, shelf=SHELF)
    assert (await shop.dues())[0][2] == "paid"
    await shop.arrive("A1", ("P2",), OWED, on="2024-07-13")
    assert await money(shop) == (50_000, 40_000, 10_000, 0)
    assert await shop.breaches() == []


async def test_a_bill_that_is_short_again_is_a_case_again(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], 30_000, on="2024-07-10", payer_no="E1")
    await shop.pay("P2", bill["bill_id"], 20_000, on="2024-07-11", payer_no="E1")
    assert await shop.cases() == []
    await shop.deed(return_payment, PaymentReturned(payment_id="P2"), on="2024-07-12", actor=TAX, shelf=SHELF)
    again = await shop.pay("P3", bill["bill_id"], 19_000, on="2024-07-13", payer_no="E1")
    assert again.cases == ("SHORT_PAYMENT",)
    assert await shop.cases() == ["SHORT_PAYMENT"]
    (row,) = await shop.run("select amount_fen from contributions.work_case where state = 'open'")
    assert row["amount_fen"] == 1_000
    assert await shop.breaches() == []


async def test_a_later_month_paid_before_an_earlier_one_is_told(shop: Town) -> None:
    await assess(shop, date(2024, 8, 1), "2024-08-02")
    await shop.send("2024-08-02")
    july, august = (r["bill_id"] for r in await shop.run("select bill_id from contributions.bill order by month"))
    assert (await shop.pay("P1", august, OWED, on="2024-08-05", payer_no="E1")).cases == ("EARLIER_UNPAID",)
    await shop.pay("P2", july, OWED, on="2024-07-20", payer_no="E1")
    assert await shop.cases() == []


async def test_verify_notices_a_fen_that_went_astray(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")
    await shop.arrive("A1", ("P1",), OWED, on="2024-07-11")
    for harm in (
        "update contributions.payment set amount_fen = amount_fen + 1",
        "update contributions.allocation set amount_fen = amount_fen - 1",
        "update contributions.bill set amount_fen = amount_fen + 1",
        "update contributions.due set state = 'paid'",
        "update contributions.due set amounts[1] = amounts[1] + 1, total_fen = total_fen + 1",
        "delete from ledger.posting where posting_id = 'arrival-P1'",
        "delete from ledger.posting where kind = 'contribution' and posting_id like 'contribution-%'",
    ):
        assert await shop.breaches(harm), harm


TAX_OF_ZIBO = TAX.__class__(login="party:tax", channel="exchange", regions=("370300",))
assert CLERK.login != TAX.login
