"""How our facts are said on the wire: yuan with two decimals, names of codes."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from yibao.entrypoints.gateway.interface import load

_NOTHING = Decimal("0.00")


def yuan(fen: int) -> Decimal:
    """Return fen as yuan with two decimals; zero is never negative."""
    return Decimal(fen).scaleb(-2) if fen else _NOTHING


@lru_cache(maxsize=4096)
def code_text(table: str, code: str) -> str:
    """Return the Chinese name of a code, ``""`` when the table does not hold it."""
    return load().code_text(table, code)
