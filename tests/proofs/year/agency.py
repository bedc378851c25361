"""The region's agency in the year: one database, one clock, two clerks, and a gateway for the hospitals."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import msgspec

from tests.support.databases import execute
from tests.support.turned_clock import TurnedClock
from yibao.app import App
from yibao.demo.institutions import sites, staff_of
from yibao.demo.loading import insert_regions, insert_site
from yibao.demo.places import regions
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.infra.migrate import migrate
from yibao.infra.policy_files import read_policy_files
from yibao.infra.postgres import EmbeddedPostgres
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.catalogue.load_catalogue import load_all
from yibao.usecases.policies.publish_policies import publish_policies
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.verify_books import verify_books

REGION, OTHER_REGION = "370300", "441300"
FIRST = Actor(login="clerk.first", channel="cli", regions=(REGION,), roles=("intake", "review"))
SECOND = Actor(login="clerk.second", channel="cli", regions=(REGION,), roles=("approve", "pay"))
THERE = Actor(login="clerk.there", channel="cli", regions=(OTHER_REGION,), roles=("intake", "review"))
WORLD_SEED = 11


class Agency:
    """What the clerks and batches of the year work with."""

    def __init__(self, url: str, app: App, database: Database, clock: TurnedClock, shelf: PolicyShelf) -> None:
        self.url, self.app, self.database, self.clock, self.shelf = url, app, database, clock, shelf
        self.ids = RandomIds()
        self.refused: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    async def do(
        self, deed: Callable[..., Awaitable[Any]], command: Any, *, actor: Actor = FIRST, **more: Any
    ) -> Any | None:
        """Do a deed in one transaction; None when it was refused, which is counted by its code."""
        try:
            async with self.database.transaction() as tx:
                answer = await deed(tx, command, actor=actor, now=self.clock.now(), ids=self.ids, **more)
                if isinstance(answer, Refusal):
                    raise _Refused(answer)
        except _Refused as no:
            self.refuse(deed.__name__, no.refusal)
            return None
        self.done[deed.__name__] += 1
        return answer

    async def deed(self, deed: Callable[..., Awaitable[Any]], command: Any, *, actor: Actor = FIRST) -> Any | None:
        """Do a deed that asks the law."""
        return await self.do(deed, command, actor=actor, shelf=self.shelf)

    def refuse(self, what: str, refusal: Refusal) -> None:
        """Count a refusal; the first of each code is said."""
        code = f"{what}:{refusal.faults[0].code}"
        if not self.refused[code]:
            print(f"  {code}: {refusal.sentence()[:300]}", flush=True)
        self.refused[code] += 1

    async def verify(self) -> int:
        """Return how many breaches the books have now, each said."""
        async with self.database.transaction() as tx:
            findings = await verify_books(tx, replay=20)
        for finding in findings:
            if finding.breaches:
                print(f"  {finding.invariant} {finding.says}: {finding.breaches} {list(finding.examples)}", flush=True)
        return sum(f.breaches for f in findings)


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence())
        self.refusal = refusal


def noon(day: date, hour: int = 9) -> datetime:
    """Return an instant of a day's business time."""
    return datetime.combine(day, time(hour), SHANGHAI)


async def found_agency(
    postgres: EmbeddedPostgres, name: str, home: Path, *, first: date, has_catalogue: bool = True
) -> Agency:
    """Make a database with law, catalogue and institutions, and nobody in it."""
    # Nothing is killed here, so no commit has to wait for the disk.
    execute(
        postgres.url_for("postgres"), f"create database {name}", f"alter database {name} set synchronous_commit = off"
    )
    url = postgres.url_for(name)
    await migrate(url)
    clock = TurnedClock(noon(first, 0))
    database = await Database.open(url, role=None, size=4)
    texts = read_policy_files()
    await publish_policies(database, now=clock.now())
    if has_catalogue:
        await load_all(database, now=clock.now(), ids=RandomIds())
    async with database.transaction() as tx:
        await insert_regions(tx, regions())
        for site in sites(seed=WORLD_SEED, today=first):
            await insert_site(tx, site, staff_of(site, seed=WORLD_SEED), now=clock.now())
    home.mkdir(exist_ok=True)
    app = App(
        Settings(home=home, database_url=url, demo=True, connections=4), policy_files=texts, clock=clock  # type: ignore[arg-type]
    )
    await app.start()
    return Agency(url, app, database, clock, PolicyShelf({code: load_policy(files) for code, files in texts.items()}))


def environment(agency: Agency) -> dict[str, str]:
    """Return the environment in which the command line works on this database."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith("YIBAO_")}, "YIBAO_DATABASE_URL": agency.url}


def encode(value: Any) -> bytes:
    """Return the canonical JSON of business facts."""
    return msgspec.json.encode(value, order="deterministic")
