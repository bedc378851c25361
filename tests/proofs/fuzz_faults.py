"""The kinds of fault, how each is written into a message, and what allows it: a table's line or a known quirk.

``basis`` is the second opinion. It reads the rows again in its own words; a fault without a basis must be
refused with the field's name, a fault with one may be accepted and is listed with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from tests.proofs.fuzz_samples import Place, code_tables, quirks, rules, statuses, table_of

MARK = "@@FAULT@@"
DEEP = 10_000


class Fault(msgspec.Struct, frozen=True):
    """A kind of fault: when it applies, and the raw JSON text it puts in the field's place (None: the key goes)."""

    kind: str
    applies: Callable[[Place], bool]
    text: Callable[[Place, Any, Random], str | None]


def _always(_place: Place) -> bool:
    return True


def _of(*types: str) -> Callable[[Place], bool]:
    return lambda place: place.row["type"] in types


def _limited(place: Place) -> bool:
    return bool(place.row["max_len"]) and place.row["type"] in ("string", "number")


def _coded(place: Place) -> bool:
    return place.row["type"] == "string" and table_of(place.row) in code_tables()


def _certificate(place: Place) -> bool:
    return "certno" in place.name.lower()


def _division(place: Place) -> bool:
    return place.row["code_table"] == "admdvs" or "admdvs" in place.name


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _too_long(place: Place, _value: Any, _random: Random) -> str:
    limit = _stated_limit(place)
    if place.row["type"] == "number":
        return "9" * (limit + 1)
    return _quoted("7" * (limit + 1))


def _stated_limit(place: Place) -> int:
    """Return the longest length that any source states."""
    differs = re.search(r"len differs: ([\d=,]+)", place.row["note"])
    stated = [int(part.split("=")[1]) for part in differs[1].split(",")] if differs else []
    return max([int(place.row["max_len"] or 0), *stated])


def _flip(place: Place, value: Any, _random: Random) -> str:
    text = str(value)
    last = {"X": "1"}.get(text[-1:], "X" if text[-1:] != "X" else "1")
    return _quoted(text[:-1] + last)


def _strange(character: str) -> Callable[[Place, Any, Random], str]:
    def text(_place: Place, value: Any, _random: Random) -> str:
        return _quoted(f"{str(value)[:2]}{MARK}").replace(MARK, character)

    return text


def _raw(text: str) -> Callable[[Place, Any, Random], str]:
    return lambda _place, _value, _random: text


KINDS: tuple[Fault, ...] = (
    Fault("missing", _always, lambda *_: None),
    Fault("null", _always, _raw("null")),
    Fault("empty", _always, _raw('""')),
    Fault("the word null", _always, _raw('"null"')),
    Fault("object for a value", _always, _raw('{"a": 1, "b": 2}')),
    Fault("list for a value", _always, _raw('["a", ["b"]]')),
    Fault("truth for a value", _always, _raw("true")),
    Fault("number for text", _of("string"), lambda _p, _v, random: str(random.randrange(1, 10))),
    Fault("too long", _limited, _too_long),
    Fault("negative", _of("number"), _raw("-1")),
    Fault("no number", _of("number"), _raw('"12a"')),
    Fault("thousands separator", _of("number"), _raw('"1,234"')),
    Fault("too many decimals", lambda p: p.row["type"] == "number" and bool(p.row["scale"]),
          lambda p, *_: "0." + "1" * (int(p.row["scale"]) + 1)),
    Fault("NaN", _always, _raw("NaN")),
    Fault("1e400", _always, _raw("1e400")),
    Fault("4301 digits", _always, _raw("1" * 4301)),
    Fault("unknown code", _coded, _raw('"#9"')),
    Fault("code with one more zero", _coded, lambda _p, value, _r: _quoted(f"0{value}")),
    Fault("wrong check digit", _certificate, _flip),
    Fault("other region", _division, _raw('"110000"')),
    Fault("future", _of("date", "datetime"), _raw('"2999-01-01"')),
    Fault("no such day", _of("date", "datetime"), _raw('"2026-02-30"')),
    Fault("other date format", _of("date", "datetime"), _raw('"02/03/2026"')),
    Fault("date for datetime", _of("datetime"), _raw('"2026-03-02"')),
    Fault("datetime for date", _of("date"), _raw('"2026-03-02 23:59:59"')),
    Fault("lone surrogate", _always, _strange("\\ud800")),
    Fault("NUL", _always, _strange("\\u0000")),
    Fault("direction mark", _always, _strange("\\u202e")),
    Fault("raw control character", _always, _strange("\x02")),
    Fault("nesting of 10000", _always, _raw("[" * DEEP + "]" * DEEP)),
    Fault("key twice", _always, lambda _p, value, _r: json.dumps(value, ensure_ascii=False) + MARK),
    Fault("bytes that are no UTF-8", _always, _strange("\udcff\udcfe")),
    Fault("GBK bytes", _always, _strange("".join(map(chr, (0xDCD6, 0xDCD0, 0xDCCE, 0xDCC4))))),
)
"""``\\udcXX`` stands for the byte XX until the message is written."""


class Planted(msgspec.Struct, frozen=True):
    """A message with one fault: its bytes, the raw text in the field's place, and the fields beside it."""

    body: bytes
    text: str | None
    beside: dict[str, Any]


