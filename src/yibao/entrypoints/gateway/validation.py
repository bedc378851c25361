"""Validates a message's business content by its field table: all faults at once, and the clean content.

The tables are compiled to closures per node, one check per field; what came beside the tables is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from yibao.entrypoints.gateway.checks import ABSENT, Check, Doubtful, Wrong, compile_check, kind_of
from yibao.entrypoints.gateway.cross_field import compile_rules, judge_rows
from yibao.entrypoints.gateway.interface import Field, Interface, Node, Transaction
from yibao.entrypoints.gateway.problems import Problems

Walk = Callable[[dict[str, Any], Problems, str], dict[str, Any]]
_EMPTY = ("", "null")
ROWS_MAX = 5_000
"""Rows of one list; more would keep everybody else waiting while they are read."""


class Spec(msgspec.Struct, frozen=True):
    """A compiled transaction: the main form first, then its variants with the names that tell them apart."""

    transaction: Transaction
    forms: tuple[tuple[Walk, frozenset[str]], ...]


def _settle_missing(field: Field, clean: dict[str, Any], problems: Problems, prefix: str, sent_empty: bool) -> None:
    """Decide what an absent field means: a default, a warning, a fault or nothing."""
    default = field.quirks.get("missing_ok")
    if default:
        clean[field.name] = default
    elif field.required and default is None:
        if "missing_warned" in field.quirks or ("empty_ok" in field.quirks and sent_empty):
            problems.warn(prefix + field.name, field, "未填写")
        else:
            problems.add(
                prefix + field.name, field, "FIELD_MISSING", "为必填项", f"请填写{field.name_zh or field.name}", value=""
            )


def _compile_fields(node: Node, code_tables: Mapping[str, Mapping[str, str]]) -> Walk:
    """Return the walk over the fields of a node: quick while all is well, in the table's order when it is not."""
    compiled: tuple[tuple[str, tuple[str, ...], Check, Field, bool], ...] = tuple(
        (f.name, f.variants, compile_check(f, code_tables), f, f.required or "missing_ok" in f.quirks)
        for f in node.fields
    )
    other_names = {variant for _, variants, _, _, _ in compiled for variant in variants}
    checks = {name: check for name, _, check, _, _ in compiled if name not in other_names}
    needed = {name for name, _, _, _, matters in compiled if matters}
    walk_carefully = _careful_walk(compiled)

    def walk(source: dict[str, Any], problems: Problems, prefix: str) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        try:
            for name, value in source.items():
                check = checks.get(name)
                if check is None:
                    if name in other_names:
                        return walk_carefully(source, problems, prefix)
                elif value is not None and value != "":
                    value = check(value)
                    if value is not ABSENT:
                        clean[name] = value
        except (Wrong, Doubtful):
            return walk_carefully(source, problems, prefix)
        return clean if clean.keys() >= needed else walk_carefully(source, problems, prefix)

    return walk


def _careful_walk(compiled: tuple[tuple[str, tuple[str, ...], Check, Field, bool], ...]) -> Walk:
    """Return the walk that takes the fields in the table's order, other names too, and collects every problem."""

    def walk(source: dict[str, Any], problems: Problems, prefix: str) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        for name, variants, check, field, matters in compiled:
            value = source.get(name)
            if value is None or value == "":
                for variant in variants:
                    if source.get(variant) not in (None, ""):
                        name, value = variant, source[variant]
                        break
                else:
                    if matters:
                        _settle_missing(field, clean, problems, prefix, name in source)
                    continue
            try:
                value = check(value)
            except Wrong as wrong:
                problems.add(prefix + name, field, wrong.code, wrong.reason, wrong.remedy, value=value)
                continue
            except Doubtful as doubtful:
                value = doubtful.value
                problems.warn(prefix + name, field, doubtful.warning)
            if value is not ABSENT:
                clean[field.name] = value
            elif matters:
                _settle_missing(field, clean, problems, prefix, True)
        return clean

    return walk


def _take(node: Node, source: dict[str, Any]) -> Any:
    for name in node.names:
        value = source.get(name)
        if value is not None and not (isinstance(value, str) and value.strip() in _EMPTY):
            return value
    return None


def _wrong_kind(node: Node, value: Any, problems: Problems, path: str) -> None:
    wanted = "对象的数组" if node.is_list else "单个对象"
    problems.add_plain(
        path, "FIELD_STRUCTURE", f"节点{node.name}应为{wanted}，收到的是{kind_of(value)}", "请按接口规范的节点结构上传"
    )


def _missing_node(node: Node, problems: Problems, path: str, source: dict[str, Any]) -> None:
    if not node.required:
        return
    if "missing_ok" in node.quirks:
        return
    if "missing_warned" in node.quirks or ("empty_ok" in node.quirks and node.name in source):
        problems.warnings.append(f"{path}：节点{node.name}未填写")
    else:
        problems.add_plain(path, "FIELD_MISSING", f"节点{node.name}为必填项", "请填写该节点后重发")


