"""Settlement lists in their natural order, in wrong orders, and every pair of state and step.

``ALLOWED`` is the specification: from a state, by a step, to a state. Every other pair is refused with the code named
in ``REFUSED`` (or moves nothing, for the grouping that asks for whole months) and leaves the database as it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.spec.records.conftest import CHRONIC
from tests.support.lists import Content, changed, chronic_list, forget_list, on_database
from tests.support.till import Refused, Till
from yibao.domains.records.operations import mark_lists
from yibao.entrypoints.cli.records import app
from yibao.infra.database import Database
from yibao.kernel.business_time import SHANGHAI

STATES = ("none", "draft", "checked", "returned", "accepted", "grouped", "used")
STEPS = ("upload draft", "upload", "submit", "withdraw", "accept", "return", "group", "use")
ALLOWED: dict[tuple[str, str], str] = {
    ("none", "upload draft"): "draft", ("none", "upload"): "checked",
    ("draft", "upload draft"): "draft", ("draft", "upload"): "checked", ("draft", "submit"): "checked",
    ("draft", "withdraw"): "draft",
    ("checked", "upload draft"): "draft", ("checked", "upload"): "checked", ("checked", "submit"): "checked",
    ("checked", "withdraw"): "draft", ("checked", "accept"): "accepted", ("checked", "return"): "returned",
    ("returned", "upload draft"): "draft", ("returned", "upload"): "checked", ("returned", "submit"): "checked",
    ("returned", "withdraw"): "draft",
    ("accepted", "return"): "returned", ("accepted", "group"): "grouped",
    ("grouped", "return"): "returned", ("grouped", "use"): "used",
}
REFUSED = {"upload draft": "SETTLEMENT_LIST_R01", "upload": "SETTLEMENT_LIST_R01", "submit": "LIST_STATE",
           "withdraw": "LIST_STATE", "accept": "LIST_STATE", "return": "LIST_STATE", "group": "", "use": ""}
WAY_TO = {
    "none": (), "draft": ("upload draft",), "checked": ("upload",), "returned": ("upload", "return"),
    "accepted": ("upload", "accept"), "grouped": ("upload", "accept", "group"),
    "used": ("upload", "accept", "group", "use"),
}


class Office:
    """One settlement, its list, and everybody who takes a step with it."""

    def __init__(self, till: Till, url: str, content: Content) -> None:
        self.till, self.url, self.content = till, url, content
        self.setl_id = str(content["setlinfo"]["setl_id"])
        self.psn_no = str(content["setlinfo"]["psn_no"])

    def step(self, name: str) -> str:
        """Take a step; return the code or reason of the refusal, "" if it was taken."""
        if name in ("accept", "return"):
            return self._agency(name)
        if name in ("group", "use"):
            asyncio.run(self._mark(name))
            return ""
        try:
            if name.startswith("upload"):
                self.till.call("4101", changed(self.content, "setlinfo.stas_type", "0" if "draft" in name else "1"))
            else:
                self.till.call("4102", {"data": {"stastinfo": [
                    {"psn_no": self.psn_no, "setl_id": self.setl_id, "stas_type": "1" if name == "submit" else "0"}]}})
        except Refused as refused:
            return str(refused)
        return ""

    def _agency(self, verb: str) -> str:
        words = [verb, self.setl_id, "--region", "370300", "--by", "经办员", "--json"]
        result = CliRunner().invoke(
            app, words + (["--reason", "请补填"] if verb == "return" else []), env={"YIBAO_DATABASE_URL": self.url})
        answer = json.loads(result.stdout)
        assert (result.exit_code == 0) is answer["ok"]
        return "" if answer["ok"] else str(answer["faults"][0]["code"])

    async def _mark(self, verb: Any) -> None:
        database = await Database.open(self.url, role=None, size=1)
        async with database.transaction() as tx:
            await mark_lists(tx, [self.setl_id], verb=verb, at=datetime.now(UTC), actor="grouper")
        await database.close()

    def state(self) -> str:
        """Return where the list stands."""
        rows = on_database(self.url, "select state from records.settlement_list where setl_id = $1", self.setl_id)
        return rows[0]["state"] if rows else "none"

    def everything(self) -> list[Any]:
        """Return all that is stored of the list."""
        return [
            [tuple(r) for r in on_database(self.url, f"select * from records.{t} where setl_id = $1", self.setl_id)]
            for t in ("settlement_list", "list_event")
        ]

    def clear(self) -> None:
        """Take the list away, so that the next case begins anew."""
        forget_list(self.url, self.setl_id)


@pytest.fixture(scope="module")
def make_office(till_for: Callable[..., Till], world: dict[str, Any], world_url: str) -> Iterator[Callable[[], Office]]:
    """Return a function that settles a chronic visit and opens its office."""
    opened = till_for()
    patient = next(p for p in world["patients"] if p["story"] == CHRONIC)

    def make() -> Office:
        settled = opened.settle(patient, patient["visit"])
        return Office(opened, world_url, chronic_list(settled, opened, patient["visit"]))

    yield make
    opened.close()


@pytest.fixture(scope="module")
def shared_office(make_office: Callable[[], Office]) -> Office:
    """Return one office for all pairs; each case begins without a list."""
    return make_office()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.drives("4101", "4102")
def test_every_pair_of_state_and_step(shared_office: Office, state: str, step: str) -> None:
    office = shared_office
    office.clear()
    for earlier in WAY_TO[state]:
        assert office.step(earlier) == ""
    assert office.state() == state
    before = office.everything()
    said = office.step(step)
    if (state, step) in ALLOWED:
        assert said == ""
        assert office.state() == ALLOWED[state, step]
        return
    wanted = "LIST_NOT_FOUND" if state == "none" and REFUSED[step] else REFUSED[step]
    assert office.everything() == before
    words = {"LIST_NOT_FOUND": "还没有上传清单", "SETTLEMENT_LIST_R01": "R01", "LIST_STATE": "清单"}
    assert (said == wanted) or (wanted and words[wanted] in said), said


def test_the_natural_order_leaves_every_step_in_the_history(make_office: Callable[[], Office]) -> None:
    office = make_office()
    for step in ("upload draft", "submit", "withdraw", "upload", "return", "upload", "accept", "group", "use"):
        assert office.step(step) == ""
    result = CliRunner().invoke(app, ["follow", office.setl_id, "--json"], env={"YIBAO_DATABASE_URL": office.url})
    steps = [(s["verb"], s["state_to"]) for s in json.loads(result.stdout)["steps"]]
    assert steps == [
        ("upload", "draft"), ("submit", "uploaded"), ("check", "checked"), ("withdraw", "draft"), ("upload", "uploaded"),
        ("check", "checked"), ("return", "returned"), ("upload", "uploaded"), ("check", "checked"),
        ("accept", "accepted"), ("group", "grouped"), ("use", "used"),
    ]
    sql = "select verb, actor from platform.audit_entry where object = $1 and channel = 'cli' order by at"
    assert [tuple(r) for r in on_database(office.url, sql, office.setl_id)] == [
        ("return_list", "经办员"), ("accept_list", "经办员")]


def test_wrong_order_a_list_before_its_settlement(till: Till, make_office: Callable[[], Office]) -> None:
    office = make_office()
    with pytest.raises(Refused, match="本机构没有这笔结算"):
        till.call("4101", changed(office.content, "setlinfo.setl_id", "999999999999999999999999"))


def test_wrong_order_a_list_after_the_settlement_was_reversed(
    till: Till, make_office: Callable[[], Office]
) -> None:
    office = make_office()
    assert office.step("upload draft") == ""
    info = office.content["setlinfo"]
    till.call("2208", {"data": {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": info["psn_no"]}})
    before = office.everything()
    for step in ("upload", "submit"):
        assert "R02" in office.step(step)
    assert office.step("accept") == "LIST_STATE"
    assert office.everything() == before


def test_wrong_order_a_reversed_settlement_is_not_accepted(till: Till, make_office: Callable[[], Office]) -> None:
    office = make_office()
    assert office.step("upload") == ""
    info = office.content["setlinfo"]
    till.call("2208", {"data": {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": info["psn_no"]}})
    assert office.step("accept") == "SETTLEMENT_REVERSED"
    assert office.state() == "checked"


def test_wrong_order_asking_before_uploading(till: Till, make_office: Callable[[], Office]) -> None:
    office = make_office()
    with pytest.raises(Refused, match="还没有上传清单"):
        till.call("4103", {"data": {"psn_no": office.psn_no, "setl_id": office.setl_id}})


def test_wrong_order_an_institution_decides_for_the_agency(till: Till, make_office: Callable[[], Office]) -> None:
    office = make_office()
    assert office.step("upload") == ""
    before = office.everything()
    for state in ("2", "3"):
        with pytest.raises(Refused, match="审核结果由经办机构作出"):
            till.call("4102", {"data": {"stastinfo": [{"setl_id": office.setl_id, "stas_type": state}]}})
        with pytest.raises(Refused, match="审核结果由经办机构作出"):
            till.call("4101", changed(office.content, "setlinfo.stas_type", state))
    assert office.everything() == before


def test_several_lists_change_together_or_not_at_all(till: Till, make_office: Callable[[], Office]) -> None:
    good, bad = make_office(), make_office()
    assert good.step("upload draft") == ""
    rows = [{"psn_no": o.psn_no, "setl_id": o.setl_id, "stas_type": "1"} for o in (good, bad)]
    with pytest.raises(Refused, match=r"data.stastinfo\[1\].setl_id.*还没有上传清单"):
        till.call("4102", {"data": {"stastinfo": rows}})
    assert good.state() == "draft"
    assert bad.step("upload draft") == ""
    till.call("4102", {"data": {"stastinfo": rows}})
    assert (good.state(), bad.state()) == ("checked", "checked")


def test_an_agency_accepts_all_or_none_and_says_why_it_returns(make_office: Callable[[], Office]) -> None:
    good, bad = make_office(), make_office()
    assert good.step("upload") == ""
    assert bad.step("upload draft") == ""
    result = CliRunner().invoke(app, ["accept", good.setl_id, bad.setl_id, "--region", "370300", "--by", "经办员", "--json"],
                                env={"YIBAO_DATABASE_URL": good.url})
    assert result.exit_code == 1
    assert (good.state(), bad.state()) == ("checked", "draft")
    result = CliRunner().invoke(app, ["return", good.setl_id, "--region", "370300", "--by", "经办员", "--reason", " ", "--json"],
                                env={"YIBAO_DATABASE_URL": good.url})
    assert json.loads(result.stdout)["faults"][0]["code"] == "REASON_MISSING"
    result = CliRunner().invoke(app, ["accept", good.setl_id, "--region", "441300", "--by", "经办员", "--json"],
                                env={"YIBAO_DATABASE_URL": good.url})
    assert json.loads(result.stdout)["faults"][0]["code"] == "LIST_NOT_FOUND", "another region's list"
    month = datetime.now(SHANGHAI).strftime("%Y%m")
    result = CliRunner().invoke(app, ["accept", "--month", month, "--region", "370300", "--by", "经办员", "--json"],
                                env={"YIBAO_DATABASE_URL": good.url})
    assert good.setl_id in {x["setl_id"] for x in json.loads(result.stdout)["lists"]}
    assert good.state() == "accepted"
