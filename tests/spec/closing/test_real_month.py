"""A hospital's month through HTTP and the bank, closed at the first of the next: the report equals the hospital's own book."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from tests.spec.books.test_difference_kinds import CLASS, ordinary
from tests.support.accountant import Entry, claim, entry_of
from tests.support.agency import Desk, answer_of, read_order
from tests.support.hall import Hall
from tests.support.till import Till
from yibao.entrypoints.cli.main import app
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import RandomIds
from yibao.usecases.closing.close_month import ClosedMonth, CloseMonth, close_month
from yibao.usecases.closing.export_vouchers import VoucherBook, read_vouchers
from yibao.usecases.closing.fund_report import FundReport, fund_report
from yibao.usecases.closing.report_sheet import write_sheet
from yibao.usecases.verification.clearing_checks import CLEARING_CHECKS
from yibao.usecases.verification.closing_checks import CLOSING_CHECKS
from yibao.usecases.verification.verify_books import verify_books

REGION = "370300"
MONEY = {check.says for check in (*CLOSING_CHECKS, *CLEARING_CHECKS)}


class Month(msgspec.Struct, frozen=True):
    """A closed month with what the hospital's replies added up to, cents."""

    first: date
    book: list[Entry]
    paid: int
    report: FundReport
    vouchers: VoucherBook
    broken: list[str]


