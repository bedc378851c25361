"""``yibao filing``: what an agency does with filings: list, approve, refuse, cancel, register a pregnancy or an injury."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import RenderableType

from yibao.domains.applications.model import STATES
from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, show, stop, table_of
from yibao.entrypoints.cli.policy_affected import shelf_of
from yibao.infra.database import Connection
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.filings import decide_filing as decisions
from yibao.usecases.filings.file_injury import KINDS as INJURIES
from yibao.usecases.filings.file_injury import InjuryCommand, file_injury
from yibao.usecases.filings.file_maternity import MaternityCommand, file_maternity
from yibao.usecases.filings.insured import Operator

CHANNEL = "cli"
app = typer.Typer(name="filing", no_args_is_help=True, help="备案：查询、审核、撤销，登记生育与伤害")
T = TypeVar("T")

FilingId = Annotated[str, typer.Argument(metavar="FILING_ID", help="备案编号（待遇申报明细流水号）")]
Person = Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")]
OperatorName = Annotated[str, typer.Option("--operator", help="经办人姓名，记入审计")]
Reason = Annotated[str, typer.Option("--reason", help="理由")]


def _run(deed: Callable[[Connection, datetime], Awaitable[T | Refusal]], *, as_json: bool) -> T:
    """Do a deed at the present instant."""
    return run_deed(lambda tx: deed(tx, SystemClock().now()), as_json=as_json)


@app.command("list", help="列出备案，先到的在前")
def list_filings(
    kind: Annotated[str, typer.Option("--kind", help="、".join(decisions.KINDS))] = "",
    state: Annotated[str, typer.Option("--state", help="、".join(STATES))] = "",
    psn_no: Annotated[str, typer.Option("--psn-no", help="人员编号")] = "",
    region: Annotated[str, typer.Option("--region", help="统筹区")] = "",
    as_json: JsonFlag = False,
) -> None:
    """List filings of every kind."""
    for word, known in ((kind, decisions.KINDS), (state, STATES)):
        if word and word not in known:
            stop(USAGE, kind="usage", message=f"不认识的 {word}；可用：{'、'.join(known)}", as_json=as_json)

    async def act(tx: Connection, _now: datetime) -> list[dict[str, Any]]:
        rows = await decisions.list_filings(tx, kind=kind, state=state, psn_no=psn_no, admdvs=region)
        return [{**dict(row), "filed_at": to_wire(row["filed_at"])} for row in rows]

    filings = _run(act, as_json=as_json)
    show({"ok": True, "filings": filings}, as_json=as_json, render=lambda: _table(filings))


@app.command("approve", help="审核通过一条慢特病认定")
def approve(filing_id: FilingId, operator: OperatorName, reason: Reason = "", as_json: JsonFlag = False) -> None:
    """Approve a filing."""
    _decide(filing_id, operator, reason, is_approved=True, as_json=as_json)


@app.command("refuse", help="不予通过一条慢特病认定，须写明理由")
def refuse_filing(filing_id: FilingId, operator: OperatorName, reason: Reason, as_json: JsonFlag = False) -> None:
    """Refuse a filing."""
    _decide(filing_id, operator, reason, is_approved=False, as_json=as_json)


def _decide(filing_id: str, operator: str, reason: str, *, is_approved: bool, as_json: bool) -> None:
    async def act(tx: Connection, now: datetime) -> Any:
        return await decisions.decide_filing(
            tx, filing_id=filing_id, is_approved=is_approved, operator=operator, reason=reason, ids=RandomIds(),
            now=now, channel=CHANNEL,
        )

    filing = _run(act, as_json=as_json)
    show({"ok": True, "filing": filing}, as_json=as_json,
         render=lambda: f"{STATES[filing.state]}：{filing.disease_name}，{filing.valid_from} 起"
         + (f"，{filing.valid_to} 前须复审" if filing.valid_to else ""))


@app.command("cancel", help="撤销任何一条没有结算用到的备案，须写明理由")
def cancel(filing_id: FilingId, operator: OperatorName, reason: Reason, as_json: JsonFlag = False) -> None:
    """Cancel a filing of any kind."""

    async def act(tx: Connection, now: datetime) -> Refusal | None:
        return await decisions.cancel_filing(
            tx, filing_id=filing_id, operator=operator, reason=reason, ids=RandomIds(), now=now, channel=CHANNEL
        )

    _run(act, as_json=as_json)
    show({"ok": True, "filing_id": filing_id}, as_json=as_json, render=lambda: f"已撤销 {filing_id}")


@app.command("maternity", help="生育登记")
def maternity(
    psn_no: Person, operator: OperatorName,
    insutype: Annotated[str, typer.Option("--insutype", help="险种，不写取职工医保优先")] = "",
    institution: Annotated[str, typer.Option("--institution", help="产检机构编号，不写为不限")] = "",
    begin: Annotated[str, typer.Option("--from", help="起始日期，不写为今天")] = "",
    end: Annotated[str, typer.Option("--to", help="终止日期（含）")] = "",
    due: Annotated[str, typer.Option("--due-on", help="预产期")] = "",
    spouse: Annotated[str, typer.Option("--spouse", help="配偶人员编号")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Register a pregnancy."""
    shelf = shelf_of(read_policy_files(), as_json=as_json)
    first, last, due_on = (_day(text, as_json=as_json) for text in (begin, end, due))

    async def act(tx: Connection, now: datetime) -> Any:
        command = MaternityCommand(
            psn_no, insutype, institution, due_on, spouse, first or business_date(now), last
        )
        ids = RandomIds()
        return await _audited(tx, await file_maternity(
            tx, command=command, operator=Operator("", operator, operator), shelf=shelf, filing_id=ids.new(now), now=now
        ), "file_maternity", operator, ids=ids, now=now)

    _show_filed(_run(act, as_json=as_json), as_json=as_json)


