"""The parties outside as real HTTP servers on ports of their own, each with a store that outlives them."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import uvicorn

from yibao_parties.desk import Desk
from yibao_parties.serve import make_party


class Off(Exception):
    """The office says no, or nothing; the text is its answer."""


class Office:
    """One party; it can be stopped and started again over the same store."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self._store, self.port = name, directory / f"{name}.sqlite3", 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Return the address, the same after a restart."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Office:
        """Serve until ``stop``."""
        desk = Desk(make_party(self.name, self._store))
        server = uvicorn.Server(uvicorn.Config(desk, host="127.0.0.1", port=self.port, log_level="warning", access_log=False))
        ready, started = threading.Event(), server.startup

        async def startup(sockets: Any = None) -> None:
            await started(sockets=sockets)
            ready.set()

        server.startup = startup  # type: ignore[method-assign]
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
        thread.start()
        assert ready.wait(20), f"{self.name} did not start"
        self.port = server.servers[0].sockets[0].getsockname()[1]
        self._server, self._thread = server, thread
        return self

    def stop(self) -> None:
        """End the process; the store stays."""
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join(20)

    def post(self, path: str, **body: Any) -> Any:
        """Post to the office; raises ``Off`` when it says no."""
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return self._ask(request)

    def get(self, path: str) -> Any:
        """Ask the office."""
        return self._ask(urllib.request.Request(self.url + path))

    def act(self, act: str, **body: Any) -> Any:
        """Have somebody there do something."""
        return self.post(f"/acts/{act}", **body)["done"]

    def advance(self, now: str) -> list[str]:
        """Turn its clock to an instant of business time, such as ``2024-07-03T09:00``."""
        return list(self.post("/advance", now=f"{now}:00+08:00")["did"])

    def mode(self, mode: str, **more: Any) -> None:
        """Change its mood."""
        self.post("/mode", mode=mode, **more)

    def messages(self, after: int = 0) -> list[dict[str, Any]]:
        """Return what it says to the platform."""
        return list(self.get(f"/messages?after={after}")["messages"])

    def tell(self, no: int, kind: str, body: dict[str, Any], *, id: str = "", digest: str = "") -> Any:
        """Send it a message as the platform does."""
        from yibao_parties.wire import canonical, sm3_hex

        return self.post("/messages", messages=[{
            "no": no, "id": id or f"m{no}", "kind": kind, "admdvs": body.get("admdvs", "370300"), "body": body,
            "digest": digest or sm3_hex(canonical(body)),
        }])

    def _ask(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise Off(f"{error.code} {json.loads(error.read()).get('why')}") from error
        except OSError as error:
            raise Off(str(error)) from error
