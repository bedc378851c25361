"""The boundary minutes of a stop and a restart on every way in: the last instant of service and the first without it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.hall import problem_of
from tests.support.window_city import City

BEFORE_STOP, STOP = "2021-10-09 23:59:59.999", "2021-10-10 00:00"
BEFORE_RESTART, RESTART = "2021-10-18 23:59:59.999", "2021-10-19 00:00"
STOPPED, OPEN = (STOP, BEFORE_RESTART), (BEFORE_STOP, RESTART)


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """The city of the first notice, with its plan published eleven days before the stop."""
    opened: City = city_at("2021-09-29 10:00", exact=True)
    opened.publish("zibo-2021")
    return opened


def asked_person(city: City) -> dict[str, Any]:
    """Ask the gateway who somebody is."""
    patient, till = city.patient("zb-active-first"), city.till()
    answer: dict[str, Any] = json.loads(till.send(till.envelope(
        "1101", {"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "psn_cert_type": "01",
                          "certno": patient["certno"], "psn_name": patient["psn_name"]}},
        insured_place=patient["insuplc_admdvs"])))
    return answer


@pytest.mark.parametrize("instant", OPEN)
def test_the_gateway_answers_outside_the_stop(city: City, instant: str) -> None:
    city.turn(instant)
    assert asked_person(city)["infcode"] == 0


@pytest.mark.parametrize("instant", STOPPED)
def test_the_gateway_says_what_is_stopped_until_when_and_whom_to_call(city: City, instant: str) -> None:
    city.turn(instant)
    answer = asked_person(city)
    assert answer["infcode"] == -1
    for words in ("暂停", "10月18日（星期一）24:00", "3120000"):
        assert words in answer["err_msg"], answer["err_msg"]


@pytest.mark.parametrize("instant", STOPPED)
def test_the_api_is_locked_with_the_same_words(city: City, instant: str) -> None:
    city.turn(instant)
    hall, patient = city.hall("intake"), city.patient("zb-active-first")
    problem = problem_of(hall.send("GET", f"/people/{patient['psn_no']}/account"))
    assert (problem["status"], problem["code"]) == (423, "WINDOW_STOPPED")
    assert problem["faults"][0]["basis"].startswith("zibo-2021 v1")
    assert "10月18日（星期一）24:00" in problem["detail"]
    assert hall.read("/me")["login"] == "intake.370300"  # what no window stops goes on


@pytest.mark.parametrize("instant", OPEN)
def test_the_api_answers_outside_the_stop(city: City, instant: str) -> None:
    city.turn(instant)
    patient = city.patient("zb-active-first")
    assert city.hall("intake").send("GET", f"/people/{patient['psn_no']}/account").status_code == 200