def write(body: dict[str, Any], place: Place, fault: Fault, random: Random) -> Planted:
    """Return the message with one fault in one place."""
    here: Any = body
    for key in place.keys[:-1]:
        here = here[key]
    last = place.keys[-1]
    value = here[last]
    text = fault.text(place, value, random)
    beside = {name: item for name, item in here.items() if name != last}
    if text is None:
        del here[last]
    else:
        here[last] = MARK
    written = json.dumps(body, ensure_ascii=False)
    if text is None:
        here[last] = value
        return Planted(written.encode(), text, beside)
    here[last] = value
    if text.endswith(MARK):
        once = text.removesuffix(MARK)
        text = f"{once}, {json.dumps(last)}: {once}"
    return Planted(written.replace(f'"{MARK}"', text, 1).encode("utf-8", "surrogateescape"), text, beside)


def _quirk(place: Place, *names: str) -> str:
    for number, row in enumerate(quirks(), 2):
        if row["quirk"] not in names or row["infno"] not in (place.infno, "*"):
            continue
        if row["node"] in (place.row["node"], "*") and row["field"] in (place.name, "*"):
            return f"quirks.csv:{number} {row['quirk']}: {row['basis']}"
    return ""


def _conditions(place: Place, beside: dict[str, Any]) -> str | None:
    """Return ``""`` when a rule over more fields demands this one now, its line when it does not, None without a rule."""
    found = None
    for number, rule in enumerate(rules(), 2):
        if (rule["infno"], rule["node"]) != (place.infno, place.row["node"]):
            continue
        others = rule["other"].split()
        if rule["rule"] == "one_of" and place.name in (rule["field"], *others):
            names = {rule["field"], *others} - {place.name}
            demanded = not any(beside.get(name) for name in names)
        elif rule["field"] != place.name or not rule["rule"].startswith("required"):
            continue
        elif rule["rule"] == "required_with":
            demanded = bool(beside.get(others[0]))
        else:
            holds = str(beside.get(others[0], "")) in rule["values"].split()
            demanded = holds if rule["rule"] == "required_if" else bool(beside.get(others[0])) and not holds
        if demanded:
            return ""
        found = f"cross_field_rules.csv:{number} the condition does not hold"
    return found


def _optional(place: Place, beside: dict[str, Any], *, sent_empty: bool) -> str:
    condition = _conditions(place, beside)
    if condition is not None:
        return condition
    if place.row["required"] != "Y":
        return "column required is empty"
    names = ("missing_ok", "missing_warned", *(("empty_ok",) if sent_empty else ()))
    return _quirk(place, *names)


def _ruled(place: Place, *kinds: str) -> bool:
    return any(
        (rule["infno"], rule["node"], rule["field"]) == (place.infno, place.row["node"], place.name)
        for rule in rules() if rule["rule"] in kinds
    )


def _code_basis(place: Place) -> str:
    status = statuses().get(place.name)
    if status is None or status["status"] != "closed":
        return "code_table_status.csv: the table is open"
    return _quirk(place, "echo")


def _length_basis(place: Place) -> str:
    free = _quirk(place, "echo", "max_len")
    codes = code_tables().get(table_of(place.row), [])
    return free or ("the code is in its table" if "7" * (_stated_limit(place) + 1) in codes else "")


def _number_basis(place: Place, text: str) -> str:
    codes = code_tables().get(table_of(place.row), [])
    if codes and not _code_basis(place) and text not in codes and f"0{text}" not in codes:
        return ""
    return "README.md: codes, certificates and ids are text whatever is sent"


def _sign_basis(place: Place) -> str:
    return "" if _ruled(place, "above_zero", "not_negative") else "type number states no lower bound"


def _shape_basis(place: Place, kind: str) -> str:
    declared = place.row["type"]
    if kind == "object for a value":
        if declared == "object":
            return "type object"
        return "quirks: exp_content is also taken as the object" if place.name in ("exp_content", "expContent") else ""
    if kind == "list for a value":
        return "type bytes: a list of byte values" if declared == "bytes" else ""
    return "type boolean" if declared == "boolean" else ""


_DATE_BASES = {
    "future": "type date states no upper bound", "date for datetime": "quirk: a date where the table says datetime",
    "datetime for date": "quirk: a datetime where the table says date",
}


def basis(place: Place, kind: str, planted: Planted) -> str:
    """Return what allows a fault in a place, ``""`` when nothing does and it must be refused by name."""
    if kind in ("missing", "null", "empty", "the word null"):
        return _optional(place, planted.beside, sent_empty=kind != "missing")
    if kind in ("object for a value", "list for a value", "truth for a value"):
        return _shape_basis(place, kind)
    if kind == "number for text":
        return _number_basis(place, planted.text or "")
    if kind == "too long":
        return _length_basis(place)
    if kind == "negative":
        return _sign_basis(place)
    if kind == "unknown code":
        return _code_basis(place)
    if kind == "code with one more zero":
        return "quirk: codes without or with one more leading zero"
    if kind == "wrong check digit":
        return "" if _ruled(place, "identity_number") else "the table states a length, no check digit"
    if kind == "other region":
        return "" if place.name == "mdtrtarea_admvs" else "a division code may name any region"
    return _DATE_BASES.get(kind, "")
