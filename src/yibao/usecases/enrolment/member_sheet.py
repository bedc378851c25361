"""The spreadsheet of joiners and leavers: its template, and each row as a command or with everything wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from yibao.domains.enrolment.causes import ENDS, LEAVING
from yibao.infra.sheets import Cell, Sheet, SheetUnreadable, write_sheet
from yibao.kernel.money import yuan_to_fen
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.enrolment.commands import AddMember, RemoveMember

HEADER_WITHIN = 12
"""A header stands in one of the first rows."""
ROWS_MOST = 200_000
_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?")
_ACCOUNTS = {"统账结合": "with_account", "单建统筹": "pool_only"}
_SEXES = {"男": "1", "女": "2", "1": "1", "2": "2"}


class Column(msgspec.Struct, frozen=True):
    """A column of the template: field of the command, title, other titles it is known by, kind of value."""

    field: str
    title: str
    aliases: tuple[str, ...] = ()
    kind: str = "text"
    is_needed: bool = False
    example: str = ""


_WHO = (
    Column("name", "姓名", ("职工姓名", "人员姓名"), is_needed=True, example="张三"),
    Column("certno", "证件号码", ("身份证号", "身份证号码", "公民身份号码"), kind="number_text", is_needed=True,
           example="（18位，单元格设为文本）"),
    Column("cert_type", "证件类型", (), kind="number_text", example="01"),
)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "joiners": (
        *_WHO,
        Column("insured_on", "参保日期", ("增员日期", "起始日期"), kind="date", is_needed=True, example="2025-03-01"),
        Column("wage_fen", "缴费工资", ("缴费基数", "月工资"), kind="yuan", example="6500.00"),
        Column("sex", "性别", (), kind="sex", example="（非身份证必填）"),
        Column("birth_on", "出生日期", (), kind="date", example="（非身份证必填）"),
        Column("phone", "手机号码", ("联系电话", "手机"), kind="number_text"),
        Column("account_kind", "账户类型", (), kind="account", example="统账结合"),
        Column("evidence", "补办依据", ("依据", "备注"), example="（以前月份必填）"),
    ),
    "leavers": (
        *_WHO,
        Column("left_on", "离职日期", ("减员日期", "终止日期"), kind="date", is_needed=True, example="2025-03-31"),
        Column("cause", "减员原因", ("原因",), kind="cause", example="辞职"),
        Column("evidence", "补办依据", ("依据", "备注"), example="（以前月份必填）"),
    ),
}
RESULT_TITLES = ("处理结果", "说明")


class Row(msgspec.Struct, frozen=True):
    """One row of the sheet: what it says as a command, or its faults."""

    number: int
    command: AddMember | RemoveMember | None
    faults: tuple[Fault, ...]


class MemberSheet:
    """A sheet whose header has been found.

    Attributes:
        header: numbers of the header's rows; what stands above them is a heading.
        places: the column of each field, from 0.
    """

    def __init__(self, sheet: Sheet, kind: str, emp_no: str, header: tuple[int, ...], places: Mapping[str, int]) -> None:
        self.sheet, self.kind, self.emp_no, self.header, self.places = sheet, kind, emp_no, header, places
        self._count: int | None = None

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header."""
        for number, cells in self.sheet.rows():
            if number > self.header[-1]:
                yield self._row(number, cells)

    def count(self) -> int:
        """Return how many rows there are below the header."""
        if self._count is None:
            self._count = sum(1 for number, _ in self.sheet.rows() if number > self.header[-1])
        return self._count

    def with_results(self, said: Mapping[int, tuple[str, str]]) -> bytes:
        """Return the sheet as it was sent with two more columns that say what happened to each row."""
        def lines() -> Iterator[list[Any]]:
            width = 0
            for number, cells in self.sheet.rows():
                texts = [c.text for c in cells]
                while texts and not texts[-1]:
                    texts.pop()
                if number <= self.header[-1]:
                    width = max(width, len(texts))
                    yield [*texts, *[""] * (width - len(texts)), *(RESULT_TITLES if number == self.header[-1] else ())]
                else:
                    width = max(width, len(texts))
                    yield [*texts, *[""] * (width - len(texts)), *said.get(number, ("", ""))]

        return write_sheet("处理结果", lines())

    def _row(self, number: int, cells: Sequence[Cell]) -> Row:
        faults = []
        if number in self.sheet.hidden_rows:
            faults.append(Fault("ROW_HIDDEN", "该行被隐藏或被筛选掉", f"第{number}行", remedy="请取消隐藏后重新提交"))
        if merged := self.sheet.merged_in(number):
            faults.append(Fault("CELLS_MERGED", "该行有合并单元格", f"第{number}行", "、".join(merged), "请取消合并，逐行填写"))
        values: dict[str, Any] = {}
        for column in COLUMNS[self.kind]:
            place = self.places.get(column.field)
            cell = cells[place] if place is not None and place < len(cells) else Cell()
            value = read_cell(column, cell)
            if isinstance(value, Fault):
                faults.append(value)
            elif value is not None:
                values[column.field] = value
        if faults:
            return Row(number, None, tuple(faults))
        kind = AddMember if self.kind == "joiners" else RemoveMember
        return Row(number, kind(emp_no=self.emp_no, **values), ())


