"""Keys: who has none is a stranger, who has one may do what the role says, and a secret is told once."""

from __future__ import annotations

from typing import Any

from tests.spec.api.conftest import HallOf
from tests.support.hall import Hall, problem_of


def test_without_a_key_nothing_is_told(hall_of: HallOf) -> None:
    response = hall_of("").send("GET", "/institutions")
    problem = problem_of(response)
    assert (response.status_code, problem["code"]) == (401, "KEY_NOT_VALID")
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_key_says_who_one_is(hall_of: HallOf) -> None:
    me = hall_of("review").read("/me")
    assert me == {"login": "review.370300", "roles": ["review"], "regions": {"370300": "淄博市"}, "division": ""}


def test_a_clerk_without_the_role_is_refused_before_the_object_is_looked_at(hall_of: HallOf) -> None:
    hall = hall_of("intake")
    known = hall.send("GET", "/keys")
    unknown = hall.send("POST", "/keys/000000000000000000000000/revoke")
    assert [problem_of(r)["code"] for r in (known, unknown)] == ["ROLE_MISSING", "ROLE_MISSING"]


def test_a_new_key_opens_is_told_once_and_closes_when_revoked(hall_of: HallOf, world: dict[str, Any]) -> None:
    admin = hall_of("admin")
    admin.do("/agents", {"login": "wang.window", "admdvs": "370300", "name": "王窗口", "roles": ["intake"]})
    form = {"login": "wang.window", "title": "一号窗口", "days": 7}
    again = admin.new_key()
    issued = admin.do("/keys", form, key=again)
    hall = Hall(world["agency"]["api"], issued["key"])
    assert hall.read("/me")["login"] == "wang.window"
    repeated = admin.do("/keys", form, key=again)
    assert repeated == issued | {"key": ""}
    assert issued["key"] not in str(admin.read("/keys", login="wang.window"))
    assert admin.do(f"/keys/{issued['key_id']}/revoke")["revoked_by"] == "admin.370300"
    assert problem_of(hall.send("GET", "/me"))["code"] == "KEY_NOT_VALID"


def test_a_disabled_agent_takes_all_keys_along(hall_of: HallOf, world: dict[str, Any]) -> None:
    admin = hall_of("admin")
    form = {"login": "left.soon", "admdvs": "370300", "name": "李离岗", "roles": ["review"]}
    admin.do("/agents", form)
    hall = Hall(world["agency"]["api"], admin.do("/keys", {"login": "left.soon", "title": "钥匙"})["key"])
    hall.read("/me")
    admin.do("/agents", form | {"disabled": True})
    assert problem_of(hall.send("GET", "/me"))["code"] == "KEY_NOT_VALID"


def test_preparing_and_deciding_are_never_in_one_hand(hall_of: HallOf) -> None:
    admin = hall_of("admin")
    for roles in (["intake", "approve"], ["review", "pay"], ["audit", "review"], ["admin", "intake"]):
        problem = admin.refused("/agents", {"login": "too.much", "admdvs": "370300", "name": "全能", "roles": roles})
        assert problem["code"] == "ROLES_EXCLUDE", roles


def test_nobody_serves_himself(hall_of: HallOf) -> None:
    admin = hall_of("admin")
    mine = {"login": "admin.370300", "admdvs": "370300", "name": "自己", "roles": ["admin"]}
    assert admin.refused("/agents", mine)["code"] == "OWN_ACCOUNT"
    assert admin.refused("/keys", {"login": "admin.370300", "title": "自己"})["code"] == "OWN_ACCOUNT"


def test_a_region_is_given_by_those_who_have_it(hall_of: HallOf) -> None:
    admin = hall_of("admin")
    both = {"login": "far.away", "admdvs": "370300", "name": "张两地", "roles": ["review"], "regions": ["370300", "441300"]}
    assert admin.refused("/agents", both)["code"] == "REGION_NOT_YOURS"
    other = {"login": "far.away", "admdvs": "441300", "name": "张惠州", "roles": ["review"]}
    assert admin.refused("/agents", other)["code"] == "REGION_NOT_YOURS"


def test_all_faults_are_told_at_once(hall_of: HallOf) -> None:
    response = hall_of("admin").send(
        "POST", "/agents", body={"login": "A", "admdvs": "37", "roles": [], "colour": "red"}, key="all-faults-1"
    )
    problem = problem_of(response)
    assert response.status_code == 400
    assert {f["field"] for f in problem["faults"]} == {"login", "admdvs", "name", "roles", "colour"}
