"""The parties of the year: each a process with its own store, asked over HTTP, on the proof's calendar."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.proofs.platform import _free_port, until

NAMES = ("tax", "bank", "hr", "civil", "health", "police")


class Outside:
    """Six offices that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ports = {name: _free_port() for name in NAMES}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._client = httpx.Client(timeout=30)

    def __enter__(self) -> Self:
        for name in NAMES:
            self.start(name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._running):
            self.stop(name)
        self._client.close()

    def address(self, name: str) -> str:
        """Return where an office listens."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self, name: str) -> None:
        """Start an office and wait until it answers."""
        self._running[name] = subprocess.Popen(
            [sys.executable, "-m", "yibao_parties.serve", name, "--port", str(self.ports[name]),
             "--store", str(self._folder / f"{name}.sqlite3")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        if not until(lambda: self._answers(name), within_s=30):
            raise AssertionError(f"the party {name} did not start")

    def stop(self, name: str) -> None:
        """Kill an office; its store stays."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def is_up(self, name: str) -> bool:
        """Say whether an office runs."""
        return name in self._running

    def advance(self, now: datetime) -> None:
        """Turn the clocks of those that run."""
        for name in self._running:
            self._post(name, "/advance", {"now": now.isoformat()})

    def act(self, name: str, act: str, body: dict[str, Any]) -> Any:
        """Do what somebody does at an office; return what it says, None when it says no."""
        reply = self._client.post(f"{self.address(name)}/acts/{act}", json=body)
        return reply.json()["done"] if reply.status_code < 300 else None

    def _post(self, name: str, path: str, body: dict[str, Any]) -> None:
        self._client.post(self.address(name) + path, json=body).raise_for_status()

    def _answers(self, name: str) -> bool:
        try:
            return self._client.get(f"{self.address(name)}/state").status_code == 200
        except httpx.HTTPError:
            return False


def folder() -> tempfile.TemporaryDirectory[str]:
    """Return a place for the stores: in memory where there is such a place, for nothing here has to outlive the machine."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix=f"yibao-tests-{os.getpid()}-year-", dir=memory if memory.is_dir() else None)
