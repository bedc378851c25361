"""Groups every case of a file: one answer per row, in the order of the file, whatever the row looks like."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

import msgspec

from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.grouping.grouper import Grouped, group_case
from yibao.policy.grouping.rows import COLUMNS, read_row
from yibao.policy.grouping.scheme import Scheme
from yibao.policy.grouping.wording import why

_NOT_ASKED = ("los_days", "dscg_way")
"""Columns that no rule of the scheme looks at: a file may lack them."""


class CaseAnswer(msgspec.Struct, frozen=True):
    """The group of one row.

    Attributes:
        case: the case's own number, as the file has it.
        mdc, adrg, drg: codes of category, core group and group; the code for ungrouped in all three if none fits.
        name: name of the group, ``""`` if there is none.
        state: ``grouped`` or the reason why not (``policy.grouping.grouper.Grouped``).
        why: Chinese sentences that name the rows of the tables.
    """

    case: str
    mdc: str
    adrg: str
    drg: str
    name: str
    state: str
    why: tuple[str, ...]


def decode_file(content: bytes) -> str | Refusal:
    """Return the text of a case file: UTF-8 with or without a mark, else GB18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return refuse("FILE_NOT_TEXT", "文件不是UTF-8或GB18030编码的文本", remedy="请另存为UTF-8编码的CSV")


def group_rows(lines: Iterable[str], scheme: Scheme) -> Iterator[CaseAnswer] | Refusal:
    """Return the answer of every row, or why the file cannot be read at all (its header).

    A row that is broken gets an answer too: it is ungrouped and says why. Empty lines are left out.
    """
    # A hospital's file may hold a stray quote; read leniently, such a row is judged by its codes.
    parser = csv.reader(lines)
    try:
        header = [name.strip().lower() for name in next(parser)]
    except (StopIteration, csv.Error):
        return refuse("FILE_EMPTY", "文件为空或没有表头", remedy=f"第一行应为列名：{','.join(COLUMNS)}")
    faults = [
        Fault("COLUMN_MISSING", "缺少列", field=name, remedy=f"第一行应为列名：{','.join(COLUMNS)}")
        for name in COLUMNS if name not in header and name not in _NOT_ASKED
    ] + [
        Fault("COLUMN_REPEATED", "列名重复", field=name, remedy="每个列名只能出现一次")
        for name in COLUMNS if header.count(name) > 1
    ]
    if faults:
        return Refusal(tuple(faults))
    return _answers(parser, header, scheme)


def _answers(parser: Iterator[list[str]], header: list[str], scheme: Scheme) -> Iterator[CaseAnswer]:
    while True:
        try:
            cells = next(parser)
        except StopIteration:
            return
        except csv.Error as error:
            sentence = f"这一行不是合法的CSV行（{error}），未分组"
            yield CaseAnswer("", *(scheme.ungrouped,) * 3, "", "ROW_UNREADABLE", (sentence,))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        row = dict(zip(header, cells, strict=False))
        case, notes = read_row(row)
        if len(cells) != len(header):
            notes = (f"这一行有{len(cells)}列，表头有{len(header)}列，按从左到右对应", *notes)
        yield answer_of(group_case(case, scheme, notes), scheme)


def answer_of(grouped: Grouped, scheme: Scheme) -> CaseAnswer:
    """Return a grouper's answer as codes and sentences."""
    reasons = why(grouped, scheme)
    if grouped.category is None or grouped.core is None or grouped.group is None:
        return CaseAnswer(grouped.case, *(scheme.ungrouped,) * 3, "", grouped.state, reasons)
    return CaseAnswer(
        grouped.case, grouped.category.code, grouped.core.code, grouped.group.code, grouped.group.name,
        grouped.state, reasons,
    )
