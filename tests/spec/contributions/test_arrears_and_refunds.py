"""Late payment, arrears, refunds, dues taken back, bills made anew, years bought at retirement, dues from accounts.

One employee with 5000 yuan in Zibo, July 2024: 400.00 by the unit, 100.00 by himself. The last day is 25 July; a unit owes
0.05 % for each day after it.
"""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from tests.spec.contributions.conftest import CHECKER, CLERK, SHELF, TAX, Town, noon
from tests.spec.contributions.test_assessment import assess
from tests.spec.contributions.test_payments import BANK, OWED, OWN, POOL, REST, money
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal
from yibao.usecases.contributions.assess_lump import Lump, assess_lump
from yibao.usecases.contributions.assess_residents import assess_residents
from yibao.usecases.contributions.cancel_dues import CancelDues, cancel_dues
from yibao.usecases.contributions.close_case import CloseCase, close_case
from yibao.usecases.contributions.collect_from_accounts import collect_from_accounts
from yibao.usecases.contributions.finish_refund import RefundDone, finish_refund
from yibao.usecases.contributions.make_bill import MakeBill, make_bill
from yibao.usecases.contributions.pay_back import PayBack, pay_back
from yibao.usecases.contributions.receive_payment import (
    Payment,
    PaymentReturned,
    receive_payment,
    return_payment,
)
from yibao.usecases.contributions.refund_payment import (
    RefundRequest,
    approve_refund,
    reject_refund,
    request_refund,
)
from yibao.usecases.contributions.set_off import SetOff, set_off
from yibao.usecases.entitlement.refresh_region import refresh_region

JULY = date(2024, 7, 1)


@pytest.fixture
async def shop(town: Town) -> Town:
    """A unit with one employee whose July is sent to the tax bureau."""
    await town.employer("E1")
    await town.person(emp_no="E1", wage_fen=500_000)
    await assess(town, JULY, "2024-07-03")
    await town.send("2024-07-04")
    return town


async def told(town: Town, kind: str) -> list[str]:
    """Return the keys of what was put out for the tax bureau."""
    rows = await town.run("select key from exchange.outbox where party = 'tax' and kind = $1 order by 1", kind)
    return [r["key"] for r in rows]


async def arrived(town: Town) -> None:
    """Pay and book the July of the shop."""
    bill = await town.bill("E1")
    await town.pay("P1", bill["bill_id"], OWED, on="2024-07-10", payer_no="E1")
    await town.arrive("A1", ("P1",), OWED, on="2024-07-11")


async def test_a_unit_that_pays_late_gets_a_bill_for_the_surcharge(shop: Town) -> None:
    """Ten days from 25 July to 4 August: 500.00 × 0.05 % × 10 = 2.50."""
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], OWED, on="2024-08-04", payer_no="E1")
    late = await shop.bill("E1")
    assert (late["kind"], late["amount_fen"], late["state"]) == ("surcharge", 250, "sent")
    assert await shop.cases() == ["LATE_SURCHARGE"]
    await shop.pay("P2", late["bill_id"], 250, on="2024-08-06", payer_no="E1")
    await shop.arrive("A1", ("P1", "P2"), OWED + 250, on="2024-08-07")
    # The surcharge goes to the fund of what it is a surcharge on, under a posting of its own.
    assert await money(shop) == (50_250, 40_250, 10_000, 0)
    (row,) = await shop.run("select kind, amounts from ledger.posting where kind = 'surcharge'")
    assert sorted(row["amounts"]) == [-250, 250]
    assert await shop.breaches() == []


async def test_on_the_last_day_nothing_is_added(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], OWED, on="2024-07-25", payer_no="E1")
    assert len(await shop.run("select 1 from contributions.bill")) == 1


