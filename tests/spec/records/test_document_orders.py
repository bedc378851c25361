"""Every pair of state and step of uploaded records, of self-pay visits and of the right to look.

The tables are the specification: from a state, by a step, to a state; every other pair is refused with the sentence
named, and leaves the database as it was.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.spec.records.conftest import ORDINARY
from tests.spec.records.test_self_pay import close, line
from tests.support.lists import on_database
from tests.support.till import Refused, Till

RECORD_ALLOWED = {
    ("none", "upload"): "valid", ("valid", "upload"): "valid", ("valid", "void"): "void", ("void", "upload"): "valid",
}
RECORD_REFUSED = {("none", "void"): "没有可以作废的记录", ("void", "void"): "该记录已作废"}
SELF_PAY_ALLOWED = {
    ("none", "lines"): "open", ("open", "lines"): "open", ("open", "close"): "complete",
    ("complete", "close"): "complete", ("complete", "reopen"): "open",
}
SELF_PAY_REFUSED = {
    ("none", "close"): "没有这次就诊的自费明细", ("none", "reopen"): "没有这次就诊的自费明细",
    ("open", "reopen"): "并未标为完成", ("complete", "lines"): "已上传完成",
}
LOOK_ALLOWED = {
    ("stranger", "permit"): "permitted", ("permitted", "permit"): "permitted", ("permitted", "look"): "permitted",
    ("treats", "look"): "treats", ("treats", "permit"): "treats",
}
LOOK_REFUSED = {("stranger", "look"): "不能查看其他机构的报告", ("lapsed", "look"): "不能查看其他机构的报告"}
PERMIT_AGAIN = {("lapsed", "permit"): "permitted"}


@pytest.fixture(scope="module")
def office(till_for: Callable[..., Till]) -> Iterator[Till]:
    """Return one till for all pairs."""
    opened = till_for()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def patients(world: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the patients by story."""
    return {p["story"]: p for p in world["patients"]}


@pytest.fixture(scope="module")
def visit(office: Till, patients: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """Return person and id of a registered visit."""
    patient = patients[ORDINARY]
    return patient["psn_no"], office.register(patient)


def stored(url: str, serial: str) -> list[Any]:
    return [[tuple(r) for r in on_database(url, f"select * from records.{t} where mdtrt_sn = $1 order by doc_key, version",
                                           serial)] for t in ("document", "document_version")]


def same_or_refused(said: str, wanted: str, before: Any, after: Any) -> None:
    assert wanted in said, said
    assert after == before


@pytest.mark.parametrize("step", ["upload", "void"])
@pytest.mark.parametrize("state", ["none", "valid", "void"])
def test_every_pair_of_a_record(office: Till, visit: tuple[str, str], world_url: str, state: str, step: str) -> None:
    serial = secrets.token_hex(6)

    def take(name: str) -> str:
        row = {"mdtrt_sn": serial, "psn_no": visit[0], "mdtrt_id": visit[1], "bld_time": "2026-01-05 08:00:00",
               "vali_flag": "0" if name == "void" else "1"}
        try:
            office.call("4601", {"data": [row]})
        except Refused as refused:
            return str(refused)
        return ""

    def now() -> str:
        rows = on_database(world_url, "select is_valid from records.document where mdtrt_sn = $1", serial)
        return {True: "valid", False: "void"}[rows[0]["is_valid"]] if rows else "none"

    for earlier in {"none": (), "valid": ("upload",), "void": ("upload", "void")}[state]:
        assert take(earlier) == ""
    assert now() == state
    before = stored(world_url, serial)
    said = take(step)
    if (state, step) in RECORD_ALLOWED:
        assert (said, now()) == ("", RECORD_ALLOWED[state, step])
    else:
        same_or_refused(said, RECORD_REFUSED[state, step], before, stored(world_url, serial))


@pytest.mark.parametrize("step", ["lines", "close", "reopen"])
@pytest.mark.parametrize("state", ["none", "open", "complete"])
def test_every_pair_of_a_self_pay_visit(office: Till, world_url: str, state: str, step: str) -> None:
    serial = secrets.token_hex(6)

    def take(name: str) -> str:
        try:
            if name == "lines":
                office.call("4201", {"feedetail": [line(office, visit=serial)]})
            else:
                close(office, serial, "1" if name == "close" else "0")
        except Refused as refused:
            return str(refused)
        return ""

    def now() -> str:
        rows = on_database(world_url, "select kind, is_valid from records.document where mdtrt_sn = $1", serial)
        kinds = {r["kind"]: r["is_valid"] for r in rows}
        return "complete" if kinds.get("4203") else "open" if kinds else "none"

    for earlier in {"none": (), "open": ("lines",), "complete": ("lines", "close")}[state]:
        assert take(earlier) == ""
    assert now() == state
    before = stored(world_url, serial)
    said = take(step)
    if (state, step) in SELF_PAY_ALLOWED:
        assert (said, now()) == ("", SELF_PAY_ALLOWED[state, step])
    else:
        same_or_refused(said, SELF_PAY_REFUSED[state, step], before, stored(world_url, serial))


@pytest.mark.parametrize("step", ["look", "permit"])
@pytest.mark.parametrize("state", ["stranger", "permitted", "treats", "lapsed"])
def test_every_pair_of_the_right_to_look(
    till_for: Callable[..., Till], patients: dict[str, dict[str, Any]], world_url: str, state: str, step: str
) -> None:
    story = {"stranger": "zb-retired-first", "permitted": "zb-flexible", "treats": "zb-resident-first",
             "lapsed": "zb-child-first"}[state]
    patient, other = patients[story], till_for(index=1)
    psn_no = patient["psn_no"]
    for table, column in (("records.look_permit", "psn_no"), ("encounters.encounter", "psn_no")):
        on_database(world_url, f"delete from {table} where {column} = $1 and fixmedins_code = $2", psn_no,
                    other.counter.fixmedins_code)

    def take(name: str) -> str:
        try:
            if name == "look":
                other.call("5401", {"bilgiteminfo": {"psn_no": psn_no}})
            else:
                other.call("5461", {"data": {
                    "psnNo": psn_no, "mdtrtCertType": "02", "mdtrtCertNo": patient["certno"],
                    "psnUserIdCard": patient["certno"], "psnUserName": patient["psn_name"]}})
        except Refused as refused:
            return str(refused)
        return ""

    def permits() -> int:
        return len(on_database(world_url, "select 1 from records.look_permit where psn_no = $1", psn_no))

    if state in ("permitted", "lapsed"):
        assert take("permit") == ""
    if state == "lapsed":
        on_database(world_url, "update records.look_permit set valid_to = '2020-01-01' where psn_no = $1", psn_no)
    if state == "treats":
        other.register(patient)
    before = permits()
    said = take(step)
    if (state, step) in LOOK_REFUSED:
        same_or_refused(said, LOOK_REFUSED[state, step], before, permits())
    else:
        assert (state, step) in LOOK_ALLOWED or (state, step) in PERMIT_AGAIN
        assert said == ""
        assert permits() == before + (step == "permit")
        assert take("look") == "", "whoever could look or was let to can look"
    other.close()
