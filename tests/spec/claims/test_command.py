"""``yibao claim``: what the terminal shows of claims, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.claims_office import ClaimsOffice, line, outside_stay
from yibao.entrypoints.cli.main import app


def test_the_terminal_lists_shows_and_undoes_claims_by_two_people(
    city_at: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    city = city_at("2021-09-29 10:00")
    office = ClaimsOffice(city)
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    bill = outside_stay("2021-03-01", "2021-03-05", [line(item, 5000, quantity=50, on="2021-03-05")])
    claim = office.settle(city.patient("zb-active-first"), [bill])["claim"]
    office.bank_answers(office.send_to_bank())
    monkeypatch.setenv("YIBAO_DATABASE_URL", city.url)

    def run(*words: str, code: int = 0) -> dict[str, Any]:
        done = CliRunner().invoke(app, ["claim", *words, "--json"])
        assert done.exit_code == code, done.output
        found: dict[str, Any] = json.loads(done.output)
        return found

    listed = run("list", "370300")["claims"]
    assert [(c["claim_id"], c["fund_fen"], c["bank_account"]) for c in listed] == [
        (claim["claim_id"], 244_200, "6222********2222")]
    shown = run("show", claim["claim_id"])
    assert shown["bills"][0]["bill_no"] == bill["bill_no"]
    assert shown["detail"]["bills"][0]["deductible_fen"] == 70_000
    plain = CliRunner().invoke(app, ["claim", "show", claim["claim_id"]])
    assert "2442.00" in plain.output

    alone = run("reverse", claim["claim_id"], "--operator", "甲", "--checker", "甲", "--reason", "错付", code=1)
    assert "FOUR_EYES" in json.dumps(alone)
    undone = run("reverse", claim["claim_id"], "--operator", "甲", "--checker", "乙", "--reason", "错付")
    assert undone["claim"]["state"] == "reversed"
    assert run("recoveries", "370300")["recoveries"][0]["owed_fen"] == 244_200
    back = run("repay", claim["claim_id"], "--operator", "甲", "--bank-ref", "B1", "--fen", "244200")
    assert back["recovery"]["received_fen"] == 244_200
    assert run("recoveries", "370300")["recoveries"] == []
    assert "CLAIM_NOT_FOUND" in json.dumps(run("show", "0", code=1))
    broken = tmp_path / "claim.json"
    broken.write_text('{"psn_no": 1}', encoding="utf-8")
    assert CliRunner().invoke(app, ["claim", "open", str(broken), "--operator", "甲"]).exit_code == 2
    assert city.breaches() == {}
