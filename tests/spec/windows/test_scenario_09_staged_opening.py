"""Scenario 9: a reopening in stages. Institutions open by themselves at the restart; too many of their messages fail and the
stage closes; it is mended and resumed by hand; then the counters open, then what is online. See docs/windows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.proofs.platform import until
from tests.support.hall import Hall, problem_of
from tests.support.window_city import City, plan_text
from yibao.usecases.windows.watch_stages import watch_stages

REGION = "370300"
STAGES = "/windows/plans/shenzhen-2021/stages"
GOOD, BAD = 25, 5


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """A city with a plan of three stages: stop 08-15 00:00, restart 08-17 08:00, a share of failures of at most 0.50 %."""
    opened: City = city_at("2021-08-11 09:00", exact=True)
    text = plan_text("shenzhen-2021")
    assert text.count('admdvs = "440300"') == 1
    opened.publish(text.replace('admdvs = "440300"', f'admdvs = "{REGION}"'))
    return opened


@pytest.fixture(scope="module")
def head(city: City) -> Hall:
    """Who opens stages."""
    return city.hall("approve")


def ask(city: City, name: str = "") -> dict[str, Any]:
    """Ask as a hospital who somebody is; under another name it is a failure."""
    patient, till = city.patient("zb-active-first"), city.till()
    asked = {"mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "psn_cert_type": "01",
             "certno": patient["certno"], "psn_name": name or patient["psn_name"]}
    message = till.envelope("1101", {"data": asked}, insured_place=patient["insuplc_admdvs"])
    answer: dict[str, Any] = json.loads(till.send(message))
    return answer


def traffic(city: City, *, good: int, bad: int) -> None:
    """Send messages of which some fail, and wait until the log has them: it is written behind the replies."""
    before = logged(city)
    answers = [ask(city)["infcode"] for _ in range(good)] + [ask(city, "无此人")["infcode"] for _ in range(bad)]
    assert answers == [0] * good + [-1] * bad
    assert until(lambda: logged(city) >= before + good + bad, within_s=30)


def logged(city: City) -> int:
    """Return how many messages the log has."""
    return int(city.fetch("select count(*) as n from platform.traffic")[0]["n"])


def watch(city: City) -> None:
    """Let the stop rule look now, as the server does every ten seconds."""

    async def look(tx: Any, *, actor: Any, now: Any, ids: Any) -> Any:
        return await watch_stages(tx, regions=actor.regions, now=now, ids=ids)

    city.do(look)
    city.app.gate.expire()


def states(head: Hall) -> list[str]:
    """Return how the three stages stand."""
    return [row["state"] for row in head.read(STAGES, admdvs=REGION)["rows"]]


def account(city: City) -> Any:
    """Ask at a counter for somebody's account."""
    return city.hall("intake").send("GET", f"/people/{city.patient('zb-active-first')['psn_no']}/account")


def test_1_before_the_restart_nothing_is_open_and_no_stage_can_be(city: City, head: Hall) -> None:
    city.turn("2021-08-17 07:59:59.999")
    assert ask(city)["infcode"] == -1
    assert states(head) == ["waits", "waits", "waits"]
    early = problem_of(head.send("POST", f"{STAGES}/2/open", body={"admdvs": REGION}, key=head.new_key()))
    assert early["code"] == "STAGE_TOO_EARLY"
    assert "08" in early["detail"] or "8月17日" in early["detail"]


def test_2_at_the_restart_the_institutions_open_by_themselves_and_the_counters_do_not(city: City, head: Hall) -> None:
    city.turn("2021-08-17 08:00")
    assert ask(city)["infcode"] == 0
    assert states(head) == ["open", "waits", "waits"]
    told = problem_of(account(city))
    assert told["status"] == 423
    assert "第 2 批（经办窗口）尚未开放" in told["detail"]
    order = problem_of(head.send("POST", f"{STAGES}/3/open", body={"admdvs": REGION}, key=head.new_key()))
    assert order["code"] == "STAGE_OUT_OF_ORDER"


def test_3_few_failures_of_few_messages_stop_nothing(city: City, head: Hall) -> None:
    # least = 20: 3 of 8 messages is a share of 37.50 %, and says nothing yet
    city.turn("2021-08-17 08:02")
    traffic(city, good=4, bad=3)
    city.turn("2021-08-17 08:03")
    watch(city)
    assert states(head) == ["open", "waits", "waits"]


def test_4_too_many_failures_close_the_stage_and_say_why(city: City, head: Hall) -> None:
    city.turn("2021-08-17 08:10")
    traffic(city, good=GOOD, bad=BAD)
    city.turn("2021-08-17 08:11")
    watch(city)
    assert states(head) == ["stopped", "waits", "waits"]
    stage = head.read(STAGES, admdvs=REGION)["rows"][0]
    counted = city.fetch(
        "select count(*) as n, count(*) filter (where outcome = 'refused') as bad from platform.traffic "
        "where infno = '1101' and coalesce(refusal_code, '') <> 'WINDOW_STOPPED'")[0]
    assert counted["bad"] == 3 + BAD
    assert (stage["by"], stage["error_rate"]) == ("worker", counted["bad"] * 10_000 // counted["n"])
    assert f"{counted['n']} 笔中 {counted['bad']} 笔未办成" in stage["reason"]
    assert "超过 0.50%" in stage["reason"]
    refused = ask(city)
    assert refused["infcode"] == -1
    assert "第 1 批（定点机构）尚未开放" in refused["err_msg"]
    watch(city)
    history = head.read(STAGES, admdvs=REGION)["history"]
    assert [h["act"] for h in history] == ["stop"], "stopped once"


def test_5_it_is_resumed_by_hand_with_a_reason_and_old_failures_do_not_count_again(city: City, head: Hall) -> None:
    city.turn("2021-08-17 08:30")
    silent = problem_of(head.send("POST", f"{STAGES}/1/open", body={"admdvs": REGION}, key=head.new_key()))
    assert silent["code"] == "REASON_MISSING"
    opened = head.do(f"{STAGES}/1/open", {"admdvs": REGION, "reason": "人员对照已修复"})
    assert opened["by"] == "approve.370300"
    city.app.gate.expire()
    city.turn("2021-08-17 08:31")
    assert ask(city)["infcode"] == 0
    traffic(city, good=GOOD, bad=0)
    city.turn("2021-08-17 08:32")
    watch(city)
    assert states(head) == ["open", "waits", "waits"]


def test_6_the_counters_open_by_hand_then_what_is_online(city: City, head: Hall) -> None:
    city.turn("2021-08-17 09:05")
    head.do(f"{STAGES}/2/open", {"admdvs": REGION})
    city.app.gate.expire()
    assert account(city).status_code == 200
    head.do(f"{STAGES}/3/open", {"admdvs": REGION})
    assert states(head) == ["open", "open", "open"]
    twice = problem_of(head.send("POST", f"{STAGES}/3/open", body={"admdvs": REGION}, key=head.new_key()))
    assert twice["code"] == "STAGE_OPEN"
    trail = city.fetch("select verb, actor from platform.audit_entry where verb in ('open_stage', 'stop_stage') order by at")
    assert [(r["verb"], r["actor"]) for r in trail] == [
        ("stop_stage", "worker"), ("open_stage", "approve.370300"), ("open_stage", "approve.370300"),
        ("open_stage", "approve.370300")]
    assert city.breaches() == {}
