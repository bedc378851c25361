"""Rows of a book: numbered without gaps, papers asked for by name, ended once and only with balanced money."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec
import pytest

from yibao.domains.registers.model import Entry, NewEntry, Paper
from yibao.domains.registers.queries import find_entry, list_of_person, list_papers, list_steps, sum_books
from yibao.infra.database import Connection, Database
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import CountingIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.registers.close_entry import close_entry, make_ready, name_owner

REGION = "370300"
NOW = datetime(2021, 10, 11, 9, 30, tzinfo=SHANGHAI)
CLERK = Actor(login="张经办", channel="api", regions=(REGION,), division="370302")
TRANSFER = NewEntry(
    admdvs=REGION, kind="transfer_papers", plan="zibo-2021", business="transfer_in", applicant_name="李转入",
    phone="13000000001", papers=(Paper("certificate", "基本医疗保险参保凭证", b"a"),
                                 Paper("change_form", "基本医疗保险转移类型变更信息表", b"b")),
)
DEPOSIT = NewEntry(admdvs=REGION, kind="deposit", plan="zibo-2021", business="inpatient_settlement", psn_no="P1",
                   applicant_name="王押金", fixmedins_code="H37030000001", amount_fen=500_000, paid_fen=500_000,
                   origin="episode/E1")

Work = Callable[[Connection], Awaitable[Any]]


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


async def kept(database: Database, work: Work) -> Any:
    async with database.transaction() as tx:
        return await work(tx)


async def put(database: Database, new: NewEntry, ids: CountingIds) -> Entry | Refusal:
    return await kept(database, lambda tx: add_entry(tx, new, actor=CLERK, now=NOW, ids=ids))


async def end(database: Database, entry: Entry, ids: CountingIds, **how: Any) -> Entry | Refusal:
    return await kept(database, lambda tx: close_entry(
        tx, entry.register_no, now=NOW, actor=CLERK, ids=ids, **{"result": "已办", **how}))


async def test_a_row_has_number_time_telephone_and_papers_with_their_digests(database: Database, ids: CountingIds) -> None:
    first = await put(database, TRANSFER, ids)
    assert isinstance(first, Entry)
    assert (first.register_no, first.received_at, first.phone, first.state) == (
        "R370300-transfer_papers-000001", NOW, "13000000001", "received")
    async with database.transaction() as tx:
        papers = await list_papers(tx, first)
        steps = await list_steps(tx, first)
    assert [(p.title, p.digest) for p in papers] == [
        ("基本医疗保险参保凭证", sm3(b"a")), ("基本医疗保险转移类型变更信息表", sm3(b"b"))]
    assert [(s.what, s.actor, s.at) for s in steps] == [("receive", "张经办", NOW)]


async def test_a_missing_paper_is_refused_by_its_title(database: Database, ids: CountingIds) -> None:
    refusal = await put(database, msgspec.structs.replace(TRANSFER, papers=()), ids)
    assert isinstance(refusal, Refusal)
    assert [f.reason for f in refusal.faults] == [
        "缺少材料：基本医疗保险参保凭证", "缺少材料：基本医疗保险转移类型变更信息表"]


async def test_numbers_have_no_gaps_and_the_same_origin_is_the_same_row(database: Database, ids: CountingIds) -> None:
    async def fails(tx: Connection) -> None:
        await add_entry(tx, DEPOSIT, actor=CLERK, now=NOW, ids=ids)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await kept(database, fails)
    one = await put(database, DEPOSIT, ids)
    again = await put(database, DEPOSIT, ids)
    other = await put(database, msgspec.structs.replace(DEPOSIT, origin="episode/E2"), ids)
    assert isinstance(one, Entry)
    assert isinstance(other, Entry)
    assert one == again
    assert [one.register_no[-6:], other.register_no[-6:]] == ["000001", "000002"]


@pytest.mark.parametrize(("money", "ok"), [
    ({"due_fen": 320_000, "back_fen": 180_000}, True),           # 5 000.00 given, 3 200.00 due, 1 800.00 back
    ({"due_fen": 620_000, "topup_fen": 120_000}, True),          # 6 200.00 due, 1 200.00 more
    ({"due_fen": 320_000, "back_fen": 170_000}, False),
    ({"due_fen": 500_000, "back_fen": 100_000, "topup_fen": 100_000}, False),
])
async def test_a_row_ends_only_with_balanced_money_and_once(
    database: Database, ids: CountingIds, money: dict[str, int], ok: bool
) -> None:
    entry = await put(database, msgspec.structs.replace(DEPOSIT, origin=f"episode/{money}"), ids)
    assert isinstance(entry, Entry)
    ended = await end(database, entry, ids, state="done", **money)
    if not ok:
        assert isinstance(ended, Refusal)
        assert ended.code == "REGISTER_UNBALANCED"
        return
    assert isinstance(ended, Entry)
    assert (ended.state, ended.answered_by) == ("done", "张经办")
    twice = await end(database, entry, ids, state="done", **money)
    assert isinstance(twice, Refusal)
    assert twice.code == "REGISTER_ENDED"


async def test_the_table_itself_refuses_money_that_does_not_balance(database: Database, ids: CountingIds) -> None:
    entry = await put(database, msgspec.structs.replace(DEPOSIT, origin="episode/E9"), ids)
    assert isinstance(entry, Entry)
    with pytest.raises(asyncpg.CheckViolationError):
        await kept(database, lambda tx: tx.execute(
            "select registers.settle($1, $2, 'done', '', 100, 0, 0, $3, 'x', 'x')", REGION, entry.register_no, NOW))


async def test_a_settlement_ends_its_row_in_one_statement_and_its_reversal_opens_it(
    database: Database, ids: CountingIds
) -> None:
    entry = await put(database, msgspec.structs.replace(DEPOSIT, origin="episode/E10", psn_no="P10"), ids)
    assert isinstance(entry, Entry)
    settle = "select registers.settle($1, $2, 'done', 'S1', 320000, 180000, 0, $3, 'H', 'gateway')"
    undo = "select registers.unsettle($1, $2, '结算已撤销', $3, 'H', 'gateway')"
    for statement, worked in ((settle, True), (settle, False), (undo, True), (undo, False)):
        found = await kept(database, lambda tx, sql=statement: tx.fetchval(sql, REGION, entry.register_no, NOW))
        assert found is worked
    async with database.transaction() as tx:
        (now,) = await list_of_person(tx, "P10")
        steps = await list_steps(tx, now)
    assert (now.state, now.paid_fen, now.due_fen, now.back_fen) == ("ready", 500_000, 0, 0)
    assert [s.what for s in steps] == ["receive", "settle", "unsettle"]


async def test_what_it_waited_for_comes_and_somebody_answers_for_it(database: Database, ids: CountingIds) -> None:
    entry = await put(database, msgspec.structs.replace(DEPOSIT, origin="episode/E11", kind="held_open", paid_fen=0), ids)
    assert isinstance(entry, Entry)
    ready = await kept(database, lambda tx: make_ready(tx, entry.register_no, says="缴费已到账", now=NOW, actor=CLERK, ids=ids))
    assert ready.state == "ready"
    owned = await kept(database, lambda tx: name_owner(
        tx, entry.register_no, owner="赵科长", until=date(2021, 12, 31), now=NOW, actor=CLERK, ids=ids))
    assert (owned.owner, owned.owner_until) == ("赵科长", date(2021, 12, 31))
    async with database.transaction() as tx:
        (sums,) = [row for row in await sum_books(tx, REGION, plan="zibo-2021") if row["kind"] == "held_open"]
        assert (sums["rows"], sums["open"], sums["ready"], sums["owned"], sums["oldest"]) == (1, 1, 1, 1, NOW)
        assert await find_entry(tx, "R370300-held_open-000009") is None
