"""``yibao load-catalogue``: the packaged lists, one of them, or a file of one's own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from yibao.entrypoints.cli.main import app
from yibao.infra.database import Database

GOOD = "code,name,valid_from,version\nA00.000,霍乱,2025-01-01,v20250101\n"


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["load-catalogue", *words], env={"YIBAO_DATABASE_URL": url})


def count(url: str, table: str) -> int:
    async def ask() -> int:
        database = await Database.open(url, role=None, size=1)
        try:
            rows = await database.fetch(f"select count(*) from catalogue.{table}")
        finally:
            await database.close()
        return int(rows[0][0])

    return asyncio.run(ask())


def answer(result: Result) -> dict[str, Any]:
    return json.loads(result.stdout)


def test_a_file_is_loaded_and_its_part_guessed_from_the_name(fresh_database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "diagnoses.2025.csv"
    file.write_text(GOOD, encoding="utf-8")
    result = run(fresh_database_url, str(file), "--json")
    assert result.exit_code == 0, result.output
    assert answer(result)["ok"] is True
    assert [(one["part"], one["rows"], one["changed"]) for one in answer(result)["loaded"]] == [("diagnoses", 1, 1)]
    assert count(fresh_database_url, "diagnosis") == 1


def test_a_faulty_file_ends_with_code_1_and_every_fault(fresh_database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(GOOD + "bad,,2025-02-30,x\n", encoding="utf-8")
    result = run(fresh_database_url, str(file), "--part", "diagnoses", "--json")
    assert result.exit_code == 1
    refused = answer(result)["refused"][0]
    assert [(fault["line"], fault["column"]) for fault in refused["faults"]] == [
        (3, "code"), (3, "name"), (3, "valid_from"), (3, "version"),
    ]
    assert all(fault["reason"] and fault["remedy"] for fault in refused["faults"])
    assert count(fresh_database_url, "diagnosis") == 0
    for_people = run(fresh_database_url, str(file), "--part", "diagnoses")
    assert for_people.exit_code == 1
    assert "第3行" in for_people.output


def test_what_the_file_does_not_say_is_given_with_the_command(fresh_database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    file.write_text("code,name\nA00.000,霍乱\n", encoding="utf-8")
    result = run(
        fresh_database_url, str(file), "--part", "diagnoses", "--version", "v20260101", "--valid-from", "2026-01-01",
    )
    assert result.exit_code == 0, result.output
    assert count(fresh_database_url, "diagnosis") == 1


def test_one_packaged_part_is_loaded_by_its_name(fresh_database_url: str) -> None:
    result = run(fresh_database_url, "chronic_diseases", "--json")
    assert [(one["part"], one["changed"]) for one in answer(result)["loaded"]] == [("chronic_diseases", 45)]
    assert count(fresh_database_url, "diagnosis") == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [(["nothing-here"], "nothing-here"), (["pyproject.toml"], "--part"), (["x.csv", "--part", "nonsense"], "nonsense")],
)
def test_what_cannot_be_understood_ends_with_code_2_and_the_choices(
    fresh_database_url: str, words: list[str], reason: str
) -> None:
    result = run(fresh_database_url, *words, "--json")
    assert result.exit_code == 2
    assert reason in answer(result)["message"]
    assert "diagnoses" in answer(result)["message"]
