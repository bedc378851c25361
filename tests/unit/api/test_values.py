"""Requests read into types: every fault with its field, and nothing let through that no column can hold."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from yibao.entrypoints.api.values import faults_of, read_body, read_parameters


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a form."""

    psn_no: str
    wage_fen: Annotated[int, Meta(ge=0)]


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form."""

    emp_no: Annotated[str, Meta(pattern="^[0-9]+$")]
    on: date
    rows: tuple[Line, ...] = ()
    note: str = ""


class Asked(msgspec.Struct, frozen=True):
    """Parameters of path and query, which come as text."""

    emp_no: str
    limit: int = 50
    on: date | None = None


def test_a_right_body_is_read() -> None:
    body, faults = read_body(Form, b'{"emp_no":"7","on":"2024-07-01","rows":[{"psn_no":"1","wage_fen":5}]}')
    assert (body, faults) == (Form("7", date(2024, 7, 1), (Line("1", 5),)), [])


def test_every_field_that_is_wrong_is_named_with_what_came() -> None:
    body, faults = read_body(
        Form, b'{"emp_no":"seven","on":"tomorrow","rows":[{"psn_no":"1","wage_fen":-5}],"colour":"red"}'
    )
    assert body is None
    assert [(f.code, f.field, f.received) for f in faults] == [
        ("FIELD_INVALID", "emp_no", "seven"), ("FIELD_INVALID", "on", "tomorrow"),
        ("FIELD_INVALID", "rows[0].wage_fen", ""), ("FIELD_UNKNOWN", "colour", ""),
    ]
    assert all("一" <= f.reason[0] <= "鿿" for f in faults)


def test_what_is_missing_is_named() -> None:
    _, faults = read_body(Form, b"{}")
    assert [(f.code, f.field) for f in faults] == [("FIELD_MISSING", "emp_no"), ("FIELD_MISSING", "on")]


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'"\xff"', b"nonsense"])
def test_what_is_no_json_is_said_to_be_none(content: bytes) -> None:
    _, faults = read_body(Form, content)
    assert [f.code for f in faults] == ["BODY_NOT_JSON"]


def test_a_number_that_names_a_person_is_not_repeated_in_clear() -> None:
    class Person(msgspec.Struct):
        certno: Annotated[str, Meta(max_length=18)]
        name: Annotated[str, Meta(max_length=3)]

    _, faults = read_body(Person, '{"certno":"3703961988010112345","name":"王小小明"}'.encode())
    assert [f.received for f in faults] == ["3703***********2345", "王**明"]


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        ({"a": {"b": "x\u0000"}}, "TEXT_INVALID", "a.b"),
        ({"a": [1, 2**53]}, "NUMBER_TOO_LARGE", "a.1"),
        ({"on": date(1899, 12, 31)}, "DATE_OUT_OF_RANGE", "on"),
        ({"on": date(2200, 1, 1)}, "DATE_OUT_OF_RANGE", "on"),
        ({"k\u0001": 1}, "TEXT_INVALID", ""),
    ],
)
def test_what_no_column_holds_is_found_however_deep(value: Any, code: str, field: str) -> None:
    assert [(f.code, f.field) for f in faults_of(value, "")] == [(code, field)]


def test_the_outermost_values_that_columns_hold_pass() -> None:
    assert faults_of({"n": [2**53 - 1, -(2**53) + 1], "d": [date(1900, 1, 1), date(2199, 12, 31)], "t": "行\n\t行"}, "") == []


def test_parameters_are_read_from_text_with_all_their_faults() -> None:
    assert read_parameters(Asked, {"emp_no": "7", "limit": "5", "on": "2024-02-29"}) == Asked("7", 5, date(2024, 2, 29))
    faults = read_parameters(Asked, {"limit": "many", "on": "2023-02-29", "colour": "red"})
    assert isinstance(faults, list)
    assert [(f.code, f.field) for f in faults] == [
        ("FIELD_INVALID", "limit"), ("FIELD_INVALID", "on"), ("PARAMETER_UNKNOWN", "colour"), ("PARAMETER_MISSING", "emp_no"),
    ]
