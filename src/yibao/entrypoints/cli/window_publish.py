"""``yibao window propose|publish|withdraw|versions|stages|open-stage|stop-stage``: plans as they count, and the reopening."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from yibao.domains.windows import queries
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.stored import PUBLISHED, Opening, StoredPlan
from yibao.entrypoints.api.as_of import Taken, take_snapshot
from yibao.entrypoints.api.services import ApiServices
from yibao.entrypoints.cli.agency_deeds import Means, run_as
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import (
    USAGE,
    JsonFlag,
    aside,
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
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.windows.open_stage import MoveStage, StageState, open_stage, stages_of, stop_stage
from yibao.usecases.windows.pass_gate import Gate
from yibao.usecases.windows.propose_plan import ProposePlan, propose_plan, withdraw_plan
from yibao.usecases.windows.publish_plan import PublishPlan, publish_plan

app = typer.Typer(help="方案的发布与分批恢复；并入 window")
OperatorName = Annotated[str, typer.Option("--operator", help="办理人，记入审计")]
RegionName = Annotated[str, typer.Argument(metavar="REGION", help="统筹区（6位区划）")]
PlanName = Annotated[str, typer.Argument(metavar="NAME", help="方案名称")]
Version = Annotated[int, typer.Argument(metavar="VERSION", help="版本号")]
Ordinal = Annotated[int, typer.Argument(metavar="ORDINAL", help="批次序号")]
Reason = Annotated[str, typer.Option("--reason", help="原因")]
_STATES = {"proposed": "待发布", "published": "已发布", "withdrawn": "已撤回"}
_STAGE_STATES = {"open": "开放", "stopped": "暂停", "waits": "未开放"}


@app.command("propose", help="提出方案或修订版：检查通过后等待另一人发布")
def propose(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="方案文件（TOML），修订版也写全文")], operator: OperatorName,
    reason: Reason = "",
    announced_in: Annotated[str, typer.Option("--announced-in", help="在哪里公告")] = "", as_json: JsonFlag = False,
) -> None:
    """Propose a version."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        stop(USAGE, kind="usage", message=f"读不了 {file}：{error}", as_json=as_json)
    plan = read_plan(text)
    if isinstance(plan, Refusal):
        stop_refused(plan, as_json=as_json)
    command = ProposePlan(admdvs=plan.admdvs, text=text, reason=reason, announced_in=announced_in)

    async def act(tx: Connection, means: Means) -> StoredPlan | Refusal:
        return await propose_plan(tx, command, actor=means.actor, now=means.now, ids=means.ids)

    _show_plan(run_as(operator, act, as_json=as_json), "已提出，待另一人发布", as_json=as_json)


