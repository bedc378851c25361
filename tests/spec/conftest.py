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
from tests.support.window_city import City, at
from tests.support.window_city import fill as fill_city
from yibao.app import create_app
from yibao.demo.description import ENDPOINT, describe
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.load_catalogue import load_all

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


async def _load_catalogue(url: str) -> None:
    database = await Database.open(url, role=None, size=2)
    await load_all(database, now=SystemClock().now(), ids=RandomIds())
    await database.close()


async def _describe(url: str, base_url: str, today: date) -> dict[str, Any]:
    database = await Database.open(url, role=None, size=1)
    try:
        return await describe(database, base_url=base_url, today=today, seed=11)
    finally:
        await database.close()


@pytest.fixture(scope="session")
def catalogue_template(server_url: str, template_database: str) -> str:
    """Load the catalogues into one database that every world is built in a copy of; return its name."""
    name = f"yibao_catalogue_{os.getpid()}"
    execute(server_url, f"create database {name} template {template_database}")
    asyncio.run(_load_catalogue(named(server_url, name)))
    return name


@pytest.fixture(scope="session")
def world_template(server_url: str, catalogue_template: str) -> str:
    """Fill one database with a small world that every module copies; return its name."""
    name = f"yibao_world_{os.getpid()}"
    execute(server_url, f"create database {name} template {catalogue_template}")
    asyncio.run(fill_city(named(server_url, name), today=business_date(SystemClock().now())))
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


CityAt = Callable[..., City]


@pytest.fixture(scope="session")
def city_templates(server_url: str, catalogue_template: str) -> Callable[[date], str]:
    """Return a function that gives the name of a database with a small world as of a day, filled once."""
    made: dict[date, str] = {}

    def template(today: date) -> str:
        if today not in made:
            name = f"yibao_city_{os.getpid()}_{today:%Y%m%d}"
            execute(server_url, f"create database {name} template {catalogue_template}")
            asyncio.run(fill_city(named(server_url, name), today=today))
            made[today] = name
        return made[today]

    return template


@pytest.fixture(scope="module")
def city_at(
    server_url: str, city_templates: Callable[[date], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CityAt]:
    """Return a function that opens a city of its own at an instant of business time; ``exact`` stops its clock there."""
    opened: list[tuple[City, str]] = []

    def open_city(text: str, *, exact: bool = False) -> City:
        template = city_templates(business_date(at(text)))
        name = f"{template}_{next(_copies)}"
        execute(server_url, f"create database {name} template {template}")
        city = City(named(server_url, name), tmp_path_factory.mktemp("city"), opened_at=at(text), exact=exact)
        opened.append((city, name))
        return city

    yield open_city
    for city, name in opened:
        city.close()
        drop_database(server_url, name)
