"""``yibao doctor`` on a sick installation: every planted fault is found by name, with how to mend it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from yibao.entrypoints.cli.main import app
from yibao.infra.migrate import migrate
from yibao.infra.postgres import EmbeddedPostgres

INSTITUTION = """
insert into institutions.institution (fixmedins_code, admdvs, region, name, uscc, kind, hosp_lv, level,
    agreement_no, agreement_from, agreement_to, auth_scheme)
values ('H37030000001', '370302', '370300', '演示医院', '12370300000000000X', '1', '03', '3', 'XY1',
    '2020-01-01', '2021-01-01', 'none')
"""
UNSEALED = """
insert into platform.audit_entry (id, at, actor, sender, channel, verb, object, admdvs, digest)
values ('1', now() - interval '1 hour', 'x', 'H37030000001', 'gateway', 'settle_visit', '1', '370300', '\\x00')
"""
# What is planted as the owner, what as the server's superuser, and which check must find it.
OWNER_PLANTS = {
    "policy.regions": "insert into platform.region values ('999900', '没有政策的市')",
    "institutions.agreements": INSTITUTION,
    "audit.sealing": UNSEALED,
    "database.row_security": "alter table settlements.settlement no force row level security",
}
ADMIN_PLANTS = {"database.roles": "alter role yibao_gateway bypassrls"}
FOUND_WITHOUT_PLANTING = {"catalogue.loaded", "institutions.senders"}
FOUND_BY_SETTINGS = {
    "database.durability", "database.connections", "settings.failpoints", "settings.variables", "machine.port",
}


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def sick_server() -> Iterator[EmbeddedPostgres]:
    """A server that forgets on power loss, takes few connections, and holds a half-made installation."""
    directory = Path(tempfile.mkdtemp(prefix=f"yibao-tests-{os.getpid()}-"))
    directory.chmod(0o755)
    with EmbeddedPostgres(directory / "home", settings={"fsync": "off", "max_connections": "30"}) as server:
        asyncio.run(migrate(server.url_for("yibao")))
        yield server
    shutil.rmtree(directory)


def run_doctor(url: str, **environ: str) -> tuple[int, dict[str, dict[str, str]], dict[str, Any]]:
    result = CliRunner().invoke(app, ["doctor", "--json"], env={"YIBAO_DATABASE_URL": url, **environ})
    answer = json.loads(result.stdout)
    return result.exit_code, {f["check"]: f for f in answer["findings"]}, answer


def test_every_planted_fault_is_found_with_its_remedy(sick_server: EmbeddedPostgres) -> None:
    url = sick_server.url_for("yibao")
    asyncio.run(execute(url, *OWNER_PLANTS.values()))
    asyncio.run(execute(sick_server.admin_url_for("yibao"), *ADMIN_PLANTS.values()))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, findings, answer = run_doctor(
            url, YIBAO_FAILPOINTS="1", YIBAO_PROT="8081", YIBAO_WORKERS="8", YIBAO_PORT=str(taken.getsockname()[1])
        )
    planted = {*OWNER_PLANTS, *ADMIN_PLANTS, *FOUND_WITHOUT_PLANTING, *FOUND_BY_SETTINGS}
    assert len(planted) >= 10
    found = {name for name, finding in findings.items() if finding["level"] != "ok"}
    assert planted <= found
    assert all(findings[name]["remedy"] for name in found)
    assert (code, answer["ok"]) == (1, False)


def test_a_superuser_login_is_pointed_out(sick_server: EmbeddedPostgres) -> None:
    _, findings, _ = run_doctor(sick_server.admin_url_for("yibao"))
    assert findings["database.login"]["level"] == "warning"


def test_an_older_schema_is_found_and_its_content_left_alone(sick_server: EmbeddedPostgres) -> None:
    _, findings, _ = run_doctor(sick_server.url_for("postgres"))
    assert findings["database.schema"]["level"] == "error"
    assert "yibao migrate" in findings["database.schema"]["remedy"]
    assert "catalogue.loaded" not in findings


def test_a_database_that_does_not_answer_is_a_finding_not_a_failure() -> None:
    code, findings, _ = run_doctor("postgresql://nobody@127.0.0.1:1/nowhere")
    assert findings["database.answers"]["level"] == "error"
    assert code == 1
