"""Periods of one status, put over each other and joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from yibao.policy.reckoning.benefit_facts import Cover, month_of

FROZEN = ("arrears_kept", "loaded", "window_waived")
"""Reasons for which months of continuous payment do not grow: nothing was paid, or the number is the loaded one."""


def clip(covers: Sequence[Cover], begin_on: date) -> list[Cover]:
    """Return periods from a day on, later ones of the list put over earlier ones."""
    edges = sorted({c.begin_on for c in covers} | {c.end_on for c in covers if c.end_on} | {begin_on})
    edges = [e for e in edges if e >= begin_on]
    result = []
    for begin, end in zip(edges, [*edges[1:], None], strict=True):
        over = [c for c in covers if c.begin_on <= begin and (c.end_on is None or begin < c.end_on)]
        if over:
            c = over[-1]
            result.append(Cover(begin, end, c.is_due, c.reason, c.rules, grown(c, begin)))
    return result


def grown(cover: Cover, begin: date) -> int:
    """Return the months of continuous payment at a later day of a period."""
    grows = cover.is_due and cover.reason not in FROZEN and cover.begin_on > date.min
    return cover.paid_months + (month_of(begin) - month_of(cover.begin_on) if grows else 0)


def runs(covers: Iterable[Cover]) -> list[Cover]:
    """Return months that say the same as one period."""
    runs: list[Cover] = []
    for c in covers:
        last = runs[-1] if runs else None
        if last is not None and _goes_on(last, c):
            runs[-1] = Cover(last.begin_on, c.end_on, c.is_due, c.reason, c.rules, last.paid_months)
        else:
            runs.append(c)
    return runs


def _goes_on(run: Cover, cover: Cover) -> bool:
    same = run.end_on == cover.begin_on and (run.is_due, run.reason, run.rules) == (cover.is_due, cover.reason, cover.rules)
    return same and cover.paid_months == grown(run, cover.begin_on)


def opened(covers: list[Cover]) -> list[Cover]:
    """Return the periods with the last one open."""
    last = covers[-1]
    covers[-1] = Cover(last.begin_on, None, last.is_due, last.reason, last.rules, last.paid_months)
    return covers
