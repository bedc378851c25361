"""One repetition: for every size and number of connections, pgbench and our server turn about on the same database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import ceiling
from bench.bills import VISITS_PER_PERSON
from bench.ceiling import Scripts
from bench.load import Order, Result
from bench.processes import cpu_ms
from bench.world import Sample
from yibao.infra.config import Settings


class Cell(msgspec.Struct, frozen=True):
    """One measurement of one way at one size and number of connections.

    Attributes:
        way: ``http`` or a form of pgbench.
        per_second: settlements a second.
        python_ms: CPU of all server processes for one settlement, 0 for pgbench.
        postgres_ms: CPU of all PostgreSQL processes for one settlement.
        latencies_ms: p50, p95 and p99.
        unsettled: answers that were no settlement, such as "ask again" on a machine with no time left; not in the rate.
    """

    way: str
    size: int
    connections: int
    per_second: float
    python_ms: float
    postgres_ms: float
    latencies_ms: tuple[float, ...]
    unsettled: int = 0


class Stand(msgspec.Struct):
    """What is measured: the server, the database it uses, and which visits are still open."""

    settings: Settings
    server_pid: int
    postmaster_pid: int
    pgbench: Path
    url: str
    samples: dict[int, Sample]
    scripts: dict[int, Scripts]
    next_visit: dict[int, int]

    def take(self, size: int, count: int) -> int:
        """Return the first of ``count`` visits that nobody has settled."""
        first = self.next_visit[size]
        self.next_visit[size] = first + count
        return first


class WrongAnswer(Exception):
    """The server mostly answered something else than settlements, so there is nothing to measure."""


def even(count: int, connections: int) -> int:
    """Return ``count`` or a little more, so that every connection has the same number of whole people."""
    share = -(-count // connections)
    return connections * (-(-share // VISITS_PER_PERSON) * VISITS_PER_PERSON)


def measure_http(stand: Stand, *, size: int, connections: int, count: int) -> Cell:
    """Settle ``count`` visits over HTTP."""
    total = even(count, connections)
    order = Order(
        stand.settings.host, stand.settings.port, stand.samples[size].form, size, stand.take(size, total), total, connections
    )
    python, postgres = cpu_ms(stand.server_pid), cpu_ms(stand.postmaster_pid)
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=msgspec.json.encode(order), stdout=subprocess.PIPE, check=True
    )
    python, postgres = cpu_ms(stand.server_pid) - python, cpu_ms(stand.postmaster_pid) - postgres
    result = msgspec.json.decode(done.stdout, type=Result)
    if result.settled < total // 2:
        raise WrongAnswer(f"{total - result.settled} of {total} were not settled: {result.refusals}")
    return Cell(
        "http", size, connections, result.settled / result.seconds, python / result.settled, postgres / result.settled,
        (result.p50_ms, result.p95_ms, result.p99_ms), total - result.settled,
    )


def measure_ceiling(stand: Stand, form: str, *, size: int, connections: int, count: int) -> Cell:
    """Settle ``count`` visits with one form of pgbench."""
    total = even(count, connections)
    first = stand.take(size, total)
    before = cpu_ms(stand.postmaster_pid)
    run = ceiling.run_pgbench(
        stand.pgbench, stand.url, stand.scripts[size].by_form[form], size=size, first=first, connections=connections,
        per_client=total // connections,
    )
    postgres = (cpu_ms(stand.postmaster_pid) - before) / total
    return Cell(form, size, connections, run.per_second, 0.0, postgres, run.latencies_ms)


def repeat(
    stand: Stand, *, sizes: tuple[int, ...], connections: tuple[int, ...], count: Callable[[int], int],
    forms: Callable[[int], tuple[str, ...]], say: Callable[[str], None],
) -> list[Cell]:
    """Measure every cell once.

    Args:
        count: settlements of a cell, by connections.
        forms: forms of pgbench to run beside it, by connections.
    """
    cells = []
    for size in sizes:
        for clients in connections:
            for form in forms(clients):
                cells.append(measure_ceiling(stand, form, size=size, connections=clients, count=count(clients)))
                say(told(cells[-1]))
            cells.append(measure_http(stand, size=size, connections=clients, count=count(clients)))
            say(told(cells[-1]))
    return cells


def told(cell: Cell) -> str:
    """Return a measurement as one line."""
    shown = f"{cell.way:10} {cell.size:3} lines {cell.connections:3} connections {cell.per_second:7.0f}/s"
    shown += f"  Python {cell.python_ms:.3f} ms  PostgreSQL {cell.postgres_ms:.3f} ms"
    return f"{shown}  p50/p95/p99 {' / '.join(f'{ms:.1f}' for ms in cell.latencies_ms)} ms"
