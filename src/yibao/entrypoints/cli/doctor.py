"""``yibao doctor``: what is wrong here, and how to mend it."""

from __future__ import annotations

import asyncio

import typer
from rich.console import RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.output import REFUSED, JsonFlag, known_failures, show, table_of
from yibao.entrypoints.cli.running import is_ready, port_is_free, with_database
from yibao.infra import migrate
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database, Unavailable
from yibao.infra.postgres import PostgresFailed
from yibao.kernel.clock import SystemClock
from yibao.usecases.diagnosis.examine import examine_content, examine_machine, examine_server, no_database
from yibao.usecases.diagnosis.finding import Finding

_MARKS = {"ok": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "error": "[red]✗[/red]"}


def doctor(as_json: JsonFlag = False) -> None:
    """Run every check; exit code 1 when something must be mended."""
    with known_failures(as_json=as_json):
        settings = load_settings()
    findings = examine_machine(
        settings, port_is_free=port_is_free(settings.host, settings.port),
        port_is_ours=is_ready(settings.host, settings.port),
    )
    try:
        with with_database(settings) as found:
            findings += asyncio.run(_examine_database(found))
    except (Unavailable, PostgresFailed) as error:
        findings.append(no_database(error))
    healthy = not any(f.level == "error" for f in findings)
    show({"ok": healthy, "settings": settings.described(), "findings": findings}, as_json=as_json,
         render=lambda: _table(findings))
    raise typer.Exit(0 if healthy else REFUSED)


async def _examine_database(settings: Settings) -> list[Finding]:
    url = settings.database_url
    assert url is not None
    now = SystemClock().now()
    database = await Database.open(url, role=None, size=1)
    try:
        async with database.connection() as connection:
            findings = await examine_server(connection, settings, url=url, now=now)
            if await migrate.current(url) == migrate.head():
                findings += await examine_content(connection, settings, now=now)
            return findings
    finally:
        await database.close()


def _table(findings: list[Finding]) -> RenderableType:
    table = table_of("", "检查", "情况")
    for f in findings:
        table.add_row(_MARKS[f.level], f.check, escape(f.message))
        if f.remedy:
            table.add_row("", "", f"[bold]修复：[/bold]{escape(f.remedy)}")
    return table
