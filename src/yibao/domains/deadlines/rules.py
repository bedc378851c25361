"""How last days move, step by step, and which promises concern which clock. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from yibao.domains.deadlines.model import CLOCKS, EXTENSION, Move, Term
from yibao.kernel.deadline import CONDITION, FIXED, MONTHS, OPEN, WINDOW, moved


class Due(msgspec.Struct, frozen=True):
    """A last day as it stands, what it was by the law alone, and each step between the two."""

    due_on: date
    was_on: date
    moves: tuple[Move, ...] = ()


def concerning(terms: Iterable[Term], *, clock: str, business: str = "") -> list[Term]:
    """Return the extensions of a clock; ``business`` leaves out those that name other businesses."""
    return [
        t for t in terms
        if t.kind == EXTENSION and t.what == clock and (not business or not t.business or business in t.business)
    ]


def due_after(
    due_on: date, terms: Sequence[Term], *, begun_on: date | None = None, met_on: date | None = None
) -> Due:
    """Return a last day after all extensions, the ways that count days before those that name a day.

    Of several rules of one plan that count days, only the longest counts: one stop is not made up for twice.
    """
    ordered = sorted(terms, key=lambda t: (t.way in (FIXED, MONTHS), t.plan, t.rule))
    day = due_on
    moves: list[Move] = []
    counted: set[str] = set()
    for term in ordered:
        base = due_on if term.way in (WINDOW, CONDITION) and term.plan in counted else day
        after = moved(base, term.extension, term.window, begun_on=begun_on, met_on=met_on)
        if after <= day:
            continue
        if term.way in (WINDOW, CONDITION):
            counted.add(term.plan)
        moves.append(Move(clock=term.what, plan=term.plan, version=term.version, rule=term.rule, was_on=day, due_on=after,
                          says=_says(term, day, after)))
        day = after
    return Due(day, due_on, tuple(moves))


def _says(term: Term, was_on: date, due_on: date) -> str:
    why = {
        WINDOW: f"停办 {term.window.days} 天，顺延同样天数" if term.window.days is not None else "停办期间不计，恢复时间待公告",
        FIXED: "统一延至公告确定的日期", CONDITION: "等待缴费到账的时间不计", MONTHS: f"恢复办理后 {term.months} 个月内均可办理",
    }[term.way]
    return f"{CLOCKS.get(term.what, term.what)}由 {say_day(was_on)} 顺延至 {say_day(due_on)}：{why}"


def say_day(day: date) -> str:
    """Return a last day in words."""
    return "待公告" if day == OPEN else day.isoformat()
