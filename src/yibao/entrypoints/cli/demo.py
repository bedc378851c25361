"""``yibao demo``: from an empty directory to a settled visit in one command; the data is there next time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from yibao.demo.description import ENDPOINT, describe
from yibao.demo.first_visit import FirstVisit, settle_first_visit
from yibao.demo.histories import replay_histories
from yibao.demo.senders import http_sender
from yibao.demo.world import PERSONS, SEED, build_world
from yibao.entrypoints.cli.demo_panel import panel
from yibao.entrypoints.cli.migrate import prepare
from yibao.entrypoints.cli.output import (
    UNAVAILABLE,
    JsonFlag,
    aside,
    known_failures,
    people,
    show,
    stop,
    to_json,
)
from yibao.entrypoints.cli.running import (
    RunningServer,
    is_ready,
    port_is_free,
    stopped_by_signals,
    with_database,
)
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.load_catalogue import LoadProgress, LoadRefused, load_catalogue, packaged_files
from yibao.usecases.diagnosis.examine import packaged_digests

DESCRIPTION = "demo.json"

_TITLES = {
    "employers": "参保单位", "institutions": "定点机构", "named patients": "故事人物", "people": "参保人群",
    "histories": "故事人物的既往结算",
}
Report = Callable[[str, int, int], None]
"""Called with what is being made, how much is done, how much there will be."""

Persons = Annotated[int, typer.Option(min=0, help="普通参保人数（1 000 000 也可以）")]
Seed = Annotated[int, typer.Option(help="演示人群的随机种子：同一种子得到同一批人")]


def demo(persons: Persons = PERSONS, seed: Seed = SEED, as_json: JsonFlag = False) -> None:
    """Start the demo world, settle one visit through HTTP, say what to try next, and serve until Ctrl-C."""
    with known_failures(as_json=as_json), stopped_by_signals():
        asked = load_settings()
        file = asked.home / DESCRIPTION
        if not port_is_free(asked.host, asked.port):
            _already_running(asked, file, as_json=as_json)
        home = asked.home.absolute()
        try:
            with with_database(msgspec.structs.replace(asked, home=home, demo=True), make=True) as settings:
                _run(settings, persons=persons, seed=seed, as_json=as_json)
        except KeyboardInterrupt:
            aside.print("已停止；数据保留，下次启动继续使用。")


def _already_running(settings: Settings, file: Path, *, as_json: bool) -> None:
    """Show the demo that runs already, or say that the port belongs to somebody else; ends the command."""
    if file.exists() and is_ready(settings.host, settings.port):
        description = json.loads(file.read_text(encoding="utf-8"))
        show(description, as_json=as_json, render=lambda: panel(description, None))
        raise typer.Exit(0)
    stop(UNAVAILABLE, kind="port", as_json=as_json,
         message=f"{settings.host}:{settings.port} 已被占用；请结束占用它的程序，或用 YIBAO_PORT 换一个端口")


def _run(settings: Settings, *, persons: int, seed: int, as_json: bool) -> None:
    url = settings.database_url
    assert url is not None
    with _bars() as report:
        asyncio.run(_fill(url, persons=persons, seed=seed, report=report))
        server = RunningServer(settings, log=settings.home / "server.log")
        try:
            report("启动服务", 0, 1)
            server.wait_ready()
            report("启动服务", 1, 1)
            base_url = f"http://{settings.host}:{settings.port}"
            description, visit = asyncio.run(_settle(url, base_url=base_url, seed=seed, report=report))
        except BaseException:
            server.stop()
            raise
    try:
        file = settings.home / DESCRIPTION
        file.write_text(to_json(description) + "\n", encoding="utf-8")
        show(description, as_json=as_json, render=lambda: panel(description, visit))
        if not as_json:
            people.print("按 Ctrl-C 停止。", style="dim")
        code = server.wait()
        if code:
            stop(UNAVAILABLE, kind="server", message=f"服务意外结束（退出码 {code}），见 {settings.home / 'server.log'}",
                 as_json=as_json)
    finally:
        server.stop()


async def _fill(url: str, *, persons: int, seed: int, report: Report) -> None:
    """Migrate, publish policies, load catalogues that are missing or older, and build the people."""
    report("数据库结构与政策", 0, 1)
    await prepare(url)
    report("数据库结构与政策", 1, 1)
    now = SystemClock().now()
    database = await Database.open(url, role=None, size=2)
    try:
        await _load_catalogues(database, report=report)
        await build_world(
            database, persons=persons, seed=seed, today=business_date(now), progress=_translated(report)
        )
    finally:
        await database.close()


async def _load_catalogues(database: Database, *, report: Report) -> None:
    loaded = {r["part"]: r["digest"] for r in await database.fetch("select part, digest from catalogue.loaded")}
    digests = packaged_digests()
    now, ids = SystemClock().now(), RandomIds()

    def advance(step: LoadProgress) -> None:
        report(f"目录：{step.title}", step.bytes_done, step.bytes_total)

    for file in packaged_files():
        if loaded.get(file.part) != digests[file.part]:
            result = await load_catalogue(database, file, now=now, ids=ids, actor="demo", progress=advance)
            assert not isinstance(result, LoadRefused), f"a packaged file is faulty: {result}"


async def _settle(
    url: str, *, base_url: str, seed: int, report: Report
) -> tuple[dict[str, Any], FirstVisit]:
    """Play the earlier visits of the named patients, settle one visit of today, and describe the world."""
    send = http_sender(base_url + ENDPOINT)
    clock = SystemClock()
    database = await Database.open(url, role=None, size=2)
    try:
        await replay_histories(database, send, now=clock.now, progress=_translated(report))
        visit = await settle_first_visit(database, send, now=clock.now)
        report("通过 HTTP 结算一笔门诊", 1, 1)
        return await describe(database, base_url=base_url, today=business_date(clock.now()), seed=seed), visit
    finally:
        await database.close()


def _translated(report: Report) -> Report:
    return lambda what, done, total: report(_TITLES.get(what, what), done, total)


@contextmanager
def _bars() -> Iterator[Report]:
    """Show one bar per step on standard error, so that standard output holds only the result."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=aside) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield report
