"""What is wrong with a plan that can be read: gaps, overlaps, conflicts, wrong weekdays, rules no one can meet. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from yibao.domains.windows.lines import Lines
from yibao.domains.windows.model import Plan

FAULT, NOTE = "fault", "note"
"""A plan with a fault is not published; a note is for whoever decides."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with a plan.

    Attributes:
        block, ordinal, key: where it stands; ``line`` is its line in the text, 0 where the text is not known.
        name: id or code of the block. proposal: what to write instead.
        cell: business, channel and position of an uncovered cell or a conflict, as far as they matter.
    """

    code: str
    says: str
    proposal: str
    level: str = FAULT
    block: str = ""
    ordinal: int = 0
    key: str = ""
    name: str = ""
    line: int = 0
    cell: tuple[str, ...] = ()


Check = Callable[[Plan], Iterable[Finding]]


def check_plan(plan: Plan, checks: Sequence[Check], text: str = "") -> tuple[Finding, ...]:
    """Return all that some checks find, by line; with the text of the plan each finding gets its line."""
    found = [finding for check in checks for finding in check(plan)]
    if text:
        lines = Lines(text)
        found = [msgspec.structs.replace(f, line=lines.of(f.block, f.ordinal, f.key)) for f in found]
    return tuple(sorted(found, key=lambda f: (f.level != FAULT, f.line, f.code, f.cell)))
