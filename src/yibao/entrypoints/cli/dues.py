"""``yibao dues``: assess, send, look at bills and cases, arrears, credits and refunds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeVar

import typer
from rich.console import RenderableType
from rich.markup import escape

from yibao.domains.contributions.case_kinds import KINDS
from yibao.domains.contributions.model import Bill, Due, WorkCase
from yibao.domains.contributions.queries import list_bills, list_cases, list_dues, list_dues_of_bill
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
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import load_settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.money import yuan_text, yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.assess_residents import assess_residents
from yibao.usecases.contributions.assessing import Assessed
from yibao.usecases.contributions.close_case import CloseCase, close_case
from yibao.usecases.contributions.collect_from_accounts import Collected, collect_from_accounts
from yibao.usecases.contributions.declare_base import DeclareBase, Declared, declare_base
from yibao.usecases.contributions.make_bill import BillMade
from yibao.usecases.contributions.pay_back import PayBack, pay_back
from yibao.usecases.contributions.receive_payment import Received
from yibao.usecases.contributions.receive_subsidy import Subsidy, receive_subsidy
from yibao.usecases.contributions.refund_payment import (
    RefundRequest,
    approve_refund,
    reject_refund,
    request_refund,
)
from yibao.usecases.contributions.send_bills import Sent, send_bills
from yibao.usecases.contributions.set_off import SetOff, set_off
from yibao.usecases.settlement.shelf import PolicyShelf

T = TypeVar("T")
Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区")]
MonthText = Annotated[str, typer.Argument(metavar="MONTH", help="月份 yyyy-MM")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人姓名，记入审计")]
BILL_STATES = {"open": "待发送", "sent": "待缴", "paid": "已缴", "arrived": "已到账", "cancelled": "已作废"}

app = typer.Typer(name="dues", no_args_is_help=True, help="征缴：核定、缴费单、补缴、抵缴、退费、待办")


@app.command("assess", help="核定一个月的职工医保应缴；中断后重跑只补没有的")
def assess(region: Region, month: MonthText, as_json: JsonFlag = False) -> None:
    """Assess a month of employees, flexible workers and retirees."""
    asked = _month(month, as_json=as_json)
    done: Assessed = _batch(lambda db, shelf, now: assess_month(
        db, admdvs=region, month=asked, now=now, shelf=shelf, progress=_progress), as_json=as_json)
    show({"ok": True, "assessed": done}, as_json=as_json, render=lambda: _assessed(done))


@app.command("assess-residents", help="核定一个年度的居民医保应缴和财政应拨")
def assess_year(
    region: Region, year: Annotated[int, typer.Argument(metavar="YEAR", help="年度")], as_json: JsonFlag = False
) -> None:
    """Assess a year of residents."""
    done: Assessed = _batch(lambda db, shelf, now: assess_residents(
        db, admdvs=region, year=year, now=now, shelf=shelf, progress=_progress), as_json=as_json)
    show({"ok": True, "assessed": done}, as_json=as_json, render=lambda: _assessed(done))


@app.command("send", help="把待发送的缴费单发给税务部门")
def send(region: Region, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """Send open bills."""
    done: Sent = _batch(lambda db, _shelf, now: send_bills(
        db, admdvs=region, now=now, ids=RandomIds(), actor=_actor(operator, region), progress=_progress,
    ), as_json=as_json)
    show({"ok": True, "sent": done}, as_json=as_json, render=lambda: (
        f"✓ 发送 {done.bills} 张缴费单，{yuan_text(done.amount_fen)} 元；财政缴费单 {done.state_bills} 张"))


@app.command("collect", help="从个人账户划扣长期护理、退休人员大额缴费")
def collect(region: Region, as_json: JsonFlag = False) -> None:
    """Take dues from personal accounts."""
    done: Collected = _batch(lambda db, _shelf, now: collect_from_accounts(
        db, admdvs=region, now=now, progress=_progress), as_json=as_json)
    show({"ok": True, "collected": done}, as_json=as_json, render=lambda: (
        f"✓ 划扣 {done.taken} 笔，{yuan_text(done.taken_fen)} 元；余额不足 {done.too_low} 笔，下次再划"))


@app.command("bills", help="列出缴费单")
def show_bills(
    region: Annotated[str, typer.Option("--region", help="统筹区")] = "",
    payer: Annotated[str, typer.Option("--payer", help="单位、人员或家庭编号")] = "",
    state: Annotated[str, typer.Option("--state", help="、".join(f"{k} {v}" for k, v in BILL_STATES.items()))] = "",
    as_json: JsonFlag = False,
) -> None:
    """List bills."""
    bills: list[Bill] = run_deed(lambda tx: list_bills(tx, admdvs=region, payer_no=payer, state=state), as_json=as_json)
    show({"ok": True, "bills": bills}, as_json=as_json, render=lambda: _bills(bills))


@app.command("bill", help="查看缴费单上的应缴")
def show_bill(bill_id: Annotated[str, typer.Argument(metavar="BILL_ID", help="缴费单号")], as_json: JsonFlag = False) -> None:
    """List the dues of a bill."""
    dues: list[Due] = run_deed(lambda tx: list_dues_of_bill(tx, bill_id), as_json=as_json)
    show({"ok": True, "dues": dues}, as_json=as_json, render=lambda: _dues(dues))


@app.command("person", help="查看一个人的应缴，各步日期俱全")
def show_person(psn_no: Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")], as_json: JsonFlag = False) -> None:
    """List a person's dues."""
    dues: list[Due] = run_deed(lambda tx: list_dues(tx, psn_no), as_json=as_json)
    show({"ok": True, "dues": dues}, as_json=as_json, render=lambda: _dues(dues))


