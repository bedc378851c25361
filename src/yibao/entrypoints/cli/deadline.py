"""``yibao deadline``: what plans promise about time, move what runs, dues on their way and what waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.markup import escape

from yibao.domains.deadlines.model import CLOCKS, SOURCES, TRANSIT_STATES, Move, Term, Transit
from yibao.domains.deadlines.queries import list_moves, list_transits, terms_of
from yibao.domains.deadlines.rules import say_day
from yibao.entrypoints.cli.agency_deeds import run_as
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import JsonFlag, aside, known_failures, show, table_of
from yibao.entrypoints.cli.policy_affected import shelf_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import load_settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.money import yuan_text
from yibao.usecases.deadlines.held import HeldLine, list_held
from yibao.usecases.deadlines.in_transit import NoteTransit, RefuteTransit, note_transit, refute_transit
from yibao.usecases.deadlines.move_deadlines import MovedAll, move_deadlines
from yibao.usecases.settlement.shelf import PolicyShelf

Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区")]
PsnNo = Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")]
Month = Annotated[datetime, typer.Argument(metavar="MONTH", formats=["%Y-%m"], help="月份 yyyy-MM")]
Insutype = Annotated[str, typer.Option("--insutype", help="险种")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人姓名，记入审计")]
_KINDS = {"extension": "时限顺延", "waiver": "中断不影响待遇", "advance": "提前办理", "transit": "缴费在途"}

app = typer.Typer(name="deadline", no_args_is_help=True, help="时限顺延和缴费在途")


@app.command("promises", help="列出已公布方案中关于时间的承诺")
def show_promises(region: Region, as_json: JsonFlag = False) -> None:
    """List promises."""
    terms: list[Term] = run_deed(lambda tx: terms_of(tx, [region]), as_json=as_json)
    show({"ok": True, "promises": terms}, as_json=as_json, render=lambda: _promises(terms))


@app.command("move", help="按已公布的方案顺延缴费单、转移和申请的时限，认定缴费在途，重算有关人员的待遇；可重复运行")
def move(region: Region, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Move what runs."""
    shelf = shelf_of(read_policy_files(), as_json=as_json)
    actor = Actor(login=operator.strip(), channel="cli", regions=(region,))
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        done = asyncio.run(_move(settings.database_url, region, shelf, actor, quiet=as_json))
    show({"ok": True, "moved": done}, as_json=as_json, render=lambda: (
        f"✓ 顺延缴费单 {done.bills} 张、转移 {done.transfers} 件、申请 {done.applications} 件；"
        f"认定缴费在途 {done.in_transit} 人，到期未到账 {done.lapsed} 人；重算待遇 {done.persons} 人"))


@app.command("show", help="查看一件业务的时限怎样顺延")
def show_moves(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="application、transfer、bill、claim、episode")],
    object_id: Annotated[str, typer.Argument(metavar="ID", help="编号")], as_json: JsonFlag = False,
) -> None:
    """Show the steps of a last day."""
    moves: list[Move] = run_deed(lambda tx: list_moves(tx, kind, object_id), as_json=as_json)
    show({"ok": True, "moves": moves}, as_json=as_json, render=lambda: _moves(moves))


@app.command("transits", help="列出缴费在途的人员")
def show_transits(
    region: Region, state: Annotated[str, typer.Option("--state", help="状态，空为全部")] = "in_transit",
    as_json: JsonFlag = False,
) -> None:
    """List dues on their way."""
    found: list[Transit] = run_deed(lambda tx: list_transits(tx, [region], state=state), as_json=as_json)
    show({"ok": True, "transits": found}, as_json=as_json, render=lambda: _transits(found))


@app.command("held", help="列出因缴费在途暂缓的业务")
def show_held(region: Region, as_json: JsonFlag = False) -> None:
    """List what waits for dues."""
    lines: list[HeldLine] = run_deed(lambda tx: list_held(tx, [region]), as_json=as_json)
    show({"ok": True, "held": lines}, as_json=as_json, render=lambda: _held(lines))


