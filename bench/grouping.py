"""``python -m bench.grouping``: how fast cases are grouped; writes docs/benchmarks-grouping.{json,md}.

A hundred thousand drawn cases, dirty and ungroupable ones among them, go through the grouper alone, through the grouper
with its reasons, and through ``yibao group FILE --json`` as a whole; the plain reader of the tests answers them too.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.report import machine
from tests.twin.grouping_cases import COLUMNS, Row, draw_cases
from tests.twin.grouping_reader import PlainReader
from yibao.domains.grouping.tables import read_tables
from yibao.policy.grouping.grouper import Grouped, group_case
from yibao.policy.grouping.rows import read_row
from yibao.policy.grouping.scheme import Scheme, build_scheme
from yibao.policy.grouping.wording import why

SEED = 20260101
_WILD = 5_000
_BEST_OF = 3


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.grouping", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    asked = parser.parse_args()
    reader = PlainReader()
    each = max(1, (asked.cases - _WILD) // (2 * len(reader.drgs)))
    rows = draw_cases(reader, seed=SEED, each=each, wild=asked.cases - 2 * each * len(reader.drgs))[:asked.cases]
    open_s, scheme = _timed(lambda: build_scheme(*read_tables()))
    alone_s, answers = min((_timed(lambda: _group(rows, scheme)) for _ in range(_BEST_OF)), key=lambda x: x[0])
    reasons_s, _ = min((_timed(lambda: _explain(rows, scheme)) for _ in range(_BEST_OF)), key=lambda x: x[0])
    plain_s, plain = _timed(lambda: [reader.answer(row) for row in rows])
    found: dict[str, Any] = {
        "when": datetime.now(UTC).isoformat(" ", "minutes"), "machine": machine(), "seed": SEED, "cases": len(rows),
        "groups": len({drg for *_, drg in plain} - {scheme.ungrouped}), "ungrouped": sum(g.group is None for g in answers),
        "differences": sum(_codes(g, scheme) != p for g, p in zip(answers, plain, strict=True)),
        "open_ms": round(open_s * 1000), "alone_per_s": round(len(rows) / alone_s),
        "reasons_per_s": round(len(rows) / reasons_s), "plain_per_s": round(len(rows) / plain_s), **_command(rows),
    }
    (asked.docs / "benchmarks-grouping.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    (asked.docs / "benchmarks-grouping.md").write_text(_REPORT.format(**found), encoding="utf-8")
    print(_REPORT.format(**found))


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


def _group(rows: list[Row], scheme: Scheme) -> list[Grouped]:
    return [group_case(case, scheme, notes) for case, notes in map(read_row, rows)]


def _explain(rows: list[Row], scheme: Scheme) -> int:
    return sum(len(why(grouped, scheme)) for grouped in _group(rows, scheme))


def _codes(grouped: Grouped, scheme: Scheme) -> tuple[str, str, str]:
    if grouped.category is None or grouped.core is None or grouped.group is None:
        return (scheme.ungrouped,) * 3
    return grouped.category.code, grouped.core.code, grouped.group.code


def _command(rows: list[Row]) -> dict[str, Any]:
    """Run the command on the cases as a file and return its time, start of Python included."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "cases.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        command = [sys.executable, "-m", "yibao.entrypoints.cli.main", "group", str(path), "--json"]
        took, done = _timed(lambda: subprocess.run(command, check=True, capture_output=True))
    answered = msgspec.json.decode(done.stdout)
    return {"command_s": round(took, 1), "command_per_s": round(len(rows) / took), "command_count": answered["count"]}


_REPORT = """# Benchmarks of grouping

Written by `make bench`; no figure here is typed by hand. {when} UTC.
Machine: {machine}.

{cases} drawn cases (seed {seed}) reach {groups} of the 628 groups of CHS-DRG 1.1; {ungrouped} of them are in none. The plain
reader of the tests, which shares no code, answers {differences} of them differently. One process, one thread, best of three.

| what | figure |
|---|---:|
| the tables read and arranged, once per process | {open_ms} ms |
| rows read and grouped | {alone_per_s} cases/s |
| the same with the reasons in words | {reasons_per_s} cases/s |
| `yibao group FILE --json`, all {command_count} cases in one run with start and output | {command_s} s |
| the same as a rate | {command_per_s} cases/s |
| the plain reader | {plain_per_s} cases/s |
"""


if __name__ == "__main__":
    main()
