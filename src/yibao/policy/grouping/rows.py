"""Reads one row of a case file into a case; what cannot be read is left empty and said."""

from __future__ import annotations

from collections.abc import Mapping

from yibao.policy.grouping.case import GroupingCase

COLUMNS = (
    "case", "gend", "age", "age_days", "birth_weight_g", "los_days", "dscg_way", "dx_codes", "op_codes",
)
"""The columns of a case file, in any order; further columns are not read."""

_NAMES = {"age": "年龄（岁）", "age_days": "年龄（天）", "birth_weight_g": "出生体重（克）", "los_days": "住院天数"}
_DIGITS = 7


def read_row(row: Mapping[str, str]) -> tuple[GroupingCase, tuple[str, ...]]:
    """Return a row as a case, and Chinese notes on what in it could not be read.

    Of a number with a decimal part the whole part counts (``1499.5`` grams are below 1 500 like 1 499); anything
    that is no number from 0 on is left empty. Codes are split at ``|``; empty ones are left out, so the first code
    that stands is the main one.
    """
    notes: list[str] = []
    numbers = {name: _number(name, row.get(name, ""), notes) for name in _NAMES}
    case = GroupingCase(
        case=row.get("case", "").strip(), gend=_whole(row.get("gend", "").strip()).lstrip("0"),
        age=numbers["age"], age_days=numbers["age_days"], birth_weight_g=numbers["birth_weight_g"],
        los_days=numbers["los_days"], dscg_way=_whole(row.get("dscg_way", "").strip()).lstrip("0"),
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
    whole, dot, rest = text.partition(".")
    if not (_is_number(whole) and len(whole) <= _DIGITS and (not dot or _is_number(rest))):
        notes.append(f"{_NAMES[name]}“{text[:20]}”不是0或以上的数，按未填处理")
        return None
    if rest.strip("0"):
        notes.append(f"{_NAMES[name]}“{text[:20]}”取整数部分")
    return int(whole)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
