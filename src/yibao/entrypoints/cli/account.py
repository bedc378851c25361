"""``yibao account``: monthly credits, interest, statements, freezing, withdrawals, families and sharing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeVar

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.personal_accounts.credits import HeldCredit, list_held
from yibao.domains.personal_accounts.reasons import REASONS
from yibao.domains.personal_accounts.records import AccountState, Binding, Share, Withdrawal
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
from yibao.usecases.personal_accounts import commands as c
from yibao.usecases.personal_accounts.account_statement import Statement, account_statement
from yibao.usecases.personal_accounts.bind_family import bind_family, unbind_family
from yibao.usecases.personal_accounts.credit_failures import Followed, RunLine, burn_down, follow_failures
from yibao.usecases.personal_accounts.credit_interest import InterestCredited, credit_interest
from yibao.usecases.personal_accounts.credit_month import Credited, credit_arrears, credit_month
from yibao.usecases.personal_accounts.freeze_account import freeze_account, release_account
from yibao.usecases.personal_accounts.inherit_account import propose_inheritance
from yibao.usecases.personal_accounts.share_account import share_account, stop_sharing
from yibao.usecases.personal_accounts.withdraw_account import decide_withdrawal, propose_withdrawal
from yibao.usecases.settlement.shelf import PolicyShelf

T = TypeVar("T")
Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区")]
MonthText = Annotated[str, typer.Argument(metavar="MONTH", help="月份 yyyy-MM")]
Person = Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")]
Member = Annotated[str, typer.Argument(metavar="MEMBER_NO", help="家庭成员的人员编号")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人，记入审计")]
Document = Annotated[str, typer.Option("--document", help="依据材料")]
Kinship = Annotated[str, typer.Option("--kinship", help="亲属关系：spouse、parent、child、sibling、grandparent、grandchild")]
Consent = Annotated[str, typer.Option("--consent", help="同意书或授权书")]

app = typer.Typer(name="account", no_args_is_help=True, help="个人账户：划入、补划、结息、对账单、冻结、支取、继承、共济")


@app.command("credit", help="划入一个月；再次运行只处理尚未划入的人")
def credit(region: Region, month: MonthText, as_json: JsonFlag = False) -> None:
    """Credit a month to everybody owed; who is not credited is told by reason."""
    asked = _month(month, as_json=as_json)
    done: Credited = _batch(lambda db, shelf, now: credit_month(
        db, admdvs=region, month=asked, now=now, shelf=shelf, progress=_progress), as_json=as_json)
    show({"ok": True, "credited": done}, as_json=as_json, render=lambda: _credited([done]))


@app.command("arrears", help="补划：此前各月中待划入的人和后来到账的缴费")
def arrears(region: Region, before: MonthText, as_json: JsonFlag = False) -> None:
    """Credit earlier months that lag behind."""
    asked = _month(before, as_json=as_json)
    done: list[Credited] = _batch(lambda db, shelf, now: credit_arrears(
        db, admdvs=region, before=asked, now=now, shelf=shelf, progress=_progress), as_json=as_json)
    show({"ok": True, "credited": done}, as_json=as_json, render=lambda: _credited(done))


@app.command("interest", help="上年度结息")
def interest(
    region: Region, year: Annotated[int, typer.Argument(metavar="YEAR", help="年度")], as_json: JsonFlag = False
) -> None:
    """Credit a finished year's interest."""
    done: InterestCredited = _batch(lambda db, shelf, now: credit_interest(
        db, admdvs=region, year=year, now=now, shelf=shelf, progress=_progress), as_json=as_json)
    show({"ok": True, "interest": done}, as_json=as_json,
         render=lambda: f"✓ {year} 年结息 {done.accounts} 个账户 {yuan_text(done.amount_fen)} 元")


@app.command("held", help="列出一个月未划入的人及原因")
def held(
    region: Region, month: MonthText, reason: Annotated[str, typer.Option("--reason", help="、".join(REASONS))] = "",
    as_json: JsonFlag = False,
) -> None:
    """List who was not credited, why, and what to do."""
    asked = _month(month, as_json=as_json)
    rows: list[HeldCredit] = run_deed(lambda tx: list_held(tx, admdvs=region, month=asked, reason=reason), as_json=as_json)
    show({"ok": True, "held": rows}, as_json=as_json, render=lambda: _held(rows))