@app.command("injury", help="登记意外伤害、第三人责任（可附承诺书）或已认定的工伤")
def injury(
    psn_no: Person, operator: OperatorName,
    kind: Annotated[str, typer.Option("--kind", help="、".join(f"{k} {v}" for k, v in INJURIES.items()))],
    injured: Annotated[str, typer.Option("--injured-on", help="受伤日期")] = "",
    begin: Annotated[str, typer.Option("--from", help="起始日期，不写为今天")] = "",
    end: Annotated[str, typer.Option("--to", help="终止日期（含）")] = "",
    undertaking: Annotated[bool, typer.Option("--undertaking", help="已签无第三人责任承诺书")] = False,
    place: Annotated[str, typer.Option("--place", help="受伤地点")] = "",
    cause: Annotated[str, typer.Option("--cause", help="致伤原因或认定文号")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Register an injury."""
    first, last, injured_on = (_day(text, as_json=as_json) for text in (begin, end, injured))

    async def act(tx: Connection, now: datetime) -> Any:
        command = InjuryCommand(
            psn_no, "", kind, injured_on, place, cause, undertaking, True, first or business_date(now), last, "{}"
        )
        ids = RandomIds()
        return await _audited(tx, await file_injury(
            tx, command=command, operator=Operator("", operator, operator), filing_id=ids.new(now), now=now
        ), "file_injury", operator, ids=ids, now=now)

    _show_filed(_run(act, as_json=as_json), as_json=as_json)


async def _audited(tx: Connection, filed: Any, verb: str, operator: str, *, ids: RandomIds, now: datetime) -> Any:
    if not isinstance(filed, Refusal):
        await decisions.write_audit(
            tx, verb=verb, filing_id=filed.filing_id, admdvs=filed.admdvs, operator=operator, content=filed, ids=ids,
            now=now, channel=CHANNEL,
        )
    return filed


def _show_filed(filed: Any, *, as_json: bool) -> None:
    show({"ok": True, "filing": filed}, as_json=as_json, render=lambda: f"已登记，备案编号 {filed.filing_id}")


def _day(text: str, *, as_json: bool) -> date | None:
    """Return a day written in full, None for nothing; ends the command where it is none."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(USAGE, kind="usage", message=f"日期应写作 2026-11-22，收到 {text}", as_json=as_json)


def _table(filings: list[dict[str, Any]]) -> RenderableType:
    if not filings:
        return "没有备案"
    table = table_of("编号", "类别", "状态", "人员编号", "姓名", "内容", "起", "止（不含）", "备案日期")
    for whole in (0, 3):  # somebody copies these
        table.columns[whole].no_wrap = True
    for f in filings:
        table.add_row(
            f["filing_id"], decisions.KINDS[f["kind"]], STATES[f["state"]], f["psn_no"], f["name"],
            f"{f['code']} {f['title']}".strip(), str(f["valid_from"]), str(f["valid_to"] or ""), f["filed_at"][:10],
        )
    return table
