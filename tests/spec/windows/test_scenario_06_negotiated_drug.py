"""Huizhou, February and March: a patient buys the same negotiated drug in two months while the dues are on their way.

An employee whose dues of January are paid (receipt shown) and not arrived. By the notice of 5 February the patient pays in
full on prescription, the pharmacy seals the receipt, notes the sale, makes its book month by month for the agency, and settles
when the dues are there. The days are those of the notice, in 2025: the law of dues of 2021 is not public.

| day | what happens | patient gives | patient gets back |
|---|---|---|---|
| 02-07 | the agency notes the receipt: the dues are on their way | | |
| 02-08 | 4 boxes at 9.30: 37.20 in full | 37.20 | |
| 03-01 | the book of February: 1 row, 37.20; the agency checks it | | |
| 03-05 | 10 boxes at 12.00: 120.00 in full | 120.00 | |
| 03-20 | the tax bureau tells what was paid for January and February: both rows are ready, the patient is told | | |
| 03-22 | both are settled at the pharmacy, in the order of purchase | | 26.78 and 66.96 |
| 04-01 | the book of March: 1 row, 120.00; the whole book is closed: 157.20 given, 63.46 due, 93.74 back | | |

By hand (employee, negotiated drug: 10 % first, then 80 %; pay standard 9.30 a box):
4 x 9.30 = 37.20; 3.72 first; 33.48 x 80 % = 26.784, 26.78 from the fund; 10.42 due.
10 x 12.00 = 120.00; 27.00 over the standard; 93.00, 9.30 first; 83.70 x 80 % = 66.96 from the fund; 53.04 due.
"""

from __future__ import annotations

import base64
import io
import json
from datetime import date
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.support.drugstore import Drugstore, sold
from tests.support.window_city import at, plan_text
from yibao.kernel.actor import Actor
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.receive_payment import Payment, receive_payment
from yibao.usecases.contributions.send_bills import send_bills
from yibao.usecases.deadlines.in_transit import NoteTransit, note_transit

REGION = "441300"
GRANULES = "ZD03AAK0261010100941"
PLAN = {"plan": "huizhou-2021"}
JANUARY = date(2025, 1, 1)
CLERK = Actor(login="clerk.first", channel="cli", regions=(REGION,))
TAX = Actor(login="party:tax", channel="exchange", regions=(REGION,))
BOOK = f"/regions/{REGION}/registers/negotiated_drug"


