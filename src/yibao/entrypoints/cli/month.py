"""``yibao month``: close a month, open it again, its report and vouchers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.closing.model import STATES, Month
from yibao.domains.closing.queries import list_events, list_months
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import REFUSED, USAGE, JsonFlag, show, stop, stop_refused, table_of
from yibao.kernel.actor import Actor
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.usecases.closing.checklist import CheckLine, check_month
from yibao.usecases.closing.close_month import ClosedMonth, CloseMonth, close_month
from yibao.usecases.closing.export_vouchers import FORMATS, export_vouchers
from yibao.usecases.closing.fund_report import FundMonth, FundReport, fund_report
from yibao.usecases.closing.reopen_month import AskReopen, DecideReopen, ask_reopen, reopen_month
from yibao.usecases.closing.report_page import write_page
from yibao.usecases.closing.report_sheet import write_sheet
from yibao.usecases.funds.fund_lines import INCOME

Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区")]
MonthText = Annotated[str, typer.Argument(metavar="MONTH", help="月份 yyyy-MM")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人姓名，记入审计")]
Out = Annotated[Path, typer.Option("--out", help="写到这个文件")]

app = typer.Typer(name="month", no_args_is_help=True, help="月结：检查、结账、重新打开、基金报表、凭证")


@app.command("list", help="列出已结账的月份")
def show_list(region: Annotated[str, typer.Option("--region", help="统筹区")] = "", as_json: JsonFlag = False) -> None:
    """List the months that were closed."""
    months: list[Month] = run_deed(lambda tx: list_months(tx, region), as_json=as_json)
    show({"ok": True, "months": months}, as_json=as_json, render=lambda: _months(months))


@app.command("check", help="结账前检查：每一项还有多少未办、在哪里办")
def check(region: Region, month: MonthText, as_json: JsonFlag = False) -> None:
    """Show the checklist; exit code 1 when something forbids the close."""
    asked = _month(month, as_json=as_json)
    lines: Sequence[CheckLine] = run_deed(lambda tx: check_month(tx, admdvs=region, month=asked), as_json=as_json)
    ready = not any(line.blocks for line in lines)
    show({"ok": ready, "checklist": lines}, as_json=as_json, render=lambda: _checklist(lines))
    raise typer.Exit(0 if ready else REFUSED)


@app.command("close", help="结账：检查、汇总各基金收支、结转余额、生成凭证")
def close(region: Region, month: MonthText, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Close a month."""
    command, now, ids = CloseMonth(admdvs=region, month=_month(month, as_json=as_json)), SystemClock().now(), RandomIds()
    done: ClosedMonth = run_deed(
        lambda tx: close_month(tx, command, actor=_actor(operator, region), now=now, ids=ids), as_json=as_json
    )
    show({"ok": True, "closed": done}, as_json=as_json, render=lambda: _closed(done))


@app.command("ask", help="申请重新打开最近结账的月份，须写明理由")
def ask(
    region: Region, month: MonthText, operator: OperatorName,
    reason: Annotated[str, typer.Option("--reason", help="理由")], as_json: JsonFlag = False,
) -> None:
    """Ask for a closed month to be opened again."""
    command = AskReopen(admdvs=region, month=_month(month, as_json=as_json), reason=reason)
    now, ids = SystemClock().now(), RandomIds()
    _tell(run_deed(lambda tx: ask_reopen(tx, command, actor=_actor(operator, region), now=now, ids=ids), as_json=as_json),
          as_json=as_json)


@app.command("open", help="复核重新打开的申请，须由申请人以外的人办理")
def open_again(
    region: Region, month: MonthText, operator: OperatorName,
    decline: Annotated[bool, typer.Option("--decline", help="不同意")] = False,
    reason: Annotated[str, typer.Option("--reason", help="意见")] = "", as_json: JsonFlag = False,
) -> None:
    """Agree or decline that a month is opened again; not by the one who asked."""
    command = DecideReopen(admdvs=region, month=_month(month, as_json=as_json), agree=not decline, reason=reason)
    now, ids = SystemClock().now(), RandomIds()
    _tell(run_deed(lambda tx: reopen_month(tx, command, actor=_actor(operator, region), now=now, ids=ids), as_json=as_json),
          as_json=as_json)


@app.command("history", help="查看一个月份的结账与重新打开记录")
def history(region: Region, month: MonthText, as_json: JsonFlag = False) -> None:
    """Show what was done with a month."""
    asked = _month(month, as_json=as_json)
    events = run_deed(lambda tx: list_events(tx, region, asked), as_json=as_json)

    def table() -> RenderableType:
        rows = table_of("时间", "事项", "版次", "经办人", "理由")
        words = {"closed": "结账", "asked": "申请重新打开", "declined": "不同意打开", "opened": "重新打开"}
        for e in events:
            rows.add_row(f"{e.at:%Y-%m-%d %H:%M}", words[e.verb], str(e.revision), escape(e.by), escape(e.reason))
        return rows

    show({"ok": True, "events": events}, as_json=as_json, render=table)


