"""``yibao claim``: claims by hand, from receipts to the calculated detail, appeal and money owed back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.claims.model import STATES, Bill, Claim, Recovery
from yibao.domains.claims.queries import find_claim, list_bills, list_claims, list_recoveries
from yibao.entrypoints.cli.agency_deeds import read_command, run_as
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import JsonFlag, show, table_of
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.usecases.claims.appeal_claim import AppealClaim, appeal_claim
from yibao.usecases.claims.calculate_claim import calculate_claim
from yibao.usecases.claims.commands import EnterLines, OnClaim, OpenClaim, ReverseClaim, TakeRepayment
from yibao.usecases.claims.desk import claim_unknown
from yibao.usecases.claims.enter_lines import enter_lines
from yibao.usecases.claims.open_claim import open_claim
from yibao.usecases.claims.reverse_claim import reverse_claim, take_repayment

OperatorName = Annotated[str, typer.Option("--operator", help="经办人，记入审计")]
Ident = Annotated[str, typer.Argument(metavar="CLAIM_ID", help="报销编号")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="JSON 文件")]
Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区")]
Reason = Annotated[str, typer.Option("--reason", help="理由")]
Division = Annotated[str, typer.Option("--division", help="经办机构区划：县6位、乡镇9位；不填为统筹区本级")]
app = typer.Typer(name="claim", no_args_is_help=True, help="手工（零星）报销：受理票据、录入明细、计算、复核申请、撤销追回")


@app.command("open", help="受理手工报销（JSON 文件：人员、种类、票据、收款账户、材料）")
def take_in(path: File, operator: OperatorName, division: Division = "", as_json: JsonFlag = False) -> None:
    """Take a claim in; review and approval are those of its application (yibao service)."""
    command = read_command(path, OpenClaim, as_json=as_json)
    _tell(run_as(operator, lambda tx, m: open_claim(
        tx, command, actor=m.actor, now=m.now, ids=m.ids, shelf=m.shelf, gate=m.gate), division=division, as_json=as_json),
        as_json=as_json)


@app.command("lines", help="录入或更正一张票据的费用明细（JSON 文件）")
def lines(path: File, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Enter the lines of a receipt."""
    command = read_command(path, EnterLines, as_json=as_json)
    _tell(run_as(operator, lambda tx, m: enter_lines(tx, command, actor=m.actor, now=m.now, ids=m.ids), as_json=as_json),
          as_json=as_json)


