"""Reading a catalogue file: records, line numbers, quirks of spreadsheets."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.domains.catalogue.initials import initials
from yibao.domains.catalogue.parts import CHRONIC_DISEASES, DIAGNOSES
from yibao.domains.catalogue.reader import Reader


def read(text: str, **defaults: str) -> tuple[Reader, list[tuple[object, ...]]]:
    reader = Reader(DIAGNOSES, defaults)
    return reader, list(reader.read(text.splitlines(keepends=True)))


def test_a_row_becomes_a_record_of_the_table_with_initials_and_line() -> None:
    reader, records = read("code,name,valid_from,valid_to,version\nA00.000,霍乱,2025-01-01,,v20250101\n")
    assert DIAGNOSES.table_columns == ("code", "name", "valid_from", "valid_to", "version", "initials")
    assert records == [("A00.000", "霍乱", date(2025, 1, 1), None, "v20250101", "HL", 2)]
    assert reader.faults == []


def test_columns_may_stand_in_any_order_and_foreign_ones_are_left_alone() -> None:
    reader, records = read("remark,version,name,valid_from,code\nx,v20250101,霍乱,2025-01-01,A00.000\n")
    assert reader.faults == []
    assert records == [("A00.000", "霍乱", date(2025, 1, 1), None, "v20250101", "HL", 2)]


def test_spaces_around_values_and_empty_lines_do_no_harm() -> None:
    reader, records = read("code,name,valid_from,version\n\n A00.000 , 霍乱 ,2025-01-01,v20250101\n\n")
    assert (reader.rows, [record[0] for record in records]) == (1, ["A00.000"])


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    text = 'code,name,valid_from,version\nA00.000,"霍\n乱",2025-01-01,v20250101\nbad,x,2025-01-01,v20250101\n'
    reader, _ = read(text)
    assert [(fault.line, fault.column) for fault in reader.faults] == [(4, "code")]


def test_a_repeated_row_names_the_first_one() -> None:
    row = "A00.000,霍乱,2025-01-01,v20250101\n"
    reader, records = read("code,name,valid_from,version\n" + row + "A00.100,霍乱,2025-01-01,v20250101\n" + row)
    assert len(records) == 2
    assert [(fault.line, fault.reason) for fault in reader.faults] == [(4, "与第2行重复")]


def test_what_was_received_is_shown_short_and_printable() -> None:
    reader, _ = read("code,name,valid_from,version\n" + "A" * 500 + ",x,2025-01-01,v20250101\n")
    assert len(reader.faults[0].received) == 61
    assert reader.faults[0].received.endswith("…")
    reader, _ = read("code,name,valid_from,version\nA\x01,x,2025-01-01,v20250101\n")
    assert reader.faults[0].received == "A�"


@given(st.lists(st.lists(st.text(alphabet=string.printable + "霍乱,\"'\t", max_size=12), max_size=7), max_size=20))
def test_no_text_breaks_the_reader(rows: list[list[str]]) -> None:
    text = "code,name,valid_from,version\n" + "\n".join(",".join(row) for row in rows)
    reader, records = read(text)
    assert len(records) <= reader.rows
    assert all(fault.line >= 1 and fault.reason and fault.remedy for fault in reader.faults)


def test_a_part_without_initials_has_none() -> None:
    reader = Reader(CHRONIC_DISEASES)
    records = list(reader.read(["code,name,kind,valid_from,version\n", "M03900,高血压病,M03900,2020-01-01,v20210101\n"]))
    assert records == [("M03900", "高血压病", "M03900", date(2020, 1, 1), None, "v20210101", 2)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("阿莫西林胶囊", "AMXLJN"), ("0.9%氯化钠注射液", "09LHNZSY"), ("ω-3甘油三酯", "3GYSZ"),
        ("β受体", "ST"), ("", ""), ("X线", "XX"),
    ],
)
def test_initials_are_what_one_types(name: str, expected: str) -> None:
    assert initials(name) == expected
