"""``yibao window rehearse``: a whole window on a turned clock, in a world of its own that is thrown away afterwards."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec
import typer
from rich.console import Group, RenderableType
from rich.text import Text

from yibao.demo.agency import describe_agency
from yibao.demo.description import ENDPOINT
from yibao.demo.rehearsal.counter import Counter
from yibao.demo.rehearsal.life import Life
from yibao.demo.rehearsal.office import PEOPLE_A_PAPER, Office, who_brings_papers
from yibao.demo.rehearsal.report import Left, look_at
from yibao.demo.rehearsal.script import Season, write_script
from yibao.demo.rehearsal.stage import build_stage, gather_people, program_key
from yibao.demo.senders import http_sender
from yibao.domains.windows.model import Plan
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.shipped import plan_text
from yibao.entrypoints.cli.output import (
    REFUSED,
    JsonFlag,
    aside,
    known_failures,
    show,
    stop,
    stop_refused,
    table_of,
)
from yibao.entrypoints.cli.running import RunningServer, with_database
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database
from yibao.infra.migrate import migrate
from yibao.infra.turned_clock import TurnedClock
from yibao.kernel.actor import Actor
from yibao.kernel.ids import RandomIds
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.propose_plan import ProposePlan, propose_plan
from yibao.usecases.windows.publish_plan import PublishPlan, publish_plan

_EARLY = timedelta(days=12)
"""How long before the stop the rehearsal's world is made and its plan published."""


class Cast(msgspec.Struct, frozen=True):
    """How large a rehearsal is, and the seed that everything follows from."""

    people: int
    institutions: int
    cares: int
    seed: int


