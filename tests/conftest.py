"""Fixtures for everybody: one real PostgreSQL per test process, a fresh migrated database per module.

The server is our own embedded one. ``YIBAO_TEST_SERVER_URL`` (a superuser's or at least a CREATEDB
and CREATEROLE user's URL) takes another PostgreSQL 15+ instead.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.databases import drop_database, execute, named
from yibao.infra.database import GATEWAY, PORTAL, Database
from yibao.infra.migrate import migrate
from yibao.infra.postgres import EmbeddedPostgres

# A slow machine is no fault of the code: no example has a time limit.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

_PREFIX = "yibao-tests-"
_TEMPLATE = f"yibao_template_{os.getpid()}"
_numbers = itertools.count(1)


def _sweep() -> None:
    """End servers and remove directories that a killed test process left behind."""
    roots = (Path(tempfile.gettempdir()), Path("/dev/shm"))
    for left in (found for root in roots for found in root.glob(f"{_PREFIX}*-*")):
        owner = int(left.name.removeprefix(_PREFIX).split("-")[0])
        if Path(f"/proc/{owner}").exists():
            continue
        pid_file = left / "home" / "postgres" / "data" / "postmaster.pid"
        if pid_file.exists():
            postmaster = int(pid_file.read_text().split("\n", 1)[0])
            command = Path(f"/proc/{postmaster}/cmdline")
            if command.exists() and str(left) in command.read_text():
                os.kill(postmaster, signal.SIGQUIT)
        shutil.rmtree(left, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """Run an embedded server for this test process, in a directory that PostgreSQL's user may enter."""
    _sweep()
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    directory.chmod(0o755)
    server = EmbeddedPostgres(directory / "home")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of the server's maintenance database, for a role that may make databases."""
    given = os.environ.get("YIBAO_TEST_SERVER_URL")
    if given:
        return given
    server: EmbeddedPostgres = request.getfixturevalue("postgres_server")
    return server.url_for("postgres")


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """Migrate one database that all others are copied from; return its name."""
    execute(server_url, f"create database {_TEMPLATE}")
    # In a thread of its own: this thread's loop may be running already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrate(named(server_url, _TEMPLATE))).result()
    yield _TEMPLATE
    drop_database(server_url, _TEMPLATE)


@pytest.fixture(scope="module")
def database_url(server_url: str, template_database: str) -> Iterator[str]:
    """Return the URL (owner's role) of a migrated, empty database that this test module has to itself."""
    with _copy(server_url, template_database) as url:
        yield url


@pytest.fixture
def fresh_database_url(server_url: str, template_database: str) -> Iterator[str]:
    """Return the URL of a migrated, empty database that this one test has to itself."""
    with _copy(server_url, template_database) as url:
        yield url


@pytest.fixture(scope="module")
def make_database_url(server_url: str, template_database: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes one more migrated, empty database and returns its URL."""
    made: list[str] = []

    def make() -> str:
        name = _new_name()
        execute(server_url, f"create database {name} template {template_database}")
        made.append(name)
        return named(server_url, name)

    yield make
    for name in made:
        drop_database(server_url, name)


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    """Open the module's database as its owner, without time-outs: to fill and to look."""
    opened = await Database.open(database_url, role=None, size=4)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def gateway_database(database_url: str) -> AsyncIterator[Database]:
    """Open the module's database as the role of the institutions' gateway."""
    opened = await Database.open(database_url, role=GATEWAY, size=8)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def portal_database(database_url: str) -> AsyncIterator[Database]:
    """Open the module's database as the role of the pages: nothing is visible without a region."""
    opened = await Database.open(database_url, role=PORTAL, size=4)
    yield opened
    await opened.close()


@contextmanager
def _copy(server_url: str, template: str) -> Iterator[str]:
    name = _new_name()
    execute(server_url, f"create database {name} template {template}")
    yield named(server_url, name)
    drop_database(server_url, name)


def _new_name() -> str:
    return f"yibao_test_{os.getpid()}_{next(_numbers)}"
