"""``yibao policy cases``: work a file of published examples through the law, and say where the result differs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.entrypoints.cli.output import OK, REFUSED, USAGE, JsonFlag, show, stop, table_of
from yibao.infra.policy_files import read_policy_files
from yibao.usecases.policies.example_rows import FileFault, read_rows
from yibao.usecases.policies.worked_examples import Worked, packaged_regions, work

DEFECT = 4

File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="算例文件：id、inputs、policy_params、expected 四列必有")]
Directory = Annotated[
    Path | None,
    typer.Option("--files", help="政策文件目录（每个统筹区一个子目录）；不填时用内置文件", exists=True, file_okay=False),
]


def work_cases(file: File, files: Directory = None, as_json: JsonFlag = False) -> None:
    """Work every row of a file; exit code 1 when one differs or cannot be computed, 4 when one shows a defect."""
    try:
        rows = read_rows(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, FileFault) as error:
        stop(USAGE, kind="usage", message=f"{file}：{_why(error)}", as_json=as_json)
    regions = packaged_regions() if files is None else read_policy_files(files)
    worked: list[Worked] = []
    defects = 0
    for row in rows:
        try:
            worked.append(work(row, regions))
        except AssertionError as error:
            # The edge: one row that shows a defect of ours must not hide the others, and is told apart.
            defects += 1
            worked.append(Worked(row.id, False, {}, reason=f"程序缺陷，请报告：{error}"))
    show([_plain(w) for w in worked], as_json=as_json, render=lambda: _table(worked))
    right = all(w.ok for w in worked) and bool(worked)
    raise typer.Exit(DEFECT if defects else OK if right else REFUSED)


def _why(error: Exception) -> str:
    if isinstance(error, FileFault):
        return str(error)
    return "不是 UTF-8 文本" if isinstance(error, UnicodeDecodeError) else f"读不了这个文件（{error}）"


def _plain(worked: Worked) -> dict[str, Any]:
    return {
        "id": worked.id,
        "ok": worked.ok,
        "expected": worked.expected,
        "got": worked.got,
        "difference": worked.difference,
        "reason": worked.reason,
        "notes": worked.notes,
        "steps": worked.steps,
    }


def _table(worked: list[Worked]) -> RenderableType:
    table = table_of("算例", "", "应得", "算得", "差额与说明")
    for row in worked:
        sign = "[green]✓[/green]" if row.ok else "[red]✗[/red]"
        said = [row.reason] if row.reason else []
        said += [f"{name} {_text(value)}" for name, value in row.difference.items()]
        table.add_row(
            escape(row.id),
            sign,
            escape(_amounts(row.expected)),
            escape(_amounts(row.got)),
            escape("；".join((*said, *row.notes))),
        )
    right = sum(1 for row in worked if row.ok)
    colour = "green" if worked and right == len(worked) else "red"
    return Group(table, f"[{colour}]{right} / {len(worked)} 个算例一致[/{colour}]")


def _amounts(values: Mapping[str, Any]) -> str:
    return "，".join(f"{name} {_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_text(entry) for entry in value) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
