"""A message becomes named fields, tables and laid-out text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.usecases.inspection.decoding import GRID_ROWS_MAX, Body, Fields, Grid, decode
from yibao.usecases.inspection.field_names import UNKNOWN, FieldNames, packaged

HEADER = "side,node,field,name_zh,type,max_len,scale,code_table,required,src,note\n"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> FieldNames:
    """Return names of an interface of one transaction."""
    folder: Path = tmp_path_factory.mktemp("interface")
    (folder / "fields").mkdir()
    (folder / "transactions.csv").write_text("infno,name_zh\n9999,示例交易\n", encoding="utf-8")
    (folder / "code_tables.csv").write_text("table,code,name_zh,src\ncolour,1,红,1\ncolour,2,绿,1\n", encoding="utf-8")
    (folder / "fields" / "envelope.csv").write_text(
        HEADER + "input,,infno,交易编号,string,6,,,Y,1,\noutput,,infcode,交易状态码,number,4,,,Y,1,\n", encoding="utf-8")
    (folder / "fields" / "9999.csv").write_text(
        HEADER + "input,,data,主体,object,,,,Y,1,\ninput,data,tone,颜色,string,3,,colour,Y,1,\n"
        "input,data,odd,未知码,string,3,,?,Y,1,\n"
        "input,rows[],cnt,数量,number,16,4,,Y,1,\ninput,rows[].inner[],deep,深,string,9,,,,1,\n", encoding="utf-8")
    return FieldNames(folder)


def read(names: FieldNames, content: Any, *, side: str = "input") -> Body:
    """Decode a message with this business content."""
    return decode(
        json.dumps({"infno": "9999", side: content}).encode(), side=side, infno="9999", names=names
    )


def test_fields_get_names_and_codes_get_texts(names: FieldNames) -> None:
    body = read(names, {"data": {"tone": "2", "odd": "7", "extra": "x"}})
    (part,) = body.parts
    assert isinstance(part, Fields)
    assert (part.path, part.name_zh) == ("data", "主体")
    assert [(r.field, r.name_zh, r.value.text, r.value.meaning) for r in part.rows] == [
        ("tone", "颜色", "2", "绿"), ("odd", "未知码", "7", ""), ("extra", "", "x", ""),
    ]
    assert [(r.field, r.name_zh, r.value.text) for r in body.envelope] == [("infno", "交易编号", "9999")]


def test_list_becomes_a_table_with_a_column_for_every_field_that_occurs(names: FieldNames) -> None:
    (grid, inner) = read(names, {"rows": [{"cnt": 1}, {"note": "x", "inner": [{"deep": "a"}]}]}).parts
    assert isinstance(grid, Grid)
    assert grid.columns == (("cnt", "数量", True), ("note", "", False))
    assert [[cell and cell.text for cell in row] for row in grid.rows] == [["1", None], [None, "x"]]
    assert isinstance(inner, Grid)
    assert (inner.path, inner.columns) == ("rows[1].inner", (("deep", "深", False),))


def test_long_list_is_cut_and_says_so(names: FieldNames) -> None:
    (grid,) = read(names, {"rows": [{"cnt": n} for n in range(GRID_ROWS_MAX + 50)]}).parts
    assert isinstance(grid, Grid)
    assert (len(grid.rows), grid.total) == (GRID_ROWS_MAX, GRID_ROWS_MAX + 50)


def test_business_content_sent_as_text_is_opened(names: FieldNames) -> None:
    (part,) = read(names, json.dumps({"data": {"tone": "1"}})).parts
    assert isinstance(part, Fields)
    assert part.rows[0].value.meaning == "红"


def test_numbers_keep_the_form_in_which_they_were_sent(names: FieldNames) -> None:
    body = decode(b'{"input":{"data":{"a":1000.00,"b":1E+2,"c":NaN,"d":12345678901234567890}}}',
                  side="input", infno="9999", names=names)
    for written in ('"a": 1000.00', '"b": 1E+2', '"c": NaN', '"d": 12345678901234567890'):
        assert written in body.text


@pytest.mark.parametrize("content", [
    b"", b"\xff\xfe", b"{", b"[]", b"1", b"null", b'"x"', b'{"a":1,"a":2}', b'{"input":{"x":1,"x":2}}',
    b"[" * 100_000, b'{"input":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001, b'{"input":"{broken"}', b"\xef\xbb\xbfnull",
])
def test_what_is_no_message_is_shown_as_text(names: FieldNames, content: bytes) -> None:
    body = decode(content, side="input", infno="9999", names=names)
    assert not body.is_json
    assert body.size == len(content)


def test_byte_order_mark_is_no_obstacle(names: FieldNames) -> None:
    assert decode(b'\xef\xbb\xbf{"input":{}}', side="input", infno="9999", names=names).is_json


@pytest.mark.parametrize("infno", ["../../etc/passwd", "fields/9999", "", "９９９９", "9999\x00", "x" * 5000])
def test_number_of_a_stranger_opens_no_file(names: FieldNames, infno: str) -> None:
    assert names.field(infno, side="input", node="data", name="tone") is UNKNOWN
    assert names.transaction(infno) == ""


def test_packaged_interface_knows_the_settlement() -> None:
    names = packaged()
    assert names.transaction("2207") == "门诊结算"
    assert names.field("2207", side="output", node="setlinfo", name="hifp_pay").name_zh == "基本医疗保险统筹基金支出"
    assert names.field("2207A", side="input", node="data", name="psn_no").name_zh == "人员编号"
    assert names.code("insutype", "310") == "职工基本医疗保险"
    assert names.code("psn_type", "1101") == names.code("psn_type", "11") == "在职"
    assert names.code("insutype", "3109") == ""
    assert "01" in names.codes("psn_cert_type")
    assert names.envelope("output", "infcode").name_zh == "交易状态码"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_inspector(content: bytes) -> None:
    decode(content, side="output", infno="1101", names=packaged()).text.encode()


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=25,
))
def test_every_json_is_decoded(content: object) -> None:
    body = decode(json.dumps({"output": content}).encode(), side="output", infno="2207", names=packaged())
    assert body.is_json
    body.text.encode()
