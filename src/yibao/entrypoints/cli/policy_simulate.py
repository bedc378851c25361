"""``yibao policy simulate``: try a change of law on a year of invented people, and say who pays what before and after."""

from __future__ import annotations

import importlib.util
import resource
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from yibao.demo.people import population
from yibao.entrypoints.cli.output import REFUSED, USAGE, JsonFlag, aside, show, stop, table_of, to_json
from yibao.infra.policy_files import read_one_region, read_policy_files, read_policy_files_elsewhere
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.money import yuan_text
from yibao.policy.law.loading import BadPolicy
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.policies.compare_policies import Change, compare_files
from yibao.usecases.policies.lawbook import Lawbook, read_lawbook

if TYPE_CHECKING:
    from yibao.usecases.policies.reform_groups import GroupSum
    from yibao.usecases.policies.reform_population import MakeUp
    from yibao.usecases.policies.simulate_reform import Largest, Reform

NEEDED = ("numpy", "polars")
INSTALL = "试算改革需要 NumPy 和 Polars，尚未安装；请执行：pip install 'yibao[batch]'"
PERSONS = 20_000
SEED = 370_441

Region = Annotated[str, typer.Option("--region", help="统筹区代码，如 370300")]
Persons = Annotated[int, typer.Option("--persons", help="模拟多少参保人", min=1, max=100_000_000)]
ChangeFile = Annotated[
    Path,
    typer.Option("--change", help="改后的政策文件：同名的替换，不同名的增加；或目录（有整个统筹区则整体替换）", exists=True),
]
Year = Annotated[
    int | None, typer.Option("--on", help="哪一年；不填为改动生效的那一年，不早于今年", min=2000, max=2999)
]
Out = Annotated[Path | None, typer.Option("--out", help="把汇总、逐人结果（CSV、Parquet）和图写到这个目录", file_okay=False)]
Seed = Annotated[int, typer.Option("--seed", help="随机种子；相同的种子得到相同的人和就诊", min=0)]
Directory = Annotated[
    Path | None,
    typer.Option("--files", help="改前的政策文件目录（每个统筹区一个子目录）；不填时用内置文件", exists=True, file_okay=False),
]


def simulate(
    region: Region, change: ChangeFile, persons: Persons = PERSONS, on: Year = None, out: Out = None,
    seed: Seed = SEED, files: Directory = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Decide a population's year under two laws and show the difference; refuses a change that does not load."""
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        stop(USAGE, kind="missing", message=INSTALL, as_json=as_json)
    texts = read_policy_files(files) if files else {**read_policy_files_elsewhere(), **read_policy_files()}
    if region not in texts:
        known = "、".join(sorted(texts)) or "（无）"
        stop(REFUSED, kind="refused", message=f"没有统筹区 {region} 的政策文件；现有：{known}", as_json=as_json)
    before = _book(texts[region], as_json=as_json)
    try:
        changed = changed_files(texts[region], change, region)
    except (OSError, UnicodeDecodeError,):
        stop(USAGE, kind="usage", message=f"{change}：读不到 UTF-8 文本的政策文件（.toml）", as_json=as_json)
    after = _book(changed, as_json=as_json)
    if after.policy.admdvs != region:
        stop(REFUSED, kind="refused", message=f"{change} 是统筹区 {after.policy.admdvs} 的政策文件", as_json=as_json)
    changes = compare_files(before, after)
    year = on or _year(changes)
    reform = _run(before.policy, after.policy, persons=persons, year=year, seed=seed, out=out, as_json=as_json)
    data = _data(reform, changes, (before, after))
    if out is not None:
        _write(reform, data, out)
    show(data, as_json=as_json, render=lambda: _report(reform, changes, out))


def changed_files(files: Mapping[str, str], change: Path, region: str) -> dict[str, str]:
    """Return a region's files as a change leaves them.

    Args:
        change: a file, or a folder of files or of regions. A folder that holds a whole region (some file gives its
            name) takes the place of all files, so that a removed file is gone; else files of the same name are
            replaced, others added.

    Raises:
        OSError: there is no policy file, or it cannot be read.
        UnicodeDecodeError: it is no text.
    """
    if change.is_file():
        return {**files, change.name: change.read_text(encoding="utf-8")}
    inner = change / region
    changed = read_one_region(inner if inner.is_dir() else change)
    if not changed:
        raise FileNotFoundError(change)
    return changed if any(_names_region(text) for text in changed.values()) else {**files, **changed}


def _names_region(text: str) -> bool:
    try:
        return "region" in tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False


def _book(texts: Mapping[str, str], *, as_json: bool) -> Lawbook:
    try:
        return read_lawbook(texts)
    except BadPolicy as error:
        stop(REFUSED, kind="policy", message=str(error), as_json=as_json)


def _year(changes: tuple[Change, ...]) -> int:
    """Return the year in which the first change begins to work, not before this one."""
    today = business_date(SystemClock().now())
    since = [c.since for c in changes if isinstance(c.since, date)]
    return max(today.year, min((day.year for day in since), default=today.year))


def _makeup(region: str) -> MakeUp:
    """Return the demo population of a region: those who are entitled all year."""
    from yibao.usecases.policies.reform_population import Disease, Kind, MakeUp

    of = population()
    return MakeUp(
        tuple(
            Kind(k.weight, k.insutype, k.psn_type, k.ages, k.account_kind, k.balance_to, k.civil_servant, k.identity,
                 k.chronic)
            for k in of.kind
            if not (k.paused or k.waiting or k.dead) and (not k.regions or region in k.regions)
        ),
        tuple(Disease(c.code, c.weight) for c in of.chronic),
    )  # fmt: skip


def _run(
    before: RegionPolicy, after: RegionPolicy, *, persons: int, year: int, seed: int, out: Path | None, as_json: bool
) -> Reform:
    from yibao.usecases.policies.reform_files import PersonFiles
    from yibao.usecases.policies.simulate_reform import UnclearWindow, simulate_reform

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    kept = PersonFiles(out) if out is not None else None
    try:
        with _bar() as bar:
            task = bar.add_task(f"{before.name} {year} 年", total=persons)
            reform = simulate_reform(
                before, after, _makeup(before.admdvs), persons=persons, year=year, seed=seed,
                keep=kept.add if kept else lambda _: None,
                progress=lambda done, _: bar.update(task, completed=done),
            )  # fmt: skip
        if kept:
            kept.close()
        return reform
    except UnclearWindow as error:
        stop(REFUSED, kind="policy", message=str(error), as_json=as_json)
    finally:
        if kept:
            kept.discard()


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=aside, transient=True) as progress:
        yield progress


