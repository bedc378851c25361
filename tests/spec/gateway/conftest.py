"""A gateway with fake handlers over a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.spec.gateway.world import make_client, make_gateway, plant_institutions
from yibao.entrypoints.gateway.gateway import Gateway
from yibao.infra.database import Database


@pytest.fixture(scope="module")
async def gateway(database: Database, gateway_database: Database) -> AsyncIterator[Gateway]:
    """Return a gateway whose institutions are planted."""
    await plant_institutions(database)
    made = make_gateway(gateway_database)
    yield made
    await made.close()


@pytest.fixture(scope="module")
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of that gateway."""
    async with make_client(gateway) as opened:
        yield opened
