"""WINDOW: a city stops for nine days and starts again, twice: once undisturbed, once with everything killed at random.

Care goes on before, inside and after the stop; institutions note what they cannot settle and send it in any order after the
restart; papers come to the counter; units pay their dues at a tax bureau that cannot be reached, a bank is silent. Then
nothing is left over: every row of every register is closed or somebody answers for it, all cash ties, and the business
facts of both lives are the same.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec

from tests.proofs.books import Books
from tests.proofs.platform import Platform, Result, Served, _free_port
from tests.proofs.year.outside import Outside, folder
from tests.support.databases import drop_database
from tests.support.till import TRY_AGAIN
from tests.support.window_city import plan_text
from yibao.demo.agency import describe_agency
from yibao.demo.description import ENDPOINT
from yibao.demo.rehearsal.counter import Counter as Till
from yibao.demo.rehearsal.life import Life
from yibao.demo.rehearsal.office import Office, who_brings_papers
from yibao.demo.rehearsal.report import Left, look_at
from yibao.demo.rehearsal.script import Season, write_script
from yibao.demo.rehearsal.stage import build_stage, gather_people, program_key
from yibao.domains.windows.model import Plan
from yibao.domains.windows.reading import read_plan
from yibao.entrypoints.cli.window_rehearse import publish, season_of
from yibao.entrypoints.exchange.running import relay_once
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.infra.failpoints import POINTS
from yibao.infra.migrate import migrate
from yibao.infra.policy_files import read_policy_files
from yibao.infra.turned_clock import TurnedClock
from yibao.kernel.actor import Actor
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.send_bills import send_bills
from yibao.usecases.settlement.shelf import PolicyShelf

YEAR = 2025
"""Year to which the plan is moved: all visit classes have law then."""
EARLY = timedelta(days=12)
CARES_OF_TEN = 6
"""Pieces of care for ten people."""
KILL_ONE_IN, DATABASE_KILLS = 40, 3
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NO_ANSWER = (httpx.HTTPError, OSError)
_ASK_AGAIN_S, _WITHIN_S = 0.05, 120.0
_MONEY = ("2207", "2304", "2102")
DUES = """
select count(*) filter (where state not in ('arrived', 'credited', 'cancelled'))::integer as not_arrived,
       count(*)::integer as dues, coalesce(sum(surcharge_fen), 0)::bigint as surcharge
