"""``verify`` finds what was tampered with, and says nothing where nothing is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.till import Till
from yibao.entrypoints.worker import kept_heads, seal_once
from yibao.infra.database import WORKER, Database
from yibao.kernel.clock import SystemClock
from yibao.usecases.verification.verify_books import Finding, verify_books


async def _verify(url: str, *, harm: str = "", heads: dict[int, bytes] | None = None) -> list[Finding]:
    """Verify the books inside a transaction that is rolled back, after doing some harm as the superuser would."""
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        if harm:
            await connection.execute(harm)
        return [f for f in await verify_books(connection, kept_heads=heads) if f.breaches]
    finally:
        await transaction.rollback()
        await connection.close()


@pytest.fixture(scope="module")
def settled(till_for: Callable[..., Till], world: dict[str, Any], world_url: str, tmp_path_factory: Any) -> Path:
    """Settle three visits of several people, cancel one, seal the audit chain; return the file of kept heads."""
    till = till_for()
    people = [p for p in world["patients"] if p["insuplc_admdvs"] == "370300" and p["visit"]["med_type"] == "11"][:3]
    done = [till.settle(p, p["visit"])["setlinfo"] for p in people]
    till.call("2208", {"data": {k: done[0][k] for k in ("setl_id", "mdtrt_id", "psn_no")}})
    heads = Path(str(tmp_path_factory.mktemp("heads"))) / "audit-heads.txt"

    async def seal() -> None:
        worker = await Database.open(world_url, role=WORKER, size=1)
        assert await seal_once(worker, clock=SystemClock(), heads=heads) is not None
        await worker.close()

    asyncio.run(seal())
    return heads


def test_untouched_books_are_clean(settled: Path, world_url: str) -> None:
    assert asyncio.run(_verify(world_url, heads=kept_heads(settled))) == []


ONE = "(select setl_id from settlements.settlement where kind = 'settlement' and state = 'active' and fund_fen > 0 limit 1)"
HARMS = {
    "a balance was raised": (
        "update ledger.personal_account set balance_fen = balance_fen + 1 where psn_no in (select psn_no from "
        "settlements.settlement limit 1)", "I2"),
    "a counter was lowered": ("update settlements.counter set used_fen = used_fen - 1 where used_fen > 0", "I2"),
    "a posting is gone": (f"delete from ledger.posting where posting_id = {ONE}", "I2"),
    "a fee line was changed": (
        "update encounters.fee_line set amount_fen = amount_fen + 1, scope_fen = scope_fen + 1 where mdtrt_id = "
        f"(select mdtrt_id from settlements.settlement where setl_id = {ONE})", "I1"),
    "a reply is gone": (f"delete from platform.message where setl_id = {ONE}", "I3"),
    "a settlement was un-reversed": ("update settlements.settlement set state = 'active' where state = 'reversed'", "I2"),
    "an audit row was changed": ("update platform.audit_entry set actor = actor || 'x' where verb = 'settle_visit'", "I7"),
    "an audit row is gone": ("delete from platform.audit_entry where verb = 'register'", "I7"),
    "the chain's tail was cut": (
        "delete from platform.audit_seal; delete from platform.audit_entry where verb = 'register'", "I7"),
    "the facts behind a decision were changed": (
        "update settlements.settlement set facts = convert_to(replace(convert_from(facts, 'UTF8'), "
        "'\"level\":\"2\"', '\"level\":\"1\"'), 'UTF8')", "I9"),
    "row-level security was taken off": ("alter table people.person no force row level security", "I8"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_harm_is_found(settled: Path, world_url: str, harm: str) -> None:
    sql, invariant = HARMS[harm]
    found = asyncio.run(_verify(world_url, harm=sql, heads=kept_heads(settled)))
    assert invariant in {f.invariant for f in found}, found


@pytest.mark.parametrize("table", ["ledger.posting", "platform.audit_entry", "platform.message", "settlements.settlement"])
def test_the_gateway_may_not_change_what_was_booked(settled: Path, world_url: str, table: str) -> None:
    async def try_to_delete() -> None:
        connection = await asyncpg.connect(world_url, server_settings={"role": "yibao_gateway"})
        try:
            await connection.execute(f"delete from {table}")
        finally:
            await connection.close()

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        asyncio.run(try_to_delete())


def test_pages_see_nothing_without_a_region(settled: Path, world_url: str) -> None:
    async def count(region: str) -> int:
        connection = await asyncpg.connect(world_url, server_settings={"role": "yibao_portal"})
        async with connection.transaction():
            await connection.execute("select set_config('yibao.admdvs', $1, true)", region)
            seen: int = await connection.fetchval("select count(*) from people.person")
        await connection.close()
        return seen

    assert asyncio.run(count("")) == 0
    assert asyncio.run(count("441300")) > 0
