"""A process of its own that assesses a month or sends its bills and says how far it is, so that a test can kill it there.

Run as ``python -m tests.support.assessor URL assess|send``: a line on standard output after every chunk.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import date, datetime

from tests.spec.policy.cities import ZIBO, city_policy
from yibao.infra.database import Database
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import RandomIds
from yibao.usecases.contributions import send_bills as sending
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.settlement.shelf import PolicyShelf

MONTH = date(2025, 1, 1)
NOW = datetime(2025, 1, 3, 12, tzinfo=SHANGHAI)


def _say(line: str) -> None:
    print(line, flush=True)


async def _run(url: str, what: str) -> None:
    database = await Database.open(url, role=None, size=2)
    shelf = PolicyShelf({ZIBO: city_policy(ZIBO)})
    if what == "assess":
        await assess_month(database, admdvs=ZIBO, month=MONTH, now=NOW, shelf=shelf, progress=_say, chunk=20)
    else:
        sending.CHUNK = 5
        await sending.send_bills(database, admdvs=ZIBO, now=NOW, ids=RandomIds(), progress=_say,
                                 actor=Actor(login="clerk.one", channel="cli"))
    await database.close()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2]))
