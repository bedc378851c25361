"""``yibao clearing``: what an agency does with the claims of its institutions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.clearing.claim_queries import list_claims
from yibao.domains.clearing.model import Claim, PaymentFile
from yibao.domains.clearing.rules import STATES
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, show, stop, table_of
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.money import yuan_text, yuan_to_fen
from yibao.ledger.posting import payable
from yibao.ledger.queries import balance_of
from yibao.usecases.clearing.approve_claim import approve_claim
from yibao.usecases.clearing.order_payments import Ordered, fetch_payment_file, order_payments
from yibao.usecases.clearing.read_return import Returned, take_return
from yibao.usecases.clearing.review_claim import (
    ClaimSheet,
    ManualDeduction,
    deduct_from_claim,
    open_claim,
    reject_claim,
    review_claim,
)
from yibao.usecases.clearing.set_payee import set_payee

T = TypeVar("T")
ClaimId = Annotated[str, typer.Argument(metavar="CLAIM_ID", help="清算申报（机构清算申请事件ID）")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人姓名，记入申报与审计")]
Out = Annotated[Path | None, typer.Option("--out", help="把支付文件写到这里")]

app = typer.Typer(no_args_is_help=True, help="清算：初审、扣款、复核、支付文件、银行回盘")


@app.command("list", help="列出清算申报")
def show_list(
    state: Annotated[str, typer.Option("--state", help="、".join(f"{k} {v}" for k, v in STATES.items()))] = "",
    institution: Annotated[str, typer.Option("--institution", help="定点医药机构编号")] = "",
    region: Annotated[str, typer.Option("--region", help="统筹区")] = "", as_json: JsonFlag = False,
) -> None:
    """List claims, the oldest first."""
    claims: list[Claim] = run_deed(
        lambda tx: list_claims(tx, admdvs=region, fixmedins_code=institution, state=state), as_json=as_json
    )
    show({"ok": True, "claims": claims}, as_json=as_json, render=lambda: _claims(claims))


@app.command("show", help="查看一个申报及其扣款")
def show_one(claim_id: ClaimId, as_json: JsonFlag = False) -> None:
    """Show a claim with its deductions."""
    _tell(run_deed(lambda tx: open_claim(tx, claim_id), as_json=as_json), as_json=as_json)


@app.command("review", help="初审申报，并扣除监管已决定的金额")
def review(claim_id: ClaimId, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Review a claim: takes in what supervision has decided about the institution."""
    now, ids = SystemClock().now(), RandomIds()
    _tell(run_deed(lambda tx: review_claim(tx, claim_id=claim_id, operator=operator, now=now, ids=ids), as_json=as_json),
          as_json=as_json)


@app.command("deduct", help="对已初审的申报手工扣款，须有文号和理由")
def deduct(
    claim_id: ClaimId, operator: OperatorName,
    number: Annotated[str, typer.Option("--number", help="决定文号，同一文号只扣一次")],
    amount: Annotated[str, typer.Option("--amount", help="扣款金额，元")],
    reason: Annotated[str, typer.Option("--reason", help="理由")],
    setl_id: Annotated[str | None, typer.Option("--settlement", help="所涉结算ID；不填为整个申报")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Deduct from a reviewed claim by hand."""
    try:
        amount_fen = yuan_to_fen(Decimal(amount))
    except (InvalidOperation, ValueError):
        stop(USAGE, kind="usage", message=f"金额 {amount} 应为最多两位小数的元", as_json=as_json)
    now, ids, deduction = SystemClock().now(), RandomIds(), ManualDeduction(number, amount_fen, reason, setl_id)
    _tell(run_deed(
        lambda tx: deduct_from_claim(tx, claim_id=claim_id, deduction=deduction, operator=operator, now=now, ids=ids),
        as_json=as_json,
    ), as_json=as_json)


@app.command("approve", help="复核申报，须由初审人以外的人办理")
def approve(claim_id: ClaimId, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Approve a reviewed claim for payment; not by the one who reviewed it."""
    now, ids = SystemClock().now(), RandomIds()
    _tell(run_deed(lambda tx: approve_claim(tx, claim_id=claim_id, operator=operator, now=now, ids=ids), as_json=as_json),
          as_json=as_json)


@app.command("reject", help="退回申报，机构可更正后重新申报")
def reject(
    claim_id: ClaimId, operator: OperatorName, reason: Annotated[str, typer.Option("--reason", help="退回的理由")],
    as_json: JsonFlag = False,
) -> None:
    """Send a claim back to the institution before it is approved."""
    now, ids = SystemClock().now(), RandomIds()
    _tell(run_deed(
        lambda tx: reject_claim(tx, claim_id=claim_id, operator=operator, reason=reason, now=now, ids=ids), as_json=as_json
    ), as_json=as_json)


@app.command("payee", help="登记机构收款账户，须两人办理")
def payee(
    institution: Annotated[str, typer.Argument(metavar="CODE", help="定点医药机构编号")], operator: OperatorName,
    checker: Annotated[str, typer.Option("--checker", help="复核人姓名，与经办人不同")],
    bank: Annotated[str, typer.Option("--bank", help="开户行")],
    name: Annotated[str, typer.Option("--name", help="户名")],
    account: Annotated[str, typer.Option("--account", help="账号")], as_json: JsonFlag = False,
) -> None:
    """Set the bank account that an institution is paid to."""
    now, ids = SystemClock().now(), RandomIds()
    done = run_deed(lambda tx: set_payee(
        tx, fixmedins_code=institution, bank_name=bank, account_name=name, account_no=account, operator=operator,
        checker=checker, now=now, ids=ids,
    ), as_json=as_json)
    show({"ok": True, "payee": done}, as_json=as_json, render=lambda: f"✓ {done.fixmedins_code} 收款账户已登记")


@app.command("pay", help="生成已复核申报的支付文件")
def pay(
    region: Annotated[str, typer.Argument(metavar="REGION", help="统筹区")], operator: OperatorName, out: Out = None,
    as_json: JsonFlag = False,
) -> None:
    """Order the payment of all approved claims of a region: one file for the bank."""
    now, ids = SystemClock().now(), RandomIds()
    done: Ordered = run_deed(lambda tx: order_payments(tx, admdvs=region, operator=operator, now=now, ids=ids), as_json=as_json)
    _write(done.file, out, as_json=as_json)
    show({"ok": True, "file": _file_data(done.file), "payments": done.payments, "waiting": done.waiting}, as_json=as_json,
         render=lambda: _ordered(done))


@app.command("payment-file", help="重新取得支付文件")
def payment_file(
    file_no: Annotated[str, typer.Argument(metavar="FILE_NO", help="支付文件号")], out: Out = None, as_json: JsonFlag = False
) -> None:
    """Give a payment file again, byte for byte."""
    file: PaymentFile = run_deed(lambda tx: fetch_payment_file(tx, file_no), as_json=as_json)
    _write(file, out, as_json=as_json)
    show({"ok": True, "file": _file_data(file)}, as_json=as_json, render=lambda: _file_line(file))


@app.command("return", help="读入银行回盘文件并入账")
def take_back(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="银行回盘文件")], operator: OperatorName, as_json: JsonFlag = False
) -> None:
    """Book what the bank paid, and what failed."""
    if not path.is_file():
        stop(USAGE, kind="usage", message=f"没有文件 {path}", as_json=as_json)
    content, now, ids = path.read_bytes(), SystemClock().now(), RandomIds()
    done: Returned = run_deed(lambda tx: take_return(tx, content=content, operator=operator, now=now, ids=ids), as_json=as_json)
    show({"ok": True, "returned": done}, as_json=as_json, render=lambda: (
        "该回盘文件已处理过，未作改动" if done.again
        else f"✓ 已支付 {len(done.paid)} 笔 {yuan_text(done.paid_fen)} 元，失败 {len(done.failed)} 笔"
    ))


