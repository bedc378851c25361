"""``yibao register``: the books of a window: what is in them, working them off, closing and printing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import msgspec
import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.registers.books import books
from yibao.domains.registers.model import STATES, Entry, KeptPaper, Step
from yibao.domains.registers.queries import find_entry, list_entries, list_papers, list_steps, sum_books
from yibao.entrypoints.cli.agency_deeds import Means, run_as
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, aside, show, stop, table_of
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.usecases.registers.close_book import CloseBook, ClosedBook, close_book
from yibao.usecases.registers.close_entry import close_entry, entry_unknown, name_owner
from yibao.usecases.registers.print_book import PrintedBook, write_page, write_sheet
from yibao.usecases.registers.read_book import read_book
from yibao.usecases.registers.work_rows import Worked, WorkedRow, WorkRows, work_rows

Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区")]
Kind = Annotated[str, typer.Argument(metavar="KIND", help="登记册种类")]
RegisterNo = Annotated[str, typer.Argument(metavar="REGISTER_NO", help="登记号")]
PlanName = Annotated[str, typer.Option("--plan", help="停机方案名称")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人，记入登记与审计")]
app = typer.Typer(no_args_is_help=True, help="登记册：查看、集中办理、办结、指定责任人、关闭、打印")


@app.command("list", help="列出各登记册，或一本登记册的各行")
def list_books(
    region: Region, kind: Annotated[str, typer.Option("--kind", help="登记册种类；不填为汇总")] = "", plan: PlanName = "",
    state: Annotated[str, typer.Option("--state", help="、".join(f"{k} {v}" for k, v in STATES.items()))] = "",
    as_json: JsonFlag = False,
) -> None:
    """List books with what is open in them, or the rows of one."""
    if kind:
        rows: list[Entry] = run_deed(
            lambda tx: list_entries(tx, region, kind=kind, plan=plan, state=state, limit=10_000), as_json=as_json)
        show({"ok": True, "rows": rows}, as_json=as_json, render=lambda: _rows(rows))
        return
    sums: list[asyncpg.Record] = run_deed(lambda tx: sum_books(tx, region, plan=plan), as_json=as_json)
    show({"ok": True, "books": [dict(s) for s in sums]}, as_json=as_json, render=lambda: _books(sums))


@app.command("show", help="查看一行登记及其材料和经过")
def show_entry(register_no: RegisterNo, as_json: JsonFlag = False) -> None:
    """Show a row."""
    async def look(tx: Connection) -> tuple[Entry, list[KeptPaper], list[Step]] | Refusal:
        entry = await find_entry(tx, register_no)
        if entry is None:
            return entry_unknown(register_no)
        return entry, await list_papers(tx, entry), await list_steps(tx, entry)

    entry, papers, steps = run_deed(look, as_json=as_json)
    told = [{"title": p.title, "file_name": p.file_name, "digest": p.digest.hex()} for p in papers]
    show({"ok": True, "row": entry, "papers": told, "steps": steps}, as_json=as_json,
         render=lambda: _sheet(entry, papers, steps))


@app.command("work", help="恢复后按登记号顺序集中办理；未能办理的保留原因")
def work(
    region: Region, kind: Kind, plan: PlanName, operator: OperatorName,
    checker: Annotated[str, typer.Option("--checker", help="复核人，与经办人不同")], as_json: JsonFlag = False,
) -> None:
    """Work a book off in chunks of one transaction each; ended anywhere and run again, it goes on where it stood."""
    rows: list[WorkedRow] = []
    after = ""
    while True:
        worked = _work_chunk(region, kind, plan, after=after, operator=operator, checker=checker, as_json=as_json)
        rows += worked.rows
        if not worked.last:
            break
        after = worked.last
        if not as_json:
            aside.print(f"已办到 {after}")
    show({"ok": True, "rows": rows}, as_json=as_json, render=lambda: _worked(rows))


def _work_chunk(
    region: str, kind: str, plan: str, *, after: str, operator: str, checker: str, as_json: bool
) -> Worked:
    async def deed(tx: Connection, m: Means) -> Worked | Refusal:
        second = msgspec.structs.replace(m.actor, login=checker.strip())
        command = WorkRows(admdvs=region, kind=kind, plan=plan, after=after)
        return await work_rows(
            tx, command, actor=m.actor, checker=second, now=m.now, ids=m.ids, shelf=m.shelf, gate=m.gate)

    if not checker.strip():
        stop(USAGE, kind="usage", message="须用 --checker 写明复核人", as_json=as_json)
    return run_as(operator, deed, as_json=as_json)


@app.command("end", help="人工办结一行不涉及金额的登记")
def end(
    register_no: RegisterNo, operator: OperatorName,
    state: Annotated[str, typer.Option("--state", help="done 办结、refused 未能办理、withdrawn 撤回")] = "done",
    result: Annotated[str, typer.Option("--result", help="办理结果")] = "",
    reason: Annotated[str, typer.Option("--reason", help="未能办理或撤回的理由")] = "", as_json: JsonFlag = False,
) -> None:
    """End a row by hand."""
    _tell(run_as(operator, lambda tx, m: close_entry(
        tx, register_no, state=state, result=result, reason=reason, now=m.now, actor=m.actor, ids=m.ids), as_json=as_json),
        as_json=as_json)


@app.command("owner", help="为留下的登记指定责任人和期限")
def owner(
    register_no: RegisterNo, operator: OperatorName,
    name: Annotated[str, typer.Option("--name", help="责任人")],
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="期限")], as_json: JsonFlag = False,
) -> None:
    """Name who answers for a row that is left over."""
    _tell(run_as(operator, lambda tx, m: name_owner(
        tx, register_no, owner=name, until=until.date(), now=m.now, actor=m.actor, ids=m.ids), as_json=as_json),
        as_json=as_json)


@app.command("close", help="关闭登记册：尚有未办结且无责任人的行时不能关闭")
def close(region: Region, kind: Kind, plan: PlanName, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Close a book."""
    command = CloseBook(admdvs=region, kind=kind, plan=plan)
    closed: ClosedBook = run_as(
        operator, lambda tx, m: close_book(tx, command, actor=m.actor, now=m.now, ids=m.ids), as_json=as_json)
    show({"ok": True, "book": closed}, as_json=as_json, render=lambda: (
        f"已关闭：{books().kinds[closed.kind].title}，{closed.rows} 件，其中 {closed.owned} 件有责任人；"
        f"已收 {yuan_text(closed.paid_fen)} 元，应付 {yuan_text(closed.due_fen)} 元，退回 {yuan_text(closed.back_fen)} 元，"
        f"补收 {yuan_text(closed.topup_fen)} 元；摘要 {closed.digest}"))


