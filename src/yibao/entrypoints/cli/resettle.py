"""``yibao resettle PSN_NO``: an operator settles a person's year again by the law in force."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from yibao.entrypoints.cli.output import (
    UNAVAILABLE,
    JsonFlag,
    known_failures,
    show,
    stop,
    stop_refused,
    table_of,
)
from yibao.entrypoints.cli.policy_affected import difference_text, shelf_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.resettlement.resettle_person import Resettled, resettle_person
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.settlement.write_settlement import MovedOn

Person = Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")]
Year = Annotated[int, typer.Option("--year", help="待遇年度")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人姓名，记入结算与审计")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只试算并列出差额，不作任何改动")]


def resettle(
    psn_no: Person, year: Year, operator: OperatorName, dry_run: DryRun = False, as_json: JsonFlag = False
) -> None:
    """Cancel what a change of the law touches, newest first, and settle it again in the order of service."""
    texts = read_policy_files()
    shelf = shelf_of(texts, as_json=as_json)
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        try:
            answer = asyncio.run(_resettle(settings, psn_no, year, operator, shelf, texts, dry_run=dry_run))
        except MovedOn:
            stop(UNAVAILABLE, kind="moved_on", message="该参保人的结算同时有变动，未作改动，请重试", as_json=as_json)
    if isinstance(answer, Refusal):
        stop_refused(answer, as_json=as_json)
    data = {"ok": True, "dry_run": dry_run, "psn_no": psn_no, "year": year, "settlements": answer.settlements,
            "difference": answer.difference}
    show(data, as_json=as_json, render=lambda: _table(answer, dry_run=dry_run))


async def _resettle(
    settings: Settings, psn_no: str, year: int, operator: str, shelf: PolicyShelf,
    texts: Mapping[str, Mapping[str, str]], *, dry_run: bool,
) -> Resettled | Refusal:
    assert settings.database_url is not None
    database = await Database.open(settings.database_url, role=None, size=1)
    try:
        async with database.transaction() as tx:
            return await resettle_person(
                tx, psn_no=psn_no, year=year, operator=operator, shelf=shelf, texts=texts, clock=SystemClock(),
                ids=RandomIds(), dry_run=dry_run,
            )
    finally:
        await database.close()


def _table(answer: Resettled, *, dry_run: bool) -> RenderableType:
    if not answer.settlements:
        return f"{answer.psn_no} {answer.year} 年度没有需要重新结算的结算"
    table = table_of("原结算ID", "就诊日", "撤销记录", "新结算ID", "差额（元，新减原）")
    for s in answer.settlements:
        table.add_row(s.setl_id, str(s.service_on), s.refund_id or "—", s.new_setl_id or "—", difference_text(s.difference))
    done = "试算，未作改动" if dry_run else "已重新结算"
    return Group(table, f"[bold]{done}：{len(answer.settlements)} 笔，合计 {difference_text(answer.difference)}[/bold]")
