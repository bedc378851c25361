"""A book on paper: all of a row in words, sums that add up, the same bytes for the same rows."""

from __future__ import annotations

import io
from datetime import date, datetime

import pytest
from openpyxl import load_workbook

from yibao.domains.registers.model import Entry, KeptPaper
from yibao.infra.typesetting import CannotPrint, chinese_font
from yibao.kernel.business_time import SHANGHAI
from yibao.usecases.registers.print_book import PrintedBook, write_page, write_sheet

AT = datetime(2021, 10, 11, 9, 30, tzinfo=SHANGHAI)


def row(n: int, **more: object) -> Entry:
    facts: dict[str, object] = {
        "admdvs": "370300", "register_no": f"R370300-deposit-{n:06d}", "kind": "deposit", "plan": "p", "business": "", "psn_no":
        f"P{n}", "emp_no": "", "applicant_name": f"人{n}", "phone": "13000000000", "fixmedins_code": "H1", "division": "",
        "received_at": AT, "received_by": "张", "channel": "api", "effective_on": None, "due_on": date(2021, 12, 31),
        "moved_from": date(2021, 12, 20), "state": "done", "amount_fen": 500_000, "paid_fen": 500_000, "due_fen": 320_000,
        "back_fen": 180_000, "result": "S1", **more,
    }
    return Entry(**facts)  # type: ignore[arg-type]


BOOK = PrintedBook(
    title="押金登记（p）", says="共2件", rows=(row(1), row(2, state="received", result="", due_fen=0, back_fen=0)),
    papers={"R370300-deposit-000001": (KeptPaper("", "押金收据", "", b"x", b"y"),)}, with_money=True)


def test_a_sheet_has_every_row_in_words_and_sums() -> None:
    sheet = load_workbook(io.BytesIO(write_sheet(BOOK))).active
    table = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert table[3][:4] == ["R370300-deposit-000001", "2021-10-11 09:30:00", "人1", "13000000000"]
    assert table[3][6:11] == ["押金收据", None, "2021-12-31（原2021-12-20）", "已办结", "S1"]
    assert table[3][12:] == [5000, 5000, 3200, 1800, 0]
    assert table[4][9] == "已登记造册"
    assert table[5][0] == "合计"
    assert table[5][12:] == [10000, 10000, 3200, 1800, 0]
    assert write_sheet(BOOK) == write_sheet(BOOK)


def test_a_page_is_the_same_for_the_same_rows_or_says_what_is_missing() -> None:
    try:
        font = chinese_font()
    except CannotPrint as error:
        pytest.skip(f"no PDF on this machine: {error}")
    page = write_page(BOOK)
    if font is None:
        assert not isinstance(page, bytes)
        assert page.code == "CANNOT_PRINT"
        return
    assert isinstance(page, bytes)
    assert page.startswith(b"%PDF")
    assert page == write_page(BOOK)