@app.command("failures", help="把未划入的人记入台账并逐人告知，已补划的销账；可重复运行")
def failures(
    region: Region, month: MonthText, operator: OperatorName,
    plan: Annotated[str, typer.Option("--plan", help="停机方案名称")] = "", as_json: JsonFlag = False,
) -> None:
    """Bring the book of crediting failures up to the last run."""
    asked = _month(month, as_json=as_json)
    actor = Actor(login=operator.strip(), channel="cli", regions=(region,))
    done: Followed = _batch(lambda db, _shelf, now: follow_failures(
        db, admdvs=region, month=asked, plan=plan, actor=actor, now=now, ids=RandomIds()), as_json=as_json)
    show({"ok": True, "followed": done}, as_json=as_json, render=lambda: f"✓ 新记 {done.added} 人，销账 {done.closed} 人")


@app.command("burn-down", help="一个月的各次划账：划入、未划入人数和原因")
def show_burn_down(region: Region, month: MonthText, as_json: JsonFlag = False) -> None:
    """Show how the failures of a month went down."""
    asked = _month(month, as_json=as_json)
    lines: list[RunLine] = run_deed(lambda tx: burn_down(tx, admdvs=region, month=asked), as_json=as_json)
    show({"ok": True, "runs": lines}, as_json=as_json, render=lambda: _runs(lines))


@app.command("statement", help="个人账户对账单，与总账核对")
def statement(
    psn_no: Person, begin: Annotated[str, typer.Option("--from", help="起始日期 yyyy-MM-dd")] = "",
    end: Annotated[str, typer.Option("--to", help="终止日期（不含）yyyy-MM-dd")] = "", as_json: JsonFlag = False,
) -> None:
    """Show every posting of an account with the balance after each."""
    first, last = _day(begin, as_json=as_json), _day(end, as_json=as_json)
    told: Statement = run_deed(lambda tx: account_statement(tx, psn_no, begin=first, end=last), as_json=as_json)
    show({"ok": told.ties, "statement": told}, as_json=as_json, render=lambda: _statement(told))


@app.command("freeze", help="冻结个人账户：照常划入，不能支付")
def freeze(
    psn_no: Person, operator: OperatorName, document: Document, cause: Annotated[str, typer.Option("--cause", help="原因")],
    as_json: JsonFlag = False,
) -> None:
    """Freeze an account."""
    command, now, ids, shelf = c.FreezeAccount(psn_no=psn_no, cause=cause, document=document), _now(), RandomIds(), _shelf()
    state: AccountState = run_deed(
        lambda tx: freeze_account(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "account": state}, as_json=as_json, render=lambda: f"✓ {psn_no} 个人账户已冻结")


@app.command("release", help="解冻个人账户")
def release(psn_no: Person, operator: OperatorName, document: Document, as_json: JsonFlag = False) -> None:
    """End a freeze."""
    command, now, ids, shelf = c.ReleaseAccount(psn_no=psn_no, document=document), _now(), RandomIds(), _shelf()
    state: AccountState = run_deed(
        lambda tx: release_account(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "account": state}, as_json=as_json, render=lambda: f"✓ {psn_no} 个人账户已解冻")


@app.command("withdraw", help="提出一次性支取，须由他人复核")
def withdraw(
    psn_no: Person, operator: OperatorName, document: Document, cause: Annotated[str, typer.Option("--cause", help="情形")],
    payee: Annotated[str, typer.Option("--payee", help="收款人")], bank: Annotated[str, typer.Option("--bank", help="开户行")],
    account: Annotated[str, typer.Option("--account", help="收款账号")], as_json: JsonFlag = False,
) -> None:
    """Propose to pay out an account."""
    command = c.WithdrawAccount(psn_no=psn_no, cause=cause, document=document, payee_name=payee, bank_name=bank,
                                bank_account=account)
    now, ids, shelf = _now(), RandomIds(), _shelf()
    _tell(run_deed(lambda tx: propose_withdrawal(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf),
                   as_json=as_json), as_json=as_json)