def scan(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def city(city_at: Any) -> Any:
    opened = city_at("2025-02-06 08:00")
    text = plan_text("huizhou-2021", year=2025)
    opened.publish(text.replace('"2021-01"', '"2025-01"').replace("2021年", "2025年"))
    return opened


def owes(city: Any, patient: dict[str, Any], month: date) -> dict[str, Any]:
    """Have a month assessed and sent to the tax bureau, and return the bill of the patient's employer."""
    async def wage(database: Any) -> None:
        await database.fetch("update enrolment.relation set wage_fen = 600000 where psn_no = $1 returning 1", patient["psn_no"])

    city.with_database(wage)
    city.with_database(lambda d: assess_month(d, admdvs=REGION, month=month, now=city.clock.now(), shelf=city.shelf))
    city.with_database(lambda d: send_bills(d, admdvs=REGION, now=city.clock.now(), ids=city.ids, actor=CLERK))
    (bill,) = city.fetch(
        "select b.bill_id, b.amount_fen, b.payer_no from contributions.bill b join contributions.due d using (bill_id) "
        "where d.psn_no = $1 and d.month = $2", patient["psn_no"], month)
    return dict(bill)


def told_paid(city: Any, bill: dict[str, Any], payment_id: str, day: str) -> None:
    """Let the tax bureau tell now what was paid on a day."""
    paid = Payment(payment_id=payment_id, bill_id=bill["bill_id"], amount_fen=bill["amount_fen"], channel="tax_app",
                   paid_at=at(f"{day} 10:00"), payer_no=bill["payer_no"], admdvs=REGION)
    city.do(receive_payment, paid, actor=TAX, shelf=city.shelf)


def states(city: Any) -> list[str]:
    rows = city.hall("review", REGION).read("/register-entries", admdvs=REGION, kind="negotiated_drug")["rows"]
    return [r["state"] for r in rows]


def sale(patient: dict[str, Any], invoice: str, fen: int, when: str, **changes: Any) -> dict[str, Any]:
    """Return a sale as the pharmacy notes it."""
    return {
        "psn_no": patient["psn_no"], "insutype": "310", "invoice_no": invoice, "receipt_no": f"SJ-{invoice}", "sold_at": when,
        "total_fen": fen, "prescription": scan("处方"), "receipt": scan("收据"), "sealed": True, "phone": "13000000006",
    } | changes


def settled(city: Any, pharmacy: Any, patient: dict[str, Any], invoice: str, boxes: int, price: float, when: str) -> Any:
    """Send a noted sale in: the time of the sale, the number of the receipt, the prescription on paper."""
    item = {**next(i for i in city.world["items"] if i["med_list_codg"] == GRANULES), "price": price}
    content = pharmacy.purchase(patient, [sold(item, boxes, rxno=f"RX-{invoice}")], med_type="18", acct_used_flag="0",
                                begin=when, invono=invoice)
    reply = pharmacy.till.ask(pharmacy.till.envelope("2102", content, insured_place=REGION))
    return pharmacy.till.output(reply)["setlinfo"], json.loads(reply)["warn_msg"]


def test_two_months_of_a_negotiated_drug(city: Any) -> None:
    patient = next(p for p in city.world["patients"] if p["insuplc_admdvs"] == REGION and p["insutype"] == "310")
    pharmacy = Drugstore(city.till(REGION, kind="2"))
    code = pharmacy.till.counter.fixmedins_code
    store, agency = city.hall(code, REGION), city.hall("review", REGION)

    january = owes(city, patient, JANUARY)
    city.turn("2025-02-07 09:00")
    city.do(note_transit, NoteTransit(psn_no=patient["psn_no"], insutype="310", month=JANUARY, paid_on=date(2025, 1, 28),
                                      source="receipt", reference="完税证明0128"), shelf=city.shelf)

    # 02-08: in full, on prescription, with a sealed receipt
    city.turn("2025-02-08 15:00")
    first = sale(patient, "FP-0208", 3720, "2025-02-08T15:00:00+08:00")
    for field, value, fault in (("sealed", False, "RECEIPT_UNSEALED"), ("prescription", "", "PAPER_MISSING")):
        assert store.refused("/drug-sales", {**first, field: value})["code"] == fault
    noted = store.do("/drug-sales", first)
    assert (noted["register_no"], noted["paid_fen"]) == ("R441300-negotiated_drug-000001", 3720)
    assert store.do("/drug-sales", first)["register_no"] == noted["register_no"]
    kept = store.read(f"/register-entries/{noted['register_no']}")
    assert [p["title"] for p in kept["papers"]] == ["处方", "加盖收款章的收据"]
    assert kept["row"]["fixmedins_code"] == code
    assert store.refused("/drug-books/2025-02/give", {"admdvs": REGION})["code"] == "MONTH_NOT_OVER"

    # 03-01: the month's book goes to the agency and is checked
    city.turn("2025-03-01 09:00")
    given = store.do("/drug-books/2025-02/give", {"admdvs": REGION})
    assert (given["rows"], given["paid_fen"], given["version"], given["state"]) == (1, 3720, 1, "given")
    found = {"admdvs": REGION, "fixmedins_code": code, "is_right": False, "says": "处方影像不清"}
    assert agency.do("/drug-books/2025-02/check", found)["state"] == "returned"
    assert store.do("/drug-books/2025-02/give", {"admdvs": REGION})["version"] == 2
    assert agency.do("/drug-books/2025-02/check", {**found, "is_right": True, "says": ""})["state"] == "checked"
    assert agency.refused("/drug-books/2025-02/check", {**found, "is_right": True})["code"] == "BOOK_CHECKED"

    february = owes(city, patient, date(2025, 2, 1))

    # 03-05: the second month
    city.turn("2025-03-05 10:00")
    store.do("/drug-sales", sale(patient, "FP-0305", 12000, "2025-03-05T10:00:00+08:00"))

    # 03-20: the dues arrive
    city.turn("2025-03-20 09:00")
    assert states(city) == ["received", "received"]
    told_paid(city, february, "TAX-2", "2025-02-26")
    told_paid(city, january, "TAX-1", "2025-01-28")
    assert states(city) == ["ready", "ready"]
    (told,) = city.fetch("select text from notices.message where psn_no = $1 and kind = 'dues_arrived'", patient["psn_no"])
    assert "000001" in told["text"]
    assert "000002" in told["text"]

    # 03-22: settled where it was bought, in the order of purchase
    city.turn("2025-03-22 09:00")
    info, warned = settled(city, pharmacy, patient, "FP-0208", 4, 9.30, "2025-02-08 15:00:00")
    assert (info["hifp_pay"], info["psn_cash_pay"]) == (26.78, 10.42)
    assert "26.78" in warned
    info, warned = settled(city, pharmacy, patient, "FP-0305", 10, 12.00, "2025-03-05 10:00:00")
    assert (info["hifp_pay"], info["psn_cash_pay"]) == (66.96, 53.04)
    assert "66.96" in warned
    rows = agency.read("/register-entries", admdvs=REGION, kind="negotiated_drug")["rows"]
    assert [(r["state"], r["paid_fen"], r["due_fen"], r["back_fen"]) for r in rows] == [
        ("done", 3720, 1042, 2678), ("done", 12000, 5304, 6696)]

    # 04-01: the book of March, and the end of the whole book
    city.turn("2025-04-01 09:00")
    march = store.do("/drug-books/2025-03/give", {"admdvs": REGION})
    assert (march["rows"], march["paid_fen"]) == (1, 12000)
    (content,) = city.fetch("select content from registers.month_book where month = '2025-03-01'")
    table = load_workbook(io.BytesIO(content["content"])).active
    assert [c.value for c in table[4]][:3] == ["R441300-negotiated_drug-000002", "2025-03-05 10:00:00", patient["psn_name"]]
    closed = agency.do(f"{BOOK}/close", PLAN)
    assert (closed["rows"], closed["paid_fen"], closed["due_fen"], closed["back_fen"]) == (2, 15720, 6346, 9374)
    assert city.breaches() == {}


