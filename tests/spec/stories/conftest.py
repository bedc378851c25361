"""A small demo world, served over HTTP."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
import uvicorn

from yibao.app import create_app
from yibao.demo.description import ENDPOINT
from yibao.demo.hospital import Hospital, Send
from yibao.demo.senders import http_sender
from yibao.demo.world import build_world
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.load_catalogue import load_all
from yibao.usecases.policies.publish_policies import publish_policies


def now() -> datetime:
    """Return the present instant: the stories are told for the day on which the demo runs."""
    return SystemClock().now()


def silent(_title: str, _done: int, _total: int) -> None:
    """Take progress and say nothing."""


@pytest.fixture(scope="module")
async def world(database: Database) -> Database:
    """Load catalogues, law and a small world into the module's database."""
    await publish_policies(database, now=now())
    await load_all(database, now=now(), ids=RandomIds())
    await build_world(database, persons=40, seed=7, today=business_date(now()), progress=silent)
    return database


@pytest.fixture(scope="module")
async def base_url(world: Database, database_url: str) -> AsyncIterator[str]:
    """Serve the platform over the module's database on a free port."""
    with tempfile.TemporaryDirectory() as home:
        app = create_app(Settings(home=Path(home), database_url=database_url, demo=True, connections=2))
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False)
        )
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.fixture(scope="module")
def send(base_url: str) -> Send:
    """Return a way to deliver messages to the platform over HTTP."""
    return http_sender(base_url + ENDPOINT)


@pytest.fixture(scope="module")
def hospital(send: Send) -> Hospital:
    """Return a hospital that numbers its messages from 5000, away from the histories'."""
    return Hospital(send, now=now, serials=count(5000))
