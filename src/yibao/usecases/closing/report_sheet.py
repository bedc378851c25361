"""The statement of the funds as a spreadsheet: one sheet, one column for each fund."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from yibao.infra.spreadsheets import to_bytes
from yibao.kernel.money import fen_to_yuan
from yibao.usecases.closing.fund_report import FundMonth, FundReport
from yibao.usecases.closing.report_words import NOTES, columns, side_lines, state_words
from yibao.usecases.funds.fund_lines import INCOME, SPENDING

_MONEY = "#,##0.00"
_FIRST_ROW = 5


def write_sheet(report: FundReport) -> bytes:
    """Return the statement as XLSX; the same report gives the same bytes. Amounts are yuan with two decimals."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet), "a new workbook has one sheet"
    sheet.title = f"{report.month:%Y-%m}"
    funds = columns(report)
    sheet.append([report.title])
    sheet.append([state_words(report)])
    sheet.append([])
    sheet.append(["项目", *(x for fund in funds for x in (fund.title, ""))])
    sheet.append(["", *(x for _ in funds for x in ("本月（元）", "本年累计（元）"))])
    _row(sheet, "一、期初结余", [(fund.opening_fen, None) for fund in funds], bold=True)
    for number, side, said in (("二", INCOME, "收入合计"), ("三", SPENDING, "支出合计")):
        _row(sheet, f"{number}、{said}", [_sum(fund, side) for fund in funds], bold=True)
        for code, title in side_lines(report, side):
            _row(sheet, f"　　{title}", [_line(fund, code) for fund in funds])
    _row(sheet, "四、期末结余", [(fund.carried_fen, None) for fund in funds], bold=True)
    sheet.append([])
    for note in NOTES:
        sheet.append([note])
    _dress(sheet, len(funds))
    return to_bytes(book)


def _row(sheet: Worksheet, title: str, pairs: list[tuple[int | None, int | None]], *, bold: bool = False) -> None:
    amounts = [None if fen is None else fen_to_yuan(fen) for pair in pairs for fen in pair]
    sheet.append([title, *amounts])
    for number, cell in enumerate(sheet[sheet.max_row], 1):
        cell.font = Font(bold=bold)
        if number > 1:
            cell.number_format = _MONEY


def _sum(fund: FundMonth, side: str) -> tuple[int, int]:
    lines = [x for x in fund.lines if x.side == side]
    return sum(x.month_fen for x in lines), sum(x.year_fen for x in lines)


def _line(fund: FundMonth, code: str) -> tuple[int | None, int | None]:
    return next(((x.month_fen, x.year_fen) for x in fund.lines if x.line == code), (None, None))


def _dress(sheet: Worksheet, funds: int) -> None:
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.column_dimensions["A"].width = 30
    for n in range(funds):
        first = 2 + 2 * n
        sheet.merge_cells(start_row=4, end_row=4, start_column=first, end_column=first + 1)
        sheet.cell(4, first).alignment = Alignment(horizontal="center")
        for column in (first, first + 1):
            sheet.column_dimensions[get_column_letter(column)].width = 18
    sheet.freeze_panes = f"B{_FIRST_ROW + 1}"