async def test_arrears_become_one_bill_with_the_surcharge_to_the_day_of_payment(shop: Town) -> None:
    """July and August unpaid, paid on 10 September: 47 days × 0.05 % × 500 = 11.75, and 16 days: 25 August is the last day of
    August, 16 × 0.05 % × 500 = 4.00. A colleague who was never assessed for August owes 500.00 and 4.00 too.
    """
    await assess(shop, date(2024, 8, 1), "2024-08-02")
    await shop.send("2024-08-02")
    colleague = await shop.person(emp_no="E1", wage_fen=500_000, insured_on=date(2024, 8, 5))
    first = (await shop.run("select psn_no from contributions.due limit 1"))[0]["psn_no"]
    command = PayBack(payer_no="E1", psn_nos=(first, colleague), first=JULY, before=date(2024, 9, 1), pay_on=date(2024, 9, 10))
    made = await shop.deed(pay_back, command, on="2024-09-05", shelf=SHELF)
    assert not isinstance(made, Refusal), made.sentence()
    assert (made.bill.amount_fen, made.surcharge_fen, made.bill.pay_until) == (
        3 * OWED + 1_175 + 400 + 400, 1_975, date(2024, 9, 10))
    assert sorted(made.due_keys) == sorted([
        f"{first}/310-202407-regular", f"{first}/310-202408-regular", f"{colleague}/310-202408-back"])
    assert len(await told(shop, "bill_cancelled")) == 2
    got = await shop.pay("P1", made.bill.bill_id, made.bill.amount_fen, on="2024-09-09", payer_no="E1")
    assert got.outcome == "paid"
    await shop.arrive("A1", ("P1",), made.bill.amount_fen, on="2024-09-10")
    assert await money(shop) == (151_975, 121_975, 30_000, 0)
    assert await shop.cases() == []
    assert await shop.breaches() == []
    nothing = await shop.deed(pay_back, command, on="2024-09-12", shelf=SHELF)
    assert isinstance(nothing, Refusal)
    assert nothing.code == "NOTHING_OWED"


async def test_arrears_paid_after_the_day_they_hold_until_owe_the_days_since(shop: Town) -> None:
    """The bill holds until 4 August; paid on 6 August two more days are owed: 500 × 0.05 % × 2 = 0.50."""
    command = PayBack(payer_no="E1", first=JULY, before=date(2024, 8, 1), pay_on=date(2024, 8, 4))
    made = await shop.deed(pay_back, command, on="2024-08-01", shelf=SHELF)
    assert made.surcharge_fen == 250
    await shop.pay("P1", made.bill.bill_id, made.bill.amount_fen, on="2024-08-06", payer_no="E1")
    assert (await shop.bill("E1"))["amount_fen"] == 50
    assert await shop.breaches() == []


async def test_a_payment_for_the_cancelled_bill_is_told_and_kept(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], 30_000, on="2024-07-10", payer_no="E1")
    await shop.deed(pay_back, PayBack(payer_no="E1", first=JULY, before=date(2024, 8, 1), pay_on=date(2024, 8, 4)),
                    on="2024-08-01", shelf=SHELF)
    assert "CANCELLED_BILL" in await shop.cases()
    late = await shop.pay("P2", bill["bill_id"], OWED, on="2024-08-02", payer_no="E1")
    assert (late.credit_fen, late.cases) == (OWED, ("CANCELLED_BILL",))
    assert await shop.breaches() == []


async def test_a_refund_needs_two_people_and_undoes_its_dues(shop: Town) -> None:
    await arrived(shop)
    (due,) = await shop.run("select psn_no, due_id from contributions.due")
    request = RefundRequest(refund_id="T1", payment_id="P1", amount_fen=OWED, reason="重复参保",
                            dues=((due["psn_no"], due["due_id"]),))
    asked = await shop.deed(request_refund, request, on="2024-07-20")
    assert not isinstance(asked, Refusal), asked.sentence()
    same = await shop.deed(approve_refund, "T1", on="2024-07-21", actor=CLERK, shelf=SHELF)
    assert isinstance(same, Refusal)
    assert same.code == "SAME_PERSON"
    assert (await shop.dues())[0][2] == "arrived"
    done = await shop.deed(approve_refund, "T1", on="2024-07-21", actor=CHECKER, shelf=SHELF)
    assert done.state == "approved"
    assert (await shop.dues())[0][2] == "refunded"
    assert [await shop.balance(a) for a in (BANK, POOL, OWN, REST, "payout:370300")] == [-50_000, 0, 0, 0, 50_000]
    assert await told(shop, "refund") == ["T1"]
    for _ in range(2):
        end = await shop.deed(finish_refund, RefundDone(refund_id="T1", done_on=date(2024, 7, 25)), on="2024-07-26", actor=TAX)
        assert end.state == "done"
    assert await money(shop) == (0, 0, 0, 0)
    assert await shop.breaches() == []
    # Assessed again, the month is another due beside the refunded one.
    assert (await assess(shop, JULY, "2024-07-27")).dues == 1
    assert [d[0] for d in await shop.dues()] == ["310-202407-regular", "310-202407-regular-2"]


