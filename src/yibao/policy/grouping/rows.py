"""Reads one row of a case file into a case; what cannot be read is left empty and said."""

from __future__ import annotations

from collections.abc import Mapping

from yibao.policy.grouping.case import GroupingCase

COLUMNS = (
    "case", "gend", "age", "age_days", "birth_weight_g", "los_days", "dscg_way", "dx_codes", "op_codes",
)
"""The columns of a case file, in any order; further columns are not read."""

_NAMES = {"age": "年龄（岁）", "age_days": "年龄（天）", "birth_weight_g": "出生体重（克）", "los_days": "住院天数"}
_LARGEST = 1_000_000


def read_row(row: Mapping[str, str]) -> tuple[GroupingCase, tuple[str, ...]]:
    """Return a row as a case, and Chinese notes on what in it could not be read.

    Numbers may carry a decimal part of zero (``88.0``); anything else that is no whole number from 0 on is
    left empty. Codes are split at ``|``; empty ones are left out, so the first code that stands is the main one.
    """
    notes: list[str] = []
    numbers = {name: _number(name, row.get(name, ""), notes) for name in _NAMES}
    case = GroupingCase(
        case=row.get("case", "").strip(), gend=_whole(row.get("gend", "").strip()),
        age=numbers["age"], age_days=numbers["age_days"], birth_weight_g=numbers["birth_weight_g"],
        los_days=numbers["los_days"], dscg_way=_whole(row.get("dscg_way", "").strip()),
        dx_codes=_codes(row.get("dx_codes", "")), op_codes=_codes(row.get("op_codes", "")),
    )
    return case, tuple(notes)


def _codes(text: str) -> tuple[str, ...]:
    return tuple([code for part in text.split("|") if (code := part.strip())])


def _whole(text: str) -> str:
    """Return a number without the ``.0`` that spreadsheets put behind it."""
    whole, dot, rest = text.partition(".")
    return whole if dot and whole and not rest.strip("0") else text


def _number(name: str, text: str, notes: list[str]) -> int | None:
    text = text.strip()
    if not text:
        return None
    whole = _whole(text)
    if whole.isascii() and whole.isdecimal() and int(whole[:8]) <= _LARGEST and len(whole) <= 7:
        return int(whole)
    notes.append(f"{_NAMES[name]}“{text[:20]}”不是0或以上的整数，按未填处理")
    return None
