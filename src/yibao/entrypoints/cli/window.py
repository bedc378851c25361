"""``yibao window``: what a plan of a cut-over window says, whether it is sound, and what it does to sample cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.windows.checking import FAULT, Finding
from yibao.domains.windows.comparing import Change
from yibao.domains.windows.model import DISPOSITIONS, Plan, Rule
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.shipped import plan_names, plan_text
from yibao.domains.windows.tables import businesses
from yibao.domains.windows.words import restart_says, stop_says
from yibao.entrypoints.cli.output import REFUSED, USAGE, JsonFlag, show, stop, stop_refused, table_of
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.check_plan import check_plan, where
from yibao.usecases.windows.compare_plans import compare_plans
from yibao.usecases.windows.dry_run import Effect, dry_run, read_samples

app = typer.Typer(no_args_is_help=True, help="停机窗口：方案的检查、比较、试演、发布与分批恢复")

Source = Annotated[str, typer.Argument(metavar="FILE|NAME", help="方案文件，或自带方案的名称（见 list）")]
_NAMED = 4
"""So many businesses of a rule are named, of more their number is told."""
_ANSWERS = {"open": "照常", "advised": "提示", "registered": "收件", "refused": "暂停"}


@app.command("list", help="列出自带的方案")
def show_list(as_json: JsonFlag = False) -> None:
    """List the plans that come with the program."""
    plans = [plan for name in plan_names() if isinstance(plan := read_plan(plan_text(name) or ""), Plan)]
    rows = [
        {"name": p.name, "admdvs": p.admdvs, "title": p.title, "stop": min(t.stop for t in p.tracks),
         "rules": len(p.rules), "source": p.source}
        for p in plans
    ]

    def render() -> RenderableType:
        table = table_of("名称", "统筹区", "停止", "规则", "来源")
        for p in plans:
            first = min(p.tracks, key=lambda t: t.stop)
            table.add_row(p.name, p.admdvs, stop_says(first), str(len(p.rules)), p.source)
        return table

    show({"ok": True, "plans": rows}, as_json=as_json, render=render)


@app.command("show", help="查看方案：轨道、规则、台账、电话")
def show_plan(source: Source, as_json: JsonFlag = False) -> None:
    """Show a plan as it is understood."""
    plan = read_plan(_text(source, as_json=as_json))
    if isinstance(plan, Refusal):
        stop_refused(plan, as_json=as_json)
    show({"ok": True, "plan": plan}, as_json=as_json, render=lambda: _plan(plan))


@app.command("check", help="检查方案：无法读懂、空缺、冲突、星期不对、办不到的规则")
def show_check(source: Source, as_json: JsonFlag = False) -> None:
    """Check a plan; exit code 1 if it has a fault."""
    checked = check_plan(_text(source, as_json=as_json))
    if isinstance(checked, Refusal):
        stop_refused(checked, as_json=as_json)
    plan, findings = checked
    is_sound = all(f.level != FAULT for f in findings)
    show(
        {"ok": is_sound, "plan": plan.name, "version": plan.version, "rules": len(plan.rules), "findings": findings},
        as_json=as_json, render=lambda: _findings(plan, findings, source),
    )
    if not is_sound:
        raise typer.Exit(REFUSED)


@app.command("diff", help="比较方案的两个版本")
def show_diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="旧版本：文件或名称")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="新版本：文件或名称")], as_json: JsonFlag = False,
) -> None:
    """Say in words what changed between two versions."""
    changes = compare_plans(_text(old, as_json=as_json), _text(new, as_json=as_json))
    if isinstance(changes, Refusal):
        stop_refused(changes, as_json=as_json)
    show({"ok": True, "changes": changes}, as_json=as_json, render=lambda: _changes(changes))


@app.command("dry-run", help="试演：逐日显示方案对个案的影响")
def show_dry_run(
    source: Source,
    samples: Annotated[Path | None, typer.Option("--samples", help="个案表（CSV）；不给则用方案里的 [[sample]]")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the effect of a plan on sample cases day by day."""
    plan = read_plan(_text(source, as_json=as_json))
    if isinstance(plan, Refusal):
        stop_refused(plan, as_json=as_json)
    cases = plan.samples
    if samples is not None:
        if not samples.is_file():
            stop(USAGE, kind="usage", message=f"没有文件 {samples}", as_json=as_json)
        read = read_samples(samples.read_text("utf-8-sig"), plan.admdvs)
        if isinstance(read, Refusal):
            stop_refused(read, as_json=as_json)
        cases = read
    effects = dry_run(plan, cases)
    show({"ok": True, "effects": effects}, as_json=as_json, render=lambda: Group(*map(_effect, effects)))


