"""``yibao enrol``: what an agency does with employers, joiners and leavers, residents, retirements, deaths and persons."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress import Progress

from yibao.domains.enrolment.model import Employer
from yibao.domains.enrolment.queries import list_employers
from yibao.domains.people.model import DECISIONS, DOUBTS, Doubt
from yibao.domains.people.queries import list_doubts
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
from yibao.entrypoints.cli.policy_affected import shelf_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import load_settings
from yibao.infra.database import Connection, Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.enrolment import commands
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.change_employer import (
    cancel_employer,
    change_employer,
    merge_employers,
    split_employer,
)
from yibao.usecases.enrolment.change_person import change_person
from yibao.usecases.enrolment.count_years import count_years
from yibao.usecases.enrolment.enrol_flexible import enrol_flexible
from yibao.usecases.enrolment.enrol_newborn import enrol_newborn
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.import_members import Imported, import_members
from yibao.usecases.enrolment.leave_region import leave_region
from yibao.usecases.enrolment.member_sheet import COLUMNS, template
from yibao.usecases.enrolment.merge_persons import merge_persons
from yibao.usecases.enrolment.move_member import move_member
from yibao.usecases.enrolment.record_death import record_death
from yibao.usecases.enrolment.record_years import record_years
from yibao.usecases.enrolment.register_employer import register_employer
from yibao.usecases.enrolment.remove_member import remove_member
from yibao.usecases.enrolment.retire_member import retire_member
from yibao.usecases.enrolment.split_person import split_person
from yibao.usecases.enrolment.take_assisted_list import take_assisted_list
from yibao.usecases.people.settle_doubt import SettleDoubt, settle_doubt
from yibao.usecases.people.show_person import PersonShown, show_person

Deed = Callable[..., Awaitable[Any]]
VERBS: Mapping[str, tuple[str, type[msgspec.Struct], Deed]] = {
    "employer": ("单位参保登记", commands.RegisterEmployer, register_employer),
    "employer-change": ("单位信息变更", commands.ChangeEmployer, change_employer),
    "employer-merge": ("单位合并", commands.MergeEmployers, merge_employers),
    "employer-split": ("单位分立", commands.SplitEmployer, split_employer),
    "employer-cancel": ("单位注销", commands.CancelEmployer, cancel_employer),
    "join": ("单位增员", commands.AddMember, add_member),
    "leave": ("减员或停保", commands.RemoveMember, remove_member),
    "move": ("单位间转移", commands.MoveMember, move_member),
    "flexible": ("灵活就业人员参保", commands.EnrolFlexible, enrol_flexible),
    "resident": ("居民参保", commands.EnrolResident, enrol_resident),
    "newborn": ("新生儿参保", commands.EnrolNewborn, enrol_newborn),
    "retire": ("在职转退休", commands.RetireMember, retire_member),
    "years": ("认定缴费年限", commands.RecordYears, record_years),
    "death": ("死亡登记", commands.RecordDeath, record_death),
    "depart": ("离开本统筹区", commands.LeaveRegion, leave_region),
    "change": ("人员信息变更", commands.ChangePerson, change_person),
    "merge": ("人员编号合并", commands.MergePersons, merge_persons),
    "split": ("撤销人员编号合并", commands.SplitPerson, split_person),
    "assisted": ("救助对象名单", commands.TakeAssistedList, take_assisted_list),
}
app = typer.Typer(name="enrol", no_args_is_help=True, help="参保：单位、增减员、居民、退休、死亡、人员信息与合并")

By = Annotated[str, typer.Option("--by", help="经办人，记入审计")]
Region = Annotated[str, typer.Option("--region", help="统筹区")]


@app.command("verbs", help="列出可办业务和各自的项目（*为必填）")
def list_verbs(as_json: JsonFlag = False) -> None:
    """List what ``do`` can do, with the fields of each."""
    found = {
        verb: {"title": title, "fields": {f.name: f.required for f in msgspec.structs.fields(kind)}}
        for verb, (title, kind, _) in VERBS.items()
    }

    def render() -> RenderableType:
        table = table_of("业务", "名称", "项目")
        for verb, (title, kind, _) in VERBS.items():
            fields = (f.name + ("*" if f.required else "") for f in msgspec.structs.fields(kind))
            table.add_row(verb, title, escape(" ".join(fields)))
        return table

    show({"ok": True, "verbs": found}, as_json=as_json, render=render)


@app.command("do", help="办理一项业务：yibao enrol do join emp_no=… name=… certno=… insured_on=2025-03-01 --by 王登记")
def do(
    verb: Annotated[str, typer.Argument(metavar="VERB", help="业务，见 yibao enrol verbs")],
    by: By,
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="FIELD=VALUE", help="项目=内容；名单等写 JSON，@文件 读入文件")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Do one deed of enrolment, said field by field."""
    if verb not in VERBS:
        stop(USAGE, kind="usage", message=f"没有业务 {verb}；可用：{'、'.join(VERBS)}", as_json=as_json)
    title, kind, deed = VERBS[verb]
    command = _command(kind, fields or (), as_json=as_json)
    shelf, now, ids = shelf_of(read_policy_files(), as_json=as_json), SystemClock().now(), RandomIds()
    done = run_deed(lambda tx: deed(tx, command, actor=_actor(by), now=now, ids=ids, shelf=shelf), as_json=as_json)
    show({"ok": True, "done": done}, as_json=as_json, render=lambda: _said(title, done))