@app.command("publish", help="发布一版方案（不得由提出人发布），一秒内各入口照此执行")
def publish(region: RegionName, name: PlanName, version: Version, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Publish a version."""

    async def act(tx: Connection, means: Means) -> StoredPlan | Refusal:
        command = PublishPlan(admdvs=region, name=name, version=version)
        return await publish_plan(tx, command, actor=means.actor, now=means.now, ids=means.ids)

    _show_plan(run_as(operator, act, as_json=as_json), "已发布", as_json=as_json)


@app.command("withdraw", help="撤回一版方案：待发布的，或已发布而尚未开始执行的")
def withdraw(
    region: RegionName, name: PlanName, version: Version, operator: OperatorName, reason: Reason, as_json: JsonFlag = False
) -> None:
    """Withdraw a version."""

    async def act(tx: Connection, means: Means) -> StoredPlan | Refusal:
        return await withdraw_plan(tx, region, name, version, why=reason, actor=means.actor, now=means.now, ids=means.ids)

    _show_plan(run_as(operator, act, as_json=as_json), "已撤回", as_json=as_json)


@app.command("versions", help="列出各版方案：状态、提出人、发布人、原因")
def versions(
    name: Annotated[str, typer.Option("--name", help="只列这个方案")] = "", as_json: JsonFlag = False
) -> None:
    """List versions of plans."""

    async def act(tx: Connection) -> list[StoredPlan]:
        return await queries.list_plans(tx, name=name)

    plans = run_deed(act, as_json=as_json)
    show({"ok": True, "plans": plans}, as_json=as_json, render=lambda: _versions(plans))


@app.command("stages", help="分批恢复的进展：各批次是否开放、自何时起、为何暂停")
def stages(region: RegionName, name: PlanName, as_json: JsonFlag = False) -> None:
    """Show the stages of a reopening."""

    async def act(tx: Connection) -> list[StageState] | Refusal:
        stored = await queries.find_newest(tx, region, name, state=PUBLISHED)
        if stored is None:
            return refuse("PLAN_NOT_FOUND", "没有已发布的方案", field="name", received=name, remedy="请核对方案名称")
        plan = read_plan(stored.text)
        if isinstance(plan, Refusal):
            return plan
        return list((await stages_of(tx, plan, now=SystemClock().now())).values())

    rows = run_deed(act, as_json=as_json)
    show({"ok": True, "stages": rows}, as_json=as_json, render=lambda: _stages(rows))


@app.command("open-stage", help="开放一个批次；自动或人工暂停过的，写明原因后恢复")
def open_one(
    region: RegionName, name: PlanName, ordinal: Ordinal, operator: OperatorName, reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Open a stage."""
    _move(MoveStage(admdvs=region, name=name, ordinal=ordinal, reason=reason), operator, is_open=True, as_json=as_json)


@app.command("stop-stage", help="暂停一个批次")
def stop_one(
    region: RegionName, name: PlanName, ordinal: Ordinal, operator: OperatorName, reason: Reason, as_json: JsonFlag = False
) -> None:
    """Stop a stage."""
    _move(MoveStage(admdvs=region, name=name, ordinal=ordinal, reason=reason), operator, is_open=False, as_json=as_json)


@app.command("snapshot", help="停机开始后留存查询的答案，停机期间按“截至”答复；可中断后继续")
def snapshot(region: RegionName, name: PlanName, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Keep the answers of dated queries."""

    async def take(url: str) -> Taken | Refusal:
        database = await Database.open(url, role=None, size=1)
        try:
            async with database.connection() as connection:
                gate = await Gate.read(connection)
            plan = next((p for p in gate.plans_of(region) if p.name == name), None)
            if plan is None:
                return refuse("PLAN_NOT_FOUND", "没有已发布的方案", field="name", received=name, remedy="请核对方案名称")
            shelf = shelf_of(read_policy_files(), as_json=as_json)
            services = ApiServices(database=database, clock=SystemClock(), ids=RandomIds(), shelf=shelf,
                                   regions={region: region}, policies={}, gate=gate)
            actor = Actor(login=operator, channel="cli", regions=(region,), roles=("review",))
            return await take_snapshot(database, services, plan, actor=actor, progress=lambda says: aside.print(says))
        finally:
            await database.close()

    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        done = asyncio.run(take(settings.database_url))
    if isinstance(done, Refusal):
        stop_refused(done, as_json=as_json)
    show({"ok": True, "taken": done}, as_json=as_json,
         render=lambda: f"已留存 {done.people} 人的 {len(done.questions)} 种查询" if done.questions
         else "该方案此刻没有按停机时答复的查询，没有留存")


def _move(command: MoveStage, operator: str, *, is_open: bool, as_json: bool) -> None:
    async def act(tx: Connection, means: Means) -> Opening | Refusal:
        deed = open_stage if is_open else stop_stage
        return await deed(tx, command, actor=means.actor, now=means.now, ids=means.ids)

    done = run_as(operator, act, as_json=as_json)
    words = f"{done.name} 第 {done.ordinal} 批已{'开放' if is_open else '暂停'}"
    show({"ok": True, "opening": done}, as_json=as_json,
         render=lambda: f"{words}（{done.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}）")


def _show_plan(stored: StoredPlan, words: str, *, as_json: bool) -> None:
    show({"ok": True, "plan": stored}, as_json=as_json, render=lambda: f"{stored.name} 第 {stored.version} 版{words}")


def _versions(plans: list[StoredPlan]) -> RenderableType:
    if not plans:
        return "没有方案"
    table = table_of("统筹区", "名称", "版本", "状态", "提出", "发布", "原因")
    for p in plans:
        published = f"{p.published_by} {p.published_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if p.published_at else ""
        table.add_row(p.admdvs, p.name, str(p.version), _STATES[p.state],
                      f"{p.proposed_by} {p.proposed_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}", published, p.why or p.reason)
    return table


def _stages(rows: list[StageState]) -> RenderableType:
    if not rows:
        return "该方案不分批恢复"
    table = table_of("批次", "名称", "状态", "自", "由", "原因")
    for r in rows:
        since = f"{r.since.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if r.since else ""
        table.add_row(str(r.stage.ordinal), r.stage.title, _STAGE_STATES[r.state], since, r.by, r.reason)
    return table