def _data(reform: Reform, changes: tuple[Change, ...], books: tuple[Lawbook, Lawbook]) -> dict[str, Any]:
    from yibao.usecases.policies.reform_report import summary
    from yibao.usecases.policies.simulate_reform import MEMORY_BOUND

    return {
        **summary(reform), "versions": {"before": books[0].policy.version, "after": books[1].policy.version},
        "changes": [change.sentence() for change in changes],
        "memory": {"peak_bytes": _peak(), "bound_bytes": MEMORY_BOUND},
    }  # fmt: skip


def _peak() -> int:
    """Return the most memory this process has held, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _write(reform: Reform, data: Mapping[str, Any], out: Path) -> None:
    from yibao.usecases.policies.reform_report import GROUPS_CSV, charts, groups_csv

    (out / "summary.json").write_text(to_json(data) + "\n", encoding="utf-8")
    (out / GROUPS_CSV).write_text("\ufeff" + groups_csv(reform), encoding="utf-8")
    for name, text in charts(reform).items():
        (out / name).write_text(text, encoding="utf-8")


def _report(reform: Reform, changes: tuple[Change, ...], out: Path | None) -> RenderableType:
    every = reform.everybody
    said = [f"  {escape(change.sentence())}" for change in changes] or ["  两份政策没有不同"]
    return Group(
        f"[bold]{reform.name} {reform.year} 年，{reform.persons} 个模拟参保人，{reform.visits} 次就诊，"
        f"总费用 {yuan_text(reform.amount)} 元（种子 {reform.seed}）[/bold]",
        "人和费用都是虚构的，只能看改动的方向和影响到谁，不能当作基金测算。", "", "改了什么：", *said, "", _funds(reform), "",
        f"少付 {every.winners} 人，共 {yuan_text(every.won)} 元；多付 {every.losers} 人，共 {yuan_text(every.lost)} 元；"
        f"不变 {every.persons - every.winners - every.losers} 人", "",
        *_groups(reform), *_largest("少付最多", reform.winners), *_largest("多付最多", reform.losers),
        *_refused(reform), *([f"结果在 {out}：汇总、逐人结果（CSV、Parquet）、三张图"] if out else []),
        f"内存最多用了 {_peak() // 1_000_000} MB",
    )  # fmt: skip


def _funds(reform: Reform) -> RenderableType:
    from yibao.usecases.policies.reform_report import payer_name, paying, shares_of

    table = table_of("谁付（元）", "改前", "改后", "变化", "占总费用 %")
    shares = shares_of(reform)
    for field, (before, after) in paying(reform).items():
        old, new = shares[field]
        table.add_row(payer_name(field), yuan_text(before), yuan_text(after), _signed(after - before),
                      f"{old} → {new}" if old != new else f"{new}")  # fmt: skip
    return table


def _groups(reform: Reform) -> Iterator[RenderableType]:
    from yibao.usecases.policies.reform_groups import GROUPINGS

    for grouping, found in reform.groups.items():
        table = table_of(GROUPINGS[grouping], "人数", "个人负担改前", "改后", "少付人数", "少付", "多付人数", "多付")
        for name, group in found.items():
            table.add_row(name, *_cells(group))
        yield table
        yield ""


def _cells(g: GroupSum) -> tuple[str, ...]:
    amounts = (yuan_text(g.before), yuan_text(g.after))
    return (str(g.persons), *amounts, str(g.winners), yuan_text(g.won), str(g.losers), yuan_text(g.lost))


def _largest(title: str, entries: tuple[Largest, ...]) -> Iterator[RenderableType]:
    if not entries:
        return
    table = table_of(f"{title}（元）", "谁", "原因")
    for e in entries:
        table.add_row(_signed(e.after - e.before), escape(f"{e.person} 号，{e.described}"),
                      escape(f"{e.cause.visit}：{e.cause.sentence}"))  # fmt: skip
    yield table
    yield ""


def _refused(reform: Reform) -> Iterator[str]:
    if any(reform.refused):
        yield f"不予支付的就诊：改前 {reform.refused[0]} 次，改后 {reform.refused[1]} 次，费用由个人负担"


def _signed(fen: int) -> str:
    return f"+{yuan_text(fen)}" if fen > 0 else yuan_text(fen)
