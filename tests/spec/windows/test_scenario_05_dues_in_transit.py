"""Huizhou, January and February: dues paid at the tax bureau on 28 January arrive on 20 February; five people, five rules.

The plan of 2021, moved to 2025: dues of employees are in the law that is loaded from 2024 on.

- 01-05: the plan is published; January's dues are assessed and sent, payable until the 20th.
- 01-25 to 02-03 08:00: everything stands still. On 01-28 five employers pay; the news gets lost on its way.
- 02-04: by the notice, who has not paid January is taken to be in transit: not due, not cut. Each is told once.
- 02-08: A leaves the hospital: the whole bill as a deposit, held open (HZ-R10).
  B leaves a hospital in Zibo: pays himself and claims by hand later (HZ-R11).
  C sees a doctor: pays himself and keeps the receipt (HZ-R12).
  D buys a negotiated drug: pays, has a sealed receipt, and the pharmacy notes it (HZ-R13, HZ-R14).
  E wants her pregnancy registered: after the dues, and the limit is moved (HZ-R15, HZ-R16).
- 02-20: the tax bureau's news comes, paid on 28 January: everything is released by itself, everybody is told, nobody owes
  a surcharge.
- 02-21: A, C and D are settled where they were; E is registered; B's case waits for the claim.

By hand, law of 2025: A, level 1, active, more than 6 months (HZ-401, HZ-402): (10000.00 - 200.00) x 95 % = 9310.00 from the
fund, 690.00 due, 9310.00 back. C, level 1, with account (HZ-302): 200.00 x 85 % = 170.00 from the fund, 30.00 due.
D as in the scenario of the negotiated drug: 4 boxes at 9.30, 3.72 first, 33.48 x 80 % = 26.78, 10.42 due.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.support.drugstore import Drugstore, sold
from tests.support.late_care import LateCare, line
from tests.support.till import Refused, Till
from tests.support.window_city import City, at, plan_text
from tests.support.window_desk import WindowDesk
from yibao.kernel.actor import Actor
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.declare_base import DeclareBase, declare_base
from yibao.usecases.contributions.receive_payment import Payment, receive_payment
from yibao.usecases.contributions.send_bills import send_bills
from yibao.usecases.deadlines.move_deadlines import MovedAll, move_deadlines
from yibao.usecases.entitlement.refresh_region import refresh_region

HUIZHOU, ZIBO = "441300", "370300"
GRANULES = "ZD03AAK0261010100941"
JANUARY = date(2025, 1, 1)
CLERK = Actor(login="clerk.first", channel="cli", regions=(HUIZHOU,), roles=("intake", "review"))
STORIES = {"A": "hz-active-first", "B": "hz-active-account-short", "C": "hz-active-account-empty", "D": "hz-active-class-c"}


@pytest.fixture(scope="module")
def city(city_at: Callable[..., City]) -> City:
    """Open Huizhou on 5 January, the notice published."""
    opened = city_at("2025-01-05 08:00")
    text = plan_text("huizhou-2021", year=2025)
    opened.publish(text.replace('"2021-01"', '"2025-01"').replace("2021年", "2025年"))
    return opened


@pytest.fixture(scope="module")
def people(city: City) -> dict[str, dict[str, Any]]:
    """Return five employees, one of them a woman who expects a child."""
    chosen = {name: city.patient(story) for name, story in STORIES.items()}
    women = city.fetch(
        "select r.psn_no from enrolment.relation r join people.person p on p.psn_no = r.psn_no where r.admdvs = $1"
        " and r.insutype = '310' and r.psn_type = '1101' and r.status = '1' and r.emp_no is not null and p.sex = '2'"
        " and p.psn_no <> all($2::text[]) order by p.psn_no limit 1", HUIZHOU, [p["psn_no"] for p in chosen.values()])
    return {**chosen, "E": {"psn_no": women[0]["psn_no"], "insutype": "310", "insuplc_admdvs": HUIZHOU}}


def in_transit(city: City, psn_no: str) -> tuple[bool, str]:
    """Return whether benefits are due on 8 February and why, as a clerk sees it."""
    seen = city.hall("intake", HUIZHOU).read(f"/people/{psn_no}/benefit", insutype="310", on="2025-02-08")
    return bool(seen["is_due"]), str(seen["reason"])


def moved(city: City) -> MovedAll:
    """Run the batch that brings the region up to its plans."""
    return city.with_database(lambda d: move_deadlines(
        d, admdvs=HUIZHOU, now=city.clock.now(), ids=city.ids, actor=CLERK, shelf=city.shelf))


def test_dues_paid_on_28_january_that_arrive_on_20_february(city: City, people: dict[str, dict[str, Any]]) -> None:
    numbers = {name: str(p["psn_no"]) for name, p in people.items()}
    # 01-05: January is assessed and sent; the 20th is the last day.
    for psn_no in numbers.values():
        city.do(declare_base, DeclareBase(psn_no=psn_no, valid_from=JANUARY, wage_fen=800_000), actor=CLERK, shelf=city.shelf)
    city.with_database(lambda d: assess_month(d, admdvs=HUIZHOU, month=JANUARY, now=city.clock.now(), shelf=city.shelf))
    city.with_database(lambda d: send_bills(d, admdvs=HUIZHOU, now=city.clock.now(), ids=city.ids, actor=CLERK))
    bills = {r["psn_no"]: r for r in city.fetch(
        "select d.psn_no, b.bill_id, b.payer_no, b.amount_fen, b.due_on, d.total_fen from contributions.due d"
        " join contributions.bill b on b.bill_id = d.bill_id"
        " where d.psn_no = any($1::text[]) and d.insutype = '310'", list(numbers.values()))}
    assert len(bills) == 5
    assert {b["due_on"] for b in bills.values()} == {date(2025, 1, 20)}

    city.with_database(lambda d: refresh_region(d, admdvs=HUIZHOU, now=city.clock.now(), shelf=city.shelf))

    # 01-28: five employers pay; nobody here hears of it. 02-04: in transit, by the notice's own words.
    city.turn("2025-02-04 09:00")
    assert in_transit(city, numbers["A"]) == (False, "unpaid")
    first = moved(city)
    assert first.in_transit == len(city.fetch("select 1 from deadlines.transit where month = $1", JANUARY))
    assert first.in_transit >= 5
    assert (moved(city).in_transit, moved(city).bills) == (0, 0), "run again, it does nothing"
    for psn_no in numbers.values():
        assert in_transit(city, psn_no) == (False, "contribution_in_transit")
        told = city.fetch("select text from notices.message where psn_no = $1 and kind = 'dues_in_transit'", psn_no)
        assert len(told) == 1
        assert "2025年1月" in told[0]["text"]
    # What was known on 3 February stays what it was.
    seen = city.hall("intake", HUIZHOU).read(f"/people/{numbers['A']}/benefit", insutype="310", on="2025-02-08")
    assert "押金挂账" in seen["next_step"]
    then = city.hall("intake", HUIZHOU).read(
        f"/people/{numbers['A']}/benefit", insutype="310", on="2025-02-08", known_at="2025-02-03T12:00:00+08:00")
    assert then["reason"] == "unpaid"

    held = _five_rules(city, people)

    # 02-20: the news comes. Everything that waited goes on by itself, in the same transaction.
    city.turn("2025-02-20 10:00")
    for n, bill in enumerate({b["bill_id"]: b for b in bills.values()}.values(), 1):
        received = city.do(receive_payment, Payment(
            payment_id=f"SW0128-{n}", bill_id=bill["bill_id"], amount_fen=bill["amount_fen"], channel="tax_hall",
            paid_at=at("2025-01-28 11:00"), payer_no=bill["payer_no"], admdvs=HUIZHOU), actor=CLERK, shelf=city.shelf)
        assert received.outcome == "paid"
        assert "LATE_SURCHARGE" not in received.cases
    assert city.fetch("select 1 from contributions.bill where kind = 'surcharge'") == [], "eight days late, and nobody owes it"
    for name, psn_no in numbers.items():
        assert in_transit(city, psn_no) == (True, "paid"), "from the first of February on"
        arrived = city.fetch("select text from notices.message where psn_no = $1 and kind = 'dues_arrived'", psn_no)
        assert len(arrived) == 1
        assert ("可以补办" in arrived[0]["text"]) == (name != "E")
    lines = city.hall("intake", HUIZHOU).read("/transits/held")["rows"]
    assert {r["object_id"] for r in lines} == {e["episode_id"] for e in held.values()}
    assert all(r["released_at"] and r["is_open"] for r in lines)
    states = city.fetch("select register_no, state from registers.entry where psn_no = any($1::text[])", list(numbers.values()))
    assert {r["state"] for r in states} == {"ready"}
    code = held["A"]["fixmedins_code"]
    assert len(city.fetch("select 1 from notices.message where fixmedins_code = $1 and kind = 'dues_arrived'", code)) >= 1

    _settled_afterwards(city, people, held)
    assert city.hall("intake", HUIZHOU).read("/transits")["rows"] == [] or all(
        r["psn_no"] not in numbers.values() for r in city.hall("intake", HUIZHOU).read("/transits")["rows"])
    assert city.breaches() == {}


def _items(city: City) -> dict[str, Any]:
    return next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")


def _sale(city: City, store: Drugstore, patient: dict[str, Any]) -> dict[str, Any]:
    item = {**next(i for i in city.world["items"] if i["med_list_codg"] == GRANULES), "price": 9.30}
    return store.purchase(patient, [sold(item, 4, rxno="RX-D")], med_type="18", acct_used_flag="0",
                          begin="2025-02-08 15:00:00", invono="FP-D")


def _five_rules(city: City, people: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Let the five meet their rules; return the cases that are noted, by name."""
    ward, item = city.ward(HUIZHOU), _items(city)
    local = WindowDesk(city.hall(ward.counter.fixmedins_code, HUIZHOU))
    level = city.fetch("select level from institutions.institution where fixmedins_code = $1", ward.counter.fixmedins_code)
    assert level == [{"level": "1"}]
    held = {}
    # A: 4 to 8 February at home. The settlement is refused, and the answer says what the notice says.
    city.turn("2025-02-04 11:00")
    stay = ward.admit(people["A"], at("2025-02-04 10:00"))
    city.turn("2025-02-08 10:00")
    ward.charge(stay, at("2025-02-07 10:00"), [line(item, 2500.0, cnt=4)])
    ward.discharge(stay, at("2025-02-08 09:00"))
    with pytest.raises(Refused, match="按费用总额收取押金并登记挂账"):
        ward.settle_stay(stay, 10000.0, acct_used_flag="0")
    held["A"] = local.note(
        people["A"], kind="stay", visit_no=stay.ipt_no, begin=stay.begin, end_at=at("2025-02-08 09:00"), total_fen=1_000_000,
        cause="contribution_in_transit", cash=[{"kind": "deposit", "amount_fen": 1_000_000, "receipt_no": "YJ-A"}],
        phone="13900000001")["episode"]
    assert (held["A"]["disposition"], held["A"]["rule_id"], held["A"]["deposit_fen"]) == ("deposit", "HZ-R10", 1_000_000)
    # 2001 says the same before anything is done.
    asked = ward.call("2001", {"data": {
        "psn_no": people["A"]["psn_no"], "insutype": "310", "fixmedins_code": ward.counter.fixmedins_code, "med_type": "21",
        "begntime": "2025-02-08 10:00:00", "endtime": "", "dise_codg": "", "dise_name": "", "oprn_oprt_code": "",
        "oprn_oprt_name": "", "matn_type": "", "birctrl_type": ""}}, insured_place=HUIZHOU)["trtinfo"][0]
    assert asked["trt_enjymnt_flag"] == "0"
    assert "押金" in asked["trt_chk_rslt"]

    # B: in Zibo; pays himself, claims by hand when the dues are there.
    away = city.institution(ZIBO)
    clerk = WindowDesk(city.hall("intake", HUIZHOU))
    held["B"] = clerk.note(
        people["B"], kind="stay", visit_no="ZY-B", begin=at("2025-02-05 09:00"), end_at=at("2025-02-08 10:00"),
        fixmedins_code=away["fixmedins_code"], institution_name=away["fixmedins_name"], care_admdvs=ZIBO, total_fen=500_000,
        is_filed=True, cause="contribution_in_transit",
        cash=[{"kind": "payment", "amount_fen": 500_000, "receipt_no": "SJ-B"}])["episode"]
    assert (held["B"]["disposition"], held["B"]["rule_id"]) == ("manual_reimburse", "HZ-R11")

    # C: a visit at home.
    city.turn("2025-02-08 11:05")
    clinic = LateCare(city, city.till(HUIZHOU))
    visit = clinic.begin(people["C"], "2025-02-08 11:00", [line(item, 100.0, cnt=2)], visit_no="MZ-C")
    with pytest.raises(Refused, match="先自费结算，保留好原始发票及费用清单"):
        clinic.settle("2207", visit, people["C"])
    held["C"] = local.note(
        people["C"], kind="outpatient", visit_no="MZ-C", begin=at("2025-02-08 11:00"), end_at=at("2025-02-08 11:00"),
        total_fen=20_000, cause="contribution_in_transit",
        cash=[{"kind": "payment", "amount_fen": 20_000, "receipt_no": "SJ-C"}])["episode"]
    assert (held["C"]["disposition"], held["C"]["rule_id"]) == ("pay_full_backfill", "HZ-R12")
    held["C"]["content"] = visit

    # D: the negotiated drug: refused with the notice's words, noted by the pharmacy with its sealed receipt.
    city.turn("2025-02-08 15:00")
    store = Drugstore(_store(city))
    with pytest.raises(Refused, match="加盖收款章"):
        store.till.call("2102", _sale(city, store, people["D"]), insured_place=HUIZHOU)
    counter = city.hall(store.till.counter.fixmedins_code, HUIZHOU)
    counter.do("/drug-sales", {
        "psn_no": people["D"]["psn_no"], "insutype": "310", "invoice_no": "FP-D", "receipt_no": "SJ-D",
        "sold_at": "2025-02-08T15:00:00+08:00", "total_fen": 3720, "prescription": "5aSE5pa5", "receipt": "5pS25o2u",
        "sealed": True, "phone": "13900000004"})
    held["D"] = city.fetch("select * from episodes.episode where psn_no = $1", people["D"]["psn_no"])[0]
    assert (held["D"]["cause"], held["D"]["paid_fen"]) == ("contribution_in_transit", 3720)

    # E: not now; the limit is moved until the dues are there.
    no = city.hall("intake", HUIZHOU).refused(f"/people/{people['E']['psn_no']}/pregnancies", _pregnancy())
    assert [f["code"] for f in no["faults"]] == ["CONTRIBUTION_IN_TRANSIT"]
    assert "办结时限同时顺延" in no["faults"][0]["remedy"]

    # The clerk's lists: four cases wait, with what each gave; and what to do for which business.
    waiting = {r["psn_no"]: r for r in city.hall("intake", HUIZHOU).read("/transits/held")["rows"]}
    assert {waiting[people[n]["psn_no"]]["paid_fen"] for n in "ABCD"} == {1_000_000, 500_000, 20_000, 3720}
    assert all(r["released_at"] is None for r in waiting.values())
    ways = city.hall("intake", HUIZHOU).read("/transits/ways", region=HUIZHOU)["rows"]
    assert {"inpatient_settlement", "remote_inpatient", "outpatient_settlement", "chronic_settlement", "negotiated_drug",
            "maternity_filing", "maternity_allowance"} <= {w["business"] for w in ways}
    return held


