"""``yibao enrol`` as a clerk at a terminal uses it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.databases import execute
from tests.support.member_sheets import joiners, read_back
from tests.support.registry import card, credit_code
from yibao.entrypoints.cli.main import app
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock


class Terminal:
    """Runs ``yibao enrol`` on one database."""

    def __init__(self, url: str) -> None:
        self._env = {"YIBAO_DATABASE_URL": url}

    def run(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Run a verb and return its JSON."""
        result = CliRunner().invoke(app, ["enrol", *words, "--json"], env={**os.environ, **self._env})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def say(self, *words: str) -> str:
        """Run a verb as a person does, and return what the terminal shows."""
        result = CliRunner().invoke(app, ["enrol", *words], env={**os.environ, **self._env, "COLUMNS": "220"})
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture
def terminal(fresh_database_url: str) -> Terminal:
    """Return a terminal on an empty region."""
    execute(fresh_database_url, "insert into platform.region (admdvs, name) values ('370300', '淄博市')")
    return Terminal(fresh_database_url)


def test_a_clerks_day(terminal: Terminal, tmp_path: Path) -> None:
    """Register, join by a sheet, look, change, refuse, leave: in text and as JSON."""
    today = business_date(SystemClock().now())
    first = today.replace(day=1)
    employer = terminal.run("do", "employer", "admdvs=370300", f"uscc={credit_code(1)}", "name=淄博示例有限公司",
                            "--by", "王登记")
    emp_no = employer["done"]["emp_no"]
    sheet, result = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    sheet.write_bytes(joiners([("李一", card("1988-05-17"), first, 6500), ("错号", "370303198805170010", first, 6500)]))
    done = terminal.run("import", str(sheet), "--employer", emp_no, "--by", "王登记", "--out", str(result))
    assert (done["imported"]["applied"], done["imported"]["refused"]) == (1, 1)
    assert [row[-2] for row in read_back(result.read_bytes())] == ["处理结果", "已办理", "未办理"]
    shown = terminal.run("person", "--certno", card("1988-05-17"))["person"]
    assert shown["relations"][0]["emp_no"] == emp_no
    psn_no = shown["psn_no"]
    terminal.run("do", "change", f"psn_no={psn_no}", 'changes={"name": "李壹"}', "evidence=户口簿", "--by", "王登记")
    assert "李壹" in terminal.say("person", psn_no)
    twice = terminal.run("do", "join", f"emp_no={emp_no}", "name=李壹", f"certno={card('1988-05-17')}", f"insured_on={first}",
                         "--by", "王登记", code=1)
    assert twice["faults"][0]["code"] == "ALREADY_MEMBER"
    held = terminal.run("do", "join", f"emp_no={emp_no}", "name=别人", f"certno={card('1988-05-17')}", f"insured_on={first}",
                        "--by", "王登记")
    doubt_id = held["done"]["doubt_id"]
    assert doubt_id in terminal.say("doubts", "--region", "370300")
    terminal.run("settle", doubt_id, "--decision", "wrong_statement", "--by", "李核实")
    assert terminal.run("doubts", "--region", "370300")["doubts"] == []
    left = terminal.run("do", "leave", f"emp_no={emp_no}", f"psn_no={psn_no}", f"left_on={today}", "--by", "王登记")
    assert left["done"]["psn_no"] == psn_no
    assert terminal.run("count-years", psn_no)["years"]["total_months"] == 0
    assert terminal.run("employers", "--region", "370300")["employers"][0]["emp_no"] == emp_no


def test_usage_is_explained(terminal: Terminal, tmp_path: Path) -> None:
    """An unknown business, an unknown field, a wrong date, a file that is not there."""
    assert "没有业务" in terminal.run("do", "dance", "--by", "王", code=2)["message"]
    assert "项目有" in terminal.run("do", "join", "salary=1", "--by", "王", code=2)["message"]
    assert "left_on" in terminal.run("do", "leave", "left_on=soon", "--by", "王", code=2)["message"]
    missing = ("import", str(tmp_path / "no.xlsx"), "--employer", "x", "--by", "王", "--out", str(tmp_path / "o"))
    assert "没有文件" in terminal.run(*missing, code=2)["message"]
    assert set(terminal.run("verbs")["verbs"]) >= {"join", "leave", "retire", "merge"}
    terminal.run("template", str(tmp_path / "t.xlsx"))
    assert read_back((tmp_path / "t.xlsx").read_bytes())[1][:2] == ["姓名*", "证件号码*"]