async def test_credit_is_refunded_once_and_a_rejected_refund_gives_it_back(shop: Town) -> None:
    bill = await shop.bill("E1")
    await shop.pay("P1", bill["bill_id"], OWED + 100, on="2024-07-10", payer_no="E1")
    early = await shop.deed(request_refund, RefundRequest(refund_id="T0", payment_id="P1", amount_fen=100, reason="多缴"),
                            on="2024-07-10")
    assert isinstance(early, Refusal)
    assert early.code == "PAYMENT_NOT_ARRIVED"
    await shop.arrive("A1", ("P1",), OWED + 100, on="2024-07-11")
    too_much = RefundRequest(refund_id="T0", payment_id="P1", amount_fen=101, reason="多缴")
    assert (await shop.deed(request_refund, too_much, on="2024-07-12")).code == "REFUND_TOO_LARGE"
    fits = RefundRequest(refund_id="T1", payment_id="P1", amount_fen=100, reason="多缴")
    for _ in range(2):
        assert (await shop.deed(request_refund, fits, on="2024-07-12")).state == "requested"
    second = RefundRequest(refund_id="T2", payment_id="P1", amount_fen=100, reason="多缴")
    assert (await shop.deed(request_refund, second, on="2024-07-12")).code == "REFUND_TOO_LARGE"
    assert (await shop.deed(reject_refund, "T1", on="2024-07-13", actor=CHECKER)).state == "rejected"
    assert (await shop.deed(request_refund, second, on="2024-07-14")).state == "requested"
    await shop.deed(approve_refund, "T2", on="2024-07-15", actor=CHECKER, shelf=SHELF)
    await shop.deed(finish_refund, RefundDone(refund_id="T2", done_on=date(2024, 7, 16)), on="2024-07-16", actor=TAX)
    assert await money(shop) == (50_000, 40_000, 10_000, 0)
    assert await shop.cases() == []
    unknown = await shop.deed(finish_refund, RefundDone(refund_id="T9", done_on=date(2024, 7, 16)), on="2024-07-16", actor=TAX)
    assert isinstance(unknown, Refusal)
    assert unknown.code == "REFUND_UNKNOWN"
    assert await shop.breaches() == []


async def test_a_leavers_unpaid_dues_are_taken_off_and_the_rest_is_billed_anew(shop: Town) -> None:
    leaver = await shop.person(emp_no="E1", wage_fen=600_000)
    await assess(shop, date(2024, 8, 1), "2024-08-02")
    await shop.send("2024-08-03")
    command = CancelDues(psn_no=leaver, first=date(2024, 8, 1), reason="八月前已离职")
    done = await shop.deed(cancel_dues, command, on="2024-08-05", shelf=SHELF)
    assert (done.due_ids, done.to_refund) == (("310-202408-regular",), ())
    rows = await shop.run("select bill_id, state, amount_fen from contributions.bill where month = '2024-08-01' order by ordinal")
    assert [(r["state"], r["amount_fen"]) for r in rows] == [("cancelled", 110_000), ("open", 50_000)]
    assert await told(shop, "bill_cancelled") == [rows[0]["bill_id"]]
    assert await shop.breaches() == []
    await arrived_now(shop, rows[1]["bill_id"])


async def arrived_now(town: Town, bill_id: str) -> None:
    """Send, pay and book a bill of 500 yuan in August."""
    await town.send("2024-08-06")
    await town.pay("P8", bill_id, OWED, on="2024-08-07", payer_no="E1")
    await town.arrive("A8", ("P8",), OWED, on="2024-08-08")
    assert await town.balance("fund:370300:310100") == 40_000


async def test_a_flexible_worker_puts_a_quarter_on_one_bill(town: Town) -> None:
    one = await town.person(kind="flexible", account_kind="pool_only")
    for month in (7, 8, 9):
        await assess(town, date(2024, month, 1), f"2024-{month:02d}-02")
    dues = tuple((one, f"310-20240{m}-regular") for m in (7, 8, 9))
    made = await town.deed(make_bill, MakeBill(payer_no=one, payer_kind="person", dues=dues), on="2024-09-03")
    assert (made.bill.amount_fen, made.bill.count) == (3 * 35_345, 3)
    await town.pay("P1", made.bill.bill_id, 3 * 35_345, on="2024-09-04", payer_no=one)
    assert {d[0]: d[2] for d in await town.dues(one)} == {
        "310-202407-regular": "paid", "310-202408-regular": "paid", "310-202409-regular": "paid",
        "330-2024-regular": "assessed", "410-2024-regular": "assessed"}
    assert await town.breaches() == []


