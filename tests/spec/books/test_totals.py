"""3201: totals that do not tie are answered with each difference and what it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.spec.books.test_difference_kinds import CLASS, ordinary
from tests.support.accountant import Entry, entry_of, totals
from tests.support.till import Till

Book = list[Entry]


@pytest.fixture(scope="module")
def day(till_for: Callable[..., Till], world: dict[str, Any]) -> tuple[Till, Book]:
    """Settle one visit of several employees and residents, cancel one; return the book built from the replies."""
    till = till_for()
    book = []
    for patient in ordinary(till, world):
        bill = till.prepare(patient, patient["visit"])
        done = till.call("2207", bill, insured_place=patient["insuplc_admdvs"])["setlinfo"]
        book.append(entry_of(done))
    last = book[-1]
    keys = {"setl_id": last.setl_id, "mdtrt_id": last.mdtrt_id, "psn_no": last.psn_no}
    book.append(entry_of(till.call("2208", {"data": keys})["setlinfo"], is_refund=True, origin=last))
    return till, book


def ask(day: tuple[Till, Book], book: Book, insutype: str, **more: Any) -> dict[str, str]:
    till, _ = day
    content = totals(till, book, insutype=insutype, clr_type=CLASS, **{"refd_setl_flag": "1", **more})
    answer: dict[str, str] = till.call("3201", content)["stmtinfo"]
    assert len(answer["stmt_rslt_dscr"]) <= 200
    return answer


def insurances(book: Book) -> list[str]:
    return sorted({entry.insutype for entry in book})


@pytest.mark.drives("3201")
def test_a_book_built_from_replies_ties_to_the_fen(day: tuple[Till, Book]) -> None:
    assert insurances(day[1]) == ["310", "390"]
    for insutype in insurances(day[1]):
        assert ask(day, day[1], insutype)["stmt_rslt"] == "0"


def test_a_missing_settlement_is_named_with_its_message(day: tuple[Till, Book]) -> None:
    _, book = day
    gone = next(e for e in book if e.insutype == book[-1].insutype and e.setl_id not in (book[-1].setl_id, book[-2].setl_id)
                and sum((e.total, e.fund, e.account) == (o.total, o.fund, o.account) for o in book) == 1)
    said = ask(day, [e for e in book if e is not gone], gone.insutype)
    assert said["stmt_rslt"] == "1"
    assert f"机构缺一笔，结算ID {gone.setl_id}" in said["stmt_rslt_dscr"]


def test_a_settlement_counted_twice_is_named(day: tuple[Till, Book]) -> None:
    _, book = day
    one = next(e for e in book if sum((e.total, e.fund, e.account) == (o.total, o.fund, o.account) for o in book) == 1
               and not e.is_refund)
    assert f"机构可能重复计入结算ID {one.setl_id}" in ask(day, [*book, one], one.insutype)["stmt_rslt_dscr"]


def test_a_refund_that_was_not_counted_is_said(day: tuple[Till, Book]) -> None:
    _, book = day
    said = ask(day, [e for e in book if not e.is_refund], book[-1].insutype)
    assert "机构未计退费的负记录" in said["stmt_rslt_dscr"]


def test_without_refunds_the_negative_row_is_left_out(day: tuple[Till, Book]) -> None:
    _, book = day
    insutype = book[-1].insutype
    assert ask(day, [e for e in book if not e.is_refund], insutype, refd_setl_flag="0")["stmt_rslt"] == "0"
    assert "退费结算标志应填1" in ask(day, book, insutype, refd_setl_flag="0")["stmt_rslt_dscr"]


def test_two_insurances_in_one_sum_are_said(day: tuple[Till, Book]) -> None:
    _, book = day
    one = [msgspec.structs.replace(e, insutype="310") for e in book]
    assert "分险种对账" in ask(day, one, "310")["stmt_rslt_dscr"]


def test_what_nothing_explains_points_to_the_details(day: tuple[Till, Book]) -> None:
    said = ask(day, day[1], "310", acct_pay="123456.78")
    assert "请用9101上传明细并用3202逐笔核对" in said["stmt_rslt_dscr"]
    assert "个人账户支付：机构123456.78" in said["stmt_rslt_dscr"]
