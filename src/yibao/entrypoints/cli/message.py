"""``yibao message status MSGID``: what became of a message."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from yibao.entrypoints.cli.output import REFUSED, JsonFlag, known_failures, show, table_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import Settings, load_settings
from yibao.infra.database import Database
from yibao.kernel.business_time import to_wire
from yibao.usecases.messages.find_status import MessageStatus, find_status

app = typer.Typer(no_args_is_help=True, help="查询报文", rich_markup_mode=None)

MessageId = Annotated[str, typer.Argument(metavar="MSGID", help="发送方报文ID")]
Sender = Annotated[str, typer.Option(help="发送方机构编码；不填时取报文ID的前12位")]

_STATES = {"answered": "已处理，重发得到同样的答复", "voided": "已被冲正，不会再执行"}
_OUTCOMES = {
    "answered": "已答复", "refused": "被拒绝", "replayed": "重发，返回原答复", "unavailable": "超时，可用同一报文ID重试",
    "defect": "平台内部错误",
}


@app.callback()
def messages() -> None:
    """Ask about messages."""


@app.command("status", help="一个报文ID的下落：已处理、已冲正、仅被拒绝或从未收到")
def status(msgid: MessageId, sender: Sender = "", as_json: JsonFlag = False) -> None:
    """Say what became of a message; exit code 1 when it never arrived."""
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        found = asyncio.run(_find(settings, msgid=msgid, sender=sender))
    show(found, as_json=as_json, render=lambda: _sheet(found))
    raise typer.Exit(0 if found.committed or found.attempts else REFUSED)


async def _find(settings: Settings, *, msgid: str, sender: str) -> MessageStatus:
    assert settings.database_url is not None
    database = await Database.open(settings.database_url, role=None, size=1)
    try:
        async with database.connection() as connection:
            return await find_status(connection, msgid=msgid, sender=sender)
    finally:
        await database.close()


def _sheet(found: MessageStatus) -> RenderableType:
    if not found.committed and not found.attempts:
        return f"没有收到过报文 {found.msgid}：该报文ID可以使用"
    parts: list[RenderableType] = []
    for c in found.committed:
        names = (("人员", c.psn_no), ("就诊", c.mdtrt_id), ("结算", c.setl_id), ("结算状态", c.setl_state))
        parts.append(
            f"[bold]{_STATES[c.state]}[/bold]  {c.infno}  {c.sender}  收到 {to_wire(c.received_at)}\n  "
            + "  ".join(f"{name} {value}" for name, value in names if value)
        )
    table = table_of("时间", "交易", "发送方", "结果", "原因", "耗时（毫秒）")
    for a in found.attempts:
        table.add_row(to_wire(a.received_at), a.infno, a.sender, _OUTCOMES[a.outcome], a.refusal_code or "",
                      f"{a.took_us // 1000}")
    return Group(*parts, *([table] if found.attempts else []))
