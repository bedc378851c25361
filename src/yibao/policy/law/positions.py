"""Finds the line of the file on which a block, a row or a field stands: the TOML reader itself tells none.

A small scanner walks the same text a second time and notes the line of every key and list entry. What it
found is compared with what the TOML reader read; where the two differ, only the ``[[parameter]]`` lines are used.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from yibao.policy.law.faults import PolicyFault
from yibao.policy.law.proposals import Sections, declared, propose

_PLACE = re.compile(r"(?:(?P<file>.+?) )?第 (?P<block>\d+) 个 \[\[parameter\]\](?: \S+)?(?: 第 (?P<row>\d+) 行)?")
_PLACES = re.compile(r"[^（，\s]+ 第 \d+ 个 \[\[parameter\]\] \S+ 第 \d+ 行")
_BLOCK = re.compile(r"\s*\[\[\s*parameter\s*\]\]")
_SYNTAX = re.compile(r"at line (\d+)")
_AT_END = "at end of document"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\s#]+(?: \d\d:\d\d[^,\]}\s#]*)?")


class Node:
    """A value of the document: the line it starts on, and its own keys or entries."""

    __slots__ = ("items", "keys", "line")

    def __init__(self, line: int) -> None:
        self.line = line
        self.keys: dict[str, Node] = {}
        self.items: list[Node] = []

    def last(self) -> Node:
        """Return the entry a header speaks of: the last one of a list, else the table itself."""
        return self.items[-1] if self.items else self


class Spot(msgspec.Struct, frozen=True):
    """Where something stands: file, ``[[parameter]]`` and row (from 1, 0 if none) as a row's ``place`` says it."""

    file: str
    block: int
    row: int


class Positions:
    """The lines of one policy file.

    Args:
        text: the file's text, whether or not it is valid TOML.
    """

    def __init__(self, text: str) -> None:
        self._blocks = [number for number, line in enumerate(text.split("\n"), 1) if _BLOCK.match(line)]
        self._root: Node | None = None
        try:
            root = _Scanner(text).document()
            if _same_shape(root, tomllib.loads(text)):
                self._root = root
        except (_Lost, tomllib.TOMLDecodeError):
            pass

    def line(self, block: int, row: int, field: str) -> int:
        """Return the line of a field of a row; where it is not written there: of the block's field, the row, the block.

        Args:
            block: ordinal of the ``[[parameter]]``, 0 for fields outside of blocks.
            row: ordinal of the row, 0 for the block itself.
            field: name with dots (``when.level``), ``""`` for the whole.
        """
        if self._root is None:
            return self._blocks[block - 1] if 0 < block <= len(self._blocks) else 0
        if not block:
            found, depth = _descend(self._root, field)
            return found.line if depth else 0
        blocks = self._root.keys.get("parameter", Node(0)).items
        if block > len(blocks):
            return 0
        own = blocks[block - 1]
        rows = own.keys["rows"].items if "rows" in own.keys else []
        places = [rows[row - 1]] if 0 < row <= len(rows) else []
        for place in (*places, own):
            found, depth = _descend(place, field)
            if depth == len(_steps(field)) and depth:
                return found.line
        return _deepest([*places, own], field)


def split_place(place: str) -> Spot | None:
    """Return the file and ordinals a row's ``place`` is made of, None if it is not written so."""
    found = _PLACE.fullmatch(place)
    return Spot(found["file"] or "", int(found["block"]), int(found["row"] or 0)) if found else None


def line_of(positions: Mapping[str, Positions], place: str, field: str = "") -> tuple[str, int]:
    """Return file and line of a compiled row's place, or of one of its fields."""
    spot = split_place(place)
    if spot is None or spot.file not in positions:
        return place, 0
    return spot.file, positions[spot.file].line(spot.block, spot.row, field)


