"""Killed in the middle, done twice at once, or sent twice: each deed happens once or not at all."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bench.counting import Cost, CountingGateway, counting_gateway
from tests.spec.books.test_difference_kinds import CLASS
from tests.spec.clearing.conftest import Office
from tests.spec.clearing.test_orders import REGION, Life
from tests.support.accountant import claim
from tests.support.agency import FIRST, SECOND, answer_of, read_order
from tests.support.till import Refused, Till
from yibao.infra.database import Database
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.clearing.approve_claim import approve_claim
from yibao.usecases.clearing.order_payments import order_payments
from yibao.usecases.clearing.read_return import Returned, take_return
from yibao.usecases.clearing.review_claim import review_claim

AUDITED = "platform.audit_entry"
"""Every deed of the agency writes its audit row last: who holds this table back holds the deed back, all else written."""
WAITING = """
select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and usename = current_user
"""
BEFORE = {"review": "claimed", "deduct": "reviewed", "approve": "reviewed", "reject": "reviewed", "pay": "approved",
          "return": "ordered"}
"""Each deed of the agency, and the state in which it is killed."""


def words_of(deed: str, life: Life, path: Path) -> list[str]:
    """Return the command line of a deed."""
    words = {
        "review": ["review", life.claim_id, "--operator", FIRST], "approve": ["approve", life.claim_id, "--operator", SECOND],
        "reject": ["reject", life.claim_id, "--operator", FIRST, "--reason", "材料不全"],
        "deduct": ["deduct", life.claim_id, "--operator", FIRST, "--number", "扣1", "--reason", "超量", "--amount", "0.01"],
        "pay": ["pay", REGION, "--operator", FIRST], "return": ["return", str(path), "--operator", FIRST],
    }[deed]
    return [sys.executable, "-m", "yibao.entrypoints.cli.main", "clearing", *words, "--json"]


@pytest.mark.parametrize("deed", BEFORE)
def test_a_deed_killed_before_its_commit_has_not_happened(office: Office, tmp_path: Path, deed: str) -> None:
    life = Life(office, tmp_path).to(BEFORE[deed])
    path = tmp_path / "bank.txt"
    if life.order:
        path.write_bytes(answer_of(read_order(life.order)))
    before = office.everything()

    async def kill_at_the_last_write() -> None:
        holder, watcher = await asyncpg.connect(office.url), await asyncpg.connect(office.url)
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute(f"lock table {AUDITED} in share mode")
        child = subprocess.Popen(
            words_of(deed, life, path), stdout=subprocess.DEVNULL,
            env={**os.environ, "YIBAO_DATABASE_URL": office.url, "PYTHONIOENCODING": "utf-8"})
        try:
            while not await watcher.fetchval(WAITING):
                assert child.poll() is None, "it ended before it could be killed"
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            await transaction.rollback()
            while await watcher.fetchval("select count(*) from pg_stat_activity where datname = current_database() "
                                         "and pid not in (pg_backend_pid(), $1) and state <> 'idle'",
                                         holder.get_server_pid()):
                pass
        finally:
            child.kill()
            await holder.close()
            await watcher.close()

    asyncio.run(kill_at_the_last_write())
    assert office.everything() == before
    assert life.state() == BEFORE[deed]
    life.do(deed)
    life.finish()
    assert office.desk.owed(office.code) == 0
    assert office.breaches() == []


async def _at_once(url: str, *acts: Callable[[asyncpg.Connection], Any]) -> list[Any]:
    """Run deeds at the same moment, each in a transaction of its own."""
    database = await Database.open(url, role=None, size=len(acts))

    async def one(act: Callable[[asyncpg.Connection], Any]) -> Any:
        async with database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            answer = await act(connection)
            await (transaction.rollback() if isinstance(answer, Refusal) else transaction.commit())
            return answer

    try:
        return await asyncio.gather(*(one(act) for act in acts))
    finally:
        await database.close()


def codes(answers: list[Any]) -> list[str]:
    """Return the refusals among some answers."""
    return sorted(a.code for a in answers if isinstance(a, Refusal))


def test_two_people_at_once(office: Office, tmp_path: Path) -> None:
    now, ids, life = SystemClock().now(), RandomIds(), Life(office, tmp_path).to("claimed")

    def run(*acts: Callable[[Any], Any]) -> list[Any]:
        return asyncio.run(_at_once(office.url, *acts))

    claim_id = life.claim_id
    reviewed = run(*(lambda tx, by=by: review_claim(tx, claim_id=claim_id, operator=by, now=now, ids=ids) for by in "甲乙丙"))
    assert codes(reviewed) == ["CLAIM_STATE"] * 2
    approved = run(*(lambda tx, by=by: approve_claim(tx, claim_id=claim_id, operator=by, now=now, ids=ids) for by in "丁戊己"))
    assert codes(approved) == ["CLAIM_STATE"] * 2
    files = run(*[lambda tx: order_payments(tx, admdvs=REGION, operator="甲", now=now, ids=ids)] * 3)
    assert codes(files) == ["NOTHING_TO_PAY"] * 2
    (file,) = [a.file for a in files if not isinstance(a, Refusal)]
    content = answer_of(read_order(file.content))
    returns = run(*[lambda tx: take_return(tx, content=content, operator="甲", now=now, ids=ids)] * 3)
    assert sorted(len(r.paid) for r in returns if isinstance(r, Returned)) == [0, 0, 1]
    assert (life.state(), office.desk.owed(office.code)) == ("paid", 0)
    assert office.breaches() == []


@pytest.mark.drives("3203")
def test_many_tills_claim_at_once_and_one_gets_it(office: Office, till_for: Callable[..., Till], tmp_path: Path) -> None:
    life = Life(office, tmp_path)
    content, tills = claim(life.book, clr_type=CLASS), [till_for() for _ in range(6)]
    answers: list[str] = []

    def ask(till: Till) -> None:
        try:
            answers.append(till.call("3203", content)["result"]["clr_appy_evt_id"])
        except Refused as refused:
            answers.append(str(refused))

    threads = [threading.Thread(target=ask, args=(till,)) for till in tills]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    won = [a for a in answers if a.isdecimal()]
    assert (len(answers), len(won)) == (6, 1), answers
    assert all("没有未申报的结算" in a for a in answers if not a.isdecimal())
    life.claim_id = won[0]
    life.finish()


@pytest.fixture
async def gateway(world_url: str) -> AsyncIterator[CountingGateway]:
    """The gateway over a connection that logs every statement: only a superuser may ask for that."""
    async with counting_gateway(world_url.replace("//yibao@", "//postgres@")) as opened:
        yield opened


async def test_a_claim_of_many_settlements_costs_what_one_costs(office: Office, gateway: CountingGateway) -> None:
    async def cost(settlements: int) -> Cost:
        book = await asyncio.to_thread(lambda: [office.settle(n) for n in range(settlements)])
        message = office.till.envelope("3203", claim(book, clr_type=CLASS))
        answered = await gateway.answer(json.dumps(message, ensure_ascii=False).encode())
        assert json.loads(answered.reply)["infcode"] == 0, answered.reply.decode()
        return answered

    for _ in range(3):
        await cost(1)
    one, many = await cost(1), await cost(30)
    assert one.statements == many.statements
    assert len(many.statements) <= 15, many.statements
