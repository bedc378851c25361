"""What each kind of stock change does to the stock; read once from the package."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

import msgspec


class ChangeType(msgspec.Struct, frozen=True):
    """A kind of change (3502): 1 in or -1 out, and the kind of upload that tells of the same goods, ``""`` if none."""

    code: str
    name: str
    direction: int
    twin: str


@cache
def change_types() -> dict[str, ChangeType]:
    """Return every kind of change by its code."""
    text = (files("yibao") / "data" / "stock" / "change_types.csv").read_text(encoding="utf-8")
    return {
        row["code"]: ChangeType(row["code"], row["name"], 1 if row["direction"] == "in" else -1, row["twin"])
        for row in csv.DictReader(text.splitlines())
    }