@app.command("report", help="基金收支情况表；文件名以 .xlsx 或 .pdf 结尾时写成文件")
def report(
    region: Region, month: MonthText,
    out: Annotated[Path | None, typer.Option("--out", help="写到这个文件，.xlsx 或 .pdf")] = None, as_json: JsonFlag = False,
) -> None:
    """Show the statement of the funds, or write it as a spreadsheet or PDF."""
    asked = _month(month, as_json=as_json)
    made: FundReport = run_deed(lambda tx: fund_report(tx, admdvs=region, month=asked), as_json=as_json)
    if out is not None:
        if out.suffix not in (".xlsx", ".pdf"):
            stop(USAGE, kind="usage", message=f"文件名应以 .xlsx 或 .pdf 结尾：{out}", as_json=as_json)
        content = write_sheet(made) if out.suffix == ".xlsx" else write_page(made)
        _write(content, out, as_json=as_json)
    show({"ok": True, "report": made}, as_json=as_json, render=lambda: _report(made))


@app.command("vouchers", help=f"导出已结账月份的凭证：{'、'.join(FORMATS)}")
def vouchers(
    region: Region, month: MonthText, out: Out,
    form: Annotated[str, typer.Option("--format", help="、".join(FORMATS))] = "xlsx", as_json: JsonFlag = False,
) -> None:
    """Write the vouchers of a closed month to a file."""
    asked = _month(month, as_json=as_json)
    content: bytes = run_deed(lambda tx: export_vouchers(tx, admdvs=region, month=asked, form=form), as_json=as_json)
    _write(content, out, as_json=as_json)
    show({"ok": True, "path": str(out), "bytes": len(content)}, as_json=as_json, render=lambda: f"✓ 凭证已写入 {out}")


def _actor(operator: str, region: str) -> Actor:
    return Actor(login=operator, channel="cli", regions=(region,))


def _month(text: str, *, as_json: bool) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        stop(USAGE, kind="usage", message=f"月份应为 yyyy-MM：{text}", as_json=as_json)


def _write(content: bytes | Refusal, out: Path, *, as_json: bool) -> None:
    if isinstance(content, Refusal):
        stop_refused(content, as_json=as_json)
    try:
        out.write_bytes(content)
    except OSError as error:
        stop(USAGE, kind="not_written", message=f"未能写入 {out}（{error.strerror}）", as_json=as_json)


def _tell(month: Month, *, as_json: bool) -> None:
    show({"ok": True, "month": month}, as_json=as_json, render=lambda: _months([month]))


def _months(months: Sequence[Month]) -> RenderableType:
    table = table_of("统筹区", "月份", "状态", "版次", "分录", "经办人", "理由")
    for m in months:
        table.add_row(m.admdvs, f"{m.month:%Y-%m}", STATES[m.state], str(m.revision), str(m.postings), escape(m.closed_by),
                      escape(m.reason))
    return table


def _checklist(lines: Sequence[CheckLine]) -> RenderableType:
    table = table_of("", "项目", "未办", "在哪里办", "例")
    for line in lines:
        mark = "[green]✓[/green]" if not line.open else "[red]✗[/red]" if line.must else "[yellow]![/yellow]"
        table.add_row(mark, line.title, str(line.open), line.where if line.open else "", escape("、".join(line.examples)))
    return table


def _closed(done: ClosedMonth) -> RenderableType:
    table = table_of("基金", "期初（元）", "收入（元）", "支出（元）", "期末（元）")
    for b in done.balances:
        table.add_row(b.fund, *(yuan_text(x) for x in (b.opening_fen, b.income_fen, b.spending_fen, b.carried_fen)))
    said = [f"提示：{x.title} {x.open} 项，{x.where}" for x in done.checklist if x.open]
    return Group(f"✓ {done.month.admdvs} {done.month.month:%Y-%m} 已结账，凭证 {done.vouchers} 张", table, *said)


def _report(made: FundReport) -> RenderableType:
    parts: list[RenderableType] = [made.title + ("" if made.is_final else "（尚未结账，暂时数）")]
    for fund in (*made.funds, made.total):
        table = table_of(f"{fund.fund} {fund.title}".strip(), "本月（元）", "本年累计（元）")
        for title, month, year in _rows(fund):
            table.add_row(title, month, year)
        parts.append(table)
    return Group(*parts)


def _rows(fund: FundMonth) -> list[tuple[str, str, str]]:
    return [
        ("期初结余", yuan_text(fund.opening_fen), ""),
        *((f"{'＋' if x.side == INCOME else '－'} {x.title}", yuan_text(x.month_fen), yuan_text(x.year_fen))
          for x in fund.lines),
        ("期末结余", yuan_text(fund.carried_fen), ""),
    ]
