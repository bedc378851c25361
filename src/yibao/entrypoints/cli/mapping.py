"""``yibao mapping``: what institutions proposed as the national code of their own items, and the agency's decision."""

from __future__ import annotations

from typing import Annotated, TypeVar

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.deeds import run_deed
from yibao.entrypoints.cli.output import USAGE, JsonFlag, show, stop, table_of
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.decide_mapping import Proposal, decide_mapping, list_proposals

app = typer.Typer(name="mapping", no_args_is_help=True, help="审核机构上传的目录对照")
T = TypeVar("T")

_STATES = {"proposed": "待审核", "approved": "已通过", "refused": "未通过", "superseded": "已被替代", "withdrawn": "已撤销"}
StateOption = Annotated[str, typer.Option("--state", help="proposed（待审核）、approved、refused、superseded、withdrawn")]
RegionOption = Annotated[str, typer.Option("--region", help="只列这个统筹区")]
InstitutionOption = Annotated[str, typer.Option("--institution", help="只列这家机构")]
MappingId = Annotated[str, typer.Argument(help="对照编号，见 yibao mapping list")]
By = Annotated[str, typer.Option("--by", help="审核人")]
Reason = Annotated[str, typer.Option("--reason", help="意见；不予通过时必填，机构用1317可见")]


@app.command("list", help="列出目录对照，缺省为待审核的")
def list_(
    state: StateOption = "proposed", region: RegionOption = "", institution: InstitutionOption = "",
    as_json: JsonFlag = False,
) -> None:
    """List uploaded mappings of a state, the longest waiting first."""
    if state not in _STATES:
        stop(USAGE, kind="usage", message=f"没有状态 {state}；可用：{'、'.join(_STATES)}", as_json=as_json)
    found = run_deed(lambda tx: list_proposals(tx, state=state, admdvs=region, fixmedins_code=institution), as_json=as_json)
    show({"ok": True, "mappings": found}, as_json=as_json, render=lambda: _sheet(found, state))


@app.command("approve", help="通过一条目录对照")
def approve(mapping_id: MappingId, by: By, reason: Reason = "", as_json: JsonFlag = False) -> None:
    """Approve a proposed mapping."""
    _decide(mapping_id, is_approved=True, by=by, reason=reason, as_json=as_json)


@app.command("reject", help="不予通过一条目录对照，须写明原因")
def reject(mapping_id: MappingId, by: By, reason: Reason = "", as_json: JsonFlag = False) -> None:
    """Refuse a proposed mapping."""
    _decide(mapping_id, is_approved=False, by=by, reason=reason, as_json=as_json)


def _decide(mapping_id: str, *, is_approved: bool, by: str, reason: str, as_json: bool) -> None:
    now, ids = SystemClock().now(), RandomIds()
    result = run_deed(
        lambda tx: decide_mapping(
            tx, mapping_id=mapping_id, is_approved=is_approved, by=by, reason=reason, now=now, ids=ids, channel="cli"
        ),
        as_json=as_json,
    )
    show(
        {"ok": True, "mapping": result}, as_json=as_json,
        render=lambda: f"{result.fixmedins_name} {escape(result.medins_list_codg)} → {result.med_list_codg}："
                       f"{_STATES[result.state]}",
    )


def _sheet(found: list[Proposal], state: str) -> RenderableType:
    if not found:
        return f"没有{_STATES[state]}的目录对照"
    table = table_of("编号", "机构", "院内编码", "院内名称", "国家编码", "国家名称", "期间", "疑点或意见")
    for p in found:
        table.add_row(*map(escape, (
            p.mapping_id, p.fixmedins_name, p.medins_list_codg, p.name, p.med_list_codg, p.official_name,
            f"{p.valid_from}至{p.valid_to}", p.decision or "；".join(p.doubts),
        )))
    return Group(table, f"共 {len(found)} 条")
