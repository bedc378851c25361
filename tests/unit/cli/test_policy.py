"""``yibao policy``: what is in force on a day, one rule through time, every fault of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from yibao.entrypoints.cli.main import app
from yibao.infra.policy_files import read_policy_files


def run(*words: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["policy", *words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_the_packaged_files_compile() -> None:
    code, answer = run("check")
    assert (code, answer["ok"], answer["faults"]) == (0, True, {})
    assert {region["admdvs"] for region in answer["regions"]} == set(read_policy_files())


def test_a_faulty_file_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "370300").mkdir()
    (tmp_path / "370300" / "broken.toml").write_text("format = [", encoding="utf-8")
    code, answer = run("check", "--files", str(tmp_path))
    assert (code, answer["ok"]) == (1, False)
    assert answer["faults"]["370300"][0]["file"] == "broken.toml"


def test_a_directory_without_policies_is_not_fine(tmp_path: Path) -> None:
    code, answer = run("check", "--files", str(tmp_path))
    assert (code, answer["ok"]) == (1, False)


@pytest.mark.parametrize("region", sorted(read_policy_files()))
def test_values_in_force_carry_their_source(region: str) -> None:
    code, answer = run("list", region, "--on", "2025-06-30")
    assert code == 0
    assert answer["values"]
    for value in answer["values"]:
        assert value["source"] or value["mark"] == "assumed"
        assert value["valid_from"] <= "2025-06-30" <= (value["valid_to"] or "9999")


def test_a_rule_is_shown_through_time() -> None:
    _, listed = run("list", "370300", "--on", "2025-06-30")
    rule = listed["values"][0]["rule"]
    code, answer = run("show", "370300", rule)
    assert code == 0
    assert {value["rule"] for value in answer["values"]} == {rule}


@pytest.mark.parametrize(("words", "code", "kind"), [
    (("list", "999999"), 1, "refused"),
    (("show", "370300", "NO-SUCH-RULE"), 1, "refused"),
    (("list", "370300", "--on", "30.6.2025"), 2, "usage"),
])
def test_what_is_not_there_is_refused_by_name(words: tuple[str, ...], code: int, kind: str) -> None:
    ended, answer = run(*words)
    assert (ended, answer["kind"]) == (code, kind)
    assert answer["message"]
