"""What a sender may rely on: one msgid, one effect, one answer."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from tests.spec.gateway.world import ELSEWHERE, OPEN, envelope, post, registration, settlement
from yibao.entrypoints.gateway.gateway import Gateway
from yibao.infra.database import Database


async def _effects(database: Database) -> int:
    rows = await database.fetch("select count(*) as n from institutions.sign_in")
    return int(rows[0]["n"])


async def test_a_deed_is_answered_stored_and_audited(client: httpx.AsyncClient, database: Database) -> None:
    """The reply, the message row and the audit row come from one commit."""
    body = envelope("2201", registration())
    reply = (await post(client, body)).json()
    assert reply["infcode"] == 0
    assert type(reply["infcode"]) is int
    assert reply["err_msg"] == ""
    assert reply["inf_refmsgid"].startswith("370300")
    assert len(reply["inf_refmsgid"]) == 30
    assert reply["inf_refmsgid"][6:20] == "20260302093000"
    assert reply["refmsg_time"] == "20260302093000000"
    assert {"enctype", "signtype", "cainfo", "warn_msg"} <= reply.keys()
    [row] = await database.fetch(
        "select * from platform.message where sender = $1 and msgid = $2", OPEN, body["msgid"]
    )
    assert json.loads(row["reply"]) == reply
    assert json.loads(row["request"])["msgid"] == body["msgid"]
    assert row["mdtrt_id"] == reply["output"]["data"]["mdtrt_id"]
    [entry] = await database.fetch("select * from platform.audit_entry where object = $1", row["mdtrt_id"])
    assert (entry["verb"], entry["actor"], entry["channel"]) == ("write", "001", "gateway")


@pytest.mark.parametrize("infno", ["2201", "2207"])
async def test_the_same_message_again_gets_the_same_bytes(client: httpx.AsyncClient, infno: str) -> None:
    """A retry, also with keys in another order and another sending time, is answered from the store."""
    body = envelope(infno, registration() if infno == "2201" else settlement())
    first = await post(client, body)
    again = dict(reversed(body.items())) | {"inf_time": "2026-03-02 09:31:00"}
    assert first.json()["infcode"] == 0
    assert (await post(client, again)).content == first.content


async def test_fifty_at_once_are_one(client: httpx.AsyncClient, database: Database) -> None:
    """Parallel repeats execute once and all get the same bytes."""
    before = await _effects(database)
    body = envelope("2201", registration())
    replies = await asyncio.gather(*(post(client, body) for _ in range(20)))
    assert len({reply.content for reply in replies}) == 1
    assert await _effects(database) == before + 1


async def test_other_content_under_a_spent_msgid_is_refused(client: httpx.AsyncClient, database: Database) -> None:
    """A msgid belongs to its first content, and to its first transaction."""
    body = envelope("2201", registration())
    await post(client, body)
    before = await _effects(database)
    changed = (await post(client, body | {"input": registration(ipt_otp_no="OP2")})).json()
    assert changed["infcode"] == -1
    assert "msgid" in changed["err_msg"]
    other = (await post(client, body | {"infno": "2207", "input": settlement()})).json()
    assert other["infcode"] == -1
    assert await _effects(database) == before


async def test_msgids_of_two_senders_do_not_meet(client: httpx.AsyncClient, database: Database) -> None:
    """Two institutions may use the same msgid."""
    body = envelope("2201", registration())
    before = await _effects(database)
    assert (await post(client, body)).json()["infcode"] == 0
    theirs = body | {"fixmedins_code": ELSEWHERE, "mdtrtarea_admvs": "441300"}
    assert (await post(client, theirs)).json()["infcode"] == 0
    assert await _effects(database) == before + 2


@pytest.mark.parametrize("opter", ["refuse-me", "break-me"])
async def test_a_deed_that_fails_leaves_nothing_and_does_not_spend_its_msgid(
    client: httpx.AsyncClient, database: Database, opter: str
) -> None:
    """Refused or broken inside: rolled back, and the same msgid may come again corrected."""
    before = await _effects(database)
    body = envelope("2201", registration(), opter=opter)
    failed = await post(client, body)
    assert failed.status_code == 200
    reply = failed.json()
    assert reply["infcode"] == -1
    assert reply["output"] is None
    assert reply["inf_refmsgid"] == ""
    assert "planted" not in reply["err_msg"]
    assert "Error" not in reply["err_msg"]
    assert await _effects(database) == before
    assert (await post(client, body | {"opter": "001"})).json()["infcode"] == 0


async def test_queries_and_refusals_stand_in_the_traffic_log(
    client: httpx.AsyncClient, gateway: Gateway, database: Database
) -> None:
    """Answered queries, refusals, replays and defects are logged in batches; deeds have their own row."""
    deed = envelope("2201", registration())
    await post(client, deed)
    await post(client, deed)
    asked = envelope("5203", {"data": {"psn_no": "P1", "setl_id": "S1", "mdtrt_id": "M1"}})
    await post(client, asked)
    refused = envelope("5302", {"data": {"psn_no": "P1", "biz_appy_type": "01"}})
    await post(client, refused)
    broken = envelope("5301", {"data": {"psn_no": "P1"}})
    await post(client, broken)
    wrong = envelope("5203", {"data": {"psn_no": "P1\x00"}})
    await post(client, wrong)
    await gateway.flush()
    rows = {
        (row["msgid"], row["outcome"], row["refusal_code"]) for row in await database.fetch("select * from platform.traffic")
    }
    assert (deed["msgid"], "replayed", None) in rows
    assert (deed["msgid"], "answered", None) not in rows
    assert (asked["msgid"], "answered", None) in rows
    assert (refused["msgid"], "refused", "PERSON_NOT_FOUND") in rows
    assert (broken["msgid"], "defect", "DEFECT") in rows
    assert (wrong["msgid"], "refused", "FIELD_CHARACTER") in rows
    [entry] = await database.fetch("select * from platform.traffic where msgid = $1", asked["msgid"])
    assert (entry["psn_no"], entry["mdtrt_id"], entry["admdvs"], entry["infno"]) == ("P1", "M1", "370300", "5203")
    assert json.loads(entry["reply"])["infcode"] == 0


async def test_a_waiting_database_asks_to_come_again_with_the_same_id(
    client: httpx.AsyncClient, database: Database
) -> None:
    """A lock that does not come in time is no defect: nothing is written, the same msgid may come again."""
    body = envelope("2201", registration())
    async with database.transaction() as holder:
        await holder.execute("lock table institutions.sign_in in access exclusive mode")
        reply = (await post(client, body)).json()
    assert reply["infcode"] == -1
    assert "请用同一发送方报文ID重试" in reply["err_msg"]
    assert (await post(client, body)).json()["infcode"] == 0