from contributions.due where month = $1 and payer_kind = 'unit'
"""
# The demo's people have no wages; their units declare them now.
WAGES = """
update enrolment.relation r set enrolment_kind = 'employed', wage_fen = 450000 + (right(psn_no, 4)::bigint % 50) * 10000
where admdvs = $1 and insutype = '310' and psn_type like '11%' and emp_no is not null and status = '1'
"""
CUT = """
select count(*)::integer from enrolment.relation r
where r.admdvs = $1 and r.status = '1' and r.benefit_to is not null and r.benefit_to <= $2
"""


def run(n: int, seed: int, platform: Platform) -> Result:
    """Live the window with ``n`` people undisturbed and, from 1 000 people on, once more with kills."""
    lives = [_Stage(platform, n=n, seed=seed, kills=False).run()]
    if n >= 1_000:
        lives.append(_Stage(platform, n=n, seed=seed, kills=True).run())
    calm = lives[0]
    wrong: Counter[str] = Counter()
    for left, more in lives:
        wrong.update(left.wrong)
        wrong.update(more)
        for name, examples in left.examples.items():
            print(f"  {name}: {examples}")
    wrong["digests_differ"] = len({left.digest for left, _ in lives}) - 1
    left = calm[0]
    done = {
        "people": n, "lives": len(lives), **left.done, **{f"episodes {k}": v for k, v in left.episodes.items()},
        **{f"cash {k}": v for k, v in left.cash.items()}, "rows": sum(b["rows"] for b in left.books),
        "kills": lives[-1][1]["kills"] if len(lives) > 1 else 0, "digest": left.digest[:16],
    }
    for name in ("kills", "database_kills"):
        done[name] = wrong.pop(name, 0)
    return Result(done, dict(wrong))


class _Stage:
    """One life of the window in a database of its own."""

    def __init__(self, platform: Platform, *, n: int, seed: int, kills: bool) -> None:
        self.platform, self.n, self.seed, self.kills = platform, n, seed, kills
        self.text = plan_text("zibo-2021", year=YEAR)
        plan = read_plan(self.text)
        assert isinstance(plan, Plan), plan
        self.plan, self.season = plan, season_of(plan)
        self.rng = Random(f"{seed}/kills")
        self.killed: Counter[str] = Counter()
        self.shelf = PolicyShelf({code: load_policy(files) for code, files in read_policy_files().items()})

    def run(self) -> tuple[Left, dict[str, int]]:
        """Prepare, live, look."""
        name = f"window_{'killed' if self.kills else 'calm'}"
        with Books(self.platform.postgres.url_for("postgres")) as books:
            books.execute(f"create database {name}")
        home = Path(tempfile.mkdtemp(prefix=self.platform.postgres.place.root.name))
        try:
            return asyncio.run(self._run(self.platform.postgres.url_for(name), home))
        finally:
            shutil.rmtree(home, ignore_errors=True)
            drop_database(self.platform.postgres.url_for("postgres"), name)

    async def _run(self, url: str, home: Path) -> tuple[Left, dict[str, int]]:
        await migrate(url)
        clock = TurnedClock.make(home / "clock", self.season.begin - EARLY)
        database = await Database.open(url, role=None, size=3)
        institutions = 20 if self.n >= 1_000 else 4
        await build_stage(
            database, admdvs=self.plan.admdvs, at=clock.now(), persons=self.n, institutions=institutions, seed=self.seed,
            progress=lambda *_: None,
        )
        await publish(database, self.plan, self.text, clock)
        settings = Settings(
            home=home, database_url=url, port=_free_port(), workers=2, failpoints=True, demo=True, log_level="warning",
            clock=home / "clock",
        )
        served = Served(settings)
        with folder() as stores, Outside(Path(stores)) as outside:
            try:
                await asyncio.to_thread(served.start)
                return await self._live(database, served, clock, outside, institutions)
            finally:
                await asyncio.to_thread(served.stop)
                await database.close()

    async def _live(
        self, database: Database, served: Served, clock: TurnedClock, outside: Outside, institutions: int
    ) -> tuple[Left, dict[str, int]]:
        plan, season = self.plan, self.season
        people = await gather_people(
            database, admdvs=plan.admdvs, begin=season.begin, end=season.end, institutions=institutions)
        script = write_script(people, season, cares=self.n * CARES_OF_TEN // 10, seed=self.seed)
        base = served.endpoint.removesuffix(ENDPOINT)
        keys = (await describe_agency(database, base_url=base, seed=self.seed))["keys"][plan.admdvs]
        async with httpx.AsyncClient(timeout=60) as client:
            line = _Line(client, base, served, self, keys)
            life = Life(season, till=Till(line.carry), post=line.post, turn=clock.turn)
            office = Office(plan.admdvs, plan.name, line.post, line.read)
            dues = _Dues(database, outside, clock, plan, season, self.shelf)
            papers = who_brings_papers(people.patients, season, wanted=max(4, self.n // 50), seed=self.seed)
            await life.play(script, [*office.acts(papers, season), *dues.acts()])
            wrong = await dues.wrong()
        left = await look_at(database, life, office)
        wrong |= {"defects": served.defects, "kills": self.killed["worker"], "database_kills": self.killed["database"]}
        if served.defects:
            print(served.log())
        return left, wrong

    def strikes(self, infno: str) -> str:
        """Return the point at which the worker that gets a message dies, ``""`` for none."""
        if not self.kills or infno not in _MONEY or self.rng.randrange(KILL_ONE_IN):
            return ""
        self.killed["worker"] += 1
        return self.rng.choice([point for point in POINTS if point != "written"])

    def strikes_database(self) -> bool:
        """Say whether PostgreSQL dies now."""
        if not self.kills or self.killed["database"] >= DATABASE_KILLS or self.rng.randrange(400):
            return False
        self.killed["database"] += 1
        return True


class _Line:
    """The line to the platform: whatever happens to it, a message is carried again until it is answered."""

    def __init__(
        self, client: httpx.AsyncClient, base: str, served: Served, stage: _Stage, keys: dict[str, Any]
    ) -> None:
        self._client, self._base, self._served, self._stage, self._keys = client, base, served, stage, keys

    async def carry(self, message: dict[str, Any]) -> dict[str, Any]:
        """Carry an institution's message."""
        body, point = _ENCODER.encode(message), self._stage.strikes(message["infno"])
        headers = {"content-type": "application/json"}
        struck = self._strike() if self._stage.strikes_database() else None

        async def send(first: bool) -> bytes | None:
            armed = {"x-yibao-failpoint": point} if point and first else {}
            answer = await self._client.post(self._base + ENDPOINT, content=body, headers=headers | armed)
            return None if TRY_AGAIN in answer.content or answer.status_code >= 500 else answer.content

        content = await _until_answered(send)
        if struck is not None:
            await struck
        found: dict[str, Any] = _DECODER.decode(content)
        return found

    async def post(self, who: str, path: str, body: Any, idem: str) -> dict[str, Any]:
        """Post to the REST API."""
        admdvs = self._stage.plan.admdvs
        key = self._keys.get(who) or program_key(admdvs, who, seed=self._stage.seed)
        headers = {"authorization": f"Bearer {key}", "idempotency-key": idem}

        async def send(_first: bool) -> bytes | None:
            answer = await self._client.post(f"{self._base}/api/v1{path}", json=body, headers=headers)
            return None if answer.status_code >= 500 or answer.status_code == 429 else answer.content

        found: dict[str, Any] = msgspec.json.decode(await _until_answered(send))
        return found

    async def read(self, who: str, path: str, query: dict[str, Any]) -> dict[str, Any]:
        """Ask the REST API."""
        headers = {"authorization": f"Bearer {self._keys[who]}"}

        async def send(_first: bool) -> bytes | None:
            answer = await self._client.get(f"{self._base}/api/v1{path}", params=query, headers=headers)
            return None if answer.status_code >= 500 or answer.status_code == 429 else answer.content

        found: dict[str, Any] = msgspec.json.decode(await _until_answered(send))
        return found

    def _strike(self) -> asyncio.Task[None]:
        async def strike() -> None:
            await asyncio.to_thread(self._stage.platform.postgres.kill)
            await asyncio.to_thread(self._stage.platform.postgres.start)

        return asyncio.create_task(strike())


