"""``yibao interface``: what the platform does with every message of the institution interface, and its pages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from yibao.entrypoints.cli.output import REFUSED, JsonFlag, show, table_of
from yibao.entrypoints.gateway.describe import KIND_TEXT, interface_pages
from yibao.entrypoints.gateway.offer import standings

app = typer.Typer(help="机构接口：覆盖情况与逐条说明", no_args_is_help=True)

To = Annotated[Path, typer.Option("--to", help="写到哪个目录", file_okay=False)]
Check = Annotated[bool, typer.Option("--check", help="不写，只说哪些文件与接口数据不符")]


@app.command("coverage", help="列出每个有字段表的交易：可用、留存或不办理及原因")
def coverage(as_json: JsonFlag = False) -> None:
    """List what the platform does with every transaction that has a field table."""
    found = standings()
    counts = Counter[str](s.kind for s in found)

    def render() -> object:
        table = table_of("交易", "名称", "状态", "说明")
        for s in found:
            table.add_row(s.infno, s.name_zh, KIND_TEXT[s.kind], s.says)
        table.caption = "，".join(f"{KIND_TEXT[kind]} {counts[kind]}" for kind in KIND_TEXT)
        return table

    show({"counts": dict(counts), "transactions": found}, as_json=as_json, render=render)  # type: ignore[arg-type]


@app.command("pages", help="由接口数据表生成逐条说明")
def pages(to: To = Path("docs/interface"), check: Check = False, as_json: JsonFlag = False) -> None:
    """Write the pages of the interface; with ``--check`` exit code 1 when one is out of date."""
    files = interface_pages()
    changed = [name for name, text in files.items() if _text(to / name) != text]
    left = [path for path in to.glob("*.md") if path.name not in files]
    if not check:
        to.mkdir(parents=True, exist_ok=True)
        for name in changed:
            (to / name).write_text(files[name], encoding="utf-8")
        for path in left:
            path.unlink()
    data = {"ok": not check or not (changed or left), "to": to, "files": len(files), "changed": changed,
            "removed": [path.name for path in left]}  # fmt: skip
    said = f"{len(files)} 个文件，{len(changed)} 个{'与接口数据不符' if check else '有改动'}：{'、'.join(changed) or '无'}"
    show(data, as_json=as_json, render=lambda: said)
    raise typer.Exit(0 if data["ok"] else REFUSED)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
