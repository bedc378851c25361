"""Every way in at the boundary minutes of both notices: institutions' messages, halls, pages, offices outside, batches.

The server runs in this process, so that the host's zone can be turned: business time must not follow it.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.hall import problem_of
from tests.support.window_city import City, at
from yibao.domains.exchange.rules import canonical
from yibao.entrypoints.cli.window_gate import refuse_verb
from yibao.infra.database import Connection, Database
from yibao.infra.digest import sm3
from yibao.kernel.refusal import Refusal
from yibao.usecases.exchange.relay import Round, relay_round
from yibao.usecases.exchange.take_message import Means

ZIBO, HUIZHOU = "370300", "441300"
ZIBO_STOP, ZIBO_RESTART = "2021-10-10 00:00", "2021-10-19 00:00"  # "10月18日24:00" is the first instant of the 19th
HUIZHOU_STOP, HUIZHOU_RESTART = "2021-01-25 00:00", "2021-02-03 08:00"
LAST = "{} 23:59:59.999"


@pytest.fixture(scope="module", params=["Asia/Shanghai", "UTC", "America/Los_Angeles"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """Turn the zone of this process, in which the server runs."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.fixture(scope="module")
def city(city_at: Any, zone: str) -> City:
    """Both cities with their plans, published before either stop."""
    opened: City = city_at("2021-01-20 09:00", exact=True)
    opened.publish("huizhou-2021")
    opened.publish("zibo-2021")
    return opened


BOUNDARIES = [
    (HUIZHOU, LAST.format("2021-01-24"), True), (HUIZHOU, HUIZHOU_STOP, False),
    (HUIZHOU, "2021-02-03 07:59:59.999", False), (HUIZHOU, HUIZHOU_RESTART, True),
    (ZIBO, LAST.format("2021-10-09"), True), (ZIBO, ZIBO_STOP, False),
    (ZIBO, LAST.format("2021-10-18"), False), (ZIBO, ZIBO_RESTART, True),
]
"""Region, instant, and whether business goes on then, as the notices say."""
STORIES = {ZIBO: "zb-active-first", HUIZHOU: "hz-active-first"}


def patient_of(city: City, region: str) -> dict[str, Any]:
    """Return somebody insured in a region."""
    return next(dict(p) for p in city.world["patients"] if p["insuplc_admdvs"][:4] == region[:4])


def says_no(text: str) -> bool:
    """Say whether an answer is the window's."""
    return "暂停" in text and "恢复时间" in text


@pytest.mark.parametrize(("region", "instant", "is_open"), BOUNDARIES)
def test_messages_of_institutions(city: City, region: str, instant: str, is_open: bool) -> None:
    city.turn(instant)
    patient, till = patient_of(city, region), city.till(region)
    asked = {"mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "psn_cert_type": "01",
             "certno": patient["certno"], "psn_name": patient["psn_name"]}
    for infno, content in (("1101", {"data": asked}), ("2201", till.registration(patient, begin=instant[:16] + ":00"))):
        answer = json.loads(till.send(till.envelope(infno, content, insured_place=patient["insuplc_admdvs"])))
        assert (answer["infcode"] == 0) == is_open, (infno, answer)
        assert says_no(answer["err_msg"]) != is_open


@pytest.mark.parametrize(("region", "instant", "is_open"), BOUNDARIES)
def test_halls_and_their_deeds(city: City, region: str, instant: str, is_open: bool) -> None:
    city.turn(instant)
    hall, patient = city.hall("intake", region), patient_of(city, region)
    looked = hall.send("GET", f"/people/{patient['psn_no']}/account")
    done = hall.send("POST", f"/people/{patient['psn_no']}/corrections", key=hall.new_key(), body={
        "field": "phone", "new_value": "13900000000", "reason": "换号", "evidence": "本人申请"})
    for response in (looked, done):
        if is_open:
            assert response.status_code != 423, response.text
        else:
            problem = problem_of(response)
            assert (problem["status"], problem["code"]) == (423, "WINDOW_STOPPED")
            assert says_no(problem["detail"])
            assert problem["faults"][0]["basis"]
    assert hall.read("/me")["login"] == f"intake.{region}", "what no window stops goes on"
    assert looked.status_code == (200 if is_open else 423)


@pytest.mark.parametrize(("region", "instant", "is_open"), BOUNDARIES)
def test_pages(city: City, region: str, instant: str, is_open: bool) -> None:
    city.turn(instant)
    with httpx.Client(base_url=city.base_url, follow_redirects=True) as browser:
        form = browser.get("/institution/login").text
        token = re.search(r'name="form_token" value="([^"]+)"', form)
        assert token is not None
        staff = city.institution(region)["pages"]
        front = browser.post("/institution/login", data={**staff, "form_token": token[1]})
        assert front.status_code in (200, 423)  # whoever signs in is led on to a page; that he may sign in is not stopped
        page = browser.get("/institution/settlements")
        log = browser.get("/institution/messages")
    assert page.status_code == (200 if is_open else 423), page.text[:300]
    assert says_no(page.text) != is_open
    assert log.status_code == 200


