"""``yibao party`` and ``yibao payout`` as an operator types them: start, look, carry, work what came of it, stop."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.spec.exchange.test_payouts import payout
from yibao.entrypoints.cli.main import app
from yibao.infra.database import Database
from yibao.kernel.actor import Actor
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.payouts.order_payout import order_payout

FIRST, SECOND = "王经办", "李复核"


class Terminal:
    """A terminal with a home of its own on one database."""

    def __init__(self, url: str, home: Path) -> None:
        self._env = {"YIBAO_DATABASE_URL": url, "YIBAO_HOME": str(home)}

    def run(self, *words: str, code: int = 0) -> Any:
        """Run a command and return its JSON."""
        result = CliRunner().invoke(app, [*words, "--json"], env={**os.environ, **self._env})
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def say(self, *words: str) -> str:
        """Run a command as a person does."""
        result = CliRunner().invoke(app, [*words], env={**os.environ, **self._env, "COLUMNS": "220"})
        assert result.exit_code == 0, result.output
        return result.output


async def order(url: str) -> None:
    """Order one payout of 123.45 yuan."""
    database = await Database.open(url, role=None, size=1)
    async with database.transaction() as tx:
        await order_payout(tx, payout("w1", 12_345), actor=Actor(login=FIRST, channel="cli"), now=SystemClock().now(),
                           ids=RandomIds())
    await database.close()


@pytest.fixture
def terminal(fresh_database_url: str, tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(fresh_database_url, tmp_path)
    yield opened
    opened.run("party", "stop", "all")


def test_parties_are_started_spoken_to_and_stopped(terminal: Terminal, unused_tcp_port: int) -> None:
    port = str(unused_tcp_port)
    started = terminal.run("party", "start", "hr", "--port", port)
    assert started["addresses"] == f"hr=http://127.0.0.1:{port}"
    assert terminal.run("party", "start", "hr", "--port", port)["parties"] == started["parties"], "started once"
    assert "人社" in terminal.say("party", "relay")
    (line,) = [x for x in terminal.run("party", "status")["lines"] if x["party"] == "hr"]
    assert (line["queued"], line["failing_since"], line["sentence"]) == (0, None, "与人社的交换正常")
    assert terminal.run("party", "stop", "all")["stopped"] == ["hr"]
    assert terminal.run("party", "relay")["rounds"] == [
        {"party": "region", "sent": 0, "received": 0, "cases": 0, "error": ""}]
    assert "没有在运行的单位" in terminal.say("party", "stop", "all")


def test_a_party_that_is_none(terminal: Terminal) -> None:
    assert terminal.run("party", "start", "customs", code=2)["kind"] == "usage"


def test_a_payout_goes_through_the_hands_of_two_people(
    terminal: Terminal, fresh_database_url: str, tmp_path: Path
) -> None:
    asyncio.run(order(fresh_database_url))
    assert "123.45" in terminal.say("payout", "list", "--state", "ordered")
    file = terminal.run("payout", "make", "370300", "--operator", FIRST)["file"]
    assert (file["count"], file["amount_fen"], file["state"]) == (1, 12_345, "made")
    refused = terminal.run("payout", "check", file["file_id"], "--operator", FIRST, code=1)
    assert refused["faults"][0]["code"] == "FOUR_EYES"
    assert terminal.run("payout", "check", file["file_id"], "--operator", SECOND)["file"]["state"] == "sent"
    path = tmp_path / "file.txt"
    terminal.run("payout", "file", file["file_id"], "--out", str(path))
    assert hashlib.new("sm3", path.read_bytes()).hexdigest() == file["digest"]
    assert "已送银行" in terminal.say("payout", "files")
    assert "1条待送银行" in terminal.say("party", "status")
    assert terminal.run("payout", "withdraw", file["file_id"], "--operator", SECOND, code=1)["faults"][0]["code"] == (
        "PAYOUT_FILE_STATE")
    assert terminal.run("payout", "again", "w1", "--operator", FIRST, "--name", "张三", "--bank", "行", "--account", "62",
                        code=1)["faults"][0]["code"] == "PAYOUT_STATE"
