"""The lines of the funds' statement and the line of each posting: package data, ``data/funds/flows.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

INCOME, SPENDING = "income", "spending"
OPENING = "opening"


class Line(msgspec.Struct, frozen=True):
    """One line of the statement.

    Attributes:
        side: ``income`` or ``spending``; subject: of the accounts.
        internal: moves between funds of one region, left out of the region's totals.
    """

    title: str
    side: str
    subject: str
    internal: bool = False


class Kind(msgspec.Struct, frozen=True):
    """One kind of posting: its line for both signs, or one for what a fund receives and one for what it gives."""

    title: str
    line: str = ""
    received: str = ""
    given: str = ""


class FlowWords(msgspec.Struct, frozen=True):
    """All lines, in the order of the report, and all kinds of postings."""

    lines: dict[str, Line]
    kinds: dict[str, Kind]

    def line_of(self, kind: str, amount_fen: int) -> str:
        """Return the line of what a posting of a kind leaves with a fund (+) or takes from it (-)."""
        words = self.kinds[kind]
        return words.line or (words.received if amount_fen > 0 else words.given)

    def shown(self, line: str, amount_fen: int) -> int:
        """Return an amount as its line shows it: income as received, spending as given."""
        return amount_fen if self.lines[line].side == INCOME else -amount_fen


@cache
def flow_words() -> FlowWords:
    """Return the lines and kinds, read once.

    Raises:
        msgspec.ValidationError: the data names a line or a key that does not exist.
    """
    file = resources.files("yibao") / "data" / "funds" / "flows.toml"
    words = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), FlowWords)
    for code, kind in words.kinds.items():
        named: Mapping[str, bool] = {x: x in words.lines for x in (kind.line, kind.received, kind.given) if x}
        if not all(named.values()) or not (kind.line or (kind.received and kind.given)):
            raise msgspec.ValidationError(f"flows.toml: {code} names no line, or one that does not exist")
    return words
