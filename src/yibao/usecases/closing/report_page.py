"""The statement of the funds on paper: PDF, a few funds side by side in each table."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

import msgspec

from yibao.infra.typesetting import CannotPrint, typeset
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.closing.fund_report import FundMonth, FundReport
from yibao.usecases.closing.report_words import NOTES, columns, side_lines, state_words
from yibao.usecases.funds.fund_lines import INCOME, SPENDING

_SIDE_BY_SIDE = 3


class Row(msgspec.Struct, frozen=True):
    """One row of a table on paper; amounts as text, two for each column."""

    label: str
    amounts: tuple[str, ...]
    bold: bool = False


class Part(msgspec.Struct, frozen=True):
    """One table: the funds' names and its rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


class Paper(msgspec.Struct, frozen=True):
    """What the paper says."""

    title: str
    state: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...]


def write_page(report: FundReport) -> bytes | Refusal:
    """Return the statement as PDF; refused, with what to install, where none can be made. Same report, same bytes."""
    source = (resources.files("yibao") / "data" / "funds" / "report.typ").read_text(encoding="utf-8")
    try:
        return typeset(source, paper_of(report))
    except CannotPrint as error:
        return refuse("CANNOT_PRINT", str(error), remedy="也可导出为电子表格")


def paper_of(report: FundReport) -> Paper:
    """Return what the paper says, as text."""
    funds = columns(report)
    parts = tuple(
        Part(tuple(f.title for f in some), _rows(report, some))
        for some in (funds[n : n + _SIDE_BY_SIDE] for n in range(0, len(funds), _SIDE_BY_SIDE))
    )
    return Paper(report.title, state_words(report), parts, NOTES)


def _rows(report: FundReport, funds: tuple[FundMonth, ...]) -> tuple[Row, ...]:
    rows = [Row("一、期初结余", _flat((yuan_text(f.opening_fen), "") for f in funds), bold=True)]
    for number, side, said in (("二", INCOME, "收入合计"), ("三", SPENDING, "支出合计")):
        sums = ([x for x in f.lines if x.side == side] for f in funds)
        rows.append(Row(f"{number}、{said}", _flat(
            (yuan_text(sum(x.month_fen for x in lines)), yuan_text(sum(x.year_fen for x in lines))) for lines in sums
        ), bold=True))
        for code, title in side_lines(report, side):
            found = (next((x for x in f.lines if x.line == code), None) for f in funds)
            rows.append(Row(title, _flat(
                ("", "") if x is None else (yuan_text(x.month_fen), yuan_text(x.year_fen)) for x in found
            )))
    rows.append(Row("四、期末结余", _flat((yuan_text(f.carried_fen), "") for f in funds), bold=True))
    return tuple(rows)


def _flat(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(text for pair in pairs for text in pair)
