"""A message as people read it: fields by name, codes by text, lists as tables."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from yibao.usecases.inspection.field_names import FieldName, FieldNames
from yibao.usecases.inspection.masking import Number, mask_broken, mask_tree

GRID_ROWS_MAX = 100
DEPTH_MAX = 24


class Value(msgspec.Struct, frozen=True):
    """One value and, where it is a code, what the code means."""

    text: str
    meaning: str = ""
    is_number: bool = False


class Row(msgspec.Struct, frozen=True):
    """One field: its name on the wire, its Chinese name (``""`` if unknown), its value."""

    field: str
    name_zh: str
    value: Value


class Fields(msgspec.Struct, frozen=True):
    """An object of the message."""

    path: str
    name_zh: str
    rows: tuple[Row, ...]


class Grid(msgspec.Struct, frozen=True):
    """A list of objects: one column per field that occurs, one row per item.

    A column is its field, its Chinese name, and whether numbers stand in it. ``total`` may be more than the rows
    shown.
    """

    path: str
    name_zh: str
    columns: tuple[tuple[str, str, bool], ...]
    rows: tuple[tuple[Value | None, ...], ...]
    total: int


Part = Fields | Grid


class Body(msgspec.Struct, frozen=True):
    """One side of a message, masked.

    Attributes:
        text: laid out for reading; the text as it came if it is no JSON.
        is_json: False where only the text can be shown.
        envelope: the outer fields.
        parts: the business content, node by node.
        size: bytes as they came.
    """

    text: str
    is_json: bool
    envelope: tuple[Row, ...] = ()
    parts: tuple[Part, ...] = ()
    size: int = 0
    tree: dict[str, Any] = {}


class _TwiceError(ValueError):
    """A key stands twice; laying it out would hide one of them."""


def decode(content: bytes | None, *, side: str, infno: str, names: FieldNames) -> Body:
    """Return a body masked, laid out and decoded.

    Args:
        side: ``input`` for a request, ``output`` for a reply.
    """
    content = content or b""
    text = content.decode("utf-8", "backslashreplace")
    try:
        tree = _parse(text)
        if not isinstance(tree, dict):
            raise TypeError("not an envelope")
        business = tree.get(side)
        if isinstance(business, str) and business.lstrip()[:1] in ("{", "["):
            tree[side] = _parse(business)
        masked = mask_tree(tree)
        laid_out = lay_out(masked)
    except (ValueError, RecursionError, TypeError):
        return Body(mask_broken(text), is_json=False, size=len(content))
    rows = tuple(
        Row(key, (name := names.envelope(side, key)).name_zh, _value(value, name, names))
        for key, value in masked.items() if not isinstance(value, (dict, list))
    )
    walker = _Walker(infno, side, names)
    walker.walk(masked.get(side), path="", node="", depth=0)
    return Body(
        laid_out, is_json=True, envelope=rows, parts=tuple(walker.parts), size=len(content), tree=masked,
    )


def lay_out(value: Any, indent: int = 0) -> str:
    """Return a decoded message as indented JSON, numbers as they were written."""
    pad, end = "  " * (indent + 1), "  " * indent
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict) and value:
        inner = (f"{pad}{_quoted(k)}: {lay_out(v, indent + 1)}" for k, v in value.items())
        return "{\n" + ",\n".join(inner) + f"\n{end}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(pad + lay_out(v, indent + 1) for v in value) + f"\n{end}]"
    return _quoted(value)


def _parse(text: str) -> Any:
    return json.loads(
        text.removeprefix("\ufeff"), parse_float=Number, parse_int=Number, parse_constant=Number,
        object_pairs_hook=_object,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise _TwiceError
    return tree


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _value(value: Any, name: FieldName, names: FieldNames) -> Value:
    if value is None:
        return Value("")
    if isinstance(value, bool):
        return Value("true" if value else "false")
    if isinstance(value, list):
        return Value("、".join(str(item) for item in value))
    text = str(value)
    meaning = names.code(name.code_table, text) if name.code_table else ""
    return Value(text, meaning, is_number=isinstance(value, Number) and not meaning)


class _Walker:
    """Turns a tree into parts, outer nodes first."""

    def __init__(self, infno: str, side: str, names: FieldNames) -> None:
        self.parts: list[Part] = []
        self._infno, self._side, self._names = infno, side, names

    def walk(self, value: Any, *, path: str, node: str, depth: int) -> None:
        """Add the parts of an object or a list of objects; anything else has been shown as a field."""
        if depth > DEPTH_MAX:
            return
        if isinstance(value, dict):
            self._object(value, path=path, node=node, depth=depth)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            self._list([item for item in value if isinstance(item, dict)], path=path, node=node, depth=depth)

    def _object(self, value: dict[str, Any], *, path: str, node: str, depth: int) -> None:
        rows = tuple(
            Row(key, (name := self._name(node, key)).name_zh, _value(item, name, self._names))
            for key, item in value.items() if not _is_container(item)
        )
        if rows:
            self.parts.append(Fields(path, self._title(node), rows))
        for key, item in value.items():
            self.walk(item, path=_join(path, key), node=_join(node, key), depth=depth + 1)

    def _list(self, items: list[dict[str, Any]], *, path: str, node: str, depth: int) -> None:
        keys = list(dict.fromkeys(k for item in items for k, v in item.items() if not _is_container(v)))
        rows = tuple(
            tuple(_value(item[k], self._name(node, k), self._names) if k in item else None for k in keys)
            for item in items[:GRID_ROWS_MAX]
        )
        columns = tuple(
            (key, self._name(node, key).name_zh, any((cell := row[i]) and cell.is_number for row in rows))
            for i, key in enumerate(keys)
        )
        self.parts.append(Grid(path, self._title(node), columns, rows, len(items)))
        for index, item in enumerate(items[:GRID_ROWS_MAX]):
            for key, inner in item.items():
                self.walk(inner, path=f"{path}[{index}].{key}", node=_join(node, key), depth=depth + 1)

    def _name(self, node: str, key: str) -> FieldName:
        return self._names.field(self._infno, side=self._side, node=node, name=key)

    def _title(self, node: str) -> str:
        outer, _, last = node.rpartition(".")
        return self._name(outer, last).name_zh if last else ""


def _is_container(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(i, (dict, list)) for i in value))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