async def _until_answered(send: Callable[[bool], Awaitable[bytes | None]]) -> bytes:
    deadline = asyncio.get_running_loop().time() + _WITHIN_S
    first = True
    while asyncio.get_running_loop().time() < deadline:
        with suppress(*_NO_ANSWER):
            answer = await send(first)
            if answer is not None:
                return answer
        first = False
        await asyncio.sleep(_ASK_AGAIN_S)
    raise AssertionError(f"no answer within {_WITHIN_S} s")


class _Dues:
    """Dues through the window: assessed and sent before it, paid at a bureau that is cut off, told after the restart."""

    def __init__(
        self, database: Database, outside: Outside, clock: TurnedClock, plan: Plan, season: Season, shelf: PolicyShelf
    ) -> None:
        self._database, self._outside, self._clock = database, outside, clock
        self._plan, self._season, self._shelf = plan, season, shelf
        self._month = date(season.stop.year, season.stop.month, 1)
        self._ids = RandomIds()
        self._held = 0

    def acts(self) -> list[tuple[datetime, Callable[[], Awaitable[None]]]]:
        """Return what happens when."""
        stop, restart = self._season.stop, self._season.restart
        return [
            (stop - timedelta(days=5), self._assess),
            (stop - timedelta(hours=12), self._pay_half),
            (stop + timedelta(days=2), self._stopped),
            (stop + timedelta(days=5), self._stopped),
            (restart + timedelta(hours=9), self._restarted),
            (restart + timedelta(days=1, hours=9), self._carry),
            (restart + timedelta(days=2, hours=9), self._pay_rest),
            (restart + timedelta(days=4, hours=9), self._carry),
            (restart + timedelta(days=6, hours=9), self._carry),
        ]

    async def wrong(self) -> dict[str, int]:
        """Return what the window cost those who owe: dues that did not arrive, surcharge, benefits cut."""
        row = (await self._database.fetch(DUES, self._month))[0]
        last = (self._season.restart + timedelta(days=9)).date()
        cut = (await self._database.fetch(CUT, self._plan.admdvs, last))[0][0]
        return {
            "no_dues": int(not row["dues"]), "dues_not_arrived": row["not_arrived"], "surcharge_fen": row["surcharge"],
            "benefits_cut": cut, "carried_while_stopped": self._held,
        }

    async def _assess(self) -> None:
        async with self._database.transaction() as tx:
            await tx.execute(WAGES, self._plan.admdvs)
        actor = Actor(login="clerk.first", channel="cli", regions=(self._plan.admdvs,), roles=("intake", "review"))
        done = await assess_month(
            self._database, admdvs=self._plan.admdvs, month=self._month, now=self._clock.now(), shelf=self._shelf)
        assert not isinstance(done, Refusal), done.sentence()
        await send_bills(self._database, admdvs=self._plan.admdvs, now=self._clock.now(), ids=self._ids, actor=actor)
        await self._carry()

    async def _pay_half(self) -> None:
        """Every other unit pays on the last day; the bureau tells nobody before it is cut off."""
        self._outside.advance(self._clock.now())
        for bill in self._open_bills()[::2]:
            self._pay(bill)
        for name in ("tax", "bank"):
            self._outside.stop(name)

    async def _stopped(self) -> None:
        self._held += await self._carry()

    async def _restarted(self) -> None:
        for name in ("tax", "bank"):
            self._outside.start(name)
        await self._carry()

    async def _pay_rest(self) -> None:
        for bill in self._open_bills():
            self._pay(bill)
        await self._carry()

    def _open_bills(self) -> list[dict[str, Any]]:
        bills = self._outside.act("tax", "bills", {"state": "open"}) or []
        return sorted((b for b in bills if b["payer_kind"] == "unit"), key=lambda b: b["bill_id"])

    def _pay(self, bill: dict[str, Any]) -> None:
        self._outside.act("tax", "pay", {"bill_id": bill["bill_id"], "amount_fen": bill["amount_fen"], "force": True,
                                         "payer_no": bill["payer_no"]})

    async def _carry(self) -> int:
        """Carry what waits, until nothing does; return how much was taken from the bureau and the bank."""
        taken = 0
        self._outside.advance(self._clock.now())
        for _ in range(4):
            rounds = await relay_once(
                self._database, addresses={name: self._outside.address(name) for name in ("tax", "bank")},
                now=self._clock.now(), ids=self._ids, shelf=self._shelf)
            moved = sum(r.received for r in rounds if r.party in ("tax", "bank"))
            taken += moved
            if not moved:
                break
        return taken
