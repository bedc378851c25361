"""The processes of the parties outside that this command starts and stops; kept as files beside the embedded database."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec

from yibao.infra.database import Unavailable
from yibao_parties.serve import HOST, KINDS

_READY_WITHIN_S, _STOP_WITHIN_S = 20.0, 20.0


class Running(msgspec.Struct, frozen=True):
    """A party's process."""

    party: str
    pid: int
    port: int

    @property
    def address(self) -> str:
        """Return where it answers."""
        return f"http://{HOST}:{self.port}"


def directory_of(home: Path) -> Path:
    """Return where the parties keep their stores, logs and numbers of processes."""
    return home / "parties"


def list_running(home: Path) -> dict[str, Running]:
    """Return the parties that were started here and not stopped."""
    found = {}
    for party in KINDS:
        file = directory_of(home) / f"{party}.json"
        if file.exists():
            found[party] = msgspec.json.decode(file.read_bytes(), type=Running)
    return found


def state_of(running: Running) -> dict[str, object] | None:
    """Return what a party says of itself, None when it does not answer."""
    connection = http.client.HTTPConnection(HOST, running.port, timeout=2)
    try:
        connection.request("GET", "/state")
        state: dict[str, object] = json.loads(connection.getresponse().read())
        return state if state.get("party") == running.party else None
    except (OSError, ValueError):
        return None
    finally:
        connection.close()


def start(home: Path, party: str, *, port: int) -> Running:
    """Start a party, or return the one that runs already.

    Raises:
        Unavailable: it did not begin to answer.
    """
    known = list_running(home).get(party)
    if known is not None and state_of(known) is not None:
        return known
    directory = directory_of(home)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"{party}.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "yibao_parties.serve", party, "--port", str(port), "--store",
             str(directory / f"{party}.sqlite3")],
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ),
        )
    running = Running(party, child.pid, port)
    deadline = time.monotonic() + _READY_WITHIN_S
    while state_of(running) is None:
        if child.poll() is not None or time.monotonic() > deadline:
            child.kill()
            raise Unavailable(f"{party} 没有启动，原因见 {directory / f'{party}.log'}")
        threading.Event().wait(0.1)
    (directory / f"{party}.json").write_bytes(msgspec.json.encode(running))
    return running


def stop(home: Path, party: str) -> bool:
    """Stop a party that was started here; say whether it ran. Its store stays."""
    running = list_running(home).get(party)
    if running is None:
        return False
    answers = state_of(running) is not None
    if answers:
        # Only a process that answers as this party is ended: the number may be somebody else's by now.
        os.kill(running.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_WITHIN_S
        while state_of(running) is not None and time.monotonic() < deadline:
            threading.Event().wait(0.1)
    (directory_of(home) / f"{party}.json").unlink(missing_ok=True)
    return answers
