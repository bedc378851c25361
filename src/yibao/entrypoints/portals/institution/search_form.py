"""The search form of the lists: what was typed becomes a search, and a link that can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import msgspec

from yibao.entrypoints.portals.look.forms import clean
from yibao.entrypoints.portals.look.rendering import link
from yibao.usecases.inspection.entries import OUTCOMES
from yibao.usecases.inspection.find_messages import Search

SIZES = (50, 100, 200)
PAGE_MAX = 10_000
DAYS_SHOWN = 7


class SearchForm(msgspec.Struct):
    """A search and what was wrong with what was typed: field, message."""

    search: Search
    errors: list[tuple[str, str]]
    from_text: str = ""
    to_text: str = ""

    def link(self, path: str, **changes: object) -> str:
        """Return the link to this search with some of it changed."""
        search = msgspec.structs.replace(self.search, **{"page": 1, **changes})
        return link(
            path, q=search.text, infno=search.infno, outcome=search.outcome,
            from_=search.from_on.isoformat() if search.from_on else self.from_text,
            to=search.to_on.isoformat() if search.to_on else self.to_text,
            all="" if search.text or search.from_on or search.to_on else "1",
            size=search.size if search.size != SIZES[0] else None, page=search.page if search.page > 1 else None,
        )


def read_search(fields: Mapping[str, str], *, today: date) -> SearchForm:
    """Return the search of a query string or form; with nothing given, the last days."""
    errors: list[tuple[str, str]] = []
    outcome, text = clean(fields.get("outcome", "")), clean(fields.get("q", ""))
    search = Search(
        text=text,
        infno=clean(fields.get("infno", "")).upper()[:6],
        outcome=outcome if outcome in OUTCOMES else "",
        from_on=_day(fields, "from", "开始日期", errors),
        to_on=_day(fields, "to", "结束日期", errors),
        page=_number(fields.get("page", ""), 1, PAGE_MAX),
        size=size if (size := _number(fields.get("size", ""), SIZES[0], SIZES[-1])) in SIZES else SIZES[0],
    )
    if search.from_on and search.to_on and search.from_on > search.to_on:
        errors.append(("from", "开始日期晚于结束日期，请对调"))
    if not any(fields.get(name) for name in ("q", "from", "to", "all")):
        search = msgspec.structs.replace(search, from_on=today - timedelta(days=DAYS_SHOWN - 1), to_on=today)
    wrong = {field for field, _ in errors}
    return SearchForm(
        search, errors,
        from_text=clean(fields.get("from", "")) if "from" in wrong and search.from_on is None else "",
        to_text=clean(fields.get("to", "")) if "to" in wrong else "",
    )


def _day(fields: Mapping[str, str], name: str, label: str, errors: list[tuple[str, str]]) -> date | None:
    typed = clean(fields.get(name, ""))
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        day = date.min
    if not 1970 <= day.year <= 2999:
        errors.append((name, f"{label}应为“年-月-日”，如 2026-11-22"))
        return None
    return day


def _number(typed: str, default: int, most: int) -> int:
    if not typed.isascii() or not typed.isdigit() or len(typed) > 6:
        return default
    return min(max(int(typed), 1), most)
