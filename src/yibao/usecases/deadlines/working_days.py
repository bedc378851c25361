"""Clocks of working days: the days on which a business stands still are not counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from yibao.domains.deadlines.model import Move, Term
from yibao.domains.deadlines.rules import Due, concerning, due_after, say_day
from yibao.domains.services.calendar import Calendar
from yibao.domains.services.model import Pause
from yibao.domains.services.queries import list_pauses
from yibao.infra.database import Connection
from yibao.kernel.deadline import OPEN, WINDOW


async def working_due(
    tx: Connection, calendar: Calendar, terms: Sequence[Term], *, application_id: str, accepted_on: date, working_days: int
) -> Due:
    """Return the last day of an application: its own pauses and those of windows are not counted."""
    own = await list_pauses(tx, application_id)
    return due_of(calendar, terms, clock="application", begun_on=accepted_on, working_days=working_days, own=own)


def moved_by(terms: Sequence[Term], calendar: Calendar, *, clock: str, begun_on: date, due_on: date) -> Due:
    """Return the last day of a clock of which only the days are known, begun on a day and due by law on another."""
    return due_of(calendar, terms, clock=clock, begun_on=begun_on, working_days=calendar.count(begun_on, due_on))


def due_of(
    calendar: Calendar, terms: Sequence[Term], *, clock: str, begun_on: date, working_days: int, own: Sequence[Pause] = ()
) -> Due:
    """Return the last day of so many working days; ``OPEN`` while a window stands of which nobody knows the end.

    The same days are counted once, whatever says that they stand: a pause of its own inside a window adds nothing.
    """
    by_law = calendar.due(begun_on, working_days, own)
    counted = concerning(terms, clock=clock)
    day, moves, stands = by_law, list[Move](), list(own)
    for term in sorted((t for t in counted if t.way == WINDOW), key=lambda t: (t.window.begin, t.plan, t.rule)):
        if term.window.begin > day or (term.window.end is not None and term.window.end <= begun_on):
            continue
        if term.window.end is None:
            after = OPEN
        else:
            stands.append(Pause(term.window.begin, term.window.end))
            after = calendar.due(begun_on, working_days, stands)
        if after > day:
            says = f"办理期限由 {say_day(day)} 顺延至 {say_day(after)}：{term.window.begin} 起停办，停办期间不计"
            moves.append(Move(clock=clock, plan=term.plan, version=term.version, rule=term.rule, was_on=day, due_on=after,
                              says=says))
            day = after
        if day == OPEN:
            return Due(day, by_law, tuple(moves))
    fixed = due_after(day, [t for t in counted if t.way != WINDOW and t.way != "condition"], begun_on=begun_on)
    return Due(fixed.due_on, by_law, (*moves, *fixed.moves))
