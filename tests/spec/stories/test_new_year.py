"""The stories hold on 1 January too: a world built and played in the old year is played again in the new one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from tests.spec.stories.conftest import silent
from yibao.app import App
from yibao.demo.description import ENDPOINT, describe
from yibao.demo.desks import order_of, read_desks
from yibao.demo.histories import replay_histories, visit_number
from yibao.demo.hospital import Hospital, Send
from yibao.demo.senders import asgi_sender
from yibao.demo.stories import psn_no_of, stories
from yibao.demo.world import build_world
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.clock import FixedClock
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.load_catalogue import load_all
from yibao.usecases.policies.publish_policies import publish_policies

EVE = datetime(2026, 12, 31, 23, 50, tzinfo=SHANGHAI)
NEW_YEAR = datetime(2027, 1, 1, 0, 0, 30, tzinfo=SHANGHAI)
PATIENTS = [s for s in stories() if not s.apart]
VISITS = sum(len(s.history) for s in stories())


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    """Return the clock of the platform, ten minutes before midnight."""
    return FixedClock(EVE)


@pytest.fixture(scope="module")
async def send(
    database: Database, database_url: str, clock: FixedClock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Send]:
    """Run the platform on that clock over a world that was built on the last day of the year."""
    await publish_policies(database, now=EVE)
    await load_all(database, now=EVE, ids=RandomIds())
    await build_world(database, persons=0, seed=7, today=EVE.date(), progress=silent)
    app = App(
        Settings(home=Path(tmp_path_factory.mktemp("home")), database_url=database_url, demo=True, connections=2),
        policy_files=read_policy_files(), clock=clock,
    )
    await app.start()
    yield asgi_sender(app, ENDPOINT)
    await app.stop()


async def test_every_patient_is_next_again_in_the_new_year(
    database: Database, send: Send, clock: FixedClock
) -> None:
    assert await replay_histories(database, send, now=clock.now, progress=silent) == VISITS
    clock.at = NEW_YEAR
    assert await replay_histories(database, send, now=clock.now, progress=silent) == VISITS
    assert await replay_histories(database, send, now=clock.now, progress=silent) == 0
    described = await describe(database, base_url="http://x", today=date(2027, 1, 1), seed=7)
    assert {p["story"] for p in described["patients"]} == {s.key for s in PATIENTS}

    clock.at = NEW_YEAR + timedelta(minutes=1)
    hospital, desks = Hospital(send, now=clock.now, serials=count()), await read_desks(database)
    certificates = {p["story"]: p["certno"] for p in described["patients"]}
    wrong = {}
    for story in PATIENTS:
        settled = await hospital.settle(order_of(
            story, story.visit, desks, psn_no=psn_no_of(story), certno=certificates[story.key],
            visit_no=visit_number(story, 9, clock.now()),
        ))
        given = {name: Decimal(settled.setlinfo[name]) for name in story.expected}
        if given != story.expected:
            wrong[story.key] = (given, story.expected)
    assert not wrong
