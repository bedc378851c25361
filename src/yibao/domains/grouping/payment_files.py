"""Reads the payment files that ship with the package: one per region, with the tables of weights and packets they name."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files


@cache
def read_payment_files() -> dict[str, str]:
    """Return region code -> text of its payment file."""
    folder = files("yibao.data").joinpath("payments")
    return {
        file.name.removesuffix(".toml"): file.read_text(encoding="utf-8")
        for file in sorted(folder.iterdir(), key=lambda f: f.name) if file.name.endswith(".toml")
    }


@cache
def read_payment_tables() -> dict[str, str]:
    """Return file name -> text of every table of weights or packets."""
    folder = files("yibao.data").joinpath("payments")
    return {
        file.name: (gzip.decompress(file.read_bytes()) if file.name.endswith(".gz") else file.read_bytes()).decode("utf-8")
        for file in folder.iterdir() if file.name.endswith((".csv", ".csv.gz"))
    }
