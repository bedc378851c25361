"""A certificate over the API: issued to a person, printed, and checked by a stranger who notices one altered sign."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.api.conftest import HallOf
from tests.support.hall import problem_of

REGION = "370300"


@pytest.fixture(scope="module")
def issued(hall_of: HallOf, world: dict[str, Any]) -> dict[str, Any]:
    """Issue a certificate of enrolment to a named patient."""
    psn_no = next(p["psn_no"] for p in world["patients"] if p["insuplc_admdvs"] == REGION)
    return hall_of("intake").do("/certificates", {"psn_no": psn_no, "certificate": "enrolment", "purpose": "转移"})


def _check(hall_of: HallOf, issued: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return hall_of("").ask("/certificates/check", {
        "certificate_no": issued["certificate_no"], "code": issued["code"], "statement": issued["statement"]} | changed)


def test_a_stranger_checks_a_certificate_without_a_key(hall_of: HallOf, issued: dict[str, Any]) -> None:
    checked = _check(hall_of, issued)
    assert (checked["outcome"], checked["compared"], checked["differences"]) == ("genuine", ["statement"], [])


def test_every_single_altered_sign_is_noticed(hall_of: HallOf, issued: dict[str, Any]) -> None:
    statement = issued["statement"]
    for place in range(0, len(statement), max(1, len(statement) // 12)):
        other = "甲" if statement[place] != "甲" else "乙"
        altered = statement[:place] + other + statement[place + 1:]
        if altered.split() != statement.split():
            assert _check(hall_of, issued, statement=altered)["outcome"] == "altered", place


def test_another_code_tells_nothing(hall_of: HallOf, issued: dict[str, Any]) -> None:
    code = issued["code"]
    wrong = ("2" if code[0] != "2" else "3") + code[1:]
    response = hall_of("").send("POST", "/certificates/check", body={
        "certificate_no": issued["certificate_no"], "code": wrong})
    assert problem_of(response)["code"] in ("CODE_MISTYPED", "CERTIFICATE_NOT_FOUND")
    assert issued["statement"][:10] not in response.text


def test_another_region_prints_nothing(hall_of: HallOf, issued: dict[str, Any]) -> None:
    response = hall_of("intake", "441300").send("GET", f"/certificates/{issued['certificate_no']}/pdf")
    assert response.status_code == 404, problem_of(response)
