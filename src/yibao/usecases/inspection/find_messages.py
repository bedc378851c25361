"""Find messages of an institution by any number that stands in them, and add them up."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from yibao.infra.database import Connection
from yibao.kernel.business_time import SHANGHAI
from yibao.usecases.inspection import message_queries as sql
from yibao.usecases.inspection.entries import Entry, from_row


class Search(msgspec.Struct, frozen=True):
    """What to look for; empty text and None mean any.

    Attributes:
        text: msgid, person number, certificate number, visit id, visit number of the institution, or settlement id.
        from_on, to_on: days of receipt in business time, both included.
        page: from 1.
    """

    text: str = ""
    infno: str = ""
    outcome: str = ""
    from_on: date | None = None
    to_on: date | None = None
    page: int = 1
    size: int = 50


class Found(msgspec.Struct, frozen=True):
    """One page of entries, newest first, and the sums over all pages."""

    entries: tuple[Entry, ...]
    total: int
    by_outcome: dict[str, int]
    p95_us: int


class References(msgspec.Struct, frozen=True):
    """What a typed number stands for at an institution.

    Attributes:
        persons: whose certificate it is.
        visits, settlements, msgids: which it names or belongs to.
    """

    persons: tuple[str, ...]
    visits: tuple[str, ...]
    settlements: tuple[str, ...]
    msgids: tuple[str, ...]


NOTHING = References((), (), (), ())


async def resolve(tx: Connection, *, sender: str, text: str, cert_types: list[str]) -> References:
    """Return what a number stands for at this institution; ``cert_types`` are the kinds of certificate it may be of."""
    found: dict[str, list[str]] = {"person": [], "visit": [], "settlement": [], "msgid": []}
    for row in await tx.fetch(sql.REFERENCES, sender, text, cert_types):
        found[row["kind"]].append(row["id"])
    return References(*(tuple(ids) for ids in found.values()))


async def find_messages(tx: Connection, *, sender: str, search: Search, cert_types: list[str]) -> Found:
    """Return the messages of ``sender`` that match, with sums.

    Args:
        cert_types: kinds of certificate that a number may belong to.
    """
    text, known = search.text, NOTHING
    if text:
        known = await resolve(tx, sender=sender, text=text, cert_types=cert_types)
    wanted = (
        sender, *span(search), search.infno or None, search.outcome or None,
        [text, *known.msgids] if text else None, [text, *known.persons], [text, *known.visits],
    )
    rows = await tx.fetch(sql.PAGE, *wanted, search.size, (search.page - 1) * search.size)
    sums = {row["outcome"]: row for row in await tx.fetch(sql.SUMS, *wanted)}
    overall = sums.pop(None)
    return Found(
        tuple(from_row(row) for row in rows), overall["entries"],
        {outcome: row["entries"] for outcome, row in sums.items()}, overall["p95_us"] or 0,
    )


def span(search: Search) -> tuple[datetime | None, datetime | None]:
    """Return the half-open span of instants that the days of a search stand for, None where it is open."""
    return _start(search.from_on), _start(search.to_on, days=1)


def _start(day: date | None, days: int = 0) -> datetime | None:
    if day is None:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(days=days)
