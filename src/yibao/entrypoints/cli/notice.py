"""``yibao notice``: the texts of a window, whom it concerns, messages, subscriptions and bulletins."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.notices.model import KINDS, VIEWS, Bulletin, Subscription, Told
from yibao.domains.notices.queries import count_told, find_kept, list_bulletins, list_told
from yibao.domains.windows.model import Plan
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.shipped import plan_names, plan_text
from yibao.domains.windows.tables import businesses
from yibao.domains.windows.words import instant_says
from yibao.entrypoints.cli.agency_deeds import run_as
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import (
    REFUSED,
    USAGE,
    JsonFlag,
    known_failures,
    show,
    stop,
    stop_refused,
    table_of,
)
from yibao.entrypoints.cli.policy_affected import shelf_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import load_settings
from yibao.infra.database import Connection, Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import to_wire
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.notices.clauses import PROMISES
from yibao.usecases.notices.commands import PublishBulletin, SendNotices, Subscribe
from yibao.usecases.notices.concerns import GROUPS, Concern, find_concerns
from yibao.usecases.notices.print_notice import print_notice
from yibao.usecases.notices.promises import Promise, promises
from yibao.usecases.notices.publish_bulletin import publish_bulletin
from yibao.usecases.notices.published import find_published
from yibao.usecases.notices.send_notices import Sent, send_all
from yibao.usecases.notices.subscribe import subscribe
from yibao.usecases.notices.writing import long_text, phone_text

OperatorName = Annotated[str, typer.Option("--operator", help="经办人，记入审计")]
Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区（6位区划）")]
PlanName = Annotated[str, typer.Argument(metavar="PLAN", help="已公布的切换方案名称")]
Source = Annotated[str, typer.Argument(metavar="FILE|NAME", help="方案文件，或随程序提供的方案名称")]
Person = Annotated[str, typer.Option("--person", help="人员编号")]
Employer = Annotated[str, typer.Option("--employer", help="单位编号")]
Institution = Annotated[str, typer.Option("--institution", help="定点医药机构编号")]
app = typer.Typer(name="notice", no_args_is_help=True, help="停机公告：文本、提醒名单、消息、订阅、恢复情况通报")


@app.command("text", help="由方案生成公告：参保人、单位、机构或手机短文")
def text(
    source: Source, view: Annotated[str, typer.Option("--view", help="、".join(f"{k} {v}" for k, v in VIEWS.items()))] = "person",
    region: Annotated[str, typer.Option("--region", help="统筹区；填写时取该区已公布的方案")] = "",
    pdf: Annotated[Path | None, typer.Option("--pdf", help="把 PDF 写到这里")] = None, as_json: JsonFlag = False,
) -> None:
    """Write the notice of a plan."""
    if view not in VIEWS:
        stop(USAGE, kind="usage", message=f"--view 可用：{'、'.join(VIEWS)}", as_json=as_json)
    said = _kept(region, source, view, as_json=as_json) if region else _write(_plan(source, as_json=as_json), view)
    if pdf is not None:
        _print(said, pdf, as_json=as_json)
    show({"ok": True, "view": view, "text": said}, as_json=as_json, render=lambda: escape(said))


@app.command("promises", help="公告承诺的各项业务办理时间，供程序核对")
def list_promises(source: Source, as_json: JsonFlag = False) -> None:
    """List what a plan promises."""
    found = promises(_plan(source, as_json=as_json))
    show({"ok": True, "promises": found}, as_json=as_json, render=lambda: _promises(found))


@app.command("concerned", help="停机前应提醒的人、单位和机构")
def concerned(region: Region, plan: PlanName, as_json: JsonFlag = False) -> None:
    """List whom a plan concerns before its stop."""
    now = SystemClock().now()

    async def ask(tx: Connection) -> list[Concern] | Refusal:
        found = await find_published(tx, region, plan)
        return found if isinstance(found, Refusal) else await find_concerns(tx, found, at=now)

    rows = run_deed(ask, as_json=as_json)
    show({"ok": True, "concerned": rows}, as_json=as_json, render=lambda: _concerned(rows))


@app.command("send", help="发送尚未发送的提醒、调整和恢复消息；可随时再次运行")
def send(
    region: Region, plan: PlanName, operator: OperatorName,
    chunk: Annotated[int, typer.Option("--chunk", min=1, max=5000, help="每次提交的消息数")] = 1000, as_json: JsonFlag = False,
) -> None:
    """Send what is to be said now, in chunks of one transaction each."""
    if not operator.strip():
        stop(USAGE, kind="usage", message="须用 --operator 写明经办人", as_json=as_json)
    command = SendNotices(admdvs=region, plan=plan, most=chunk)
    shelf = shelf_of(read_policy_files(), as_json=as_json)
    actor = Actor(login=operator.strip(), channel="cli", regions=shelf.regions)
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        done = asyncio.run(_send(settings.database_url, command, actor))
    if isinstance(done, Refusal):
        stop_refused(done, as_json=as_json)
    show({"ok": True, "plan": done.plan, "version": done.version, "sent": done.sent, "kinds": done.kinds}, as_json=as_json,
         render=lambda: _sent(done))


@app.command("sent", help="一个方案已发送和已读的消息数")
def sent(region: Region, plan: PlanName, as_json: JsonFlag = False) -> None:
    """Count what was sent."""
    rows = run_deed(lambda tx: count_told(tx, region, plan), as_json=as_json)
    table = table_of("版本", "类别", "规则", "已发送", "已读")
    for r in rows:
        table.add_row(str(r["version"]), KINDS[r["kind"]], r["rule"] or "—", str(r["told"]), str(r["read"]))
    show({"ok": True, "sent": rows}, as_json=as_json, render=lambda: table)


@app.command("messages", help="参保人、单位或机构收到的消息")
def messages(
    person: Person = "", employer: Employer = "", institution: Institution = "", as_json: JsonFlag = False
) -> None:
    """List the messages of one addressee."""
    if sum(map(bool, (person, employer, institution))) != 1:
        stop(USAGE, kind="usage", message="须且只能填写 --person、--employer、--institution 中的一个", as_json=as_json)
    rows: list[Told] = run_deed(
        lambda tx: list_told(tx, psn_no=person, emp_no=employer, fixmedins_code=institution), as_json=as_json)
    show({"ok": True, "messages": rows}, as_json=as_json, render=lambda: _messages(rows))


@app.command("subscribe", help="为参保人、单位或机构订阅业务恢复通知")
def add_subscription(
    region: Region, plan: PlanName, operator: OperatorName,
    business: Annotated[str, typer.Option("--business", help="业务代码")], person: Person = "", employer: Employer = "",
    institution: Institution = "", as_json: JsonFlag = False,
) -> None:
    """Subscribe somebody to a restart."""
    command = Subscribe(admdvs=region, plan=plan, business=business, psn_no=person, emp_no=employer, fixmedins_code=institution)
    done: Subscription = run_as(
        operator, lambda tx, m: subscribe(tx, command, actor=m.actor, now=m.now, ids=m.ids), as_json=as_json)
    show({"ok": True, "subscription": done}, as_json=as_json, render=lambda: f"✓ 已订阅 {done.plan} {done.track}")


@app.command("bulletin", help="发布今日恢复情况通报")
def bulletin(region: Region, plan: PlanName, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Publish the bulletin of today."""
    command = PublishBulletin(admdvs=region, plan=plan)
    done: Bulletin = run_as(
        operator, lambda tx, m: publish_bulletin(tx, command, actor=m.actor, now=m.now, ids=m.ids), as_json=as_json)
    show({"ok": True, "bulletin": done}, as_json=as_json, render=lambda: escape(done.text))