@app.command("inherit", help="提出个人账户继承，须由他人复核")
def inherit(
    psn_no: Person, operator: OperatorName, document: Document,
    heir: Annotated[str, typer.Option("--heir", help="继承人的人员编号；不填则由银行支付")] = "",
    payee: Annotated[str, typer.Option("--payee", help="收款人")] = "",
    bank: Annotated[str, typer.Option("--bank", help="开户行")] = "",
    account: Annotated[str, typer.Option("--account", help="收款账号")] = "", as_json: JsonFlag = False,
) -> None:
    """Propose who inherits an account."""
    command = c.InheritAccount(psn_no=psn_no, document=document, heir_no=heir, payee_name=payee, bank_name=bank,
                               bank_account=account)
    now, ids, shelf = _now(), RandomIds(), _shelf()
    _tell(run_deed(lambda tx: propose_inheritance(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf),
                   as_json=as_json), as_json=as_json)


@app.command("approve", help="复核支取或继承申请，须由经办人以外的人办理")
def approve(
    psn_no: Person, withdrawal_id: Annotated[str, typer.Argument(metavar="ID", help="申请编号")], operator: OperatorName,
    reject: Annotated[bool, typer.Option("--reject", help="退回")] = False,
    note: Annotated[str, typer.Option("--note", help="意见")] = "", as_json: JsonFlag = False,
) -> None:
    """Decide what a colleague proposed."""
    command = c.DecideWithdrawal(psn_no=psn_no, withdrawal_id=withdrawal_id, approve=not reject, note=note)
    now, ids, shelf = _now(), RandomIds(), _shelf()
    _tell(run_deed(lambda tx: decide_withdrawal(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf),
                   as_json=as_json), as_json=as_json)


@app.command("bind", help="绑定亲情账户：可查看、可出示，不能支付")
def bind(
    psn_no: Person, member_no: Member, operator: OperatorName, kinship: Kinship, consent: Consent, as_json: JsonFlag = False
) -> None:
    """Bind a relative."""
    command, now, ids, shelf = c.BindFamily(psn_no=psn_no, member_no=member_no, kinship=kinship, consent=consent), _now(), \
        RandomIds(), _shelf()
    done: Binding = run_deed(
        lambda tx: bind_family(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "binding": done}, as_json=as_json, render=lambda: f"✓ 已绑定 {member_no}")


