"""``yibao window``: the plans, what is wrong with one, what changed, what it does to a case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from yibao.domains.windows.shipped import plan_names, plan_text
from yibao.entrypoints.cli.main import app

ZIBO = "zibo-2021"


def run(*words: str) -> tuple[int, dict[str, Any]]:
    """Run a verb and return its exit code and answer."""
    result = CliRunner().invoke(app, ["window", *words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def changed(tmp_path: Path, old: str, new: str) -> str:
    """Write the plan of Zibo with a change and return its file."""
    text = plan_text(ZIBO) or ""
    assert old in text
    file = tmp_path / "plan.toml"
    file.write_text(text.replace(old, new), "utf-8")
    return str(file)


def test_the_plans_are_listed() -> None:
    code, answer = run("list")
    assert code == 0
    assert {p["name"] for p in answer["plans"]} == set(plan_names())


@pytest.mark.parametrize("name", plan_names())
def test_a_shipped_plan_passes_the_check(name: str) -> None:
    code, answer = run("check", name)
    assert (code, answer["ok"], answer["findings"]) == (0, True, [])


def test_a_fault_ends_with_its_line_and_a_proposal(tmp_path: Path) -> None:
    file = changed(tmp_path, 'restart = "2021-10-18 24:00"\nstop_says', 'restart = "2021-10-09 24:00"\nstop_says')
    code, answer = run("check", file)
    assert (code, answer["ok"]) == (1, False)
    backwards = [f for f in answer["findings"] if f["code"] == "RESTART_BEFORE_STOP"]
    assert backwards
    lines = Path(file).read_text("utf-8").split("\n")
    assert all(lines[f["line"] - 1] == 'restart = "2021-10-09 24:00"' and f["proposal"] for f in backwards)


def test_an_unknown_transaction_cannot_be_read(tmp_path: Path) -> None:
    file = changed(tmp_path, 'when.business = ["settlement"]', 'when.transaction = ["9999"]')
    code, answer = run("check", file)
    assert (code, answer["ok"]) == (1, False)
    assert [f["received"] for f in answer["faults"]] == ["9999"]


def test_no_such_plan_is_a_wrong_use() -> None:
    code, answer = run("check", "atlantis-2021")
    assert code == 2
    assert ZIBO in answer["message"]


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_bytes(b"\xff\xfe\x00")
    code, _ = run("show", str(file))
    assert code == 2


def test_versions_are_compared_in_words(tmp_path: Path) -> None:
    said = '"\nstop_says = "10月10日（星期日）00:00时起"\nrestart_says = "10月{}24:00时起"'
    file = changed(tmp_path, 'restart = "2021-10-18 24:00' + said.format("18日（星期一）"),
                   'restart = "2021-10-20 24:00' + said.format("20日（星期三）"))
    code, answer = run("diff", ZIBO, file)
    assert code == 0
    assert "定点医药机构结算的恢复时间由10月18日（星期一）24:00改为10月20日（星期三）24:00（推迟 2 天）" in {
        c["says"] for c in answer["changes"]}


def test_a_dry_run_shows_each_sample_day_by_day() -> None:
    code, answer = run("dry-run", ZIBO)
    assert code == 0
    stay = answer["effects"][0]
    assert (stay["position"], stay["disposition"], stay["rule"]) == ("P3", "pay_full_backfill", "ZB-R12")
    assert [(d["day"], d["answer"]) for d in stay["days"]] == [
        ("10月4日（星期一）", "open"), ("10月10日（星期日）", "refused"), ("10月19日（星期二）", "open")]


def test_a_dry_run_of_cases_in_a_table(tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text(
        "name,psn,begin,end,is_filed,business,channel,care_admdvs\n"
        "甲,退休职工,2021-10-08 09:00,2021-10-15 09:00,1,remote_inpatient,gateway,441300\n"
        "乙,居民,2021-10-20 09:00,2021-10-20 10:00,,outpatient_settlement,gateway,\n", "utf-8")
    code, answer = run("dry-run", ZIBO, "--samples", str(cases))
    assert code == 0
    assert [(e["name"], e["position"], e["disposition"]) for e in answer["effects"]] == [
        ("甲", "P7", "manual_reimburse"), ("乙", "", "")]


def test_a_wrong_case_is_named_with_its_line(tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("name,begin,business,channel\n甲,yesterday,teeth,gateway\n", "utf-8")
    code, answer = run("dry-run", ZIBO, "--samples", str(cases))
    assert code == 1
    assert [f["field"] for f in answer["faults"]] == ["第 2 行 begin", "第 2 行 business"]


@pytest.mark.parametrize("words", [("list",), ("show", ZIBO), ("check", ZIBO), ("dry-run", ZIBO), ("diff", ZIBO, ZIBO)])
def test_people_read_the_same_as_text(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["window", *words])
    assert result.exit_code == 0
    assert result.stdout.strip()
