"""The relay over real HTTP: order, once, outages, wrong answers. The handlers here only count what they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.spec.exchange.conftest import NOW
from tests.support.offices import Office
from yibao.domains.exchange.inbox import list_cases
from yibao.infra.database import Connection, Database
from yibao.infra.party_link import HttpLink
from yibao.kernel.actor import Actor
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.exchange.held import held_state, list_lines
from yibao.usecases.exchange.put_out import put_out
from yibao.usecases.exchange.relay import Round, relay_round
from yibao.usecases.exchange.take_message import Handlers, Means
from yibao.usecases.exchange.work_case import close_case, retry_case
from yibao.usecases.settlement.shelf import PolicyShelf

ME = Actor(login="王经办", channel="cli")
SEEN = "create table if not exists public.seen (n serial, kind text, what text)"


@pytest.fixture
def hr(tmp_path: Path) -> Iterator[Office]:
    office = Office("hr", tmp_path).start()
    yield office
    office.stop()


@pytest.fixture
async def base(fresh_database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(fresh_database_url, role=None, size=4)
    async with database.connection() as tx:
        await tx.execute(SEEN)
    yield database
    await database.close()


class Line:
    """The relay between a database and some offices, with handlers that write down what they get."""

    def __init__(self, base: Database, shelf: PolicyShelf, *offices: Office) -> None:
        self.base, self.shelf, self.offices = base, shelf, offices
        self.is_refusing = False

    async def seen(self, tx: Connection, body: dict[str, Any], _means: Means) -> Refusal | None:
        await tx.execute("insert into public.seen (kind, what) values ('x', $1)", str(body.get("card_no") or body))
        if self.is_refusing or body.get("card_no") == "refuse me":
            return refuse("NOT_NOW", "不能办理")
        if body.get("card_no") == "break":
            raise ZeroDivisionError
        if body.get("card_no") == "clash":
            await tx.execute("insert into platform.region (admdvs, name) values ('x', 'x')")
        return None

    @property
    def handlers(self) -> Handlers:
        return {(party, kind): self.seen for party in ("hr", "region") for kind in ("card", "transfer_request")}

    async def round(self) -> dict[str, Round]:
        links = {office.name: HttpLink(office.url, timeout_s=5) for office in self.offices}
        rounds = await relay_round(
            self.base, links=links, handlers=self.handlers, now=NOW, ids=RandomIds(), shelf=self.shelf
        )
        for link in links.values():
            await link.close()
        return {r.party: r for r in rounds}

    async def put(self, key: str, party: str = "hr", admdvs: str = "370300", **body: Any) -> None:
        async with self.base.transaction() as tx:
            await put_out(tx, party=party, kind="transfer_request" if party == "region" else "ask", key=key, body=body,
                          admdvs=admdvs, now=NOW, ids=RandomIds())

    async def what(self) -> list[str]:
        return [r["what"] for r in await self.base.fetch("select what from public.seen order by n")]

    async def cases(self) -> list[tuple[str, str]]:
        async with self.base.connection() as tx:
            return sorted((c.code, c.message_id) for c in await list_cases(tx))


@pytest.fixture
def line(base: Database, shelf: PolicyShelf, hr: Office) -> Line:
    return Line(base, shelf, hr)


def card(office: Office, card_no: str) -> None:
    office.act("issue_card", certno="C1", card_no=card_no, admdvs="370300")


async def test_messages_arrive_in_order_and_once(line: Line, hr: Office) -> None:
    for n in range(3):
        await line.put(f"k{n}", n=n)
    for n in range(3):
        card(hr, f"c{n}")
    done = (await line.round())["hr"]
    assert (done.sent, done.received, done.cases, done.error) == (3, 3, 0, "")
    assert hr.get("/state")["taken"] == 3
    again = (await line.round())["hr"]
    assert (again.sent, again.received) == (0, 0)
    assert await line.what() == ["c0", "c1", "c2"]


async def test_a_party_that_is_gone_is_held_and_drained_in_order(line: Line, hr: Office) -> None:
    await line.put("k0", n=0)
    await line.round()
    hr.stop()
    await line.put("k1", n=1)
    await line.put("k2", n=2)
    failed = (await line.round())["hr"]
    assert failed.error != ""
    async with line.base.connection() as tx:
        held = await held_state(tx, party="hr", kind="ask", key="k1")
        lines = {x.party: x for x in await list_lines(tx)}
    assert held.state == "queued"
    assert "自2024-07-03 10:00:00起等待送达人社" in held.sentence
    assert "未应答" in held.sentence
    assert (lines["hr"].queued, lines["hr"].failing_since) == (2, NOW)
    hr.start()
    done = (await line.round())["hr"]
    assert (done.sent, done.error) == (2, "")
    async with line.base.connection() as tx:
        assert (await held_state(tx, party="hr", kind="ask", key="k1")).state == "sent"
        assert (await held_state(tx, party="hr", kind="ask", key="nobody put this")).state == "none"
        assert {x.party: x.failing_since for x in await list_lines(tx)}["hr"] is None
    assert hr.get("/state")["taken"] == 3


async def test_one_party_that_is_off_does_not_keep_another_waiting(
    base: Database, shelf: PolicyShelf, hr: Office, tmp_path: Path
) -> None:
    civil = Office("civil", tmp_path).start()
    try:
        line = Line(base, shelf, civil, hr)
        civil.mode("off")
        card(hr, "c1")
        rounds = await line.round()
        assert "503" in rounds["civil"].error
        assert (rounds["hr"].received, rounds["hr"].error) == (1, "")
    finally:
        civil.stop()


async def test_a_slow_party_is_waited_for(line: Line, hr: Office) -> None:
    hr.mode("slow", slow_ms=50)
    await line.put("k0", n=0)
    done = (await line.round())["hr"]
    assert (done.sent, done.error) == (1, "")


async def test_an_acknowledgement_that_was_lost_is_asked_for_again(line: Line, hr: Office) -> None:
    """The party has the message, we do not know it: sent again, taken once."""
    await line.put("k0", n=0)
    await line.round()
    async with line.base.connection() as tx:
        await tx.execute("update exchange.channel set acked = 0")
        await tx.execute("update exchange.outbox set sent_at = null")
    done = (await line.round())["hr"]
    assert done.error == ""
    assert hr.get("/state")["taken"] == 1


async def test_what_we_took_and_did_not_count_is_taken_once(line: Line, hr: Office) -> None:
    card(hr, "c1")
    await line.round()
    async with line.base.connection() as tx:
        await tx.execute("update exchange.channel set fetched = 0")
    done = (await line.round())["hr"]
    assert (done.received, await line.what()) == (0, ["c1"])


async def test_a_refusal_is_a_case_and_the_queue_goes_on(line: Line, hr: Office) -> None:
    for number in ("refuse me", "break", "clash", "fine"):
        card(hr, number)
    done = (await line.round())["hr"]
    assert (done.received, done.cases) == (4, 3)
    assert await line.what() == ["fine"], "what the handler wrote before it refused is taken back"
    assert await line.cases() == [
        ("MESSAGE_DEFECT", "hr-card-2"), ("MESSAGE_DEFECT", "hr-card-3"), ("NOT_NOW", "hr-card-1")]


async def test_a_case_is_worked_again_or_closed_with_a_note(line: Line, hr: Office) -> None:
    line.is_refusing = True
    card(hr, "c1")
    card(hr, "c2")
    await line.round()
    async with line.base.connection() as tx:
        first, second = sorted(await list_cases(tx), key=lambda case: case.message_id)

    async def retry(case_id: str) -> Any:
        async with line.base.transaction() as tx:
            return await retry_case(tx, case_id=case_id, handlers=line.handlers, actor=ME, now=NOW, ids=RandomIds(),
                                    shelf=line.shelf)

    still = await retry(first.case_id)
    assert isinstance(still, Refusal)
    assert still.code == "NOT_NOW"
    line.is_refusing = False
    closed = await retry(first.case_id)
    assert (closed.state, closed.closed_by) == ("closed", "王经办")
    assert await line.what() == ["c1"]
    async with line.base.transaction() as tx:
        empty = await close_case(tx, case_id=second.case_id, note=" ", actor=ME, now=NOW, ids=RandomIds())
        assert isinstance(empty, Refusal)
        told = await close_case(tx, case_id=second.case_id, note="重复来文", actor=ME, now=NOW, ids=RandomIds())
    assert not isinstance(told, Refusal)
    assert told.note == "重复来文"
    assert isinstance(await retry(second.case_id), Refusal)
    assert await line.what() == ["c1"]


async def test_a_damaged_message_is_a_case_until_it_comes_whole(line: Line, hr: Office) -> None:
    hr.mode("wrong", faults=["digest"])
    card(hr, "c1")
    done = (await line.round())["hr"]
    assert (done.cases, await line.what()) == (1, [])
    assert (await line.cases())[0][0] == "MESSAGE_DIGEST"
    hr.mode("normal")
    done = (await line.round())["hr"]
    assert (done.received, done.cases) == (1, 0)
    assert await line.what() == ["c1"]
    assert await line.cases() == []


async def test_out_of_order_and_repeated_messages_lose_nothing(line: Line, hr: Office) -> None:
    hr.mode("wrong", faults=["order"])
    card(hr, "c1")
    card(hr, "c2")
    hr.mode("normal")
    await line.round()
    assert await line.what() == ["c2", "c1"]
    assert await line.cases() == []


async def test_another_content_under_a_known_id_is_a_case(line: Line, hr: Office) -> None:
    hr.act("say", kind="card", admdvs="370300", id="one", body={"card_no": "c1"})
    hr.act("say", kind="card", admdvs="370300", id="one", body={"card_no": "c2"})
    hr.act("say", kind="card", admdvs="370300", id="one", body={"card_no": "c1"})
    hr.act("say", kind="poem", admdvs="370300", id="two", body={})
    await line.round()
    assert await line.what() == ["c1"]
    assert await line.cases() == [("MESSAGE_REUSED", "one"), ("MESSAGE_UNKNOWN", "two")]


async def test_regions_meet_through_messages(line: Line) -> None:
    await line.put("t1", party="region", admdvs="441300", from_admdvs="370300", reference="R1")
    await line.put("t2", party="region", admdvs="370300", from_admdvs="441300", reference="R2")
    done = (await line.round())["region"]
    assert (done.sent, done.received, done.cases) == (2, 2, 0)
    assert len(await line.what()) == 2
    assert (await line.round())["region"].sent == 0


async def test_a_round_leaves_a_party_alone_that_another_round_is_with(line: Line, base: Database) -> None:
    await line.put("k0", n=0)
    async with base.connection() as other:
        await other.execute("select pg_advisory_lock(hashtextextended('relay/hr', 0))")
        assert "hr" not in await line.round()
        await other.execute("select pg_advisory_unlock(hashtextextended('relay/hr', 0))")
    assert (await line.round())["hr"].sent == 1


async def test_the_agencys_role_can_carry(line: Line, fresh_database_url: str, shelf: PolicyShelf, hr: Office) -> None:
    """The worker carries as the role of the agency, which owns nothing."""
    await line.put("k0", n=0)
    card(hr, "c1")
    async with line.base.connection() as tx:
        await tx.execute("grant insert on public.seen to yibao_agency; grant usage on sequence public.seen_n_seq to yibao_agency")
    agency = await Database.open(fresh_database_url, role="yibao_agency", size=2)
    try:
        carrying = Line(agency, shelf, hr)
        done = (await carrying.round())["hr"]
    finally:
        await agency.close()
    assert (done.sent, done.received, done.cases, done.error) == (1, 1, 0, "")
