"""The same over HTTP: a hall applies, another office decides, a stranger checks the certificate."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hall import Hall, problem_of

REGION = "370300"


@pytest.fixture(scope="module")
def halls(world: dict[str, Any]) -> Iterator[dict[str, Hall]]:
    """A hall for each post of the first region, and one without a key."""
    agency = world["agency"]
    opened = {post: Hall(agency["api"], agency["keys"][REGION][post]) for post in ("intake", "review", "approve")}
    opened["stranger"] = Hall(agency["api"])
    yield opened
    for hall in opened.values():
        hall.close()


@pytest.fixture(scope="module")
def patient(world: dict[str, Any]) -> dict[str, Any]:
    return next(p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"] == REGION)


def scan(material: str) -> dict[str, Any]:
    return {"material": material, "file_name": f"{material}.pdf", "content": base64.b64encode(b"scan").decode()}


def change_of(patient: dict[str, Any]) -> dict[str, Any]:
    return {
        "admdvs": REGION, "item_code": "002036001005", "applicant_kind": "person", "applicant_no": patient["psn_no"],
        "applicant_name": patient["psn_name"], "channel": "window",
        "body": {"psn_no": patient["psn_no"], "changes": {"phone": "13800000000"}}, "materials": [scan("identity")],
    }


def test_anybody_may_read_what_is_asked_of_them(halls: dict[str, Hall]) -> None:
    items = {row["code"]: row for row in halls["stranger"].read("/service-items", admdvs=REGION)["rows"]}
    assert len(items) == 28
    assert (items["002036001001"]["working_days"], items["002036001001"]["reviewers"]) == (5, 2)
    assert items["002036001003"]["working_days"] == 0
    assert all(row["offered"] or row["instead"] for row in items.values())


def test_a_change_of_person_goes_through_three_hands(halls: dict[str, Hall], patient: dict[str, Any]) -> None:
    intake, review, approve = halls["intake"], halls["review"], halls["approve"]
    filed = intake.do("/applications", change_of(patient))
    path = f"/applications/{filed['application_id']}"
    assert intake.do(f"{path}/accept", {})["state"] == "accepted"
    refused = problem_of(intake.send("POST", f"{path}/review", body={"says": "属实"}, key=intake.new_key()))
    assert refused["status"] == 403, "who takes papers in does not judge them"
    assert review.do(f"{path}/review", {"says": "属实"})["state"] == "reviewing"
    done = approve.do(f"{path}/approve", {}, key="k-approve-1")
    assert (done["state"], done["state_text"]) == ("closed", "已办结")
    assert approve.do(f"{path}/approve", {}, key="k-approve-1") == done, "the same key gets the stored answer"
    seen = intake.read(path)
    assert [s["what"] for s in seen["steps"]] == ["submit", "accept", "review", "approve", "close"]
    assert filed["application_id"] in [r["application_id"] for r in intake.read("/applications", state="closed")["rows"]]
    intake.do(f"{path}/rate", {"stars": 5})


def test_a_certificate_is_checked_by_a_stranger(halls: dict[str, Hall], patient: dict[str, Any]) -> None:
    intake, stranger = halls["intake"], halls["stranger"]
    made = intake.do("/certificates", {"psn_no": patient["psn_no"], "certificate": "benefit"})
    asked = {"certificate_no": made["certificate_no"], "code": made["code"]}
    assert stranger.ask("/certificates/check", {**asked, "statement": made["statement"]})["outcome"] == "genuine"
    altered = made["statement"].replace(patient["psn_name"], patient["psn_name"][:-1] + "某")
    seen = stranger.ask("/certificates/check", {**asked, "statement": altered})
    assert seen["outcome"] == "altered"
    assert [d["line"] for d in seen["differences"]] == [3]
    pdf = intake.send("GET", f"/certificates/{made['certificate_no']}/pdf").content
    assert stranger.ask("/certificates/check", {**asked, "file": base64.b64encode(pdf).decode()})["outcome"] == "genuine"
    wrong = pdf[:400] + bytes([pdf[400] ^ 1]) + pdf[401:]
    assert stranger.ask("/certificates/check", {**asked, "file": base64.b64encode(wrong).decode()})["outcome"] == "altered"
    rows = intake.read(f"/people/{patient['psn_no']}/certificates")["rows"]
    assert made["certificate_no"] in [r["certificate_no"] for r in rows]


def test_a_transfer_is_refused_with_reasons(halls: dict[str, Hall], patient: dict[str, Any]) -> None:
    told = halls["intake"].refused(
        "/transfers/out", {"psn_no": patient["psn_no"], "other_admdvs": "441300", "other_name": "惠州市医保中心"})
    assert told["code"] == "RELATION_OPEN"
    asked = halls["intake"].do(
        "/transfers/in", {"psn_no": patient["psn_no"], "other_admdvs": "441300", "other_name": "惠州市医保中心"})
    assert halls["intake"].read(f"/transfers/{asked['transfer_id']}")["state"] == "asked"
    cancelled = halls["intake"].do(f"/transfers/{asked['transfer_id']}/cancel", {"reason": "不转了"})
    assert cancelled["state"] == "cancelled"
    assert halls["intake"].read(f"/regions/{REGION}/transfer-money")["rows"] == []


@pytest.mark.parametrize("path", ["/applications/404", "/transfers/404", "/certificates/404/pdf"])
def test_what_is_not_there_is_not_found(halls: dict[str, Hall], path: str) -> None:
    assert problem_of(halls["intake"].send("GET", path))["status"] == 404
