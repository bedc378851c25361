"""``yibao policy``: check the law's files, show what is in force, compare two laws, write the pages."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.output import REFUSED, USAGE, JsonFlag, show, stop, table_of
from yibao.entrypoints.cli.policy_affected import affected
from yibao.entrypoints.cli.policy_cases import work_cases
from yibao.entrypoints.cli.policy_pages import write_pages
from yibao.entrypoints.cli.policy_simulate import simulate
from yibao.infra.policy_files import read_one_region, read_policy_files, read_policy_files_elsewhere
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.policy.explain import WEAK_NOTE, is_weak
from yibao.policy.law.loading import BadPolicy
from yibao.policy.law.parameters import Row
from yibao.usecases.policies.check_policies import RegionCheck, check_policies
from yibao.usecases.policies.compare_policies import Change, compare_days, compare_files
from yibao.usecases.policies.lawbook import Lawbook, read_lawbook
from yibao.usecases.policies.remarks import FAULT, HINT, WARNING, WEIGHTS

app = typer.Typer(no_args_is_help=True, help="查看与检查待遇政策文件", rich_markup_mode=None)
app.command("pages", help="由政策文件生成各统筹区的说明页（表格与图）")(write_pages)
app.command("cases", help="逐行演算公布的算例（CSV），列出应得、算得与差额")(work_cases)
app.command("affected", help="列出按现行政策文件会结出不同金额的已有结算（只读）")(affected)
app.command("simulate", help="在模拟人群的一年里试算一项改动：各方支付、谁少付谁多付、变化最大的人和原因")(simulate)

Directory = Annotated[
    Path | None,
    typer.Option("--files", help="政策文件目录（每个统筹区一个子目录）；不填时用内置文件", exists=True, file_okay=False),
]
Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区代码，如 370300")]
Day = Annotated[str, typer.Option("--on", help="哪一天的规定，YYYY-MM-DD；不填为今天")]
Rule = Annotated[str, typer.Argument(metavar="[RULE]", help="规则编号，如 ZB-201；不填为全部")]
Strict = Annotated[bool, typer.Option("--strict", help="有警告也算未通过")]
Law = Annotated[str, typer.Argument(help="目录、统筹区代码，或加上日期：370300@2024-12-31、目录@2025-01-01")]

_SIGNS = {FAULT: "[red]✗[/red]", WARNING: "[yellow]![/yellow]", HINT: "[dim]·[/dim]"}


class Shown(msgspec.Struct, frozen=True):
    """A dated value as it is shown."""

    rule: str
    name: str
    key: str
    value: str
    condition: str
    valid_from: date
    valid_to: date | None
    clause: str
    source: str
    mark: str
    place: str
    weak: bool


@app.command("check", help="编译全部政策文件，按文件和行号列出每一处错误、警告和提示")
def check(files: Directory = None, strict: Strict = False, as_json: JsonFlag = False) -> None:
    """Check all policy files; exit code 1 when one is refused, with ``--strict`` also when one has a warning."""
    served = check_policies(read_policy_files(files), today=_today())
    elsewhere = () if files else check_policies(read_policy_files_elsewhere(), today=_today())
    every = (*served, *elsewhere)
    ok = bool(served) and all(region.loads and not (strict and region.of(WARNING)) for region in every)
    found = {
        name: {region.admdvs: region.of(weight) for region in every if region.of(weight)}
        for name, weight in (("faults", FAULT), ("warnings", WARNING), ("hints", HINT))
    }
    data = {"ok": ok, "regions": _loaded(served), "elsewhere": _loaded(elsewhere), **found}
    show(data, as_json=as_json, render=lambda: _checked(every))
    raise typer.Exit(0 if ok else REFUSED)


@app.command("list", help="列出一个统筹区某日有效的全部参数")
def list_values(region: Region, on: Day = "", files: Directory = None, as_json: JsonFlag = False) -> None:
    """List every value in force on a day."""
    _show_day(region, _day(on, as_json=as_json), files, as_json=as_json)


@app.command("show", help="一个统筹区某日有效的全部参数，或一条规则的全部版本及出处")
def show_rule(
    region: Region, rule: Rule = "", on: Day = "", files: Directory = None, as_json: JsonFlag = False
) -> None:
    """Show every value in force on a day; of one rule every dated value, or the one of the day."""
    if not rule:
        _show_day(region, _day(on, as_json=as_json), files, as_json=as_json)
        return
    policy = _book(region, files, as_json=as_json).policy
    held = policy.rows_on(_day(on, as_json=as_json)) if on else policy.rows
    rows = [_shown(row) for row in held if row.used.rule == rule]
    if not rows:
        day = f"{on} " if on else ""
        stop(REFUSED, kind="refused", message=f"{region} {day}没有编号为 {rule} 的规则", as_json=as_json)
    show({"admdvs": region, "rule": rule, "values": rows}, as_json=as_json, render=lambda: _table(rows))


@app.command("diff", help="两份政策或两个日期之间改了什么：由多少改为多少、自何时、影响谁")
def diff(before: Law, after: Law, files: Directory = None, as_json: JsonFlag = False) -> None:
    """Say in words what differs between two laws: two directories, or one region on two days."""
    changes: dict[str, tuple[Change, ...]] = {}
    old, since = _laws(before, files, as_json=as_json)
    new, until = _laws(after, files, as_json=as_json)
    if (since is None) != (until is None):
        stop(USAGE, kind="usage", message="两边都写日期，或都不写", as_json=as_json)
    for admdvs in sorted(old.keys() & new.keys()):
        if since is None or until is None:
            changes[admdvs] = compare_files(old[admdvs], new[admdvs])
        else:
            changes[admdvs] = compare_days(old[admdvs], since, new[admdvs], until)
    alone = sorted(old.keys() ^ new.keys())
    if not changes:
        stop(REFUSED, kind="refused", message=f"两边没有相同的统筹区：{'、'.join(alone)}", as_json=as_json)
    names = {admdvs: book.policy.name for admdvs, book in new.items()}
    data = {
        "changes": {admdvs: [_said(change) for change in found] for admdvs, found in changes.items()},
        "only_on_one_side": alone,
    }
    show(data, as_json=as_json, render=lambda: _compared(changes, names, alone))


def _loaded(regions: tuple[RegionCheck, ...]) -> list[dict[str, object]]:
    return [
        {"admdvs": r.admdvs, "name": r.name, "version": r.version, "values": r.values} for r in regions if r.loads
    ]


def _show_day(region: str, day: date, files: Path | None, *, as_json: bool) -> None:
    rows = [_shown(row) for row in _book(region, files, as_json=as_json).policy.rows_on(day)]
    show({"admdvs": region, "on": day, "values": rows}, as_json=as_json, render=lambda: _table(rows))


def _book(region: str, files: Path | None, *, as_json: bool) -> Lawbook:
    texts = read_policy_files(files) if files else {**read_policy_files_elsewhere(), **read_policy_files()}
    if region not in texts:
        known = "、".join(sorted(texts)) or "（无）"
        stop(REFUSED, kind="refused", message=f"没有统筹区 {region} 的政策文件；现有：{known}", as_json=as_json)
    return _read(texts[region], as_json=as_json)


def _read(texts: dict[str, str], *, as_json: bool) -> Lawbook:
    try:
        return read_lawbook(texts)
    except BadPolicy as error:
        stop(REFUSED, kind="policy", message=str(error), as_json=as_json)


def _laws(wanted: str, files: Path | None, *, as_json: bool) -> tuple[dict[str, Lawbook], date | None]:
    """Return the law books an argument of ``diff`` speaks of, by region, and its day."""
    place, _, on = wanted.rpartition("@") if "@" in wanted else (wanted, "", "")
    day = _day(on, as_json=as_json) if on else None
    folder = Path(place)
    if not folder.is_dir():
        return {place: _book(place, files, as_json=as_json)}, day
    regions = read_policy_files(folder)
    if regions:
        return {admdvs: _read(texts, as_json=as_json) for admdvs, texts in regions.items()}, day
    book = _read(read_one_region(folder), as_json=as_json)
    return {book.policy.admdvs: book}, day


def _today() -> date:
    return business_date(SystemClock().now())


def _day(text: str, *, as_json: bool) -> date:
    if not text:
        return _today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(USAGE, kind="usage", message=f"日期 {text}：应为 YYYY-MM-DD", as_json=as_json)


def _shown(row: Row) -> Shown:
    used = row.used
    return Shown(used.rule, used.name, row.key, used.value, used.condition, row.valid_from, row.valid_to,
                 used.clause, used.source, used.mark, row.place, is_weak(used))


def _table(rows: list[Shown]) -> RenderableType:
    table = table_of("规则", "名称", "条件", "值", "起", "止", "出处")
    for r in rows:
        mark = " [yellow]†[/yellow]" if r.weak else ""
        source = f"{r.clause}（{r.source}）" if r.source else r.clause
        table.add_row(r.rule, escape(r.name), escape(r.condition), escape(r.value) + mark, str(r.valid_from),
                      str(r.valid_to or ""), escape(source))
    if any(r.weak for r in rows):
        return Group(table, f"[yellow]† {WEAK_NOTE}[/yellow]")
    return table


def _checked(regions: tuple[RegionCheck, ...]) -> RenderableType:
    lines = []
    for region in regions:
        told = "，".join(f"{len(region.of(w))} 处{name}" for w, name in WEIGHTS.items() if region.of(w))
        if region.loads:
            head = f"{region.name}：{region.values} 个参数，版本 {region.version[:12]}"
            lines.append(f"[green]✓[/green] {region.admdvs} {head}" + (f"；{told}" if told else ""))
        else:
            lines.append(f"[red]✗[/red] {region.admdvs}：{told}，不能载入，正在使用的政策不变")
        lines += [f"  {_SIGNS[remark.weight]} {escape(remark.sentence())}" for remark in region.remarks]
    return "\n".join(lines) or "[red]✗[/red] 没有找到政策文件"


def _said(change: Change) -> dict[str, object]:
    return {**msgspec.structs.asdict(change), "sentence": change.sentence()}


def _compared(
    changes: dict[str, tuple[Change, ...]], names: dict[str, str], alone: list[str]
) -> RenderableType:
    lines = []
    for admdvs, found in changes.items():
        lines.append(f"[bold]{admdvs} {names[admdvs]}[/bold]：{f'{len(found)} 处不同' if found else '没有不同'}")
        lines += [f"  {number}. {escape(change.sentence())}" for number, change in enumerate(found, 1)]
    if alone:
        lines.append(f"只在一边有的统筹区：{'、'.join(alone)}")
    return "\n".join(lines)