def locate_faults(faults: Iterable[PolicyFault], files: Mapping[str, str]) -> tuple[PolicyFault, ...]:
    """Return the faults with the lines they stand on and with what to write instead, in the order of the files."""
    positions = {file: Positions(text) for file, text in files.items()}
    documents = {file: document_of(text) for file, text in files.items()}
    sections = declared(documents.values())
    located = [_locate(fault, files, positions, documents, sections) for fault in faults]
    return tuple(sorted(located, key=lambda f: (not f.file, f.file, f.line)))


def _locate(
    fault: PolicyFault,
    files: Mapping[str, str],
    positions: Mapping[str, Positions],
    documents: Mapping[str, Mapping[str, Any]],
    sections: Sections,
) -> PolicyFault:
    spot = split_place(fault.file) or split_place(fault.place)
    file = (spot.file if spot else "") or fault.file
    if spot is None and not file:
        file = _file_of(documents, fault.field)
    line = fault.line
    if not line and file in positions:
        where = (spot.block, spot.row) if spot else (0, 0)
        line = _syntax_line(fault, files[file]) or positions[file].line(*where, fault.field)
    place = fault.place or (fault.file[len(file) + 1 :] if spot else "")
    document = documents.get(file, {})
    entry = entry_at(document, spot) if spot else document
    proposal = fault.proposal or propose(fault, entry, sections)
    message = _PLACES.sub(lambda found: _with_line(found[0], positions), fault.message)
    return msgspec.structs.replace(fault, file=file, line=line, place=place, proposal=proposal, message=message)


def _with_line(place: str, positions: Mapping[str, Positions]) -> str:
    """Return a row's place as file and line, for people who look it up."""
    file, line = line_of(positions, place)
    return f"{file} 第 {line} 行" if line else place


def _syntax_line(fault: PolicyFault, text: str) -> int:
    """Return the line that the TOML reader names in its complaint, 0 where the fault is of another sort."""
    if fault.field or fault.rule:
        return 0
    named = _SYNTAX.search(fault.message)
    return int(named[1]) if named else text.rstrip("\n").count("\n") + 1 if _AT_END in fault.message else 0


def _file_of(documents: Mapping[str, Mapping[str, Any]], field: str) -> str:
    """Return the last file in which a field of the whole region is written, ``""`` if none has it."""
    section, _, rest = field.partition(".")
    word = rest.partition(".")[0]
    for file in sorted(documents, reverse=True):
        held = documents[file].get(section)
        if held is not None and (not word or (isinstance(held, dict) and word in held)):
            return file
    return ""


