"""Compare two laws of a region in words: what changed from what to what, since when, for whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from yibao.kernel.money import yuan_text
from yibao.policy.explain import mark_text
from yibao.policy.law.keys import KINDS
from yibao.policy.law.values import ratio_text
from yibao.usecases.policies.lawbook import EVER, Entry, Lawbook
from yibao.usecases.policies.wording import affected, value_text

Name = tuple[object, ...]
"""What makes two rows versions of one value: what they set, and for whom."""


class Change(msgspec.Struct, frozen=True):
    """One difference between two laws.

    Attributes:
        kind: ``changed``, ``added``, ``removed``, ``split`` (narrower rows took its place) or ``conditions``
            (same value, for others).
        rule: the rule in the second law, of the first where it is removed.
        name: Chinese name of the parameter.
        affected: for whom, in words.
        was: value before, ``""`` where there was none.
        now: value after, ``""`` where there is none.
        by: difference of two numbers (``+5 个百分点``), ``""`` elsewhere.
        since: first day on which the laws differ in this.
        until: last such day, None if open.
        clause: clause and source of the new value, with its mark.
        file: file of the row in the second law, of the first where it is removed.
        line: its line.
    """

    kind: str
    rule: str
    name: str
    affected: str
    was: str
    now: str
    by: str
    since: date
    until: date | None
    clause: str
    file: str
    line: int

    def sentence(self) -> str:
        """Return the change as one Chinese sentence."""
        period = f"自 {self.since} 起" if self.until is None else f"{self.since} 至 {self.until}"
        head = f"{self.affected}：{self.name}"
        said = {
            "changed": f"由 {self.was} {_verb(self.by)} {self.now}" + (f"（{self.by}）" if self.by else ""),
            "added": f"新增，为 {self.now}",
            "removed": f"取消，原为 {self.was}",
            "split": f"由统一的 {self.was} 改为按情形分别规定",
            "conditions": f"{self.now or self.was}，适用对象{self.by}",
        }[self.kind]
        return f"{head}{said}，{period}。依据：{self.rule} {self.clause}"


def compare_days(book: Lawbook, before: date, other: Lawbook, after: date) -> tuple[Change, ...]:
    """Return what differs between the law of a day and the law of another day (of the same files or of others)."""
    was, is_now = _on(book, before), _on(other, after)
    found = []
    for name in dict.fromkeys([*was, *is_now]):
        old, new = was.get(name), is_now.get(name)
        sides = _Sides(book, other, before, after)
        change = sides.change(old, new, since=_since(old, new))
        found += [change] if change else []
    return tuple(_in_order(found))


def compare_files(book: Lawbook, other: Lawbook) -> tuple[Change, ...]:
    """Return what differs between two editions of a region's files, with the days for which it does."""
    was, is_now = _timelines(book), _timelines(other)
    found: list[Change] = []
    for name in dict.fromkeys([*was, *is_now]):
        before, after = was.get(name, []), is_now.get(name, [])
        for start, end in _different(before, after):
            sides = _Sides(book, other, start, start)
            change = sides.change(_at(before, start), _at(after, start), since=start, until=None if end == EVER else end)
            found += [change] if change else []
    return tuple(_in_order(found))


def _on(book: Lawbook, day: date) -> dict[Name, Entry]:
    found: dict[Name, Entry] = {}
    for entry in book.entries:
        if entry.start <= day <= entry.end:
            found.setdefault(_name(entry), entry)
    return found


def _timelines(book: Lawbook) -> dict[Name, list[Entry]]:
    found: dict[Name, list[Entry]] = {}
    for entry in book.entries:
        found.setdefault(_name(entry), []).append(entry)
    return found


def _name(entry: Entry) -> Name:
    when = [
        (d, tuple(sorted(w)) if isinstance(w, list) else (w,) if isinstance(w, str) else repr(w))
        for d, w in sorted(entry.when.items())
    ]
    return (*entry.choice(), tuple(when))


def _different(before: list[Entry], after: list[Entry]) -> Iterator[tuple[date, date]]:
    """Yield the periods in which two timelines hold different values, neighbouring days with the same pair as one."""
    starts = sorted(
        {e.start for e in (*before, *after)} | {e.end + timedelta(days=1) for e in (*before, *after) if e.end != EVER}
    )
    open_since: date | None = None
    pair: tuple[str, str] | None = None
    for start in starts:
        old, new = _at(before, start), _at(after, start)
        now = None if _alike(old, new) else (value_text(old), value_text(new))
        if now != pair:
            if open_since is not None:
                yield open_since, start - timedelta(days=1)
            open_since, pair = (start, now) if now else (None, None)
    if open_since is not None:
        yield open_since, EVER


