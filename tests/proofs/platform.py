"""The platform under proof: a real PostgreSQL, one prepared world to copy, and the product's server over a copy."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]

from tests.proofs.books import Books
from yibao.demo.description import ENDPOINT
from yibao.demo.world import SEED, build_world
from yibao.entrypoints.server import STOP_WITH_FD
from yibao.entrypoints.worker import kept_heads
from yibao.infra.config import Settings, environment_of
from yibao.infra.database import Database
from yibao.infra.migrate import migrate
from yibao.infra.postgres import DATABASE, EmbeddedPostgres
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.load_catalogue import load_all
from yibao.usecases.policies.publish_policies import publish_policies

PERSONS = 300
WORKERS = 2
_KILLED = re.compile(r"Worker \(pid:(\d+)\) was sent SIGKILL")
_DEFECT = "defect while answering"
_START_WITHIN_S = 60.0
# The same form as the test fixtures' directories, so that their sweep finds what a killed run left behind.
_PREFIX = f"yibao-tests-{os.getpid()}-proofs-"


class Platform:
    """One PostgreSQL with a world of about 350 people; every proof gets a copy of it and its own server."""

    def __init__(self) -> None:
        # PostgreSQL's user must be able to enter the directory.
        self._home = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._home.chmod(0o755)
        # Commit times order the settlements of one person as they became true.
        self.postgres = EmbeddedPostgres(self._home / "home", settings={"track_commit_timestamp": "on"})
        self._copies = 0

    def start(self) -> None:
        """Start PostgreSQL and build the world that proofs copy."""
        asyncio.run(_build(self.postgres.start()))

    def stop(self) -> None:
        """End PostgreSQL, whose data nobody needs any more, and remove everything."""
        self.postgres.kill()
        self.postgres.stop()
        shutil.rmtree(self.postgres.place.root, ignore_errors=True)
        shutil.rmtree(self._home, ignore_errors=True)

    def checkpoint(self) -> None:
        """Write everything out, so that a recovery has only what comes from now on to do again."""
        with Books(self.postgres.admin_url_for("postgres")) as books:
            books.execute("checkpoint")

    @contextmanager
    def served(self, *, workers: int = WORKERS) -> Iterator[Served]:
        """Copy the world, serve it, and stop the server afterwards."""
        self._copies += 1
        name = f"proof_{self._copies}"
        with Books(self.postgres.url_for("postgres")) as books:
            books.execute(f"create database {name} template {DATABASE}")
        home = self._home / name
        home.mkdir()
        settings = Settings(
            home=home, database_url=self.postgres.url_for(name), port=_free_port(), workers=workers,
            failpoints=True, demo=True, log_level="warning",
        )
        asyncio.run(_publish(self.postgres.url_for(name)))
        served = Served(settings)
        try:
            served.start()
            yield served
        finally:
            served.stop()


@contextmanager
def platform() -> Iterator[Platform]:
    """Run a platform for the length of a block."""
    made = Platform()
    try:
        made.start()
        yield made
    finally:
        made.stop()


class Served:
    """The product's server as a child process, its log, and the owner's view of its database."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._deaths: queue.Queue[int] = queue.Queue()
        self._leash = -1
        self._log: list[str] = []
        self.url = settings.database_url
        self.books = Books(self.url)
        self.endpoint = f"http://{settings.host}:{settings.port}{ENDPOINT}"

    def start(self) -> None:
        """Start the server and wait until all its workers answer."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("YIBAO_")}
        # The server ends when the other end of this pipe closes, however we end.
        stop_with, self._leash = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proofs.serve"], cwd=Path(__file__).parents[2], text=True,
            env={**environment, **environment_of(self._settings), STOP_WITH_FD: str(stop_with)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=(stop_with,),
        )
        os.close(stop_with)
        threading.Thread(target=self._read_log, daemon=True).start()
        if not until(self._accepts, within_s=_START_WITHIN_S):
            raise AssertionError("the server did not start:\n" + self.log())

    def stop(self) -> None:
        """Stop the server and close our own connection."""
        self.books.close()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(40)
            except subprocess.TimeoutExpired:
                for pid in [*self.workers(), self._process.pid]:
                    self.kill(pid)
                self._process.wait()
            os.close(self._leash)

    def log(self) -> str:
        """Return what the server said last."""
        return "".join(self._log[-60:])

    @property
    def is_running(self) -> bool:
        """Say whether the server's parent lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def defects(self) -> int:
        """Return how many times the server met a defect of its own."""
        return sum(_DEFECT in line for line in self._log)

    def workers(self) -> list[int]:
        """Return the ids of the living worker processes."""
        assert self._process is not None
        with suppress(psutil.NoSuchProcess):
            return [p.pid for p in psutil.Process(self._process.pid).children() if p.status() != "zombie"]
        return []

    def worker_of(self, port: int) -> int | None:
        """Return the worker that holds the other end of our connection from ``port``."""
        for pid in self.workers():
            with suppress(psutil.Error):
                for connection in psutil.Process(pid).net_connections("tcp"):
                    if connection.raddr and connection.raddr.port == port:
                        return int(pid)
        return None

    def kill(self, pid: int) -> None:
        """Kill -9 a worker."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def killed(self, *, within_s: float = 10.0) -> int | None:
        """Wait for the next death by SIGKILL that was not reported yet; None if there is none in time."""
        try:
            return self._deaths.get(timeout=within_s)
        except queue.Empty:
            return None

    def deaths(self) -> int:
        """Return how many deaths were not reported yet, and forget them."""
        found = 0
        while True:
            try:
                self._deaths.get_nowait()
            except queue.Empty:
                return found
            found += 1

    def verify(self) -> dict[str, int]:
        """Prove the books on one moment of the data: how many checks, how many breaches, how many settlements."""
        # The heads are read first: each of them was committed before the moment that is verified.
        heads = kept_heads(self._settings.home / "audit-heads.txt")
        findings = self.books.verify(heads)
        for finding in findings:
            if finding.breaches:
                print(f"  {finding.invariant} {finding.says}: {finding.breaches} {list(finding.examples)}")
        return {
            "checks": len(findings), "breaches": sum(f.breaches for f in findings),
            "settlements": max(f.checked for f in findings if f.invariant == "I1"),
        }

    def _read_log(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line)
            if found := _KILLED.search(line):
                self._deaths.put(int(found[1]))

    def _accepts(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError("the server ended:\n" + self.log())
        with suppress(OSError), socket.create_connection((self._settings.host, self._settings.port), 1.0) as probe:
            probe.settimeout(5.0)
            probe.sendall(b"GET /assets/ HTTP/1.1\r\nHost: proofs\r\nConnection: close\r\n\r\n")
            return probe.recv(12).startswith(b"HTTP/1.1")
        return False


def until(holds: Callable[[], bool], *, within_s: float) -> bool:
    """Ask again and again, without busy waiting, until something holds; False when time is over."""
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not holds():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.02)
    return True


async def _build(url: str) -> None:
    await migrate(url)
    now = SystemClock().now()
    database = await Database.open(url, role=None, size=2)
    try:
        await load_all(database, now=now, ids=RandomIds())
        await build_world(
            database, persons=PERSONS, seed=SEED, today=business_date(now), progress=lambda *_step: None
        )
    finally:
        await database.close()


async def _publish(url: str) -> None:
    """Publish the law as the server about to start will read it."""
    database = await Database.open(url, role=None, size=1)
    try:
        await publish_policies(database, now=SystemClock().now())
    finally:
        await database.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Result(msgspec.Struct):
    """What a proof counted: ``done`` is how much was tried, ``wrong`` must be zero throughout."""

    done: dict[str, Any]
    wrong: dict[str, int]

    @property
    def holds(self) -> bool:
        """Say whether nothing was wrong."""
        return not any(self.wrong.values())

    def line(self, name: str, seed: int) -> str:
        """Return the count line that a proof prints last."""
        plain = {key: value for key, value in {**self.done, **self.wrong}.items() if isinstance(value, (int, float, str))}
        counts = " ".join(f"{key}={value}" for key, value in plain.items())
        return f"{name}: {'holds' if self.holds else 'BROKEN'} {counts} seed={seed}"
