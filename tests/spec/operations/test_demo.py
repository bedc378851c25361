"""``yibao demo`` from an empty directory: a settled visit, the same by curl, a clean stop, the data kept."""

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

ROOT = Path(__file__).parents[3]
PERSONS = "200"


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """An empty home that PostgreSQL's user may enter, and a port nobody has."""
    directory = Path(tempfile.mkdtemp(prefix=f"yibao-tests-{os.getpid()}-"))
    directory.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YIBAO_")}
    yield {**kept, "YIBAO_HOME": str(directory / "home"), "YIBAO_PORT": port}
    shutil.rmtree(directory)


class Demo:
    """A running ``yibao demo --json`` and the description that it printed."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "yibao.entrypoints.cli.main", "demo", "--json", "--persons", PERSONS],
            env=environ, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line == "}\n":
                break
        log = Path(environ["YIBAO_HOME"]) / "server.log"
        assert lines[-1:] == ["}\n"], log.read_text(encoding="utf-8")[-5000:]
        self.description: dict[str, Any] = json.loads("".join(lines))
        assert "base_url" in self.description, self.description

    def stop(self) -> int:
        """Stop as Ctrl-C does and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        return self.process.returncode


def yibao(environ: dict[str, str], *words: str) -> tuple[int, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "yibao.entrypoints.cli.main", *words, "--json"], env=environ, capture_output=True,
        text=True, cwd=ROOT, check=False,
    )
    return done.returncode, json.loads(done.stdout)


def is_listening(port: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=2)
    try:
        connection.connect()
    except OSError:
        return False
    connection.close()
    return True


def test_from_nothing_to_a_settled_visit_and_back(environment: dict[str, str]) -> None:
    demo = Demo(environment)
    home = Path(environment["YIBAO_HOME"])
    try:
        written = json.loads((home / "demo.json").read_text(encoding="utf-8"))
        assert written == demo.description
        assert written["base_url"] == f"http://127.0.0.1:{environment['YIBAO_PORT']}"

        code, shown = yibao(environment, "demo")
        assert (code, shown) == (0, written)

        curl = subprocess.run(
            [ROOT / "examples" / "visit-by-curl.sh"], env=environment, capture_output=True, text=True, check=True,
            cwd=ROOT,
        )
        replies = [json.loads(line) for line in curl.stdout.splitlines()]
        assert [reply["infcode"] for reply in replies] == [0] * 4
        trial, settled = (reply["output"]["setlinfo"] for reply in replies[2:])
        assert settled["medfee_sumamt"] == written["first_visit"]["expected"]["medfee_sumamt"]
        assert {k: v for k, v in trial.items() if k in written["first_visit"]["expected"]} == {
            k: v for k, v in settled.items() if k in written["first_visit"]["expected"]
        }

        code, explained = yibao(environment, "explain", settled["setl_id"])
        assert (code, explained["differences"]) == (0, [])
        code, verified = yibao(environment, "verify")
        assert (code, verified["ok"]) == (0, True)
        settlements = verified["findings"][0]["checked"]
        assert settlements >= 2
    finally:
        code = demo.stop()
    assert code == 0
    assert not is_listening(environment["YIBAO_PORT"])
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()

    again = Demo(environment)
    try:
        code, verified = yibao(environment, "verify")
        assert (code, verified["ok"]) == (0, True)
        assert verified["findings"][0]["checked"] == settlements + 1
    finally:
        assert again.stop() == 0


def test_a_killed_demo_leaves_no_server_behind_and_the_next_one_starts(environment: dict[str, str]) -> None:
    demo = Demo(environment)
    server_log = Path(environment["YIBAO_HOME"]) / "server.log"
    with socket.create_connection(("127.0.0.1", int(environment["YIBAO_PORT"])), timeout=60) as open_connection:
        demo.process.kill()
        demo.process.communicate(timeout=60)
        # The server notices that its parent is gone, stops, and closes this connection, too.
        assert open_connection.recv(1) == b""
    again = Demo(environment)
    try:
        assert again.description["base_url"].endswith(environment["YIBAO_PORT"])
        assert server_log.exists()
    finally:
        assert again.stop() == 0