async def test_years_bought_at_retirement_are_one_due(town: Town) -> None:
    """Zibo 2025 has no rate of its own for it: a flexible worker's 9 % with an account, 6000 × 9 % × 24 = 12 960.00."""
    one = await town.person(psn_type="1201", kind="", wage_fen=600_000, insured_on=date(2025, 6, 1))
    made = await town.deed(assess_lump, Lump(psn_no=one, relation_id="R31020250601", months=24), on="2025-06-10", shelf=SHELF)
    assert not isinstance(made, Refusal), made.sentence()
    again = await town.deed(assess_lump, Lump(psn_no=one, relation_id="R31020250601", months=24), on="2025-06-11", shelf=SHELF)
    assert (made.bill.amount_fen, again.bill.bill_id) == (1_296_000, made.bill.bill_id)
    await town.pay("P1", made.bill.bill_id, 1_296_000, on="2025-06-12", payer_no=one)
    (row,) = await town.run("select kind, months, state from contributions.due")
    assert tuple(row) == ("lump", 24, "paid")
    assert await town.breaches() == []


async def test_care_and_a_retirees_large_amount_are_taken_from_the_account(town: Town) -> None:
    """12.00 a month and 35.00 a year: an account with 40.00 pays the first in order and then cannot pay the other."""
    rich = await town.person(psn_type="1201", kind="", insured_on=date(2020, 1, 1))
    poor = await town.person(psn_type="1201", kind="", insured_on=date(2020, 1, 1))
    for psn_no, fen in ((rich, 100_000), (poor, 4_000)):
        await town.run("insert into ledger.personal_account (psn_no, admdvs, balance_fen, opened_on) values ($1, '370300', $2, "
                       "'2020-01-01')", psn_no, fen)
        await town.run("insert into ledger.posting values ($1, 'opening', '370300', 'opening', now(), null, null, "
                       "array['account:' || $1, 'opening:370300'], array[$2::bigint, -$2::bigint], 0)", psn_no, fen)
    await assess(town, date(2025, 1, 1), "2025-01-02")
    done = await collect_from_accounts(town.database, admdvs="370300", now=noon("2025-01-05"))
    assert (done.taken, done.taken_fen, done.too_low) == (3, 1_200 + 1_200 + 3_500, 1)
    again = await collect_from_accounts(town.database, admdvs="370300", now=noon("2025-01-06"))
    assert (again.taken, again.too_low) == (0, 1)
    assert await town.balance(f"account:{rich}") == 100_000 - 4_700
    assert (await town.balance("fund:370300:330100"), await town.balance("fund:370300:419900")) == (2_400, 3_500)
    assert await town.breaches() == []


async def test_a_residents_fee_is_given_back_before_the_year_begins(town: Town) -> None:
    one = await town.person(insutype="390", psn_type="1501", kind="resident")
    await assess_residents(town.database, admdvs="370300", year=2025, now=noon("2024-09-02"), shelf=SHELF)
    await town.send("2024-09-03")
    bill = await town.bill(one)
    await town.pay("P1", bill["bill_id"], 46_000, on="2024-10-01", payer_no=one)
    await town.arrive("A1", ("P1",), 46_000, on="2024-10-02")
    request = RefundRequest(refund_id="T1", payment_id="P1", amount_fen=46_000, reason="十二月前就业",
                            dues=((one, "390-2025-regular"),))
    await town.deed(request_refund, request, on="2024-12-01")
    await town.deed(approve_refund, "T1", on="2024-12-02", actor=CHECKER, shelf=SHELF)
    assert await town.balance("fund:370300:390100") == 0
    assert await town.breaches() == []


