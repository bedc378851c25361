"""``python -m bench``: measures everything once more and writes docs/benchmarks.json and docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import report
from bench.bills import VISITS_PER_PERSON
from bench.ceiling import ONE_ROUND_TRIP, TWO_ROUND_TRIPS
from bench.counting import count_settlements
from bench.measuring import Cell, even, repeat
from bench.stand import TEMPLATE, WARM_UP, prepare, standing
from bench.world import Sample
from yibao.infra.postgres import EmbeddedPostgres

_BUSIEST = 16
"""At so many connections all forms of pgbench run, elsewhere only the first."""

_COUNTED = 4
"""So many settlements of a size are looked into; the last one counts, when types and plans are known."""


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--settlements", type=int, default=6000, help="of a cell; a quarter of it on one connection")
    parser.add_argument("--sizes", type=_numbers, default=(1, 10, 30), help="fee lines of a bill, e.g. 1,10,30")
    parser.add_argument("--connections", type=_numbers, default=(1, 16, 64))
    parser.add_argument("--workers", type=int, default=2, help="server processes")
    parser.add_argument("--database-connections", type=int, default=4, help="of a server process")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where the report goes")
    parser.add_argument("--http-only", action="store_true", help="leave pgbench out")
    return parser.parse_args()


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def main() -> None:
    """Measure and write the report."""
    asked = arguments()

    def count(connections: int) -> int:
        return int(asked.settlements) // (4 if connections == 1 else 1)

    def forms(connections: int) -> tuple[str, ...]:
        if asked.http_only:
            return ()
        return (*TWO_ROUND_TRIPS, ONE_ROUND_TRIP) if connections == _BUSIEST else TWO_ROUND_TRIPS[:1]

    directory = Path(tempfile.mkdtemp(prefix="yibao-bench-"))
    directory.chmod(0o755)
    try:
        with EmbeddedPostgres(directory / "home") as postgres:
            repetitions, samples = _measure(postgres, directory, asked, count=count, forms=forms)
            bodies = {size: [s.form.body(size=size, number=n) for n in range(_COUNTED)] for size, s in samples.items()}
            costs = asyncio.run(count_settlements(postgres.admin_url_for(TEMPLATE), bodies))
        print(report.write(asked.docs, repetitions=repetitions, costs=costs, workers=asked.workers))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _measure(
    postgres: EmbeddedPostgres, home: Path, asked: argparse.Namespace, *, count: Callable[[int], int],
    forms: Callable[[int], tuple[str, ...]],
) -> tuple[list[list[Cell]], dict[int, Sample]]:
    visits = even(WARM_UP, 32) + sum(
        even(count(clients), clients) * (1 + len(forms(clients))) for clients in asked.connections
    )
    print(f"preparing {visits} visits each of {asked.sizes} lines")
    samples, scripts = prepare(postgres, visits=dict.fromkeys(asked.sizes, visits + VISITS_PER_PERSON))
    repetitions = []
    for number in range(1, asked.repetitions + 1):
        print(f"repetition {number} of {asked.repetitions}")
        with standing(
            postgres, samples, scripts, home=home, workers=asked.workers, connections=asked.database_connections
        ) as stand:
            repetitions.append(repeat(
                stand, sizes=asked.sizes, connections=asked.connections, count=count, forms=forms, say=print
            ))
    return repetitions, samples


if __name__ == "__main__":
    main()