@app.command("balance", help="查看机构的应付余额")
def balance(
    institution: Annotated[str, typer.Argument(metavar="CODE", help="定点医药机构编号")], as_json: JsonFlag = False
) -> None:
    """Show what the ledger owes an institution."""
    owed: int = run_deed(lambda tx: balance_of(tx, payable(institution)), as_json=as_json)
    show({"ok": True, "fixmedins_code": institution, "payable_fen": owed}, as_json=as_json,
         render=lambda: f"{institution} 应付 {yuan_text(owed)} 元")


def _write(file: PaymentFile | None, out: Path | None, *, as_json: bool) -> None:
    """Write the file to the disk; what is ordered stays ordered when that fails, and the file can be had again."""
    if file is None or out is None:
        return
    try:
        out.write_bytes(file.content)
    except OSError as error:
        again = f"yibao clearing payment-file {file.file_no} --out FILE"
        stop(USAGE, kind="not_written", as_json=as_json,
             message=f"支付文件 {file.file_no} 已生成，但未能写入 {out}（{error.strerror}），请用 {again} 取得")


def _file_data(file: PaymentFile | None) -> dict[str, object] | None:
    return None if file is None else {
        "file_no": file.file_no, "payments": file.payments, "sum_fen": file.sum_fen, "digest": file.digest.hex(),
        "made_by": file.made_by, "made_at": file.made_at,
    }


def _file_line(file: PaymentFile) -> str:
    return f"支付文件 {file.file_no}：{file.payments} 笔 {yuan_text(file.sum_fen)} 元，SM3 {file.digest.hex()}"


def _tell(sheet: ClaimSheet, *, as_json: bool) -> None:
    data = {"ok": True, "claim": sheet.claim, "due_fen": sheet.claim.due_fen, "deductions": sheet.deductions}
    show(data, as_json=as_json, render=lambda: _sheet(sheet))


def _claims(claims: Sequence[Claim]) -> RenderableType:
    table = table_of("申报", "机构", "清算期", "类别", "状态", "笔数", "应付（元）", "扣款（元）", "实付（元）")
    for c in claims:
        table.add_row(
            c.claim_id, c.fixmedins_code, c.period, c.clr_type, STATES[c.state], str(c.settlements), yuan_text(c.payable_fen),
            yuan_text(c.deducted_fen), yuan_text(c.due_fen),
        )
    return table


def _sheet(sheet: ClaimSheet) -> RenderableType:
    parts = [_claims([sheet.claim])]
    if sheet.deductions:
        table = table_of("扣款", "来源", "结算", "金额（元）", "理由", "决定人")
        for d in sheet.deductions:
            table.add_row(d.deduction_no, d.source, d.setl_id or "—", yuan_text(d.amount_fen), escape(d.reason), d.decided_by)
        parts.append(table)
    return Group(*parts)


def _ordered(done: Ordered) -> RenderableType:
    table = table_of("支付单", "机构", "金额（元）", "状态")
    for p in done.payments:
        table.add_row(p.payment_id, p.fixmedins_code, yuan_text(p.amount_fen), "发送银行" if p.file_no else "抵销结清")
    parts: list[RenderableType] = [table]
    if done.file is not None:
        parts.append(_file_line(done.file))
    parts += [f"未支付 {w.fixmedins_code}：{w.reason}" for w in done.waiting]
    return Group(*parts)
