"""Spreadsheets (XLSX) as people send them: read row by row, with what a reader of values would not notice; written the same
for the same content.

Beside the values a sheet tells which cells are merged, which rows and columns are hidden and which cells hold a formula:
what a person did not see, or did not type, must not be taken for what was declared.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

import msgspec
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter, range_boundaries

_TAG = re.compile(rb"<(?:\w+:)?(row|col|mergeCell)\b([^>]*)>")
_ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')
_CHUNK = 1 << 20
_UNPACKED_MOST = 512 << 20
_COLUMNS_MOST = 64
_FIXED = (1980, 1, 1, 0, 0, 0)
_CORE = "docProps/core.xml"
_NO_CORE = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)


class SheetUnreadable(Exception):
    """The bytes are no spreadsheet that can be read; the text says why, in Chinese."""


class Cell(msgspec.Struct, frozen=True):
    """One cell.

    Attributes:
        kind: ``empty``, ``text``, ``number``, ``date``, ``truth``, ``formula`` or ``error``.
        value: text, int, Decimal or date; for a formula its text.
    """

    kind: str = "empty"
    value: Any = None

    @property
    def text(self) -> str:
        """Return the value as a person would read it."""
        return "" if self.value is None else str(self.value)


class Sheet:
    """The first sheet of a workbook.

    Attributes:
        hidden_rows, hidden_columns: their numbers, from 1.
        merged: ranges of merged cells as (first row, first column, last row, last column).
    """

    def __init__(self, content: bytes) -> None:
        """Open a workbook.

        Raises:
            SheetUnreadable: no workbook, a locked one, or one that unpacks to too much.
        """
        self._content = content
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.merged: list[tuple[int, int, int, int]] = []
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > _UNPACKED_MOST:
                    raise SheetUnreadable("文件展开后过大")
                with archive.open(self._path()) as stream:
                    self._scan(stream)
        except (zipfile.BadZipFile, KeyError, ValueError, IndexError, EOFError, OSError) as error:
            raise SheetUnreadable("不是可读的XLSX文件（旧的XLS格式、加密或已损坏的文件请另存为XLSX）") from error

    def rows(self) -> Iterator[tuple[int, tuple[Cell, ...]]]:
        """Yield number and cells of each row that is not empty."""
        book = load_workbook(io.BytesIO(self._content), read_only=True, data_only=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            for number, row in enumerate(sheet.iter_rows(max_col=_COLUMNS_MOST), 1):
                cells = tuple(_cell_of(c) for c in row)
                if any(c.kind != "empty" for c in cells):
                    yield number, cells
        finally:
            book.close()

    def merged_in(self, row: int) -> list[str]:
        """Return the names of the merged ranges that touch a row."""
        return [
            f"{get_column_letter(c1)}{r1}:{get_column_letter(c2)}{r2}" for r1, c1, r2, c2 in self.merged if r1 <= row <= r2
        ]

    def _path(self) -> str:
        book = load_workbook(io.BytesIO(self._content), read_only=True)
        try:
            # The library tells the place of a sheet only here; without it we could not look at what it leaves out.
            return str(book.worksheets[0]._worksheet_path)  # type: ignore[attr-defined]
        finally:
            book.close()

    def _scan(self, stream: IO[bytes]) -> None:
        rest = b""
        while chunk := stream.read(_CHUNK):
            text = rest + chunk
            cut = text.rfind(b"<") if b">" not in text[text.rfind(b"<"):] else len(text)
            for found in _TAG.finditer(text[:cut]):
                self._note(found[1], dict(_ATTRIBUTE.findall(found[2])))
            rest = text[cut:]

    def _note(self, tag: bytes, attributes: dict[bytes, bytes]) -> None:
        if tag == b"mergeCell":
            c1, r1, c2, r2 = range_boundaries(attributes[b"ref"].decode())
            self.merged.append((int(r1 or 1), int(c1 or 1), int(r2 or 1), int(c2 or 1)))
        elif attributes.get(b"hidden") in (b"1", b"true"):
            if tag == b"row" and b"r" in attributes:
                self.hidden_rows.add(int(attributes[b"r"]))
            elif tag == b"col":
                last = min(int(attributes[b"max"]), _COLUMNS_MOST)
                self.hidden_columns.update(range(int(attributes[b"min"]), last + 1))


def write_sheet(title: str, rows: Iterable[Sequence[Any]], *, widths: Sequence[int] = ()) -> bytes:
    """Return a workbook with one sheet; every text is written as text, so that nothing in it becomes a formula.

    The same rows give the same bytes: the times that the format wants are left out or fixed.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for n, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(n)].width = width
    for row in rows:
        sheet.append([_written(sheet, value) for value in row])
    packed = io.BytesIO()
    book.save(packed)
    return _fixed(packed.getvalue())


def _written(sheet: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value="")
    cell.value = "".join(c for c in value if c >= " " or c in "\t\n")
    cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _fixed(content: bytes) -> bytes:
    """Return a packed workbook without the times of its making."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            data = _NO_CORE if entry.filename == _CORE else source.read(entry)
            target.writestr(zipfile.ZipInfo(entry.filename, _FIXED), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _cell_of(cell: Any) -> Cell:
    value, kind = cell.value, getattr(cell, "data_type", "n")
    if value is None:
        return Cell()
    if kind == "f":
        return Cell("formula", str(value))
    if kind == "e":
        return Cell("error", str(value))
    if isinstance(value, bool):
        return Cell("truth", value)
    if isinstance(value, datetime):
        return Cell("date", value.date())
    if isinstance(value, date):
        return Cell("date", value)
    if isinstance(value, int | float):
        # As the file has it: a float of a spreadsheet is its shortest decimal text.
        return Cell("number", value if isinstance(value, int) else Decimal(repr(value)))
    text = str(value).strip()
    return Cell("text", text) if text else Cell()