def rehearse(
    source: Annotated[str, typer.Argument(metavar="FILE|NAME", help="方案文件，或自带方案的名称")],
    people: Annotated[int, typer.Option(min=50, help="演练人数")] = 300,
    institutions: Annotated[int, typer.Option(min=2, help="演练机构数")] = 6,
    cares: Annotated[int, typer.Option(min=1, help="就诊、住院和购药合计次数")] = 120,
    seed: Annotated[int, typer.Option(help="随机种子：同一种子得到同一结果")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Rehearse a plan; exit code 1 when anything is left over."""
    text = Path(source).read_text(encoding="utf-8") if Path(source).exists() else plan_text(source) or ""
    plan = read_plan(text)
    if isinstance(plan, Refusal):
        stop_refused(plan, as_json=as_json)
    with known_failures(as_json=as_json), with_database(load_settings(), make=True) as settings:
        left = asyncio.run(run(settings, plan, text, Cast(people, institutions, cares, seed)))
    show({"ok": not any(left.wrong.values()), "rehearsed": left}, as_json=as_json, render=lambda: _render(left))
    if any(left.wrong.values()):
        raise typer.Exit(REFUSED)


def season_of(plan: Plan) -> Season:
    """Return the stop that the plan gives to settlements."""
    track = plan.track_of("outpatient_settlement") or plan.tracks[0]
    restart = track.restart or track.expected
    if restart is None:
        stop(REFUSED, kind="refused", message="方案没有写结算的恢复时间，不能演练", as_json=False)
    return Season(track.stop, restart)


async def run(settings: Settings, plan: Plan, text: str, cast: Cast) -> Left:
    """Rehearse a plan in a database of its own and return what is left."""
    season = season_of(plan)
    async with _scratch(settings) as url:
        with tempfile.TemporaryDirectory(prefix="yibao-rehearsal-") as home:
            clock = TurnedClock.make(Path(home) / "clock", season.begin - _EARLY)
            database = await Database.open(url, role=None, size=2)
            try:
                aside.print("正在准备演练的人群和机构……")
                await build_stage(
                    database, admdvs=plan.admdvs, at=clock.now(), persons=cast.people, institutions=cast.institutions,
                    seed=cast.seed, progress=lambda *_: None,
                )
                await publish(database, plan, text, clock)
                served = Settings(
                    home=Path(home), database_url=url, port=_free_port(), workers=1, demo=True, log_level="warning",
                    clock=Path(home) / "clock",
                )
                server = await asyncio.to_thread(RunningServer, served, log=Path(home) / "server.log")
                try:
                    await asyncio.to_thread(server.wait_ready)
                    return await _live(database, plan, season, cast, clock, f"http://{served.host}:{served.port}")
                finally:
                    await asyncio.to_thread(server.stop)
            finally:
                await database.close()


async def publish(database: Database, plan: Plan, text: str, clock: TurnedClock) -> None:
    """Publish the plan as two people would."""
    clerk = {"channel": "cli", "regions": (plan.admdvs,)}
    async with database.transaction() as tx:
        proposed = await propose_plan(
            tx, ProposePlan(admdvs=plan.admdvs, text=text, reason="演练", announced_in="演练"),
            actor=Actor(login="rehearsal.first", roles=("review",), **clerk), now=clock.now(), ids=RandomIds(),  # type: ignore[arg-type]
        )
        assert not isinstance(proposed, Refusal), proposed.sentence()
        published = await publish_plan(
            tx, PublishPlan(admdvs=plan.admdvs, name=proposed.name, version=proposed.version),
            actor=Actor(login="rehearsal.second", roles=("approve",), **clerk), now=clock.now(), ids=RandomIds(),  # type: ignore[arg-type]
        )
        assert not isinstance(published, Refusal), published.sentence()


async def _live(
    database: Database, plan: Plan, season: Season, cast: Cast, clock: TurnedClock, base_url: str
) -> Left:
    people = await gather_people(
        database, admdvs=plan.admdvs, begin=season.begin, end=season.end, institutions=cast.institutions)
    script = write_script(people, season, cares=cast.cares, seed=cast.seed)
    keys = (await describe_agency(database, base_url=base_url, seed=cast.seed))["keys"][plan.admdvs]
    async with httpx.AsyncClient(base_url=f"{base_url}/api/v1", timeout=60) as client:

        async def post(who: str, path: str, body: Any, idem: str) -> dict[str, Any]:
            key = keys.get(who) or program_key(plan.admdvs, who, seed=cast.seed)
            answer = await client.post(path, json=body, headers={"authorization": f"Bearer {key}", "idempotency-key": idem})
            found: dict[str, Any] = answer.json()
            return found

        async def read(who: str, path: str, query: dict[str, Any]) -> dict[str, Any]:
            answer = await client.get(path, params=query, headers={"authorization": f"Bearer {keys[who]}"})
            found: dict[str, Any] = answer.json()
            return found

        life = Life(season, till=Counter(http_sender(base_url + ENDPOINT)), post=post, turn=clock.turn)
        office = Office(plan.admdvs, plan.name, post, read)
        await life.play(script, office.acts(who_brings_papers(
            people.patients, season, wanted=cast.people // PEOPLE_A_PAPER, seed=cast.seed), season), progress=_told)
        clock.turn(season.end)
    return await look_at(database, life, office)


def _told(done: int, whole: int) -> None:
    if done % max(1, whole // 20) == 0:
        aside.print(f"演练进度 {done}/{whole}")


@asynccontextmanager
async def _scratch(settings: Settings) -> AsyncIterator[str]:
    """Lend a new, migrated database beside the configured one; it is dropped afterwards."""
    assert settings.database_url is not None
    name = f"yibao_rehearsal_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    parts = urlsplit(settings.database_url)
    url = urlunsplit(parts._replace(path=f"/{name}"))
    outer = await Database.open(settings.database_url, role=None, size=1)
    try:
        async with outer.connection() as connection:
            await connection.execute(f"create database {name}")
        try:
            await migrate(url)
            yield url
        finally:
            async with outer.connection() as connection:
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = current_user", name)
                await connection.execute(f"drop database {name}")
    finally:
        await outer.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _render(left: Left) -> RenderableType:
    books = table_of("台账", "共", "未结", "已付", "应付", "退还", "补交")
    for b in left.books:
        money = (yuan_text(b[name]) for name in ("paid_fen", "due_fen", "back_fen", "topup_fen"))
        books.add_row(b["kind"], str(b["rows"]), str(b["open"]), *money)
    wrong = [Text(f"{name}: {n} {left.examples.get(name, [''])[0]}", style="red") for name, n in left.wrong.items() if n]
    done = Text("，".join(f"{k} {v}" for k, v in left.done.items()))
    return Group(done, books, *(wrong or [Text("✓ 没有遗留，账目一致", style="green")]), Text(f"摘要 {left.digest[:16]}"))