@app.command("unbind", help="解除亲情账户绑定")
def unbind(psn_no: Person, member_no: Member, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """End a binding."""
    command, now, ids, shelf = c.UnbindFamily(psn_no=psn_no, member_no=member_no), _now(), RandomIds(), _shelf()
    done: Binding = run_deed(
        lambda tx: unbind_family(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "binding": done}, as_json=as_json, render=lambda: f"✓ 已解除绑定 {member_no}")


@app.command("share", help="个人账户家庭共济：授权家庭成员使用，可设顺序、限额和期限")
def share(
    sharer_no: Person, member_no: Member, operator: OperatorName, kinship: Kinship, consent: Consent,
    rank: Annotated[int, typer.Option("--rank", help="支付顺序，小者先付")] = 1,
    once: Annotated[str, typer.Option("--once", help="单次限额，元")] = "",
    year: Annotated[str, typer.Option("--year", help="年度限额，元")] = "",
    begin: Annotated[str, typer.Option("--from", help="开始日期")] = "",
    end: Annotated[str, typer.Option("--to", help="终止日期（不含）")] = "", as_json: JsonFlag = False,
) -> None:
    """Let a relative spend the account."""
    command = c.ShareAccount(
        sharer_no=sharer_no, member_no=member_no, kinship=kinship, consent=consent, rank=rank,
        once_limit_fen=_fen(once, as_json=as_json), year_limit_fen=_fen(year, as_json=as_json),
        begin_on=_day(begin, as_json=as_json), end_on=_day(end, as_json=as_json),
    )
    now, ids, shelf = _now(), RandomIds(), _shelf()
    done: Share = run_deed(
        lambda tx: share_account(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "share": done}, as_json=as_json, render=lambda: f"✓ {sharer_no} 与 {member_no} 共济，自 {done.begin_on} 起")


@app.command("unshare", help="终止家庭共济")
def unshare(sharer_no: Person, member_no: Member, operator: OperatorName, as_json: JsonFlag = False) -> None:
    """End sharing."""
    command, now, ids, shelf = c.StopSharing(sharer_no=sharer_no, member_no=member_no), _now(), RandomIds(), _shelf()
    done: Share = run_deed(
        lambda tx: stop_sharing(tx, command, actor=_actor(operator), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "share": done}, as_json=as_json, render=lambda: f"✓ 共济已终止，自 {done.end_on} 起")


def _batch(
    work: Callable[[Database, PolicyShelf, datetime], Awaitable[T | Refusal]], *, as_json: bool
) -> T:
    """Do work in transactions of its own, as the owner of the tables."""
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        answer = asyncio.run(_opened(settings.database_url, work))
    if isinstance(answer, Refusal):
        stop_refused(answer, as_json=as_json)
    return answer


async def _opened(
    url: str, work: Callable[[Database, PolicyShelf, datetime], Awaitable[T | Refusal]]
) -> T | Refusal:
    database = await Database.open(url, role=None, size=2)
    try:
        return await work(database, _shelf(), _now())
    finally:
        await database.close()


def _now() -> datetime:
    return SystemClock().now()


def _shelf() -> PolicyShelf:
    return PolicyShelf({admdvs: load_policy(files) for admdvs, files in read_policy_files().items()})


def _actor(operator: str) -> Actor:
    return Actor(login=operator, channel="cli")


def _progress(line: str) -> None:
    aside.print(line)


def _runs(lines: Sequence[RunLine]) -> RenderableType:
    table = table_of("次", "日期", "划入人数", "划入（元）", "未划入", "原因")
    for run in lines:
        why = "、".join(f"{code} {n}" for code, n in sorted(run.reasons.items()))
        table.add_row(f"{run.run_no}", f"{run.ended_at:%Y-%m-%d}", f"{run.credited}", yuan_text(run.credited_fen), f"{run.held}",
                      escape(why))
    return table


def _month(text: str, *, as_json: bool) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        stop(USAGE, kind="usage", message=f"月份 {text} 应为 yyyy-MM", as_json=as_json)


def _day(text: str, *, as_json: bool) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        stop(USAGE, kind="usage", message=f"日期 {text} 应为 yyyy-MM-dd", as_json=as_json)


def _fen(text: str, *, as_json: bool) -> int | None:
    try:
        return yuan_to_fen(Decimal(text)) if text else None
    except (InvalidOperation, ValueError):
        stop(USAGE, kind="usage", message=f"金额 {text} 应为最多两位小数的元", as_json=as_json)


def _tell(done: Withdrawal, *, as_json: bool) -> None:
    states = {"proposed": "待复核", "approved": "已复核，余额已转出", "rejected": "已退回"}
    show({"ok": True, "withdrawal": done}, as_json=as_json,
         render=lambda: f"✓ {done.withdrawal_id} {yuan_text(done.amount_fen)} 元：{states[done.state]}")


def _credited(runs: Sequence[Credited]) -> RenderableType:
    parts: list[RenderableType] = []
    for run in runs:
        parts.append(f"{run.month:%Y-%m} 第 {run.run_no} 次：划入 {run.credited} 人 {yuan_text(run.credited_fen)} 元，"
                     f"待处理 {run.held} 人")
        if run.reasons:
            table = table_of("原因", "人数", "说明", "处理")
            for code, count in sorted(run.reasons.items()):
                table.add_row(code, str(count), REASONS[code].says, REASONS[code].remedy)
            parts.append(table)
    return Group(*parts) if parts else "没有需要补划的月份"


def _held(rows: Sequence[HeldCredit]) -> RenderableType:
    table = table_of("人员编号", "姓名", "原因", "处理")
    for row in rows:
        table.add_row(row.psn_no, escape(row.name), REASONS[row.reason].says, REASONS[row.reason].remedy)
    return table


def _statement(told: Statement) -> RenderableType:
    table = table_of("日期", "摘要", "收入（元）", "支出（元）", "余额（元）")
    table.add_row("", "期初余额", "", "", yuan_text(told.opening_fen))
    for line in told.lines:
        received = yuan_text(line.amount_fen) if line.amount_fen > 0 else ""
        given = yuan_text(-line.amount_fen) if line.amount_fen < 0 else ""
        table.add_row(f"{line.posted_at:%Y-%m-%d}", escape(line.words), received, given, yuan_text(line.balance_fen))
    ties = "与总账一致" if told.ties else "[red]与总账不一致[/red]"
    return Group(table, f"收入 {yuan_text(told.in_fen)}，支出 {yuan_text(told.out_fen)}，期末 {yuan_text(told.closing_fen)}；"
                        f"现余额 {yuan_text(told.balance_fen)}，{ties}" + ("；账户已冻结" if told.is_frozen else ""))
