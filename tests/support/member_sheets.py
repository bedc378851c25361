"""Spreadsheets as employers send them, made with the common library and then spoilt in one way each."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from openpyxl import Workbook, load_workbook

JOINER_TITLES = ("姓名", "证件号码", "参保日期", "缴费工资")
LEAVER_TITLES = ("姓名", "证件号码", "离职日期", "减员原因")


def workbook(rows: Sequence[Sequence[Any]], *, spoil: Callable[[Any], None] = lambda _sheet: None) -> bytes:
    """Return a workbook with these rows; identity numbers stay text."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    spoil(sheet)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def joiners(rows: Sequence[Sequence[Any]], *, spoil: Callable[[Any], None] = lambda _sheet: None) -> bytes:
    """Return a sheet of joiners: name, number, first day, wage."""
    return workbook([JOINER_TITLES, *rows], spoil=spoil)


def read_back(content: bytes) -> list[list[Any]]:
    """Return the cells of a workbook's first sheet as they stand in the file, formulas as their text."""
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def formulas_in(content: bytes) -> list[str]:
    """Return the cells that hold a formula."""
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