@app.command("bulletins", help="已发布的恢复情况通报")
def bulletins(region: Region, plan: PlanName, as_json: JsonFlag = False) -> None:
    """List the bulletins of a plan."""
    rows = run_deed(lambda tx: list_bulletins(tx, region, plan), as_json=as_json)
    show({"ok": True, "bulletins": rows}, as_json=as_json, render=lambda: Group(*(escape(b.text) for b in rows)))


def _plan(source: str, *, as_json: bool) -> Plan:
    """Return the plan of a file, or of the name of one that comes with the program."""
    path = Path(source)
    content = plan_text(source) if source in plan_names() else path.read_text("utf-8") if path.is_file() else None
    if content is None:
        stop(USAGE, kind="usage", message=f"没有文件或方案 {source}；随程序提供：{'、'.join(plan_names())}", as_json=as_json)
    read = read_plan(content)
    if isinstance(read, Refusal):
        stop_refused(read, as_json=as_json)
    return read


def _write(plan: Plan, view: str) -> str:
    return phone_text(plan) if view == "phone" else long_text(plan, view=view)


def _kept(region: str, name: str, view: str, *, as_json: bool) -> str:
    """Return the text of a published plan: as it was kept, or as it will be."""

    async def ask(tx: Connection) -> str | Refusal:
        found = await find_published(tx, region, name)
        if isinstance(found, Refusal):
            return found
        kept = await find_kept(tx, admdvs=region, plan=name, view=view, version=found.version)
        return str(kept["text"]) if kept else _write(found, view)

    return run_deed(ask, as_json=as_json)


def _print(said: str, path: Path, *, as_json: bool) -> None:
    page = print_notice(said)
    if isinstance(page, Refusal):
        stop_refused(page, as_json=as_json)
    try:
        path.write_bytes(page)
    except OSError as error:
        stop(REFUSED, kind="not_written", message=f"未能写入 {path}（{error.strerror}）", as_json=as_json)


def _promises(found: Sequence[Promise]) -> RenderableType:
    table = table_of("业务", "渠道", "自", "至", "办理", "规则")
    for p in found:
        table.add_row(businesses()[p.business].title, p.channel or "—", instant_says(p.begin) if p.begin else "—",
                      instant_says(p.end) if p.end else "—", PROMISES[p.promise], p.rule or "—")
    return table


def _concerned(rows: Sequence[Concern]) -> RenderableType:
    table = table_of("规则", "原因", "人员", "单位", "机构", "事项", "日期")
    for r in rows:
        table.add_row(r.rule, GROUPS[r.group], r.psn_no or "—", r.emp_no or "—", r.fixmedins_code or "—", r.about,
                      str(r.on_day or "—"))
    return table


async def _send(url: str, command: SendNotices, actor: Actor) -> Sent | Refusal:
    database = await Database.open(url, role=None, size=1)
    try:
        return await send_all(database, command, actor=actor, now=SystemClock().now(), ids=RandomIds())
    finally:
        await database.close()


def _sent(done: Sent) -> RenderableType:
    said = "、".join(f"{KINDS[kind]} {n}" for kind, n in done.kinds.items()) or "没有新的消息"
    return f"✓ {done.plan} 第{done.version}版：{said}"


def _messages(rows: Sequence[Told]) -> RenderableType:
    table = table_of("时间", "类别", "内容", "已读")
    for r in rows:
        table.add_row(to_wire(r.told_at), KINDS[r.kind], escape(r.text), "是" if r.read_at else "否")
    return table
