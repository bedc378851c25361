"""``yibao backup`` and ``yibao restore``: the database into an archive, and back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from yibao.entrypoints.cli.output import USAGE, JsonFlag, aside, known_failures, show, stop
from yibao.infra.backup import Restored, back_up_home, back_up_url, restore
from yibao.infra.config import load_settings

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="归档目录")]


def back_up(directory: Directory, as_json: JsonFlag = False) -> None:
    """Make a base backup of the running database; with YIBAO_ARCHIVE the service keeps one with the log up to each commit."""
    with known_failures(as_json=as_json):
        settings = load_settings()
        if settings.archive is not None and settings.archive.resolve() == directory.resolve():
            stop(USAGE, kind="usage", as_json=as_json,
                 message=f"{directory} 是服务正在使用的归档（YIBAO_ARCHIVE），其中已有基础备份和日志；另备一份请换一个目录")
        with aside.status("备份中……"):
            if settings.database_url is not None:
                generation = back_up_url(settings.database_url, directory)
            else:
                generation = back_up_home(settings.home, directory)
    size = sum(f.stat().st_size for f in generation.rglob("*") if f.is_file())
    show({"ok": True, "generation": str(generation), "bytes": size}, as_json=as_json,
         render=lambda: f"✓ 已备份到 {generation}（{size / 1_048_576:.1f} MB）；恢复：yibao restore {directory}")


def bring_back(
    directory: Directory,
    replace: Annotated[bool, typer.Option("--replace", help="已有数据库时，把它改名保留后恢复")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Restore the embedded database of YIBAO_HOME: base backup and all of the log that was received."""
    with known_failures(as_json=as_json):
        settings = load_settings()
        if settings.database_url is not None:
            stop(USAGE, kind="usage", as_json=as_json,
                 message="恢复只用于内置数据库；YIBAO_DATABASE_URL 指定的数据库请用其自己的工具恢复")
        with aside.status("恢复中……"):
            told = restore(directory, settings.home, replace=replace)
    show({"ok": True, "restored": told}, as_json=as_json, render=lambda: _told(told))


def _told(told: Restored) -> RenderableType:
    minutes = told.seconds / 60
    return (f"✓ 已从 {told.archive} 第 {told.generation} 代恢复，日志文件 {told.log_files} 个，最后一次提交 "
            f"{told.last_commit_at or '（备份之后没有）'}，用时 {minutes:.1f} 分钟；请运行 yibao verify 核对账目")