@app.command("calculate", help="按就医时的政策计算，供审核")
def calculate(claim: Ident, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Calculate a claim."""
    _tell(run_as(operator, lambda tx, m: calculate_claim(
        tx, OnClaim(claim_id=claim), actor=m.actor, now=m.now, ids=m.ids, shelf=m.shelf), as_json=as_json), as_json=as_json)


@app.command("appeal", help="申请复核报销决定：只有一次，由其他人员办理")
def appeal(claim: Ident, operator: OperatorName, reason: Reason, as_json: JsonFlag = False) -> None:
    """Ask that a decision be looked at again."""
    command = AppealClaim(claim_id=claim, reason=reason)
    _tell(run_as(operator, lambda tx, m: appeal_claim(
        tx, command, actor=m.actor, now=m.now, ids=m.ids, gate=m.gate), as_json=as_json), as_json=as_json)


@app.command("reverse", help="撤销已支付的报销并追回，须两人办理")
def reverse(
    claim: Ident, operator: OperatorName, reason: Reason,
    checker: Annotated[str, typer.Option("--checker", help="复核人，与经办人不同")], as_json: JsonFlag = False,
) -> None:
    """Undo a claim that was paid wrongly."""
    command = ReverseClaim(claim_id=claim, reason=reason)
    _tell(run_as(checker, lambda tx, m: reverse_claim(
        tx, command, maker=operator, actor=m.actor, now=m.now, ids=m.ids, shelf=m.shelf), as_json=as_json), as_json=as_json)


@app.command("repay", help="登记参保人退回的报销款")
def repay(
    claim: Ident, operator: OperatorName, bank_ref: Annotated[str, typer.Option("--bank-ref", help="银行流水号")],
    amount_fen: Annotated[int, typer.Option("--fen", help="金额，分")], as_json: JsonFlag = False,
) -> None:
    """Book money that came back."""
    command = TakeRepayment(claim_id=claim, bank_ref=bank_ref, amount_fen=amount_fen)
    done = run_as(operator, lambda tx, m: take_repayment(tx, command, actor=m.actor, now=m.now, ids=m.ids), as_json=as_json)
    show({"ok": True, "recovery": done}, as_json=as_json,
         render=lambda: f"✓ 已登记，尚欠{yuan_text(done.owed_fen - done.received_fen)}元")


@app.command("list", help="列出手工报销")
def list_all(
    region: Region, state: Annotated[str, typer.Option("--state", help="状态")] = "",
    most: Annotated[int, typer.Option("--limit", help="最多多少条")] = 50, as_json: JsonFlag = False,
) -> None:
    """List claims of a region."""
    found = run_deed(lambda tx: list_claims(tx, admdvs=region, state=state, most=most), as_json=as_json)
    show({"ok": True, "claims": [_masked(c) for c in found]}, as_json=as_json, render=lambda: _table(found))


@app.command("show", help="查看一个手工报销：票据、计算明细")
def show_one(claim: Ident, as_json: JsonFlag = False) -> None:
    """Show a claim with its receipts and detail."""

    async def read(tx: Connection) -> tuple[Claim, list[Bill]] | Refusal:
        found = await find_claim(tx, claim)
        if found is None:
            return claim_unknown(claim)
        return found, await list_bills(tx, psn_no=found.psn_no, claim_id=claim)

    found, bills = run_deed(read, as_json=as_json)
    show({"ok": True, "claim": _masked(found), "bills": bills, "detail": msgspec.json.decode(found.detail)}, as_json=as_json,
         render=lambda: Group(_table([found]), _bills(bills)))


@app.command("recoveries", help="列出应追回的报销款")
def recoveries(region: Region, as_json: JsonFlag = False) -> None:
    """List what people owe back."""
    found = run_deed(lambda tx: list_recoveries(tx, admdvs=region), as_json=as_json)
    show({"ok": True, "recoveries": found}, as_json=as_json, render=lambda: _recoveries(found))


def _tell(claim: Claim, *, as_json: bool) -> None:
    show({"ok": True, "claim": _masked(claim)}, as_json=as_json, render=lambda: _table([claim]))


def _masked(claim: Claim) -> Claim:
    return msgspec.structs.replace(
        claim, payee_name=mask_name(claim.payee_name), bank_account=mask(claim.bank_account), detail="", digest=b"")


def _table(claims: Sequence[Claim]) -> RenderableType:
    table = table_of("报销编号", "办件编号", "人员编号", "种类", "状态", "费用（元）", "支付（元）", "提示")
    for c in claims:
        table.add_row(c.claim_id, c.application_id, c.psn_no, c.kind, STATES[c.state], yuan_text(c.total_fen),
                      yuan_text(c.fund_fen), escape("；".join(c.warnings)))
    return table


def _bills(bills: Sequence[Bill]) -> RenderableType:
    table = table_of("票据", "机构", "起止", "费用（元）", "支付（元）", "结算ID")
    for b in bills:
        table.add_row(escape(b.bill_no), escape(b.institution_name), f"{business_date(b.begin_at)}至{business_date(b.end_at)}",
                      yuan_text(b.total_fen), yuan_text(b.fund_fen), b.setl_id)
    return table


def _recoveries(rows: Sequence[Recovery]) -> RenderableType:
    table = table_of("报销编号", "人员编号", "应追回（元）", "已追回（元）", "起于")
    for r in rows:
        table.add_row(r.claim_id, r.psn_no, yuan_text(r.owed_fen), yuan_text(r.received_fen), f"{business_date(r.opened_at)}")
    return table
