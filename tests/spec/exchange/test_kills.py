"""The relay is killed -9 in the middle of a round: what was done stays done, the rest is done by the next round, all once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import asyncpg
import pytest

from tests.spec.exchange.conftest import REGION
from tests.support.offices import Office
from yibao.infra.database import Database
from yibao.kernel.ids import RandomIds
from yibao.usecases.exchange.put_out import put_out

TOLD, ASKED = 5, 3
WAITING = "select count(*) from pg_locks where not granted"
STOP_AT = """
insert into exchange.inbox (party, message_id, no, admdvs, kind, body, digest, received_at, outcome)
values ('hr', $1, 0, $2, 'x', '', '', now(), 'done')
"""


def relay(url: str, hr: Office) -> subprocess.Popen[bytes]:
    """Start ``yibao party relay`` as a process of its own."""
    env = {**os.environ, "YIBAO_DATABASE_URL": url, "YIBAO_PARTIES": f"hr={hr.url}"}
    return subprocess.Popen([sys.executable, "-m", "yibao.entrypoints.cli.main", "party", "relay", "--json"], env=env,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def until_it_waits(url: str) -> None:
    """Return when some session waits for another one."""
    watching = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(60):
            while not await watching.fetchval(WAITING):
                await asyncio.sleep(0.02)
    finally:
        await watching.close()


@pytest.mark.parametrize("at", [1, 4])
async def test_a_round_that_is_killed_goes_on_where_it_was(
    base: Database, fresh_database_url: str, office_of: Callable[[str], Office], at: int
) -> None:
    """The session of the test holds the row that the ``at``-th message needs; there the relay stands and is killed."""
    hr = office_of("hr")
    for n in range(TOLD):
        hr.act("hall", admdvs=REGION, state="closed", says=f"第{n}次")
    async with base.transaction() as tx:
        for n in range(ASKED):
            await put_out(tx, party="hr", kind="ask", key=f"k{n}", body={"n": n}, admdvs=REGION, now=datetime.now(UTC),
                          ids=RandomIds())
    holder = await asyncpg.connect(fresh_database_url)
    holding = holder.transaction()
    await holding.start()
    await holder.execute(STOP_AT, f"hr-hall-{at}", REGION)
    first = relay(fresh_database_url, hr)
    await until_it_waits(fresh_database_url)
    first.kill()
    first.wait()
    await holding.rollback()
    await holder.close()
    kept = await base.fetch("select no from exchange.inbox order by no")
    assert [r["no"] for r in kept] == list(range(1, at)), "what was done before stays done"
    assert await asyncio.to_thread(relay(fresh_database_url, hr).wait, 60) == 0
    rows = await base.fetch("select no, outcome from exchange.inbox order by no")
    assert [tuple(r) for r in rows] == [(n, "done") for n in range(1, TOLD + 1)]
    line = (await base.fetch("select acked, fetched, hall_says from exchange.channel where party = 'hr'"))[0]
    assert tuple(line) == (ASKED, TOLD, f"第{TOLD - 1}次")
    assert hr.get("/state")["taken"] == ASKED
