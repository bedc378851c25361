"""Queries as of the stop: taken once it has begun, given with their date, and refused where nothing was taken."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from tests.support.hall import problem_of
from tests.support.window_city import City, plan_text
from yibao.entrypoints.api.as_of import Taken, take_snapshot
from yibao.entrypoints.api.services import ApiServices
from yibao.infra.database import Database
from yibao.kernel.actor import Actor

REGION = "370300"
PLAN = "changsha-2021"
"""Its enrolment stands from 10-22 18:00 to 11-21 24:00, and its queries go on as of the stop."""


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """A city with the plan of another."""
    opened: City = city_at("2021-10-20 09:00", exact=True)
    text = plan_text(PLAN)
    assert text.count('admdvs = "430100"') == 1
    opened.publish(text.replace('admdvs = "430100"', f'admdvs = "{REGION}"'))
    return opened


def take(city: City) -> Taken:
    """Take the answers at the city's time."""
    gate = city.gate()
    actor = Actor(login="clerk.first", channel="cli", regions=(REGION,), roles=("review",))

    async def run(database: Database) -> Taken:
        services = ApiServices(database=database, clock=city.clock, ids=city.ids, shelf=city.shelf, regions={REGION: ""},
                               policies={}, gate=gate)
        return await take_snapshot(database, services, gate.plans[0], actor=actor, progress=lambda _says: None)

    return city.with_database(run)


def account(city: City, **query: Any) -> Any:
    """Ask for somebody's account."""
    return city.hall().send("GET", f"/people/{city.patient('zb-active-first')['psn_no']}/account", query=query)


def test_before_the_stop_nothing_is_taken(city: City) -> None:
    city.turn("2021-10-22 17:59")
    assert take(city) == Taken(0, ())


def test_a_query_is_answered_as_of_the_stop_and_says_so(city: City) -> None:
    city.turn("2021-10-22 17:59:59.999")
    live = account(city)
    assert live.status_code == 200
    assert "x-yibao-as-of" not in live.headers
    city.turn("2021-10-22 18:05")
    assert problem_of(account(city))["status"] == 423, "nothing was taken yet"
    taken = take(city)
    assert taken.people >= 60
    assert "show_account" in taken.questions

    # Another business goes on and moves the account; the answer stays what it was.
    moved = "update ledger.personal_account set balance_fen = balance_fen + 100 where psn_no = $1 returning psn_no"
    psn_no = city.patient("zb-active-first")["psn_no"]
    assert city.fetch(moved, psn_no)
    city.turn("2021-11-01 10:00")
    dated = account(city)
    assert dated.status_code == 200
    assert dated.json() == live.json()
    assert dated.headers["x-yibao-as-of"] == "2021-10-22T18:05:00+08:00"
    assert "截至2021-10-22 18:05" in unquote(dated.headers["x-yibao-advice"])

    assert problem_of(account(city, begin="2021-01-01"))["status"] == 423, "another question was not kept"
    assert take(city).people == taken.people
    assert account(city).headers["x-yibao-as-of"] == "2021-10-22T18:05:00+08:00", "taken again changes nothing"
    city.fetch(moved.replace("+ 100", "- 100"), psn_no)


def test_after_the_restart_it_is_answered_live(city: City) -> None:
    city.turn("2021-11-22 00:00")
    live = account(city)
    assert live.status_code == 200
    assert "x-yibao-as-of" not in live.headers
