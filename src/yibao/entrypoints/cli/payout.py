"""``yibao payout``: payments to people: the file, the second pair of eyes, what the bank sent back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.markup import escape

from yibao.domains.exchange.model import PayoutFile, PayoutRow
from yibao.domains.exchange.payout_rules import FILE_STATES, STATES, lines_text
from yibao.domains.exchange.payouts import list_files, list_lines, list_payouts
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, show, stop, table_of
from yibao.kernel.actor import Actor
from yibao.kernel.clock import SystemClock
from yibao.kernel.identity_number import mask
from yibao.kernel.ids import RandomIds
from yibao.kernel.money import yuan_text
from yibao.usecases.payouts.check_payout_file import check_payout_file, open_payout_file, withdraw_payout_file
from yibao.usecases.payouts.make_payout_file import make_payout_file
from yibao.usecases.payouts.order_payout import reorder_payout

Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区")]
FileId = Annotated[str, typer.Argument(metavar="FILE_ID", help="支付文件号")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人姓名，记入审计")]

app = typer.Typer(no_args_is_help=True, help="对个人的支付：编制文件、复核送银行、退回后重新支付")


@app.command("list", help="列出支付单")
def show_list(
    state: Annotated[str, typer.Option("--state", help="、".join(f"{k} {v}" for k, v in STATES.items()))] = "",
    region: Annotated[str, typer.Option("--region", help="统筹区")] = "", as_json: JsonFlag = False,
) -> None:
    """List payouts."""
    rows: list[PayoutRow] = run_deed(lambda tx: list_payouts(tx, admdvs=region, state=state), as_json=as_json)
    show({"ok": True, "payouts": rows}, as_json=as_json, render=lambda: _payouts(rows))


@app.command("files", help="列出支付文件")
def show_files(
    region: Annotated[str, typer.Option("--region", help="统筹区")] = "", as_json: JsonFlag = False
) -> None:
    """List files of payouts."""
    rows: list[PayoutFile] = run_deed(lambda tx: list_files(tx, admdvs=region), as_json=as_json)
    show({"ok": True, "files": rows}, as_json=as_json, render=lambda: _files(rows))


@app.command("make", help="把待支付的支付单编成一个文件，须由另一人复核后送银行")
def make(region: Region, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Make the file of everything that waits in a region."""
    now, ids, actor = SystemClock().now(), RandomIds(), Actor(login=operator, channel="cli")
    file = run_deed(lambda tx: make_payout_file(tx, admdvs=region, actor=actor, now=now, ids=ids), as_json=as_json)
    show({"ok": True, "file": file}, as_json=as_json, render=lambda: _files([file]))


@app.command("check", help="复核支付文件并送银行，须由编制人以外的人办理")
def check(file_id: FileId, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Send a file to the bank."""
    now, ids, actor = SystemClock().now(), RandomIds(), Actor(login=operator, channel="cli")
    file = run_deed(lambda tx: check_payout_file(tx, file_id=file_id, actor=actor, now=now, ids=ids), as_json=as_json)
    show({"ok": True, "file": file}, as_json=as_json, render=lambda: _files([file]))


@app.command("withdraw", help="撤回尚未送银行的支付文件")
def withdraw(file_id: FileId, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Take a file back before it is sent."""
    now, ids, actor = SystemClock().now(), RandomIds(), Actor(login=operator, channel="cli")
    file = run_deed(lambda tx: withdraw_payout_file(tx, file_id=file_id, actor=actor, now=now, ids=ids), as_json=as_json)
    show({"ok": True, "file": file}, as_json=as_json, render=lambda: _files([file]))


@app.command("file", help="取得支付文件的内容")
def content(
    file_id: FileId, out: Annotated[Path, typer.Option("--out", help="写到这里")], as_json: JsonFlag = False
) -> None:
    """Write the lines of a file to the disk, byte for byte what its digest is taken over."""
    file: PayoutFile = run_deed(lambda tx: open_payout_file(tx, file_id), as_json=as_json)
    lines = run_deed(lambda tx: list_lines(tx, file_id), as_json=as_json)
    try:
        out.write_bytes(lines_text(line.line for line in lines))
    except OSError as error:
        stop(USAGE, kind="not_written", message=f"未能写入 {out}（{error.strerror}）", as_json=as_json)
    show({"ok": True, "file": file}, as_json=as_json, render=lambda: _files([file]))


@app.command("again", help="银行退回的支付，更正账户后重新支付")
def again(
    payout_id: Annotated[str, typer.Argument(metavar="PAYOUT_ID", help="支付单号")], operator: OperatorName,
    name: Annotated[str, typer.Option("--name", help="收款人")], bank: Annotated[str, typer.Option("--bank", help="开户行")],
    account: Annotated[str, typer.Option("--account", help="账号")], as_json: JsonFlag = False,
) -> None:
    """Order a failed payout anew."""
    now, ids, actor = SystemClock().now(), RandomIds(), Actor(login=operator, channel="cli")
    row = run_deed(lambda tx: reorder_payout(
        tx, payout_id=payout_id, payee_name=name, bank_name=bank, bank_account=account, actor=actor, now=now, ids=ids
    ), as_json=as_json)
    show({"ok": True, "payout": row}, as_json=as_json, render=lambda: _payouts([row]))


def _payouts(rows: Sequence[PayoutRow]) -> RenderableType:
    table = table_of("支付单", "用途", "收款人", "账号", "金额（元）", "状态", "文件", "银行说明")
    for r in rows:
        table.add_row(r.payout_id, r.purpose, escape(r.payee_name), mask(r.bank_account), yuan_text(r.amount_fen),
                      STATES[r.state], r.file_id or "—", escape(f"{r.code} {r.reason}".strip()))
    return table


def _files(rows: Sequence[PayoutFile]) -> RenderableType:
    table = table_of("支付文件", "统筹区", "笔数", "金额（元）", "状态", "编制", "复核", "SM3")
    for f in rows:
        table.add_row(f.file_id, f.admdvs, str(f.count), yuan_text(f.amount_fen), FILE_STATES[f.state], f.made_by,
                      f.checked_by or "—", f.digest)
    return table
