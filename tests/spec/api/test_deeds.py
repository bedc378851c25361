"""Deeds over the API: done exactly once under their key, all or nothing, and some only by two people."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from tests.spec.api.conftest import HallOf
from tests.support.hall import problem_of

AGENT = {"login": "once.only", "admdvs": "370300", "name": "赵一次", "roles": ["intake"]}


def _count(url: str, sql: str, *values: Any) -> int:
    async def ask() -> int:
        connection = await asyncpg.connect(url)
        try:
            return int(await connection.fetchval(sql, *values))
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_a_deed_needs_its_key(hall_of: HallOf) -> None:
    hall = hall_of("admin")
    assert problem_of(hall.send("POST", "/agents", body=AGENT))["code"] == "IDEMPOTENCY_KEY_MISSING"
    assert problem_of(hall.send("POST", "/agents", body=AGENT, key="short"))["code"] == "IDEMPOTENCY_KEY_INVALID"


def test_the_same_key_and_content_get_the_same_bytes_and_are_done_once(hall_of: HallOf, world_url: str) -> None:
    hall = hall_of("admin")
    first = hall.send("POST", "/agents", body=AGENT, key="the-same-key")
    # Another order of fields is the same content.
    again = hall.send("POST", "/agents", body=dict(reversed(AGENT.items())), key="the-same-key")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotent-replayed"] == "true"
    done = _count(world_url, "select count(*) from platform.audit_entry where verb = 'keep_agent' and object = 'once.only'")
    assert done == 1


def test_the_same_key_with_other_content_is_refused(hall_of: HallOf) -> None:
    hall = hall_of("admin")
    hall.do("/agents", AGENT, key="other-content")
    response = hall.send("POST", "/agents", body=AGENT | {"name": "钱二次"}, key="other-content")
    assert (response.status_code, problem_of(response)["code"]) == (409, "MSGID_REUSED")


def test_a_refused_deed_does_not_spend_its_key(hall_of: HallOf) -> None:
    hall = hall_of("admin")
    assert hall.refused("/agents", AGENT | {"roles": ["nobody"]}, key="come-again")["code"] == "ROLE_UNKNOWN"
    assert hall.do("/agents", AGENT, key="come-again")["login"] == "once.only"


def test_parallel_repeats_are_done_once(hall_of: HallOf, world_url: str) -> None:
    hall, form = hall_of("admin"), AGENT | {"login": "at.once"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: hall.send("POST", "/agents", body=form, key="at-the-same-time"), range(8)))
    assert {a.content for a in answers} == {answers[0].content}
    assert _count(world_url, "select count(*) from platform.audit_entry where object = 'at.once'") == 1


def test_two_keys_may_use_the_same_idempotency_key(hall_of: HallOf) -> None:
    one, other = hall_of("admin", "370300"), hall_of("admin", "441300")
    assert one.do("/agents", AGENT, key="shared-by-two")["admdvs"] == "370300"
    form = {"login": "of.huizhou", "admdvs": "441300", "name": "孙惠州", "roles": ["intake"]}
    assert other.do("/agents", form, key="shared-by-two")["admdvs"] == "441300"


def test_what_is_not_json_or_too_large_or_of_another_type_is_refused(hall_of: HallOf) -> None:
    hall = hall_of("admin")
    send = hall._http.post
    headers = {"idempotency-key": "bad-bodies-1"}
    json = headers | {"content-type": "application/json"}
    assert problem_of(send("/agents", content=b"{", headers=json))["code"] == "BODY_NOT_JSON"
    assert problem_of(send("/agents", content=b"[" * 5000, headers=json))["code"] == "BODY_NOT_JSON"
    assert problem_of(send("/agents", content=b"login=a", headers=headers))["code"] == "MEDIA_TYPE_NOT_OFFERED"
    large = send("/agents", content=b'"' + b"x" * (1024 * 1024) + b'"', headers=json)
    assert (large.status_code, problem_of(large)["code"]) == (413, "BODY_TOO_LARGE")


def test_text_that_no_column_can_hold_is_refused_by_its_field(hall_of: HallOf) -> None:
    response = hall_of("admin").send("POST", "/agents", body=AGENT | {"name": "王\u0000"}, key="with-a-nul-1")
    problem = problem_of(response)
    assert (response.status_code, problem["code"], problem["faults"][0]["field"]) == (400, "TEXT_INVALID", "name")


def test_unknown_repeated_and_wrong_parameters_are_all_named(hall_of: HallOf) -> None:
    response = hall_of("audit").send("GET", "/trail?since=2024-02-30&limit=0&limit=1&colour=red")
    problem = problem_of(response)
    assert response.status_code == 400
    assert {(f["code"], f["field"]) for f in problem["faults"]} == {
        ("FIELD_INVALID", "since"), ("PARAMETER_REPEATED", "limit"), ("PARAMETER_UNKNOWN", "colour"),
    }


def test_an_unknown_path_and_another_method_are_problems_too(hall_of: HallOf) -> None:
    hall = hall_of("admin")
    assert problem_of(hall.send("GET", "/nothing/here"))["status"] == 404
    other = hall.send("DELETE", "/agents")
    assert problem_of(other)["status"] == 405
    assert "GET" in other.headers["allow"]


def test_every_deed_leaves_its_audit_row_and_the_auditor_reads_it(hall_of: HallOf) -> None:
    hall_of("admin").do("/agents", AGENT | {"login": "left.a.trace"})
    me = hall_of("audit")

    day = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    rows = me.read("/trail", since=str(day), until=str(day + timedelta(days=1)), thing="left.a.trace")["rows"]
    assert [(r["actor"], r["verb"], r["channel"], r["admdvs"]) for r in rows] == [
        ("admin.370300", "keep_agent", "api", "370300")
    ]
