"""Sets up what is measured: an embedded PostgreSQL, a prepared database, and the platform's own server on a copy of it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.ceiling import Scripts, write_scripts
from bench.measuring import Stand, measure_http
from bench.processes import postmaster_of
from bench.world import Sample, build
from yibao.entrypoints.cli.running import is_ready
from yibao.infra.config import Settings, environment_of
from yibao.infra.database import Database
from yibao.infra.postgres import OWNER, EmbeddedPostgres

TEMPLATE = "bench_template"
COPY = "bench_run"
WARM_UP = 600


def prepare(postgres: EmbeddedPostgres, *, visits: Mapping[int, int]) -> tuple[dict[int, Sample], dict[int, Scripts]]:
    """Fill the template database; return the sample and the pgbench scripts of each size."""

    async def fill() -> tuple[dict[int, Sample], dict[int, Scripts]]:
        await _as_owner(postgres, f"drop database if exists {TEMPLATE}", f"create database {TEMPLATE} owner {OWNER}")
        url = postgres.url_for(TEMPLATE)
        samples = await build(url, visits=visits)
        database = await Database.open(url, role=None, size=1)
        try:
            return samples, await write_scripts(database, samples)
        finally:
            await database.close()

    return asyncio.run(fill())


@contextmanager
def standing(
    postgres: EmbeddedPostgres, samples: dict[int, Sample], scripts: dict[int, Scripts], *, home: Path, workers: int,
    connections: int,
) -> Iterator[Stand]:
    """Run the server on a fresh copy of the template, warmed up; both are gone afterwards."""
    # The files are copied without going through the write-ahead log, so the copy starts with nothing to write out.
    asyncio.run(_as_owner(
        postgres, f"drop database if exists {COPY} with (force)",
        f"create database {COPY} owner {OWNER} template {TEMPLATE} strategy file_copy", "checkpoint",
    ))
    settings = Settings(
        home=home, database_url=postgres.url_for(COPY), port=_free_port(), workers=workers, connections=connections, demo=True,
        log_level="warning",
    )
    with _server(settings) as server_pid:
        stand = Stand(
            settings, server_pid, postmaster_of(postgres.place.data), postgres.bin("pgbench"), postgres.url_for(COPY),
            samples, scripts, dict.fromkeys(samples, 0),
        )
        for size in samples:
            measure_http(stand, size=size, connections=32, count=WARM_UP)
        yield stand
    asyncio.run(_as_owner(postgres, f"drop database {COPY} with (force)"))


@contextmanager
def _server(settings: Settings) -> Iterator[int]:
    """Run the product's own server and lend the pid of its first process."""
    with (settings.home / "server.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "yibao.entrypoints.server"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, **environment_of(settings)}, start_new_session=True,
        )
    try:
        while not is_ready(settings.host, settings.port):
            if child.poll() is not None:
                words = (settings.home / "server.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the server ended with {child.returncode}:\n{words[-1500:]}")
            time.sleep(0.1)
        yield child.pid
    finally:
        child.terminate()
        child.wait()


async def _as_owner(postgres: EmbeddedPostgres, *statements: str) -> None:
    """Run statements as the superuser in the maintenance database, one transaction each."""
    database = await Database.open(postgres.admin_url_for("postgres"), role=None, size=1)
    try:
        for statement in statements:
            await database.fetch(statement)
    finally:
        await database.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
