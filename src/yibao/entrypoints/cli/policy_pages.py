"""``yibao policy pages``: write a page with tables and charts for every region, or say which are out of date."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from yibao.entrypoints.cli.output import REFUSED, USAGE, JsonFlag, show, stop
from yibao.infra.policy_files import read_policy_files, read_policy_files_elsewhere
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.policy.law.loading import BadPolicy
from yibao.usecases.policies.describe_policy import Page, describe_all, describe_policy
from yibao.usecases.policies.lawbook import read_lawbook

To = Annotated[Path, typer.Option("--to", help="写到哪个目录", file_okay=False)]
On = Annotated[str, typer.Option("--on", help="图按哪一天的规定，YYYY-MM-DD；不填为今年第一天")]
Check = Annotated[bool, typer.Option("--check", help="不写，只说哪些文件与政策不符")]


def write_pages(
    to: To = Path("docs/policy"), on: On = "", check: Check = False, as_json: JsonFlag = False
) -> None:
    """Write the pages of all regions; with ``--check`` exit code 1 when one is out of date."""
    try:
        day = date.fromisoformat(on) if on else _first_day()
    except ValueError:
        stop(USAGE, kind="usage", message=f"--on {on}：应为 YYYY-MM-DD", as_json=as_json)
    try:
        files = page_files(on=day)
    except BadPolicy as error:
        stop(REFUSED, kind="policy", message=str(error), as_json=as_json)
    left = [p for pattern in ("*.md", "*.svg") for p in to.glob(pattern) if p.name not in files]
    changed = [name for name, text in files.items() if _text(to / name) != text]
    if not check:
        to.mkdir(parents=True, exist_ok=True)
        for name in changed:
            (to / name).write_text(files[name], encoding="utf-8")
        for path in left:
            path.unlink()
    data = {"ok": not check or not (changed or left), "to": to, "on": day, "files": len(files), "changed": changed,
            "removed": [path.name for path in left]}  # fmt: skip
    said = f"{len(files)} 个文件，{len(changed)} 个{'与政策不符' if check else '有改动'}：{'、'.join(changed) or '无'}"
    show(data, as_json=as_json, render=lambda: said)
    raise typer.Exit(0 if data["ok"] else REFUSED)


def page_files(*, on: date) -> dict[str, str]:
    """Return file name -> text of all pages and charts of the packaged regions.

    Raises:
        BadPolicy: a region's files do not compile.
    """
    regions = {code: (texts, True) for code, texts in read_policy_files().items()}
    regions |= {code: (texts, False) for code, texts in read_policy_files_elsewhere().items()}
    pages: list[tuple[Page, bool]] = []
    for texts, served in regions.values():
        pages.append((describe_policy(read_lawbook(texts), on=on, served=served), served))
    files = {"README.md": describe_all(pages, on=on)}
    for page, _ in pages:
        files[f"{page.admdvs}.md"] = page.text
        files.update(page.charts)
    return files


def _first_day() -> date:
    return business_date(SystemClock().now()).replace(month=1, day=1)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