@app.command("note", help="登记一人某月缴费在途（税务清单或完税证明）")
def note(
    psn_no: PsnNo, month: Month, paid_on: Annotated[datetime, typer.Option("--paid-on", formats=["%Y-%m-%d"], help="缴费日")],
    reference: Annotated[str, typer.Option("--reference", help="完税证明或清单编号")], operator: OperatorName,
    source: Annotated[str, typer.Option("--source", help="tax 税务清单，receipt 完税证明")] = "receipt",
    insutype: Insutype = "310", as_json: JsonFlag = False,
) -> None:
    """Note dues on their way."""
    command = NoteTransit(psn_no=psn_no, insutype=insutype, month=month.date(), paid_on=paid_on.date(), source=source,
                          reference=reference)
    done: Transit = run_as(operator, lambda tx, m: note_transit(
        tx, command, actor=m.actor, now=m.now, ids=m.ids, shelf=m.shelf), as_json=as_json)
    show({"ok": True, "transit": done}, as_json=as_json, render=lambda: _transits([done]))


@app.command("refute", help="经税务核实未缴费，撤销在途")
def refute(
    psn_no: PsnNo, month: Month, reason: Annotated[str, typer.Option("--reason", help="核实情况")], operator: OperatorName,
    insutype: Insutype = "310", as_json: JsonFlag = False,
) -> None:
    """Take back that dues are on their way."""
    command = RefuteTransit(psn_no=psn_no, insutype=insutype, month=month.date(), reason=reason)
    done: Transit = run_as(operator, lambda tx, m: refute_transit(
        tx, command, actor=m.actor, now=m.now, ids=m.ids, shelf=m.shelf), as_json=as_json)
    show({"ok": True, "transit": done}, as_json=as_json, render=lambda: _transits([done]))


async def _move(url: str, region: str, shelf: PolicyShelf, actor: Actor, *, quiet: bool) -> MovedAll:
    database = await Database.open(url, role=None, size=2)
    try:
        return await move_deadlines(
            database, admdvs=region, now=SystemClock().now(), ids=RandomIds(), actor=actor, shelf=shelf,
            progress=None if quiet else aside.print,
        )
    finally:
        await database.close()


def _promises(terms: Sequence[Term]) -> RenderableType:
    table = table_of("方案", "规则", "承诺", "对象", "自", "至", "内容")
    for t in terms:
        begin, end = t.begin_on or t.first_month, t.until_on or t.end_on or t.until_month
        table.add_row(f"{t.plan} v{t.version}", t.rule, _KINDS[t.kind], CLOCKS.get(t.what, t.what), f"{begin or ''}",
                      f"{end or '待公告'}", escape(t.says))
    return table


def _moves(moves: Sequence[Move]) -> RenderableType:
    if not moves:
        return "时限没有变动"
    table = table_of("时限", "原", "现", "规则", "理由")
    for m in moves:
        table.add_row(CLOCKS.get(m.clock, m.clock), say_day(m.was_on), say_day(m.due_on), m.rule, escape(m.says))
    return table


def _transits(found: Sequence[Transit]) -> RenderableType:
    table = table_of("人员", "险种", "月份", "来源", "缴费日", "认定至", "状态")
    for t in found:
        table.add_row(t.psn_no, t.insutype, f"{t.month:%Y-%m}", SOURCES[t.source], f"{t.paid_on or ''}", f"{t.until_on}",
                      TRANSIT_STATES[t.state])
    return table


def _held(lines: Sequence[HeldLine]) -> RenderableType:
    table = table_of("人员", "业务", "编号", "机构", "已付（元）", "自", "到账后释放")
    for h in lines:
        table.add_row(h.psn_no, h.title, h.register_no or h.object_id, h.fixmedins_code, yuan_text(h.paid_fen), f"{h.since_on}",
                      f"{h.released_at:%Y-%m-%d}" if h.released_at else "等待到账")
    return table
