"""The tax bureau: who may pay what and how, what it says of a day, when the money comes."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.parties.test_party import message
from yibao.kernel.business_time import SHANGHAI
from yibao_parties.party import Declined
from yibao_parties.store import Store
from yibao_parties.tax import Tax

WEDNESDAY = datetime(2024, 7, 3, 9, 0, tzinfo=SHANGHAI)
FRIDAY = WEDNESDAY + timedelta(days=2)


@pytest.fixture
def tax() -> Tax:
    party = Tax(Store(":memory:"))
    party.advance(WEDNESDAY)
    return party


def bill(tax: Tax, bill_id: str = "B1", amount_fen: int = 100, **more: Any) -> None:
    body = {"bill_id": bill_id, "admdvs": "370300", "payer_kind": "unit", "payer_no": "E1", "payer_name": "甲公司",
            "month": "2024-07-01", "amount_fen": amount_fen, "count": 1, "digest": "", "pay_from": None,
            "channels": ["counter", "app"], **more}
    tax.receive([message(tax.store.last_incoming() + 1, "bill", body)])


def heard(tax: Tax, kind: str) -> list[dict[str, Any]]:
    return [m["body"] for m in tax.store.outgoing(after=0, limit=500) if m["kind"] == kind]


def test_a_bill_is_paid_once_in_full_by_the_payer(tax: Tax) -> None:
    bill(tax)
    payment_id = tax.act("pay", {"bill_id": "B1"})
    assert heard(tax, "payment") == [{
        "payment_id": payment_id, "bill_id": "B1", "amount_fen": 100, "channel": "counter",
        "paid_at": "2024-07-03T09:00:00+08:00", "payer_no": "E1", "admdvs": "370300",
    }]
    with pytest.raises(Declined, match="the bill is paid"):
        tax.act("pay", {"bill_id": "B1"})
    tax.act("pay", {"bill_id": "B1", "force": True})
    assert len(heard(tax, "payment")) == 2, "somebody at the counter insists"


@pytest.mark.parametrize(("more", "asked", "why"), [
    ({}, {"channel": "pos"}, "channel pos is not open to this payer; open are counter, app"),
    ({"pay_from": "2024-07-04"}, {}, "from 2024-07-04"),
    ({}, {"bill_id": "B9"}, "no such bill"),
])
def test_a_payment_that_is_not_allowed(tax: Tax, more: dict[str, Any], asked: dict[str, Any], why: str) -> None:
    bill(tax, **more)
    with pytest.raises(Declined, match=why):
        tax.act("pay", {"bill_id": "B1", **asked})
    assert heard(tax, "payment") == []


def test_a_cancelled_bill_cannot_be_paid_and_a_paid_one_stays_paid(tax: Tax) -> None:
    bill(tax)
    bill(tax, "B2")
    tax.act("pay", {"bill_id": "B2"})
    for no, name in ((3, "B1"), (4, "B2")):
        tax.receive([message(no, "bill_cancelled", {"bill_id": name})])
    with pytest.raises(Declined, match="cancelled"):
        tax.act("pay", {"bill_id": "B1"})
    assert {b["bill_id"]: b["state"] for b in tax.act("bills", {})} == {"B1": "cancelled", "B2": "paid"}


def test_a_payment_after_the_stop_is_given_back_before_it_is_handed_over(tax: Tax) -> None:
    bill(tax)
    payment_id = tax.act("pay", {"bill_id": "B1"})
    tax.receive([message(2, "payment_return", {"payment_id": payment_id, "amount_fen": 100, "reason": "停止征缴"})])
    (told,) = heard(tax, "payment_returned")
    assert (told["payment_id"], told["amount_fen"], told["reason"]) == (payment_id, 100, "停止征缴")
    assert {b["bill_id"]: b["state"] for b in tax.act("bills", {})} == {"B1": "open"}


def test_all_open_bills_are_paid_but_some(tax: Tax) -> None:
    bill(tax, "B1")
    bill(tax, "B2", payer_no="E2")
    bill(tax, "B3", pay_from="2024-07-20")
    bill(tax, "B4", payer_kind="person")
    assert tax.act("pay_open", {"payer_kind": "unit", "except": ["E2"]}) == 1
    assert [p["bill_id"] for p in heard(tax, "payment")] == ["B1"]
    assert tax.act("pay_open", {}) == 2


def test_the_statement_of_a_day_and_the_money_of_the_next_working_day(tax: Tax) -> None:
    bill(tax, "B1", 700)
    bill(tax, "B2", 300)
    ids = [tax.act("pay", {"bill_id": name}) for name in ("B1", "B2")]
    tax.advance(WEDNESDAY + timedelta(days=1, hours=4))
    (statement,) = heard(tax, "statement")
    digest = hashlib.new("sm3", "\n".join(sorted([f"{ids[0]},700", f"{ids[1]},300"])).encode()).hexdigest()
    assert statement == {
        "admdvs": "370300", "day": "2024-07-03", "count": 2, "amount_fen": 1_000, "digest": digest,
        "rows": [{"payment_id": ids[0], "amount_fen": 700}, {"payment_id": ids[1], "amount_fen": 300}],
    }
    assert heard(tax, "arrival") == [{
        "arrival_id": "A37030020240703", "admdvs": "370300", "arrived_on": "2024-07-04", "payment_ids": ids,
        "amount_fen": 1_000,
    }]
    tax.advance(WEDNESDAY + timedelta(days=2))
    assert [(s["day"], s["count"]) for s in heard(tax, "statement")] == [("2024-07-03", 2), ("2024-07-04", 0)]


def test_what_is_paid_on_a_friday_comes_on_monday(tax: Tax) -> None:
    tax.advance(FRIDAY)
    bill(tax)
    tax.act("pay", {"bill_id": "B1"})
    tax.advance(FRIDAY + timedelta(days=2, hours=10))
    assert heard(tax, "arrival") == []
    tax.advance(FRIDAY + timedelta(days=3, hours=2))
    assert [a["arrived_on"] for a in heard(tax, "arrival")] == ["2024-07-08"]


def test_a_payment_given_back_does_not_come_and_its_bill_is_open_again(tax: Tax) -> None:
    bill(tax)
    payment_id = tax.act("pay", {"bill_id": "B1"})
    tax.act("return_payment", {"payment_id": payment_id, "reason": "付错"})
    assert heard(tax, "payment_returned")[0]["payment_id"] == payment_id
    tax.advance(WEDNESDAY + timedelta(days=2))
    assert heard(tax, "arrival") == []
    assert tax.act("pay_open", {}) == 1
    with pytest.raises(Declined):
        tax.act("return_payment", {"payment_id": payment_id})


def test_a_forgotten_payment_is_missing_from_the_statement(tax: Tax) -> None:
    bill(tax)
    tax.act("forget_payment", {"payment_id": tax.act("pay", {"bill_id": "B1"})})
    tax.advance(WEDNESDAY + timedelta(days=1))
    assert [(s["count"], s["amount_fen"]) for s in heard(tax, "statement")] == [(0, 0)]


def test_a_refund_is_done_on_the_next_working_day(tax: Tax) -> None:
    bill(tax)
    payment_id = tax.act("pay", {"bill_id": "B1"})
    tax.receive([message(2, "refund", {"refund_id": "R1", "payment_id": payment_id, "amount_fen": 40})])
    tax.advance(WEDNESDAY + timedelta(days=1, hours=7))
    assert heard(tax, "refund_done") == [{"refund_id": "R1", "done_on": "2024-07-04", "admdvs": "370300"}]
