"""A city under a clock that the test turns: the whole platform over HTTP on a small demo world of another date.

Tills, wards, pharmacies and halls talk to it as strangers would; their times are the city's, never the host's.
"""

from __future__ import annotations

import asyncio
import re
import threading
import tomllib
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from tests.support.drugstore import Drugstore
from tests.support.hall import Hall
from tests.support.till import Counter, Till, new_msgid
from tests.support.turned_clock import PointedClock, TurnedClock
from tests.support.ward import Ward
from yibao.app import App
from yibao.demo.description import ENDPOINT, describe
from yibao.demo.world import build_world
from yibao.domains.windows.stored import StoredPlan
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.policies.publish_policies import publish_policies
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.verify_books import verify_books
from yibao.usecases.windows.pass_gate import Gate
from yibao.usecases.windows.propose_plan import ProposePlan, propose_plan
from yibao.usecases.windows.publish_plan import PublishPlan, publish_plan

SEED = 11
T = TypeVar("T")


def at(text: str) -> datetime:
    """Return an instant of business time: ``2021-10-10``, ``2021-10-10 08:30`` or with seconds and fractions."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Denied(Exception):
    """A deed was refused; nothing of it is left."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence())
        self.refusal = refusal


async def fill(url: str, *, today: date, persons: int = 60) -> None:
    """Put law and a small demo world as of a day into a database that has the catalogues."""
    database = await Database.open(url, role=None, size=2)
    await publish_policies(database, now=at(today.isoformat()))
    await build_world(database, persons=persons, seed=SEED, today=today, progress=lambda *_: None)
    await database.close()


class _Server(threading.Thread):
    """The app on a port of its own."""

    def __init__(self, app: App) -> None:
        super().__init__(daemon=True)
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False))  # type: ignore[arg-type]
        self._is_ready = threading.Event()
        started = self._server.startup

        async def startup(sockets: Any = None) -> None:
            await started(sockets=sockets)
            self._is_ready.set()

        self._server.startup = startup  # type: ignore[method-assign]

    def run(self) -> None:
        """Serve until told to stop."""
        asyncio.run(self._server.serve())

    def wait_ready(self) -> str:
        """Return the base URL once the server answers."""
        assert self._is_ready.wait(60), "the server did not start"
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def end(self) -> None:
        """Stop serving and wait for the thread."""
        self._server.should_exit = True
        self.join(20)


