"""``yibao catalogue``: find an item or a diagnosis by what one knows of it, and see which editions were loaded."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from yibao.domains.catalogue.search import PARTS, Hit
from yibao.entrypoints.cli.output import USAGE, JsonFlag, known_failures, show, stop, stop_refused, table_of
from yibao.entrypoints.cli.running import with_database
from yibao.infra.config import load_settings
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.refusal import Refusal
from yibao.usecases.catalogue.list_editions import Edition, list_editions
from yibao.usecases.catalogue.search_catalogue import search_catalogue

app = typer.Typer(name="catalogue", no_args_is_help=True, help="查目录：按编码、名称或拼音首字母")

_PARTS = {"item": "项目", "diagnosis": "疾病诊断", "procedure": "手术操作", "chronic_disease": "门诊慢特病"}
_LISTS = {"101": "西药中成药", "102": "饮片", "201": "服务项目", "301": "耗材"}
_LEVELS = {"01": "甲", "02": "乙", "03": "丙"}
Text = Annotated[str, typer.Argument(help="编码开头、名称的一部分，或拼音首字母（如AMXL）")]
PartOption = Annotated[str | None, typer.Option("--part", help="只查一类：item、diagnosis、procedure、chronic_disease")]
RegionOption = Annotated[str, typer.Option("--region", help="同时给出这个统筹区的支付类别与限价，如370300")]
LevelOption = Annotated[str, typer.Option("--level", help="限价按哪级医院：1、2、3")]
DayOption = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="哪一天有效；缺省为今天，连同已停用的")]
LimitOption = Annotated[int, typer.Option("--limit", help="最多给出几条")]


@app.command("find", help="按编码、名称或拼音首字母查目录")
def find(
    text: Text, part: PartOption = None, region: RegionOption = "", level: LevelOption = "3", on: DayOption = None,
    limit: LimitOption = 20, as_json: JsonFlag = False,
) -> None:
    """Search the national lists."""
    if part is not None and part not in PARTS:
        stop(USAGE, kind="usage", message=f"没有类别 {part}；可用：{'、'.join(PARTS)}", as_json=as_json)
    day = business_date(SystemClock().now()) if on is None else on.date()
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        found = asyncio.run(_find(
            settings.database_url, text=text, parts=PARTS if part is None else (part,), region=region, level=level,
            on=None if on is None else day, priced_on=day, limit=limit,
        ))
    if isinstance(found, Refusal):
        stop_refused(found, as_json=as_json)
    show({"ok": True, "hits": found}, as_json=as_json, render=lambda: _sheet(found, region))


async def _find(
    url: str, *, text: str, parts: tuple[str, ...], region: str, level: str, on: date | None, priced_on: date, limit: int
) -> list[Hit] | Refusal:
    database = await Database.open(url, role=None, size=1)
    try:
        async with database.connection() as connection:
            return await search_catalogue(
                connection, text=text, parts=parts, on=on, admdvs=region, level=level, priced_on=priced_on, limit=limit
            )
    finally:
        await database.close()


def _sheet(hits: list[Hit], region: str) -> RenderableType:
    if not hits:
        return "没有找到"
    titles = ["类别", "编码", "名称", "规格", "单位", "有效期"]
    table = table_of(*titles, *(["支付类别", "限价（元）", "限制"] if region else []))
    for hit in hits:
        kind = _LISTS.get(hit.list_type, hit.list_type) if hit.part == "item" else _PARTS[hit.part]
        until = "" if hit.valid_to is None else f"{hit.valid_to}（不含）"
        cells = [kind, hit.code, hit.name, hit.spec, hit.unit, f"{hit.valid_from}—{until}"]
        if region:
            limit = "" if hit.limit_micro is None else f"{hit.limit_micro / 1_000_000:.2f}"
            cells += [_LEVELS.get(hit.class_level, "不在目录" if hit.part == "item" else ""), limit, hit.restriction]
        table.add_row(*map(escape, cells))
    return Group(table, f"共 {len(hits)} 条")


@app.command("editions", help="列出导入过的各版目录")
def editions(as_json: JsonFlag = False) -> None:
    """List every load that changed something."""
    with known_failures(as_json=as_json), with_database(load_settings()) as settings:
        assert settings.database_url is not None
        found = asyncio.run(_editions(settings.database_url))
    show({"ok": True, "editions": found}, as_json=as_json, render=lambda: _edition_sheet(found))


async def _editions(url: str) -> list[Edition]:
    database = await Database.open(url, role=None, size=1)
    try:
        async with database.connection() as connection:
            return await list_editions(connection)
    finally:
        await database.close()


def _edition_sheet(found: list[Edition]) -> RenderableType:
    table = table_of("导入日", "部分", "版本", "行数", "新增或变更", "来源")
    for edition in found:
        day = str(business_date(edition.loaded_at))
        values = [day, *map(str, msgspec.structs.astuple(edition)[:2]), str(edition.rows), str(edition.changed), edition.source]
        table.add_row(*map(escape, values))
    return table if found else "还没有导入过目录"
