"""``yibao benefit``: whether somebody has benefits, why, and as known when."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import JsonFlag, aside, known_failures, show, stop_refused, table_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import load_settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.loading import load_policy
from yibao.usecases.entitlement.benefit_on import Benefit, benefit_history, benefit_on
from yibao.usecases.entitlement.refresh_region import Refreshed, refresh_region
from yibao.usecases.settlement.shelf import PolicyShelf

PsnNo = Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")]
KnownAt = Annotated[
    datetime | None, typer.Option("--known-at", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="按这一时刻所知（北京时间）")
]

app = typer.Typer(no_args_is_help=True, help="待遇享受：某日是否享受、为什么、当时所知")


@app.command("show", help="查询一人某日的待遇状态、理由、条款和下一步")
def show_benefit(
    psn_no: PsnNo, insutype: Annotated[str, typer.Option("--insutype", help="险种")] = "310",
    on: Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="哪一日，默认今天")] = None,
    known_at: KnownAt = None, as_json: JsonFlag = False,
) -> None:
    """Show the status of one day."""
    now = SystemClock().now()
    benefit = run_deed(
        lambda tx: benefit_on(
            tx, psn_no, insutype=insutype, on=on.date() if on else business_date(now), now=now, shelf=_shelf(),
            known_at=_instant(known_at),
        ),
        as_json=as_json,
    )
    show({"ok": True, "benefit": benefit}, as_json=as_json, render=lambda: _sheet(benefit))


@app.command("history", help="列出一人全部待遇区间")
def show_history(
    psn_no: PsnNo, insutype: Annotated[str, typer.Option("--insutype", help="险种，默认全部")] = "",
    known_at: KnownAt = None, as_json: JsonFlag = False,
) -> None:
    """Show all periods of a person."""
    benefits = run_deed(
        lambda tx: benefit_history(
            tx, psn_no, insutype=insutype, known_at=_instant(known_at) or SystemClock().now(), shelf=_shelf()
        ),
        as_json=as_json,
    )
    show({"ok": True, "benefits": benefits}, as_json=as_json, render=lambda: _table(benefits))


@app.command("refresh", help="重算一个统筹区全部人员的待遇区间（政策变动或导入之后）")
def refresh(
    region: Annotated[str, typer.Argument(metavar="REGION", help="统筹区")], as_json: JsonFlag = False
) -> None:
    """Recompute a region."""
    shelf = _shelf()
    if region not in shelf.regions:
        stop_refused(refuse("REGION_NOT_SERVED", "本平台没有该统筹区的政策", field="REGION", received=region,
                            remedy="请核对区划"), as_json=as_json)
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        done = asyncio.run(_refresh(settings.database_url, region, shelf, quiet=as_json))
    show({"ok": True, "persons": done.persons, "changed": done.changed}, as_json=as_json,
         render=lambda: f"重算{done.persons}人，{done.changed}人的待遇区间有变化")


async def _refresh(url: str, region: str, shelf: PolicyShelf, *, quiet: bool) -> Refreshed:
    database = await Database.open(url, role=None, size=1)
    try:
        return await refresh_region(
            database, admdvs=region, now=SystemClock().now(), shelf=shelf,
            progress=None if quiet else aside.print,
        )
    finally:
        await database.close()


def _shelf() -> PolicyShelf:
    return PolicyShelf({admdvs: load_policy(texts) for admdvs, texts in read_policy_files().items()})


def _instant(local: datetime | None) -> datetime | None:
    return None if local is None else local.replace(tzinfo=SHANGHAI)


def _sheet(b: Benefit | Refusal) -> RenderableType:
    assert isinstance(b, Benefit)
    lines = [f"{b.insutype} {'享受' if b.is_due else '不享受'}：{escape(b.sentence)}",
             f"区间 {b.begin_on} 起{f'，{b.end_on} 前' if b.end_on else ''}"]
    lines += [f"依据 {c.rule} {escape(c.clause)}" for c in b.clauses]
    lines += [f"下一步 {escape(b.next_step)}"] if b.next_step else []
    return Group(*lines)


def _table(benefits: Sequence[Benefit] | Refusal) -> RenderableType:
    assert not isinstance(benefits, Refusal)
    rows = [
        (b.insutype, f"{b.begin_on}", f"{b.end_on or ''}", "享受" if b.is_due else "不享受", b.sentence,
         "、".join(c.rule for c in b.clauses))
        for b in benefits
    ]
    table = table_of("险种", "自", "至（不含）", "待遇", "理由", "条款")
    for row in rows:
        table.add_row(*map(escape, row))
    return table
