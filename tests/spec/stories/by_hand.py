"""Reads the calculations that were made by hand: equations and results of ``docs/stories-by-hand.md``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "stories-by-hand.md"
_EQUATION = re.compile(r"(?<![\d.A-Z-])([\d.()%+−× ]*[+−×][\d.()%+−× ]*) = (\d+\.\d\d)(?!\d)")
_HEADING = re.compile(r"^## \d+\. ([a-z0-9-]+)：")
_RESULT = re.compile(r"^\| ([a-z_]+) \| (\d+\.\d\d) \|$")


@dataclass
class HandCalculation:
    """One section: the equations as (left side, stated result) and the result by wire field."""

    key: str
    equations: list[tuple[str, Decimal]] = field(default_factory=list)
    results: dict[str, Decimal] = field(default_factory=dict)


def sections(text: str) -> Iterator[HandCalculation]:
    """Yield the calculations of the page."""
    current: HandCalculation | None = None
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            if current:
                yield current
            current = HandCalculation(heading[1])
        elif current and (row := _RESULT.match(line)):
            current.results[row[1]] = Decimal(row[2])
        elif current:
            current.equations += [(left.strip(), Decimal(right)) for left, right in _EQUATION.findall(line)]
    if current:
        yield current


def value_of(left: str) -> Decimal:
    """Work out the left side of an equation, rounded half up to cents."""
    plain = re.sub(r"([\d.]+)%", r"(\1/100)", left.replace("×", "*").replace("−", "-"))
    return _evaluate(ast.parse(plain, mode="eval").body).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _evaluate(node: ast.expr) -> Decimal:
    if isinstance(node, ast.Constant):
        return Decimal(str(node.value))
    assert isinstance(node, ast.BinOp), f"not a plain calculation: {ast.dump(node)}"
    left, right = _evaluate(node.left), _evaluate(node.right)
    match node.op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
    raise AssertionError(f"not a plain calculation: {ast.dump(node)}")
