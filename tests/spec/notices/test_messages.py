"""A message is told once, to one addressee, in the deed it tells of."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from yibao.domains.notices.queries import list_told
from yibao.infra.database import AGENCY, Database
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import CountingIds
from yibao.usecases.notices.tell import Message, tell, tell_all

REGION = "370300"
NOW = datetime(2021, 10, 8, 9, tzinfo=SHANGHAI)
SAID = Message(admdvs=REGION, psn_no="P1", kind="last_call", text="请在停机前结算。", plan="zibo-2021", version=1, rule="ZB-R07")


@pytest.fixture(autouse=True)
async def _nothing_told(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("truncate notices.message")


async def told(database: Database, message: Message, ids: CountingIds) -> bool:
    async with database.transaction() as tx:
        return await tell(tx, message, now=NOW, ids=ids)


async def test_the_same_is_told_once_and_stays_as_it_was_said(database: Database) -> None:
    ids = CountingIds()
    assert await told(database, SAID, ids)
    changed = Message(**{**{f: getattr(SAID, f) for f in SAID.__struct_fields__}, "text": "另一句话。"})
    assert not await told(database, changed, ids)
    async with database.transaction() as tx:
        found = await list_told(tx, psn_no="P1")
    assert [(m.text, m.kind, m.rule, m.read_at) for m in found] == [("请在停机前结算。", "last_call", "ZB-R07", None)]


@pytest.mark.parametrize("changed", [
    {"psn_no": "P2"}, {"psn_no": "", "emp_no": "P1"}, {"psn_no": "", "fixmedins_code": "P1"}, {"kind": "opened"}, {"version": 2},
    {"rule": "ZB-R08"}, {"about": "R1"}, {"key": "another"}, {"plan": "huizhou-2021"},
])
async def test_whatever_makes_it_another_message_is_told(database: Database, changed: dict[str, Any]) -> None:
    ids = CountingIds()
    another = Message(**{**{f: getattr(SAID, f) for f in SAID.__struct_fields__}, **changed})
    assert await told(database, SAID, ids)
    assert await told(database, another, ids)
    assert not await told(database, another, ids)


async def test_eight_who_tell_the_same_at_once_tell_it_once(database: Database) -> None:
    ids = CountingIds()
    answers = await asyncio.gather(*(told(database, SAID, ids) for _ in range(8)))
    assert sorted(answers) == [False] * 7 + [True]


async def test_what_is_undone_was_not_told(database: Database) -> None:
    ids = CountingIds()

    async def fail() -> None:
        async with database.transaction() as tx:
            assert await tell(tx, SAID, now=NOW, ids=ids)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await told(database, SAID, ids)


@pytest.mark.parametrize("changed", [
    {"psn_no": ""}, {"emp_no": "E1"}, {"kind": "gossip"}, {"text": " "},
])
async def test_a_message_without_addressee_kind_or_words_is_a_defect(database: Database, changed: dict[str, Any]) -> None:
    wrong = Message(**{**{f: getattr(SAID, f) for f in SAID.__struct_fields__}, **changed})
    with pytest.raises(ValueError, match="no message"):
        await told(database, wrong, CountingIds())
    async with database.transaction() as tx:
        assert await tx.fetchval("select count(*) from notices.message") == 0


async def test_messages_are_listed_the_newest_first_and_of_the_addressee_only(database: Database) -> None:
    ids = CountingIds()
    texts = [f"第{n}句。" for n in range(3)]
    more = [Message(admdvs=REGION, psn_no="P1", kind="other", text=t, key=t) for t in texts]
    more.append(Message(admdvs=REGION, emp_no="E1", kind="other", text="单位。", key="e"))
    async with database.transaction() as tx:
        assert await tell_all(tx, more, now=NOW, ids=ids) == 4
        assert await tell_all(tx, more, now=NOW, ids=ids) == 0
        assert [m.text for m in await list_told(tx, psn_no="P1")] == texts[::-1]
        assert [m.text for m in await list_told(tx, emp_no="E1")] == ["单位。"]
        assert await list_told(tx, fixmedins_code="E1") == []


async def test_the_agency_of_another_region_neither_sees_nor_tells(database_url: str, database: Database) -> None:
    assert await told(database, SAID, CountingIds())
    agency = await Database.open(database_url, role=AGENCY, size=1)
    try:
        async with agency.transaction(regions=("441300",)) as tx:
            assert await list_told(tx, psn_no="P1") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with agency.transaction(regions=("441300",)) as tx:
                await tell(tx, Message(admdvs=REGION, psn_no="P9", kind="other", text="越区。", key="x"), now=NOW,
                           ids=CountingIds())
        async with agency.transaction(regions=(REGION,)) as tx:
            assert [m.rule for m in await list_told(tx, psn_no="P1")] == ["ZB-R07"]
    finally:
        await agency.close()
