"""The life of a claim: its natural order, wrong orders, and every pair of state and deed.

The table says which deed is allowed in which state; every other pair must be refused with its reason and leave the
database as it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.spec.books.test_difference_kinds import CLASS
from tests.spec.clearing.conftest import Office
from tests.support.accountant import claim
from tests.support.agency import FIRST, SECOND, Denied, answer_of, read_order
from tests.support.till import Refused

REGION, THIRD = "370300", "钱第三"
STATES = ("none", "claimed", "withdrawn", "rejected", "reviewed", "approved", "ordered", "paid")
DEEDS = ("3203", "3204", "review", "deduct", "approve", "reject", "pay", "return")
ALLOWED = {
    ("none", "3203"): "claimed", ("withdrawn", "3203"): "claimed", ("rejected", "3203"): "claimed",
    ("claimed", "3204"): "withdrawn", ("claimed", "review"): "reviewed", ("claimed", "reject"): "rejected",
    ("reviewed", "deduct"): "reviewed", ("reviewed", "approve"): "approved", ("reviewed", "reject"): "rejected",
    ("approved", "pay"): "ordered", ("ordered", "return"): "paid",
}
"""What may be done in which state, and the state it leads to."""
NO_EFFECT = {("rejected", "reject"), ("paid", "return")}
"""Answered again with what is so already: nothing changes."""


def reason(state: str, deed: str) -> str:
    """Return what a pair that is not allowed is refused with."""
    if deed == "3203":
        return "没有未申报的结算"
    if deed == "pay":
        return "NOTHING_TO_PAY"
    if deed == "return":
        return "PAYMENT_FILE_UNKNOWN"
    if state == "none":
        return "本机构没有这个清算申请事件" if deed == "3204" else "CLAIM_UNKNOWN"
    return "不能办理" if deed == "3204" else "CLAIM_STATE"


_turns = itertools.count()
"""Whose turn it is to be ill: nobody's year is used up."""


class Life:
    """One claim on its way; ``book`` are its lines."""

    def __init__(self, office: Office, directory: Path) -> None:
        self.office, self.directory = office, directory
        self.book = [office.settle(next(_turns)) for _ in range(2)]
        while sum(e.fund + e.account for e in self.book) <= 0:
            assert len(self.book) < 30, "nobody has anything left that funds or accounts would pay"
            self.book.append(office.settle(next(_turns)))
        self.claim_id = "0" * 24
        self.order = b""

    def to(self, state: str) -> Life:
        """Drive the claim to a state by the natural order."""
        way = {"none": (), "claimed": ("3203",), "withdrawn": ("3203", "3204"), "rejected": ("3203", "reject"),
               "reviewed": ("3203", "review"), "approved": ("3203", "review", "approve"),
               "ordered": ("3203", "review", "approve", "pay"), "paid": ("3203", "review", "approve", "pay", "return")}
        for deed in way[state]:
            self.do(deed)
        return self

    def do(self, deed: str, *, by: str | None = None) -> Any:
        """Do one deed; the natural person does it unless ``by`` says who."""
        desk, claim_id = self.office.desk, self.claim_id
        if deed == "3203":
            self.claim_id = self.office.claim(self.book)
        elif deed == "3204":
            self.office.till.call("3204", {"data": {"clr_appy_evt_id": claim_id}})
        elif deed == "review":
            desk.run("review", claim_id, "--operator", by or FIRST)
        elif deed == "approve":
            desk.run("approve", claim_id, "--operator", by or SECOND)
        elif deed == "reject":
            desk.run("reject", claim_id, "--operator", by or FIRST, "--reason", "材料不全")
        elif deed == "deduct":
            desk.run("deduct", claim_id, "--operator", by or FIRST, "--number", f"扣{claim_id[-6:]}", "--reason", "超量",
                     "--amount", "0.01")
        elif deed == "pay":
            self.order = desk.pay(REGION, self.directory)[1]
        elif deed == "return":
            desk.take(answer_of(read_order(self.order)) if self.order else unknown_return(), self.directory)

    def state(self) -> str:
        """Return the state the agency sees."""
        try:
            return str(self.office.desk.run("show", self.claim_id)["claim"]["state"])
        except Denied:
            return "none"

    def finish(self) -> None:
        """Drive everything that is left to its end, so that the next test begins alone."""
        state = self.state()
        if state in ("none", "withdrawn", "rejected"):
            self.to("paid")
            return
        for deed in {"claimed": ("review", "approve", "pay", "return"), "reviewed": ("approve", "pay", "return"),
                     "approved": ("pay", "return"), "ordered": ("return",), "paid": ()}[state]:
            self.do(deed)


def unknown_return() -> bytes:
    """Return a bank's answer about payments that nobody ordered."""
    from tests.support.agency import Order

    return answer_of(Order("9" * 24, REGION, "2026-01-01", {"8" * 24: 100}))


@pytest.fixture
def life(office: Office, tmp_path: Path) -> Callable[[str], Life]:
    """Return a function that makes a claim in a state."""
    return lambda state: Life(office, tmp_path).to(state)


@pytest.mark.parametrize("state", STATES)
def test_every_pair_of_state_and_deed(office: Office, life: Callable[[str], Life], state: str) -> None:
    held = life(state)
    before = office.everything()
    for deed in DEEDS:
        if (state, deed) in ALLOWED:
            continue
        if (state, deed) in NO_EFFECT:
            held.do(deed)
        else:
            with pytest.raises((Refused, Denied), match=reason(state, deed)):
                held.do(deed, by=THIRD)
        assert office.everything() == before, f"{deed} in {state} changed something"
    assert held.state() == state
    held.finish()
    for deed in DEEDS:
        if (state, deed) in ALLOWED:
            fresh = life(state)
            fresh.do(deed)
            assert fresh.state() == ALLOWED[state, deed], deed
            fresh.finish()
    assert office.desk.owed(office.code) == 0


def test_the_natural_order(office: Office, life: Callable[[str], Life]) -> None:
    held = life("none")
    seen = []
    for deed in ("3203", "review", "deduct", "approve", "pay", "return"):
        held.do(deed)
        seen.append(held.state())
    assert seen == ["claimed", "reviewed", "reviewed", "approved", "ordered", "paid"]
    assert office.desk.owed(office.code) == 0


WRONG_ORDERS = {
    "approved before it is reviewed": ("3203", "approve"),
    "paid before it is approved": ("3203", "review", "pay"),
    "the bank answers before it was ordered": ("3203", "review", "approve", "return"),
    "withdrawn after the review": ("3203", "review", "3204"),
    "withdrawn twice": ("3203", "3204", "3204"),
    "claimed twice": ("3203", "3203"),
    "sent back after the approval": ("3203", "review", "approve", "reject"),
    "deducted after the approval": ("3203", "review", "approve", "deduct"),
    "paid twice": ("3203", "review", "approve", "pay", "return", "pay"),
    "withdrawn before it was claimed": ("3204",),
}


@pytest.mark.parametrize("order", WRONG_ORDERS)
def test_a_wrong_order_is_refused_at_its_last_step(office: Office, life: Callable[[str], Life], order: str) -> None:
    *natural, wrong = WRONG_ORDERS[order]
    held = life("none")
    for deed in natural:
        held.do(deed)
    before = office.everything()
    with pytest.raises((Refused, Denied), match=reason(held.state(), wrong)):
        held.do(wrong)
    assert office.everything() == before
    held.finish()


def test_a_refund_after_the_claim_is_in_the_next_one(office: Office, life: Callable[[str], Life]) -> None:
    held = life("paid")
    office.cancel(held.book[-1])
    negative = -(held.book[-1].fund + held.book[-1].account)
    assert office.desk.owed(office.code) == negative < 0
    held.book = office.free()
    content = claim([], clr_type=CLASS)["data"]
    row = office.fetch("select medfee_fen, scope_fen, fund_fen, cash_fen, account_fen from settlements.settlement "
                       "where fixmedins_code = $1 order by settled_at desc limit 1", office.code)[0]
    sums = dict(zip(("medfee_sumamt", "med_sumfee", "fund_appy_sum", "cash_payamt", "acct_pay"),
                    (f"{v / 100:.2f}" for v in row), strict=True))
    held.claim_id = office.till.call("3203", {"data": {**content, **sums, "psntime": -1}})["result"]["clr_appy_evt_id"]
    held.do("review")
    held.do("approve")
    with pytest.raises(Denied, match="应付合计为负"):
        held.do("pay")
    # Together with the next claim it is set off.
    other = life("approved")
    other.do("pay")
    (amount,) = read_order(other.order).amounts.values()
    assert amount == sum(e.fund + e.account for e in other.book) + negative
    other.do("return")
    assert (held.state(), other.state()) == ("paid", "paid")
    assert office.desk.owed(office.code) == 0
    assert office.breaches() == []
