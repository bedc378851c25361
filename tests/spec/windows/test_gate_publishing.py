"""How a plan comes to count: two people, sound, nothing about the past; and an amendment that counts from the next request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.hall import Hall, problem_of
from tests.support.window_city import City, plan_text

REGION = "370300"
ACCOUNT = "/people/{}/account"


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """The city on the day of the notice, without a plan."""
    opened: City = city_at("2021-09-29 10:00", exact=True)
    return opened


@pytest.fixture(scope="module")
def first(city: City) -> Hall:
    """Who proposes."""
    return city.hall("review")


@pytest.fixture(scope="module")
def second(city: City) -> Hall:
    """Who publishes."""
    return city.hall("approve")


def status(city: City) -> int:
    """Return what a query of the intake's hall gets now."""
    psn_no = city.patient("zb-active-first")["psn_no"]
    return city.hall().send("GET", ACCOUNT.format(psn_no)).status_code


def amended(text: str, version: int, *changes: tuple[str, str]) -> str:
    """Return a plan's next version."""
    for old, new in (("version = 1", f"version = {version}"), *changes):
        assert old in text, old
        text = text.replace(old, new)
    return text


RESTART = ('restart = "2021-10-18 24:00"', 'restart = "2021-10-20 24:00"')
SAYS = ("10月18日（星期一）24:00时起", "10月20日（星期三）24:00时起")


def test_a_plan_counts_when_a_second_person_publishes_it(city: City, first: Hall, second: Hall) -> None:
    proposed = first.do("/windows/plans", {"admdvs": REGION, "text": plan_text("zibo-2021"), "reason": "公告"})
    assert (proposed["version"], proposed["state"]) == (1, "proposed")
    city.app.gate.expire()
    city.turn("2021-10-12 10:00")
    assert status(city) == 200, "a plan that waits changes nothing"
    city.turn("2021-09-29 11:00")
    place = "/windows/plans/zibo-2021/versions/1/publish"
    assert problem_of(first.send("POST", place, body={"admdvs": REGION}, key=first.new_key()))["code"] == "ROLE_MISSING"
    again = first.refused("/windows/plans", {"admdvs": REGION, "text": plan_text("zibo-2021")})
    assert again["code"] == "PLAN_WAITS"
    published = second.do(place, {"admdvs": REGION})
    assert published["state"] == "published"
    assert published["proposed_by"] != published["published_by"]
    city.app.gate.expire()
    city.turn("2021-10-12 10:00")
    assert status(city) == 423


def test_the_proposer_cannot_publish_under_another_key(city: City) -> None:
    rows = city.fetch("select proposed_by, published_by from windows.plan")
    assert all(row["proposed_by"] != row["published_by"] for row in rows)
    from yibao.kernel.actor import Actor
    from yibao.usecases.windows.propose_plan import ProposePlan, propose_plan
    from yibao.usecases.windows.publish_plan import PublishPlan, publish_plan

    one = Actor(login="both", channel="cli", regions=city.shelf.regions, roles=("review", "approve"))
    text = plan_text("huizhou-2021")
    city.do(propose_plan, ProposePlan(admdvs="441300", text=text), actor=one)
    with pytest.raises(Exception, match="不得为同一人"):
        city.do(publish_plan, PublishPlan(admdvs="441300", name="huizhou-2021", version=1), actor=one)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((("restart = \"2021-10-18 24:00\"", "restart = \"2021-10-08 24:00\""),), "恢复"),      # a restart before its stop
        ((("business = [\"remote\"]", "business = [\"nonsense\"]"),), "nonsense"),
        ((("disposition = \"suspend\"", "disposition = \"perhaps\""),), "perhaps"),
        ((("10月10日（星期日）", "10月10日（星期五）"),), "星期"),
        ((("admdvs = \"370300\"", "admdvs = \"370100\""),), ""),
    ],
)
def test_a_plan_that_is_not_sound_is_refused_with_the_line(
    city: City, first: Hall, changes: tuple[tuple[str, str], ...], words: str
) -> None:
    city.turn("2021-09-30 10:00")
    problem = first.refused("/windows/plans", {"admdvs": REGION, "text": amended(plan_text("zibo-2021"), 2, *changes)})
    assert problem["status"] in (403, 422), problem
    assert words in problem["detail"]


def test_inside_the_window_the_restart_is_moved_and_the_past_is_not(city: City, first: Hall, second: Hall) -> None:
    city.turn("2021-10-14 10:00")
    text = plan_text("zibo-2021")
    past = amended(text, 2, ('stop = "2021-10-10 00:00"', 'stop = "2021-10-11 00:00"'),
                   ("10月10日（星期日）", "10月11日（星期一）"))
    refused = first.refused("/windows/plans", {"admdvs": REGION, "text": past, "reason": "改停机日"})
    assert "AMENDS_THE_PAST" in {f["code"] for f in refused["faults"]}
    silent = first.refused("/windows/plans", {"admdvs": REGION, "text": amended(text, 2, RESTART, SAYS)})
    assert "REASON_MISSING" in {f["code"] for f in silent["faults"]}

    moved = first.do("/windows/plans", {
        "admdvs": REGION, "text": amended(text, 2, RESTART, SAYS), "reason": "数据校验未完成", "announced_in": "市医保局网站"})
    assert (moved["version"], moved["amends"]) == (2, 1)
    city.turn("2021-10-18 20:00")
    second.do("/windows/plans/zibo-2021/versions/2/publish", {"admdvs": REGION})
    city.app.gate.expire()
    for instant, expected in (("2021-10-19 00:00", 423), ("2021-10-20 23:59:59.999", 423), ("2021-10-21 00:00", 200)):
        city.turn(instant)
        assert status(city) == expected, instant
    kept = first.read("/windows/plans", name="zibo-2021")["rows"]
    assert [(v["version"], v["state"]) for v in kept] == [(1, "published"), (2, "published")], "the old plan is kept"


def test_an_amendment_that_waited_too_long_is_refused_when_it_is_published(city: City, first: Hall, second: Hall) -> None:
    city.turn("2021-10-20 20:00")
    later = amended(plan_text("zibo-2021"), 3, ('restart = "2021-10-18 24:00"', 'restart = "2021-10-22 24:00"'),
                    ("10月18日（星期一）24:00时起", "10月22日（星期五）24:00时起"))
    first.do("/windows/plans", {"admdvs": REGION, "text": later, "reason": "再推迟"})
    city.turn("2021-10-21 08:00")  # the restart of version 2 has passed
    place = "/windows/plans/zibo-2021/versions/3"
    assert second.refused(f"{place}/publish", {"admdvs": REGION})["code"] == "AMENDS_THE_PAST"
    begun = second.refused("/windows/plans/zibo-2021/versions/2/withdraw", {"admdvs": REGION, "reason": "不要了"})
    assert begun["code"] == "AMENDS_THE_PAST"
    assert second.do(f"{place}/withdraw", {"admdvs": REGION, "reason": "已恢复"})["state"] == "withdrawn"
    assert status(city) == 200


def test_another_regions_plan_is_not_there(city: City) -> None:
    other = city.hall("review", "441300")
    assert other.refused("/windows/plans", {"admdvs": REGION, "text": plan_text("zibo-2021")})["code"] == "REGION_NOT_YOURS"
    assert other.read("/windows/plans", name="zibo-2021")["rows"] == []
