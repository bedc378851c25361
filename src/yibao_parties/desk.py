"""The desk of a party: its HTTP address, as a raw ASGI app."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from yibao_parties.party import OFF, SLOW, Declined, Party, decode

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BATCH_MAX = 500
TICK_S = 2.0
_ALWAYS = ("/mode", "/state")
_OK, _DECLINED, _UNKNOWN, _CLOSED = 200, 409, 404, 503


class Desk:
    """Serves one party: ``/messages``, ``/advance``, ``/acts/<act>``, ``/mode``, ``/state``."""

    def __init__(self, party: Party) -> None:
        self._party = party
        self._ticking: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            status, answer = await self._answer(scope, receive)
            content = json.dumps(answer, ensure_ascii=False).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                self._ticking = asyncio.create_task(self._tick())
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                if self._ticking is not None:
                    self._ticking.cancel()
                self._party.store.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _tick(self) -> None:
        """Do what time brings, by the host's clock, unless somebody turns the clock."""
        while True:
            await asyncio.sleep(TICK_S)
            if self._party.store.setting("mood") != OFF:
                self._party.tick()

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, Any]:
        content = await _content(receive)
        path, mood = scope["path"], self._party.store.setting("mood")
        if path not in _ALWAYS:
            if mood == OFF:
                return _CLOSED, {"why": "closed"}
            if mood == SLOW:
                await asyncio.sleep(int(self._party.store.setting("slow_ms", "500")) / 1000)
        try:
            return self._routed(scope["method"], path, scope.get("query_string", b"").decode(), content)
        except Declined as no:
            return _DECLINED, {"why": str(no), "taken": self._party.store.last_incoming()}
        except (KeyError, TypeError, ValueError) as error:
            return _DECLINED, {"why": f"cannot be read: {error!r}", "taken": self._party.store.last_incoming()}

    def _routed(self, method: str, path: str, query: str, content: bytes) -> tuple[int, Any]:
        party = self._party
        if (method, path) == ("GET", "/state"):
            return _OK, party.state()
        if (method, path) == ("GET", "/messages"):
            asked = parse_qs(query)
            after, limit = int(asked.get("after", ["0"])[0]), int(asked.get("limit", [str(BATCH_MAX)])[0])
            return _OK, {
                "messages": party.store.outgoing(after=after, limit=min(limit, BATCH_MAX)),
                "last": party.store.last_outgoing(),
            }
        if method != "POST":
            return _UNKNOWN, {"why": f"no {method} {path}"}
        body = decode(content)
        if path == "/messages":
            return _OK, {"taken": party.receive(body["messages"])}
        if path == "/advance":
            done = party.advance(datetime.fromisoformat(body["now"]))
            return _OK, {"now": body["now"], "did": done}
        if path == "/mode":
            party.set_mood(body["mode"], slow_ms=int(body.get("slow_ms", 500)), faults=body.get("faults"))
            return _OK, party.state()
        if path.startswith("/acts/"):
            return _OK, {"done": party.act(path.removeprefix("/acts/"), body)}
        return _UNKNOWN, {"why": f"no {method} {path}"}


async def _content(receive: Receive) -> bytes:
    parts = bytearray()
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return bytes(parts)
        parts += event.get("body", b"")
        if not event.get("more_body"):
            return bytes(parts)
