"""A book on paper: a spreadsheet always, PDF where the machine can set it. The same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from importlib import resources

import msgspec
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from yibao.domains.registers.model import STATES, Entry, KeptPaper
from yibao.infra.spreadsheets import to_bytes
from yibao.infra.typesetting import CannotPrint, typeset
from yibao.kernel.business_time import to_wire
from yibao.kernel.money import fen_to_yuan, yuan_text
from yibao.kernel.refusal import Refusal, refuse

_TEXT = ("登记号", "受理时间", "姓名（名称）", "联系电话", "编号", "机构", "材料", "生效日", "期限", "状态", "结果", "责任人")
_MONEY = ("金额（元）", "已收（元）", "应付（元）", "退回（元）", "补收（元）")
_WIDTHS = (34, 19, 18, 14, 18, 16, 34, 12, 26, 12, 40, 20)
_MONEY_FORMAT = "#,##0.00"


class PrintedBook(msgspec.Struct, frozen=True, kw_only=True):
    """A book to print.

    Attributes:
        title: what stands over it; says: one line about when and how it stood.
        papers: of each row, by its number. with_money: the columns of money are shown.
    """

    title: str
    says: str
    rows: tuple[Entry, ...]
    papers: dict[str, tuple[KeptPaper, ...]]
    with_money: bool


def write_sheet(book: PrintedBook) -> bytes:
    """Return a book as XLSX; amounts are yuan with two decimals, with their sums below."""
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet), "a new workbook has one sheet"
    sheet.title = "登记册"
    sheet.append([book.title])
    sheet.append([book.says])
    sheet.append([*_TEXT, *(_MONEY if book.with_money else ())])
    for row in book.rows:
        sheet.append([*_texts(row, book.papers.get(row.register_no, ())),
                      *((fen_to_yuan(fen) for fen in _amounts(row)) if book.with_money else ())])
    if book.with_money:
        sheet.append(["合计", *[""] * (len(_TEXT) - 1), *(fen_to_yuan(fen) for fen in _sums(book.rows))])
    sheet["A1"].font = Font(bold=True, size=14)
    for number, width in enumerate((*_WIDTHS, *(14 for _ in _MONEY)), 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for cells in sheet.iter_rows(min_row=4, min_col=len(_TEXT) + 1):
        for cell in cells:
            cell.number_format = _MONEY_FORMAT
    sheet.freeze_panes = "B4"
    return to_bytes(workbook)


def write_page(book: PrintedBook) -> bytes | Refusal:
    """Return a book as PDF; refused, with what to install, where none can be made."""
    source = (resources.files("yibao") / "data" / "registers" / "book.typ").read_text(encoding="utf-8")
    rows = [
        [*_texts(row, book.papers.get(row.register_no, ())),
         *((yuan_text(fen) for fen in _amounts(row)) if book.with_money else ())] for row in book.rows
    ]
    if book.with_money:
        rows.append(["合计", *[""] * (len(_TEXT) - 1), *(yuan_text(fen) for fen in _sums(book.rows))])
    data = {"title": book.title, "says": book.says, "columns": [*_TEXT, *(_MONEY if book.with_money else ())], "rows": rows}
    try:
        return typeset(source, data)
    except CannotPrint as error:
        return refuse("CANNOT_PRINT", str(error), remedy="也可导出为电子表格")


def _texts(row: Entry, papers: Sequence[KeptPaper]) -> list[str]:
    state = STATES[row.state]
    return [
        row.register_no, to_wire(row.received_at), row.applicant_name, row.phone, row.psn_no or row.emp_no,
        row.fixmedins_code, "、".join(p.title for p in papers), _day(row.effective_on), _limit(row), state,
        "；".join(part for part in (row.result, row.reason) if part), _owner(row),
    ]


def _limit(row: Entry) -> str:
    moved = f"（原{row.moved_from}）" if row.moved_from else ""
    return f"{_day(row.due_on)}{moved}"


def _owner(row: Entry) -> str:
    return f"{row.owner}（至{row.owner_until}）" if row.owner else ""


def _day(day: date | datetime | None) -> str:
    return "" if day is None else f"{day}"


def _amounts(row: Entry) -> tuple[int, ...]:
    return row.amount_fen, row.paid_fen, row.due_fen, row.back_fen, row.topup_fen


def _sums(rows: Sequence[Entry]) -> list[int]:
    return [sum(column) for column in zip(*map(_amounts, rows), strict=True)] or [0] * len(_MONEY)
