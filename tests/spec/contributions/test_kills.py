"""The process is killed with SIGKILL after some chunk of an assessment or of a sending and started again: the same rows.

Few kills here, each after another number of chunks; what must come out is what one undisturbed run writes.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from datetime import date

from tests.spec.contributions.conftest import Town
from yibao.infra.database import Database

PEOPLE, UNITS = 130, 23
DUES = """
select psn_no, due_id, payer_kind, payer_no, base_fen, parts, amounts, funds, total_fen, bill_id, state, assessed_at, sent_at
from contributions.due order by psn_no, due_id
"""
BILLS = "select bill_id, payer_no, count, amount_fen, state, digest, channels from contributions.bill order by bill_id"
OUTBOX = "select party, kind, key, body from exchange.outbox order by key"


async def build(url: str) -> None:
    """Enrol people of several units, some of them flexible workers."""
    database = await Database.open(url, role=None, size=1)
    town = Town(database)
    for n in range(UNITS):
        await town.employer(f"E{n}")
    for n in range(PEOPLE):
        if n % 9 == 8:
            await town.person(kind="flexible", wage_fen=600_000 + n, insured_on=date(2024, 12, 1))
        else:
            await town.person(emp_no=f"E{n % UNITS}", wage_fen=500_000 + 100 * n)
    await database.close()


async def run(url: str, what: str, *, kill_after: int | None = None) -> int:
    """Run the process; kill it after so many chunks. Returns how many chunks it told."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.assessor", url, what, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    told = 0
    while line := await process.stdout.readline():
        told += bool(line)
        if told == kill_after:
            process.send_signal(signal.SIGKILL)
            break
    code = await process.wait()
    assert code == (0 if kill_after is None else -signal.SIGKILL)
    return told


async def everything(url: str) -> list[list[tuple[object, ...]]]:
    """Return dues, bills and what is put out for the tax bureau."""
    database = await Database.open(url, role=None, size=1)
    rows = [[tuple(r) for r in await database.fetch(sql)] for sql in (DUES, BILLS, OUTBOX)]
    await database.close()
    return rows


async def test_killed_and_run_again_it_is_as_if_nothing_had_happened(make_database_url: Callable[[], str]) -> None:
    calm, rough = make_database_url(), make_database_url()
    for url in (calm, rough):
        await build(url)
    for what in ("assess", "send"):
        assert await run(calm, what) >= 3
    for what in ("assess", "send"):
        for kill_after in (1, 2, 1):
            await run(rough, what, kill_after=kill_after)
        await run(rough, what)
    wanted, found = await everything(calm), await everything(rough)
    assert len(wanted[0]) > PEOPLE
    assert len(wanted[2]) == UNITS + PEOPLE // 9
    assert found == wanted
