"""``yibao serve`` and ``yibao migrate`` without the demo world."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "yibao.entrypoints.cli.main"]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """A home of its own that PostgreSQL's user may enter, and a port nobody has."""
    directory = Path(tempfile.mkdtemp(prefix=f"yibao-tests-{os.getpid()}-"))
    directory.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YIBAO_")}
    yield {**kept, "YIBAO_HOME": str(directory / "home"), "YIBAO_PORT": port}
    shutil.rmtree(directory)


def yibao(environ: dict[str, str], *words: str) -> tuple[int, Any]:
    done = subprocess.run([*COMMAND, *words, "--json"], env=environ, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_a_question_before_there_is_a_database_says_what_to_do(environment: dict[str, str]) -> None:
    code, answer = yibao(environment, "verify")
    assert (code, answer["kind"]) == (3, "unavailable")
    assert "yibao migrate" in answer["message"]


def test_it_migrates_its_own_database_serves_and_stops_on_sigterm(environment: dict[str, str]) -> None:
    server = subprocess.Popen([*COMMAND, "serve", "--json"], env=environment, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    answer = json.loads("".join(iter(server.stdout.readline, "}\n")) + "}")
    try:
        assert answer["base_url"] == f"http://127.0.0.1:{environment['YIBAO_PORT']}"
        connection = http.client.HTTPConnection("127.0.0.1", int(environment["YIBAO_PORT"]), timeout=10)
        connection.request("GET", "/livez")
        assert connection.getresponse().status == http.client.OK
        connection.close()

        code, answer = yibao(environment, "serve")
        assert (code, answer["kind"]) == (3, "port")
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert server.returncode == 0

    code, answer = yibao(environment, "migrate")
    assert (code, answer["before"]) == (0, answer["after"])
    assert sorted(answer["policies"]) == ["370300", "441300"]


def test_somebody_elses_database_is_never_migrated_by_serving(environment: dict[str, str], server_url: str) -> None:
    code, answer = yibao({**environment, "YIBAO_DATABASE_URL": server_url}, "serve")
    assert (code, answer["kind"]) == (2, "schema")
    assert "yibao migrate" in answer["message"]


def test_settings_that_make_no_sense_are_named(environment: dict[str, str]) -> None:
    code, answer = yibao({**environment, "YIBAO_PORT": "http"}, "serve")
    assert (code, answer["kind"]) == (2, "settings")
    assert "YIBAO_PORT" in answer["message"]
