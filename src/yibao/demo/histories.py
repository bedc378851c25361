"""Replays the earlier visits of the stories through the real gateway, once in each benefit year."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count

from yibao.demo.desks import order_of, read_desks
from yibao.demo.hospital import Hospital, Send
from yibao.demo.stories import Story, ordinal_of, psn_no_of, stories
from yibao.demo.world import Progress
from yibao.infra.database import Database
from yibao.kernel.business_time import SHANGHAI, business_date

# Settlements of this benefit year, reversed ones included: what was once played is not played again.
_PLAYED = """
select psn_no, count(*) as visits from settlements.settlement
where year = $1 and kind = 'settlement' group by psn_no
"""
_NAMED = "select psn_no, certno from people.person where story is not null"


async def replay_histories(
    database: Database, send: Send, *, now: Callable[[], datetime], progress: Progress
) -> int:
    """Settle what is missing of the stories' earlier visits and return how many were settled.

    A visit is dated ``now``, so it lies before the patient's next one and in the same benefit year,
    on 1 January too. Called again in the same year it does nothing.

    Args:
        database: connected as the owner of the tables, to read only.
        send: delivers a message to the running platform.

    Raises:
        VisitRefused: the platform refused a visit that the stories say it grants.
    """
    year = business_date(now()).year
    played = {r["psn_no"]: int(r["visits"]) for r in await database.fetch(_PLAYED, year)}
    certificates = {r["psn_no"]: r["certno"] for r in await database.fetch(_NAMED)}
    missing = [
        (story, number)
        for story in stories()
        for number in range(played.get(psn_no_of(story), 0), len(story.history))
    ]
    if not missing:
        return 0
    desks = await read_desks(database)
    hospital = Hospital(send, now=now, serials=count())
    for done, (story, number) in enumerate(missing, 1):
        psn_no = psn_no_of(story)
        order = order_of(
            story, story.history[number], desks, psn_no=psn_no, certno=certificates[psn_no],
            visit_no=visit_number(story, number, now()),
        )
        await hospital.settle(order)
        progress("histories", done, len(missing))
    return len(missing)


def visit_number(story: Story, number: int, at: datetime) -> str:
    """Return a visit number that no other visit of the institution has."""
    return f"MZ{at.astimezone(SHANGHAI):%Y%m%d%H%M%S%f}{ordinal_of(story):03d}{number}"
