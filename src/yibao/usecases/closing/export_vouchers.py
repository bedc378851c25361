"""The vouchers of a closed month as a file: JSON, CSV or a spreadsheet. The same month gives the same bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date

import msgspec
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from yibao.domains.closing.model import OPEN, Month, Voucher
from yibao.domains.closing.queries import find_month, list_vouchers
from yibao.domains.closing.rules import called
from yibao.infra.database import Connection
from yibao.infra.spreadsheets import to_bytes
from yibao.kernel.money import fen_to_yuan, yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.funds.accounts import book_words, fund_title, subjects

FORMATS = ("json", "csv", "xlsx")
HEADINGS = (
    "账套", "账套名称", "月份", "凭证号", "摘要", "附单据数", "行号", "科目编号", "科目名称", "明细", "借方金额", "贷方金额",
)


class VoucherBook(msgspec.Struct, frozen=True):
    """All vouchers of a month, with what identifies it."""

    admdvs: str
    month: date
    revision: int
    digest: str
    vouchers: tuple[Voucher, ...]


async def export_vouchers(tx: Connection, *, admdvs: str, month: date, form: str = "json") -> bytes | Refusal:
    """Return the vouchers of a closed month.

    Args:
        form: ``json`` (amounts in fen), ``csv`` (UTF-8 with BOM, yuan) or ``xlsx`` (yuan).
    """
    if form not in FORMATS:
        return refuse("FORMAT_UNKNOWN", "导出格式不支持", field="form", received=form, remedy=f"可用：{'、'.join(FORMATS)}")
    book = await read_vouchers(tx, admdvs=admdvs, month=month)
    if isinstance(book, Refusal):
        return book
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(book), indent=1) + b"\n"
    return _csv(book) if form == "csv" else _sheet(book)


async def read_vouchers(tx: Connection, *, admdvs: str, month: date) -> VoucherBook | Refusal:
    """Return the vouchers of a closed month; one that is open has none yet."""
    closed: Month | None = await find_month(tx, admdvs, month)
    if closed is None or closed.state == OPEN:
        return refuse("MONTH_OPEN", f"{called(month)}尚未结账，没有凭证", field="month", received=month.isoformat(),
                      remedy="请先结账")
    vouchers = tuple(await list_vouchers(tx, closed))
    return VoucherBook(admdvs, month, closed.revision, closed.digest.hex(), vouchers)


def _csv(book: VoucherBook) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for row in _rows(book):
        writer.writerow([*row[:-2], *(yuan_text(fen) if fen else "" for fen in row[-2:])])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _sheet(book: VoucherBook) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet), "a new workbook has one sheet"
    sheet.title = f"{book.month:%Y-%m}"
    sheet.append(HEADINGS)
    for row in _rows(book):
        sheet.append([*row[:-2], *(fen_to_yuan(fen) if fen else None for fen in row[-2:])])
    for column, width in zip("ABCDEFGHIJKL", (8, 24, 10, 8, 24, 10, 6, 10, 24, 36, 18, 18), strict=True):
        sheet.column_dimensions[column].width = width
    for cells in sheet.iter_rows(min_row=2, min_col=11, max_col=12):
        for cell in cells:
            cell.number_format = "#,##0.00"
    sheet.freeze_panes = "A2"
    return to_bytes(workbook)


def _rows(book: VoucherBook) -> Iterator[tuple[str, str, str, int, str, int, int, str, str, str, int, int]]:
    """Give the lines of all vouchers; the last two columns are debit and credit in fen."""
    known, books = subjects(), book_words()
    for v in book.vouchers:
        head = (v.book, books.title_of(v.book), f"{book.month:%Y-%m}", v.number, v.summary, v.postings)
        for ordinal, line in enumerate(v.lines, 1):
            yield (*head, ordinal, line.subject, known[line.subject].name, _detail(line.detail), line.debit_fen, line.credit_fen)


def _detail(detail: str) -> str:
    """Return the words of a detail: a fund's number with its name, or the counterpart as it is."""
    return f"{detail} {fund_title(detail)}" if detail.isdecimal() else detail
