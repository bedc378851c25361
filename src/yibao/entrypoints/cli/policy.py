"""``yibao policy``: check the law's files, list what is in force, show one rule through time."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.output import REFUSED, JsonFlag, show, stop, table_of
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.policy.explain import WEAK_NOTE, is_weak
from yibao.policy.loading import BadPolicy, PolicyFault, load_policy
from yibao.policy.parameters import RegionPolicy, Row

app = typer.Typer(no_args_is_help=True, help="查看与检查待遇政策文件", rich_markup_mode=None)

Directory = Annotated[
    Path | None,
    typer.Option("--files", help="政策文件目录（每个统筹区一个子目录）；不填时用内置文件", exists=True, file_okay=False),
]
Region = Annotated[str, typer.Argument(metavar="REGION", help="统筹区代码，如 370300")]
Day = Annotated[str, typer.Option("--on", help="哪一天的规定，YYYY-MM-DD；不填为今天")]
Rule = Annotated[str, typer.Argument(metavar="RULE", help="规则编号，如 ZB-201")]


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


@app.command("check", help="编译全部政策文件，列出每一处错误")
def check(files: Directory = None, as_json: JsonFlag = False) -> None:
    """Compile all policy files; exit code 1 when one has a fault."""
    compiled: list[RegionPolicy] = []
    faults: dict[str, tuple[PolicyFault, ...]] = {}
    for admdvs, texts in read_policy_files(files).items():
        try:
            compiled.append(load_policy(texts))
        except BadPolicy as error:
            faults[admdvs] = error.faults
    regions = [{"admdvs": p.admdvs, "name": p.name, "version": p.version, "values": len(p.rows)} for p in compiled]
    ok = bool(compiled) and not faults
    show({"ok": ok, "regions": regions, "faults": faults}, as_json=as_json, render=lambda: _checked(regions, faults))
    raise typer.Exit(0 if ok else REFUSED)


@app.command("list", help="列出一个统筹区某日有效的全部参数")
def list_values(region: Region, on: Day = "", files: Directory = None, as_json: JsonFlag = False) -> None:
    """List every value in force on a day."""
    day = _day(on, as_json=as_json)
    rows = [_shown(row) for row in _policy(region, files, as_json=as_json).rows_on(day)]
    show({"admdvs": region, "on": day, "values": rows}, as_json=as_json, render=lambda: _table(rows))


@app.command("show", help="一条规则的全部版本及出处")
def show_rule(region: Region, rule: Rule, files: Directory = None, as_json: JsonFlag = False) -> None:
    """Show every dated value of one rule."""
    rows = [_shown(row) for row in _policy(region, files, as_json=as_json).rows if row.used.rule == rule]
    if not rows:
        stop(REFUSED, kind="refused", message=f"{region} 没有编号为 {rule} 的规则", as_json=as_json)
    show({"admdvs": region, "rule": rule, "values": rows}, as_json=as_json, render=lambda: _table(rows))


def _policy(region: str, files: Path | None, *, as_json: bool) -> RegionPolicy:
    texts = read_policy_files(files)
    if region not in texts:
        known = "、".join(texts) or "（无）"
        stop(REFUSED, kind="refused", message=f"没有统筹区 {region} 的政策文件；现有：{known}", as_json=as_json)
    try:
        return load_policy(texts[region])
    except BadPolicy as error:
        stop(REFUSED, kind="policy", message=str(error), as_json=as_json)


def _day(text: str, *, as_json: bool) -> date:
    if not text:
        return business_date(SystemClock().now())
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(2, kind="usage", message=f"--on {text}：应为 YYYY-MM-DD", as_json=as_json)


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


def _checked(regions: list[dict[str, Any]], faults: dict[str, tuple[PolicyFault, ...]]) -> RenderableType:
    lines = [f"[green]✓[/green] {r['admdvs']} {r['name']}：{r['values']} 个参数，版本 {r['version'][:12]}" for r in regions]
    for admdvs, found in faults.items():
        lines.append(f"[red]✗[/red] {admdvs}：{len(found)} 处错误")
        lines += [f"  {escape(fault.sentence())}" for fault in found]
    return "\n".join(lines) or "[red]✗[/red] 没有找到政策文件"
