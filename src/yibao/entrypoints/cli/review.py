"""``yibao review``: judge settled bills by the supervision rules, see appeals, and decide them with four eyes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.supervision.model import STATE_WORDS, Suspicion
from yibao.domains.supervision.queries import list_for_agency, list_steps, lock_suspicion
from yibao.entrypoints.cli.output import USAGE, JsonFlag, known_failures, show, stop, stop_refused, table_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import load_settings
from yibao.infra.database import Connection, Database
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.money import yuan_text, yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.policy.review.rules import Rule
from yibao.usecases.supervision.decide_suspicion import confirm_decision, propose_decision, return_decision
from yibao.usecases.supervision.review_settlements import Reviewed, review_settlements
from yibao.usecases.supervision.rulebook import rule_book

app = typer.Typer(no_args_is_help=True, help="智能审核：按规则审核已结算费用，查看申诉，初审与复核")

Region = Annotated[str, typer.Option("--region", help="参保统筹区，六位区划代码")]
Operator = Annotated[str, typer.Option("--operator", help="经办人姓名，记入审核与审计")]
First = Annotated[str | None, typer.Option("--from", help="结算起始日期，缺省为当日")]
Last = Annotated[str | None, typer.Option("--to", help="结算截止日期（含），缺省为当日")]
Id = Annotated[str, typer.Argument(metavar="SUSPICION_ID", help="疑点ID")]
Opinion = Annotated[str, typer.Option("--opinion", help="审核意见")]
LISTED_MAX = 1000

T = TypeVar("T")


@app.command("run", help="审核一段时间内的结算，生成单据和疑点；已撤销结算的疑点作废并退回扣款；可重复运行")
def run(
    region: Region, operator: Operator, first: First = None, last: Last = None, as_json: JsonFlag = False
) -> None:
    """Judge a region's settlements of some days; what was judged by the same rules is left alone."""
    now = _now()
    begin, end = (_day(text, default=business_date(now), as_json=as_json) for text in (first, last))

    async def work(database: Database) -> Reviewed | Refusal:
        return await review_settlements(
            database, admdvs=region, first=begin, last=end, operator=operator, now=now, ids=RandomIds()
        )

    done = _in_database(work, as_json=as_json)
    if isinstance(done, Refusal):
        stop_refused(done, as_json=as_json)
    show(
        {"ok": True, "region": region, "from": begin, "to": end, **msgspec.structs.asdict(done)}, as_json=as_json,
        render=lambda: f"已审核结算 {done.judged} 笔，单据 {done.documents} 张，疑点 {done.suspicions} 个，违规金额 "
        f"{yuan_text(done.amount_fen)} 元，其中基金支付 {yuan_text(done.fund_fen)} 元；作废疑点 {done.voided} 个，"
        f"退回扣款 {yuan_text(done.returned_fen)} 元",
    )


