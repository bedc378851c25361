"""Huizhou, February and March 2021: a patient buys the same negotiated drug in two months while the dues are on their way.

An employee, dues of January paid but not arrived. By the notice of 5 February the patient pays in full on prescription, the
pharmacy seals the receipt, notes the sale, makes its book month by month for the agency, and settles when the dues are there.

| day | what happens | patient gives | patient gets back |
|---|---|---|---|
| 02-08 | 4 boxes at 9.30: 37.20 in full | 37.20 | |
| 03-01 | the book of February: 1 row, 37.20; the agency checks it | | |
| 03-05 | 10 boxes at 12.00: 120.00 in full | 120.00 | |
| 03-22 | the dues are there; both are settled at the pharmacy, in the order of purchase | | 26.78 and 66.96 |
| 04-01 | the book of March: 1 row, 120.00; the whole book is closed: 157.20 given, 63.46 due, 93.74 back | | |

By hand (employee, negotiated drug: 10 % first, then 80 %; pay standard 9.30 a box):
4 x 9.30 = 37.20; 3.72 first; 33.48 x 80 % = 26.784, 26.78 from the fund; 10.42 due.
10 x 12.00 = 120.00; 27.00 over the standard; 93.00, 9.30 first; 83.70 x 80 % = 66.96 from the fund; 53.04 due.
"""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.support.drugstore import Drugstore, sold

REGION = "441300"
GRANULES = "ZD03AAK0261010100941"
PLAN = {"plan": "huizhou-2021"}
BOOK = f"/regions/{REGION}/registers/negotiated_drug"


def scan(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def city(city_at: Any) -> Any:
    opened = city_at("2021-02-06 08:00")
    opened.publish("huizhou-2021")
    return opened


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

    # 02-08: in full, on prescription, with a sealed receipt
    city.turn("2021-02-08 15:00")
    first = sale(patient, "FP-0208", 3720, "2021-02-08T15:00:00+08:00")
    for field, value, fault in (("sealed", False, "RECEIPT_UNSEALED"), ("prescription", "", "PAPER_MISSING")):
        assert store.refused("/drug-sales", {**first, field: value})["code"] == fault
    noted = store.do("/drug-sales", first)
    assert (noted["register_no"], noted["paid_fen"]) == ("R441300-negotiated_drug-000001", 3720)
    assert store.do("/drug-sales", first)["register_no"] == noted["register_no"]
    kept = store.read(f"/register-entries/{noted['register_no']}")
    assert [p["title"] for p in kept["papers"]] == ["处方", "加盖收款章的收据"]
    assert kept["row"]["fixmedins_code"] == code
    assert store.refused("/drug-books/2021-02/give", {"admdvs": REGION})["code"] == "MONTH_NOT_OVER"

    # 03-01: the month's book goes to the agency and is checked
    city.turn("2021-03-01 09:00")
    given = store.do("/drug-books/2021-02/give", {"admdvs": REGION})
    assert (given["rows"], given["paid_fen"], given["version"], given["state"]) == (1, 3720, 1, "given")
    found = {"admdvs": REGION, "fixmedins_code": code, "is_right": False, "says": "处方影像不清"}
    assert agency.do("/drug-books/2021-02/check", found)["state"] == "returned"
    assert store.do("/drug-books/2021-02/give", {"admdvs": REGION})["version"] == 2
    assert agency.do("/drug-books/2021-02/check", {**found, "is_right": True, "says": ""})["state"] == "checked"
    assert agency.refused("/drug-books/2021-02/check", {**found, "is_right": True})["code"] == "BOOK_CHECKED"

    # 03-05: the second month
    city.turn("2021-03-05 10:00")
    store.do("/drug-sales", sale(patient, "FP-0305", 12000, "2021-03-05T10:00:00+08:00"))

    # 03-22: settled where it was bought, in the order of purchase
    city.turn("2021-03-22 09:00")
    info, warned = settled(city, pharmacy, patient, "FP-0208", 4, 9.30, "2021-02-08 15:00:00")
    assert (info["hifp_pay"], info["psn_cash_pay"]) == (26.78, 10.42)
    assert "26.78" in warned
    info, warned = settled(city, pharmacy, patient, "FP-0305", 10, 12.00, "2021-03-05 10:00:00")
    assert (info["hifp_pay"], info["psn_cash_pay"]) == (66.96, 53.04)
    assert "66.96" in warned
    rows = agency.read("/register-entries", admdvs=REGION, kind="negotiated_drug")["rows"]
    assert [(r["state"], r["paid_fen"], r["due_fen"], r["back_fen"]) for r in rows] == [
        ("done", 3720, 1042, 2678), ("done", 12000, 5304, 6696)]

    # 04-01: the book of March, and the end of the whole book
    city.turn("2021-04-01 09:00")
    march = store.do("/drug-books/2021-03/give", {"admdvs": REGION})
    assert (march["rows"], march["paid_fen"]) == (1, 12000)
    (content,) = city.fetch("select content from registers.month_book where month = '2021-03-01'")
    table = load_workbook(io.BytesIO(content["content"])).active
    assert [c.value for c in table[4]][:3] == ["R441300-negotiated_drug-000002", "2021-03-05 10:00:00", patient["psn_name"]]
    closed = agency.do(f"{BOOK}/close", PLAN)
    assert (closed["rows"], closed["paid_fen"], closed["due_fen"], closed["back_fen"]) == (2, 15720, 6346, 9374)
    assert city.breaches() == {}


