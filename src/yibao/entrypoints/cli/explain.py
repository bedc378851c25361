"""``yibao explain SETL_ID``: how a settlement came about, to the clause."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from yibao.entrypoints.cli.output import JsonFlag, known_failures, show, stop_refused, table_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.policy.decision import Step, Used
from yibao.usecases.settlement.explain_settlement import ExplainedLine, Explanation
from yibao.usecases.settlement.explain_settlement import explain as explain_settlement

_WEAK = "示例参数，非当地现行政策"
SettlementId = Annotated[str, typer.Argument(metavar="SETL_ID", help="结算ID")]


def explain(setl_id: SettlementId, as_json: JsonFlag = False) -> None:
    """Explain a settlement line by line and step by step from its stored facts and law."""
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        answer = asyncio.run(_explain(settings, setl_id))
    if isinstance(answer, Refusal):
        stop_refused(answer, as_json=as_json)
    show(
        {"setl_id": setl_id, "steps": answer.steps, "lines": answer.lines, "decision": answer.decision,
         "differences": answer.differences},
        as_json=as_json, render=lambda: _sheet(setl_id, answer),
    )


async def _explain(settings: Settings, setl_id: str) -> Explanation | Refusal:
    assert settings.database_url is not None
    database = await Database.open(settings.database_url, role=None, size=1)
    try:
        async with database.connection() as connection:
            return await explain_settlement(connection, setl_id)
    finally:
        await database.close()


def _sheet(setl_id: str, answer: Explanation) -> RenderableType:
    head = answer.settlement
    parts: list[RenderableType] = [
        f"[bold]结算 {setl_id}[/bold]  人员 {head.psn_no}  服务日期 {head.service_on}  政策版本 {head.policy_version[:12]}",
        _lines(answer.lines),
        "",
        _steps(answer.steps),
        "",
        f"合计 {yuan_text(head.medfee_fen)} = 基金 {yuan_text(head.fund_fen)} + 个人账户 {yuan_text(head.account_fen)} + "
        f"现金 {yuan_text(head.cash_fen)} + 医院负担 {yuan_text(head.hospital_fen)}",
    ]
    if any(is_weak(used) for step in answer.steps for used in step.used):
        parts.append(f"[yellow]† {_WEAK}[/yellow]")
    parts += [f"[red]✗ 与保存的结算不一致：{difference}[/red]" for difference in answer.differences]
    return Group(*parts)


def _lines(lines: Sequence[ExplainedLine]) -> RenderableType:
    table = table_of("项目", "类", "金额", "全自费", "超限价", "先行自付", "范围内", "原因")
    for line in lines:
        amounts = (line.amount, line.own, line.over, line.first_pay, line.in_scope)
        table.add_row(line.name, line.class_level, *(yuan_text(a) for a in amounts), line.reason)
    return table


def _steps(steps: Sequence[Step]) -> RenderableType:
    return Group(*(_step(number, step) for number, step in enumerate(steps, 1)))


def _step(number: int, step: Step) -> RenderableType:
    rows = [f"[bold]{number}. {step.title}  {yuan_text(step.amount)}[/bold]（依据金额 {yuan_text(step.base)}）"]
    if step.formula:
        rows.append(f"   {step.formula}")
    rows += [f"   {_basis(used)}" for used in step.used]
    if step.counter:
        change = f"{yuan_text(step.counter_before)} → {yuan_text(step.counter_after)}"
        rows.append(f"   [dim]年度累计 {step.counter}：{change}[/dim]")
    return "\n".join(rows)


def _basis(used: Used) -> str:
    weak = f" [yellow]† {_WEAK}[/yellow]" if is_weak(used) else ""
    condition = f"（{used.condition}）" if used.condition else ""
    since = f"自 {used.valid_from}；{used.clause}；{used.source}"
    return f"[dim]{used.rule} {used.name}{condition}：{used.value}，{since}[/dim]{weak}"


def is_weak(used: Used) -> bool:
    """Say whether a value is invented, assumed or poorly sourced, so that it must be marked."""
    return used.mark == "assumed" or used.reliability == "L"
