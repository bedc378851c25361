"""One family in Zibo through nine days of October 2025, each asking what it means for him or her.

| who | what |
|---|---|
| father | sees a doctor on the 12th and pays everything; on the 20th the hospital settles and gives back the insurance's part |
| father | had brought the papers of a transfer on the 9th: its fifteen working days move on by the days of the stop |
| mother | registers her pregnancy: refused on the 12th with until when, approved on the 20th |
| grandmother | pays next year's dues on the 13th, when collection stands still: the money goes back, and she pays again later |

The plan is that of 2021 with its days in 2025, and one rule of the neighbouring city: what is paid in the stop goes back.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.register_desk import transfer
from tests.support.window_city import City, at, plan_text
from tests.support.window_desk import WindowDesk
from yibao.kernel.actor import Actor
from yibao.usecases.contributions.assess_residents import assess_residents
from yibao.usecases.contributions.receive_payment import (
    Payment,
    PaymentReturned,
    receive_payment,
    return_payment,
)
from yibao.usecases.contributions.send_bills import send_bills
from yibao.usecases.deadlines.move_deadlines import move_deadlines

REGION = "370300"
RETURNS = """
[[rule]]
id = "ZB-R99"
disposition = "refund_at_once"
when.business = ["contribution", "resident_contribution"]
when.channel = ["tax", "bank", "exchange"]
phase = ["frozen"]
says = "停止缴费后到账的款项随到随退，恢复后请重新缴纳"
terms.register = "payment_returned"
"""
TAX = Actor(login="party:tax", channel="exchange", regions=(REGION,))
CLERK = Actor(login="clerk.first", channel="cli", regions=(REGION,), roles=("intake", "review"))


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    opened: City = city_at("2025-10-08 08:00")
    opened.publish(plan_text("zibo-2021", year=2025) + RETURNS)
    return opened


def test_one_family_through_the_window(city: City) -> None:
    father, mother, grandmother = (
        city.patient(story) for story in ("zb-active-first", "zb-active-account-exact", "zb-resident-first"))
    till, counter, citizen = city.till(), city.hall("intake"), city.hall("intake")
    desk = WindowDesk(city.hall(till.counter.fixmedins_code))

    def view(person: dict[str, Any]) -> dict[str, Any]:
        return citizen.read(f"/people/{person['psn_no']}/window")

    # 8 October: next year's dues of the residents are on their way to the tax bureau.
    city.with_database(lambda d: assess_residents(d, admdvs=REGION, year=2026, now=city.clock.now(), shelf=city.shelf))
    city.with_database(lambda d: send_bills(d, admdvs=REGION, now=city.clock.now(), ids=city.ids, actor=CLERK))
    (due,) = city.fetch("select bill_id, payer_no, total_fen from contributions.due where psn_no = $1 and kind = 'regular'",
                        grandmother["psn_no"])
    (bill,) = city.fetch("select amount_fen from contributions.bill where bill_id = $1", due["bill_id"])

    # 9 October: the father's papers are accepted; fifteen working days follow. By hand: 10, 11 (a Saturday that is worked),
    # 13-17, 20-24, 27-29 October make 29 October; the days of the stop, 10 to 18, do not count: 20-24, 27-31 October,
    # 3-7 November make 7 November.
    city.turn("2025-10-09 10:00")
    asked = counter.do("/applications", transfer(father))
    accepted = counter.do(f"/applications/{asked['application_id']}/accept", {})
    assert accepted["due_on"] == "2025-11-07"

    # 10 October 00:00: everything stands. What runs already moves on.
    city.turn("2025-10-10 00:10")
    assert all(t["is_stopped"] for t in view(father)["tracks"])
    assert view(father)["hotline"] == "医保咨询电话 3120000"
    city.with_database(lambda d: move_deadlines(
        d, admdvs=REGION, now=city.clock.now(), ids=city.ids, actor=CLERK, shelf=city.shelf))

    # 12 October: the father is ill and pays everything; the mother comes to register.
    city.turn("2025-10-12 09:20")
    bill_fen = round(sum(line["det_item_fee_sumamt"] for line in father["visit"]["lines"]) * 100)
    noted = desk.note(
        father, kind="outpatient", visit_no="MZ20251012001", begin=at("2025-10-12 09:00"), end_at=at("2025-10-12 09:15"),
        total_fen=bill_fen, cash=[{"kind": "payment", "amount_fen": bill_fen, "receipt_no": "SJ-1"}])
    stopped = counter.refused(f"/people/{mother['psn_no']}/pregnancies", {"insutype": "310", "due_on": "2026-05-20"})
    assert stopped["code"] == "WINDOW_STOPPED"
    assert "10月18日24:00" in stopped["faults"][0]["reason"]

    (held,) = view(father)["cases"]
    assert (held["register_no"], held["state"], held["paid_fen"]) == (noted["episode"]["register_no"], "held", bill_fen)
    assert (held["settle_by"], held["back_fen"]) == ("2025-12-31", None)
    assert held["next"].startswith(f"由{till.counter.fixmedins_name}补录结算（2025年12月31日前），请保留凭据")

    # 13 October: the grandmother pays at the tax bureau, which tells it; the money goes back.
    city.turn("2025-10-13 15:00")
    payment = Payment(payment_id="P1", bill_id=due["bill_id"], amount_fen=bill["amount_fen"], channel="tax_app",
                      paid_at=city.clock.now(), payer_no=due["payer_no"], admdvs=REGION)
    told = city.do(receive_payment, payment, actor=TAX, shelf=city.shelf, gate=city.gate())
    assert (told.outcome, told.paid_bills) == ("sent_back", ())
    city.turn("2025-10-14 09:00")
    city.do(return_payment, PaymentReturned(payment_id="P1"), actor=TAX, shelf=city.shelf)
    returned = city.fetch("select register_no, state, back_fen from registers.entry where kind = 'payment_returned'")
    assert [(r["state"], r["back_fen"]) for r in returned] == [("done", bill["amount_fen"])]

    # 20 October: the hospital settles with the day of the visit. The story's own calculation says what he pays.
    city.turn("2025-10-20 09:30")
    begin = "2025-10-12 09:00:00"
    visit = father["visit"]
    registered = till.call("2201", till.registration(father, begin=begin, visit_no="MZ20251012001"),
                           insured_place=REGION)
    mdtrt_id = registered["data"]["mdtrt_id"]
    till.record(father, visit, mdtrt_id, begin=begin)
    till.upload(father, visit, mdtrt_id, begin=begin)
    paid = till.call("2207", till.bill(father, visit, mdtrt_id), insured_place=REGION)["setlinfo"]
    cash = round(father["expected"]["psn_cash_pay"] * 100)
    assert round(paid["psn_cash_pay"] * 100) == cash
    (case,) = view(father)["cases"]
    assert (case["state"], case["back_fen"], case["topup_fen"]) == ("settled", bill_fen - cash, 0)
    assert case["next"] == "已办结，无需再办"

    # The mother is registered, from today; the grandmother pays again; the father's clock shows its pause.
    filed = counter.do(f"/people/{mother['psn_no']}/pregnancies", {"insutype": "310", "due_on": "2026-05-20"})
    assert (filed["state"], filed["valid_from"]) == ("approved", "2025-10-20")
    again = city.do(receive_payment, Payment(
        payment_id="P2", bill_id=due["bill_id"], amount_fen=bill["amount_fen"], channel="tax_app", paid_at=city.clock.now(),
        payer_no=due["payer_no"], admdvs=REGION), actor=TAX, shelf=city.shelf, gate=city.gate())
    assert (again.outcome, again.paid_bills) == ("paid", (due["bill_id"],))
    (move,) = view(father)["moves"]
    assert (move["about"], move["was_on"], move["due_on"]) == ("服务事项办理时限", "2025-10-29", "2025-11-07")
    assert not any(t["is_stopped"] for t in view(father)["tracks"])
    assert city.breaches() == {}
