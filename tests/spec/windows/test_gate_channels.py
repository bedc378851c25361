"""Dispositions of access at a way in: a channel that ends for good, and a business that the plan lets go on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.hall import problem_of
from tests.support.window_city import City, plan_text

REGION = "370300"
MORE = """
[[channel]]
code = "kiosk"
title = "自助终端"
track = "online"
successor = "app"

[[rule]]
id = "T-R1"
disposition = "retire"
when.channel = ["kiosk"]
phase = ["frozen", "after"]
says = "自助终端不再办理医保业务，请改用手机小程序，须重新注册"
terms.successor = "app"
mark = "assumed"
terms.assumed_why = "试验"

[[rule]]
id = "T-R2"
disposition = "continue"
when.business = ["certificate"]
when.channel = ["api"]
phase = ["frozen"]
says = "参保凭证照常出具"
mark = "assumed"
terms.assumed_why = "试验"
"""


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """The first city with two rules more."""
    opened: City = city_at("2021-09-30 09:00", exact=True)
    opened.publish(plan_text("zibo-2021") + MORE)
    return opened


def apply(city: City, channel: str) -> Any:
    """Apply for a change of somebody's facts through a channel."""
    patient = city.patient("zb-active-first")
    return city.hall("intake").send("POST", "/applications", key=city.hall("intake").new_key(), body={
        "admdvs": REGION, "item_code": "002036003002", "applicant_kind": "person", "applicant_name": patient["psn_name"],
        "applicant_no": patient["psn_no"], "channel": channel, "body": {}, "phone": "13900000000"})


def test_a_retired_channel_is_refused_for_good_and_names_its_successor(city: City) -> None:
    city.turn("2021-10-09 12:00")
    assert apply(city, "kiosk").status_code != 423
    # Inside the stop the business itself stands as well; nobody is told to wait at a channel that does not return.
    for instant in ("2021-10-10 00:00", "2021-10-18 23:59:59.999", "2021-10-19 00:00", "2021-12-01 10:00", "2022-06-01 10:00"):
        city.turn(instant)
        problem = problem_of(apply(city, "kiosk"))
        assert (problem["status"], problem["code"]) == (423, "WINDOW_STOPPED"), (instant, problem)
        assert "停用" in problem["detail"]
        assert "请改用手机小程序" in problem["detail"]
    assert apply(city, "app").status_code != 423, "the successor serves after the restart"


def test_what_the_plan_lets_go_on_goes_on(city: City) -> None:
    city.turn("2021-10-09 12:00")  # the city's clock goes back: the plan says the same of the same instant
    hall, psn_no = city.hall("intake"), city.patient("zb-active-first")["psn_no"]
    city.turn("2021-10-12 12:00")
    issued = hall.do("/certificates", {"psn_no": psn_no})
    assert issued["psn_no"] == psn_no
    assert hall.send("GET", f"/people/{psn_no}/account").status_code == 423, "and nothing beside it"
    told = hall.read(f"/windows/now?admdvs={REGION}")["rows"]
    assert {t["stage"] for t in told} == {"frozen"}
