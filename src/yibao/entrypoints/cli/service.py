"""``yibao service``: service items, and applications from intake to the closed file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.services.items import service_book
from yibao.domains.services.model import STATES, Application, Item
from yibao.domains.services.queries import list_applications
from yibao.entrypoints.cli.agency_deeds import read_command, run_as
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, show, stop, table_of
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.clock import SystemClock
from yibao.usecases.services.accept_application import (
    accept_application,
    refuse_application,
    register_application,
    return_application,
)
from yibao.usecases.services.commands import (
    OnApplication,
    PaperGiven,
    RateApplication,
    RegisterApplication,
    SubmitApplication,
    SupplementApplication,
    SuspendApplication,
)
from yibao.usecases.services.decide_application import (
    approve_application,
    follow_payments,
    reject_application,
    review_application,
    send_back_application,
)
from yibao.usecases.services.desk import Sheet, sheet_of
from yibao.usecases.services.rate_application import rate_application
from yibao.usecases.services.submit_application import (
    submit_application,
    supplement_application,
    withdraw_application,
)
from yibao.usecases.services.suspend_application import resume_application, suspend_application

Ident = Annotated[str, typer.Argument(metavar="APPLICATION_ID", help="申请编号")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人，记入申请与审计")]
Division = Annotated[str, typer.Option("--division", help="经办机构区划：县6位、乡镇9位；不填为统筹区本级")]
Says = Annotated[str, typer.Option("--says", help="意见或理由")]
app = typer.Typer(name="service", no_args_is_help=True, help="服务事项：事项清单、受理、审核、审批、期限、评价")


@app.command("items", help="列出服务事项：材料、期限、渠道")
def items(
    region: Annotated[str, typer.Option("--region", help="统筹区")] = "", as_json: JsonFlag = False
) -> None:
    """List the service items as they are today."""
    book, today = service_book(), business_date(SystemClock().now())
    limits = {code: book.limit_of(code, admdvs=region, on=today) for code in book.items}
    data = [{"item": item, "limit": limits[code], "papers": book.papers[code]} for code, item in book.items.items()]
    show({"ok": True, "items": data}, as_json=as_json, render=lambda: _items(list(book.items.values()), {
        code: limit.working_days for code, limit in limits.items()}))


@app.command("submit", help="提交申请（JSON 文件）")
def submit(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="申请内容，JSON")], operator: OperatorName,
    division: Division = "", as_json: JsonFlag = False,
) -> None:
    """Submit an application."""
    command = read_command(path, SubmitApplication, as_json=as_json)
    _tell(run_as(operator, lambda tx, m: submit_application(tx, command, actor=m.actor, now=m.now, ids=m.ids),
                 division=division, as_json=as_json), as_json=as_json)


@app.command("supplement", help="补交一份材料，或以承诺书代替")
def supplement(
    application: Ident, material: Annotated[str, typer.Argument(metavar="MATERIAL", help="材料代码")], operator: OperatorName,
    file: Annotated[Path | None, typer.Option("--file", help="材料文件；不填为承诺书")] = None, as_json: JsonFlag = False,
) -> None:
    """Add a paper."""
    if file is not None and not file.is_file():
        stop(USAGE, kind="usage", message=f"没有文件 {file}", as_json=as_json)
    paper = PaperGiven(material=material, undertaking=file is None, file_name=file.name if file else "",
                       content=file.read_bytes() if file else b"")
    command = SupplementApplication(application_id=application, materials=[paper])
    _tell(run_as(operator, lambda tx, m: supplement_application(tx, command, actor=m.actor, now=m.now, ids=m.ids),
                 as_json=as_json), as_json=as_json)


def _on_one(name: str, help_text: str, deed: Callable[..., Any], *, with_shelf: bool = False) -> None:
    """Add a verb that does a deed on one application."""

    @app.command(name, help=help_text)
    def verb(
        application: Ident, operator: OperatorName, says: Says = "", division: Division = "", as_json: JsonFlag = False
    ) -> None:
        command = OnApplication(application_id=application, says=says)
        _tell(run_as(operator, lambda tx, m: deed(
            tx, command, actor=m.actor, now=m.now, ids=m.ids, **({"shelf": m.shelf} if with_shelf else {})),
            division=division, as_json=as_json), as_json=as_json)


for _name, _help, _deed, _shelf in (
    ("accept", "受理；无须审核的事项当场办结", accept_application, True),
    ("return", "一次性告知须补正的材料", return_application, False),
    ("refuse", "不予受理，须写明理由", refuse_application, False),
    ("withdraw", "申请人撤回", withdraw_application, False),
    ("resume", "恢复办理，期限顺延", resume_application, False),
    ("review", "审核，须写明意见", review_application, False),
    ("send-back", "退回重新审核", send_back_application, False),
    ("approve", "审批通过并办理，须由审核人以外的人", approve_application, True),
    ("reject", "不予通过，须写明理由", reject_application, False),
):
    _on_one(_name, _help, _deed, with_shelf=_shelf)


@app.command("register", help="停办期间登记造册")
def register(
    application: Ident, operator: OperatorName, window: Annotated[str, typer.Option("--window", help="停办公告编号")],
    as_json: JsonFlag = False,
) -> None:
    """Register an application in a window."""
    command = RegisterApplication(application_id=application, window_id=window)
    _tell(run_as(operator, lambda tx, m: register_application(tx, command, actor=m.actor, now=m.now, ids=m.ids),
                 as_json=as_json), as_json=as_json)


@app.command("suspend", help="中止办理，期限停止计算")
def suspend(
    application: Ident, operator: OperatorName, reason: Annotated[str, typer.Option("--reason", help="原因")],
    window: Annotated[str, typer.Option("--window", help="停办公告编号")] = "", as_json: JsonFlag = False,
) -> None:
    """Let the clock stand."""
    command = SuspendApplication(application_id=application, reason=reason, window_id=window)
    _tell(run_as(operator, lambda tx, m: suspend_application(tx, command, actor=m.actor, now=m.now, ids=m.ids),
                 as_json=as_json), as_json=as_json)


@app.command("rate", help="好差评：1至5星")
def rate(
    application: Ident, stars: Annotated[int, typer.Argument(metavar="STARS", help="1至5")], operator: OperatorName,
    says: Says = "", as_json: JsonFlag = False,
) -> None:
    """Rate an application."""
    command = RateApplication(application_id=application, stars=stars, says=says)
    _tell(run_as(operator, lambda tx, m: rate_application(tx, command, actor=m.actor, now=m.now, ids=m.ids),
                 as_json=as_json), as_json=as_json)


@app.command("follow", help="按银行回盘更新支付中的申请")
def follow(
    region: Annotated[str, typer.Argument(metavar="REGION", help="统筹区")], operator: OperatorName, as_json: JsonFlag = False
) -> None:
    """Follow the payments of applications."""
    moved = run_as(operator, lambda tx, m: follow_payments(tx, admdvs=region, actor=m.actor, now=m.now, ids=m.ids),
                   as_json=as_json)
    show({"ok": True, "applications": moved}, as_json=as_json, render=lambda: _table(moved))


@app.command("list", help="列出申请，先到期的在前")
def list_all(
    region: Annotated[str, typer.Option("--region", help="统筹区")] = "",
    state: Annotated[str, typer.Option("--state", help="、".join(f"{k} {v}" for k, v in STATES.items()))] = "",
    late: Annotated[bool, typer.Option("--late", help="只看已过期限的")] = False, as_json: JsonFlag = False,
) -> None:
    """List applications."""
    before = business_date(SystemClock().now()) if late else None
    found = run_deed(lambda tx: list_applications(tx, region, state, "", "", "", before, 1000), as_json=as_json)
    show({"ok": True, "applications": found}, as_json=as_json, render=lambda: _table(found))


@app.command("show", help="查看一个申请的进度")
def show_one(application: Ident, as_json: JsonFlag = False) -> None:
    """Show an application with everything that happened to it."""
    today = business_date(SystemClock().now())
    sheet: Sheet = run_deed(lambda tx: sheet_of(tx, application, on=today), as_json=as_json)
    show({"ok": True, "sheet": sheet}, as_json=as_json, render=lambda: _sheet(sheet))


def _tell(done: Application, *, as_json: bool) -> None:
    show({"ok": True, "application": done}, as_json=as_json, render=lambda: _table([done]))


def _table(found: Sequence[Application]) -> RenderableType:
    table = table_of("申请", "事项", "申请人", "状态", "期限", "登记号")
    book = service_book()
    for a in found:
        table.add_row(a.application_id, book.items[a.item_code].title, escape(a.applicant_name), STATES[a.state],
                      str(a.due_on or "—"), a.register_no or "—")
    return table


def _sheet(sheet: Sheet) -> RenderableType:
    table = table_of("步骤", "状态", "时间", "经办人", "工作日", "说明")
    for s in sheet.steps:
        table.add_row(s.what, STATES[s.state], to_wire(s.at), escape(s.actor), str(s.working_day), escape(s.says))
    note = [sheet.calendar_note] if sheet.calendar_note else []
    return Group(_table([sheet.application]), f"已用 {sheet.used_days} 个工作日", table, *note)


def _items(found: Sequence[Item], days: dict[str, int]) -> RenderableType:
    table = table_of("代码", "事项", "工作日", "渠道", "办理")
    words = service_book().words["channels"]
    for i in found:
        table.add_row(i.code, i.title, str(days[i.code]) if days[i.code] else "即时", "、".join(words[c] for c in i.channels),
                      i.instead or ("两人审核" if i.review == "two" else "当场办结"))
    return table
