"""The notice as a list that a program can hold against what the platform does. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.windows.model import Plan
from yibao.usecases.notices.clauses import clauses
from yibao.usecases.notices.time_lines import said


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What the notice says of a business for a time.

    Attributes:
        business: code of the table of businesses. channel: ``""`` is whatever channel no other promise names.
        begin, end: half-open; None: since ever, or until further notice.
        promise: ``open``, ``advised``, ``registered``, ``refused``, or ``staged`` where stages of the reopening decide.
        rule: of the plan, ``""`` where only the track's times are behind it.
        says: the line of the notice that promises it; it stands there word for word.
        facts: what else has to be known of a request for it to fall under this, name -> value.
    """

    business: str
    channel: str
    begin: datetime | None
    end: datetime | None
    promise: str
    rule: str
    says: str
    facts: dict[str, str]


def promises(plan: Plan) -> list[Promise]:
    """Return what the notice of a plan promises, for each business and way in without gap or overlap."""
    found = clauses(plan)
    words = said(plan, found)
    return [
        Promise(
            business=c.business, channel=c.channel, begin=c.begin, end=c.end, promise=c.promise, rule=c.rule,
            says=words[c], facts=dict(c.facts),
        )
        for c in found
    ]
