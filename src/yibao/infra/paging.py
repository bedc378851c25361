"""Pages of a listing: a count and one page of rows, from two statements over the same criteria."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import asyncpg
import msgspec

from yibao.infra.database import Connection

T = TypeVar("T")


class Window(msgspec.Struct, frozen=True):
    """Which page of a listing is wanted: counted from 1, with ``size`` rows."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """Return how many rows stand before this page."""
        return (self.number - 1) * self.size


async def fetch_page(
    tx: Connection, count: str, select: str, values: Sequence[Any], window: Window,
    record: Callable[[asyncpg.Record], T],
) -> tuple[int, list[T]]:
    """Fetch how many rows there are in all, and the rows of one page.

    ``select`` takes the page's size and offset as its last two parameters.
    """
    total: int = await tx.fetchval(count, *values)
    if window.offset >= total:
        return total, []
    rows = await tx.fetch(select, *values, window.size, window.offset)
    return total, [record(row) for row in rows]
