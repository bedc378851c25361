"""``yibao transfer``: relations that move between regions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.markup import escape

from yibao.domains.transfers.model import STATES, Money, Transfer
from yibao.domains.transfers.queries import list_open_money, list_transfers
from yibao.entrypoints.cli.agency_deeds import read_command, run_as
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, show, stop, table_of
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.money import yuan_text
from yibao.usecases.transfers.commands import (
    AssignMoney,
    CancelTransfer,
    ConfirmRetirementPlace,
    TransferCredit,
    TransferIn,
    TransferOut,
    TransferSheet,
)
from yibao.usecases.transfers.receive_money import assign_money, receive_money
from yibao.usecases.transfers.receive_sheet import receive_sheet
from yibao.usecases.transfers.retirement_place import confirm_retirement_place
from yibao.usecases.transfers.transfer_in import cancel_transfer, transfer_in
from yibao.usecases.transfers.transfer_out import follow_payouts, transfer_out

OperatorName = Annotated[str, typer.Option("--operator", help="经办人，记入审计")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="JSON 文件")]
Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区")]
app = typer.Typer(name="transfer", no_args_is_help=True, help="关系转移接续：转入、转出、信息表、账户资金、退休待遇承担地")


@app.command("in", help="申请转入（JSON 文件：人员、转出地、两份材料）")
def ask_in(path: File, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Ask another region for somebody's record."""
    command = read_command(path, TransferIn, as_json=as_json)
    _tell(run_as(operator, lambda tx, m: transfer_in(
        tx, command, actor=m.actor, now=m.now, ids=m.ids, shelf=m.shelf), as_json=as_json), as_json=as_json)


@app.command("out", help="办理转出")
def send_out(
    person: Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")],
    region: Annotated[str, typer.Argument(metavar="TO_REGION", help="转入地区划")], operator: OperatorName,
    name: Annotated[str, typer.Option("--name", help="转入地经办机构名称")],
    insutype: Annotated[str, typer.Option("--insutype", help="险种：310、390")] = "310", as_json: JsonFlag = False,
) -> None:
    """Let somebody leave with months and account."""
    command = TransferOut(psn_no=person, other_admdvs=region, other_name=name, insutype=insutype)
    _tell(run_as(operator, lambda tx, m: transfer_out(
        tx, command, actor=m.actor, now=m.now, ids=m.ids, shelf=m.shelf), as_json=as_json), as_json=as_json)


@app.command("sheet", help="录入未联网地区的信息表（JSON 文件）")
def sheet(path: File, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Enter a sheet."""
    command = read_command(path, TransferSheet, as_json=as_json)
    _tell(run_as(operator, lambda tx, m: receive_sheet(
        tx, command, actor=m.actor, now=m.now, ids=m.ids, shelf=m.shelf), as_json=as_json), as_json=as_json)


@app.command("cancel", help="取消尚未答复的转入")
def cancel(
    transfer: Annotated[str, typer.Argument(metavar="TRANSFER_ID", help="转移编号")], operator: OperatorName,
    reason: Annotated[str, typer.Option("--reason", help="理由")], as_json: JsonFlag = False,
) -> None:
    """Take a question back."""
    command = CancelTransfer(transfer_id=transfer, reason=reason)
    _tell(run_as(operator, lambda tx, m: cancel_transfer(tx, command, actor=m.actor, now=m.now, ids=m.ids), as_json=as_json),
          as_json=as_json)


@app.command("money", help="登记外地经办机构划来的资金（JSON 文件）")
def money(path: File, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Book what another region paid; what fits nothing is kept as a case."""
    command = read_command(path, TransferCredit, as_json=as_json)
    done = run_as(operator, lambda tx, m: receive_money(tx, command, actor=m.actor, now=m.now, ids=m.ids), as_json=as_json)
    show({"ok": True, "money": done}, as_json=as_json, render=lambda: _money([done]))


@app.command("open-money", help="列出待核的转移资金")
def open_money(region: Region, as_json: JsonFlag = False) -> None:
    """List money that fits no transfer."""
    found = run_deed(lambda tx: list_open_money(tx, region), as_json=as_json)
    show({"ok": True, "money": found}, as_json=as_json, render=lambda: _money(found))


@app.command("assign", help="把待核资金记入一笔转移，须两人办理")
def assign(
    region: Region, payment: Annotated[str, typer.Argument(metavar="PAYMENT_REF", help="银行流水号")],
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="转移编号")], operator: OperatorName,
    checker: Annotated[str, typer.Option("--checker", help="复核人，与经办人不同")], as_json: JsonFlag = False,
) -> None:
    """Book money for the transfer that it was meant for."""
    command = AssignMoney(payment_ref=payment, admdvs=region, reference=reference)
    _tell(run_as(checker, lambda tx, m: assign_money(
        tx, command, actor=m.actor, maker=operator, now=m.now, ids=m.ids), as_json=as_json), as_json=as_json)


