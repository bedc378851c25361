"""Deeds that two people do: nothing happens before the second one agrees, and never the same one twice."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx

from tests.spec.api.conftest import HallOf
from tests.support.hall import Hall, problem_of
from yibao.usecases.verification.access_checks import ACCESS_CHECKS

REGION = "370300"




def test_operations_that_need_two_people_say_so(world: dict[str, Any]) -> None:
    document = httpx.get(world["agency"]["schema"]).json()
    two = [o for m in document["paths"].values() for o in m.values() if o.get("x-four-eyes") not in (None, "", "own")]
    assert two
    for operation in two:
        assert "202" in operation["responses"]
        assert operation["x-four-eyes"] not in operation["x-roles"]


def _stored(url: str, sql: str, *values: Any) -> Any:
    async def look() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()

    return asyncio.run(look())


CLOSE = {"admdvs": REGION, "month": "2024-07"}


def _closed(url: str) -> int:
    return int(_stored(url, "select count(*) from closing.month where admdvs = $1 and state = 'closed'", REGION))


def test_a_proposal_does_nothing_until_somebody_else_agrees(hall_of: HallOf, world_url: str) -> None:
    review, approve = hall_of("review"), hall_of("approve")
    response = review.send("POST", "/closing/months", body=CLOSE, key="close-july-1")
    assert response.status_code == 202
    proposed = response.json()
    assert (proposed["state"], proposed["checker"], proposed["made_by"]) == ("proposed", "approve", "review.370300")
    assert _closed(world_url) == 0
    path = f"/proposals/{proposed['proposal_id']}"
    assert problem_of(review.send("POST", path + "/approve", key="by-the-maker"))["code"] == "ROLE_MISSING"
    # Another one of the right group but with the wrong role.
    assert hall_of("pay").refused(path + "/approve")["code"] == "ROLE_MISSING"
    waiting = approve.read("/proposals")["rows"]
    assert [(p["proposal_id"], p["verb"], p["body"]) for p in waiting] == [(proposed["proposal_id"], "close_month", CLOSE)]
    decided = approve.send("POST", path + "/approve", key="agree-once-1")
    assert decided.status_code == 200, decided.text
    assert decided.json()["proposal"]["state"] == "approved"
    assert decided.json()["answer"]["month"]["state"] == "closed"
    assert _closed(world_url) == 1
    again = approve.send("POST", path + "/approve", key="agree-once-1")
    assert again.content == decided.content
    assert approve.refused(path + "/approve")["code"] == "PROPOSAL_DECIDED"
    assert _closed(world_url) == 1


def test_a_proposal_that_cannot_be_done_is_refused_and_stays_open(hall_of: HallOf) -> None:
    review, approve = hall_of("review"), hall_of("approve")
    proposed = review.do("/closing/openings", {"admdvs": REGION, "month": "2019-01", "reason": "查错"})
    problem = approve.refused(f"/proposals/{proposed['proposal_id']}/approve")
    assert problem["status"] in (404, 422)
    assert proposed["proposal_id"] in {p["proposal_id"] for p in approve.read("/proposals")["rows"]}
    rejected = approve.do(f"/proposals/{proposed['proposal_id']}/reject", {"reason": "没有这个月"})
    assert (rejected["state"], rejected["decided_by"]) == ("rejected", "approve.370300")


def test_a_maker_may_take_it_back_and_nobody_else(hall_of: HallOf) -> None:
    review = hall_of("review")
    proposed = review.do("/closing/months", CLOSE | {"month": "2024-08"})
    path = f"/proposals/{proposed['proposal_id']}/withdraw"
    assert hall_of("intake").refused(path)["code"] == "PROPOSAL_NOT_FOUND"
    assert review.do(path)["state"] == "withdrawn"
    assert hall_of("approve").refused(path.replace("withdraw", "approve"))["code"] == "PROPOSAL_DECIDED"


def test_proposals_of_another_region_are_not_there(hall_of: HallOf) -> None:
    proposed = hall_of("review").do("/closing/months", CLOSE | {"month": "2024-09"})
    there = hall_of("approve", "441300")
    assert there.refused(f"/proposals/{proposed['proposal_id']}/approve")["code"] == "PROPOSAL_NOT_FOUND"
    assert proposed["proposal_id"] not in str(there.read("/proposals", state=""))


def test_one_person_with_two_logins_of_one_name_is_still_one_login_each(hall_of: HallOf, world: dict[str, Any]) -> None:
    # The same login never decides what it made, even with a key that has both kinds of role: such an agent cannot be made.
    admin = hall_of("admin")
    both = {"login": "both.hands", "admdvs": REGION, "name": "双手", "roles": ["review", "approve"]}
    assert admin.refused("/agents", both)["code"] == "ROLES_EXCLUDE"
    # Reaching for it by way of a change of roles between making and deciding is refused as well.
    form = {"login": "turn.coat", "admdvs": REGION, "name": "换岗", "roles": ["review"]}
    admin.do("/agents", form)
    first = Hall(world["agency"]["api"], admin.do("/keys", {"login": "turn.coat", "title": "前"})["key"])
    proposed = first.do("/closing/months", CLOSE | {"month": "2024-10"})
    admin.do("/agents", form | {"roles": ["approve"]})
    second = Hall(world["agency"]["api"], admin.do("/keys", {"login": "turn.coat", "title": "后"})["key"])
    assert second.refused(f"/proposals/{proposed['proposal_id']}/approve")["code"] == "SAME_PERSON"


def test_what_verify_asks_of_agents_and_proposals_holds(world_url: str) -> None:
    for check in ACCESS_CHECKS:
        assert _stored(world_url, f"select count(*) from ({check.sql}) broken") == 0, check.says


def test_verify_finds_what_breaks_its_rules(hall_of: HallOf, world_url: str) -> None:
    proposed = hall_of("review").do("/closing/months", CLOSE | {"month": "2024-11"})
    _stored(world_url, "delete from platform.audit_entry where object = $1 returning 1", proposed["proposal_id"])
    broken = [check.says for check in ACCESS_CHECKS if _stored(world_url, f"select count(*) from ({check.sql}) broken")]
    assert broken == ["每件待复核事项由另一人复核，提出与处理各有审计记录"]
