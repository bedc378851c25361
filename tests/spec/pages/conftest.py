"""The portal over a filled database, in process and behind a real port for Chromium."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
import uvicorn
from litestar import Litestar
from playwright.async_api import Browser, async_playwright

from tests.spec.pages import world
from yibao.entrypoints.portals.institution.portal import create_portal
from yibao.entrypoints.portals.services import PortalServices
from yibao.infra.database import PORTAL, Connection, Database
from yibao.kernel.clock import FixedClock
from yibao.kernel.ids import CountingIds
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.decision import Step

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


class Explanation(msgspec.Struct):
    """The steps that the handmade settlement was made by."""

    steps: tuple[Step, ...]
    differences: tuple[str, ...] = ()


async def explain(_tx: Connection, setl_id: str) -> Explanation | Refusal:
    """Answer for the handmade settlement only."""
    if setl_id != world.SETTLED:
        return refuse("POLICY_VERSION_UNKNOWN", "结算时的政策版本已不在库中", received=setl_id)
    return Explanation(world.STEPS)


@pytest.fixture(scope="module")
async def filled(database: Database) -> Database:
    """Write the handmade world into the module's database."""
    async with database.transaction() as tx:
        await world.fill(tx)
    return database


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    """Return the clock of the portal."""
    return FixedClock(world.NOW)


@pytest.fixture(scope="module")
async def services(filled: Database, database_url: str, clock: FixedClock) -> AsyncIterator[PortalServices]:
    """Return the means of the portal, its database in the role of the pages."""
    opened = await Database.open(database_url, role=PORTAL, size=6)
    yield PortalServices(database=opened, clock=clock, ids=CountingIds(), regions=world.REGIONS, explain=explain)
    await opened.close()


@pytest.fixture(scope="module")
def portal(services: PortalServices) -> Litestar:
    """Return the portal."""
    return create_portal(services)


def new_client(portal: Litestar) -> httpx.AsyncClient:
    """Return a browser without JavaScript: it keeps cookies and follows nothing by itself."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=portal), base_url="http://portal.test")


@pytest.fixture
async def client(portal: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Return a fresh visitor."""
    async with new_client(portal) as opened:
        yield opened


def token_in(html: str) -> str:
    """Return the form token of a page."""
    found = re.search(r'name="form_token" value="([^"]+)"', html)
    assert found, "the page has no form"
    return found[1]


async def sign_in(client: httpx.AsyncClient, login: str, password: str = world.PASSWORD) -> httpx.Response:
    """Log in through the form, as a browser does."""
    form = await client.get("/institution/login")
    return await client.post(
        "/institution/login", data={"login": login, "password": password, "form_token": token_in(form.text)}
    )


@pytest.fixture
async def ours(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Return a visitor who is logged in for our hospital."""
    assert (await sign_in(client, "ours")).status_code == 303
    return client


@pytest.fixture(scope="module")
async def address(portal: Litestar) -> AsyncIterator[str]:
    """Serve the portal on a free port."""
    server = uvicorn.Server(uvicorn.Config(portal, host="127.0.0.1", port=0, log_level="warning", access_log=False))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Run Debian's Chromium."""
    assert Path(CHROMIUM).exists(), f"page tests need {CHROMIUM}: apt-get install chromium"
    async with async_playwright() as play:
        opened = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        await opened.close()
