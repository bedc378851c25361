"""``yibao verify``: prove the invariants on live data."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.output import REFUSED, JsonFlag, aside, known_failures, show, table_of
from yibao.entrypoints.cli.running import with_database
from yibao.entrypoints.worker import kept_heads
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database
from yibao.usecases.verification.check import Finding
from yibao.usecases.verification.verify_books import verify_books

Replay = Annotated[int, typer.Option(min=0, help="按保存的事实重算最近多少笔结算")]


def verify(replay: Replay = 200, as_json: JsonFlag = False) -> None:
    """Run every check on one moment of the data; exit code 1 when anything is broken."""
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        findings = asyncio.run(_verify(settings, replay=replay, quiet=as_json))
    clean = not any(f.breaches for f in findings)
    show({"ok": clean, "findings": findings}, as_json=as_json, render=lambda: _table(findings))
    raise typer.Exit(0 if clean else REFUSED)


async def _verify(settings: Settings, *, replay: int, quiet: bool) -> list[Finding]:
    assert settings.database_url is not None
    database = await Database.open(settings.database_url, role=None, size=1)
    try:
        async with database.connection() as connection, connection.transaction(
            isolation="repeatable_read", readonly=True
        ):
            with aside.status("验证中……") as status:
                return await verify_books(
                    connection, replay=replay, kept_heads=kept_heads(settings.home / "audit-heads.txt"),
                    progress=None if quiet else status.update,
                )
    finally:
        await database.close()


def _table(findings: list[Finding]) -> RenderableType:
    table = table_of("", "编号", "检查", "范围", "问题")
    for f in findings:
        mark = "[red]✗[/red]" if f.breaches else "[green]✓[/green]"
        table.add_row(mark, f.invariant, f.says, str(f.checked), str(f.breaches) if f.breaches else "")
        for example in f.examples:
            table.add_row("", "", f"  [red]{escape(example)}[/red]", "", "")
    return table
