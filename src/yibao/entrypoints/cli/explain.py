"""``yibao explain SETL_ID``: how a settlement came about, to the clause."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.output import REFUSED, JsonFlag, known_failures, show, stop_refused, table_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.policy.explain import WEAK_NOTE, Explained, explain_steps
from yibao.policy.explain import differences as unsound_steps
from yibao.usecases.settlement.explain_settlement import ExplainedLine, Explanation
from yibao.usecases.settlement.explain_settlement import explain as explain_settlement

SettlementId = Annotated[str, typer.Argument(metavar="SETL_ID", help="结算ID")]


def explain(setl_id: SettlementId, as_json: JsonFlag = False) -> None:
    """Explain a settlement from its stored facts and law; exit code 1 when it does not sum to the result."""
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        answer = asyncio.run(_explain(settings, setl_id))
    if isinstance(answer, Refusal):
        stop_refused(answer, as_json=as_json)
    rows = explain_steps(answer.steps)
    differences = [*answer.differences, *unsound_steps(answer.decision)]
    show(
        {"ok": not differences, "setl_id": setl_id, "psn_no": answer.settlement.psn_no,
         "policy_version": answer.settlement.policy_version, "stay": answer.stay, "lines": answer.lines, "steps": rows,
         "differences": differences},
        as_json=as_json, render=lambda: _sheet(answer, rows, differences),
    )
    raise typer.Exit(REFUSED if differences else 0)


async def _explain(settings: Settings, setl_id: str) -> Explanation | Refusal:
    assert settings.database_url is not None
    database = await Database.open(settings.database_url, role=None, size=1)
    try:
        async with database.connection() as connection:
            return await explain_settlement(connection, setl_id)
    finally:
        await database.close()


def _sheet(answer: Explanation, rows: Sequence[Explained], differences: Sequence[str]) -> RenderableType:
    head = answer.settlement
    return Group(
        f"[bold]结算 {head.setl_id}[/bold]",
        f"人员 {head.psn_no}  服务日期 {head.service_on}  政策版本 {head.policy_version[:12]}",
        *([answer.stay.sentence()] if answer.stay else []), "",
        _lines(answer.lines), "",
        *(_step(number, row) for number, row in enumerate(rows, 1)), "",
        f"[bold]合计 {yuan_text(head.medfee_fen)} = 基金 {yuan_text(head.fund_fen)} + 个人账户 "
        f"{yuan_text(head.account_fen)} + 现金 {yuan_text(head.cash_fen)} + 医院负担 {yuan_text(head.hospital_fen)}[/bold]",
        *([f"[yellow]† {WEAK_NOTE}[/yellow]"] if any(row.weak for row in rows) else []),
        *(f"[red]✗ 不相符：{escape(difference)}[/red]" for difference in differences),
    )


def _lines(lines: Sequence[ExplainedLine]) -> RenderableType:
    table = table_of("项目", "类", "金额", "全自费", "超限价", "先行自付", "范围内", "原因")
    for line in lines:
        amounts = (line.amount, line.own, line.over, line.first_pay, line.in_scope)
        table.add_row(escape(line.name), line.class_level, *(yuan_text(a) for a in amounts), escape(line.reason))
    return table


def _step(number: int, row: Explained) -> RenderableType:
    mark = " [yellow]†[/yellow]" if row.weak else ""
    texts = [f"[bold]{number}. {row.title}  {row.amount}[/bold]（依据金额 {row.base}）{mark}"]
    texts += [f"   {escape(text)}" for text in (row.formula, row.counter) if text]
    texts += [f"   [dim]{escape(basis.sentence())}[/dim]" for basis in row.bases]
    return "\n".join(texts)