def _store(city: City) -> Till:
    return city.till(HUIZHOU, kind="2")


def _pregnancy() -> dict[str, Any]:
    return {"insutype": "310", "fixmedins_code": "", "due_on": "2025-08-20", "spouse_psn_no": ""}


def _settled_afterwards(city: City, people: dict[str, dict[str, Any]], held: dict[str, dict[str, Any]]) -> None:
    """Settle what was held, each where it was, and look at the cash."""
    city.turn("2025-02-21 09:00")
    ward, clinic = city.ward(HUIZHOU), LateCare(city, city.till(HUIZHOU))
    stay_bill = {"data": {
        "mdtrt_id": held["A"]["mdtrt_id"], "psn_no": people["A"]["psn_no"], "mdtrt_cert_type": "02",
        "mdtrt_cert_no": people["A"]["certno"], "medfee_sumamt": 10000.0, "psn_setlway": "01", "insutype": "310",
        "acct_used_flag": "0", "invono": "", "mid_setl_flag": "0", "fulamt_ownpay_amt": 0, "overlmt_selfpay": 0,
        "preselfpay_amt": 0, "inscp_scp_amt": 0}}
    paid = ward.call("2304", stay_bill, insured_place=HUIZHOU)["setlinfo"]
    assert (paid["fund_pay_sumamt"], paid["psn_cash_pay"]) == (9310.0, 690.0)
    visit = clinic.settle("2207", held["C"]["content"], people["C"])
    store = Drugstore(_store(city))
    sale = store.till.call("2102", _sale(city, store, people["D"]), insured_place=HUIZHOU)["setlinfo"]
    assert (sale["fund_pay_sumamt"], sale["psn_cash_pay"]) == (26.78, 10.42)

    cash = {r["psn_no"]: (r["state"], r["paid_fen"], r["due_fen"], r["back_fen"]) for r in city.fetch(
        "select psn_no, state, paid_fen, due_fen, back_fen from episodes.episode where cause = 'contribution_in_transit'")}
    assert (visit["fund_pay_sumamt"], visit["psn_cash_pay"]) == (170.0, 30.0)
    assert cash[people["A"]["psn_no"]] == ("settled", 1_000_000, 69_000, 931_000)
    assert cash[people["C"]["psn_no"]] == ("settled", 20_000, 3_000, 17_000)
    assert cash[people["D"]["psn_no"]] == ("settled", 3720, 1042, 2678)
    assert cash[people["B"]["psn_no"]] == ("held", 500_000, 0, 0), "goes on as a claim"
    filed = city.hall("intake", HUIZHOU).do(f"/people/{people['E']['psn_no']}/pregnancies", _pregnancy())
    assert filed["filing_id"]
