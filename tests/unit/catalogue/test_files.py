"""The text files of the national lists."""

from __future__ import annotations

import pytest

from yibao.domains.catalogue.downloads import FileRow
from yibao.entrypoints.gateway.catalogue_files import column_names, known_columns, text_file, zip_file
from yibao.entrypoints.gateway.transactions.catalogue import LIST_OF
from yibao.usecases.catalogue.download_list import LISTS, read_version


@pytest.mark.parametrize("infno", LIST_OF)
def test_every_list_has_a_field_table_and_a_code_column_that_we_fill(infno: str) -> None:
    names = column_names(infno)
    assert names
    assert LIST_OF[infno] in LISTS
    row = FileRow(code="CODE-1", name="名称", version="v20250101")
    cells = text_file(infno, [row]).rstrip("\n").split("\t")
    assert len(cells) == len(names)
    is_empty_list = not LISTS[LIST_OF[infno]].table
    assert ("CODE-1" in cells) or is_empty_list


@pytest.mark.parametrize("infno", [infno for infno in LIST_OF if LISTS[LIST_OF[infno]].table])
def test_every_column_we_think_to_fill_is_in_the_field_table(infno: str) -> None:
    own = set(known_columns(infno)) - set(known_columns("none"))
    assert own <= set(column_names(infno))


def test_a_value_cannot_break_a_line_or_shift_a_column() -> None:
    text = text_file("1309", [FileRow(code="M03900", name="高\t血\r\n压\n病", version="v20210101")])
    assert text.count("\n") == 1
    assert text.count("\t") == len(column_names("1309")) - 1
    assert "高 血  压 病" in text


def test_the_same_rows_make_the_same_zip() -> None:
    rows = [FileRow(code="M03900", name="高血压病", version="v20210101")]
    assert zip_file("1309", "a", rows) == zip_file("1309", "a", rows)


@pytest.mark.parametrize(
    ("text", "number"),
    [("v0000", 0), ("V20250101", 20_250_101), ("20250101", 20_250_101), ("2022070100028489", 20_220_701),
     ("", None), ("x1", None), ("v", None), ("v-1", None), ("v1.0", None), ("9" * 21, None)],
)
def test_versions_read_as_numbers(text: str, number: int | None) -> None:
    assert read_version(text) == number
