"""How prescriptions are said on the wire and kept as JSON."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from yibao.entrypoints.gateway.interface import load
from yibao.kernel.business_time import to_wire

ATTRIBUTES = {"01": "双通道处方", "02": "门诊统筹处方", "99": "其他"}
"""``rxExraAttrCode``; the interface prints these names and has no table."""
BUSINESS_KINDS = {"01": "定点医疗机构就诊", "02": "互联网医院问诊"}
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def stored_document(content: Mapping[str, Any]) -> str:
    """Return the content of a message as JSON text: times as the wire writes them, numbers as numbers."""
    return _ENCODER.encode(_plain(content)).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return to_wire(value)
    return value.isoformat() if isinstance(value, date) else value


@cache
def _names(infno: str, node: str) -> tuple[str, ...]:
    output = load().transactions[infno].output
    assert output is not None, infno
    return next(tuple(field.name for field in part.fields) for part in output.walk() if part.path == node)


def filled(infno: str, node: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an output node, in the order of its table; what we do not have is null."""
    return {name: values.get(name) for name in _names(infno, node)}


@cache
def _names_of_form(table: str, node: str) -> tuple[str, ...]:
    source = files("yibao") / "data" / "interface" / "fields" / f"{table}.csv"
    rows = csv.DictReader(source.read_text("utf-8").splitlines())
    return tuple(row["field"] for row in rows if row["side"] == "output" and row["node"] == node)


def filled_form(table: str, node: str, value_of: Callable[[str], Any]) -> dict[str, Any]:
    """Return the fields of an output node of another form of a transaction, such as ``7203_alt``."""
    return {name: value_of(name) for name in _names_of_form(table, node)}
