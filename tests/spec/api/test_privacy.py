"""What a person may ask of the own data: all of it, by source, and its correction by two clerks."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import asyncpg
import pytest

from tests.spec.api.conftest import HallOf
from tests.spec.conftest import TillFor
from tests.support.hall import problem_of

REGION = "370300"


def _ask(url: str, sql: str, *values: Any) -> list[Any]:
    async def look() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(r) for r in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    return asyncio.run(look())


@pytest.fixture(scope="module")
def patient(till_for: TillFor, world: dict[str, Any]) -> dict[str, Any]:
    """Return somebody of the region whose visit was just settled."""
    found = next(p for p in world["patients"] if p["insuplc_admdvs"] == REGION)
    till = till_for(region=REGION)
    till.settle(found, found["visit"])
    till.close()
    return dict(found)


def test_the_export_holds_every_row_that_names_the_person(
    hall_of: HallOf, patient: dict[str, Any], world_url: str
) -> None:
    export = hall_of("review").ask(f"/people/{patient['psn_no']}/export", {"reason": "本人申请查阅"})
    found = {s["source"]: s["count"] for s in export["sources"]}
    tables = _ask(world_url, """
        select distinct n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'psn_no' and not a.attisdropped
        where c.relkind = 'r' and n.nspname !~ '^pg_'""")
    stored = {
        table: _ask(world_url, f"select count(*) from {table} where psn_no = $1", patient["psn_no"])[0][0]
        for (table,) in tables
    }
    # The asking itself is written after the rows were read, so it is not among them.
    assert {t: n for t, n in stored.items() if n} == {t: n for t, n in found.items() if t in stored}
    assert {"people.person", "enrolment.relation", "settlements.settlement", "encounters.fee_line", "ledger.posting",
            "platform.message"} <= found.keys()
    person = next(s["rows"][0] for s in export["sources"] if s["source"] == "people.person")
    assert (person["name"], person["certno"]) == (patient["psn_name"], patient["certno"])


def test_the_digest_of_an_export_is_that_of_its_rows_and_stands_in_the_trail(
    hall_of: HallOf, patient: dict[str, Any], world_url: str
) -> None:
    response = hall_of("audit").send("POST", f"/people/{patient['psn_no']}/export", body={"reason": "稽核"})
    content = response.text
    sources = content[content.index('"sources":') + len('"sources":'):-1]
    assert json.loads(content)["digest"] == hashlib.new("sm3", sources.encode()).hexdigest()
    trail = _ask(world_url, "select actor, channel from platform.audit_entry where verb = 'export_person' and object = $1",
                 patient["psn_no"])
    assert ("audit.370300", "api") in trail


def test_messages_are_shown_as_what_was_said(hall_of: HallOf, patient: dict[str, Any]) -> None:
    export = hall_of("review").ask(f"/people/{patient['psn_no']}/export", {"reason": "本人申请查阅"})
    messages = next(s["rows"] for s in export["sources"] if s["source"] == "platform.message")
    settled = next(m for m in messages if m["infno"] == "2207")
    assert settled["request"]["input"]["data"]["psn_no"] == patient["psn_no"]
    assert settled["reply"]["output"]["setlinfo"]["psn_no"] == patient["psn_no"]


def test_a_correction_is_asked_by_one_and_made_by_another(
    hall_of: HallOf, patient: dict[str, Any], world_url: str
) -> None:
    intake, approve, psn_no = hall_of("intake"), hall_of("approve"), patient["psn_no"]
    form = {"field": "phone", "new_value": "0533-1234567", "reason": "电话登记有误", "evidence": "本人说明"}
    asked = intake.do(f"/people/{psn_no}/corrections", form)
    assert (asked["state"], asked["made_by"]) == ("asked", "intake.370300")
    told = [asked, *approve.read("/corrections", psn_no=psn_no)["rows"]]
    assert [c["new_value"] for c in told] == ["0533****4567"] * 2, "numbers are masked; the paper says them in full"
    assert _ask(world_url, "select phone from people.person where psn_no = $1", psn_no) != [("0533-1234567",)]
    assert intake.refused(f"/people/{psn_no}/corrections", form)["code"] == "CORRECTION_OPEN"
    assert [r["correction_id"] for r in approve.read("/corrections", psn_no=psn_no)["rows"]] == [asked["correction_id"]]
    decided = approve.do(f"/corrections/{asked['correction_id']}/decide", {"approve": True})
    assert (decided["state"], decided["decided_by"]) == ("corrected", "approve.370300")
    assert _ask(world_url, "select phone from people.person where psn_no = $1", psn_no) == [("0533-1234567",)]
    assert _ask(world_url, "select new_value, cause from people.change where psn_no = $1 and field = 'phone'", psn_no) == [
        ("0533-1234567", "correction")
    ]
    again = approve.send("POST", f"/corrections/{asked['correction_id']}/decide", body={"approve": True}, key="once-more-1")
    assert (again.status_code, problem_of(again)["code"]) == (409, "CORRECTION_DECIDED")


def test_a_rejection_needs_its_reason_and_changes_nothing(
    hall_of: HallOf, patient: dict[str, Any], world_url: str
) -> None:
    intake, approve, psn_no = hall_of("intake"), hall_of("approve"), patient["psn_no"]
    before = _ask(world_url, "select name from people.person where psn_no = $1", psn_no)
    asked = intake.do(f"/people/{psn_no}/corrections", {
        "field": "name", "new_value": "王某某", "reason": "改名", "evidence": "户口簿"})
    path = f"/corrections/{asked['correction_id']}/decide"
    assert approve.refused(path, {"approve": False})["code"] == "REASON_MISSING"
    assert approve.do(path, {"approve": False, "answer": "户口簿与申请不符"})["state"] == "rejected"
    assert _ask(world_url, "select name from people.person where psn_no = $1", psn_no) == before


def test_what_is_right_already_needs_no_correction(hall_of: HallOf, patient: dict[str, Any]) -> None:
    problem = hall_of("intake").refused(f"/people/{patient['psn_no']}/corrections", {
        "field": "name", "new_value": patient["psn_name"], "reason": "核对", "evidence": "无"})
    assert problem["code"] == "NOTHING_TO_CORRECT"


def test_another_region_neither_exports_nor_corrects(hall_of: HallOf, patient: dict[str, Any]) -> None:
    psn_no = patient["psn_no"]
    export = hall_of("review", "441300").send("POST", f"/people/{psn_no}/export", body={"reason": "好奇"})
    assert (export.status_code, problem_of(export)["code"]) == (404, "PERSON_NOT_FOUND")
    form = {"field": "phone", "new_value": "1", "reason": "好奇", "evidence": "无"}
    assert hall_of("intake", "441300").refused(f"/people/{psn_no}/corrections", form)["code"] == "PERSON_NOT_FOUND"
