"""Messages reach the platform over HTTP and in process alike, and numbers stay exact."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, MutableMapping
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from yibao.demo.senders import asgi_sender, http_sender

MESSAGE = {"infno": "2206", "input": {"data": {"medfee_sumamt": Decimal("10.10"), "cnt": Decimal("3")}}}


class Echo(BaseHTTPRequestHandler):
    """Answers with the body it got."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def echo_url() -> Iterator[str]:
    """Run a server that echoes."""
    server = HTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/fsi"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_over_http(echo_url: str) -> None:
    assert await http_sender(echo_url)(MESSAGE) == MESSAGE


async def test_in_process() -> None:
    seen: dict[str, Any] = {}

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        request = await receive()
        seen.update(path=scope["path"], body=request["body"], after=(await receive())["type"])
        half = len(request["body"]) // 2
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": request["body"][:half], "more_body": True})
        await send({"type": "http.response.body", "body": request["body"][half:]})

    assert await asgi_sender(app, "/fsi/x")(MESSAGE) == MESSAGE
    assert seen["path"] == "/fsi/x"
    assert seen["after"] == "http.disconnect"
    # Amounts travel as JSON numbers, not as text.
    assert json.loads(seen["body"])["input"]["data"] == {"medfee_sumamt": 10.1, "cnt": 3}


def test_only_http_addresses_are_taken() -> None:
    with pytest.raises(ValueError, match="not an http address"):
        http_sender("file:///etc/passwd")
