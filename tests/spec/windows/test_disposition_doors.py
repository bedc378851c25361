"""Dispositions that only say who may go on and by which way: each one sent through a real way in of the platform.

The plan is that of the first notice with rules of other cities' sort added to it.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from tests.support.filing_desk import accident
from tests.support.hall import problem_of
from tests.support.window_city import City, plan_text

BEFORE, INSIDE, AFTER = "2021-10-09 10:00", "2021-10-13 10:00", "2021-10-20 10:00"
MORE = """
[[rule]]
id = "D-CONTINUE"
disposition = "continue"
when.business = ["query"]
when.channel = ["api"]
phase = ["frozen"]
says = "窗口照常查询"

[[rule]]
id = "D-DEFER"
disposition = "defer_advice"
when.business = ["query"]
phase = ["after"]
end = "2021-10-25 00:00"
says = "恢复初期请非急需的业务缓几天办理"

[[rule]]
id = "D-DELEGATE"
disposition = "delegate"
when.business = ["injury_review"]
when.channel = ["gateway"]
phase = ["frozen", "after"]
says = "意外伤害暂由医院办理"
terms.to = "institution"

[[rule]]
id = "D-ALTERNATE"
disposition = "alternate_channel"
when.business = ["injury_review"]
phase = ["after"]
says = "请到就诊医院办理"
terms.channel = ["gateway"]

[[rule]]
id = "D-RETIRE"
disposition = "retire"
when.channel = ["kiosk"]
phase = ["frozen", "after"]
says = "自助终端不再办理医保业务"
terms.successor = "app"

[[channel]]
code = "kiosk"
title = "老自助终端"
track = "online"
successor = "app"

[[register]]
kind = "delegated"
title = "医院审批登记"
keeper = "institution"
"""


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """The city of the first notice with the added rules, published before the stop."""
    opened: City = city_at("2021-09-29 10:00", exact=True)
    opened.publish(plan_text("zibo-2021") + MORE)
    return opened


def looked_up(city: City) -> Any:
    """Look at somebody's account through the API."""
    return city.hall("intake").send("GET", f"/people/{city.patient('zb-active-first')['psn_no']}/account")


def injury(city: City) -> dict[str, Any]:
    """File an injury at the agency."""
    hall, patient = city.hall("intake"), city.patient("zb-active-first")
    response = hall.send("POST", f"/people/{patient['psn_no']}/injuries", key=hall.new_key(), body={
        "kind": "accident", "injured_on": "2021-10-08", "place": "家中", "cause": "跌倒", "has_undertaking": True})
    return {"status": response.status_code, "problem": problem_of(response) if response.status_code == 423 else {}}


def test_continue_goes_on_while_all_else_is_stopped(city: City) -> None:
    city.turn(INSIDE)
    answer = looked_up(city)
    assert answer.status_code == 200, answer.text
    assert "x-yibao-advice" not in answer.headers
    assert injury(city)["status"] == 423


def test_defer_advice_lets_people_on_and_asks_them_to_wait(city: City) -> None:
    city.turn(AFTER)
    answer = looked_up(city)
    assert answer.status_code == 200
    assert unquote(answer.headers["x-yibao-advice"]) == "恢复初期请非急需的业务缓几天办理"
    city.turn("2021-10-25 00:00")
    assert "x-yibao-advice" not in looked_up(city).headers


def test_alternate_channel_refuses_here_and_names_the_other_way(city: City) -> None:
    city.turn(AFTER)
    refused = injury(city)
    assert refused["status"] == 423
    assert refused["problem"]["code"] == "WINDOW_STOPPED"
    assert "请到就诊医院办理" in refused["problem"]["detail"]
    assert refused["problem"]["faults"][0]["basis"].endswith("D-ALTERNATE")
    city.turn(BEFORE)
    assert injury(city)["status"] != 423


def test_delegate_lets_the_hospital_decide_while_all_else_is_stopped(city: City) -> None:
    city.turn(INSIDE)
    till, patient = city.till(), city.patient("zb-active-first")
    other = next(p for p in city.world["patients"] if p["insuplc_admdvs"] == patient["insuplc_admdvs"]
                 and p["psn_no"] != patient["psn_no"])
    content = accident(other, till, trum_time="2021-10-12", begndate="2021-10-13")
    answer = json.loads(till.send(till.envelope("2507", content, insured_place=other["insuplc_admdvs"])))
    assert answer["infcode"] == 0, answer["err_msg"]
    stopped = json.loads(till.send(till.envelope("2201", till.registration(patient, begin="2021-10-13 10:00:00"),
                                                 insured_place=patient["insuplc_admdvs"])))
    assert stopped["infcode"] == -1
    assert injury(city)["status"] == 423


def test_retire_ends_a_channel_for_good_and_names_its_successor(city: City) -> None:
    hall, patient = city.hall("intake"), city.patient("zb-active-first")

    def asked(at: str) -> Any:
        city.turn(at)
        return hall.send("POST", "/applications", key=hall.new_key(), body={
            "admdvs": "370300", "item_code": "002036003001", "applicant_kind": "person", "applicant_no": patient["psn_no"],
            "applicant_name": patient["psn_name"], "channel": "kiosk", "body": {"psn_no": patient["psn_no"]}})

    assert asked(BEFORE).status_code != 423
    for at in (INSIDE, AFTER, "2022-03-01 10:00"):
        problem = problem_of(asked(at))
        assert problem["status"] == 423, problem
        assert "老自助终端已停用" in problem["detail"]
        assert "自助终端不再办理医保业务" in problem["detail"]