def open_member_sheet(content: bytes, *, kind: str, emp_no: str) -> MemberSheet | Refusal:
    """Find the header of a sheet of joiners or leavers, or say what keeps the whole sheet from being read.

    The header may stand in one row or be spread over two; what stands above it is a heading.
    """
    try:
        sheet = Sheet(content)
        head = [(number, cells) for number, cells in _first(sheet)]
    except SheetUnreadable as error:
        return refuse("SHEET_UNREADABLE", str(error), field="content", remedy="请使用平台的模板")
    for n, (number, cells) in enumerate(head):
        after = head[n + 1] if n + 1 < len(head) and head[n + 1][0] == number + 1 else None
        for rows in ([cells], [cells, after[1]] if after else []):
            places, twice = _places(rows, kind)
            if rows and all(c.field in places for c in COLUMNS[kind] if c.is_needed):
                # Titles merged downwards reach into a second row of the header.
                is_deep = any(r1 <= number < r2 <= number + 1 for r1, _, r2, _ in sheet.merged)
                header = (number,) if len(rows) == 1 and not is_deep else (number, number + 1)
                return _checked(MemberSheet(sheet, kind, emp_no, header, places), twice)
    needed = "、".join(c.title for c in COLUMNS[kind] if c.is_needed)
    return refuse("HEADER_NOT_FOUND", f"前{HEADER_WITHIN}行没有找到表头", field="content", received="",
                  remedy=f"表头须有：{needed}；请使用平台的模板")


def template(kind: str) -> bytes:
    """Return the empty spreadsheet to fill in: titles, and an example that is to be overwritten."""
    columns = COLUMNS[kind]
    heading = "单位增员表（带*为必填；证件号码单元格须为文本）" if kind == "joiners" else "单位减员表（带*为必填）"
    titles = [c.title + ("*" if c.is_needed else "") for c in columns]
    return write_sheet("模板", [[heading], titles], widths=[14, 24, *[14] * (len(columns) - 2)])


def read_cell(column: Column, cell: Cell) -> Any:
    """Return the value of a cell, None where it is empty and may be, or the fault of it."""
    if cell.kind == "formula":
        return _fault(column, cell, "CELL_FORMULA", "是公式，不是填写的内容", "请粘贴为数值后重新提交")
    if cell.kind in ("error", "truth"):
        return _fault(column, cell, "CELL_NO_VALUE", "不是可用的内容", "请按模板填写")
    if cell.kind == "empty":
        return _fault(column, cell, "CELL_EMPTY", "未填写", "请补充") if column.is_needed else None
    return _READERS[column.kind](column, cell)