def _says_nothing(row: Any) -> bool:
    """Say whether a row holds nothing: texts left empty, numbers left at zero, as systems send that know no empty list."""
    return isinstance(row, dict) and all(
        value is None or (isinstance(value, str) and value.strip() in (*_EMPTY, "0")) or (type(value) is int and value == 0)
        for value in row.values()
    )


def _compile_child(node: Node, walk: Walk) -> Walk:
    """Return the walk that adds a child node to its parent's clean content."""

    def one(source: dict[str, Any], problems: Problems, prefix: str) -> dict[str, Any]:
        value = _take(node, source)
        path = prefix + node.name
        if isinstance(value, list) and len(value) <= 1:
            value = value[0] if value else None
        if value is None and (node.stated or node.name == "input"):
            if node.name == "input" and source:
                return {node.name: walk(source, problems, prefix)}
            _missing_node(node, problems, path, source)
            return {}
        if value is not None and not isinstance(value, dict):
            _wrong_kind(node, value, problems, path)
            return {}
        return {node.name: walk(value or {}, problems, path + ".")}

    def many(source: dict[str, Any], problems: Problems, prefix: str) -> dict[str, Any]:
        value = _take(node, source)
        path = prefix + node.name
        rows = [] if value is None else value if isinstance(value, list) else [value]
        if len(rows) == 1 and "blank_row_ok" in node.quirks and _says_nothing(rows[0]):
            rows = []
        if not rows:
            _missing_node(node, problems, path, source)
            judge_rows(node, [], problems, path)
            return {}
        if len(rows) > ROWS_MAX:
            problems.add_plain(
                path, "FIELD_STRUCTURE", f"节点{node.name}有{len(rows)}行，超过上限{ROWS_MAX}行", "请分批上传"
            )
            return {}
        clean: list[dict[str, Any]] = []
        for index, row in enumerate(rows):
            if problems.full:
                break
            if isinstance(row, dict):
                clean.append(walk(row, problems, f"{path}[{index}]."))
            else:
                _wrong_kind(node, row, problems, f"{path}[{index}]")
        if node.rules:
            judge_rows(node, clean, problems, path)
        return {node.name: clean}

    return many if node.is_list else one


def compile_node(node: Node, code_tables: Mapping[str, Mapping[str, str]]) -> Walk:
    """Return the walk of a node: fields, children, then the rules over them."""
    fields = _compile_fields(node, code_tables)
    children = tuple(_compile_child(child, compile_node(child, code_tables)) for child in node.children)
    judges = compile_rules(node)

    def walk(source: dict[str, Any], problems: Problems, prefix: str) -> dict[str, Any]:
        clean = fields(source, problems, prefix)
        for child in children:
            clean.update(child(source, problems, prefix))
        for judge in judges:
            judge(clean, problems, prefix)
        return clean

    return walk if children or judges else fields


def _names(node: Node) -> frozenset[str]:
    """Return every name a form knows, as ``node.field``, to tell forms of one number apart."""
    return frozenset(
        f"{part.path.replace('[]', '')}.{name}"
        for part in node.walk() for field in part.fields for name in (field.name, *field.variants)
    )


def _sent_names(source: dict[str, Any]) -> set[str]:
    names: set[str] = set()
    for key, value in source.items():
        names.add(f".{key}")
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            names.update(f"{key}.{name}" for name in inner)
    return names


class Validator:
    """Holds the compiled form of every transaction that has a field table."""

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self._specs: dict[str, Spec] = {}
        envelope = interface.envelope
        # The business node is read apart: it comes under two names and in four shapes.
        fields = tuple(field for field in envelope.fields if field.name != "input")
        self.walk_envelope = compile_node(msgspec.structs.replace(envelope, fields=fields), interface.code_tables)

    def spec(self, infno: str) -> Spec | None:
        """Return the compiled transaction, None when its number is unknown."""
        found = self._specs.get(infno)
        if found is None:
            transaction = self.interface.transactions.get(infno)
            if transaction is None:
                return None
            tables = self.interface.code_tables
            forms = tuple((compile_node(node, tables), _names(node)) for node in transaction.inputs)
            found = self._specs[infno] = Spec(transaction, forms)
        return found

    def compile_all(self) -> None:
        """Compile every transaction now, so that workers forked later share it."""
        for infno in self.interface.transactions:
            self.spec(infno)

    def validate(self, spec: Spec, source: dict[str, Any], problems: Problems) -> dict[str, Any]:
        """Return the clean business content; what is wrong with it is added to ``problems``."""
        if not spec.forms:
            return source
        walk = spec.forms[0][0]
        if len(spec.forms) > 1:
            sent = _sent_names(source)
            walk = max(spec.forms, key=lambda form: len(sent & form[1]))[0]
        return walk(source, problems, "")
