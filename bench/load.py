"""The load: a process of its own that keeps connections busy with 2207 messages made beforehand.

Reads one JSON object (``Order``) from standard input, writes one (``Result``) to standard output. Its CPU is
not counted, but it runs on the same machine, so it does as little as possible: raw sockets, one answer looked
at for its infcode and length only.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import cast

import msgspec
import uvloop

from bench.bills import BillForm

PATH = "/fsi/api/rsfComIfsService/callService"
_SETTLED = b'"infcode":0,'
_LENGTH = b"content-length: "


class Order(msgspec.Struct, frozen=True):
    """What to send: visits ``first .. first + count`` of a size, evenly over the connections."""

    host: str
    port: int
    form: BillForm
    size: int
    first: int
    count: int
    connections: int


class Result(msgspec.Struct, frozen=True):
    """What came back. Latencies in milliseconds.

    Attributes:
        refusals: first texts of answers that were no settlement; must be empty.
    """

    seconds: float
    settled: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    refusals: tuple[str, ...]


class _Client(asyncio.Protocol):
    """One connection: sends the next message when the answer is complete."""

    def __init__(self, messages: Iterator[bytes], took_ns: list[int], refusals: list[str]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._messages = messages
        self._took_ns = took_ns
        self._refusals = refusals
        self._transport: asyncio.WriteTransport | None = None
        self._answer = b""
        self._started = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed a connection"))

    def send_next(self) -> None:
        """Send the next message, or close when there is none."""
        message = next(self._messages, None)
        assert self._transport is not None
        if message is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._started = time.perf_counter_ns()
        self._transport.write(message)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head = self._answer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._answer.find(_LENGTH, 0, head) + len(_LENGTH)
        length = int(self._answer[at:self._answer.find(b"\r\n", at)])
        if len(self._answer) < head + 4 + length:
            return
        self._took_ns.append(time.perf_counter_ns() - self._started)
        if self._answer.find(_SETTLED, head) < 0:
            self._refusals.append(self._answer[head + 4:].decode()[:300])
        self._answer = b""
        self.send_next()


def _messages(order: Order) -> list[bytes]:
    bodies = [order.form.body(size=order.size, number=n) for n in range(order.first, order.first + order.count)]
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: {order.host}:{order.port}\r\n"
        "content-type: application/json;charset=utf-8\r\ncontent-length: %d\r\n\r\n"
    ).encode()
    return [head % len(body) + body for body in bodies]


async def run(order: Order) -> Result:
    """Send everything and return what came back."""
    messages = _messages(order)
    took_ns: list[int] = []
    refusals: list[str] = []
    loop = asyncio.get_running_loop()
    share = -(-len(messages) // order.connections)
    clients = []
    for index in range(order.connections):
        part = iter(messages[index * share:(index + 1) * share])
        _, client = await loop.create_connection(lambda part=part: _Client(part, took_ns, refusals), order.host, order.port)  # type: ignore[misc]
        clients.append(client)
    started = time.perf_counter()
    for client in clients:
        client.send_next()
    await asyncio.gather(*(client.done for client in clients))
    seconds = time.perf_counter() - started
    took_ns.sort()

    def percentile(share: int) -> float:
        return round(took_ns[min(len(took_ns) * share // 100, len(took_ns) - 1)] / 1e6, 3)

    settled = len(took_ns) - len(refusals)
    return Result(seconds, settled, percentile(50), percentile(95), percentile(99), tuple(refusals[:3]))


def main() -> None:
    """Take the order from standard input and print the result."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    result = uvloop.run(run(order))
    sys.stdout.buffer.write(msgspec.json.encode(result))


if __name__ == "__main__":
    main()