def _text(source: str, *, as_json: bool) -> str:
    """Return the text of a plan by its file or its name; neither ends the command."""
    text = plan_text(source)
    if text is not None:
        return text
    path = Path(source)
    if not path.is_file():
        stop(USAGE, kind="usage", message=f"没有方案 {source}；自带的方案：{'、'.join(plan_names())}", as_json=as_json)
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        stop(USAGE, kind="usage", message=f"{source} 不是 UTF-8 文本", as_json=as_json)


def _plan(plan: Plan) -> RenderableType:
    head = f"[bold]{escape(plan.title)}[/bold]（{plan.name} 第 {plan.version} 版，{plan.admdvs}）\n来源：{escape(plan.source)}"
    tracks = table_of("轨道", "停止", "恢复", "业务")
    for track in plan.tracks:
        names = "、".join(businesses()[b].title for b in track.business)
        tracks.add_row(escape(track.title), escape(stop_says(track)), escape(restart_says(track)), escape(names))
    rules = table_of("规则", "处置", "适用", "阶段", "说明", "依据")
    for rule in plan.rules:
        mark = "、".join(rule.sentence) + ("（推定）" if rule.mark == "assumed" else "")
        rules.add_row(rule.id, DISPOSITIONS[rule.disposition], escape(_when(rule)), " ".join(rule.phase), escape(rule.says), mark)
    phones = "；".join(f"{h.title} {h.phone}" for h in plan.hotlines)
    return Group(head, tracks, rules, f"咨询：{escape(phones)}")


def _when(rule: Rule) -> str:
    said = {f: v for f in rule.when.__struct_fields__ if f != "business" and (v := getattr(rule.when, f)) not in ((), None)}
    names = [businesses()[b].title for b in rule.when.business]
    first = "、".join(names[:_NAMED]) + (f"等 {len(names)} 项" if len(names) > _NAMED else "")
    rest = [f"{f} {' '.join(map(str, v)) if isinstance(v, tuple) else v}" for f, v in said.items()]
    return "；".join([*([first] if first else []), *rest])


def _findings(plan: Plan, findings: Sequence[Finding], source: str) -> RenderableType:
    faults = sum(f.level == FAULT for f in findings)
    if not findings:
        return f"[green]✓[/green] {plan.name} 第 {plan.version} 版：{len(plan.tracks)} 条轨道、{len(plan.rules)} 条规则，没有问题"
    table = table_of("", "位置", "问题", "建议")
    for f in findings:
        mark = "[red]✗[/red]" if f.level == FAULT else "·"
        table.add_row(mark, escape(where(f)), escape(f"{f.says}（{f.code}）"), escape(f.proposal))
    return Group(table, f"{escape(source)}：{faults} 处错误，{len(findings) - faults} 处提示")


def _changes(changes: Sequence[Change]) -> RenderableType:
    return Group(*(f"· {escape(c.says)}" for c in changes)) if changes else "两个版本相同"


def _effect(effect: Effect) -> RenderableType:
    table = table_of("日期", "阶段", "", "对办理人说", "规则")
    for day in effect.days:
        table.add_row(day.day, day.stage, _ANSWERS[day.answer], escape(day.says), " ".join(day.rules))
    about = f"{effect.psn}；{effect.business}" + (f"；{effect.position}" if effect.position else "")
    bill = f"费用：{effect.disposition_says}" + (f"（{effect.rule}）：{effect.says}" if effect.rule else "")
    return Group(f"[bold]{escape(effect.name)}[/bold]（{escape(about)}）", escape(bill), table, "")