def _at(rows: list[Entry], day: date) -> Entry | None:
    return next((row for row in rows if row.start <= day <= row.end), None)


def _alike(old: Entry | None, new: Entry | None) -> bool:
    return (old is None) == (new is None) and value_text(old) == value_text(new)


def _since(old: Entry | None, new: Entry | None) -> date:
    if new is not None:
        return new.start
    return old.end + timedelta(days=1) if old is not None and old.end != EVER else date.min


class _Sides(msgspec.Struct, frozen=True):
    """Two laws and the day of each on which they are compared."""

    book: Lawbook
    other: Lawbook
    before: date
    after: date

    def change(
        self, old: Entry | None, new: Entry | None, *, since: date, until: date | None = None
    ) -> Change | None:
        """Return the difference between two versions of a value, None if the cases it is for notice nothing."""
        entry, of = (new, self.other) if new is not None else (old, self.book)
        if entry is None:
            return None
        by, kind = "", "changed" if old and new else "added" if new else "removed"
        if new is None and self._split(entry):
            kind = "split"
        elif new is None:
            if self._moved(entry, self.book, self.other, self.after):
                return None  # told with the row it became
            new = self._stand_in(self.other, entry, self.after)
            kind = "changed" if new else kind
        elif old is None:
            moved = self._moved(entry, self.other, self.book, self.before)
            old = moved or self._stand_in(self.book, entry, self.before)
            kind = "conditions" if moved else "changed" if old else kind
            by = f"由“{affected(self.book, moved)}”改为“{affected(self.other, entry)}”" if moved else ""
        if kind != "conditions" and _alike(old, new):
            return None
        used = (new or entry).row.used
        clause = "，".join(p for p in (used.clause, used.source) if p)
        return Change(
            kind=kind, rule=used.rule, name=used.name, affected=affected(of, entry), was=value_text(old), now=value_text(new),
            by=by or _difference(old, new), since=since, until=until, clause=f"{clause}（{mark_text(used)}）",
            file=entry.file, line=entry.line,
        )  # fmt: skip

    def _stand_in(self, book: Lawbook, entry: Entry, day: date) -> Entry | None:
        """Return the broader row that decides for the row's cases in a law that has no row of its own for them."""
        return next(
            (r for r in book.entries
             if r.choice() == entry.choice() and r.start <= day <= r.end and book.within(entry, r)), None,
        )  # fmt: skip

    def _moved(self, entry: Entry, own: Lawbook, book: Lawbook, day: date) -> Entry | None:
        """Return the row of the other law with the same rule and value that only its own conditions tell apart."""
        theirs, mine = set(_timelines(book)), set(_timelines(own))
        return next(
            (r for r in book.entries
             if r.choice() == entry.choice() and r.row.used.rule == entry.row.used.rule and _alike(r, entry)
             and r.start <= day <= r.end and _name(r) not in mine and _name(entry) not in theirs), None,
        )  # fmt: skip

    def _split(self, entry: Entry) -> bool:
        """Say whether narrower rows of the other law take the place of the row."""
        return any(
            r.choice() == entry.choice() and r.start <= self.after <= r.end and self.other.within(r, entry)
            for r in self.other.entries
        )


def _difference(old: Entry | None, new: Entry | None) -> str:
    if old is None or new is None or old.row.bands or new.row.bands or old.row.absent or new.row.absent:
        return ""
    if getattr(old.row, "formula", None) is not None or getattr(new.row, "formula", None) is not None:
        return ""
    if old.row.extra != new.row.extra:
        return ""
    by = new.row.number - old.row.number
    sign = "+" if by > 0 else "-"
    kind = KINDS[new.row.key].value
    if not by or kind not in ("amount", "ratio", "points"):
        return ""
    return f"{sign}{yuan_text(abs(by))} 元" if kind == "amount" else f"{sign}{ratio_text(abs(by))[:-1]} 个百分点"


def _verb(by: str) -> str:
    return "提高到" if by.startswith("+") else "降低到" if by.startswith("-") else "改为"


def _in_order(changes: list[Change]) -> list[Change]:
    return sorted(changes, key=lambda c: (c.since, c.file, c.line))
