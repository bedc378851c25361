"""What a check of live data is, and what it found."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Check(msgspec.Struct, frozen=True):
    """One invariant: its number, what it says, and the statement that finds breaches (first column: what)."""

    invariant: str
    says: str
    sql: str


class Finding(msgspec.Struct, frozen=True):
    """The result of one check; it holds when ``breaches`` is 0."""

    invariant: str
    says: str
    checked: int
    breaches: int
    examples: Sequence[str]
