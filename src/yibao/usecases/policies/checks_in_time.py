"""Checks over time: gaps between versions, law that has run out, sources past their validity, leaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from yibao.policy.law.arranging import NEEDED
from yibao.policy.law.keys import KINDS
from yibao.usecases.policies.lawbook import Entry, Lawbook, uncovered
from yibao.usecases.policies.remarks import HINT, WARNING, Remark, about

_LEAP = 10
"""A value this many times its former one is more likely a slip of the pen than a reform."""


def check_time(book: Lawbook, today: date) -> Iterator[Remark]:
    """Yield what is odd about the periods of the rows."""
    told: set[tuple[str, int]] = set()
    for remark in (*_gaps(book), *_gaps_of_benefits(book)):
        if (remark.file, remark.line) not in told:
            told.add((remark.file, remark.line))
            yield remark
    yield from _run_out(book, today)
    yield from _begun_late(book)
    yield from _sources(book, today)
    yield from _leaps(book)


def _gaps(book: Lawbook) -> Iterator[Remark]:
    """Days without a value between two versions of it, where no broader row steps in."""
    for rows in book.choices():
        for same in _versions(rows):
            stand_ins = [r for r in rows if book.within(same[0], r)]
            for start, end in uncovered(same[0].start, max(r.end for r in same), stand_ins):
                later = min((r for r in same if r.start > end), key=lambda r: r.start)
                earlier = max((r for r in same if r.end < start), key=lambda r: r.end)
                yield about(
                    book, later, kind="gap", field="from",
                    message=f"{later.row.used.name}在 {start} 至 {end} 没有取值："
                    f"{_where(earlier)}止于 {earlier.end}，本行始于 {later.start}",
                    proposal=f"把本行改为 from = {start}，或给{_where(earlier)}写 to = {end}，或补一行这段时间的取值",
                )  # fmt: skip


def _gaps_of_benefits(book: Lawbook) -> Iterator[Remark]:
    """Days on which a benefit misses a value that it has before and after, whatever the conditions."""
    for benefit in book.of("benefit"):
        for key in NEEDED:
            rows = [r for r in book.of(key) if _serves(r, benefit)]
            if not rows:
                continue
            for start, end in uncovered(min(r.start for r in rows), max(r.end for r in rows), rows):
                later = min((r for r in rows if r.start > end), key=lambda r: r.start)
                yield about(
                    book, later, kind="gap", field="from",
                    message=f"{_title(benefit)}在 {start} 至 {end} 没有{KINDS[key].name}，而前后都有",
                    proposal=f"把本行改为 from = {start}，或补一行这段时间的取值",
                )  # fmt: skip


def _run_out(book: Lawbook, today: date) -> Iterator[Remark]:
    """Benefits that go on although a value they need has ended."""
    for benefit in book.of("benefit"):
        if benefit.end < today:
            continue
        for key in NEEDED:
            rows = [r for r in book.of(key) if _serves(r, benefit)]
            if not rows or any(r.end > today for r in rows):
                continue
            last = max(rows, key=lambda r: r.end)
            yield about(
                book, last, kind="run_out", field="to",
                message=f"{_title(benefit)}的{KINDS[key].name}到 {last.end} 为止，此后没有接续，结算会被拒绝",
                proposal=f"另写一行 from = {last.end + timedelta(days=1)} 的取值；仍按原值执行的，删去 to",
            )  # fmt: skip


def _begun_late(book: Lawbook) -> Iterator[Remark]:
    """Benefits that begin before a value they need."""
    for benefit in book.of("benefit"):
        for key in NEEDED:
            rows = [r for r in book.of(key) if _serves(r, benefit)]
            if not rows or min(r.start for r in rows) <= benefit.start:
                continue
            first = min(rows, key=lambda r: r.start)
            yield about(
                book, first, kind="begins_late", field="from", weight=HINT,
                message=f"{_title(benefit)}自 {benefit.start} 开通，{KINDS[key].name}自 {first.start} 才有，其间的结算会被拒绝",
                proposal=f"补一行 from = {benefit.start}, to = {first.start - timedelta(days=1)} 的取值，"
                f"或把待遇改为 from = {first.start}",
            )  # fmt: skip


def _sources(book: Lawbook, today: date) -> Iterator[Remark]:
    """Rows in force outside of the time for which their source is valid."""
    sources = _declared_sources(book)
    for entry in book.entries:
        source = sources.get(str(entry.fields.get("source", "")), {})
        until, since = source.get("valid_to"), source.get("valid_from")
        name = source.get("title", "")
        if type(until) is date and entry.end > until:
            weight = WARNING if until < today <= entry.end else HINT
            yield about(
                book, entry, kind="expired_source", field="source", weight=weight,
                message=f"所依据的《{name}》有效期至 {until}，本行此后仍在执行",
                proposal=f"写 to = {until}，另起一行引用现行文件；延期执行的，改 [sources] 中的 valid_to",
            )  # fmt: skip
        if type(since) is date and entry.start < since:
            yield about(
                book, entry, kind="source_not_yet", field="from",
                message=f"自 {entry.start} 执行，早于所依据的《{name}》的生效日 {since}",
                proposal=f"from = {since}，此前的取值另写一行并引用当时的文件",
            )  # fmt: skip


def _leaps(book: Lawbook) -> Iterator[Remark]:
    """Values of which the next version is many times larger or smaller."""
    for rows in book.choices():
        for same in _versions(rows):
            for earlier, later in pairwise(same):
                was, is_now = earlier.row.number, later.row.number
                if min(was, is_now) > 0 and max(was, is_now) >= _LEAP * min(was, is_now):
                    yield about(
                        book, later, kind="leap", field="value", weight=HINT,
                        message=f"{later.row.used.name}由 {earlier.row.used.value} 变为 {later.row.used.value}，"
                        f"相差 {_LEAP} 倍以上",
                        proposal=f"核对位数：{_where(earlier)}写的是 {earlier.row.used.value}；确有此变动的不必改",
                    )  # fmt: skip


def _versions(rows: list[Entry]) -> Iterator[list[Entry]]:
    """Yield rows with the same conditions, oldest first: versions of one value."""
    groups: dict[str, list[Entry]] = {}
    for row in rows:
        groups.setdefault(repr(sorted((d, _sorted(w)) for d, w in row.when.items())), []).append(row)
    for same in groups.values():
        if len(same) > 1:
            yield sorted(same, key=lambda r: r.start)


def _sorted(wanted: Any) -> str:
    return repr(sorted(wanted) if isinstance(wanted, list) else [wanted] if isinstance(wanted, str) else wanted)


def _serves(row: Entry, benefit: Entry) -> bool:
    insutypes = benefit.codes("insutype") or frozenset()
    return row.allows("benefit", benefit.row.word) and any(row.allows("insutype", i) for i in insutypes)


def _declared_sources(book: Lawbook) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for document in book.documents.values():
        found.update(document.get("sources", {}))
    return found


def _title(benefit: Entry) -> str:
    return str(benefit.row.extra.get("title", benefit.row.word))


def _where(entry: Entry) -> str:
    return f"{entry.row.used.rule}（{entry.file} 第 {entry.line} 行）"


