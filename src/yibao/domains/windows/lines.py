"""Finds the line on which a block or a key of a plan's text stands: the TOML reader itself tells none."""

from __future__ import annotations

import re

_BLOCK = re.compile(r"\s*\[\[\s*([a-z_]+)\s*\]\]")
_KEY = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)\s*=")


class Lines:
    """Lines of a text, counted from 1: of every ``[[block]]`` by kind and ordinal (from 0), and of the keys in it."""

    def __init__(self, text: str) -> None:
        self._at: dict[tuple[str, int, str], int] = {}
        self._end = 1
        counts: dict[str, int] = {}
        kind, ordinal = "", 0
        for number, line in enumerate(text.split("\n"), 1):
            self._end = number
            if block := _BLOCK.match(line):
                kind = block[1]
                ordinal = counts.get(kind, 0)
                counts[kind] = ordinal + 1
                self._at[kind, ordinal, ""] = number
            elif key := _KEY.match(line):
                self._at.setdefault((kind, ordinal, key[1]), number)

    def of(self, kind: str = "", ordinal: int = 0, key: str = "") -> int:
        """Return the line of a key, else of its block, else 1."""
        return self._at.get((kind, ordinal, key)) or self._at.get((kind, ordinal, "")) or 1