def document_of(text: str) -> dict[str, Any]:
    """Return a file's text as tables and lists, empty where it is not valid TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def entry_at(document: Mapping[str, Any], spot: Spot) -> dict[str, Any]:
    """Return the fields of a row as the loader sees them: those of its block, and its own over them."""
    blocks = document.get("parameter")
    block = blocks[spot.block - 1] if isinstance(blocks, list) and spot.block <= len(blocks) else {}
    if not isinstance(block, dict):
        return {}
    rows = block.get("rows")
    own = rows[spot.row - 1] if isinstance(rows, list) and 0 < spot.row <= len(rows) else {}
    own = own if isinstance(own, dict) else {}
    entry = {**{k: v for k, v in block.items() if k != "rows"}, **own}
    whens = [w for w in (block.get("when"), own.get("when")) if isinstance(w, dict)]
    if whens:
        entry["when"] = {dimension: wanted for when in whens for dimension, wanted in when.items()}
    return entry


def _steps(field: str) -> list[str]:
    return field.split(".") if field else []


def _descend(node: Node, field: str) -> tuple[Node, int]:
    """Return the deepest node that carries a part of the field, and how many of its steps were found."""
    steps = _steps(field)
    if field in node.keys:
        return node.keys[field], len(steps)
    depth = 0
    for step in steps:
        if step not in node.keys:
            break
        node, depth = node.keys[step], depth + 1
    return node, depth


def _deepest(places: list[Node], field: str) -> int:
    for place in places:
        found, depth = _descend(place, field)
        if depth:
            return found.line
    return places[0].line


def _same_shape(node: Node, value: object) -> bool:
    if isinstance(value, dict):
        return set(node.keys) == set(value) and all(_same_shape(node.keys[k], v) for k, v in value.items())
    if isinstance(value, list):
        return len(node.items) == len(value) and all(map(_same_shape, node.items, value))
    return not node.keys and not node.items


class _Lost(Exception):
    """The scanner met something it does not know; the TOML reader has the last word."""


class _Scanner:
    """Walks a TOML text once; knows of values only where they begin and end."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._line = 1

    def document(self) -> Node:
        root = Node(1)
        table = root
        while self._skip():
            if self._text.startswith("[[", self._at):
                table = self._header(root, "[[", "]]")
            elif self._text[self._at] == "[":
                table = self._header(root, "[", "]")
            else:
                self._pair(table)
        return root

    def _header(self, root: Node, opens: str, closes: str) -> Node:
        line = self._line
        self._at += len(opens)
        *above, name = self._key()
        self._take(closes)
        table = root
        for step in above:
            table = table.keys.setdefault(step, Node(line)).last()
        found = table.keys.setdefault(name, Node(line))
        if opens == "[":
            return found.last()
        found.items.append(Node(line))
        return found.items[-1]

    def _pair(self, table: Node) -> None:
        line = self._line
        *above, name = self._key()
        self._take("=")
        for step in above:
            table = table.keys.setdefault(step, Node(line))
        table.keys[name] = self._value(line)

    def _key(self) -> list[str]:
        steps = []
        while True:
            self._blank()
            found = _BARE.match(self._text, self._at)
            if found:
                self._at = found.end()
                steps.append(found[0])
            else:
                begin = self._at
                self._string()
                steps.append(self._text[begin + 1 : self._at - 1])
            self._blank()
            if not self._text.startswith(".", self._at):
                return steps
            self._at += 1

    def _value(self, line: int) -> Node:
        node = Node(line)
        self._blank()
        head = self._text[self._at : self._at + 1]
        if head == "[":
            self._list(node)
        elif head == "{":
            self._table(node)
        elif head in ('"', "'"):
            self._string()
        else:
            found = _SCALAR.match(self._text, self._at)
            if not found:
                raise _Lost
            self._at = found.end()
        return node

    def _list(self, node: Node) -> None:
        self._at += 1
        while self._skip() and self._text[self._at] != "]":
            node.items.append(self._value(self._line))
            if self._skip() and self._text[self._at] == ",":
                self._at += 1
        self._take("]")

    def _table(self, node: Node) -> None:
        self._at += 1
        while self._skip() and self._text[self._at] != "}":
            self._pair(node)
            if self._skip() and self._text[self._at] == ",":
                self._at += 1
        self._take("}")

    def _string(self) -> None:
        quote = self._text[self._at : self._at + 1]
        if quote not in ('"', "'"):
            raise _Lost
        end = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(end)
        while not self._text.startswith(end, self._at):
            if self._at >= len(self._text):
                raise _Lost
            escaped = quote == '"' and self._text[self._at] == "\\"
            self._line += self._text.count("\n", self._at, self._at + 1 + escaped)
            self._at += 1 + escaped
        self._at += len(end)

    def _take(self, wanted: str) -> None:
        self._blank()
        if not self._text.startswith(wanted, self._at):
            raise _Lost
        self._at += len(wanted)

    def _blank(self) -> None:
        while self._text[self._at : self._at + 1] in (" ", "\t") and self._at < len(self._text):
            self._at += 1

    def _skip(self) -> bool:
        """Go past blanks, line ends and comments; say whether anything follows."""
        while self._at < len(self._text):
            here = self._text[self._at]
            if here == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif here in " \t\n":
                self._line += here == "\n"
                self._at += 1
            else:
                return True
        return False
