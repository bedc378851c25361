"""The bank's own rules: which file it takes, and what becomes of each line."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.parties.test_party import message
from yibao.kernel.business_time import SHANGHAI
from yibao_parties.bank import Bank
from yibao_parties.party import Declined
from yibao_parties.store import Store

FRIDAY = datetime(2024, 7, 5, 16, 0, tzinfo=SHANGHAI)


@pytest.fixture
def bank() -> Bank:
    party = Bank(Store(":memory:"))
    party.advance(FRIDAY)
    party.act("open_account", {"account": "62220001", "name": "张三"})
    party.act("open_account", {"account": "62220002", "name": "李四"})
    party.act("close_account", {"account": "62220002"})
    return party


def file_of(*lines: tuple[str, str, str, int], **wrong: Any) -> dict[str, Any]:
    """Return a payout file; each line is its id, name, account and fen."""
    text = [f"{line}\t{name}\t{account}\t行\t{fen}\trefund\to" for line, name, account, fen in lines]
    digest = hashlib.new("sm3", "".join(f"{t}\n" for t in text).encode()).hexdigest()
    return {"file_id": "P1", "admdvs": "370300", "lines": text, "count": len(lines),
            "amount_fen": sum(fen for *_rest, fen in lines), "digest": digest, **wrong}


def heard(bank: Bank) -> list[tuple[str, dict[str, Any]]]:
    return [(m["kind"], m["body"]) for m in bank.store.outgoing(after=0, limit=99)]


@pytest.mark.parametrize(("name", "account", "code"), [
    ("张三", "62220001", "00"),      # opened here, the holder's name
    ("张四", "62220001", "02"),      # opened here, another name
    ("李四", "62220002", "03"),      # opened here and closed
    ("王五", "6217000000", "00"),    # another bank's: only its form is known
    ("王五", "6217", "01"),          # too short for an account
    ("王五", "621700000X", "01"),    # no digits
    ("惠州", "AGENCY-441300", "00"),
])
def test_what_becomes_of_a_line(bank: Bank, name: str, account: str, code: str) -> None:
    bank.receive([message(1, "payout_file", file_of(("w1-1", name, account, 7)))])
    bank.advance(FRIDAY + timedelta(days=2))
    assert heard(bank) == [], "nothing is carried out at the weekend"
    bank.advance(FRIDAY + timedelta(days=3))
    answer = dict(heard(bank))["payout_return"]
    (row,) = answer["rows"]
    assert (row["line_id"], row["code"], row["amount_fen"]) == ("w1-1", code, 7)
    assert (row["reason"] == "") == (row["bank_ref"] != "") == (code == "00")
    assert answer["digest"] == hashlib.new("sm3", f"w1-1,{code},7\n".encode()).hexdigest()
    assert (answer["count"], answer["paid_fen"]) == (1, 7 if code == "00" else 0)


@pytest.mark.parametrize("wrong", [{"digest": "0" * 64}, {"count": 2}, {"amount_fen": 8}])
def test_a_wrong_file_is_refused_as_a_whole(bank: Bank, wrong: dict[str, Any]) -> None:
    bank.receive([message(1, "payout_file", file_of(("w1-1", "张三", "62220001", 7), **wrong))])
    bank.advance(FRIDAY + timedelta(days=4))
    ((kind, body),) = heard(bank)
    assert (kind, body["file_id"]) == ("file_refused", "P1")


def test_what_is_collected_by_pos_is_handed_over_on_the_next_working_day(bank: Bank) -> None:
    payment_id = bank.act("collect", {"bill_id": "B1", "admdvs": "370300", "amount_fen": 50, "payer_no": "N1"})
    bank.advance(FRIDAY + timedelta(days=3))
    (_, collection), (_, arrival) = heard(bank)
    assert (collection["payment_id"], collection["channel"], collection["payer_no"]) == (payment_id, "pos", "N1")
    assert (arrival["arrived_on"], arrival["payment_ids"], arrival["amount_fen"]) == ("2024-07-08", [payment_id], 50)


def test_an_account_nobody_opened_cannot_be_closed(bank: Bank) -> None:
    with pytest.raises(Declined):
        bank.act("close_account", {"account": "1"})
