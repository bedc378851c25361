"""Verbs of the command line in a stop: exit code 1 with the sentence; and the life of a plan at a terminal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tests.support.window_city import plan_text
from yibao.entrypoints.cli.main import app
from yibao.kernel.business_time import SHANGHAI

REGION, OTHER = "370300", "441300"


def run(url: str, *words: str) -> tuple[int, dict[str, Any]]:
    """Run a verb and return its exit code and what it says as JSON."""
    result = CliRunner().invoke(app, [*words, "--json"], env={"YIBAO_DATABASE_URL": url})
    return result.exit_code, json.loads(result.stdout[result.stdout.index("{"):])


def stopped_now(directory: Path) -> Path:
    """Write the first notice's plan with a stop that began an hour ago and ends in an hour."""
    now = datetime.now(SHANGHAI)
    begin, end = now - timedelta(hours=1), now + timedelta(hours=1)
    text = plan_text("zibo-2021", year=now.year)
    text = text.replace(f'stop = "{now.year}-10-10 00:00"', f'stop = "{begin:%Y-%m-%d %H:%M}"')
    text = text.replace(f'restart = "{now.year}-10-18 24:00"', f'restart = "{end:%Y-%m-%d %H:%M}"')
    text = text.replace(f'last_call = "{now.year}-09-29 09:19"', f'last_call = "{begin - timedelta(days=5):%Y-%m-%d %H:%M}"')
    # What the notice ties to its own days is of no matter here: days after the stop lie a year ahead.
    text = text.replace(f'"{now.year}-', f'"{now.year}-') if now.month < 10 else text
    kept = [line for line in text.splitlines() if not line.startswith(("stop_says", "restart_says"))]
    file = directory / "plan.toml"
    file.write_text("\n".join(kept), encoding="utf-8")
    return file


def test_a_plan_is_proposed_published_and_stops_the_verbs_of_its_region(world_url: str, tmp_path: Path) -> None:
    assert run(world_url, "dues", "assess", REGION, "2026-10")[0] == 0
    file = stopped_now(tmp_path)
    code, proposed = run(world_url, "window", "propose", str(file), "--operator", "甲", "--reason", "试验")
    assert code == 0, proposed
    code, own = run(world_url, "window", "publish", REGION, "zibo-2021", "1", "--operator", "甲")
    assert (code, own["faults"][0]["code"]) == (1, "OWN_PROPOSAL")
    code, published = run(world_url, "window", "publish", REGION, "zibo-2021", "1", "--operator", "乙")
    assert (code, published["plan"]["state"]) == (0, "published")
    code, versions = run(world_url, "window", "versions")
    assert [(v["version"], v["published_by"]) for v in versions["plans"]] == [(1, "乙")]

    code, refused = run(world_url, "dues", "assess", REGION, "2026-10")
    assert (code, refused["kind"], refused["faults"][0]["code"]) == (1, "refused", "WINDOW_STOPPED")
    assert "恢复时间" in refused["faults"][0]["reason"]
    assert run(world_url, "dues", "assess", OTHER, "2026-10")[0] == 0, "the other region's batch goes on"
    assert run(world_url, "verify")[0] == 0
    assert run(world_url, "key", "list")[0] == 0

    code, told = run(world_url, "window", "withdraw", REGION, "zibo-2021", "1", "--operator", "乙", "--reason", "取消")
    assert (code, told["faults"][0]["code"]) == (1, "PLAN_BEGUN")
    code, none = run(world_url, "window", "stages", REGION, "zibo-2021")
    assert (code, none["stages"]) == (0, [])


def test_an_institution_gets_a_key_of_its_own(world_url: str, world: dict[str, Any]) -> None:
    code, issued = run(world_url, "key", "issue", "--institution", "H37030309101", "--title", "住院系统", "--operator", "甲")
    assert code == 0, issued
    assert issued["key"]["scopes"] == ["institution"]
    code, unknown = run(world_url, "key", "issue", "--institution", "H00000000000", "--operator", "甲")
    assert (code, unknown["faults"][0]["code"]) == (1, "INSTITUTION_NOT_FOUND")
    code, both = run(world_url, "key", "agent", "mixed.one", "--name", "甲", "--role", "institution", "--role", "intake",
                     "--region", REGION, "--institution", "H37030309101", "--operator", "甲")
    assert (code, both["faults"][0]["code"]) == (1, "ROLES_EXCLUDE")
    code, unbound = run(world_url, "key", "agent", "unbound.one", "--name", "甲", "--role", "institution",
                        "--region", REGION, "--operator", "甲")
    assert (code, unbound["faults"][0]["code"]) == (1, "INSTITUTION_MISSING")
    keys = world["agency"]["keys"][REGION]
    assert keys["institution"] in keys["institutions"].values()
