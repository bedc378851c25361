"""``yibao serve``: the server in the foreground, with the embedded database unless a URL is set."""

from __future__ import annotations

import asyncio

import typer

from yibao.entrypoints.cli.migrate import prepare
from yibao.entrypoints.cli.output import UNAVAILABLE, USAGE, JsonFlag, aside, known_failures, show, stop
from yibao.entrypoints.cli.running import RunningServer, port_is_free, stopped_by_signals, with_database
from yibao.infra import migrate as schema
from yibao.infra.config import Settings, load_settings


def serve(as_json: JsonFlag = False) -> None:
    """Serve until Ctrl-C; running requests end first, the embedded database stops last."""
    with known_failures(as_json=as_json), stopped_by_signals():
        asked = load_settings()
        if not port_is_free(asked.host, asked.port):
            stop(UNAVAILABLE, kind="port", as_json=as_json,
                 message=f"{asked.host}:{asked.port} 已被占用；请结束占用它的程序，或用 YIBAO_PORT 换一个端口")
        with with_database(asked, make=True) as settings:
            _make_ready(settings, embedded=asked.database_url is None, as_json=as_json)
            _serve(settings, as_json=as_json)


def _make_ready(settings: Settings, *, embedded: bool, as_json: bool) -> None:
    """Migrate our own database; somebody else's is migrated by its operator, knowingly."""
    assert settings.database_url is not None
    if embedded:
        asyncio.run(prepare(settings.database_url))
        return
    found, wanted = asyncio.run(schema.current(settings.database_url)), schema.head()
    if found != wanted:
        stop(USAGE, kind="schema", as_json=as_json,
             message=f"数据库结构是 {found or '空库'}，本程序需要 {wanted}；请先运行 yibao migrate")


def _serve(settings: Settings, *, as_json: bool) -> None:
    server = RunningServer(settings, log=None)
    try:
        server.wait_ready()
        url = f"http://{settings.host}:{settings.port}"
        show({"ok": True, "base_url": url}, as_json=as_json, render=lambda: f"[green]✓[/green] 服务已就绪：{url}（Ctrl-C 停止）")
        code = server.wait()
    except KeyboardInterrupt:
        aside.print("正在停止……")
        code = 0
    finally:
        server.stop()
    raise typer.Exit(UNAVAILABLE if code else 0)
