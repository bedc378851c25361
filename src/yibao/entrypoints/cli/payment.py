"""``yibao payment``: what an agency does with payment by group: group a month, decide exits, close a year."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Annotated, TypeVar

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.grouping.model import Application
from yibao.domains.grouping.queries import list_applications, list_closes, list_lines
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, show, stop, table_of
from yibao.infra.database import Connection
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.money import div_half_up, yuan_text
from yibao.kernel.refusal import Refusal
from yibao.usecases.grouping.apply_exit import STATES
from yibao.usecases.grouping.close_year import ClosedYear, approve_year, compute_year
from yibao.usecases.grouping.decide_exit import decide_exit
from yibao.usecases.grouping.group_settlements import GroupedDays, group_settlements

T = TypeVar("T")
Region = Annotated[str, typer.Option("--region", help="统筹区")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人姓名，记入审计")]
Year = Annotated[int, typer.Option("--year", help="年度")]

app = typer.Typer(name="payment", no_args_is_help=True, help="按组付费：月度分组、退出审核、年终清算")


def _run(deed: Callable[[Connection, datetime], Awaitable[T | Refusal]], *, as_json: bool) -> T:
    """Do a deed at the present instant."""
    return run_deed(lambda tx: deed(tx, SystemClock().now()), as_json=as_json)


@app.command("group", help="给一个月的住院结算分组并计算支付标准")
def group_month(
    region: Region, operator: OperatorName,
    month: Annotated[str, typer.Option("--month", help="结算年月 yyyyMM")], as_json: JsonFlag = False,
) -> None:
    """Group the stays settled in a month whose list was accepted."""
    if not (len(month) == 6 and month.isdecimal() and 1 <= int(month[4:]) <= 12):
        stop(USAGE, kind="usage", message=f"结算年月应为yyyyMM：{month}", as_json=as_json)
    year, number = int(month[:4]), int(month[4:])
    first, after = date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)
    days = _run(
        lambda tx, now: group_settlements(
            tx, admdvs=region, begin_on=first, end_before=after, operator=operator, now=now, ids=RandomIds()
        ), as_json=as_json,
    )
    show({"ok": True, "days": days}, as_json=as_json, render=lambda: _days(days))


@app.command("exits", help="列出退出按组付费的申请")
def exits(
    region: Region, state: Annotated[str, typer.Option("--state", help="、".join(STATES))] = "", as_json: JsonFlag = False,
) -> None:
    """List applications to leave payment by group."""
    if state and state not in STATES:
        stop(USAGE, kind="usage", message=f"不认识的 {state}；可用：{'、'.join(STATES)}", as_json=as_json)

    async def act(tx: Connection, _now: datetime) -> list[Application]:
        return await list_applications(tx, admdvs=region, state=state)

    found = _run(act, as_json=as_json)
    show({"ok": True, "applications": found}, as_json=as_json, render=lambda: _applications(found))


@app.command("decide-exit", help="同意或不同意退出申请")
def decide(
    application_id: Annotated[str, typer.Argument(metavar="APPLICATION_ID", help="申请编号")], region: Region,
    operator: OperatorName, approve: Annotated[bool, typer.Option("--approve/--refuse", help="同意或不同意")],
    opinion: Annotated[str, typer.Option("--opinion", help="审核意见")] = "", as_json: JsonFlag = False,
) -> None:
    """Decide an application."""
    decided = _run(
        lambda tx, now: decide_exit(
            tx, admdvs=region, application_id=application_id, is_approved=approve, opinion=opinion, operator=operator,
            now=now, ids=RandomIds(),
        ), as_json=as_json,
    )
    show({"ok": True, "application": decided}, as_json=as_json, render=lambda: _applications([decided]))


@app.command("compute-year", help="计算年终清算（年度未结束时为预测）")
def compute(region: Region, year: Year, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Work out a region's year, pool by pool."""
    found = _run(
        lambda tx, now: compute_year(tx, admdvs=region, year=year, operator=operator, now=now, ids=RandomIds()),
        as_json=as_json,
    )
    show({"ok": True, "years": found}, as_json=as_json, render=lambda: Group(*map(_year, found)))


@app.command("approve-year", help="审批年终清算：须由另一人，且结果未变")
def approve(
    close_id: Annotated[str, typer.Argument(metavar="CLOSE_ID", help="清算编号")], operator: OperatorName,
    as_json: JsonFlag = False,
) -> None:
    """Approve a year; differences become claims that are paid like any other."""
    closed = _run(
        lambda tx, now: approve_year(tx, close_id=close_id, operator=operator, now=now, ids=RandomIds()), as_json=as_json
    )
    show({"ok": True, "year": closed}, as_json=as_json, render=lambda: _year(closed))


@app.command("show-year", help="查看年终清算")
def show_year(region: Region, year: Year, as_json: JsonFlag = False) -> None:
    """Show every closing of a region's year."""

    async def act(tx: Connection, _now: datetime) -> list[ClosedYear]:
        closes = await list_closes(tx, admdvs=region, year=year)
        return [ClosedYear(close, tuple(await list_lines(tx, close.close_id))) for close in closes]

    found = _run(act, as_json=as_json)
    show({"ok": True, "years": found}, as_json=as_json, render=lambda: Group(*map(_year, found)))


def _days(days: GroupedDays) -> RenderableType:
    table = table_of("结算ID", "组", "名称", "方式", "支付标准", "基金应付", "说明")
    for r in days.results:
        table.add_row(r.setl_id, r.code or "未入组", escape(r.name), r.kind, yuan_text(r.standard_fen), yuan_text(r.due_fen),
                      escape(r.reason))
    return Group(
        table, f"按组付费 {days.stays} 例：入组 {days.grouped}，未入组 {days.ungrouped}，"
        f"清单未通过审核 {len(days.without_list)}，年度已清算 {days.closed}",
    )


def _applications(rows: Sequence[Application]) -> RenderableType:
    table = table_of("申请编号", "机构", "结算ID", "状态", "原因", "意见")
    for row in rows:
        table.add_row(row.application_id, row.fixmedins_code, row.setl_id, STATES[row.state], escape(row.reason),
                      escape(row.opinion))
    return table


def _year(year: ClosedYear) -> RenderableType:
    close = year.close
    table = table_of("机构", "例数", "应付", "已付", "清算", "差额", "说明")
    for line in year.lines:
        amounts = (line.due_fen, line.paid_fen, line.final_fen, line.adjust_fen)
        table.add_row(line.fixmedins_code, str(line.cases), *map(yuan_text, amounts), escape(line.reason))
    value = yuan_text(div_half_up(close.value_num, close.value_den)) if close.value_num else "—"
    return Group(
        f"[bold]{escape(close.pool)} {close.year}[/bold]  {close.close_id}  {close.state}  预算 {yuan_text(close.budget_fen)}"
        f"  点值 {value}", table,
    )