@app.command("appeals", help="列出疑点：缺省为待处理的（已申诉、不申诉、申请合议、待复核）")
def appeals(
    region: Annotated[str, typer.Option("--region", help="参保统筹区，缺省为全部")] = "",
    institution: Annotated[str, typer.Option("--institution", help="定点医药机构编号，缺省为全部")] = "",
    state: Annotated[list[str] | None, typer.Option("--state", help=f"状态：{'、'.join(STATE_WORDS)}；可多次")] = None,
    pending: Annotated[bool, typer.Option("--pending", help="只列待复核的")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List suspicions for the agency's desk."""
    wrong = [s for s in state or () if s not in STATE_WORDS]
    if wrong:
        stop(USAGE, kind="usage", message=f"没有状态 {wrong[0]}；可用：{'、'.join(STATE_WORDS)}", as_json=as_json)
    states = state or ([] if pending else ["appealed", "accepted", "collegial"])

    async def work(database: Database) -> list[Suspicion]:
        async with database.connection() as tx:
            return await list_for_agency(
                tx, admdvs=region, fixmedins_code=institution, states=states, pending=pending, limit=LISTED_MAX
            )

    found = _in_database(work, as_json=as_json)
    show({"ok": True, "suspicions": [_data(s) for s in found]}, as_json=as_json, render=lambda: _table(found))


@app.command("show", help="显示一个疑点及其全部经过")
def show_one(suspicion_id: Id, as_json: JsonFlag = False) -> None:
    """Show a suspicion with everything that happened to it."""
    async def work(database: Database) -> tuple[Suspicion, list[dict[str, object]]] | None:
        async with database.transaction() as tx:
            found = await lock_suspicion(tx, suspicion_id)
            if found is None:
                return None
            steps = (await list_steps(tx, [found[0]]))[suspicion_id]
            return found[0], [dict(step) for step in steps]

    answer = _in_database(work, as_json=as_json)
    if answer is None:
        stop(1, kind="not_found", message=f"没有疑点 {suspicion_id}", as_json=as_json)
    suspicion, steps = answer
    show({"ok": True, "suspicion": _data(suspicion), "steps": steps}, as_json=as_json,
         render=lambda: _sheet(suspicion, steps))


@app.command("decide", help="初审：提出扣款金额（--amount，缺省为基金支付的全部；0 为不予扣款），待另一人复核")
def decide(
    suspicion_id: Id, operator: Operator, opinion: Opinion,
    amount: Annotated[str | None, typer.Option("--amount", help="扣款金额，元；0 为不予扣款")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Propose what to deduct."""
    fen = None if amount is None else _fen(amount, as_json=as_json)

    async def deed(tx: Connection) -> Suspicion | Refusal:
        return await propose_decision(
            tx, suspicion_id=suspicion_id, amount_fen=fen, operator=operator, why=opinion, now=_now(),
            ids=RandomIds(),
        )

    _do(deed, as_json=as_json)


@app.command("confirm", help="复核：由另一人确认初审意见，扣款即告成立")
def confirm(suspicion_id: Id, operator: Operator, as_json: JsonFlag = False) -> None:
    """Confirm a proposal as the second person."""

    async def deed(tx: Connection) -> Suspicion | Refusal:
        return await confirm_decision(
            tx, suspicion_id=suspicion_id, operator=operator, now=_now(), ids=RandomIds()
        )

    _do(deed, as_json=as_json)


@app.command("return", help="复核：由另一人退回初审意见")
def send_back(suspicion_id: Id, operator: Operator, opinion: Opinion, as_json: JsonFlag = False) -> None:
    """Send a proposal back as the second person."""

    async def deed(tx: Connection) -> Suspicion | Refusal:
        return await return_decision(
            tx, suspicion_id=suspicion_id, operator=operator, why=opinion, now=_now(), ids=RandomIds()
        )

    _do(deed, as_json=as_json)


@app.command("rules", help="列出一个项目（国家编码或药品名称）的审核规则")
def rules(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="诊疗项目国家编码，或药品、饮片名称")],
    as_json: JsonFlag = False,
) -> None:
    """List the rules about an item, those that include it among them."""
    book = rule_book()
    found = [*book.by_item.get(item, ()), *book.included.get(item, ())]
    show(
        {"ok": bool(found), "version": book.version, "rules": [_rule(r) for r in found]}, as_json=as_json,
        render=lambda: _rules(found),
    )
    raise typer.Exit(0 if found else 1)


def _do(deed: Callable[[Connection], Awaitable[Suspicion | Refusal]], *, as_json: bool) -> None:
    async def work(database: Database) -> Suspicion | Refusal:
        async with database.transaction() as tx:
            return await deed(tx)

    done = _in_database(work, as_json=as_json)
    if isinstance(done, Refusal):
        stop_refused(done, as_json=as_json)
    show({"ok": True, "suspicion": _data(done)}, as_json=as_json, render=lambda: _table([done]))


def _in_database(work: Callable[[Database], Awaitable[T]], *, as_json: bool) -> T:
    async def opened(url: str) -> T:
        database = await Database.open(url, role=None, size=1)
        try:
            return await work(database)
        finally:
            await database.close()

    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        return asyncio.run(opened(settings.database_url))
    raise AssertionError("known_failures ends the command")


def _now() -> datetime:
    """Return the present as business time, from which ids are made."""
    return SystemClock().now().astimezone(SHANGHAI)


def _day(text: str | None, *, default: date, as_json: bool) -> date:
    try:
        return date.fromisoformat(text) if text else default
    except ValueError:
        stop(USAGE, kind="usage", message=f"日期应为yyyy-MM-dd，收到：{text}", as_json=as_json)


def _fen(text: str, *, as_json: bool) -> int:
    try:
        return yuan_to_fen(Decimal(text))
    except (InvalidOperation, ValueError):
        stop(USAGE, kind="usage", message=f"金额应为元，最多两位小数，收到：{text}", as_json=as_json)


def _data(s: Suspicion) -> dict[str, object]:
    return {**msgspec.structs.asdict(s), "lines": msgspec.json.decode(s.lines), "state_name": STATE_WORDS[s.state]}


def _rule(r: Rule) -> dict[str, object]:
    return {"rule_id": r.rule_id, "kind": r.kind.name, "title": r.kind.title, "severity": r.kind.severity,
            "item": r.item, "name": r.item_name, "word": r.word, "text": r.text, "source": r.source}


def _rules(found: Sequence[Rule]) -> RenderableType:
    if not found:
        return "没有这个项目的规则"
    table = table_of("规则", "类别", "项目", "取值", "说明", "出处")
    for r in found:
        table.add_row(r.rule_id, r.kind.title, escape(r.item_name), r.word, escape(r.text), r.source)
    return table


def _table(found: Sequence[Suspicion]) -> RenderableType:
    if not found:
        return "没有疑点"
    table = table_of("疑点ID", "机构", "规则", "违规金额", "基金支付", "状态", "待复核", "已扣款")
    for s in found:
        waiting = "" if s.proposed_fen is None else f"{s.proposed_by} 扣{yuan_text(s.proposed_fen)}"
        table.add_row(s.suspicion_id, s.fixmedins_code, s.rule_id, yuan_text(s.amount_fen), yuan_text(s.fund_fen),
                      STATE_WORDS[s.state], escape(waiting), yuan_text(s.deducted_fen))
    return table


def _sheet(s: Suspicion, steps: Sequence[dict[str, object]]) -> RenderableType:
    texts = [f"结算 {s.setl_id}  就诊 {s.mdtrt_id}  人员 {s.psn_no}", escape(s.reason), f"[dim]{escape(s.basis)}[/dim]"]
    if s.override:
        texts.append(f"诊疗中已提示，医师说明：{escape(s.override)}")
    for step in steps:
        texts.append(f"{step['at']}  {step['what']}  {escape(str(step['actor']))}  {escape(str(step['says']))}")
    return Group(_table([s]), *texts)
