"""Counts what one message costs the database: round trips on the wire, and every SQL statement that runs.

Round trips are counted by a proxy between the driver and the server: a Sync or a Query message is a question that
waits for its answer. Statements are counted by the server: with every plan made anew for each execution
(``plan_cache_mode``) and planning logged to the client (``log_planner_stats``), each executed statement, also one
inside a database function, is one log message whose context names it. Only BEGIN, COMMIT and ROLLBACK are not
planned; they come as Query messages and are counted there. Expressions of PL/pgSQL are no statements: they are
planned once per session and executed without the executor.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import msgspec

from yibao.entrypoints.gateway.gateway import Gateway, Request
from yibao.entrypoints.gateway.registry import Services
from yibao.entrypoints.gateway.routes import SINGLE_ENDPOINT
from yibao.infra.config import Settings
from yibao.infra.database import GATEWAY, Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.policy.law.loading import load_policy
from yibao.usecases.settlement.shelf import PolicyShelf

_SOCKET = ".s.PGSQL.5432"
_LOG_PLANNING = {
    "role": GATEWAY, "plan_cache_mode": "force_custom_plan", "log_planner_stats": "on", "client_min_messages": "log",
    "timezone": "UTC", "jit": "off",
}
_TYPE_AND_LENGTH = 5
_PLACE = re.compile(r"function ([\w.]+)\(.*\) line (\d+)")
DRIVER = "driver"


class Cost(msgspec.Struct, frozen=True):
    """What one message cost.

    Attributes:
        round_trips: questions to the server that waited for an answer.
        statements: where each executed statement stood, in order: a function and its line, or ``DRIVER``.
        reply: the bytes answered.
    """

    round_trips: int
    statements: tuple[str, ...]
    reply: bytes


class _Wire:
    """Forwards connections to the server's socket and counts the questions of the driver."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.questions = 0
        self.simple = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection in both directions until either side ends."""
        from_server, to_server = await asyncio.open_unix_connection(self._target)
        answers = asyncio.create_task(_forward(from_server, writer))
        self._tasks.add(answers)
        answers.add_done_callback(self._tasks.discard)
        try:
            length = await reader.readexactly(4)  # the start-up message has no type
            to_server.write(length + await reader.readexactly(int.from_bytes(length) - 4))
            while True:
                head = await reader.readexactly(_TYPE_AND_LENGTH)
                self.questions += head[:1] in (b"S", b"Q")
                self.simple += head[:1] == b"Q"
                to_server.write(head + await reader.readexactly(int.from_bytes(head[1:]) - 4))
        except asyncio.IncompleteReadError:
            to_server.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


class CountingGateway:
    """The platform's gateway in this process over one counted connection."""

    def __init__(self, gateway: Gateway, wire: _Wire, logged: list[str]) -> None:
        self._gateway = gateway
        self._wire = wire
        self._logged = logged

    async def answer(self, body: bytes) -> Cost:
        """Answer a message and return what it cost."""
        questions, simple = self._wire.questions, self._wire.simple
        self._logged.clear()
        reply = await self._gateway.answer(Request(SINGLE_ENDPOINT, {"content-type": "application/json"}, body))
        await asyncio.sleep(0)  # log messages are handed over by the loop
        simple_ones = (DRIVER,) * (self._wire.simple - simple)
        return Cost(self._wire.questions - questions, (*self._logged, *simple_ones), reply.body)


@asynccontextmanager
async def counting_gateway(url: str) -> AsyncIterator[CountingGateway]:
    """Lend a gateway over the database of ``url``, which must name a superuser and a socket directory."""
    parts = urlsplit(url)
    target = parse_qs(parts.query)["host"][0]
    wire, logged = _Wire(f"{target}/{_SOCKET}"), list[str]()
    policies = {code: load_policy(texts) for code, texts in read_policy_files().items()}
    with tempfile.TemporaryDirectory() as directory:
        proxy = await asyncio.start_unix_server(wire.accept, Path(directory) / _SOCKET)

        async def connect() -> asyncpg.Connection[asyncpg.Record]:
            connection = await asyncpg.connect(
                host=directory, user=parts.username, database=parts.path[1:], server_settings=_LOG_PLANNING
            )
            connection.add_log_listener(lambda _, message: _note(logged, message))
            return connection

        database = Database(connect, size=1, acquire_timeout_s=2)
        gateway = Gateway(Services(
            database=database, clock=SystemClock(), ids=RandomIds(), policies=PolicyShelf(policies),
            settings=Settings(demo=True),
        ))
        try:
            yield CountingGateway(gateway, wire, logged)
        finally:
            await gateway.close()
            await database.close()
            proxy.close()


def _note(logged: list[str], message: asyncpg.PostgresLogMessage) -> None:
    if message.message == "PLANNER STATISTICS":
        place = _PLACE.search(getattr(message, "context", None) or "")
        logged.append(f"{place[1]} line {place[2]}" if place else DRIVER)


async def count_settlements(url: str, bodies: Mapping[int, Sequence[bytes]]) -> dict[int, Cost]:
    """Settle every body and return, by size, what the last one of each size cost."""
    costs: dict[int, Cost] = {}
    async with counting_gateway(url) as gateway:
        for size, messages in bodies.items():
            for body in messages:
                costs[size] = await gateway.answer(body)
    return costs
