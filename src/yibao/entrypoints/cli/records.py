"""``yibao records``: what an agency does with settlement lists and other uploaded records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, TypeVar

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, show, stop, table_of
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.records.decide_lists import (
    Decided,
    Decision,
    Overdue,
    decide_lists,
    is_month,
    list_decidable,
    report_overdue,
)
from yibao.usecases.records.show_documents import ShownDocument, show_documents
from yibao.usecases.records.survey_lists import SurveyedList, follow_list, survey_lists
from yibao.usecases.records.upload_list import STATE_TEXT

app = typer.Typer(name="records", no_args_is_help=True, help="结算清单与上传的病案记录：查询、审核、催报")
T = TypeVar("T")

Region = Annotated[str, typer.Option("--region", help="统筹区")]
Month = Annotated[str, typer.Option("--month", help="结算年月 yyyymm")]
Institution = Annotated[str, typer.Option("--institution", help="只看这家机构")]
By = Annotated[str, typer.Option("--by", help="经办人，记入审计")]
Reason = Annotated[str, typer.Option("--reason", help="退回原因，机构用4103可见")]
Settlements = Annotated[list[str] | None, typer.Argument(metavar="SETL_ID", help="结算ID，可以多个")]
Settlement = Annotated[str, typer.Argument(metavar="SETL_ID", help="结算ID")]


@app.command("lists", help="列出一个月结算的清单及其状态与质控结果")
def lists(
    region: Region, month: Month, institution: Institution = "",
    state: Annotated[str, typer.Option("--state", help="、".join(STATE_TEXT))] = "", as_json: JsonFlag = False,
) -> None:
    """List the settlement lists of a month."""
    if state and state not in STATE_TEXT:
        stop(USAGE, kind="usage", message=f"没有状态 {state}；可用：{'、'.join(STATE_TEXT)}", as_json=as_json)
    day = _day(month, as_json=as_json)
    found = run_deed(lambda tx: survey_lists(
        tx, admdvs=region, month=day, fixmedins_code=institution or None, state=state or None), as_json=as_json)
    show({"ok": True, "lists": found}, as_json=as_json, render=lambda: _lists(found))


@app.command("follow", help="一份清单从上传到付费的每一步")
def follow(setl_id: Settlement, as_json: JsonFlag = False) -> None:
    """Show every step of a list."""
    steps = run_deed(lambda tx: follow_list(tx, setl_id), as_json=as_json)
    table = table_of("时间", "步骤", "状态", "版本", "经办", "说明")
    for s in steps:
        said = s.reason or "；".join(f.sentence for f in s.findings)
        table.add_row(*map(escape, (to_wire(s.at), s.verb, STATE_TEXT[s.state_to], str(s.version), s.actor, said)))
    show({"ok": True, "setl_id": setl_id, "steps": steps}, as_json=as_json, render=lambda: table)


@app.command("overdue", help="列出未上传或逾期上传清单的结算")
def overdue(region: Region, month: Month, institution: Institution = "", as_json: JsonFlag = False) -> None:
    """List the settlements whose list is missing or late."""
    day, today = _day(month, as_json=as_json), business_date(SystemClock().now())
    found = run_deed(lambda tx: report_overdue(
        tx, admdvs=region, month=day, fixmedins_code=institution or None, today=today), as_json=as_json)
    show({"ok": True, "overdue": found}, as_json=as_json, render=lambda: _overdue(found))


@app.command("accept", help="审核通过质控合格的清单：按结算ID，或一个月全部")
def accept(
    by: By, region: Region, setl_ids: Settlements = None, month: Month = "", institution: Institution = "",
    as_json: JsonFlag = False,
) -> None:
    """Accept lists that passed the check, by settlement or all of a month."""
    if bool(setl_ids) == bool(month):
        stop(USAGE, kind="usage", message="请给出结算ID，或用 --month 通过一个月全部合格的清单", as_json=as_json)
    day = _day(month, as_json=as_json) if month else None

    async def work(tx: Connection) -> list[Decided] | Refusal:
        chosen: Sequence[str] = setl_ids or ()
        if day is not None:
            chosen = await list_decidable(tx, admdvs=region, month=day, fixmedins_code=institution or None)
        return await _decide(tx, chosen, "accept", by=by, reason="", region=region)

    _show_decided(run_deed(work, as_json=as_json), as_json=as_json)


@app.command("return", help="退回清单，须写明原因")
def return_(setl_ids: Settlements, by: By, reason: Reason, region: Region, as_json: JsonFlag = False) -> None:
    """Return lists to the institution with a reason."""
    done = run_deed(lambda tx: _decide(tx, setl_ids or (), "return", by=by, reason=reason, region=region), as_json=as_json)
    _show_decided(done, as_json=as_json)


@app.command("documents", help="查看机构上传的记录（4201、4301至4701），证件号码和姓名已遮盖")
def documents(
    institution: Annotated[str, typer.Option("--institution", help="机构编号")],
    kind: Annotated[str, typer.Option("--kind", help="交易编号，如 4301")],
    key: Annotated[str, typer.Option("--key", help="记录编号")] = "",
    psn_no: Annotated[str, typer.Option("--psn-no", help="人员编号")] = "",
    visit: Annotated[str, typer.Option("--visit", help="就医流水号")] = "",
    versions: Annotated[bool, typer.Option("--versions", help="连同被替换的旧版")] = False, as_json: JsonFlag = False,
) -> None:
    """Show what an institution uploaded."""
    found = run_deed(lambda tx: show_documents(
        tx, fixmedins_code=institution, kind=kind.removesuffix("A"), doc_key=key or None, psn_no=psn_no or None,
        mdtrt_sn=visit or None, with_versions=versions), as_json=as_json)
    show({"ok": True, "documents": found}, as_json=as_json, render=lambda: _documents(found))


async def _decide(
    tx: Connection, setl_ids: Sequence[str], verb: Literal["accept", "return"], *, by: str, reason: str, region: str
) -> list[Decided] | Refusal:
    return await decide_lists(
        tx, setl_ids, Decision(verb, by, reason), admdvs=region, now=SystemClock().now(), ids=RandomIds())


def _show_decided(done: list[Decided], *, as_json: bool) -> None:
    show({"ok": True, "lists": done}, as_json=as_json,
         render=lambda: "\n".join(f"{d.setl_id} 清单{d.list_id}：{STATE_TEXT[d.state]}" for d in done) or "没有待审核的清单")


def _day(month: str, *, as_json: bool) -> date:
    if not is_month(month):
        stop(USAGE, kind="usage", message=f"{month} 不是年月，请用 yyyymm", as_json=as_json)
    return date(int(month[:4]), int(month[4:]), 1)


def _lists(found: list[SurveyedList]) -> RenderableType:
    if not found:
        return "没有清单"
    table = table_of("机构", "结算ID", "清单流水号", "结算日", "状态", "质控")
    for x in found:
        state = STATE_TEXT[x.state] + ("" if x.is_in_force else "（结算已撤销）")
        table.add_row(*map(escape, (x.fixmedins_code, x.setl_id, x.list_id, str(x.settled_on), state,
                                    "；".join(f.sentence for f in x.findings) or "无")))
    return Group(table, f"共 {len(found)} 份")


def _overdue(found: list[Overdue]) -> RenderableType:
    if not found:
        return "没有未上传或逾期的清单"
    table = table_of("机构", "结算ID", "结算日", "应于", "上传于", "逾期天数")
    for o in found:
        table.add_row(o.fixmedins_code, o.setl_id, str(o.settled_on), str(o.due_on), str(o.filed_on or "未上传"),
                      str(o.days_late))
    return Group(table, f"共 {len(found)} 笔")


def _documents(found: list[ShownDocument]) -> RenderableType:
    if not found:
        return "没有记录"
    table = table_of("编号", "版本", "有效", "人员编号", "就诊ID", "日期", "收到")
    for d in found:
        table.add_row(*map(escape, (d.key, str(d.version), "否" if not d.is_valid or d.replaced_at else "是", d.psn_no,
                                    d.mdtrt_id, str(d.told_on or ""), to_wire(d.received_at))))
    return Group(table, f"共 {len(found)} 份；内容请用 --json 查看")