@app.command("follow", help="按银行回盘办结转出")
def follow(region: Region, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Close the transfers out whose money was paid."""
    done = run_as(operator, lambda tx, m: follow_payouts(tx, admdvs=region, actor=m.actor, now=m.now, ids=m.ids),
                  as_json=as_json)
    show({"ok": True, "transfers": done}, as_json=as_json, render=lambda: _table(done))


@app.command("retirement-place", help="确认退休待遇承担地，须两人办理")
def retirement_place(
    person: Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")],
    region: Annotated[str, typer.Argument(metavar="BEARING_REGION", help="承担待遇的统筹区")], operator: OperatorName,
    checker: Annotated[str, typer.Option("--checker", help="复核人，与经办人不同")],
    basis: Annotated[str, typer.Option("--basis", help="依据")], as_json: JsonFlag = False,
) -> None:
    """Confirm which region bears the benefit of somebody who retires."""
    command = ConfirmRetirementPlace(psn_no=person, bearing_admdvs=region, basis=basis)
    done = run_as(checker, lambda tx, m: confirm_retirement_place(
        tx, command, actor=m.actor, maker=operator, now=m.now, ids=m.ids), as_json=as_json)
    show({"ok": True, "place": done}, as_json=as_json, render=lambda: (
        f"✓ {done.psn_no} 的退休待遇由 {done.bearing_admdvs} 承担"
        f"（本地缴费 {done.months_here} 个月，合计 {done.months_total} 个月）"))


@app.command("list", help="列出转移业务，先到期的在前")
def list_all(
    region: Annotated[str, typer.Option("--region", help="统筹区")] = "",
    state: Annotated[str, typer.Option("--state", help="、".join(f"{k} {v}" for k, v in STATES.items()))] = "",
    late: Annotated[bool, typer.Option("--late", help="只看已过期限的")] = False, as_json: JsonFlag = False,
) -> None:
    """List transfers."""
    if state and state not in STATES:
        stop(USAGE, kind="usage", message=f"不认识的状态 {state}；可用：{'、'.join(STATES)}", as_json=as_json)
    before: date | None = business_date(SystemClock().now()) if late else None
    found = run_deed(lambda tx: list_transfers(tx, region, state, "", before, 1000), as_json=as_json)
    show({"ok": True, "transfers": found}, as_json=as_json, render=lambda: _table(found))


def _tell(done: Transfer, *, as_json: bool) -> None:
    show({"ok": True, "transfer": done}, as_json=as_json, render=lambda: _table([done]))


def _table(found: Sequence[Transfer]) -> RenderableType:
    table = table_of("转移", "方向", "人员", "对方", "状态", "期限", "月数", "新增", "重复", "账户（元）", "说明")
    for t in found:
        table.add_row(
            t.transfer_id, "转入" if t.direction == "in" else "转出", t.psn_no, escape(t.other_name), STATES[t.state],
            str(t.due_on), str(t.months), str(t.counted), str(t.overlapping), yuan_text(t.account_fen), escape(t.reason))
    return table


def _money(found: Sequence[Money]) -> RenderableType:
    table = table_of("流水", "付款地", "转移", "金额（元）", "到账", "状态", "说明")
    for m in found:
        table.add_row(m.payment_ref, m.from_admdvs, m.reference, yuan_text(m.amount_fen), str(m.arrived_on),
                      "已入账" if m.state == "booked" else "待核", escape(m.reason))
    return table