async def test_what_was_set_off_against_a_bill_that_is_cancelled_is_credit_again(shop: Town) -> None:
    """200.00 too much in July, set off against August, whose only member turns out to have left: 200.00 are free again."""
    july = await shop.bill("E1")
    await shop.pay("P1", july["bill_id"], OWED + 20_000, on="2024-07-10", payer_no="E1")
    await shop.arrive("A1", ("P1",), OWED + 20_000, on="2024-07-11")
    await assess(shop, date(2024, 8, 1), "2024-08-02")
    await shop.send("2024-08-02")
    august = (await shop.bill("E1"))["bill_id"]
    part = await shop.deed(set_off, SetOff(payment_id="P1", bill_id=august), on="2024-08-03", shelf=SHELF)
    assert (part.outcome, part.credit_fen) == ("held", 0)
    (psn_no,) = {r["psn_no"] for r in await shop.run("select psn_no from contributions.due")}
    command = CancelDues(psn_no=psn_no, first=date(2024, 8, 1), reason="八月前已离职")
    done = await shop.deed(cancel_dues, command, on="2024-08-05", shelf=SHELF)
    assert done.due_ids == ("310-202408-regular",)
    (paid,) = await shop.run("select allocated_fen from contributions.payment")
    assert (paid["allocated_fen"], await shop.cases()) == (OWED, ["CANCELLED_BILL"])
    back = RefundRequest(refund_id="T1", payment_id="P1", amount_fen=20_000, reason="已离职")
    assert (await shop.deed(request_refund, back, on="2024-08-06")).state == "requested"
    assert await shop.breaches() == []


async def test_a_set_off_after_the_last_day_is_a_late_payment(shop: Town) -> None:
    """300.00 on 10 July and 200.00 of credit set off on 4 August, ten days late: 500.00 × 0.05 % × 10 = 2.50."""
    bill = (await shop.bill("E1"))["bill_id"]
    await shop.pay("P1", bill, 30_000, on="2024-07-10", payer_no="E1")
    await shop.pay("P2", "B370300-202406-E1-1", 20_000, on="2024-07-10", payer_no="E1")
    done = await shop.deed(set_off, SetOff(payment_id="P2", bill_id=bill), on="2024-08-04", shelf=SHELF)
    assert (done.outcome, (await shop.dues())[0][2]) == ("paid", "paid")
    rows = await shop.run("select paid_on, kind, amount_fen from contributions.bill order by kind")
    assert [tuple(r) for r in rows] == [(date(2024, 8, 4), "regular", OWED), (None, "surcharge", 250)]
    assert await shop.breaches() == []


async def test_nobody_elses_credit_is_set_off(shop: Town) -> None:
    await shop.employer("E2")
    bill = (await shop.bill("E1"))["bill_id"]
    await shop.pay("P1", "B370300-202406-E2-1", OWED, on="2024-07-10", payer_no="E2")
    refused = await shop.deed(set_off, SetOff(payment_id="P1", bill_id=bill), on="2024-07-11", shelf=SHELF)
    assert isinstance(refused, Refusal)
    assert (refused.code, (await shop.dues())[0][2]) == ("OTHER_PAYER", "sent")


async def test_a_late_payment_on_behalf_owes_the_surcharge_when_it_is_accepted(shop: Town) -> None:
    """Ten days after 25 July: 500.00 × 0.05 % × 10 = 2.50."""
    await shop.employer("E2")
    bill = (await shop.bill("E1"))["bill_id"]
    await shop.pay("P1", bill, OWED, on="2024-08-04", payer_no="E2")
    command = CloseCase(case_id="WRONG_PAYER/P1", outcome="母公司代缴，已核实", accept_payer=True)
    await shop.deed(close_case, command, on="2024-08-05", shelf=SHELF)
    rows = await shop.run("select amount_fen from contributions.bill where kind = 'surcharge'")
    assert [r["amount_fen"] for r in rows] == [250]


async def test_a_bill_paid_late_twice_owes_the_days_of_the_last_payment_once(shop: Town) -> None:
    """Paid ten days late (2.50), taken back, paid thirty days late: 500.00 × 0.05 % × 30 = 7.50, of which 5.00 are new."""
    bill = (await shop.bill("E1"))["bill_id"]
    await shop.pay("P1", bill, OWED, on="2024-08-04", payer_no="E1")
    await shop.deed(return_payment, PaymentReturned(payment_id="P1", reason="账户错误"), on="2024-08-05", actor=TAX, shelf=SHELF)
    await shop.pay("P2", bill, OWED, on="2024-08-24", payer_no="E1")
    rows = await shop.run("select amount_fen from contributions.bill where kind = 'surcharge' order by ordinal")
    assert [r["amount_fen"] for r in rows] == [250, 500]