class City:
    """The platform of a region at some time, and everybody who talks to it.

    Attributes:
        world: what ``demo.json`` would say on the day it was opened.
        clock: turn it with ``turn``; the server, the deeds and the tills all look at it.
    """

    def __init__(self, url: str, home: Path, *, opened_at: datetime, exact: bool = False) -> None:
        self.url, self.ids = url, RandomIds()
        self.clock: TurnedClock | PointedClock = PointedClock(opened_at) if exact else TurnedClock(opened_at)
        self.texts = read_policy_files()
        self.shelf = PolicyShelf({code: load_policy(files) for code, files in self.texts.items()})
        self.app = App(
            Settings(home=home, database_url=url, demo=True, connections=4), policy_files=self.texts, clock=self.clock
        )
        self._server = _Server(self.app)
        self._server.start()
        self.base_url = self._server.wait_ready()
        self.world: dict[str, Any] = self.with_database(
            lambda d: describe(d, base_url=self.base_url, today=business_date(opened_at), seed=SEED))
        self._opened: list[Till | Hall] = []

    def close(self) -> None:
        """Stop serving."""
        for one in self._opened:
            one.close()
        self._server.end()

    def turn(self, text: str) -> None:
        """Turn the clock to an instant of business time."""
        self.clock.turn(at(text))

    # ── who talks to it ──

    def institution(self, region: str = "370300", index: int = 0, *, kind: str = "1") -> dict[str, Any]:
        """Return the n-th institution of a region that does not sign; kind 1 is a hospital, 2 a pharmacy."""
        found = [i for i in self.world["institutions"]
                 if i["auth"]["scheme"] == "none" and i["admdvs"][:4] == region[:4] and i["kind"] == kind]
        return dict(found[index])

    def till(self, region: str = "370300", index: int = 0, *, kind: str = "1") -> Till:
        """Return a till at an institution."""
        return self._at_desk(Till, region, index, kind)

    def ward(self, region: str = "370300", index: int = 0) -> Ward:
        """Return a ward of a hospital."""
        return self._at_desk(Ward, region, index, "1")

    def drugstore(self, region: str = "370300", index: int = 0) -> Drugstore:
        """Return a pharmacy's till."""
        return self._at_desk(Drugstore, region, index, "2")

    def _at_desk(self, desk: Callable[..., Any], region: str, index: int, kind: str) -> Any:
        counter = Counter.of(self.institution(region, index, kind=kind), region=region)
        opened = desk(self.base_url + ENDPOINT, counter)
        write = opened.envelope

        def envelope(infno: str, content: Any, *, msgid: str | None = None, insured_place: str = "") -> dict[str, Any]:
            message = write(infno, content, msgid=msgid or new_msgid(), insured_place=insured_place)
            return {**message, "inf_time": f"{self.clock.now().astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"}

        opened.envelope = envelope
        self._opened.append(opened)
        return opened

    def hall(self, post: str = "intake", region: str = "370300") -> Hall:
        """Return a hall with the key of a post; a post that starts with ``H`` or ``P`` is an institution's code."""
        agency = self.world["agency"]
        keys = agency["keys"][region]
        hall = Hall(agency["api"], keys[post] if post in keys else keys["institutions"][post])
        self._opened.append(hall)
        return hall

    def patient(self, story: str) -> dict[str, Any]:
        """Return a named patient."""
        return next(dict(p) for key in ("patients", "more_stories", "played") for p in self.world[key] if p["story"] == story)

    # ── deeds of the agency ──

    def with_database(self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Do some work with a database of the owner, opened for it alone."""

        async def run() -> T:
            database = await Database.open(self.url, role=None, size=2)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(run())

    def do(self, deed: Callable[..., Awaitable[Any]], *what: Any, actor: Actor | None = None, **more: Any) -> Any:
        """Do a deed ``(tx, *what, actor=, now=, ids=, **more)`` in one transaction at the city's time.

        Raises:
            Denied: it was refused; nothing is left of it.
        """
        clerk = actor or Actor(login="clerk.first", channel="cli", regions=self.shelf.regions, roles=("intake", "review"))

        async def run(database: Database) -> Any:
            async with database.transaction() as tx:
                answer = await deed(tx, *what, actor=clerk, now=self.clock.now(), ids=self.ids, **more)
                if isinstance(answer, Refusal):
                    raise Denied(answer)
                return answer

        return self.with_database(run)

    def publish(self, plan: str, *, year: int | None = None, reason: str = "") -> StoredPlan:
        """Propose and publish a plan by two people at the city's time: a name of the package, or a text.

        From the next request on every way in goes by it.
        """
        text = plan if "\n" in plan else plan_text(plan, year=year)
        admdvs = str(tomllib.loads(text)["admdvs"])
        proposed: StoredPlan = self.do(propose_plan, ProposePlan(admdvs=admdvs, text=text, reason=reason))
        second = Actor(login="clerk.second", channel="cli", regions=self.shelf.regions, roles=("approve",))
        command = PublishPlan(admdvs=admdvs, name=proposed.name, version=proposed.version)
        published: StoredPlan = self.do(publish_plan, command, actor=second)
        self.app.gate.expire()
        return published

    def gate(self) -> Gate:
        """Return a gate with the plans as they are published now, for deeds that the test does itself."""

        async def run(database: Database) -> Gate:
            async with database.connection() as connection:
                return await Gate.read(connection)

        return self.with_database(run)

    def fetch(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Return rows of the database, looked at as its owner."""

        async def run(database: Database) -> list[dict[str, Any]]:
            return [dict(row) for row in await database.fetch(sql, *values)]

        return self.with_database(run)

    def breaches(self) -> dict[str, int]:
        """Return what ``yibao verify`` finds wrong: sentence to number; empty when the books are clean."""

        async def run(database: Database) -> dict[str, int]:
            async with database.transaction() as tx:
                return {f"{f.invariant} {f.says}": f.breaches for f in await verify_books(tx, replay=50) if f.breaches}

        return self.with_database(run)


def plan_text(name: str, *, year: int | None = None) -> str:
    """Return the text of a plan of the package; with ``year`` all its instants are moved to that year.

    Month, day and hour stay, so weekdays do not: what is said of them is left out.
    """
    text = resources.files("yibao").joinpath("data", "plans", f"{name}.toml").read_text("utf-8")
    if year is None:
        return text
    first = min(int(y) for y in re.findall(r"(20\d\d)-\d\d-\d\d", text))
    moved = re.sub(r"(20\d\d)(-\d\d-\d\d)", lambda m: f"{int(m[1]) - first + year}{m[2]}", text)
    moved = re.sub(r"[（(]星期.[)）]|星期[一二三四五六日]", "", moved)
    moved = re.sub(r"[（(]星期.[）)]", "", moved)
    tomllib.loads(moved)
    return moved
