"""``yibao message status``: committed, only refused, or never seen."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from yibao.entrypoints.cli.main import app

AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
SENDER, OTHER = "H37030000001", "H37030000002"
COMMITTED = f"{SENDER}202601051600000001"
REFUSED = f"{SENDER}202601051600000002"
OUTSIDE = "not-headed-by-its-sender"

MESSAGE = """
insert into platform.message (sender, msgid, admdvs, infno, state, request, request_digest, reply, received_at, replied_at)
values ($1, $2, '370300', '2201', 'answered', '{}', '\\x00', convert_to('{"infcode":0}', 'UTF8'), $3, $3)
"""
TRAFFIC = """
insert into platform.traffic (id, sender, msgid, admdvs, infno, outcome, refusal_code, request, reply, received_at, took_us)
values ($1, $2, $3, '370300', '2207', 'refused', 'ENCOUNTER_NOT_FOUND', '{}', '{}', $4, 1500)
"""


@pytest.fixture(scope="module")
def filled_url(database_url: str) -> str:
    async def fill() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(MESSAGE, SENDER, COMMITTED, AT)
            await connection.execute(MESSAGE, OTHER, OUTSIDE, AT)
            await connection.execute(TRAFFIC, "1", SENDER, REFUSED, AT)
        finally:
            await connection.close()

    asyncio.run(fill())
    return database_url


def run(url: str, *words: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["message", "status", *words, "--json"], env={"YIBAO_DATABASE_URL": url})
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize(("msgid", "sender"), [(COMMITTED, SENDER), (OUTSIDE, OTHER)])
def test_a_committed_message_shows_its_answer(filled_url: str, msgid: str, sender: str) -> None:
    code, answer = run(filled_url, msgid)
    assert code == 0
    [found] = answer["committed"]
    assert (found["sender"], found["state"], found["reply"]) == (sender, "answered", '{"infcode":0}')


def test_a_refused_message_shows_its_attempts_and_is_not_spent(filled_url: str) -> None:
    code, answer = run(filled_url, REFUSED)
    assert (code, answer["committed"]) == (0, [])
    assert [a["refusal_code"] for a in answer["attempts"]] == ["ENCOUNTER_NOT_FOUND"]


def test_the_same_id_of_another_sender_is_another_message(filled_url: str) -> None:
    code, answer = run(filled_url, COMMITTED, "--sender", OTHER)
    assert (code, answer["committed"]) == (1, [])


def test_a_message_that_never_came_is_not_found(filled_url: str) -> None:
    code, answer = run(filled_url, "H37030000001202601010000000000")
    assert (code, answer["committed"], answer["attempts"]) == (1, [], [])
