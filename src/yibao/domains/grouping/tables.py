"""Reads the published grouping tables that ship with the package."""

from __future__ import annotations

import csv
import gzip
import io
import tomllib
from importlib.resources import files
from typing import Any

TABLES = (
    "mdc.csv", "mdc_dx.csv.gz", "adrg.csv", "adrg_dx.csv.gz", "adrg_op.csv.gz", "drg.csv", "diagnoses.csv.gz",
    "procedures.csv.gz", "code_map.csv.gz",
)


def read_tables() -> tuple[dict[str, Any], dict[str, list[dict[str, str]]]]:
    """Return the head of the scheme, and table name -> its rows, as ``data/grouping/README.md`` describes them."""
    folder = files("yibao.data").joinpath("grouping")
    head = tomllib.loads(folder.joinpath("scheme.toml").read_text(encoding="utf-8"))
    tables: dict[str, list[dict[str, str]]] = {}
    for name in TABLES:
        content = folder.joinpath(name).read_bytes()
        text = (gzip.decompress(content) if name.endswith(".gz") else content).decode("utf-8")
        tables[name.partition(".")[0]] = list(csv.DictReader(io.StringIO(text, newline="")))
    return head, tables
