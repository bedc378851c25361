"""Reads a catalogue file row by row: records fit for the table, and every fault with its place. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from yibao.domains.catalogue.initials import initials
from yibao.domains.catalogue.model import BadCell, BadRow
from yibao.domains.catalogue.parts import Column, Part
from yibao.domains.catalogue.rules import check_characters

_SHOWN = 60
_EMPTY = BadCell("必填列为空", "请补填")


def _shorten(value: str) -> str:
    printable = "".join(c if c.isprintable() else "�" for c in value[: _SHOWN + 1])
    return printable if len(value) <= _SHOWN else printable[:_SHOWN] + "…"


class Reader:
    """Reads one file of a part.

    Attributes:
        faults: every fault found so far.
        rows: lines read so far, without the header.
    """

    def __init__(self, part: Part, defaults: Mapping[str, str] | None = None) -> None:
        self.part = part
        self.faults: list[BadRow] = []
        self.rows = 0
        self._defaults = dict(defaults or {})
        self._places: list[tuple[int, Column]] = []
        self._width = 0
        self._seen: dict[Any, int] = {}
        self._constants = tuple(value for _, value in part.constants)

    def read(self, lines: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        """Return the good rows as records of ``part.table_columns`` and the line; collect faults."""
        parser = csv.reader(lines, strict=True)
        if not self._read_header(parser):
            return
        while True:
            try:
                cells = next(parser)
            except StopIteration:
                return
            except csv.Error as error:
                self._fault(parser.line_num, "", str(error), BadCell("不是合法的CSV行", "请检查引号与换行"))
                continue
            if not cells:
                continue
            self.rows += 1
            record = self._read_row(parser.line_num, cells)
            if record is not None:
                yield record

    def _fault(self, line: int, column: str, received: str, bad: BadCell) -> None:
        self.faults.append(BadRow(line, column, _shorten(received), bad.reason, bad.remedy))

    def _read_header(self, parser: Iterator[list[str]]) -> bool:
        try:
            header = [name.strip().removeprefix("\ufeff") for name in next(parser)]
        except (StopIteration, csv.Error):
            self._fault(1, "", "", BadCell("文件为空或没有表头", "第一行应为列名"))
            return False
        known = {column.name: column for column in self.part.columns}
        for name in sorted({name for name in header if name in known and header.count(name) > 1}):
            self._fault(1, name, name, BadCell("列名重复", "每个列名只能出现一次"))
        missing = [
            column.name for column in self.part.columns
            if column.required and column.name not in header and column.name not in self._defaults
        ]
        absent = BadCell("缺少必需的列", f"{self.part.title}文件应有此列，或在导入时给出统一取值")
        for name in missing:
            self._fault(1, name, ",".join(header), absent)
        self._places = [(i, known[name]) for i, name in enumerate(header) if name in known]
        self._places += [(-1, column) for column in self.part.columns if column.name not in header]
        self._places.sort(key=lambda place: self.part.columns.index(place[1]))
        self._width = len(header)
        return not self.faults

    def _read_row(self, line: int, cells: list[str]) -> tuple[Any, ...] | None:
        """Return the record of one line, or None when it has a fault."""
        if len(cells) != self._width:
            bad = BadCell(f"应有{self._width}列，实有{len(cells)}列", "请检查逗号与引号")
            self._fault(line, "", ",".join(cells), bad)
            return None
        faults_before = len(self.faults)
        row: dict[str, Any] = {}
        for place, column in self._places:
            cell = (cells[place] if place >= 0 else self._defaults.get(column.name, "")).strip()
            row[column.name] = self._read_cell(line, column, cell)
        is_bad_cell = len(self.faults) > faults_before
        if not is_bad_cell:
            self._judge(line, row)
        if not self._is_new(line, row) or len(self.faults) > faults_before:
            return None
        record = (*row.values(), *self._constants)
        return (*record, initials(row["name"]), line) if self.part.has_initials else (*record, line)

    def _read_cell(self, line: int, column: Column, cell: str) -> Any:
        if not cell:
            if column.required:
                self._fault(line, column.name, "", _EMPTY)
            return column.empty
        # Everything that str.isprintable passes is free of control characters; ask the dear question rarely.
        value = (None if cell.isprintable() else check_characters(cell)) or column.parse(cell)
        if isinstance(value, BadCell):
            self._fault(line, column.name, cell, value)
            return column.empty
        return value

    def _judge(self, line: int, row: dict[str, Any]) -> None:
        for check in self.part.checks:
            verdict = check(row)
            if verdict is not None:
                column, bad = verdict
                received = row[column]
                self._fault(line, column, "" if received is None else str(received), bad)

    def _is_new(self, line: int, row: dict[str, Any]) -> bool:
        """Say whether no earlier line has this key, and complain if one has."""
        key = tuple(row[name] for name in self.part.key)
        if not all(key):
            return True  # part of the key was faulty itself and has been said
        first = self._seen.setdefault(key, line)
        if first != line:
            received = " ".join(map(str, key))
            self._fault(line, self.part.key[-1], received, BadCell(f"与第{first}行重复", "请删去其中一行"))
            return False
        return True
