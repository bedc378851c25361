"""The interface as data: field tables, code tables, paths and quirks, read once from the package.

Nothing here judges a message; :mod:`validation` compiles these records, the message inspector prints them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

_LENGTHS = re.compile(r"len differs: ([\d=,]+)")
_VARIANT = re.compile(r"spelling variant of (\S+)")
WITHOUT_ENVELOPE = frozenset({"4261", "4262", "4263"})
"""Transactions whose business content is the whole body."""


class Field(msgspec.Struct, frozen=True):
    """One row of a field table.

    Attributes:
        type: string, number, date, datetime, boolean, bytes, list or object.
        max_len: characters, or digits of a number; where sources differ, the longest. None: not stated.
        code_table: table of a coded field, ``""`` if none was found.
        closed: an unknown code is refused.
        variants: other spellings of the same field, accepted on input.
        quirks: what the installed base does differently with this field, by quirk.
    """

    name: str
    name_zh: str
    type: str
    max_len: int | None
    scale: int | None
    code_table: str
    closed: bool
    required: bool
    note: str
    variants: tuple[str, ...] = ()
    quirks: Mapping[str, str] = msgspec.field(default_factory=dict)


class Rule(msgspec.Struct, frozen=True):
    """A rule over more than one field, or over a field's value, of one node."""

    kind: str
    field: str
    others: tuple[str, ...]
    values: tuple[str, ...]
    basis: str


