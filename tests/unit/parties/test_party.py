"""What all parties do alike: take messages in order and once, speak in four moods, live by a clock that can be turned."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from yibao.kernel.business_time import SHANGHAI
from yibao_parties.hr import Hr
from yibao_parties.party import Declined
from yibao_parties.police import Police
from yibao_parties.store import Store
from yibao_parties.tax import Tax
from yibao_parties.wire import next_working_day, sm3_hex

DAY = datetime(2024, 7, 3, 9, 0, tzinfo=SHANGHAI)


def message(no: int, kind: str, body: dict[str, Any], *, id: str = "", digest: str = "") -> dict[str, Any]:
    """Return a message of the platform; its digest is reckoned here anew."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    told = digest or hashlib.new("sm3", text.encode()).hexdigest()
    return {"no": no, "id": id or f"m{no}", "kind": kind, "admdvs": "370300", "body": body, "digest": told}


def ask(no: int, check_id: str = "k1", **more: Any) -> dict[str, Any]:
    body = {"check_id": check_id, "certno": "C1", "name": "张三", "admdvs": "370300"}
    return message(no, "identity_check", body, **more)


@pytest.fixture
def police() -> Police:
    party = Police(Store(":memory:"))
    party.act("register", {"certno": "C1", "name": "张三"})
    return party


def said(party: Any) -> list[tuple[str, str]]:
    return [(m["id"], m["body"].get("result") or m["kind"]) for m in party.store.outgoing(after=0, limit=100)]


def test_messages_are_taken_in_order_and_once(police: Police) -> None:
    assert police.receive([ask(1), ask(2, "k2")]) == 2
    assert police.receive([ask(1), ask(2, "k2"), ask(3, "k3")]) == 3
    assert [result for _id, result in said(police)] == ["match"] * 3


@pytest.mark.parametrize(("wrong", "why"), [
    (ask(3), "missing"),
    (ask(2, digest="0" * 64), "digest"),
    (ask(2, "other", id="m1"), "another content"),
])
def test_what_is_wrong_is_declined_and_what_stood_before_it_is_kept(police: Police, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Declined, match=why):
        police.receive([ask(1), wrong])
    assert police.store.last_incoming() == 1
    assert len(said(police)) == 1


def test_a_message_nobody_can_read_does_not_block_the_next(police: Police) -> None:
    assert police.receive([message(1, "identity_check", {"certno": "C1"}), message(2, "poem", {}), ask(3)]) == 3
    assert [result for _id, result in said(police)] == ["match"]


def test_the_store_outlives_the_process(tmp_path: Path) -> None:
    first = Police(Store(tmp_path / "p"))
    first.receive([ask(1)])
    first.store.close()
    second = Police(Store(tmp_path / "p"))
    assert second.receive([ask(1), ask(2, "k2")]) == 2
    assert [m["no"] for m in second.store.outgoing(after=0, limit=9)] == [1, 2]


def test_identity_answers(police: Police) -> None:
    police.act("death", {"certno": "C2", "died_on": "2024-07-01", "admdvs": "370300"})
    bodies = [("C1", "张三"), ("C1", "李四"), ("C2", ""), ("C9", "王五")]
    police.receive([
        message(n, "identity_check", {"check_id": str(n), "certno": certno, "name": name, "admdvs": "370300"})
        for n, (certno, name) in enumerate(bodies, 1)
    ])
    assert [result for _id, result in said(police)] == ["death", "match", "name_differs", "dead", "unknown"]


def lost(party: Hr, card_no: str) -> None:
    party.act("lose_card", {"certno": "C1", "card_no": card_no, "admdvs": "370300"})


def test_the_four_faults_of_the_wrong_mood() -> None:
    def heard(fault: str) -> list[tuple[str, str, bool]]:
        party = Hr(Store(":memory:"))
        party.set_mood("wrong", faults=[fault])
        lost(party, "A")
        lost(party, "B")
        party.set_mood("normal")
        return [
            (m["id"], m["body"]["card_no"], m["digest"] == sm3_hex(json.dumps(
                m["body"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))))
            for m in party.store.outgoing(after=0, limit=9)
        ]

    a, b = "hr-card-1", "hr-card-2"
    assert heard("digest") == [(a, "A", False), (b, "B", False), (a, "A", True), (b, "B", True)]
    assert heard("repeat") == [(a, "A", True), (f"{a}-again", "A", True), (b, "B", True), (f"{b}-again", "B", True)]
    assert heard("order") == [(b, "B", True), (a, "A", True)]
    assert heard("unknown") == [(a, "A", True), (b, "B", True)], "a card has no id to spoil"


def test_a_message_about_nothing_is_added_to_the_true_one() -> None:
    party = Tax(Store(":memory:"))
    party.set_mood("wrong", faults=["unknown"])
    party.act("pay", {"bill_id": "B1", "amount_fen": 5, "admdvs": "370300", "force": True})
    bodies = [m["body"] for m in party.store.outgoing(after=0, limit=9)]
    assert [body["bill_id"] for body in bodies] == ["B1", "XB1"]
    assert bodies[1]["payment_id"] == "X" + bodies[0]["payment_id"]


@pytest.mark.parametrize("body", [{"mood": "angry"}, {"mood": "wrong", "faults": ["lies"]}])
def test_a_mood_that_is_none_is_declined(body: dict[str, Any]) -> None:
    with pytest.raises(Declined):
        Hr(Store(":memory:")).set_mood(**body)


def test_acts_say_what_is_missing() -> None:
    party = Hr(Store(":memory:"))
    with pytest.raises(Declined, match="there is no act dance"):
        party.act("dance", {})
    with pytest.raises(Declined, match="certno is missing"):
        party.act("retire", {"admdvs": "370300", "approved_on": "2024-07-01"})
    with pytest.raises(Declined, match="which card"):
        party.act("lose_card", {"certno": "C1", "admdvs": "370300"})
    assert party.store.last_outgoing() == 0


def test_the_clock_goes_forward_only() -> None:
    party = Hr(Store(":memory:"))
    party.advance(DAY)
    assert party.now() == DAY
    with pytest.raises(Declined, match="does not go back"):
        party.advance(DAY.replace(hour=8))
    assert party.tick() == []


def test_saturdays_and_sundays_are_no_working_days() -> None:
    friday = DAY.date().replace(day=5)
    assert [next_working_day(friday.replace(day=d)).day for d in (3, 4, 5, 6, 7, 8)] == [4, 5, 8, 8, 8, 9]
