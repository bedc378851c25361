"""Which transactions the tests drive to their effect: read from the marks in the sources, so that none is forgotten."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[2]


def driven() -> dict[str, list[str]]:
    """Return transaction number -> names of the tests marked as driving it."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for infno in _numbers(node):
                    found.setdefault(infno, []).append(f"{path.relative_to(TESTS)}::{node.name}")
    return found


def _numbers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [
        str(argument.value)
        for mark in function.decorator_list
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute) and mark.func.attr == "drives"
        for argument in mark.args
        if isinstance(argument, ast.Constant)
    ]
