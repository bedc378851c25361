"""The same from a terminal: what programs read as JSON, people read as words."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.service_desk import ZIBO, Town
from yibao.entrypoints.cli.main import app


class Terminal:
    """A terminal on one database."""

    def __init__(self, url: str) -> None:
        self._env = {**os.environ, "YIBAO_DATABASE_URL": url, "COLUMNS": "200"}

    def json(self, *words: str, code: int = 0) -> Any:
        """Run a verb for a program and return its answer."""
        result = CliRunner().invoke(app, [*words, "--json"], env=self._env)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def say(self, *words: str) -> str:
        """Run a verb for a person and return what the terminal shows."""
        result = CliRunner().invoke(app, list(words), env=self._env)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture(scope="module")
def terminal(town: Town) -> Terminal:
    return Terminal(town.url)


def test_an_application_from_file_to_closed(terminal: Terminal, town: Town, tmp_path: Path) -> None:
    psn_no, _ = town.person("终端测试")
    town.relation(psn_no, begin=date(2024, 1, 1), until=None)
    path = tmp_path / "application.json"
    path.write_text(json.dumps({
        "admdvs": ZIBO, "item_code": "002036001005", "applicant_kind": "person", "applicant_no": psn_no,
        "applicant_name": "终端测试", "channel": "window", "body": {"psn_no": psn_no, "changes": {"phone": "13911112222"}}}),
        encoding="utf-8")
    filed = terminal.json("service", "submit", str(path), "--operator", "赵受理")["application"]["application_id"]
    refused = terminal.json("service", "accept", filed, "--operator", "赵受理", code=1)
    assert [f["code"] for f in refused["faults"]] == ["MATERIAL_MISSING"]
    assert "已退回补正材料" in terminal.say("service", "return", filed, "--operator", "赵受理")
    scan = tmp_path / "card.pdf"
    scan.write_bytes(b"scan")
    terminal.json("service", "supplement", filed, "identity", "--operator", "赵受理", "--file", str(scan))
    terminal.json("service", "accept", filed, "--operator", "赵受理")
    terminal.json("service", "suspend", filed, "--operator", "赵受理", "--reason", "系统切换", "--window", "W1")
    assert "已中止" in terminal.say("service", "show", filed)
    terminal.json("service", "resume", filed, "--operator", "赵受理")
    terminal.json("service", "review", filed, "--operator", "钱审核", "--says", "属实")
    assert terminal.json("service", "approve", filed, "--operator", "钱审核", code=1)["faults"][0]["code"] == "FOUR_EYES"
    assert "已办结" in terminal.say("service", "approve", filed, "--operator", "李审批")
    assert town.fetch("select phone from people.person where psn_no = $1", psn_no)[0]["phone"] == "13911112222"
    terminal.json("service", "rate", filed, "5", "--operator", "终端测试")
    assert filed in terminal.say("service", "list", "--state", "rated")
    assert terminal.json("service", "list", "--late")["applications"] == []
    assert terminal.json("service", "follow", ZIBO, "--operator", "李审批")["applications"] == []


def test_items_are_listed(terminal: Terminal) -> None:
    assert len(terminal.json("service", "items")["items"]) == 28
    assert "转移接续手续办理" in terminal.say("service", "items")


def test_certificates_at_the_terminal(terminal: Terminal, town: Town, tmp_path: Path) -> None:
    psn_no, _ = town.person("凭证测试")
    town.relation(psn_no, begin=date(2024, 1, 1), until=None)
    pdf, again = tmp_path / "a.pdf", tmp_path / "b.pdf"
    made = terminal.json("certificate", "issue", psn_no, "--operator", "赵受理", "--out", str(pdf))["certificate"]
    number, code = made["certificate_no"], made["code"]
    terminal.json("certificate", "print", number, "--operator", "赵受理", "--out", str(again))
    assert pdf.read_bytes() == again.read_bytes()
    assert "一致" in terminal.say("certificate", "check", number, code, "--file", str(pdf))
    text = tmp_path / "text.txt"
    text.write_text(made["statement"].replace("2024-01-01", "2014-01-01"), encoding="utf-8")
    assert terminal.json("certificate", "check", number, code, "--text", str(text), code=1)["checked"]["outcome"] == "altered"
    terminal.json("certificate", "revoke", number, "--operator", "赵受理", "--reason", "信息有误")
    assert terminal.json("certificate", "check", number, code, code=1)["checked"]["outcome"] == "revoked"


def test_transfers_at_the_terminal(terminal: Terminal, town: Town, tmp_path: Path) -> None:
    """Out with twelve months and 10.00 yuan; money that nobody knows is kept and listed."""
    psn_no, _ = town.person("转移测试", balance_fen=1000)
    town.relation(psn_no, begin=date(2024, 1, 1), until=date(2025, 1, 1))
    town.dues(psn_no, date(2024, 1, 1), 12)
    out = ("transfer", "out", psn_no, "510100", "--operator", "赵受理", "--name", "成都市医保局")
    done = terminal.json(*out)["transfer"]
    assert (done["state"], done["months"], done["account_fen"]) == ("sent", 12, 1000)
    assert terminal.json(*out, code=1)["faults"][0]["code"] == "TRANSFER_RUNNING"
    assert "10.00" in terminal.say("transfer", "list", "--region", ZIBO)
    path = tmp_path / "money.json"
    path.write_text(json.dumps({"reference": "404", "amount_fen": 5, "admdvs": ZIBO, "from_admdvs": "510100",
                                "arrived_on": "2025-03-06", "payment_ref": "BK-1"}))
    assert terminal.json("transfer", "money", str(path), "--operator", "赵受理")["money"]["state"] == "open"
    assert "BK-1" in terminal.say("transfer", "open-money", ZIBO)
    refused = terminal.json("transfer", "assign", ZIBO, "BK-1", "404", "--operator", "赵受理", "--checker", "李审批", code=1)
    assert refused["faults"][0]["code"] == "TRANSFER_MONEY_DIFFERS"
    place = terminal.json("transfer", "retirement-place", psn_no, ZIBO, "--operator", "赵受理", "--checker", "李审批",
                          "--basis", "缴费最长地")["place"]
    assert (place["is_here"], place["months_here"]) == (True, 12)
    assert terminal.json("transfer", "follow", ZIBO, "--operator", "赵受理")["transfers"] == []


def test_bad_files_are_said(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.json("service", "submit", str(tmp_path / "no.json"), "--operator", "赵", code=2)["kind"] == "usage"
    path = tmp_path / "bad.json"
    path.write_text("{")
    assert terminal.json("transfer", "in", str(path), "--operator", "赵", code=2)["kind"] == "usage"
    path.write_text("{}")
    assert terminal.json("transfer", "sheet", str(path), "--operator", "赵", code=2)["kind"] == "usage"