@app.command("import", help="导入增员表或减员表，结果写入另一个文件")
def import_file(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="XLSX文件")],
    employer: Annotated[str, typer.Option("--employer", help="单位编号")], by: By,
    out: Annotated[Path, typer.Option("--out", help="结果文件")],
    leavers: Annotated[bool, typer.Option("--leavers", help="减员表；不写为增员表")] = False,
    whole: Annotated[bool, typer.Option("--whole", help="有一行有错就整表不办")] = False, as_json: JsonFlag = False,
) -> None:
    """Apply a spreadsheet; broken off and run again it goes on where it stopped."""
    if not path.is_file():
        stop(USAGE, kind="usage", message=f"没有文件 {path}", as_json=as_json)
    command = commands.ImportMembers(
        emp_no=employer, content=path.read_bytes(), kind="leavers" if leavers else "joiners", file_name=path.name,
        only_valid=not whole,
    )
    shelf, now = shelf_of(read_policy_files(), as_json=as_json), SystemClock().now()

    async def act(url: str, tell: Callable[[int, int], None]) -> Imported | Refusal:
        database = await Database.open(url, role=None, size=1)
        try:
            return await import_members(database, command, actor=_actor(by), now=now, ids=RandomIds(), shelf=shelf,
                                        progress=tell)
        finally:
            await database.close()

    with known_failures(as_json=as_json), with_database(load_settings()) as settings, Progress(console=aside) as progress:
        assert settings.database_url is not None
        task = progress.add_task("导入")
        done = asyncio.run(act(settings.database_url, lambda n, of: progress.update(task, completed=n, total=of)))
    if isinstance(done, Refusal):
        stop_refused(done, as_json=as_json)
    out.write_bytes(done.content)
    said = {f: getattr(done, f) for f in ("import_id", "state", "rows", "applied", "refused", "held", "digest")}
    show({"ok": True, "imported": said, "out": str(out)}, as_json=as_json, render=lambda: (
        f"✓ {done.rows} 行：已办理 {done.applied}，未办理 {done.refused + done.held}；结果见 {out}"
    ))


@app.command("template", help="生成增员表或减员表的模板")
def write_template(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="写到这里")],
    leavers: Annotated[bool, typer.Option("--leavers", help="减员表")] = False, as_json: JsonFlag = False,
) -> None:
    """Write the empty spreadsheet."""
    kind = "leavers" if leavers else "joiners"
    path.write_bytes(template(kind))
    show({"ok": True, "out": str(path), "columns": [c.title for c in COLUMNS[kind]]}, as_json=as_json,
         render=lambda: f"✓ 模板已写到 {path}")


@app.command("person", help="查看人员：现在，或某日、某日所知")
def person(
    psn_no: Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")] = "",
    certno: Annotated[str, typer.Option("--certno", help="身份证号码")] = "",
    on: Annotated[str, typer.Option("--on", help="哪一天的情况，不写为今天")] = "",
    known: Annotated[str, typer.Option("--known", help="按这一时刻所知，ISO 时间")] = "", as_json: JsonFlag = False,
) -> None:
    """Show a person with history."""
    try:
        day = date.fromisoformat(on) if on else business_date(SystemClock().now())
        known_at = datetime.fromisoformat(known).astimezone() if known else None
    except ValueError:
        stop(USAGE, kind="usage", message="日期须如 2025-03-01，时间须如 2025-03-01T12:00:00+08:00", as_json=as_json)
    shown: PersonShown = run_deed(
        lambda tx: show_person(tx, actor=_actor(""), on=day, psn_no=psn_no, certno=certno, known_at=known_at), as_json=as_json
    )
    data = {**msgspec.structs.asdict(shown), "identities": [dict(i) for i in shown.identities]}
    show({"ok": True, "person": data}, as_json=as_json, render=lambda: _person(shown))


@app.command("count-years", help="计算缴费年限（月）")
def years_of(
    psn_no: Annotated[str, typer.Argument(metavar="PSN_NO", help="人员编号")], as_json: JsonFlag = False
) -> None:
    """Count the months that count towards retirement."""
    today = business_date(SystemClock().now())
    found = run_deed(lambda tx: count_years(tx, psn_no, "310", until=today), as_json=as_json)
    show({"ok": True, "years": found}, as_json=as_json, render=lambda: (
        f"累计 {found.total_months} 个月：实际 {found.actual_months}，视同 {found.deemed_months}，"
        f"转入 {found.transferred_months}，补足 {found.bought_months}"
    ))


