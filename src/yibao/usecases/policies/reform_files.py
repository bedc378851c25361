"""Writes the results of a simulated reform person by person, as CSV and Parquet, a part at a time."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl

PERSONS_CSV: Final = "persons.csv"
PERSONS_PARQUET: Final = "persons.parquet"

_COUNTS = frozenset({"person", "age", "clinic_visits", "stays", "refused_before", "refused_after"})
_FEN = Decimal("0.01")


class PersonFiles:
    """The two files of results. Amounts are yuan with two decimals, exact in both."""

    def __init__(self, folder: Path) -> None:
        """Start new files in a folder that exists; those of an earlier run are replaced."""
        self._folder = folder
        self._parts: list[Path] = []
        (folder / PERSONS_CSV).write_bytes(b"")

    def add(self, results: pl.DataFrame) -> None:
        """Append the results of some people, amounts in fen."""
        amounts = [n for n, kind in results.schema.items() if kind == pl.Int64 and n not in _COUNTS]
        # A decimal times a decimal: no division, no float.
        yuan = results.with_columns((pl.col(n).cast(pl.Decimal(20, 0)) * pl.lit(_FEN)).alias(n) for n in amounts)
        first = not self._parts
        with (self._folder / PERSONS_CSV).open("ab") as file:
            yuan.write_csv(file, include_header=first, include_bom=first)
        part = self._folder / f"{PERSONS_PARQUET}.{len(self._parts):05d}"
        yuan.write_parquet(part)
        self._parts.append(part)

    def close(self) -> None:
        """Join the parts of the Parquet file, which can only be written whole."""
        if self._parts:
            whole = pl.scan_parquet(self._parts, glob=False)
            whole.sink_parquet(self._folder / PERSONS_PARQUET, row_group_size=50_000)
        self.discard()

    def discard(self) -> None:
        """Remove the parts."""
        for part in self._parts:
            part.unlink(missing_ok=True)
        self._parts = []
