"""What systems write where they have nothing to say: words for nothing in optional fields, blank rows for empty lists."""

from __future__ import annotations

from typing import Any

import pytest

from yibao.entrypoints.gateway.checks import ABSENT, Wrong, compile_check
from yibao.entrypoints.gateway.interface import Field, load
from yibao.entrypoints.gateway.problems import Problems
from yibao.entrypoints.gateway.validation import Validator

CODES = {"way": {"1": "医嘱离院", "9": "其他"}, "state": {"1": "有", "4": "无"}, "long": {"00": "没有"}}


def field(kind: str, **about: Any) -> Field:
    """Return an optional field in which words may stand for nothing."""
    given = {"max_len": None, "scale": None, "code_table": "", "closed": False, "required": False, **about}
    return Field(name="x", name_zh="某项", type=kind, note="", quirks={"empty_words": "- 无 0"}, **given)


@pytest.mark.parametrize(("described", "value", "clean"), [
    (field("string", code_table="way", closed=True), "-", ABSENT),
    (field("string", code_table="way", closed=True), " 无 ", ABSENT),
    (field("string", code_table="way", closed=True), 0, ABSENT),
    (field("string", code_table="state", closed=True), "无", "4"),
    (field("string", code_table="long", closed=True), "0", "00"),
    (field("date"), "0", ABSENT), (field("datetime"), "-", ABSENT), (field("number"), "-", ABSENT), (field("number"), "0", 0),
    (field("string"), "无", "无"),
])
def test_words_for_nothing(described: Field, value: Any, clean: Any) -> None:
    assert compile_check(described, CODES)(value) == clean


@pytest.mark.parametrize("described", [
    field("string", code_table="way", closed=True, required=True), field("date", required=True), field("number", required=True),
], ids=["code", "day", "number"])
def test_required_fields_are_not_left_to_a_dash(described: Field) -> None:
    with pytest.raises(Wrong):
        compile_check(described, CODES)("-")


def validated(rows: Any) -> tuple[Any, list[Any]]:
    """Return the procedures of a settlement list and the faults found in them."""
    validator, problems = Validator(load()), Problems()
    spec = validator.spec("4101A")
    assert spec is not None
    clean = validator.validate(spec, {"setlinfo": {"setl_id": "1"}, "icuinfo": rows}, problems)
    return clean.get("icuinfo"), list(problems.faults)


def test_a_blank_row_is_an_empty_list() -> None:
    for rows in ([{}], {}, [{"scs_cutd_ward_type": "", "scs_cutd_sum_dura": 0, "scs_cutd_exit_time": None}]):
        assert validated(rows) == (None, [])


def test_a_blank_row_beside_another_or_a_row_with_content_is_checked() -> None:
    for rows in ([{}, {}], [{"scs_cutd_ward_type": "1"}]):
        assert validated(rows)[1], rows
