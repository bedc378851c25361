"""Fills a message from the interface's own field tables: every required field, or every field, with a plain value."""

from __future__ import annotations

import csv
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from yibao.kernel.business_time import SHANGHAI

INTERFACE = Path(__file__).parents[2] / "src/yibao/data/interface"


@cache
def _codes() -> dict[str, str]:
    """Return the first code of every table."""
    first: dict[str, str] = {}
    with (INTERFACE / "code_tables.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            first.setdefault(row["table"], row["code"])
    return first


def _value(row: dict[str, str]) -> Any:
    now = datetime.now(SHANGHAI)
    if row["type"] == "number":
        return 1
    if row["type"] == "date":
        return f"{now:%Y-%m-%d}"
    if row["type"] == "datetime":
        return f"{now:%Y-%m-%d %H:%M:%S}"
    if row["field"] == "vali_flag":
        return "1"
    if row["code_table"] in _codes():
        return _codes()[row["code_table"]]
    return "甲" if int(row["max_len"] or 30) < 4 else f"值{row['field']}"[: int(row["max_len"] or 30)]


def filled(infno: str, *, everything: bool = False) -> dict[str, Any]:
    """Return the business content of a message, one row in each list; optional fields only with ``everything``."""
    content: dict[str, Any] = {}
    with (INTERFACE / "fields" / f"{infno}.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            is_needed = everything or row["required"] == "Y"
            if row["side"] != "input" or row["type"] in ("list", "object") or "spelling variant" in row["note"]:
                continue
            if not is_needed or row["note"].startswith("not in source 1"):
                continue
            node = content
            for part in filter(None, row["node"].split(".")):
                name = part.removesuffix("[]")
                node = node.setdefault(name, [{}])[0] if part.endswith("[]") else node.setdefault(name, {})
            node[row["field"]] = _value(row)
    return content