@app.command("print", help="打印登记册（.xlsx 或 .pdf）")
def print_book(
    region: Region, kind: Kind, plan: PlanName, operator: OperatorName,
    out: Annotated[Path, typer.Option("--out", help="写到哪里；后缀为 .xlsx 或 .pdf")], as_json: JsonFlag = False,
) -> None:
    """Print a book."""
    if out.suffix not in (".xlsx", ".pdf"):
        stop(USAGE, kind="usage", message="--out 的后缀应为 .xlsx 或 .pdf", as_json=as_json)

    async def look(tx: Connection, m: Means) -> bytes | Refusal:
        book: PrintedBook | Refusal = await read_book(tx, admdvs=region, kind=kind, plan=plan, now=m.now)
        if isinstance(book, Refusal):
            return book
        return write_sheet(book) if out.suffix == ".xlsx" else write_page(book)

    out.write_bytes(run_as(operator, look, as_json=as_json))
    show({"ok": True, "file": str(out)}, as_json=as_json, render=lambda: f"已写入 {out}")


def _tell(entry: Entry, *, as_json: bool) -> None:
    show({"ok": True, "row": entry}, as_json=as_json, render=lambda: f"{entry.register_no}：{STATES[entry.state]}")


def _books(sums: Sequence[asyncpg.Record]) -> RenderableType:
    table = table_of("登记册", "方案", "件数", "未办结", "可办理", "最早未办结", "已收", "应付", "退回", "补收")
    for s in sums:
        table.add_row(
            f"{books().kinds[s['kind']].title} {s['kind']}", s["plan"], str(s["rows"]), str(s["open"]), str(s["ready"]),
            to_wire(s["oldest"]) if s["oldest"] else "", *(yuan_text(s[f"{n}_fen"]) for n in ("paid", "due", "back", "topup")))
    return table


def _rows(rows: Sequence[Entry]) -> RenderableType:
    table = table_of("登记号", "受理时间", "姓名", "电话", "状态", "期限", "结果或原因")
    for row in rows:
        table.add_row(row.register_no, to_wire(row.received_at), escape(row.applicant_name), row.phone, STATES[row.state],
                      _day(row.due_on), escape(row.result or row.reason))
    return table


def _sheet(entry: Entry, papers: Sequence[KeptPaper], steps: Sequence[Step]) -> RenderableType:
    parts: list[RenderableType] = [
        f"{entry.register_no} {books().kinds[entry.kind].title}：{STATES[entry.state]}",
        escape(f"{entry.applicant_name} {entry.phone}，{to_wire(entry.received_at)} 由 {entry.received_by} 受理"),
    ]
    if books().kinds[entry.kind].money:
        parts.append(f"金额 {yuan_text(entry.amount_fen)}，已收 {yuan_text(entry.paid_fen)}，应付 {yuan_text(entry.due_fen)}，"
                     f"退回 {yuan_text(entry.back_fen)}，补收 {yuan_text(entry.topup_fen)}（元）")
    parts += [escape(f"材料：{p.title} {p.digest.hex()[:16]}") for p in papers]
    parts += [escape(f"{to_wire(s.at)} {s.what} {s.actor} {s.says}") for s in steps]
    return Group(*parts)


def _worked(rows: Sequence[WorkedRow]) -> RenderableType:
    words = {"done": "已办", "waiting": "尚未恢复", "kept": "未能办理", "by_hand": "待人工办理"}
    table = table_of("登记号", "结果", "说明")
    for row in rows:
        table.add_row(row.register_no, words[row.outcome], escape(row.says))
    return table


def _day(day: date | None) -> str:
    return "" if day is None else f"{day}"