@app.command("cases", help="列出待办：少缴、多缴、重复、缴费人不符、对账差异等")
def show_cases(
    region: Annotated[str, typer.Option("--region", help="统筹区")] = "",
    kind: Annotated[str, typer.Option("--kind", help="、".join(KINDS))] = "",
    state: Annotated[str, typer.Option("--state", help="open、closed")] = "open", as_json: JsonFlag = False,
) -> None:
    """List cases with what to do about each."""
    cases: list[WorkCase] = run_deed(lambda tx: list_cases(tx, admdvs=region, kind=kind, state=state), as_json=as_json)
    show({"ok": True, "cases": cases}, as_json=as_json, render=lambda: _cases(cases))


@app.command("close-case", help="办结一个待办，写明结果；--accept-payer 确认代缴")
def close_one(
    case_id: Annotated[str, typer.Argument(metavar="CASE_ID", help="待办编号")], operator: OperatorName,
    outcome: Annotated[str, typer.Option("--outcome", help="处理结果")],
    accept_payer: Annotated[bool, typer.Option("--accept-payer", help="确认代缴，款项抵缴所指缴费单")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Close a case."""
    command = CloseCase(case_id=case_id, outcome=outcome, accept_payer=accept_payer)
    now, ids, shelf = _now(), RandomIds(), _shelf()
    done: WorkCase = run_deed(
        lambda tx: close_case(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "case": done}, as_json=as_json, render=lambda: f"✓ {escape(done.case_id)} 已办结")


@app.command("declare", help="申报一个人的缴费基数")
def declare(
    psn_no: Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")], month: MonthText,
    wage: Annotated[str, typer.Option("--wage", help="月缴费工资，元")], operator: OperatorName, as_json: JsonFlag = False,
) -> None:
    """Declare a base."""
    command = DeclareBase(psn_no=psn_no, valid_from=_month(month, as_json=as_json), wage_fen=_fen(wage, as_json=as_json))
    now, ids, shelf = _now(), RandomIds(), _shelf()
    done: Declared = run_deed(
        lambda tx: declare_base(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    held = "".join(f"；按{'下限' if a.adjusted == 'floor' else '上限'} {yuan_text(a.base_fen)} 元" for a in done.adjusted)
    show({"ok": True, "declared": done}, as_json=as_json, render=lambda: f"✓ 已申报{held}")


@app.command("pay-back", help="补缴：把欠缴的月份连同滞纳金出一张缴费单")
def back(
    payer: Annotated[str, typer.Argument(metavar="PAYER", help="单位、人员或家庭编号")],
    first: Annotated[str, typer.Option("--from", help="起始月份 yyyy-MM")],
    last: Annotated[str, typer.Option("--before", help="终止月份 yyyy-MM（不含）")],
    pay_on: Annotated[str, typer.Option("--pay-on", help="缴费日 yyyy-MM-dd，滞纳金算到这一天")], operator: OperatorName,
    person: Annotated[list[str] | None, typer.Option("--person", help="只补这些人，未核定的月份一并核定")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a bill of arrears."""
    command = PayBack(
        payer_no=payer, psn_nos=tuple(person or ()), first=_month(first, as_json=as_json), before=_month(last, as_json=as_json),
        pay_on=_day(pay_on, as_json=as_json))
    now, ids, shelf = _now(), RandomIds(), _shelf()
    made: BillMade = run_deed(
        lambda tx: pay_back(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "bill": made}, as_json=as_json, render=lambda: (
        f"✓ {made.bill.bill_id}：{made.bill.count} 笔，{yuan_text(made.bill.amount_fen)} 元，"
        f"其中滞纳金 {yuan_text(made.surcharge_fen)} 元"))


@app.command("set-off", help="用缴费余额抵缴另一张缴费单")
def offset(
    payment_id: Annotated[str, typer.Argument(metavar="PAYMENT_ID", help="缴费流水")],
    bill_id: Annotated[str, typer.Argument(metavar="BILL_ID", help="缴费单号")], operator: OperatorName,
    as_json: JsonFlag = False,
) -> None:
    """Set a credit off."""
    now, ids, shelf = _now(), RandomIds(), _shelf()
    command = SetOff(payment_id=payment_id, bill_id=bill_id)
    done: Received = run_deed(
        lambda tx: set_off(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "set_off": done}, as_json=as_json, render=lambda: (
        f"✓ {'已缴清' if done.paid_bills else '已抵缴，尚未缴清'}；余额 {yuan_text(done.credit_fen)} 元"))


@app.command("refund", help="申请退费，须另一人复核")
def refund(
    payment_id: Annotated[str, typer.Argument(metavar="PAYMENT_ID", help="缴费流水")],
    refund_id: Annotated[str, typer.Option("--refund-id", help="退费单号，同号只办一次")],
    amount: Annotated[str, typer.Option("--amount", help="退费金额，元")],
    reason: Annotated[str, typer.Option("--reason", help="理由")], operator: OperatorName,
    due: Annotated[list[str] | None, typer.Option("--due", help="退掉的应缴：人员编号/应缴编号")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask for a refund."""
    keys = [tuple(text.split("/", 1)) for text in due or ()]
    command = RefundRequest(
        refund_id=refund_id, payment_id=payment_id, amount_fen=_fen(amount, as_json=as_json), reason=reason,
        dues=tuple((k[0], k[1]) for k in keys if len(k) == 2))
    now, ids = _now(), RandomIds()
    done = run_deed(lambda tx: request_refund(tx, command, actor=_actor(operator), now=now, ids=ids), as_json=as_json)
    show({"ok": True, "refund": done}, as_json=as_json, render=lambda: f"✓ 退费 {refund_id} 已申请，待复核")


@app.command("decide-refund", help="复核退费，须由申请人以外的人办理")
def decide(
    refund_id: Annotated[str, typer.Argument(metavar="REFUND_ID", help="退费单号")], operator: OperatorName,
    reject: Annotated[bool, typer.Option("--reject", help="驳回")] = False, as_json: JsonFlag = False,
) -> None:
    """Approve or reject a refund."""
    now, ids, shelf = _now(), RandomIds(), _shelf()
    done = run_deed(
        lambda tx: reject_refund(tx, refund_id, actor=_actor(operator), now=now, ids=ids) if reject else
        approve_refund(tx, refund_id, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "refund": done}, as_json=as_json, render=lambda: f"✓ 退费 {refund_id} {'已驳回' if reject else '已复核'}")


@app.command("subsidy", help="登记财政拨付的补助到账")
def subsidy(
    bill_id: Annotated[str, typer.Argument(metavar="BILL_ID", help="财政缴费单号")],
    receipt: Annotated[str, typer.Option("--receipt", help="拨付凭证号")],
    on: Annotated[str, typer.Option("--on", help="到账日 yyyy-MM-dd")], operator: OperatorName, as_json: JsonFlag = False,
) -> None:
    """Book what the treasury has paid."""
    command = Subsidy(bill_id=bill_id, receipt_no=receipt, received_on=_day(on, as_json=as_json))
    now, ids = _now(), RandomIds()
    done: Bill = run_deed(
        lambda tx: receive_subsidy(tx, command, actor=_actor(operator), now=now, ids=ids), as_json=as_json)
    show({"ok": True, "bill": done}, as_json=as_json, render=lambda: (
        f"✓ {done.bill_id} {yuan_text(done.amount_fen)} 元已到账"))


def _batch(work: Callable[[Database, PolicyShelf, datetime], Awaitable[T | Refusal]], *, as_json: bool) -> T:
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        answer = asyncio.run(_opened(settings.database_url, work))
    if isinstance(answer, Refusal):
        stop_refused(answer, as_json=as_json)
    return answer


async def _opened(url: str, work: Callable[[Database, PolicyShelf, datetime], Awaitable[T | Refusal]]) -> T | Refusal:
    database = await Database.open(url, role=None, size=2)
    try:
        return await work(database, _shelf(), _now())
    finally:
        await database.close()


def _now() -> datetime:
    return SystemClock().now()


def _shelf() -> PolicyShelf:
    return PolicyShelf({admdvs: load_policy(files) for admdvs, files in read_policy_files().items()})


def _actor(operator: str, *regions: str) -> Actor:
    return Actor(login=operator, channel="cli", regions=regions)


def _progress(line: str) -> None:
    aside.print(line)


def _month(text: str, *, as_json: bool) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        stop(USAGE, kind="usage", message=f"月份 {text} 应为 yyyy-MM", as_json=as_json)


def _day(text: str, *, as_json: bool) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(USAGE, kind="usage", message=f"日期 {text} 应为 yyyy-MM-dd", as_json=as_json)


def _fen(text: str, *, as_json: bool) -> int:
    try:
        return yuan_to_fen(Decimal(text))
    except (InvalidOperation, ValueError):
        stop(USAGE, kind="usage", message=f"金额 {text} 应为最多两位小数的元", as_json=as_json)


def _assessed(done: Assessed) -> RenderableType:
    said = "".join(f"\n  {KINDS[kind].title} {count} 人：{KINDS[kind].remedy}" for kind, count in sorted(done.cases.items()))
    return f"✓ 核定 {done.persons} 人，新增应缴 {done.dues} 笔，{yuan_text(done.total_fen)} 元{said}"


def _bills(bills: Sequence[Bill]) -> RenderableType:
    table = table_of("缴费单", "缴费人", "月份", "笔数", "金额", "截止日", "状态")
    for b in bills:
        table.add_row(b.bill_id, escape(b.payer_name or b.payer_no), f"{b.month:%Y-%m}", str(b.count), yuan_text(b.amount_fen),
                      str(b.due_on), BILL_STATES[b.state])
    return table


def _dues(dues: Sequence[Due]) -> RenderableType:
    table = table_of("应缴", "人员", "基数", "金额", "滞纳金", "状态", "缴费", "到账")
    for d in dues:
        table.add_row(d.due_id, d.psn_no, yuan_text(d.base_fen), yuan_text(d.total_fen), yuan_text(d.surcharge_fen), d.state,
                      str(d.paid_on or ""), str(d.arrived_on or ""))
    return table


def _cases(cases: Sequence[WorkCase]) -> RenderableType:
    table = table_of("待办", "内容", "怎么办")
    for c in cases:
        table.add_row(escape(c.case_id), escape(c.says), KINDS[c.kind].remedy if c.kind in KINDS else "")
    return table
