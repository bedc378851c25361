"""Zibo, October 2021: inside the stop the restart is moved by two days, from the 18th to the 20th, 24:00.

| day | what happens |
|---|---|
| 10-08 | the plan is published; who has something open is reminded: Bob (left hospital on the 7th, not settled), Ann (in it) |
|       | and their hospital. Fay has nothing open and hears nothing. Gus's transfer is on its way, last day 10-28 |
| 10-11 | Cat hands in her transfer papers and gets a number |
| 10-12 | the hospital notes Dan's visit: paid in full, to be backfilled; Eve asks to be told when settlement is back |
| 10-14 | the second version: restart 10-20 24:00. A restart that would have passed is refused |
| 10-14 | whoever is affected is told once what changed: Ann to Eve, Gus, the hospital; Fay is not. Sent again: nobody |
| 10-19 00:00 | still closed, as the second version says; the first would have opened |
| 10-21 00:00 | open; Eve is told, Dan may have his visit settled, Cat's papers are worked on |

Gus's clock is 10 and 5 working days from Friday 10-08. Saturday 10-09 is worked (State Council, autumn 2021), so ten end on
10-21 (9, 11, 12, 13, 14, 15, 18, 19, 20, 21) and five more on 10-28 (22, 25, 26, 27, 28). The stop takes the working days 11,
12, 13, 14, 15 and 18: six more after the 28th end on 11-05 (29, 1, 2, 3, 4, 5). Moved by two days it takes 19 and 20 too:
11-09 (8, 9).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.hall import problem_of
from tests.support.register_desk import transfer
from tests.support.till import Till
from tests.support.window_city import City, Denied, at
from tests.support.window_desk import WindowDesk
from yibao.domains.windows.shipped import plan_text
from yibao.kernel.actor import Actor
from yibao.usecases.deadlines.move_deadlines import move_deadlines
from yibao.usecases.windows.propose_plan import ProposePlan, propose_plan

REGION, PLAN = "370300", "zibo-2021"
OLD, NEW, PASSED = "10月18日（星期一）24:00", "10月20日（星期三）24:00", "10月13日（星期三）24:00"


def restarting(restart: str, says: str) -> str:
    """Return the plan with another restart."""
    text = plan_text(PLAN) or ""
    return text.replace('restart = "2021-10-18 24:00"', f'restart = "{restart}"').replace(OLD, says)


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    opened: City = city_at("2021-10-08 08:00")
    return opened


def messages(city: City, whom: dict[str, Any], kind: str) -> list[str]:
    """Return what a person was told of a kind, as the counter reads it to him."""
    rows = city.hall("intake").read(f"/people/{whom['psn_no']}/messages")["rows"]
    return [r["text"] for r in rows if r["kind"] == kind]


def send(city: City) -> dict[str, Any]:
    """Have the agency send what is to be said now."""
    return city.hall("review").do(f"/notices/{PLAN}/send", {"admdvs": REGION})


def move(city: City) -> None:
    """Have the batch move the last days."""
    actor = Actor(login="batch", channel="cli", regions=city.shelf.regions)
    city.with_database(lambda d: move_deadlines(
        d, admdvs=REGION, now=city.clock.now(), ids=city.ids, actor=actor, shelf=city.shelf))


def transfer_due(city: City, whom: dict[str, Any]) -> list[str]:
    """Return the last day of somebody's transfer."""
    return [r["due_on"] for r in city.fetch(
        "select due_on::text from transfers.transfer where psn_no = $1 and state = 'asked'", whom["psn_no"])]


def start_transfer(city: City, whom: dict[str, Any]) -> None:
    """Ask for a transfer, through both clerks."""
    made = city.hall("intake").do("/applications", transfer(whom))
    place = f"/applications/{made['application_id']}"
    city.hall("intake").do(f"{place}/accept", {"says": "齐全"})
    city.hall("review").do(f"{place}/review", {"says": "同意"})
    city.hall("approve").do(f"{place}/approve", {"says": "同意"})


def stays(city: City, ann: dict[str, Any], bob: dict[str, Any]) -> str:
    """Put Ann into hospital, and let Bob leave it without a settlement; return the hospital's code."""
    ward = city.ward()
    ward.admit(ann, at("2021-10-05 09:00"))
    left = ward.admit(bob, at("2021-10-04 09:00"))
    ward.discharge(left, at("2021-10-07 10:00"))
    return ward.counter.fixmedins_code


def reach(till: Till, patient: dict[str, Any]) -> str:
    """Ask who a patient is at the till and return the refusal, "" if it is answered."""
    content = {"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "psn_cert_type": "01",
                        "certno": patient["certno"], "psn_name": patient["psn_name"]}}
    reply = till.send(till.envelope("1101", content, insured_place=REGION)).decode()
    return reply if "恢复时间" in reply else ""


