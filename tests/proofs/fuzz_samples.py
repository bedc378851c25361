"""Valid messages of every transaction, made from the rows of its field table, and the places to plant faults in.

Reads the CSV rows by itself: what the gateway compiled from them is what is under test.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import msgspec

from yibao.kernel.identity_number import make

FOLDER = files("yibao") / "data" / "interface"
Row = dict[str, str]
BIRTH_YEAR_FIRST = 1940


def rows_of(name: str) -> list[Row]:
    """Return the rows of one CSV file of the interface."""
    return list(csv.DictReader((FOLDER / name).read_text("utf-8").splitlines()))


@cache
def code_tables() -> dict[str, list[str]]:
    """Return the codes of each table."""
    found: dict[str, list[str]] = {}
    for row in rows_of("code_tables.csv"):
        found.setdefault(row["table"], []).append(row["code"])
    return found


@cache
def statuses() -> dict[str, Row]:
    """Return per coded field which table holds its codes and whether an unknown one is refused."""
    return {row["field"]: row for row in rows_of("code_table_status.csv")}


@cache
def quirks() -> tuple[Row, ...]:
    """Return what the installed base does beside the tables."""
    return tuple(rows_of("quirks.csv"))


@cache
def rules() -> tuple[Row, ...]:
    """Return the rules over more than one field."""
    return tuple(rows_of("cross_field_rules.csv"))


class Place(msgspec.Struct, frozen=True):
    """A field of a message, where a fault can be planted.

    Attributes:
        table: file of the field table, line of the row in it.
        keys: keys and indices from the body to the field.
    """

    infno: str
    row: Row
    line: int
    keys: tuple[str | int, ...]

    @property
    def name(self) -> str:
        """Return the field's name."""
        return self.row["field"]

    @property
    def where(self) -> str:
        """Return file and line of the row that describes the field."""
        return f"fields/{self.infno}.csv:{self.line}"


class Sample(msgspec.Struct):
    """A valid message and all its places."""

    infno: str
    body: dict[str, Any]
    places: list[Place]


def table_of(row: Row) -> str:
    """Return the code table that decides about a field, ``""`` if there is none."""
    status = statuses().get(row["field"])
    if row["code_table"] in ("", "?"):
        return ""
    return (status["table"] if status else "") or row["code_table"]


def _text(row: Row, random: Random, limit: int) -> str:
    name = row["field"]
    codes = code_tables().get(table_of(row))
    if codes:
        return random.choice(codes)
    if "certno" in name.lower() or name in ("mdtrt_cert_no",):
        return make("370303", _day(random), random.randrange(1000))[:limit]
    digits = "".join(random.choice("123456789") for _ in range(min(limit, 12)))
    return digits if random.random() < 0.7 or limit < 4 else f"文字{digits[: limit - 2]}"


def _day(random: Random) -> date:
    return date(random.randrange(BIRTH_YEAR_FIRST, 2020), random.randrange(1, 13), random.randrange(1, 28))


def value_for(row: Row, random: Random) -> Any:
    """Return a value that the row of the field table allows."""
    kind, limit = row["type"], int(row["max_len"] or 0)
    if kind == "number":
        scale = int(row["scale"] or 0)
        whole = random.randrange(1, 10 ** max(1, min(limit - scale or 1, 3)))
        return whole if not scale else f"{whole}.{random.randrange(10**scale):0{scale}d}"
    if kind == "date":
        return f"{_day(random):%Y-%m-%d}"
    if kind == "datetime":
        return f"{_day(random):%Y-%m-%d} 08:00:00"
    if kind == "boolean":
        return random.choice([True, False])
    if kind == "list":
        return [_text(row, random, limit or 12)]
    if kind == "object":
        return {"k": "v"}
    return _text(row, random, limit or 12)


def _plant(body: dict[str, Any], node: str) -> tuple[dict[str, Any], tuple[str | int, ...]]:
    """Return the object at a node path below ``input``, made where missing, and the keys to it."""
    here: dict[str, Any] = body.setdefault("input", {})
    keys: tuple[str | int, ...] = ("input",)
    for segment in node.split(".") if node else []:
        name = segment.removesuffix("[]")
        keys = (*keys, name)
        if segment.endswith("[]"):
            here = here.setdefault(name, [{}])[0]
            keys = (*keys, 0)
        else:
            here = here.setdefault(name, {})
    return here, keys


@cache
def _numbered(infno: str, side: str = "input") -> list[tuple[int, Row]]:
    return [(line, row) for line, row in enumerate(rows_of(f"fields/{infno}.csv"), 2) if row["side"] == side]


def transactions() -> list[str]:
    """Return every transaction that has an input table and an envelope, main forms only."""
    found = []
    for row in rows_of("transactions.csv"):
        infno = row["infno"]
        without_envelope = infno in ("4261", "4262", "4263")
        has_table = (FOLDER / "fields" / f"{infno}.csv").is_file()
        if has_table and not without_envelope and _numbered(infno):
            found.append(infno)
    return found


def _satisfy(infno: str, node: str, here: dict[str, Any]) -> None:
    """Make what cross-field rules and the field's own meaning ask of a valid message."""
    for rule in rules():
        if (rule["infno"], rule["node"]) == (infno, node) and rule["rule"] == "identity_number":
            here[rule["other"]] = rule["values"]
    if infno == "9101" and node == "fsUploadIn":
        here["in"] = "UEs="


def sample(
    infno: str, random: Random, *, envelope: dict[str, Any], known: Mapping[str, Any] | None = None
) -> Sample:
    """Return a valid message of a transaction: every field of its table filled.

    ``known`` gives values by field name that the world of the gateway under test knows, a person for one.
    """
    body: dict[str, Any] = {**envelope, "input": {}}
    places = [
        Place("envelope", row, line, (row["field"],)) for line, row in _numbered("envelope") if row["field"] in envelope
        and row["field"] != "input"
    ]
    nodes = {row["node"] for _, row in _numbered(infno)}
    for line, row in _numbered(infno):
        here, keys = _plant(body, row["node"])
        inner = f"{row['node']}.{row['field']}".strip(".")
        if inner in nodes or f"{inner}[]" in nodes or re.search("spelling variant of", row["note"]):
            continue  # a container's own row, or a second spelling of a field that is there
        drawn = value_for(row, random)
        here[row["field"]] = (known or {}).get(row["field"], drawn)
        places.append(Place(infno, row, line, (*keys, row["field"])))
    for node in nodes:
        _satisfy(infno, node, _plant(body, node)[0])
    body["infno"] = infno
    return Sample(infno, body, places)
