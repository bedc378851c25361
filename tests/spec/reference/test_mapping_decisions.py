"""3301, 3302, 1317 and ``yibao mapping``: what plainly agrees is approved at once, the rest waits for the agency."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.storeroom import DRUG, send
from tests.support.till import Till
from yibao.entrypoints.cli.main import app

SERVICE = "001102000000100"
Cli = Callable[..., dict[str, Any]]
_codes = itertools.count(1)


@pytest.fixture
def cli(world_url: str) -> Cli:
    """Return a function that runs ``yibao mapping ... --json`` and returns what it printed."""

    def run(*words: str, code: int = 0) -> dict[str, Any]:
        result = CliRunner().invoke(app, ["mapping", *words, "--json"], env={"YIBAO_DATABASE_URL": world_url})
        assert result.exit_code == code, result.output
        return dict(json.loads(result.stdout))

    return run


@pytest.fixture
def official(world_url: str) -> dict[str, str]:
    """Return name and unit of the service as the national list has them."""
    result = CliRunner().invoke(app, ["catalogue", "find", SERVICE, "--json"], env={"YIBAO_DATABASE_URL": world_url})
    hit = json.loads(result.stdout)["hits"][0]
    return {"name": hit["name"], "unit": hit["unit"]}


def own_item(own: str, **changes: Any) -> dict[str, Any]:
    return {
        "fixmedins_hilist_id": own, "fixmedins_hilist_name": "本院自编名", "list_type": "101", "med_list_codg": DRUG,
        "begndate": "2026-01-01", "enddate": "2099-12-31", "prcunt": "袋",
    } | changes


def new_code() -> str:
    return f"M{next(_codes):04d}"


def rows(till: Till, own: str, **more: Any) -> list[dict[str, Any]]:
    criteria = {"updt_time": "2020-01-01", "page_num": 1, "page_size": 50, "medins_list_codg": own} | more
    return list(send(till, "1317", {"data": criteria}).output["data"])


def waiting_id(cli: Cli, till: Till, own: str) -> str:
    found = cli("list", "--institution", till.counter.fixmedins_code)["mappings"]
    return str(next(m["mapping_id"] for m in found if m["medins_list_codg"] == own))


@pytest.mark.drives("3301", "1317")
def test_what_agrees_in_code_name_and_unit_is_approved_at_once(till: Till, official: dict[str, str], cli: Cli) -> None:
    own = new_code()
    same = own_item(own, list_type="201", med_list_codg=SERVICE, fixmedins_hilist_name=f" {official['name']} ",
                    prcunt=official["unit"])
    reply = send(till, "3301", {"data": [same]})
    assert (reply.ok, reply.warning) == (True, "")
    assert [(r["vali_flag"], r.get("memo", "")) for r in rows(till, own)] == [("1", "")]
    assert own not in [m["medins_list_codg"] for m in cli("list")["mappings"]]


def test_what_differs_waits_with_its_doubts_until_the_agency_approves(till: Till, cli: Cli) -> None:
    own = new_code()
    reply = send(till, "3301", {"data": [own_item(own)]})
    assert reply.ok
    assert "名称" in reply.warning
    assert "待经办机构审核" in rows(till, own)[0]["memo"]
    proposal = next(m for m in cli("list")["mappings"] if m["medins_list_codg"] == own)
    assert proposal["fixmedins_code"] == till.counter.fixmedins_code
    assert any("名称" in doubt for doubt in proposal["doubts"])
    done = cli("approve", proposal["mapping_id"], "--by", "审核员甲")
    assert (done["mapping"]["state"], done["mapping"]["decided_by"]) == ("approved", "审核员甲")
    assert [(r["vali_flag"], r["memo"]) for r in rows(till, own)] == [("1", "")]
    # What the agency agreed to once need not be asked again.
    assert send(till, "3301", {"data": [own_item(own, enddate="2098-12-31")]}).warning == ""


def test_a_refusal_needs_a_reason_that_the_institution_reads(till: Till, cli: Cli) -> None:
    own = new_code()
    send(till, "3301", {"data": [own_item(own)]})
    mapping_id = waiting_id(cli, till, own)
    assert "原因" in cli("reject", mapping_id, "--by", "审核员甲", code=1)["faults"][0]["reason"]
    cli("reject", mapping_id, "--by", "审核员甲", "--reason", "规格不同")
    row = rows(till, own)[0]
    assert row["vali_flag"] == "0"
    assert "规格不同" in row["memo"]
    assert rows(till, own, vali_flag="1") == []


def test_a_new_mapping_leaves_the_old_days_as_they_were(till: Till, cli: Cli) -> None:
    own = new_code()
    send(till, "3301", {"data": [own_item(own)]})
    cli("approve", waiting_id(cli, till, own), "--by", "甲")
    second = own_item(own, begndate="2026-09-01", fixmedins_hilist_name="改名")
    send(till, "3301", {"data": [second]})
    # While it waits the old one goes on holding, then it ends the day before.
    assert [(r["begndate"], r["enddate"]) for r in rows(till, own)] == [
        ("2026-01-01", "2099-12-31"), ("2026-09-01", "2099-12-31"),
    ]
    cli("approve", waiting_id(cli, till, own), "--by", "甲")
    assert [(r["medins_list_name"], r["begndate"], r["enddate"], r["vali_flag"]) for r in rows(till, own)] == [
        ("本院自编名", "2026-01-01", "2026-08-31", "0"), ("改名", "2026-09-01", "2099-12-31", "1"),
    ]
    assert [r["medins_list_name"] for r in rows(till, own, query_date="2026-03-01")] == ["本院自编名"]


def test_whoever_closes_a_page_of_history_does_not_tear_it_out(till: Till, cli: Cli) -> None:
    own = new_code()
    send(till, "3301", {"data": [own_item(own)]})
    mapping_id = waiting_id(cli, till, own)
    key = {"fixmedins_code": till.counter.fixmedins_code, "fixmedins_hilist_id": own, "list_type": "101", "med_list_codg": DRUG}
    assert send(till, "3302", {"data": key}).ok
    assert rows(till, own) == []
    kept = [m for m in cli("list", "--state", "withdrawn")["mappings"] if m["mapping_id"] == mapping_id]
    assert [m["medins_list_codg"] for m in kept] == [own]


# ───────────────────────── every state against every step ─────────────────────────

STATES: dict[str, list[str]] = {
    "unknown": [], "proposed": ["propose"], "approved": ["propose", "approve"], "refused": ["propose", "reject"],
    "withdrawn": ["propose", "withdraw"], "superseded": ["propose", "propose"],
}
ALLOWED: dict[str, set[str]] = {
    "unknown": {"propose"}, "proposed": {"propose", "approve", "reject", "withdraw"}, "approved": {"propose", "withdraw"},
    "refused": {"propose"}, "withdrawn": {"propose"}, "superseded": {"propose", "withdraw"},
}
REASONS = {
    "approve": ("没有这条目录对照", "不能再审核"), "reject": ("没有这条目录对照", "不能再审核"),
    "withdraw": ("没有这条目录对照",),
}


class Desk:
    """Takes one own item through its states; decisions are on the first mapping that was uploaded of it."""

    def __init__(self, till: Till, cli: Cli) -> None:
        self.till, self.cli, self.own = till, cli, new_code()
        self.mapping_id = "0" * 28

    def step(self, name: str) -> str | None:
        """Take one step; return why it was refused, None if it was done."""
        if name in ("approve", "reject"):
            words = (name, self.mapping_id, "--by", "甲", "--reason", "看过")
            try:
                self.cli(*words)
            except AssertionError:
                return str(self.cli(*words, code=1)["faults"][0]["reason"])
            return None
        if name == "withdraw":
            content: Any = {"data": {"fixmedins_code": self.till.counter.fixmedins_code, "fixmedins_hilist_id": self.own,
                                     "list_type": "101", "med_list_codg": DRUG}}
            reply = send(self.till, "3302", content)
        else:
            reply = send(self.till, "3301", {"data": [own_item(self.own)]})
            if self.mapping_id == "0" * 28:
                self.mapping_id = waiting_id(self.cli, self.till, self.own)
        return None if reply.ok else reply.reason


@pytest.mark.parametrize(("state", "step"), list(itertools.product(STATES, ["propose", "approve", "reject", "withdraw"])))
@pytest.mark.drives("3301", "3302")
def test_every_step_in_every_state(till: Till, cli: Cli, state: str, step: str) -> None:
    desk = Desk(till, cli)
    for before in STATES[state]:
        assert desk.step(before) is None
    shown = rows(till, desk.own)
    reason = desk.step(step)
    assert (reason is None) == (step in ALLOWED[state]), reason
    if reason is not None:
        assert any(text in reason for text in REASONS[step])
        assert rows(till, desk.own) == shown


def test_what_the_command_cannot_do_is_said(cli: Cli) -> None:
    assert "没有状态" in cli("list", "--state", "nonsense", code=2)["message"]
    assert "没有这条" in cli("approve", "nothing", "--by", "甲", code=1)["faults"][0]["reason"]
    assert "审核人" in cli("approve", "nothing", "--by", " ", code=1)["faults"][0]["reason"]
