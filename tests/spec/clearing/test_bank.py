"""The payment file, the bank's return file, and everything that can be wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.spec.books.test_difference_kinds import CLASS, ordinary
from tests.spec.clearing.conftest import Office
from tests.spec.clearing.test_orders import REGION, Life
from tests.spec.supervision.conftest import Suspected
from tests.support.accountant import claim
from tests.support.agency import FIRST, Denied, Order, answer_of, read_order
from tests.support.doctor import Agency
from tests.support.till import Till


@pytest.fixture(scope="module")
def second(office: Office, till_for: Callable[..., Till], world: dict[str, Any]) -> Office:
    """Open another hospital of the region, whose bank account nobody has entered yet."""
    till = till_for(index=1)
    return Office(till, office.desk, ordinary(till, world), office.url)


@pytest.fixture
def ordered(office: Office, tmp_path: Path) -> Life:
    """Return a claim whose payment is at the bank."""
    return Life(office, tmp_path).to("ordered")


def end(life: Life) -> None:
    """Have the bank pay, so that the next test begins alone."""
    life.do("return")
    assert life.state() == "paid"


def resigned(content: bytes, old: str, new: str) -> bytes:
    """Return a return file with a change and a digest that fits it."""
    body = content.rpartition(b"T\t")[0].replace(old.encode(), new.encode())
    return body + f"T\tsm3={hashlib.new('sm3', body).hexdigest()}\n".encode()


WRONG: dict[str, tuple[Callable[[Order], bytes], str]] = {
    "another digest": (lambda o: answer_of(o, digest="0" * 64), "RETURN_DIGEST"),
    "a changed byte": (lambda o: answer_of(o).replace(b"paid", b"fail"), "RETURN_DIGEST"),
    "no last line": (lambda o: answer_of(o).rpartition(b"T\t")[0], "RETURN_DIGEST"),
    "nothing": (lambda _o: b"", "RETURN_DIGEST"),
    "another count": (lambda o: answer_of(o, count=2), "RETURN_COUNT"),
    "another sum": (lambda o: answer_of(o, total="0.01"), "RETURN_SUM"),
    "a payment file nobody made": (lambda o: answer_of(o, file_no="1" * 24), "PAYMENT_FILE_UNKNOWN"),
    "a payment nobody ordered": (lambda o: answer_of(o, amounts={**o.amounts, "7" * 24: 100}), "PAYMENT_UNKNOWN"),
    "another amount": (lambda o: answer_of(o, amounts={p: a + 1 for p, a in o.amounts.items()}), "PAYMENT_AMOUNT"),
    "a word for the outcome that is none": (lambda o: resigned(answer_of(o), "\tpaid\t", "\tdone\t"), "RETURN_UNREADABLE"),
    "an amount that is none": (lambda o: resigned(answer_of(o), ".", ","), "RETURN_UNREADABLE"),
    "too few columns": (lambda o: resigned(answer_of(o), "\tpaid\t", "\tpaid "), "RETURN_UNREADABLE"),
    "our own payment file": (lambda o: resigned(answer_of(o), "YIBAO-RETURN", "YIBAO-PAY"), "RETURN_UNREADABLE"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_return_file_is_refused_and_changes_nothing(office: Office, ordered: Life, tmp_path: Path, what: str) -> None:
    make, code = WRONG[what]
    before = office.everything()
    with pytest.raises(Denied, match=code):
        office.desk.take(make(read_order(ordered.order)), tmp_path)
    assert office.everything() == before
    end(ordered)


def test_a_line_twice_is_refused(office: Office, ordered: Life, tmp_path: Path) -> None:
    order = read_order(ordered.order)
    lines = answer_of(order, count=2, total=f"{2 * sum(order.amounts.values()) / 100:.2f}").splitlines(keepends=True)
    body = lines[0] + lines[1] + lines[1]
    with pytest.raises(Denied, match="RETURN_TWICE"):
        office.desk.take(body + f"T\tsm3={hashlib.new('sm3', body).hexdigest()}\n".encode(), tmp_path)
    end(ordered)


def test_the_same_answer_again_has_no_effect_and_another_one_is_refused(office: Office, ordered: Life, tmp_path: Path) -> None:
    order = read_order(ordered.order)
    first = office.desk.take(answer_of(order), tmp_path)
    assert (len(first["paid"]), first["again"]) == (1, False)
    after = office.everything()
    again = office.desk.take(answer_of(order), tmp_path)
    assert (again["paid"], again["again"]) == ([], True)
    with pytest.raises(Denied, match="PAYMENT_ENDED"):
        office.desk.take(answer_of(order, fails=lambda _p: True), tmp_path)
    assert office.everything() == after


def test_what_failed_is_paid_with_the_next_file(office: Office, ordered: Life, tmp_path: Path) -> None:
    owed = office.desk.owed(office.code)
    failed = office.desk.take(answer_of(read_order(ordered.order), fails=lambda _p: True), tmp_path)
    assert (failed["paid"], len(failed["failed"]), failed["paid_fen"]) == ([], 1, 0)
    assert (ordered.state(), office.desk.owed(office.code)) == ("approved", owed)
    old = set(read_order(ordered.order).amounts)
    ordered.do("pay")
    new = read_order(ordered.order)
    assert not old & set(new.amounts), "a new payment has a number of its own"
    assert list(new.amounts.values()) == [owed]
    end(ordered)
    assert office.desk.owed(office.code) == 0
    assert office.breaches() == []


def test_two_institutions_in_one_file_may_be_answered_one_by_one(office: Office, second: Office, tmp_path: Path) -> None:
    one, two = Life(office, tmp_path).to("approved"), Life(second, tmp_path).to("approved")
    answer, content = office.desk.pay(REGION, tmp_path)
    assert [w["fixmedins_code"] for w in answer["waiting"]] == [second.code], "nobody has entered its account yet"
    assert len(read_order(content).amounts) == 1
    office.desk.take(answer_of(read_order(content)), tmp_path)
    with pytest.raises(Denied, match="FOUR_EYES"):
        office.desk.run("payee", second.code, "--operator", FIRST, "--checker", FIRST, "--bank", "行", "--name", "户",
                        "--account", "1")
    second.desk.payee(second.code)
    third = Life(office, tmp_path).to("approved")
    answer, content = office.desk.pay(REGION, tmp_path)
    order = read_order(content)
    assert len(order.amounts) == 2
    mine = next(p["payment_id"] for p in answer["payments"] if p["fixmedins_code"] == office.code)
    office.desk.take(answer_of(order, only=lambda p: p == mine), tmp_path)
    assert (one.state(), third.state(), two.state()) == ("paid", "paid", "ordered")
    office.desk.take(answer_of(order, only=lambda p: p != mine), tmp_path)
    assert two.state() == "paid"
    office.desk.take(answer_of(order), tmp_path)  # both outcomes once more, in one file: known already
    assert office.desk.owed(office.code) == second.desk.owed(second.code) == 0
    assert office.breaches() == []


def test_a_payment_file_can_be_had_again_byte_for_byte(office: Office, ordered: Life, tmp_path: Path) -> None:
    file_no, path = read_order(ordered.order).file_no, tmp_path / "again.txt"
    answer = office.desk.run("payment-file", file_no, "--out", str(path))
    assert path.read_bytes() == ordered.order
    assert answer["file"]["digest"] == hashlib.new("sm3", ordered.order).hexdigest()
    with pytest.raises(Denied, match="PAYMENT_FILE_UNKNOWN"):
        office.desk.run("payment-file", "0")
    end(ordered)


def test_an_order_whose_file_could_not_be_written_says_how_to_get_it(office: Office, tmp_path: Path) -> None:
    life = Life(office, tmp_path).to("approved")
    with pytest.raises(Denied, match="payment-file") as told:
        office.desk.run("pay", REGION, "--operator", FIRST, "--out", str(tmp_path / "nowhere" / "file.txt"))
    assert life.state() == "ordered"
    file_no = str(told.value).split("支付文件 ", 1)[1].split(" ", 1)[0]
    path = tmp_path / "file.txt"
    office.desk.run("payment-file", file_no, "--out", str(path))
    life.order = path.read_bytes()
    end(life)


def test_people_read_what_programs_read(office: Office, tmp_path: Path) -> None:
    """Every verb without ``--json``: the same facts in words, amounts in yuan."""
    desk, life = office.desk, Life(office, tmp_path).to("claimed")
    due = f"{sum(e.fund + e.account for e in life.book) / 100:.2f}"
    assert life.claim_id in desk.say("list", "--state", "claimed")
    assert "已初审" in desk.say("review", life.claim_id, "--operator", FIRST)
    sheet = desk.say("deduct", life.claim_id, "--operator", FIRST, "--number", "扣7", "--reason", "超量", "--amount", "0.01")
    assert "扣7" in sheet
    assert due in sheet
    assert "已复核" in desk.say("approve", life.claim_id, "--operator", "赵复核")
    path = tmp_path / "order.txt"
    assert "支付文件" in desk.say("pay", REGION, "--operator", FIRST, "--out", str(path))
    life.order = path.read_bytes()
    order = read_order(life.order)
    assert f"1 笔 {sum(order.amounts.values()) / 100:.2f} 元" in desk.say("payment-file", order.file_no)
    back = tmp_path / "back.txt"
    back.write_bytes(answer_of(read_order(life.order)))
    assert "已支付 1 笔" in desk.say("return", str(back), "--operator", FIRST)
    assert "已处理过" in desk.say("return", str(back), "--operator", FIRST)
    assert "应付 0.00 元" in desk.say("balance", office.code)
    assert "已支付" in desk.say("show", life.claim_id)


def test_claims_that_cancel_out_need_no_bank(office: Office, tmp_path: Path) -> None:
    life = Life(office, tmp_path)
    for entry in reversed(life.book):
        office.cancel(entry)
    content = claim([], clr_type=CLASS)["data"]
    life.claim_id = office.till.call("3203", {"data": content})["result"]["clr_appy_evt_id"]
    office.desk.decide(life.claim_id)
    answer, content = office.desk.pay(REGION, tmp_path)
    assert (answer["file"], content) == (None, b"")
    assert [p["state"] for p in answer["payments"]] == ["offset"]
    assert life.state() == "paid"
    assert office.breaches() == []


def test_what_supervision_decided_is_taken_once_and_given_back(
    office: Office, world: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deduction is copied into one live claim; a claim sent back lets go of it; a later return is paid in addition."""
    desk = office.desk
    man = next(p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"] == REGION
               and int(p["certno"][16]) % 2)
    life = Life(office, tmp_path)  # before the man's visit, which must stay his last one
    case = Suspected(office.till, man, Agency(office.url, monkeypatch), office.url)
    case.appeal(objects=False)
    case.upheld()
    (decided,) = case.deductions()
    amount = int(decided["amount_fen"])
    assert amount > 0
    life.book = office.free()
    life.do("3203")
    life.do("review")
    assert desk.run("show", life.claim_id)["claim"]["deducted_fen"] == amount
    life.do("reject")
    life.do("3203")
    life.do("review")
    sheet = desk.run("show", life.claim_id)
    taken = [(d["deduction_no"], d["amount_fen"], d["setl_id"]) for d in sheet["deductions"]]
    assert taken == [(decided["deduction_id"], amount, case.setl_id)]
    due = sum(e.fund + e.account for e in life.book)
    life.do("approve")
    assert desk.owed(office.code) == due - amount
    back = office.fetch(
        "select sum(amount)::bigint from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, amount) "
        "where posting_id = $1 and account like 'fund:370300:%'", life.claim_id)[0][0]
    assert back == amount, "what is not paid stays with the fund"
    life.do("pay")
    end(life)
    # The settlement is cancelled after all: its negative line and what was deducted from it go into the next claim.
    case.refund()
    case.agency.run()
    later = Life(office, tmp_path)
    for turn in range(50):
        if desk.owed(office.code) > 0:
            break
        office.settle(turn)  # until there is something to pay on balance
    later.book = office.free()
    later.to("approved")
    assert desk.run("show", later.claim_id)["claim"]["deducted_fen"] == -amount
    later.do("pay")
    (paid,) = read_order(later.order).amounts.values()
    assert paid == sum(e.fund + e.account for e in later.book) + amount
    end(later)
    assert desk.owed(office.code) == 0
    assert office.breaches() == []


