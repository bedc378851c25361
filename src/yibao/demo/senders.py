"""Two ways to deliver a message: over HTTP, or straight into the ASGI app of the same process."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Awaitable, Callable, MutableMapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec

from yibao.demo.hospital import Send

Asgi = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]
_CONTENT_TYPE = "application/json;charset=utf-8"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def http_sender(url: str, *, timeout_s: float = 30.0) -> Send:
    """Return a sender that posts to ``url``; numbers of replies stay exact.

    Raises:
        ValueError: ``url`` is no http address.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"not an http address: {url}")

    def post(body: bytes) -> bytes:
        request = urllib.request.Request(url, data=body, headers={"Content-Type": _CONTENT_TYPE})  # noqa: S310
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            content: bytes = answer.read()
        return content

    async def send(message: dict[str, Any]) -> dict[str, Any]:
        reply = await asyncio.to_thread(post, _ENCODER.encode(message))
        decoded: dict[str, Any] = _DECODER.decode(reply)
        return decoded

    return send


def asgi_sender(app: Asgi, path: str) -> Send:
    """Return a sender that calls an ASGI app in this process, without a socket."""

    async def send(message: dict[str, Any]) -> dict[str, Any]:
        body = _ENCODER.encode(message)
        pending: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]
        answer = bytearray()

        async def receive() -> MutableMapping[str, Any]:
            return pending.pop(0) if pending else {"type": "http.disconnect"}

        async def collect(event: MutableMapping[str, Any]) -> None:
            if event["type"] == "http.response.body":
                answer.extend(event.get("body", b""))

        await app(
            {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
                "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
                "headers": [
                    (b"content-type", _CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode()),
                ],
                "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 80),
            },
            receive,
            collect,
        )
        decoded: dict[str, Any] = _DECODER.decode(bytes(answer))
        return decoded

    return send