@app.command("employers", help="列出参保单位")
def employers(
    region: Region, name: Annotated[str, typer.Option("--name", help="名称包含")] = "", as_json: JsonFlag = False
) -> None:
    """List employers."""
    found: list[Employer] = run_deed(lambda tx: list_employers(tx, regions=[region], name=name, limit=1000), as_json=as_json)

    def render() -> RenderableType:
        table = table_of("单位编号", "名称", "统一社会信用代码", "类型", "状态")
        for e in found:
            table.add_row(e.emp_no, escape(e.name), e.uscc, e.kind, e.state)
        return table

    show({"ok": True, "employers": found}, as_json=as_json, render=render)


@app.command("doubts", help="列出待核实的人员身份疑问")
def doubts(
    region: Region, everything: Annotated[bool, typer.Option("--all", help="包括已核实的")] = False, as_json: JsonFlag = False
) -> None:
    """List cases in which it is in doubt who somebody is."""
    found: list[Doubt] = run_deed(
        lambda tx: list_doubts(tx, regions=[region], state="" if everything else "open"), as_json=as_json
    )

    def line(d: Doubt) -> str:
        people = "、".join(number for number in (d.psn_no, d.other_no) if number)
        end = DECISIONS.get(d.decision, "待核实")
        return f"{d.doubt_id}  {to_wire(d.opened_at)}  {end}\n  {DOUBTS[d.kind]}：申报姓名 {d.name}，人员 {people}"

    show({"ok": True, "doubts": found}, as_json=as_json,
         render=lambda: escape("\n".join(map(line, found)) or "没有待核实的事项"))


@app.command("settle", help="核实一条人员身份疑问")
def settle(
    doubt_id: Annotated[str, typer.Argument(metavar="DOUBT_ID", help="编号")],
    decision: Annotated[str, typer.Option("--decision", help="、".join(f"{k} {v}" for k, v in DECISIONS.items()))], by: By,
    as_json: JsonFlag = False,
) -> None:
    """Close a case."""
    now, ids = SystemClock().now(), RandomIds()
    command = SettleDoubt(doubt_id=doubt_id, decision=decision)

    async def act(tx: Connection) -> Doubt | Refusal:
        return await settle_doubt(tx, command, actor=_actor(by), now=now, ids=ids)

    done: Doubt = run_deed(act, as_json=as_json)
    show({"ok": True, "doubt": done}, as_json=as_json, render=lambda: f"✓ {DECISIONS[done.decision]}")


def _actor(login: str) -> Actor:
    return Actor(login=login, channel="cli")


def _command(kind: type[msgspec.Struct], fields: Sequence[str], *, as_json: bool) -> Any:
    said: dict[str, Any] = {}
    known = {f.name for f in msgspec.structs.fields(kind)}
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals or name not in known:
            stop(USAGE, kind="usage", message=f"{field}：须为 项目=内容，项目有 {'、'.join(sorted(known))}", as_json=as_json)
        try:
            text = Path(value[1:]).read_text("utf-8") if value.startswith("@") else value
            said[name] = msgspec.json.decode(text) if text.lstrip()[:1] in ("[", "{") else text
        except (OSError, ValueError) as error:
            stop(USAGE, kind="usage", message=f"{name}：{error}", as_json=as_json)
    try:
        return msgspec.convert(said, kind, strict=False)
    except msgspec.ValidationError as error:
        stop(USAGE, kind="usage", message=str(error), as_json=as_json)


def _said(title: str, done: Any) -> RenderableType:
    table = table_of("项目", "内容")
    for name, value in msgspec.to_builtins(done).items():
        text = "、".join(map(str, value)) if isinstance(value, list) else str(value)
        table.add_row(name, escape(text))
    return Group(f"{title}：", table)


def _person(shown: PersonShown) -> RenderableType:
    fields = table_of("项目", "内容")
    fields.add_row("人员编号", shown.psn_no)
    for name, value in shown.fields.items():
        fields.add_row(name, escape(value or ""))
    relations = table_of("险种", "人员类别", "参保方式", "状态", "自", "止（不含）", "单位", "说明")
    for r in shown.relations:
        relations.add_row(r.insutype, r.psn_type, r.enrolment_kind, r.status, r.insured_on.isoformat(),
                          r.paused_on.isoformat() if r.paused_on else "", r.emp_no or "", escape(r.status_reason))
    changes = table_of("记录时间", "项目", "原内容", "新内容", "生效日", "依据", "经办")
    for c in shown.changes:
        changes.add_row(to_wire(c.recorded_at), c.field, escape(c.old_value or ""), escape(c.new_value or ""),
                        c.effective_on.isoformat(), escape(c.evidence), c.actor)
    return Group(fields, relations, changes)