class Node(msgspec.Struct, frozen=True):
    """A node of a message: fields, and nodes below it.

    Attributes:
        path: below ``input`` or ``output``, ``[]`` after each list; ``""`` is the root.
        name: last segment without ``[]``.
        stated: the table has a row for the container itself; only then may it be left out or must it be there.
        names: names it may come under; its own first.
    """

    path: str
    name: str
    is_list: bool
    stated: bool
    required: bool
    fields: tuple[Field, ...]
    children: tuple[Node, ...]
    rules: tuple[Rule, ...] = ()
    names: tuple[str, ...] = ()
    quirks: Mapping[str, str] = msgspec.field(default_factory=dict)

    def find(self, name: str) -> Field | None:
        """Return the field of this node with this name or spelling variant."""
        for field in self.fields:
            if field.name == name or name in field.variants:
                return field
        return None

    def walk(self) -> Iterator[Node]:
        """Yield this node and every node below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Transaction(msgspec.Struct, frozen=True):
    """A transaction as the tables know it; ``inputs`` holds the main form first, then its variants."""

    infno: str
    name_zh: str
    name_en: str
    field_table: str
    inputs: tuple[Node, ...]
    output: Node | None
    infile: tuple[Field, ...]
    outfile: tuple[Field, ...]


class Interface(msgspec.Struct, frozen=True):
    """Everything the package knows of the interface."""

    transactions: Mapping[str, Transaction]
    envelope: Node
    envelope_reply: Node
    code_tables: Mapping[str, Mapping[str, str]]
    paths: Mapping[str, str]
    release: Mapping[str, str]

    def code_text(self, table: str, code: str) -> str:
        """Return the Chinese name of a code, ``""`` when the table does not hold it."""
        return self.code_tables.get(table, {}).get(code, "")


Row = dict[str, str]


def _rows(source: Traversable) -> list[Row]:
    return list(csv.DictReader(source.read_text("utf-8").splitlines()))


def _number(text: str) -> int | None:
    return int(text) if text else None


class _Reader:
    """Turns the CSV files into records."""

    def __init__(self, folder: Traversable) -> None:
        self.folder = folder
        self.tables: dict[str, list[Row]] = {}
        self.status = {r["field"]: r for r in _rows(folder / "code_table_status.csv")}
        self.quirks: dict[tuple[str, str, str], dict[str, str]] = {}
        for r in _rows(folder / "quirks.csv"):
            self.quirks.setdefault((r["infno"], r["node"], r["field"]), {})[r["quirk"]] = r["argument"]
        self.rules: dict[tuple[str, str], list[Rule]] = {}
        for r in _rows(folder / "cross_field_rules.csv"):
            rule = Rule(r["rule"], r["field"], tuple(r["other"].split()), tuple(r["values"].split()), r["basis"])
            self.rules.setdefault((r["infno"], r["node"]), []).append(rule)

    def quirks_of(self, infno: str, node: str, field: str) -> dict[str, str]:
        """Return the quirks of a field, the most particular statement of each kind winning."""
        found: dict[str, str] = {}
        for key in (
            ("*", "*", field), (infno, "*", "*"), (infno, node, "*"), (infno, "*", field), (infno, node, field),
        ):
            found.update(self.quirks.get(key, {}))
        found.pop("node_alias", None)
        return found

    def field(self, infno: str, row: Row, variants: tuple[str, ...]) -> Field:
        """Return the record of one row."""
        lengths = _LENGTHS.search(row["note"])
        max_len = _number(row["max_len"])
        if lengths and row["side"] == "input":
            stated = [int(p.split("=")[1]) for p in lengths[1].split(",") if p.split("=")[-1].isdigit()]
            max_len = max([*stated, max_len or 0])
        status = self.status.get(row["field"])
        table = row["code_table"] if row["code_table"] != "?" else ""
        if table and status and status["table"]:
            table = status["table"]
        return Field(
            name=row["field"], name_zh=row["name_zh"], type=row["type"], max_len=max_len,
            scale=_number(row["scale"]), code_table=table,
            closed=bool(table and status and status["status"] == "closed"),
            required=row["required"] == "Y", note=row["note"], variants=variants,
            quirks=self.quirks_of(infno, row["node"], row["field"]) if row["side"] == "input" else {},
        )

    def tree(self, infno: str, rows: list[Row]) -> Node:
        """Return the node tree of one side of a field table."""
        by_node: dict[str, list[Row]] = {"": []}
        for row in rows:
            parts = row["node"].split(".") if row["node"] else []
            for depth in range(1, len(parts) + 1):
                by_node.setdefault(".".join(parts[:depth]), [])
            by_node[row["node"]].append(row)
        return self._node(infno, "", by_node, None)

    def _node(self, infno: str, path: str, by_node: dict[str, list[Row]], stated: Row | None) -> Node:
        rows = by_node[path]
        depth = path.count(".") + 1 if path else 0
        below = {
            p.removesuffix("[]").rsplit(".", 1)[-1]: p for p in by_node
            if p and p.count(".") == depth and (not path or p.startswith(path + "."))
        }
        variants: dict[str, tuple[str, ...]] = {}
        names = {r["field"] for r in rows}
        for row in rows:
            target = _VARIANT.search(row["note"])
            if target and target[1] in names:
                variants[target[1]] = (*variants.get(target[1], ()), row["field"])
        spelled_otherwise = {v for vs in variants.values() for v in vs}
        containers = {r["field"]: r for r in rows if r["field"] in below}
        own = tuple(
            self.field(infno, r, variants.get(r["field"], ())) for r in rows
            if r["field"] not in spelled_otherwise and r["field"] not in containers
        )
        children = tuple(self._node(infno, p, by_node, containers.get(name)) for name, p in below.items())
        name = path.removesuffix("[]").rsplit(".", 1)[-1]
        whole = self.quirks.get((infno, path, ""), {})
        alias = whole.get("node_alias")
        quirks = self.quirks_of(infno, stated["node"], name) if stated else {}
        if "blank_row_ok" in whole:
            quirks["blank_row_ok"] = ""
        return Node(
            path=path, name=name, is_list=path.endswith("[]"), stated=stated is not None,
            required=stated is not None and stated["required"] == "Y", fields=own, children=children,
            rules=tuple(self.rules.get((infno, path), ())), names=(name, alias) if alias else (name,), quirks=quirks,
        )

    def side(self, infno: str, side: str) -> Node | None:
        """Return one side of a field table, None when it has no row."""
        rows = [r for r in self.table(infno) if r["side"] == side]
        return self.tree(infno, rows) if rows else None

    def table(self, infno: str) -> list[Row]:
        """Return the rows of a field table, none when there is no table."""
        if infno not in self.tables:
            source = self.folder / "fields" / f"{infno}.csv"
            self.tables[infno] = _rows(source) if source.is_file() else []
        return self.tables[infno]

    def transaction(self, row: Row) -> Transaction:
        """Return the record of one transaction."""
        infno = row["infno"]
        forms = [self.side(number, "input") for number in (infno, f"{infno}_alt")]
        return Transaction(
            infno=infno, name_zh=row["name_zh"], name_en=row["name_en"], field_table=row["field_table"],
            inputs=tuple(form for form in forms if form is not None), output=self.side(infno, "output"),
            infile=tuple(self.field(infno, r, ()) for r in self.table(infno) if r["side"] == "infile"),
            outfile=tuple(self.field(infno, r, ()) for r in self.table(infno) if r["side"] == "outfile"),
        )


@cache
def load() -> Interface:
    """Return the interface; read from the package's files at the first call."""
    folder = files("yibao") / "data" / "interface"
    reader = _Reader(folder)
    code_tables: dict[str, dict[str, str]] = {}
    for row in _rows(folder / "code_tables.csv"):
        code_tables.setdefault(row["table"], {})[row["code"]] = row["name_zh"]
    envelope, reply = reader.side("envelope", "input"), reader.side("envelope", "output")
    assert envelope is not None
    assert reply is not None
    return Interface(
        transactions={r["infno"]: reader.transaction(r) for r in _rows(folder / "transactions.csv")},
        envelope=envelope, envelope_reply=reply, code_tables=code_tables,
        paths={r["path"]: r["infno"] for r in _rows(folder / "paths.csv")},
        release={r["name"]: r["value"] for r in _rows(folder / "release.csv")},
    )


def decoded_names(node: Node | None, path: tuple[str, ...]) -> Any:
    """Return the field that a path of keys below ``input`` or ``output`` names, or None."""
    for depth, key in enumerate(path):
        if node is None:
            return None
        child = next((c for c in node.children if key in c.names), None)
        if child is None:
            return node.find(key) if depth == len(path) - 1 else None
        node = child
    return node