class Told:
    """An office outside that has said something; the handlers write down what reaches them."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.seen: list[str] = []

    def says(self, kind: str, admdvs: str, what: str) -> None:
        """Let the office say something."""
        no = len(self.messages) + 1
        body = {"what": what, "admdvs": admdvs}
        self.messages.append({"no": no, "id": f"M-{no}", "kind": kind, "admdvs": admdvs, "body": body,
                              "digest": sm3(canonical(body).encode()).hex()})

    async def deliver(self, messages: list[dict[str, Any]]) -> int:
        """Take everything."""
        return int(messages[-1]["no"])

    async def fetch(self, *, after: int, limit: int) -> list[dict[str, Any]]:
        """Return what was said after a number."""
        return self.messages[after:after + limit]

    async def handle(self, _tx: Connection, body: dict[str, Any], _means: Means) -> Refusal | None:
        """Write down what was told."""
        self.seen.append(body["what"])
        return None

    def round(self, city: City) -> Round:
        """Carry one round at the city's time and by its plans."""
        gate = city.gate()
        handlers = {("hr", kind): self.handle for kind in ("card", "retired")}

        async def run(database: Database) -> list[Round]:
            return await relay_round(
                database, links={"hr": self}, handlers=handlers, now=city.clock.now(), ids=city.ids, shelf=city.shelf,
                gate=gate,
            )

        return next(r for r in city.with_database(run) if r.party == "hr")


@pytest.fixture(scope="module")
def office(city: City) -> Told:
    """The human-resources bureau."""
    return Told()


def test_what_offices_say_in_the_stop_is_kept_and_handled_in_order_after_it(city: City, office: Told) -> None:
    city.turn(LAST.format("2021-10-09"))
    office.says("card", ZIBO, "last before the stop")
    office.round(city)
    assert office.seen == ["last before the stop"]

    city.turn(ZIBO_STOP)
    for kind, region, what in (("card", ZIBO, "first"), ("retired", ZIBO, "second"), ("card", HUIZHOU, "elsewhere"),
                               ("card", ZIBO, "third")):
        office.says(kind, region, what)
    office.round(city)
    assert office.seen[1:] == ["elsewhere"], "another city's business goes on, the stopped city's waits"
    office.round(city)
    city.turn(LAST.format("2021-10-18"))
    office.round(city)
    assert office.seen[1:] == ["elsewhere"]
    assert city.fetch("select count(*) as n from exchange.case where party = 'hr'") == [{"n": 0}], "held is not refused"
    held = city.fetch("select no from exchange.inbox where outcome = 'held' order by no")
    assert [row["no"] for row in held] == [2, 3, 5]

    city.turn(ZIBO_RESTART)
    office.says("card", ZIBO, "after the restart")
    office.round(city)
    assert office.seen[2:] == ["first", "second", "third", "after the restart"]
    assert city.fetch("select no from exchange.inbox where outcome = 'held'") == []
    office.round(city)
    assert len(office.seen) == 6, "handled once"


@pytest.mark.parametrize(("region", "instant", "is_open"), BOUNDARIES)
def test_batches(city: City, region: str, instant: str, is_open: bool) -> None:
    regions = city.shelf.regions

    async def ask(database: Database, told: dict[str, Any], verb: str) -> Refusal | None:
        async with database.connection() as connection:
            return await refuse_verb(connection, verb, told, regions=regions, now=at(instant))

    def refused(told: dict[str, Any], verb: str = "dues assess") -> Refusal | None:
        return city.with_database(lambda d: ask(d, told, verb))

    own = refused({"admdvs": region})
    assert (own is None) == is_open
    assert own is None or says_no(own.sentence())
    other = HUIZHOU if region == ZIBO else ZIBO
    assert refused({"admdvs": other}) is None, "the other city's work goes on"
    assert (refused({"psn_no": patient_of(city, region)["psn_no"]}, "account statement") is None) == is_open
    assert (refused({}) is None) == is_open, "a verb that names no region is about every region"
    assert refused({"admdvs": region}, "verify") is None, "what looks after the platform itself is never stopped"


def test_what_the_second_notice_leaves_to_be_announced_stays_closed_after_the_restart(city: City) -> None:
    # "职工医疗保险参保人个人账户划拨、医疗保险补缴……暂时无法正常办理，业务恢复办理的时间将另行通知"
    async def ask(database: Database, verb: str, told: dict[str, Any]) -> Refusal | None:
        async with database.connection() as connection:
            return await refuse_verb(connection, verb, told, regions=city.shelf.regions, now=at("2021-04-30 10:00"))

    for verb, is_open in (("account credit", False), ("dues pay-back", False), ("dues assess", True), ("enrol import", True)):
        refusal = city.with_database(lambda d, v=verb: ask(d, v, {"admdvs": HUIZHOU}))  # type: ignore[misc]
        assert (refusal is None) == is_open, verb
        assert refusal is None or "恢复时间" in refusal.sentence(), refusal
        assert refusal is None or "待公告" in refusal.sentence() or "另行通知" in refusal.sentence(), refusal
