"""What only shows over a real connection: Expect, early refusals of large bodies, and staying connected."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from tests.spec.gateway.world import envelope, registration
from yibao.entrypoints.gateway.gateway import Gateway
from yibao.entrypoints.gateway.routes import SINGLE_ENDPOINT

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
async def port(gateway: Gateway) -> AsyncIterator[int]:
    """Serve the gateway on a free port."""
    server = uvicorn.Server(uvicorn.Config(
        gateway, host="127.0.0.1", port=0, log_level="warning", access_log=False, lifespan="off"
    ))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await serving


async def _exchange(port: int, *pieces: bytes, until: bytes) -> bytes:
    """Send pieces one by one, reading until ``until`` after the last; return everything read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        got += await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    while until not in got:
        got += await asyncio.wait_for(reader.read(65536), 5)
    writer.close()
    await writer.wait_closed()
    return got


async def test_expect_continue_is_answered(port: int) -> None:
    """Row: Expect: 100-continue (C#)."""
    body = json.dumps(envelope("2201", registration())).encode()
    head = (
        f"POST {SINGLE_ENDPOINT} HTTP/1.1\r\nHost: y\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    got = await _exchange(port, head, body, until=b'"output"')
    assert got.startswith(b"HTTP/1.1 100")
    assert b"HTTP/1.1 200 OK" in got
    assert b'"infcode":0' in got


async def test_a_hundred_announced_megabytes_are_answered_at_once(port: int) -> None:
    """The refusal comes before one byte of the body was sent."""
    head = f"POST {SINGLE_ENDPOINT} HTTP/1.1\r\nHost: y\r\nContent-Length: {100 * MEGABYTE}\r\n\r\n".encode()
    got = await _exchange(port, head, until=b'"output"')
    assert b"HTTP/1.1 200 OK" in got
    assert b'"infcode":-1' in got


@pytest.mark.parametrize("announced", [True, False])
async def test_who_sends_it_all_the_same_reads_the_refusal(port: int, announced: bool) -> None:
    """A client that does not look up before it sent everything still gets its answer."""
    async def content() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * MEGABYTE

    headers = {"content-length": str(20 * MEGABYTE)} if announced else {}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        reply = await client.post(SINGLE_ENDPOINT, content=content(), headers=headers)
        assert reply.status_code == 200
        assert reply.json()["infcode"] == -1
        again = await client.post(SINGLE_ENDPOINT, json=envelope("2201", registration()))
    assert again.json()["infcode"] == 0
