"""Who may touch what: the gateway adds claims and lets go of them, amounts and payments are out of its reach."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.spec.clearing.conftest import Office

FORBIDDEN = (
    "update clearing.claim set payable_fen = 0", "update clearing.claim set approved_by = 'x'", "delete from clearing.claim",
    "update clearing.claim_item set payable_fen = 0", "delete from clearing.claim_item", "update clearing.file set name = 'x'",
    "insert into clearing.deduction select * from clearing.deduction", "update clearing.deduction set amount_fen = 1",
    "insert into clearing.payment select * from clearing.payment", "update clearing.payment set state = 'paid'",
    "select account_no from clearing.payee", "update clearing.payee set account_no = '1'", "select * from clearing.payment_file",
)


def as_role(url: str, role: str, sql: str, *, region: str = "") -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url, server_settings={"role": role})
        try:
            async with connection.transaction():
                await connection.execute("select set_config('yibao.admdvs', $1, true)", region)
                return list(await connection.fetch(sql))
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_the_gateway_cannot(office: Office, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        as_role(office.url, "yibao_gateway", sql)


def test_pages_see_their_region_only_and_no_bank_account(office: Office) -> None:
    office.settle(1)
    claim_id = office.claim(office.free())
    seen = "select claim_id from clearing.claim"
    assert as_role(office.url, "yibao_portal", seen) == []
    assert as_role(office.url, "yibao_portal", seen, region="441300") == []
    assert [r[0] for r in as_role(office.url, "yibao_portal", seen, region="370300")] == [claim_id]
    assert as_role(office.url, "yibao_portal", "select payment_id from clearing.payment", region="370300") == []
    for table in ("payee", "payment_file", "return_file", "payment"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            as_role(office.url, "yibao_portal", f"select * from clearing.{table}", region="370300")
