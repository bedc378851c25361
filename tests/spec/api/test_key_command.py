"""``yibao key``: the same agents and keys from the operator's terminal, and what it makes opens the API."""

from __future__ import annotations

import json
from typing import Any

import httpx
from typer.testing import CliRunner

from yibao.entrypoints.cli.main import app


def _run(url: str, *words: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["key", *words, "--json"], env={"YIBAO_DATABASE_URL": url})
    return result.exit_code, json.loads(result.stdout)


def test_an_operator_makes_an_agent_and_a_key_that_opens(world: dict[str, Any], world_url: str) -> None:
    code, made = _run(world_url, "agent", "li.window", "--name", "李窗口", "--role", "intake", "--role", "review",
                      "--region", "441300", "--operator", "运维甲")
    assert (code, made["agent"]["roles"]) == (0, ["intake", "review"])
    code, issued = _run(world_url, "issue", "li.window", "--title", "自助机", "--scope", "intake", "--operator", "运维甲")
    assert code == 0
    api, headers = world["agency"]["api"], {"authorization": f"Bearer {issued['key']['key']}"}
    assert httpx.get(api + "/me", headers=headers).json()["roles"] == ["intake"]
    code, listed = _run(world_url, "list", "--login", "li.window")
    assert [k["title"] for k in listed["keys"]] == ["自助机"]
    assert issued["key"]["key"] not in json.dumps(listed)
    code, revoked = _run(world_url, "revoke", issued["key"]["key_id"], "--operator", "运维乙")
    assert (code, revoked["key"]["revoked_by"]) == (0, "运维乙")
    assert httpx.get(api + "/me", headers=headers).status_code == 401


def test_roles_that_exclude_each_other_are_refused_at_the_terminal_too(world_url: str) -> None:
    code, refused = _run(world_url, "agent", "too.many", "--name", "全能", "--role", "intake", "--role", "pay",
                         "--region", "370300", "--operator", "运维甲")
    assert (code, refused["faults"][0]["code"]) == (1, "ROLES_EXCLUDE")