async def test_a_due_paid_while_it_is_being_cancelled_stays_paid(shop: Town) -> None:
    """The payment holds the bill first; the clerk's cancellation waits, then finds nothing unpaid."""
    bill = (await shop.bill("E1"))["bill_id"]
    (psn_no,) = {r["psn_no"] for r in await shop.run("select psn_no from contributions.due")}
    command = CancelDues(psn_no=psn_no, first=JULY, reason="已离职")
    async with shop.database.transaction() as tx:
        payment = Payment(payment_id="P1", bill_id=bill, amount_fen=OWED, channel="tax_app", paid_at=noon("2024-07-10"),
                          payer_no="E1", admdvs="370300")
        await receive_payment(tx, payment, actor=TAX, now=noon("2024-07-10"), ids=shop.ids, shelf=SHELF)
        rival = asyncio.create_task(shop.deed(cancel_dues, command, on="2024-07-10", shelf=SHELF))
        async with asyncio.timeout(30):
            while not await shop.run("select from pg_stat_activity "
                                     "where wait_event_type = 'Lock' and datname = current_database()"):
                await asyncio.sleep(0.05)
    done = await rival
    assert (done.due_ids, done.to_refund) == ((), ("310-202407-regular",))
    assert (await shop.dues())[0][2] == "paid"
    assert await shop.breaches() == []


async def test_two_refunds_do_not_take_more_of_a_bill_than_one_payment_gave(shop: Town) -> None:
    """Two members of 500.00, paid by 600.00 and 400.00: the first payment gives one of them back, not both."""
    await shop.person(emp_no="E1", wage_fen=500_000)
    await assess(shop, date(2024, 8, 1), "2024-08-02")
    await shop.send("2024-08-03")
    august = (await shop.bill("E1"))["bill_id"]
    await shop.pay("P1", august, 60_000, on="2024-08-05", payer_no="E1")
    await shop.pay("P2", august, 40_000, on="2024-08-05", payer_no="E1")
    await shop.arrive("A1", ("P1", "P2"), 100_000, on="2024-08-06")
    keys = [(r["psn_no"], r["due_id"]) for r in await shop.run(
        "select psn_no, due_id from contributions.due where bill_id = $1 order by 1", august)]
    for n, key in enumerate(keys, 1):
        asked = RefundRequest(refund_id=f"T{n}", payment_id="P1", amount_fen=OWED, reason="重复参保", dues=(key,))
        assert (await shop.deed(request_refund, asked, on="2024-08-07")).state == "requested"
    same = Actor(login=" CLERK.one", channel="cli", regions=CLERK.regions)
    assert (await shop.deed(approve_refund, "T1", on="2024-08-08", actor=same, shelf=SHELF)).code == "SAME_PERSON"
    assert (await shop.deed(approve_refund, "T1", on="2024-08-08", actor=CHECKER, shelf=SHELF)).state == "approved"
    second = await shop.deed(approve_refund, "T2", on="2024-08-08", actor=CHECKER, shelf=SHELF)
    assert isinstance(second, Refusal)
    assert second.code == "DUE_OF_OTHER_PAYMENT"
    assert await shop.balance("payout:370300") == OWED
    assert await shop.breaches() == []


async def test_a_bill_of_the_state_is_not_made_by_hand(shop: Town) -> None:
    asked = MakeBill(payer_no="E1", payer_kind="state", dues=())
    assert (await shop.deed(make_bill, asked, on="2024-07-05")).code == "PAYER_KIND_WRONG"


async def test_who_was_loaded_with_benefits_and_never_pays_is_cut_by_one_refresh_after_the_first_assessment(shop: Town) -> None:
    """July's dues give August (ZB-X32); unpaid they leave August as the one month that is kept (ZB-X34): cut from September."""
    (psn_no,) = {r["psn_no"] for r in await shop.run("select psn_no from contributions.due")}
    spells = "select end_on, is_due from entitlement.spell where psn_no = $1 and known_to is null order by begin_on desc limit 1"
    assert await shop.run(spells, psn_no) == []
    await refresh_region(shop.database, admdvs="370300", now=noon("2024-07-05"), shelf=SHELF)
    assert [tuple(r) for r in await shop.run(spells, psn_no)] == [(None, False)]
    (relation,) = await shop.run("select benefit_to from enrolment.relation where psn_no = $1", psn_no)
    assert relation["benefit_to"] == date(2024, 9, 1)