def _text(column: Column, cell: Cell) -> Any:
    if cell.kind != "text":
        return _fault(column, cell, "CELL_NOT_TEXT", "应为文字", "请按模板填写")
    return cell.text


def _number_text(column: Column, cell: Cell) -> Any:
    if cell.kind == "text":
        return cell.text
    if isinstance(cell.value, int) and len(str(cell.value)) < 15:
        return str(cell.value).zfill(2)
    # A spreadsheet keeps fifteen digits of a number: the last ones of an identity number are lost.
    return _fault(column, cell, "CELL_NOT_TEXT", "以数字保存，末几位可能已丢失", "请把单元格设为文本后重新填写")


def _day(column: Column, cell: Cell) -> Any:
    if cell.kind == "date":
        return cell.value
    found = _DATE.fullmatch(cell.text.replace(" ", "")) if cell.kind in ("text", "number") else None
    try:
        if found is not None:
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    return _fault(column, cell, "CELL_NOT_DATE", "不是日期", "请填写如2025-03-01")


def _yuan(column: Column, cell: Cell) -> Any:
    try:
        amount = Decimal(cell.text.replace(",", "").replace("，", "").removesuffix("元"))
        fen = yuan_to_fen(amount)
    except (InvalidOperation, ValueError):
        return _fault(column, cell, "CELL_NOT_AMOUNT", "不是最多两位小数的金额", "请填写如6500.00")
    return fen if fen >= 0 else _fault(column, cell, "CELL_NEGATIVE", "金额不能为负", "请更正")


def _one_of(words: Mapping[str, str]) -> Any:
    def read(column: Column, cell: Cell) -> Any:
        found = words.get(cell.text)
        return found or _fault(column, cell, "CELL_NOT_IN_LIST", f"须为{'、'.join(words)}之一", "请更正")

    return read


_READERS: Mapping[str, Any] = {
    "text": _text, "number_text": _number_text, "date": _day, "yuan": _yuan, "sex": _one_of(_SEXES),
    "account": _one_of(_ACCOUNTS), "cause": _one_of({ENDS[code]: code for code in LEAVING}),
}


def _fault(column: Column, cell: Cell, code: str, reason: str, remedy: str) -> Fault:
    shown = "" if column.field == "certno" else cell.text[:40]
    return Fault(code, f"{column.title}{reason}", column.title, shown, remedy)


def _first(sheet: Sheet) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    for number, cells in sheet.rows():
        if number > HEADER_WITHIN:
            return
        yield number, cells


def _places(rows: Sequence[Sequence[Cell]], kind: str) -> tuple[dict[str, int], list[str]]:
    """Return the places of the columns in the header's rows, and titles that stand there twice."""
    places: dict[str, int] = {}
    twice = []
    for place in range(max((len(cells) for cells in rows), default=0)):
        for cells in rows:
            title = cells[place].text.replace(" ", "").replace("\n", "").strip("*＊：:") if place < len(cells) else ""
            for column in COLUMNS[kind]:
                if title and title in (column.title, *column.aliases):
                    if column.field in places and places[column.field] != place:
                        twice.append(title)
                    places.setdefault(column.field, place)
    return places, twice


def _checked(sheet: MemberSheet, twice: Sequence[str]) -> MemberSheet | Refusal:
    faults = [Fault("COLUMN_TWICE", "表头有重复的列", "content", title, "请只保留一列") for title in twice]
    titles = {c.field: c.title for c in COLUMNS[sheet.kind]}
    faults += [
        Fault("COLUMN_HIDDEN", "有用的列被隐藏，无法确认填写人是否看到", "content", titles[field], "请取消隐藏后重新提交")
        for field, place in sheet.places.items() if place + 1 in sheet.sheet.hidden_columns
    ]
    rows = sheet.count()
    if not rows or rows > ROWS_MOST:
        faults.append(Fault("ROWS_NONE_OR_TOO_MANY", f"表中有{rows}行数据，须为1至{ROWS_MOST}行", "content",
                            remedy="请拆分后提交"))
    return Refusal(tuple(faults)) if faults else sheet