def test_a_restart_that_moves_inside_the_window_is_told_to_everybody_it_concerns(city: City) -> None:
    ann, bob, cat, dan, eve, fay, gus = (city.patient(story) for story in (
        "zb-active-first", "zb-active-over-deductible", "zb-retired-first", "zb-flexible", "zb-resident-first",
        "zb-active-emergency", "zb-active-registration"))
    counter, till = city.hall("intake"), city.till()
    everybody = (ann, bob, cat, dan, eve, fay, gus)

    # 10-08: published; reminders
    hospital = stays(city, ann, bob)
    start_transfer(city, gus)
    assert transfer_due(city, gus) == ["2021-10-28"]
    city.publish(PLAN)
    first = send(city)
    assert set(first["kinds"]) == {"last_call"}
    assert first["left"] == 0
    assert len(messages(city, bob, "last_call")) == 1
    assert "2021-10-04在" in messages(city, bob, "last_call")[0]
    assert "尚未结算" in messages(city, bob, "last_call")[0]
    assert any("正在住院" in text for text in messages(city, ann, "last_call"))
    assert all(OLD in text and "3120000" in text for text in messages(city, ann, "last_call"))
    assert [messages(city, one, "last_call") for one in (cat, dan, eve, fay)] == [[]] * 4
    of_hospital = city.hall(hospital).read(f"/institutions/{hospital}/messages")["rows"]
    assert any("有1名患者已出院、尚未结算" in r["text"] for r in of_hospital)
    assert send(city)["sent"] == 0
    move(city)
    assert transfer_due(city, gus) == ["2021-11-05"]

    # 10-11 and 10-12: what waits
    city.turn("2021-10-11 09:30")
    papers = counter.do("/applications", transfer(cat))
    assert papers["state"] == "registered"
    city.turn("2021-10-12 10:00")
    visit = WindowDesk(city.hall(hospital)).note(
        dan, kind="outpatient", visit_no="MZ1012", begin=at("2021-10-12 09:30"), end_at=at("2021-10-12 09:40"),
        total_fen=20000, cash=[{"kind": "payment", "amount_fen": 20000, "receipt_no": "SJ1012"}])["episode"]
    asked = counter.do("/notices/subscriptions", {
        "admdvs": REGION, "plan": PLAN, "business": "outpatient_settlement", "psn_no": eve["psn_no"]})
    assert asked["track"] == "settlement"

    # 10-14: the second version
    city.turn("2021-10-14 15:00")
    with pytest.raises(Denied) as past:
        city.do(propose_plan, ProposePlan(admdvs=REGION, reason="改期", text=restarting("2021-10-13 24:00", PASSED)))
    assert past.value.refusal.code == "AMENDS_THE_PAST"
    second = city.publish(restarting("2021-10-20 24:00", NEW), reason="省级验收推迟两天")
    assert (second.version, second.amends) == (2, 1)
    move(city)
    assert transfer_due(city, gus) == ["2021-11-09"]
    told = send(city)
    assert told["version"] == 2
    assert set(told["kinds"]) == {"restart_moved"}
    change = f"恢复时间由{OLD}时起改为{NEW}时起"
    for whom in (ann, bob, cat, dan, eve):
        text = messages(city, whom, "restart_moved")
        assert len(text) == 1, whom["story"]
        assert change in text[0]
        assert "3120000" in text[0]
    assert papers["register_no"] in messages(city, cat, "restart_moved")[0]
    assert str(visit["settle_by"]) in messages(city, dan, "restart_moved")[0]
    assert messages(city, fay, "restart_moved") == []
    # Gus was reminded of his transfer; his last day is told by the batch that moved it, twice.
    assert len(messages(city, gus, "restart_moved")) == 1
    assert len(messages(city, gus, "deadline_moved")) == 2
    of_hospital = city.hall(hospital).read(f"/institutions/{hospital}/messages")["rows"]
    assert [r["kind"] for r in of_hospital].count("restart_moved") == 1
    before = city.fetch("select count(*) as n from notices.message")[0]["n"]
    assert send(city)["sent"] == 0
    assert city.fetch("select count(*) as n from notices.message")[0]["n"] == before

    # what the first version said can still be read, beside what counts
    reader = city.hall("audit")
    assert OLD in reader.read(f"/notices/{PLAN}", admdvs=REGION, version=1)["text"]
    now = reader.read(f"/notices/{PLAN}", admdvs=REGION)
    assert now["version"] == 2
    assert NEW in now["text"]
    assert OLD not in now["text"]
    assert "第2版，代替第1版。省级验收推迟两天。" in now["text"]

    # 10-19 and 10-21: what was said is what happens
    city.turn("2021-10-19 00:00")
    assert NEW in reach(till, ann)
    stopped = problem_of(counter.send("POST", "/applications", body=transfer(fay, kind="out"), key=counter.new_key()))
    assert (stopped["status"], stopped["code"]) == (423, "WINDOW_STOPPED")
    assert send(city)["sent"] == 0
    city.turn("2021-10-21 00:00")
    assert reach(till, ann) == ""
    assert set(send(city)["kinds"]) == {"opened"}
    for whom in (cat, dan, eve):
        assert len(messages(city, whom, "opened")) == 1, whom["story"]
    assert "补录结算" in messages(city, dan, "opened")[0]
    assert papers["register_no"] in messages(city, cat, "opened")[0]
    assert [messages(city, one, "opened") for one in (ann, bob, fay, gus)] == [[]] * 4
    assert send(city)["sent"] == 0

    # a bulletin counts what is left; the notice is printed
    published = city.hall("review").do(f"/notices/{PLAN}/bulletins", {"admdvs": REGION})
    assert "职工医保关系转入材料造册：共1件，已办结0件，待办1件，最早一件登记于2021-10-11。" in published["text"]
    assert "停机期间费用补录登记：共1件，已办结0件，待办1件，最早一件登记于2021-10-12。" in published["text"]
    page = reader.send("GET", f"/notices/{PLAN}/pdf", query={"admdvs": REGION})
    assert page.content.startswith(b"%PDF")

    everyone = {m["psn_no"] for m in city.fetch("select psn_no from notices.message where psn_no <> ''")}
    assert everyone <= {one["psn_no"] for one in everybody}
    assert fay["psn_no"] not in everyone
    assert city.breaches() == {}