@pytest.fixture(scope="module")
def month(
    till_for: Callable[..., Till], world: dict[str, Any], world_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Month:
    """Settle, cancel, claim, pay, and close at the first of the next month."""
    till, desk, papers = till_for(), Desk(world_url), tmp_path_factory.mktemp("papers")
    code = till.counter.fixmedins_code
    first = datetime.now(SHANGHAI).date().replace(day=1)
    desk.payee(code)
    people = ordinary(till, world)
    book = []
    for n in range(6):
        patient = people[n % len(people)]
        bill = till.prepare(patient, patient["visit"])
        book.append(entry_of(till.call("2207", bill, insured_place=patient["insuplc_admdvs"])["setlinfo"]))
    last = book[-1]
    keys = {"setl_id": last.setl_id, "mdtrt_id": last.mdtrt_id, "psn_no": last.psn_no}
    book.append(entry_of(till.call("2208", {"data": keys})["setlinfo"], is_refund=True, origin=last))
    paid = _be_paid(till, desk, book, papers)
    # One more that is settled and not claimed: spent, and still owed.
    bill = till.prepare(people[0], people[0]["visit"])
    book.append(entry_of(till.call("2207", bill, insured_place=REGION)["setlinfo"]))
    return asyncio.run(_close(world_url, first, book, paid))


def _be_paid(till: Till, desk: Desk, book: list[Entry], papers: Path) -> int:
    claim_id = str(till.call("3203", claim(book, clr_type=CLASS))["result"]["clr_appy_evt_id"])
    desk.decide(claim_id)
    _, content = desk.pay(REGION, papers)
    return int(desk.take(answer_of(read_order(content)), papers)["paid_fen"])


async def _close(url: str, first: date, book: list[Entry], paid: int) -> Month:
    next_month = (first + timedelta(days=32)).replace(day=1)
    now = datetime.combine(next_month, datetime.min.time(), SHANGHAI) + timedelta(hours=9)
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            done = await close_month(
                connection, CloseMonth(admdvs=REGION, month=first), actor=Actor(login="张会计", channel="cli"), now=now,
                ids=RandomIds(),
            )
            assert isinstance(done, ClosedMonth), done
        report = await fund_report(connection, admdvs=REGION, month=first)
        vouchers = await read_vouchers(connection, admdvs=REGION, month=first)
        assert isinstance(report, FundReport)
        assert isinstance(vouchers, VoucherBook)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            found = await verify_books(connection, replay=5)
            broken = [f.says for f in found if f.breaches and f.says in MONEY]
    finally:
        await connection.close()
    return Month(first, book, paid, report, vouchers, broken)


def test_what_the_funds_spent_is_what_the_replies_said(month: Month) -> None:
    spent = sum(line.month_fen for fund in month.report.funds for line in fund.lines if line.line == "benefits")
    assert spent == sum(e.fund + e.account for e in month.book) > 0
    own = next(f for f in month.report.funds if f.fund == "310200")
    assert sum(x.month_fen for x in own.lines if x.line == "benefits") == sum(e.account for e in month.book)
    assert month.broken == []


def test_what_is_owed_to_the_hospital_is_what_was_not_paid(month: Month) -> None:
    owed = sum(
        line.credit_fen - line.debit_fen for v in month.vouchers.vouchers for line in v.lines if line.detail == "待付定点医药机构"
    )
    assert owed == sum(e.fund + e.account for e in month.book) - month.paid > 0
    # What the bank paid was shared among the books that owed it; nothing is left to be placed.
    assert {v.book for v in month.vouchers.vouchers} <= {"310", "330", "390", "320", "392", "610"}
    bank = sum(
        line.credit_fen - line.debit_fen for v in month.vouchers.vouchers if v.kind == "payment"
        for line in v.lines if line.detail == "银行存款"
    )
    assert bank == month.paid


def test_the_hall_reads_the_same_report(month: Month, world: dict[str, Any]) -> None:
    agency = world["agency"]
    hall = Hall(agency["api"], agency["keys"][REGION]["audit"])
    asked = {"admdvs": REGION, "month": f"{month.first:%Y-%m}"}
    try:
        told = hall.read("/closing/report", **asked)
        assert (told["is_final"], told["total"]["carried_fen"]) == (True, month.report.total.carried_fen)
        assert [r["month"] for r in hall.read("/closing/months", admdvs=REGION)["rows"]] == [f"{month.first:%Y-%m}"]
        sheet = hall.send("GET", "/closing/report.xlsx", query=asked)
        assert sheet.content == write_sheet(month.report)
        assert hall.send("GET", "/closing/report.pdf", query=asked).content.startswith(b"%PDF-")
        book = load_workbook(io.BytesIO(hall.send("GET", "/closing/vouchers.xlsx", query=asked).content)).active
        debit, credit = (sum(round((row[n] or 0) * 100) for row in book.iter_rows(min_row=2, values_only=True)) for n in (10, 11))
        assert debit == credit == sum(v.debit_fen for v in month.vouchers.vouchers)
        problem = hall.send("GET", "/closing/vouchers", query=asked | {"month": "2001-01"}).json()
        assert problem["code"] == "MONTH_OPEN"
    finally:
        hall.close()


def test_the_command_line_says_the_same(month: Month, world_url: str, tmp_path: Path) -> None:
    desk = Commands(world_url)
    said = desk.run("report", REGION, f"{month.first:%Y-%m}", "--out", str(tmp_path / "r.xlsx"))["report"]
    assert said["total"]["spending_fen"] == month.report.total.spending_fen
    assert (tmp_path / "r.xlsx").read_bytes() == write_sheet(month.report)
    desk.run("vouchers", REGION, f"{month.first:%Y-%m}", "--out", str(tmp_path / "v.csv"), "--format", "csv")
    assert (tmp_path / "v.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    (listed,) = desk.run("list", "--region", REGION)["months"]
    assert listed["digest"] == month.report.digest
    checked = desk.run("check", REGION, f"{month.first:%Y-%m}", may_fail=True)
    assert all(line["where"] for line in checked["checklist"])
    desk.run("ask", REGION, f"{month.first:%Y-%m}", "--operator", "张会计", "--reason", "漏记")
    refused = desk.run("open", REGION, f"{month.first:%Y-%m}", "--operator", "张会计", may_fail=True)
    assert refused["faults"][0]["code"] == "FOUR_EYES"
    desk.run("open", REGION, f"{month.first:%Y-%m}", "--operator", "李主任", "--decline", "--reason", "记入下月")
    verbs = [e["verb"] for e in desk.run("history", REGION, f"{month.first:%Y-%m}")["events"]]
    assert sorted(verbs) == ["asked", "closed", "declined"]


class Commands:
    """``yibao month`` on one database."""

    def __init__(self, url: str) -> None:
        self._env = {"YIBAO_DATABASE_URL": url}

    def run(self, *words: str, may_fail: bool = False) -> dict[str, Any]:
        """Run a verb and return its JSON."""
        result = CliRunner().invoke(app, ["month", *words, "--json"], env={**os.environ, **self._env})
        assert may_fail or result.exit_code == 0, result.output
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer
