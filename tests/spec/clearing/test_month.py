"""A month's money from the claim to the bank: 3203, two people, payment file, return file, and the payable is zero."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spec.books.test_difference_kinds import CLASS
from tests.spec.clearing.conftest import Book, Office
from tests.support.accountant import claim, yuan
from tests.support.agency import FIRST, SECOND, Denied, answer_of, read_order
from tests.support.till import Refused, Till

REGION = "370300"


def owed(book: Book) -> int:
    """Return what is owed for some lines, cents: funds and own accounts."""
    return sum(e.fund + e.account for e in book)


@pytest.mark.drives("3203", "3204")
def test_from_the_claim_to_a_payable_of_zero(office: Office, tmp_path: Path) -> None:
    desk = office.desk
    book = [office.settle(n) for n in range(6)]
    book.append(office.cancel(book[-1]))
    assert desk.owed(office.code) == owed(book) > 0
    # The claim holds its settlements: a second one finds nothing, after 3204 they are free again.
    first = office.claim(book)
    with pytest.raises(Refused, match="没有未申报的结算"):
        office.claim(book)
    office.till.call("3204", {"data": {"clr_appy_evt_id": first}})
    claim_id = office.claim(book)
    (listed,) = desk.run("list", "--state", "claimed")["claims"]
    assert (listed["claim_id"], listed["payable_fen"]) == (claim_id, owed(book))
    # What comes after the claim is the next claim's, refunds of what was claimed too.
    later = [office.settle(9), office.cancel(book[0])]
    sheet = desk.decide(claim_id)
    assert (sheet["claim"]["state"], sheet["due_fen"]) == ("approved", owed(book))
    answer, content = desk.pay(REGION, tmp_path)
    order = read_order(content)
    assert list(order.amounts.values()) == [owed(book)]
    assert answer["file"]["sum_fen"] == owed(book)
    assert desk.owed(office.code) == owed(book + later), "ordered is not paid"
    returned = desk.take(answer_of(order), tmp_path)
    assert returned["paid_fen"] == owed(book)
    assert desk.owed(office.code) == owed(later)
    assert office.breaches() == []
    # The second round: what is left, until nothing is owed.
    second = office.claim(later)
    desk.decide(second)
    if owed(later) > 0:
        _, content = desk.pay(REGION, tmp_path)
        desk.take(answer_of(read_order(content)), tmp_path)
        assert desk.owed(office.code) == 0
    else:
        with pytest.raises(Denied, match="应付合计为负"):
            desk.pay(REGION, tmp_path)
    assert office.breaches() == []


def test_sums_that_are_not_the_platforms_are_each_named(office: Office) -> None:
    book = [office.settle(1), office.settle(2)]
    wrong = {"psntime": 3, "medfee_sumamt": "1.00", "med_sumfee": "2.00", "fund_appy_sum": "3.00", "cash_payamt": "4.00",
             "acct_pay": "5.00"}
    content = claim(book, clr_type=CLASS)
    with pytest.raises(Refused) as refusal:
        office.till.call("3203", {"data": {**content["data"], **wrong}})
    said = str(refusal.value)
    for field, label in (("psntime", "清算人次"), ("medfee_sumamt", "医疗费总额"), ("med_sumfee", "医保认可费用总额"),
                         ("fund_appy_sum", "基金申报总额"), ("cash_payamt", "现金支付金额"), ("acct_pay", "个人账户支出")):
        assert f"data.{field}" in said
        assert label in said
    with pytest.raises(Refused, match=r"data\.cash_payamt") as one:
        office.till.call("3203", {"data": {**content["data"], "cash_payamt": "0.01"}})
    assert f"平台{yuan(sum(e.cash for e in book))}" in str(one.value)
    office.till.call("3204", {"data": {"clr_appy_evt_id": office.claim(book)}})


@pytest.mark.parametrize(("change", "said"), [
    ({"begndate": "2026-01-31", "enddate": "2026-02-01", "setlym": "202601"}, "跨越清算期2026-01"),
    ({"begndate": "2026-02-03", "enddate": "2026-02-02", "setlym": "202602"}, "早于开始日期"),
    ({"begndate": "2026-02-01", "enddate": "2026-02-28", "setlym": "202603"}, "请填写202602"),
    ({"begndate": "2026-02-01", "enddate": "2026-02-28", "setlym": "2026-2"}, "请填写202602"),
    ({"begndate": "2026-02-01", "enddate": "2026-02-28", "setlym": "202602"}, "没有未申报的结算"),
    ({"enddate": "2099-01-01"}, "在将来"),
    ({"clr_type": "21"}, "没有未申报的结算"),
    ({"clr_way": "40"}, "没有未申报的结算"),
])
def test_days_and_classes_without_a_claim_are_refused(office: Office, change: dict[str, str], said: str) -> None:
    content = claim([office.settle(3)], clr_type=CLASS)["data"]
    with pytest.raises(Refused, match=said):
        office.till.call("3203", {"data": {**content, **change}})


def test_another_institutions_claim_cannot_be_withdrawn(office: Office, till_for: Callable[..., Till]) -> None:
    mine = next(c for c in office.desk.run("list")["claims"] if c["state"] == "withdrawn")["claim_id"]
    with pytest.raises(Refused, match="本机构没有这个清算申请事件"):
        till_for(index=1).call("3204", {"data": {"clr_appy_evt_id": mine}})
    with pytest.raises(Refused, match="已撤销"):
        office.till.call("3204", {"data": {"clr_appy_evt_id": mine}})
    with pytest.raises(Refused, match="本机构没有这个清算申请事件"):
        office.till.call("3204", {"data": {"clr_appy_evt_id": "1" * 24}})


def test_the_same_message_is_one_claim(office: Office) -> None:
    free = unclaimed(office)
    content = claim(free, clr_type=CLASS)
    first = office.till.call("3203", content, msgid="claim-once-0000000000000000001")
    assert office.till.call("3203", content, msgid="claim-once-0000000000000000001") == first
    office.till.call("3204", {"data": first["result"]})


def unclaimed(office: Office) -> Book:
    """Return lines with the sums of all that is free to be claimed now: what earlier tests left, and one visit more."""
    office.settle(4)
    return office.free()


def test_four_eyes(office: Office) -> None:
    claim_id = office.claim(unclaimed(office))
    with pytest.raises(Denied, match="CLAIM_STATE"):
        office.desk.run("approve", claim_id, "--operator", SECOND)
    office.desk.run("review", claim_id, "--operator", FIRST)
    for same in (FIRST, f" {FIRST} ", FIRST[0] + "\u3000" + FIRST[1:]):
        with pytest.raises(Denied, match="FOUR_EYES"):
            office.desk.run("approve", claim_id, "--operator", same)
    with pytest.raises(Denied, match="OPERATOR_MISSING"):
        office.desk.run("approve", claim_id, "--operator", " ")
    # Once somebody at the agency has begun, the institution cannot take it back; the agency can send it back.
    with pytest.raises(Refused, match="已初审"):
        office.till.call("3204", {"data": {"clr_appy_evt_id": claim_id}})
    assert office.desk.run("review", claim_id, "--operator", FIRST)["claim"]["state"] == "reviewed", "again: no effect"
    with pytest.raises(Denied, match="CLAIM_STATE"):
        office.desk.run("review", claim_id, "--operator", SECOND)
    office.desk.run("reject", claim_id, "--operator", SECOND, "--reason", "清单未齐")
    assert office.desk.run("show", claim_id)["claim"]["closed_reason"] == "清单未齐"
    assert office.breaches() == []


def test_an_unknown_claim_is_refused(office: Office) -> None:
    for verb in ("show", "review", "approve"):
        words = (verb, "0" * 24) if verb == "show" else (verb, "0" * 24, "--operator", FIRST)
        with pytest.raises(Denied, match="CLAIM_UNKNOWN"):
            office.desk.run(*words)


def test_deductions_by_hand(office: Office, tmp_path: Path) -> None:
    desk = office.desk
    clean_up(office, tmp_path)
    book = [office.settle(n) for n in range(6)]
    about = max(book, key=lambda e: e.fund)
    assert about.fund > 200
    claim_id = office.claim(book)
    deduct = ("deduct", claim_id, "--operator", FIRST, "--number", "扣2026-001", "--reason", "超限定支付", "--amount", "1.23",
              "--settlement", about.setl_id)
    with pytest.raises(Denied, match="CLAIM_STATE"):
        desk.run(*deduct)
    desk.run("review", claim_id, "--operator", FIRST)
    assert desk.run(*deduct)["due_fen"] == owed(book) - 123
    assert desk.run(*deduct)["due_fen"] == owed(book) - 123, "the same number again: no effect"
    with pytest.raises(Denied, match="DEDUCTION_NUMBER_USED"):
        desk.run(*deduct[:-3], "9.99", *deduct[-2:])
    for wrong, code in (
        ({"--number": "2", "--amount": yuan(about.fund - 122)}, "DEDUCTION_TOO_LARGE"),
        ({"--number": "3", "--amount": "0"}, "DEDUCTION_WRONG"), ({"--number": "4", "--reason": " "}, "DEDUCTION_WRONG"),
        ({"--number": "5", "--settlement": "123"}, "SETTLEMENT_NOT_CLAIMED"), ({"--amount": "1.234"}, "usage"),
    ):
        words = list(deduct)
        for option, value in wrong.items():
            words[words.index(option) + 1] = value
        with pytest.raises(Denied, match=code):
            desk.run(*words)
    other = "赵稽核"
    desk.run("deduct", claim_id, "--operator", other, "--number", "扣2026-002", "--reason", "清单迟报", "--amount", "0.77")
    with pytest.raises(Denied, match="FOUR_EYES"):
        desk.run("approve", claim_id, "--operator", other)
    desk.run("approve", claim_id, "--operator", SECOND)
    assert desk.owed(office.code) == owed(book) - 200
    with pytest.raises(Denied, match="CLAIM_STATE"):
        desk.run("reject", claim_id, "--operator", FIRST, "--reason", "迟了")
    _, content = desk.pay(REGION, tmp_path)
    assert list(read_order(content).amounts.values()) == [owed(book) - 200]
    desk.take(answer_of(read_order(content)), tmp_path)
    assert desk.owed(office.code) == 0
    assert office.breaches() == []


def clean_up(office: Office, directory: Path) -> None:
    """Claim, approve and pay whatever earlier tests left."""
    office.desk.decide(office.claim(unclaimed(office)))
    answer, content = office.desk.pay(REGION, directory)
    if answer["file"] is not None:
        office.desk.take(answer_of(read_order(content)), directory)
    assert office.desk.owed(office.code) == 0
