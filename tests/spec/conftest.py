"""The platform served over real HTTP on a small demo world, and tills that talk to it."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.support.databases import drop_database, execute, named
from tests.support.till import Counter, Till
from yibao.app import create_app
from yibao.demo.description import ENDPOINT, describe
from yibao.demo.world import build_world
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.load_catalogue import load_all
from yibao.usecases.policies.publish_policies import publish_policies

_copies = itertools.count(1)


class Served(threading.Thread):
    """A server thread on a port of its own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self._server = uvicorn.Server(
            uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="warning", access_log=False)
        )
        self._is_ready = threading.Event()
        started = self._server.startup

        async def startup(sockets: Any = None) -> None:
            await started(sockets=sockets)
            self._is_ready.set()

        self._server.startup = startup  # type: ignore[method-assign]

    def run(self) -> None:
        """Serve until told to stop."""
        asyncio.run(self._server.serve())

    def wait_ready(self) -> str:
        """Return the base URL once the server answers."""
        assert self._is_ready.wait(30), "the server did not start"
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def end(self) -> None:
        """Stop serving and wait for the thread."""
        self._server.should_exit = True
        self.join(20)


async def _fill(url: str, *, persons: int) -> None:
    now = SystemClock().now()
    database = await Database.open(url, role=None, size=2)
    await publish_policies(database, now=now)
    await load_all(database, now=now, ids=RandomIds())
    await build_world(database, persons=persons, seed=11, today=business_date(now), progress=lambda *_: None)
    await database.close()


async def _describe(url: str, base_url: str, today: date) -> dict[str, Any]:
    database = await Database.open(url, role=None, size=1)
    try:
        return await describe(database, base_url=base_url, today=today, seed=11)
    finally:
        await database.close()


@pytest.fixture(scope="session")
def world_template(server_url: str, template_database: str) -> str:
    """Fill one database with a small world that every module copies; return its name."""
    name = f"yibao_world_{os.getpid()}"
    execute(server_url, f"create database {name} template {template_database}")
    asyncio.run(_fill(named(server_url, name), persons=60))
    return name


@pytest.fixture(scope="module")
def world_url(server_url: str, world_template: str) -> Iterator[str]:
    """Return the URL of a copy of the small world that this module has to itself."""
    name = f"{world_template}_{next(_copies)}"
    execute(server_url, f"create database {name} template {world_template}")
    yield named(server_url, name)
    drop_database(server_url, name)


@pytest.fixture(scope="module")
def base_url(world_url: str) -> Iterator[str]:
    """Serve the platform over the module's world."""
    with tempfile.TemporaryDirectory() as home:
        thread = Served(Settings(home=Path(home), database_url=world_url, demo=True, connections=6))
        thread.start()
        yield thread.wait_ready()
        thread.end()


@pytest.fixture(scope="module")
def world(base_url: str, world_url: str) -> dict[str, Any]:
    """Return what ``demo.json`` says of this world."""
    return asyncio.run(_describe(world_url, base_url, business_date(SystemClock().now())))


TillFor = Callable[..., Till]


@pytest.fixture(scope="module")
def till_for(world: dict[str, Any]) -> TillFor:
    """Return a function that opens a till: the n-th institution of a kind and scheme in a region."""

    def open_till(region: str = "370300", scheme: str = "none", index: int = 0, *, kind: str = "1") -> Till:
        found = [
            i for i in world["institutions"]
            if i["auth"]["scheme"] == scheme and i["admdvs"][:4] == region[:4] and i["kind"] == kind
        ]
        return Till(world["base_url"] + ENDPOINT, Counter.of(found[index], region=region))

    return open_till


@pytest.fixture
def till(till_for: TillFor) -> Iterator[Till]:
    """Return a till at the first unsigned institution of the first region."""
    opened = till_for()
    yield opened
    opened.close()


@pytest.fixture
def patient_of(world: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """Return a function that finds a named patient by story."""
    by_story = {p["story"]: p for p in world["patients"]}

    def find(story: str) -> dict[str, Any]:
        return dict(by_story[story])

    return find
