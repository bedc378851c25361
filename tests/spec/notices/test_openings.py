"""After the restart: who waited is told once for each business that is open again, in chunks, and from a terminal as well."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from yibao.domains.registers.model import Entry, NewEntry
from yibao.domains.windows.operations import add_opening
from yibao.domains.windows.shipped import plan_text
from yibao.domains.windows.stored import Opening
from yibao.entrypoints.cli.main import app
from yibao.infra.database import Connection, Database
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import CountingIds
from yibao.usecases.notices.commands import SendNotices
from yibao.usecases.notices.send_notices import Sent, send_all, send_notices
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.windows.propose_plan import ProposePlan, propose_plan
from yibao.usecases.windows.publish_plan import PublishPlan, publish_plan

REGION, PLAN = "370300", "zibo-2021"
PUBLISHED = datetime(2021, 10, 1, 9, tzinfo=SHANGHAI)
INSIDE = datetime(2021, 10, 12, 9, tzinfo=SHANGHAI)
RESTART = datetime(2021, 10, 19, tzinfo=SHANGHAI)
FIRST, SECOND = (Actor(login=login, channel="cli", regions=(REGION,)) for login in ("a.clerk", "b.clerk"))
STAGE = """
[[stage]]
ordinal = 1
title = "转移接续"
business = ["transfer_in"]
"""


class Town:
    """A database with a published plan and rows that wait, and the clerks who send."""

    def __init__(self, database: Database) -> None:
        self.database, self.ids = database, CountingIds()

    async def empty(self) -> None:
        """Forget everything of the test before."""
        async with self.database.connection() as connection:
            await connection.execute("truncate notices.message, notices.text_kept, notices.bulletin, registers.entry cascade")
            await connection.execute("truncate windows.plan, windows.opening, deadlines.term, registers.counter cascade")

    async def publish(self, more: str = "", *, restart: str = "18日（星期一）", at: datetime = PUBLISHED) -> None:
        """Publish the plan, with more text or another restart."""
        text = (plan_text(PLAN) or "").replace('restart = "2021-10-18', f'restart = "2021-10-{restart[:2]}')
        async with self.database.transaction() as tx:
            command = ProposePlan(admdvs=REGION, reason="验收推迟",
                                  text=text.replace("10月18日（星期一）24:00", f"10月{restart}24:00") + more)
            proposed = await propose_plan(tx, command, actor=FIRST, now=at, ids=self.ids)
            assert not hasattr(proposed, "faults"), proposed
            done = await publish_plan(tx, PublishPlan(admdvs=REGION, name=PLAN, version=proposed.version), actor=SECOND,
                                      now=at, ids=self.ids)
            assert not hasattr(done, "faults"), done

    async def wait(self, *people: str, business: str = "transfer_in", **more: Any) -> None:
        """Let people wait in a book."""
        async with self.database.transaction() as tx:
            for psn_no in people:
                row = NewEntry(admdvs=REGION, kind="counter_intake", plan=PLAN, business=business, psn_no=psn_no,
                               applicant_name="某人", **more)
                assert isinstance(await add_entry(tx, row, actor=FIRST, now=INSIDE, ids=self.ids), Entry)

    async def send(self, at: datetime, *, most: int = 1000, undo: bool = False) -> Sent:
        """Send what is to be said at an instant; ``undo`` lets the transaction fail at its end."""

        async def run(tx: Connection) -> Sent:
            sent = await send_notices(tx, SendNotices(admdvs=REGION, plan=PLAN, most=most), actor=FIRST, now=at, ids=self.ids)
            assert isinstance(sent, Sent)
            return sent

        try:
            async with self.database.transaction() as tx:
                sent = await run(tx)
                if undo:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        return sent

    async def told(self) -> list[tuple[str, str]]:
        """Return who was told what of the opening."""
        rows = await self.database.fetch("select psn_no, text from notices.message where kind = 'opened' order by psn_no, text")
        return [(r["psn_no"], r["text"]) for r in rows]


@pytest.fixture
async def town(database: Database) -> Town:
    made = Town(database)
    await made.empty()
    return made


async def test_nobody_is_told_before_the_minute_of_the_restart(town: Town) -> None:
    await town.publish()
    await town.wait("P1", "P2")
    assert (await town.send(RESTART - timedelta(milliseconds=1))).sent == 0
    assert (await town.send(RESTART)).kinds == {"opened": 2}
    assert (await town.send(RESTART + timedelta(days=30))).sent == 0
    assert all("职工医保关系转入已恢复办理" in text and "R370300-counter_intake-00000" in text for _, text in await town.told())


async def test_who_waits_for_a_business_in_a_later_stage_is_told_when_it_opens(town: Town) -> None:
    await town.publish(STAGE)
    await town.wait("P1")
    await town.wait("P2", business="transfer_out")
    assert (await town.send(RESTART)).sent == 1
    assert [psn for psn, _ in await town.told()] == ["P2"]
    async with town.database.transaction() as tx:
        await add_opening(tx, Opening(admdvs=REGION, name=PLAN, ordinal=1, seq=0, act="open", at=RESTART, by="a.clerk",
                                      reason="正常"))
    assert (await town.send(RESTART + timedelta(hours=1))).sent == 1
    assert [psn for psn, _ in await town.told()] == ["P1", "P2"]


async def test_two_rows_of_one_person_are_one_message_and_dues_in_transit_none(town: Town) -> None:
    await town.publish()
    await town.wait("P1", "P1")
    await town.wait("P2", body={"cause": "contribution_in_transit"})
    assert (await town.send(RESTART)).sent == 1
    told = await town.told()
    assert [psn for psn, _ in told] == ["P1"]
    assert "000001" in told[0][1]
    assert "000002" in told[0][1]
    assert told[0][1].count("已恢复办理") == 1


async def test_sent_in_pieces_with_one_that_fails_the_same_is_told(town: Town) -> None:
    await town.publish()
    people = [f"P{n}" for n in range(7)]
    await town.wait(*people)
    whole = (await town.send(RESTART, undo=True)).sent
    assert whole == 7
    assert await town.told() == []
    first = await town.send(RESTART, most=3)
    assert (first.sent, first.left) == (3, 4)
    await town.send(RESTART, most=3, undo=True)
    pieces = [await town.send(RESTART, most=3) for _ in range(3)]
    assert [(p.sent, p.left) for p in pieces] == [(3, 1), (1, 0), (0, 0)]
    in_pieces = await town.told()
    async with town.database.connection() as connection:
        await connection.execute("delete from notices.message where kind = 'opened'")
    await town.send(RESTART)
    assert await town.told() == in_pieces


async def test_a_version_that_nobody_heard_of_is_skipped_in_what_people_are_told(town: Town) -> None:
    await town.publish()
    await town.send(PUBLISHED)
    await town.wait("P1")
    await town.publish(restart="20日（星期三）", at=INSIDE + timedelta(hours=1))
    await town.publish(restart="21日（星期四）", at=INSIDE + timedelta(hours=2))
    assert (await town.send(INSIDE + timedelta(hours=3))).kinds == {"restart_moved": 1}
    text = (await town.database.fetch("select text from notices.message where kind = 'restart_moved'"))[0]["text"]
    assert "由10月18日（星期一）24:00时起改为10月21日（星期四）24:00时起" in text
    assert "20日" not in text


class Breaking(CountingIds):
    """Ids that end after some, as a process that is killed does."""

    def __init__(self, left: int) -> None:
        super().__init__(1000)
        self._left = left

    def new(self, at: datetime) -> str:
        """Return the next one, or break."""
        self._left -= 1
        if self._left < 0:
            raise ConnectionResetError
        return super().new(at)


async def test_a_batch_that_breaks_off_goes_on_where_it_was(town: Town) -> None:
    await town.publish()
    await town.wait(*(f"P{n}" for n in range(7)))
    command = SendNotices(admdvs=REGION, plan=PLAN, most=3)
    # Three messages and their audit row are one transaction: the fifth message is in the second, which is undone.
    with pytest.raises(ConnectionResetError):
        await send_all(town.database, command, actor=FIRST, now=RESTART, ids=Breaking(5))
    assert [psn for psn, _ in await town.told()] == ["P0", "P1", "P2"]
    rest = await send_all(town.database, command, actor=FIRST, now=RESTART, ids=town.ids)
    assert isinstance(rest, Sent)
    assert (rest.sent, rest.left) == (4, 0)
    assert [psn for psn, _ in await town.told()] == [f"P{n}" for n in range(7)]


async def test_a_proposed_plan_is_nobodys_business(town: Town) -> None:
    async with town.database.transaction() as tx:
        await propose_plan(tx, ProposePlan(admdvs=REGION, text=plan_text(PLAN) or ""), actor=FIRST, now=PUBLISHED, ids=town.ids)
        refusal = await send_notices(tx, SendNotices(admdvs=REGION, plan=PLAN), actor=FIRST, now=RESTART, ids=town.ids)
        assert getattr(refusal, "code", "") == "PLAN_NOT_FOUND"
        elsewhere = await send_notices(
            tx, SendNotices(admdvs=REGION, plan=PLAN), actor=msgspec.structs.replace(FIRST, regions=("441300",)), now=RESTART,
            ids=town.ids)
        assert getattr(elsewhere, "code", "") == "REGION_NOT_YOURS"


async def test_the_same_from_a_terminal(town: Town, database_url: str, tmp_path: Path) -> None:
    await town.publish()
    await town.wait("P1", "P2", "P3", "P4", "P5")

    await asyncio.to_thread(_at_a_terminal, database_url, tmp_path / "notice.pdf")


def _at_a_terminal(database_url: str, page: Path) -> None:
    def run(*words: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["notice", *words, "--json"], env={**os.environ, "YIBAO_DATABASE_URL": database_url})
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    here = (REGION, PLAN)
    assert run("concerned", *here)["concerned"] == []
    sent = run("send", *here, "--operator", "张三", "--chunk", "2")
    assert (sent["sent"], sent["kinds"]) == (5, {"opened": 5})
    assert run("send", *here, "--operator", "张三")["sent"] == 0
    assert [r["told"] for r in run("sent", *here)["sent"] if r["kind"] == "opened"] == [5]
    assert "转入" in run("messages", "--person", "P3")["messages"][0]["text"]
    assert run("messages", code=2)["kind"] == "usage"
    assert run("text", PLAN, "--region", REGION, "--pdf", str(page))["text"].startswith("淄博市")
    assert page.read_bytes().startswith(b"%PDF")
    assert len(run("text", PLAN, "--view", "phone")["text"]) <= 500
    assert {p["promise"] for p in run("promises", PLAN)["promises"]} == {"open", "refused", "registered"}
    late = run("subscribe", *here, "--operator", "张三", "--business", "transfer_in", "--person", "P1", code=1)
    assert late["faults"][0]["code"] == "TRACK_OPEN"
    text = run("bulletin", *here, "--operator", "张三")["bulletin"]["text"]
    assert "共5件，已办结0件，待办5件，最早一件登记于2021-10-12" in text
    assert run("bulletin", *here, "--operator", "李四")["bulletin"]["text"] == text
    assert len(run("bulletins", *here)["bulletins"]) == 1
