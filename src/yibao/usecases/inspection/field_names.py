"""What fields and codes of the interface are called, read from the interface tables of the package."""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec

_CLASS_DIGITS = {"psn_type": 2}
"""Tables whose codes begin with a class: regions add digits, the class keeps its name."""


class FieldName(msgspec.Struct, frozen=True):
    """The Chinese name of a field, and the code table its values come from (``""`` if none)."""

    name_zh: str
    code_table: str = ""


UNKNOWN = FieldName("")

_PLAIN = re.compile(r"[0-9A-Za-z_]{1,16}")
"""Numbers come from messages of strangers: only plain ones may name a file."""


class FieldNames:
    """Names by transaction, side, node and field; each table is read when it is first asked for."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self._tables: dict[str, dict[tuple[str, str, str], FieldName]] = {}
        self._codes: dict[tuple[str, str], str] | None = None
        self._transactions: dict[str, str] | None = None

    def transaction(self, infno: str) -> str:
        """Return the Chinese name of a transaction, ``""`` if it is not known."""
        if self._transactions is None:
            self._transactions = {r["infno"]: r["name_zh"] for r in self._rows("transactions.csv")}
        return self._transactions.get(infno, "")

    def field(self, infno: str, *, side: str, node: str, name: str) -> FieldName:
        """Return what a field is called.

        Args:
            side: ``input`` or ``output``.
            node: path of the node without indices, ``feedetail`` or ``a.b``; ``""`` directly under it.
        """
        for table in (infno, f"{infno}_alt", infno.rstrip("A")):
            found = self._table(table).get((side, node, name))
            if found is not None:
                return found
        return UNKNOWN

    def envelope(self, side: str, name: str) -> FieldName:
        """Return what an envelope field is called."""
        return self._table("envelope").get((side, "", name), UNKNOWN)

    def code(self, table: str, value: str) -> str:
        """Return the text of a code, ``""`` if the table does not have it."""
        if self._codes is None:
            self._codes = {(r["table"], r["code"]): r["name_zh"] for r in self._rows("code_tables.csv")}
        text = self._codes.get((table, value), "")
        if not text and table in _CLASS_DIGITS:
            text = self._codes.get((table, value[: _CLASS_DIGITS[table]]), "")
        return text

    def codes(self, table: str) -> list[str]:
        """Return all codes of a table."""
        self.code(table, "")
        return [code for name, code in self._codes or {} if name == table]

    def _table(self, name: str) -> dict[tuple[str, str, str], FieldName]:
        if name not in self._tables and _PLAIN.fullmatch(name):
            self._tables[name] = {
                (row["side"], row["node"].replace("[]", ""), row["field"]):
                    FieldName(row["name_zh"], "" if row["code_table"] == "?" else row["code_table"])
                for row in self._rows(f"fields/{name}.csv")
            }
        return self._tables.get(name, {})

    def _rows(self, path: str) -> list[dict[str, str]]:
        file = self._folder.joinpath(path)
        if not file.is_file():
            return []
        with file.open(encoding="utf-8") as lines:
            return list(csv.DictReader(lines))


@cache
def packaged() -> FieldNames:
    """Return the names that come with the package."""
    return FieldNames(resources.files("yibao").joinpath("data", "interface"))
