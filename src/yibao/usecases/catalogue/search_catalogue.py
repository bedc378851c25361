"""Search the catalogue by code, name or pinyin initials, and say what a region pays for what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from yibao.domains.catalogue import search
from yibao.domains.catalogue.search import PARTS, Hit
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse

LIMIT_MAX = 200
_TEXT_MAX = 100


async def search_catalogue(
    tx: Connection, *, text: str, parts: Sequence[str] = PARTS, on: date | None = None, admdvs: str = "",
    level: str = "3", priced_on: date | None = None, limit: int = 20,
) -> list[Hit] | Refusal:
    """Search the national lists; best fits first, over all lists together.

    Latin letters are looked for in codes and in pinyin initials, everything else in names.

    Args:
        on: day on which a row must be in force; None finds former and coming rows too.
        admdvs: region whose terms are told with each item on ``priced_on``; ``""`` tells none.
        level: level of the institution, which decides the price ceiling.
    """
    wanted = text.strip()
    if not wanted or len(wanted) > _TEXT_MAX:
        return refuse("SEARCH_TEXT_MISSING", f"请输入1至{_TEXT_MAX}个字的编码、名称或拼音首字母", field="text",
                      received=wanted[:20], remedy="如：阿莫西林、AMXL、XJ01CA")
    if not 1 <= limit <= LIMIT_MAX:
        return refuse("SEARCH_LIMIT", f"一次给出1至{LIMIT_MAX}条", field="limit", received=str(limit), remedy="请更正条数")
    initials = wanted.upper() if wanted.isascii() and wanted.isalnum() else ""
    found: list[tuple[int, Hit]] = []
    for part in parts:
        found += await search.search(tx, part, text=wanted, initials=initials, on=on, limit=limit)
    found.sort(key=lambda ranked: (ranked[0], len(ranked[1].name), ranked[1].code))
    hits = [hit for _, hit in found[:limit]]
    if admdvs and priced_on is not None:
        hits = await search.price_hits(tx, hits, admdvs=admdvs, on=priced_on, level=level)
    return hits
