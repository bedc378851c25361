"""Every role against every operation, both ways: the published table is what happens, and it happens before anything else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from tests.spec.api.conftest import HallOf
from tests.support.hall import Hall, problem_of

ROLES = ("intake", "review", "approve", "pay", "audit", "admin", "institution")
HERE, THERE = "370300", "441300"
NOBODY = "0" * 24


@pytest.fixture(scope="module")
def operations(world: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path and description of every operation that needs a role."""
    document = httpx.get(world["agency"]["schema"]).json()
    return [
        (method.upper(), path.removeprefix("/api/v1"), operation)
        for path, methods in document["paths"].items() for method, operation in methods.items()
        if operation.get("security") != []
    ]


@pytest.fixture(scope="module")
def database(world_url: str) -> Iterator[Database]:
    """Look into the database as its owner."""
    opened = Database(world_url)
    yield opened
    opened.close()


class Database:
    """A look into the database that the platform serves."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection = self._loop.run_until_complete(asyncpg.connect(url))

    def value(self, sql: str, *values: Any) -> Any:
        """Return one value."""
        return self._loop.run_until_complete(self._connection.fetchval(sql, *values))

    def close(self) -> None:
        """Close the connection."""
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()


def _send(hall: Hall, method: str, path: str, operation: dict[str, Any], **known: str) -> httpx.Response:
    """Ask for an operation with known numbers where there are some, and with a body that says nothing."""
    place = re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], NOBODY), path)
    if method == "GET":
        return hall.send(method, place)
    content = operation.get("requestBody", {}).get("content", {"application/json": {}})
    media = next(iter(content))
    return hall.send(method, place, body={} if media == "application/json" else None, key=hall.new_key(),
                     headers={} if media == "application/json" else {"content-type": media})


def test_every_cell_of_roles_and_operations(
    operations: list[tuple[str, str, dict[str, Any]]], hall_of: HallOf, database: Database
) -> None:
    halls = {role: hall_of(role, HERE) for role in ROLES}
    person = database.value("select psn_no from people.person where admdvs = $1 limit 1", HERE)
    written = "select (select count(*) from platform.audit_entry) + (select count(*) from platform.message)"
    wrong: list[str] = []
    allowed = refused = 0
    for method, path, operation in operations:
        for role in ROLES:
            before = database.value(written)
            response = _send(halls[role], method, path, operation, psn_no=person)
            if role in operation["x-roles"]:
                allowed += 1
                # 400, 404 and 422 are said of the request; a role that may is never told that it may not.
                if response.status_code not in (200, 201, 202, 400, 404, 409, 415, 422):
                    wrong.append(f"{role} may {method} {path}: {response.status_code} {response.text[:200]}")
                continue
            refused += 1
            told = problem_of(response)["code"]
            if (response.status_code, told) != (403, "ROLE_MISSING") or database.value(written) != before:
                wrong.append(f"{role} may not {method} {path}: {response.status_code} {told}")
    assert not wrong, "\n".join(wrong)
    assert allowed + refused == len(operations) * len(ROLES)
    assert min(allowed, refused) > len(operations)


def test_an_operation_needs_a_key_and_says_so_without_looking(
    operations: list[tuple[str, str, dict[str, Any]]], hall_of: HallOf
) -> None:
    stranger = hall_of("")
    answers = {(m, p): _send(stranger, m, p, o).status_code for m, p, o in operations}
    assert set(answers.values()) == {401}, answers


def test_an_object_of_another_region_and_one_that_is_not_there_are_told_apart_by_nobody(
    operations: list[tuple[str, str, dict[str, Any]]], hall_of: HallOf, database: Database
) -> None:
    foreign = database.value("select psn_no from people.person where admdvs = $1 limit 1", THERE)
    employer = database.value("select emp_no from enrolment.employer where admdvs = $1 limit 1", THERE)
    checked = 0
    for method, path, operation in operations:
        if "{psn_no}" not in path and "{emp_no}" not in path:
            continue
        hall = hall_of(operation["x-roles"][0], HERE)
        there = _send(hall, method, path, operation, psn_no=foreign, emp_no=employer)
        nowhere = _send(hall, method, path, operation)
        numbers = (foreign, employer, NOBODY)
        texts = [r.text for r in (there, nowhere)]
        for number in numbers:
            texts = [t.replace(number, "#") for t in texts]
        assert there.status_code == nowhere.status_code, (method, path, there.text, nowhere.text)
        assert there.status_code in (400, 404), (method, path, there.text)
        assert texts[0] == texts[1], (method, path)
        checked += 1
    assert checked >= 4


def test_a_county_sees_its_own_people_only(hall_of: HallOf, world: dict[str, Any], database: Database) -> None:
    county = world["agency"]["divisions"][HERE]
    people = "select psn_no from people.person where admdvs = $1 order by psn_no limit 1 offset $2"
    own, other = database.value(people, HERE, 0), database.value(people, HERE, 1)
    database.value("update people.person set division = $2 where psn_no = $1 returning 1", own, county + "101")
    database.value("update people.person set division = $2 where psn_no = $1 returning 1", other, "370399")
    clerk, town, whole = hall_of("county"), hall_of("town"), hall_of("intake")
    for hall in (clerk, town, whole):
        assert hall.send("GET", f"/people/{own}/settlements").status_code == 200
    assert whole.send("GET", f"/people/{other}/settlements").status_code == 200
    for hall in (clerk, town):
        assert problem_of(hall.send("GET", f"/people/{other}/settlements"))["code"] == "PERSON_NOT_FOUND"
    # The town's clerk does not see the county's other towns.
    database.value("update people.person set division = $2 where psn_no = $1 returning 1", own, county + "999")
    assert clerk.send("GET", f"/people/{own}/settlements").status_code == 200
    assert problem_of(town.send("GET", f"/people/{own}/settlements"))["code"] == "PERSON_NOT_FOUND"


def test_every_operation_on_a_person_is_closed_to_another_county(
    operations: list[tuple[str, str, dict[str, Any]]], hall_of: HallOf, world: dict[str, Any], database: Database
) -> None:
    admin, county = hall_of("admin", HERE), world["agency"]["divisions"][HERE]
    person = database.value("select psn_no from people.person where admdvs = $1 order by psn_no desc limit 1", HERE)
    about = [(m, p, o) for m, p, o in operations if "{psn_no}" in p]
    halls = {role: _of_county(admin, role, county, world) for role in sorted({o["x-roles"][0] for _, _, o in about})}

    def answers(division: str) -> dict[str, int]:
        database.value("update people.person set division = $2 where psn_no = $1 returning 1", person, division)
        return {
            o["operationId"]: _send(halls[o["x-roles"][0]], m, p, o, psn_no=person).status_code for m, p, o in about
        }

    other, own = answers("370399"), answers(county)
    # What needs a body says first that it has none; all else is not there.
    assert set(other.values()) <= {400, 404}, other
    assert [name for name in other if other[name] == 404 and own[name] < 300], "nothing was told apart"
    assert not [name for name in other if own[name] in (401, 403)]


THINGS = {
    "payout": (
        "insert into exchange.payout (payout_id, admdvs, purpose, psn_no, payee_name, bank_name, bank_account, amount_fen, "
        "origin, state, file_id, ordered_by, ordered_at, ended_at) values ('P-{0}', '370300', '退费', $1, '某某', '示例银行', "
        "'6200000000000001', 100, 'test', 'failed', 'F-none', 'x', now(), now()) returning 'P-{0}'",
        "/payouts/{0}/reorder", {"payee_name": "某某", "bank_name": "示例银行", "bank_account": "6200000000000002"},
        "delete from exchange.payout where payout_id = $1 returning 1"),
    "doubt": (
        "insert into people.doubt (doubt_id, admdvs, kind, psn_no, cert_type, certno, name, origin, said, state, opened_at) "
        "values ('D-{0}', '370300', 'paid_twice', $1, '01', 'X', '某某', 'test', '{{}}', 'open', now()) returning 'D-{0}'",
        "/doubts/{0}/settle", {"decision": "wrong_statement"}, "delete from people.doubt where doubt_id = $1 returning 1"),
}


@pytest.mark.parametrize("what", THINGS)
def test_a_thing_of_another_countys_person_is_not_there_by_its_own_number(
    what: str, hall_of: HallOf, world: dict[str, Any], database: Database
) -> None:
    """A clerk of the county gets the same answer as for a number that stands for nothing; one of the whole region does it."""
    add, path, body, remove = THINGS[what]
    person = database.value("select psn_no from people.person where admdvs = $1 order by psn_no desc limit 1 offset 3", HERE)
    database.value("update people.person set division = '370399' where psn_no = $1 returning 1", person)
    number = database.value(add.format("1"), person)
    clerk = _of_county(hall_of("admin", HERE), "review", world["agency"]["divisions"][HERE], world)
    there, nowhere = (clerk.send("POST", path.format(n), body=body, key=f"by-number-{what}-{n}") for n in (number, "NONE"))
    assert (there.status_code, nowhere.status_code) == (404, 404), there.text
    assert there.text.replace(number, "NONE") == nowhere.text
    assert number not in clerk.send("GET", "/doubts").text
    done = hall_of("review", HERE).send("POST", path.format(number), body=body, key=f"by-region-{what}")
    assert done.status_code == 200, done.text
    database.value(remove, number)


def test_a_merge_of_another_county_is_not_there_to_be_split(
    hall_of: HallOf, world: dict[str, Any], database: Database
) -> None:
    one, two = (database.value("select psn_no from people.person where admdvs = $1 order by psn_no desc limit 1 offset $2",
                               HERE, n) for n in (4, 5))
    for number in (one, two):
        database.value("update people.person set division = '370399' where psn_no = $1 returning 1", number)
    database.value(
        "insert into people.merge (merge_id, admdvs, kept_no, merged_no, reason, made_by, made_at, moved) "
        "values ('M-1', '370300', $1, $2, 'test', 'x', now(), '{}') returning 1", one, two)
    clerk = _of_county(hall_of("admin", HERE), "review", world["agency"]["divisions"][HERE], world)
    asked = clerk.send("POST", "/people/splits", body={"merge_id": "M-1", "reason": "误并"}, key="split-of-others")
    assert (asked.status_code, problem_of(asked)["code"]) == (404, "MERGE_NOT_FOUND")
    database.value("delete from people.merge where merge_id = $1 returning 1", "M-1")


def _of_county(admin: Hall, role: str, county: str, world: dict[str, Any]) -> Hall:
    login = f"{role}.of.county"
    admin.do("/agents", {"login": login, "admdvs": HERE, "name": "县经办", "roles": [role], "division": county})
    issued = admin.do("/keys", {"login": login, "title": "县", "rate_per_minute": 60000})
    return Hall(world["agency"]["api"], issued["key"])


def test_what_concerns_the_whole_region_is_closed_to_a_county(
    operations: list[tuple[str, str, dict[str, Any]]], hall_of: HallOf, world: dict[str, Any]
) -> None:
    admin = hall_of("admin", HERE)
    county, checked = world["agency"]["divisions"][HERE], 0
    wide = [(m, p, o) for m, p, o in operations if o["x-object"] == "region"]
    for role in sorted({o["x-roles"][0] for _, _, o in wide}):
        hall = _of_county(admin, role, county, world)
        for method, path, operation in wide:
            if operation["x-roles"][0] == role:
                assert problem_of(_send(hall, method, path, operation))["code"] == "DIVISION_NOT_YOURS", (method, path)
                checked += 1
    assert checked == len(wide) > 0
