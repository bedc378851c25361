"""``yibao key``: agents of the agency and the keys that their programs carry."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import typer
from rich.console import RenderableType

from yibao.domains.access import agents_queries
from yibao.domains.access.agents_model import Agent, ApiKey
from yibao.domains.access.agents_rules import INSTITUTION, ROLES
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, show, stop, table_of
from yibao.infra.database import Connection
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.access.issue_key import (
    IssuedKey,
    KeyForm,
    issue_institution_key,
    issue_key,
    revoke_key,
)
from yibao.usecases.access.keep_agent import AgentForm, keep_agent

app = typer.Typer(name="key", no_args_is_help=True, help="经办账号与接口密钥：登记、签发、查询、撤销")
T = TypeVar("T")

_MOST = 1_000
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="登录名")]
OperatorName = Annotated[str, typer.Option("--operator", help="办理人，记入审计")]
RoleOption = Annotated[list[str], typer.Option("--role", help="岗位，可多次：" + "、".join(f"{k} {v}" for k, v in ROLES.items()))]
ScopeOption = Annotated[list[str] | None, typer.Option("--scope", help="密钥只用其中几个岗位，可多次；缺省为账号的全部岗位")]
RegionOption = Annotated[list[str], typer.Option("--region", help="统筹区，可多次；第一个是账号所属统筹区")]


def _run(deed: Callable[[Connection, Actor, datetime], Awaitable[T | Refusal]], operator: str, *, as_json: bool) -> T:
    """Do a deed as an administrator of all regions of this deployment."""
    regions = tuple(sorted(read_policy_files()))
    actor = Actor(login=operator, channel="cli", regions=regions, roles=("admin",))
    return run_deed(lambda tx: deed(tx, actor, SystemClock().now()), as_json=as_json)


@app.command("agent", help="登记或修改一个经办账号")
def agent(
    login: Login, operator: OperatorName, role: RoleOption, region: RegionOption,
    name: Annotated[str, typer.Option("--name", help="姓名")],
    division: Annotated[str, typer.Option("--division", help="只办理一个县（6位）或镇（9位）；缺省为全统筹区")] = "",
    institution: Annotated[str, typer.Option("--institution", help="定点医药机构编号，仅用于定点医药机构岗位")] = "",
    disabled: Annotated[bool, typer.Option("--disabled", help="停用账号，其全部密钥随之失效")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add or change an agent."""
    form = AgentForm(
        login=login, admdvs=region[0], name=name, roles=tuple(role), regions=tuple(region), division=division,
        disabled=disabled, fixmedins_code=institution,
    )

    async def act(tx: Connection, actor: Actor, now: datetime) -> Agent | Refusal:
        return await keep_agent(tx, form, actor=actor, now=now, ids=RandomIds())

    kept = _run(act, operator, as_json=as_json)
    roles = "、".join(ROLES[r] for r in kept.roles)
    show({"ok": True, "agent": kept}, as_json=as_json, render=lambda: f"已登记 {kept.login}（{kept.name}）：{roles}")


@app.command("issue", help="为一个账号或一家定点医药机构签发密钥；密钥只显示这一次")
def issue(
    operator: OperatorName,
    login: Annotated[str, typer.Argument(metavar="[LOGIN]", help="登录名；签发给机构时不写")] = "",
    institution: Annotated[str, typer.Option("--institution", help="定点医药机构编号；没有账号的先登记账号")] = "",
    title: Annotated[str, typer.Option("--title", help="用途，如：一号窗口")] = "接口",
    scope: ScopeOption = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="有效天数")] = 90,
    per_minute: Annotated[int, typer.Option("--per-minute", min=1, help="每分钟最多请求次数")] = 600,
    as_json: JsonFlag = False,
) -> None:
    """Issue a key."""
    if bool(login) == bool(institution):
        stop(USAGE, kind="usage", message="登录名与 --institution 须写且只写一个", as_json=as_json)
    form = KeyForm(login=login or INSTITUTION, title=title, scopes=tuple(scope or ()), days=days, rate_per_minute=per_minute)

    async def act(tx: Connection, actor: Actor, now: datetime) -> IssuedKey | Refusal:
        if institution:
            return await issue_institution_key(
                tx, institution, form, secret=secrets.token_urlsafe(32), actor=actor, now=now, ids=RandomIds()
            )
        return await issue_key(
            tx, form, secret=secrets.token_urlsafe(32), actor=actor, now=now, ids=RandomIds()
        )

    issued = _run(act, operator, as_json=as_json)
    show({"ok": True, "key": issued}, as_json=as_json,
         render=lambda: f"密钥（只显示这一次）：{issued.key}\n编号 {issued.key_id}，{issued.expires_at:%Y-%m-%d} 前有效")


@app.command("list", help="列出密钥：账号、岗位、有效期、是否撤销")
def list_keys(
    login: Annotated[str, typer.Option("--login", help="只列这个账号的")] = "", as_json: JsonFlag = False
) -> None:
    """List keys."""

    async def act(tx: Connection, _actor: Actor, _now: datetime) -> list[ApiKey]:
        return await agents_queries.list_keys(tx, login=login, most=_MOST)

    keys = _run(act, "", as_json=as_json)
    show({"ok": True, "keys": keys}, as_json=as_json, render=lambda: _key_table(keys))


@app.command("agents", help="列出经办账号")
def list_agents(as_json: JsonFlag = False) -> None:
    """List agents."""

    async def act(tx: Connection, _actor: Actor, _now: datetime) -> list[Agent]:
        return await agents_queries.list_agents(tx, most=_MOST)

    agents = _run(act, "", as_json=as_json)
    show({"ok": True, "agents": agents}, as_json=as_json, render=lambda: _agent_table(agents))


@app.command("revoke", help="撤销一个密钥，下一次请求起失效")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="密钥编号")], operator: OperatorName, as_json: JsonFlag = False
) -> None:
    """Revoke a key."""

    async def act(tx: Connection, actor: Actor, now: datetime) -> ApiKey | Refusal:
        return await revoke_key(tx, key_id, actor=actor, now=now, ids=RandomIds())

    revoked = _run(act, operator, as_json=as_json)
    show({"ok": True, "key": revoked}, as_json=as_json, render=lambda: f"已撤销 {revoked.key_id}（{revoked.login}）")


def _key_table(keys: list[ApiKey]) -> RenderableType:
    if not keys:
        return "没有密钥"
    table = table_of("编号", "账号", "用途", "岗位", "有效至", "状态")
    for k in keys:
        state = f"已由{k.revoked_by}撤销" if k.revoked_at else "有效"
        table.add_row(k.key_id, k.login, k.title, "、".join(ROLES[s] for s in k.scopes), f"{k.expires_at:%Y-%m-%d}", state)
    return table


def _agent_table(agents: list[Agent]) -> RenderableType:
    if not agents:
        return "没有经办账号"
    table = table_of("账号", "姓名", "统筹区", "县镇", "岗位", "状态")
    for a in agents:
        table.add_row(a.login, a.name, "、".join(a.regions), a.division, "、".join(ROLES[r] for r in a.roles),
                      "已停用" if a.disabled_at else "在用")
    return table