ONE_PAID = "(select claim_id from clearing.claim where state = 'paid' and kind = 'monthly' and payable_fen > 0 limit 1)"
HARMS = {
    "a claim pays more than its settlements":
        f"update clearing.claim set payable_fen = payable_fen + 1 where claim_id = {ONE_PAID}",
    "a settlement of a claim is gone": f"delete from clearing.claim_item where ctid = (select ctid from clearing.claim_item "
                                       f"where claim_id = {ONE_PAID} limit 1)",
    "a payment has no posting": "delete from ledger.posting where kind = 'payment'",
    "a posting has no payment": "update ledger.posting set posting_id = posting_id || 'x' where kind = 'payment'",
    "a paid claim was never paid": f"update clearing.claim set payment_id = 'x' where claim_id = {ONE_PAID}",
    "a payment is larger than its claims": "update clearing.payment set amount_fen = amount_fen + 1 where state = 'paid'",
    "a deduction was not booked": "delete from ledger.posting where kind = 'deduction'",
    "a deduction was changed": "update clearing.deduction set amount_fen = amount_fen + 1 where source = 'supervision'",
    "a payment file says another sum": "update clearing.payment_file set sum_fen = sum_fen + 1",
    "an approval has no audit row": "delete from platform.audit_entry where verb = 'approve_claim'",
}


@pytest.mark.parametrize("harm", HARMS)
def test_verify_finds_harm(office: Office, harm: str) -> None:
    """After the tests above there are paid claims, deductions and files to do harm to."""
    assert office.breaches() == []
    assert office.breaches(HARMS[harm]), harm


def test_four_eyes_stand_in_the_database_too(office: Office) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        office.breaches(f"update clearing.claim set approved_by = reviewed_by where claim_id = {ONE_PAID}")
