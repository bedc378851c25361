"""The server itself carries the messages of the offices that its settings name, round after round."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spec.conftest import Served
from tests.spec.exchange.conftest import REGION
from tests.support.offices import Office
from yibao.infra.config import Settings, SettingsInvalid, load_settings
from yibao.infra.database import Database

HALL = "select hall_says from exchange.channel where party = 'hr' and hall_says = $1"


async def told(base: Database, says: str) -> None:
    """Return when the platform has heard it."""
    async with asyncio.timeout(60):
        while not await base.fetch(HALL, says):
            await asyncio.sleep(0.05)


async def test_the_server_carries_messages_and_outlives_an_office_that_is_away(
    base: Database, fresh_database_url: str, office_of: Callable[[str], Office], tmp_path: Path
) -> None:
    hr = office_of("hr")
    served = Served(Settings(home=tmp_path, database_url=fresh_database_url, demo=True, parties=f"hr={hr.url}"))
    served.start()
    try:
        served.wait_ready()
        hr.act("hall", admdvs=REGION, state="closed", says="上午")
        await told(base, "上午")
        hr.stop()
        async with asyncio.timeout(60):
            while not await base.fetch("select from exchange.channel where failing_since is not null"):
                await asyncio.sleep(0.05)
        hr.start()
        hr.act("hall", admdvs=REGION, state="open", says="下午")
        await told(base, "下午")
    finally:
        served.end()


@pytest.mark.parametrize("text", ["tax", "tax=127.0.0.1:8611", "=http://127.0.0.1"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="YIBAO_PARTIES"):
        load_settings({"YIBAO_PARTIES": text})
