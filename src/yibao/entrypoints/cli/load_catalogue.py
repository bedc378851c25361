"""``yibao load-catalogue [PART|FILE]``: the packaged lists, one of them, or a file of one's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from yibao.domains.catalogue.parts import PARTS
from yibao.entrypoints.cli.output import REFUSED, USAGE, JsonFlag, aside, known_failures, show, stop
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import load_settings
from yibao.infra.database import Database
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue import load_catalogue as loading
from yibao.usecases.catalogue.load_catalogue import CatalogueFile, Loaded, LoadProgress, LoadRefused

_PARTS = "、".join(f"{part.name}（{part.title}）" for part in PARTS.values())
Target = Annotated[str | None, typer.Argument(metavar="[PART|FILE]", help=f"目录部分或CSV文件（可为.gz）。{_PARTS}")]
PartOf = Annotated[str | None, typer.Option("--part", help="文件属于哪个部分；缺省按文件名判断")]
Version = Annotated[str | None, typer.Option("--version", help="文件没有version列时的版本号，如v20260101")]
ValidFrom = Annotated[str | None, typer.Option("--valid-from", help="文件没有valid_from列时的生效日期")]
NewEdition = Annotated[bool, typer.Option("--new-edition", help="新版支付类别或限价：原来未截止的行止于新行生效前一天")]


def load_catalogue(
    target: Target = None, part: PartOf = None, version: Version = None, valid_from: ValidFrom = None,
    new_edition: NewEdition = False, as_json: JsonFlag = False,
) -> None:
    """Load catalogue files; a faulty file is refused row by row and changes nothing."""
    defaults = {name: text for name, text in (("version", version), ("valid_from", valid_from)) if text}
    files = _files(target, part, defaults, is_new_edition=new_edition, as_json=as_json)
    begin = time.perf_counter()
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        with _bar(as_json=as_json) as progress:
            results = asyncio.run(_load(settings.database_url, files, progress))
    took_ms = round((time.perf_counter() - begin) * 1000)
    refused = [result for result in results if isinstance(result, LoadRefused)]
    loaded = [result for result in results if isinstance(result, Loaded)]
    show(
        {"ok": not refused, "loaded": loaded, "refused": refused, "took_ms": took_ms}, as_json=as_json,
        render=lambda: _sheet(loaded, refused, took_ms),
    )
    if refused:
        raise typer.Exit(REFUSED)


def _files(
    target: str | None, part: str | None, defaults: dict[str, str], *, is_new_edition: bool, as_json: bool
) -> tuple[CatalogueFile, ...]:
    """Return what is to be loaded, or end the command when that cannot be told."""
    if part is not None and part not in PARTS:
        stop(USAGE, kind="usage", message=f"没有目录部分 {part}；可用：{_PARTS}", as_json=as_json)
    packaged = loading.packaged_files()
    if target is None:
        return tuple(file for file in packaged if part in (None, file.part))
    if target in PARTS and not Path(target).is_file():
        return tuple(file for file in packaged if file.part == target)
    path = Path(target)
    if not path.is_file():
        stop(USAGE, kind="usage", message=f"没有文件也没有目录部分 {target}；目录部分：{_PARTS}", as_json=as_json)
    guessed = part or path.name.split(".", 1)[0]
    if guessed not in PARTS:
        stop(USAGE, kind="usage", message=f"不知道 {path.name} 属于哪个部分，请用 --part 指明：{_PARTS}", as_json=as_json)
    return (loading.file_from(path, part=guessed, defaults=defaults, is_new_edition=is_new_edition),)


async def _load(
    url: str, files: Sequence[CatalogueFile], progress: loading.Progress
) -> list[Loaded | LoadRefused]:
    now, ids = SystemClock().now(), RandomIds()
    database = await Database.open(url, role=None, size=1)
    try:
        return [
            await loading.load_catalogue(database, file, now=now, ids=ids, progress=progress) for file in files
        ]
    finally:
        await database.close()


@contextmanager
def _bar(*, as_json: bool) -> Iterator[Callable[[LoadProgress], None]]:
    """Show a bar for each part on standard error; nothing for programs."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]} 行"), TimeElapsedColumn())
    with Progress(*columns, console=aside, disable=as_json) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(step: LoadProgress) -> None:
            if step.part not in tasks:
                tasks[step.part] = bars.add_task(step.title, total=step.bytes_total, rows=0)
            bars.update(tasks[step.part], completed=step.bytes_done, rows=step.rows)

        yield advance


def _sheet(loaded: Sequence[Loaded], refused: Sequence[LoadRefused], took_ms: int) -> RenderableType:
    parts: list[RenderableType] = []
    if loaded:
        table = Table("目录部分", "行数", "新增或变更", "版本", "来源", box=None)
        for one in loaded:
            table.add_row(PARTS[one.part].title, str(one.rows), str(one.changed), one.version, one.source)
        parts += [table, f"用时 {took_ms / 1000:.1f} 秒"]
    parts += [f"✗ {one.sentence()}" for one in refused]
    return Group(*parts)
