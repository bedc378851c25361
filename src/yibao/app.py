"""The composition root: one ASGI app with the gateway beside the pages. Nobody imports it but the server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import asyncpg

from yibao.domains.exchange.rules import read_addresses
from yibao.entrypoints import late_watch, stage_watch, worker
from yibao.entrypoints.api.api import create_api
from yibao.entrypoints.api.services import ApiServices
from yibao.entrypoints.exchange import running as exchange
from yibao.entrypoints.gateway.gateway import Gateway
from yibao.entrypoints.gateway.registry import Services
from yibao.entrypoints.portals.institution.portal import create_portal
from yibao.entrypoints.portals.services import PortalServices
from yibao.infra.config import Settings
from yibao.infra.database import AGENCY, GATEWAY, PORTAL, WORKER, Connection, Database, Unavailable
from yibao.infra.policy_files import keep_version, read_policy_files
from yibao.infra.turned_clock import TurnedClock
from yibao.kernel.clock import Clock, SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.settlement.explain_settlement import Explanation, explain
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PAGE_PREFIXES = ("/institution", "/ui", "/assets")
"""Paths under which a POST is a form of a page; every other POST is an institution's message."""
GATEWAY_PREFIXES = ("/fsi", "/isp-api")
API_PREFIX = "/api/"
EXCHANGE_CONNECTIONS = 3
_ASK_AGAIN_S = 0.5
_DOWN = (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError)
"""What connecting to a database ends with that is not running, not yet, or no longer."""
_log = logging.getLogger("yibao")


class App:
    """The ASGI app: opens its pools at start-up, answers, and closes them at shut-down."""

    def __init__(self, settings: Settings, *, policy_files: dict[str, dict[str, str]], clock: Clock) -> None:
        self._settings = settings
        self._texts = policy_files
        self._policies: dict[str, RegionPolicy] = {code: load_policy(files) for code, files in policy_files.items()}
        self._clock = clock
        self._stop = asyncio.Event()
        self._open: list[Database] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._gateway: Gateway | None = None
        self._portal: Any = None
        self._api: Any = None
        self.gate: Gate = NO_GATE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._target(scope)(scope, receive, send)

    def _target(self, scope: Scope) -> Any:
        if scope["path"].startswith(API_PREFIX):
            return self._api
        return self._gateway if _is_message(scope) else self._portal

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                try:
                    await self.start()
                except Exception as error:
                    _log.exception("start-up failed")
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def start(self) -> None:
        """Open the pools in their roles and begin the worker's rounds; a database that is down is waited for.

        A process that gave up instead would take its parent, and with it all others, down as well. What waiting
        cannot mend, such as a wrong name or password, fails at once.
        """
        while True:
            try:
                await self._start()
            except Unavailable as error:
                if not isinstance(error.__cause__, _DOWN):
                    raise
                _log.warning("waiting for the database: %s", error)
            else:
                return
            await self._close_pools()
            await asyncio.sleep(_ASK_AGAIN_S)

    async def _start(self) -> None:
        url, size = self._settings.database_url, self._settings.connections
        if url is None:
            raise RuntimeError("the server needs a database URL; `yibao serve` starts the embedded one")
        database = await self._opened(url, role=GATEWAY, size=size)
        pages = await self._opened(url, role=PORTAL, size=max(2, size // 4))
        agency = await self._opened(url, role=AGENCY, size=max(2, size // 4))
        sealing = await self._opened(url, role=WORKER, size=1)
        await self._keep_law(database)
        shelf = PolicyShelf(self._policies)
        self.gate = gate = Gate(database)
        await gate.look()
        self._tasks.append(asyncio.create_task(gate.watch(self._stop), name="windows"))
        services = Services(
            database=database, clock=self._clock, ids=RandomIds(), policies=shelf, settings=self._settings,
            gate=gate,
        )
        self._gateway = Gateway(services)
        self._portal = create_portal(
            PortalServices(
                database=pages, clock=self._clock, ids=RandomIds(),
                regions={code: policy.name for code, policy in self._policies.items()}, explain=self._explain,
                policies={policy.version: policy for policy in self._policies.values()},
                is_demo=self._settings.demo, has_tls=self._settings.secure_cookies,
                gate=gate,
            )
        )
        self._api = create_api(
            ApiServices(
                database=agency, clock=self._clock, ids=RandomIds(), shelf=shelf,
                regions={code: policy.name for code, policy in self._policies.items()},
                policies={policy.version: policy for policy in self._policies.values()},
                file_bytes_max=self._settings.body_bytes_max, gate=gate,
            )
        )
        heads = self._settings.home / "audit-heads.txt"
        self._tasks.append(
            asyncio.create_task(worker.run(sealing, clock=self._clock, heads=heads, stop=self._stop))
        )
        self._tasks.append(asyncio.create_task(late_watch.run(
            database, shelf=shelf, clock=self._clock, ids=RandomIds(), stop=self._stop,
        )))
        self._tasks.append(asyncio.create_task(stage_watch.run(
            agency, gate=gate, regions=shelf.regions, clock=self._clock, ids=RandomIds(), stop=self._stop,
        )))
        if self._settings.parties:
            carrying = await self._opened(url, role=AGENCY, size=EXCHANGE_CONNECTIONS)
            self._tasks.append(asyncio.create_task(exchange.run(
                carrying, addresses=read_addresses(self._settings.parties), clock=self._clock, ids=RandomIds(),
                shelf=shelf, stop=self._stop, gate=gate,
            )))

    async def stop(self) -> None:
        """Finish what is under way, write the log out, close the pools."""
        self._stop.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._gateway is not None:
            await self._gateway.close()
        await self._close_pools()

    async def _close_pools(self) -> None:
        while self._open:
            await self._open.pop().close()

    async def _keep_law(self, database: Database) -> None:
        """Keep the text of the law that this process will decide by, so that its settlements replay (I9)."""
        async with database.transaction() as tx:
            for code, policy in self._policies.items():
                await keep_version(
                    tx, admdvs=code, version=policy.version, texts=self._texts[code], now=self._clock.now()
                )

    async def _opened(self, url: str, *, role: str, size: int) -> Database:
        database = await Database.open(url, role=role, size=size)
        self._open.append(database)
        return database

    async def _explain(self, tx: Connection, setl_id: str) -> Explanation | Refusal:
        return await explain(tx, setl_id, policies={p.version: p for p in self._policies.values()})


def _is_message(scope: Scope) -> bool:
    path = scope["path"]
    if path.startswith(GATEWAY_PREFIXES):
        return True
    return scope["method"] == "POST" and not path.startswith(PAGE_PREFIXES)


def create_app(settings: Settings) -> App:
    """Return the app; compiles the law once, so that forked workers share it."""
    clock = SystemClock() if settings.clock is None else TurnedClock(settings.clock)
    return App(settings, policy_files=read_policy_files(), clock=clock)
