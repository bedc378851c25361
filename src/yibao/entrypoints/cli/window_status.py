"""``yibao window status``: the tracks of a region's windows now, their registers, and how the backlog goes down."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from yibao.domains.console.model import Day
from yibao.domains.windows.model import FROZEN
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import JsonFlag, show, table_of
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.clock import SystemClock
from yibao.kernel.money import yuan_text
from yibao.usecases.console.show_desk import Desk, show_desk
from yibao.usecases.windows.pass_gate import Gate

_BARS = " ▁▂▃▄▅▆▇█"


def status(
    region: Annotated[str, typer.Argument(metavar="REGION", help="统筹区（6位区划）")], as_json: JsonFlag = False
) -> None:
    """Show the windows of a region as their desk sees them."""
    now = SystemClock().now()

    async def look(tx: Connection) -> list[Desk]:
        return await show_desk(tx, admdvs=region, gate=await Gate.read(tx), now=now)

    desks = run_deed(look, as_json=as_json)
    show({"ok": True, "windows": desks}, as_json=as_json, render=lambda: (
        Group(*(part for desk in desks for part in _desk(desk))) if desks else Text("没有已发布的停机方案")))


def _desk(desk: Desk) -> list[RenderableType]:
    tracks = table_of("轨道", "现在", "停止", "恢复")
    for t in desk.tracks:
        tracks.add_row(t.title, f"[bold red]{t.stage_title}[/]" if t.stage == FROZEN else t.stage_title, t.stop, t.restart)
    books = table_of("台账", "共", "未结", "可办", "最早未结", "已付", "应付", "退还", "补交")
    for b in desk.books:
        money = (yuan_text(fen) for fen in (b.paid_fen, b.due_fen, b.back_fen, b.topup_fen))
        books.add_row(b.title, str(b.rows), str(b.open), str(b.ready), to_wire(b.oldest) if b.oldest else "", *money)
    parts: list[RenderableType] = [Text(f"{desk.title}（第{desk.version}版）", style="bold"), tracks, books]
    if desk.days:
        parts.append(Text(f"未结 {_line(desk.days)} {desk.days[-1].open} 件"))
    parts += [Text(f"问题：{p.title}，涉及 {p.people} 人，预计 {p.close_by} 解决") for p in desk.problems]
    parts += [Text(f"须人工排序：{y.psn_no} {y.year}年 {y.why}") for y in desk.years_by_hand]
    if desk.themes:
        parts.append(Text("来电：" + "，".join(f"{t.title} {t.calls}" for t in desk.themes)))
    return parts


def _line(days: list[Day]) -> str:
    """Return the days as a line of small bars."""
    most = max(1, max(day.open for day in days))
    return "".join(_BARS[-(-day.open * (len(_BARS) - 1) // most)] for day in days)
