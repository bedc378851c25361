"""Each check of books finds the harm it is there for, and nothing in books that are right."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.spec.registers.test_intake import INSIDE, asks, gate
from tests.support.service_desk import Town
from yibao.usecases.services.submit_application import submit_application
from yibao.usecases.verification.registers_checks import REGISTERS_CHECKS
from yibao.usecases.windows.pass_gate import Gate

__all__ = ["gate"]

ENTRY = "update registers.entry set {} where register_no = 'R370300-counter_intake-000001'"
OPEN = "ended_at = '2025-04-14', state = 'done'"
HARM = {
    "每本登记册的编号从一起连续，与计数相等": ["update registers.counter set last_no = 7"],
    "每行登记的状态等于其最后一步，终结的才有办结时间": [ENTRY.format("state = 'ready'")],
    "终结的登记金额相平：已收加补收等于应付加退回": [
        "alter table registers.entry drop constraint entry_balances", ENTRY.format(f"{OPEN}, paid_fen = 5")],
    "登记造册的申请与登记册逐件对应：在册的未办结，办结的已终结": [ENTRY.format(OPEN)],
    "停征后退回的缴费与登记册逐笔对应，退回的已终结": [
        "update registers.counter set kind = 'payment_returned'",
        "alter table registers.step drop constraint step_admdvs_register_no_fkey",
        "alter table registers.paper drop constraint paper_admdvs_register_no_fkey",
        "update registers.entry set kind = 'payment_returned', register_no = 'R370300-payment_returned-000001', "
        "origin = 'payment/none'"],
    "每行登记都有审计记录": ["update platform.audit_entry set verb = 'x' where verb = 'register_receive'"],
}


@pytest.fixture(scope="module")
def filled(database_url: str) -> Town:
    town = Town(database_url)
    town.regions()
    return town


def found(town: Town, *harm: str) -> set[str]:
    """Return which checks find something, after some harm that is rolled back."""
    async def go() -> set[str]:
        connection = await asyncpg.connect(town.url)
        transaction = connection.transaction()
        await transaction.start()
        try:
            for statement in harm:
                await connection.execute(statement)
            return {c.says for c in REGISTERS_CHECKS if await connection.fetch(c.sql)}
        finally:
            await transaction.rollback()
            await connection.close()

    return asyncio.run(go())


def test_every_check_finds_its_harm(filled: Town, gate: Gate) -> None:
    clerk: Any = filled.clerk("赵受理")
    clerk.do(submit_application, asks(filled, channel="window")[1], on=INSIDE, gate=gate)
    assert found(filled) == set()
    assert {c.says for c in REGISTERS_CHECKS} == set(HARM)
    for says, statements in HARM.items():
        assert says in found(filled, *statements), says


