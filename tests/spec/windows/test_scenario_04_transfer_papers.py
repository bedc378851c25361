"""Zibo, October 2021: papers for a transfer are brought in while everything stands still, and done after the restart.

| day | what happens |
|---|---|
| 10-11 | two people bring both papers to the counter, one of them twice: each row has a number, a time and a telephone |
| 10-11 | who lacks a paper is told which; on line nothing is taken; nobody can transfer out |
| 10-12 | the book is tried: every row waits, nothing is lost |
| 10-19 | in the order of numbers two relations are asked for at Nanjing, clock from that day; the third is refused with why |
| 10-20 | the book cannot be closed while that row is open; it is ended with the reason, the book is closed and printed |

The clock: 10 working days at the old agency and 5 at the new one, from Tuesday 2021-10-19: ten working days later is
2021-11-02, five more 2021-11-09 (no public holiday lies between).
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.support.hall import problem_of
from tests.support.register_desk import transfer
from tests.support.window_city import at
from yibao.kernel.business_time import SHANGHAI

REGION = "370300"
BOOK = f"/regions/{REGION}/registers/transfer_papers"
ROW = "R370300-transfer_papers-00000{}"
PLAN = {"plan": "zibo-2021"}


@pytest.fixture(scope="module")
def city(city_at: Any) -> Any:
    opened = city_at("2021-10-09 08:00")
    opened.publish("zibo-2021")
    return opened


def worked(city: Any) -> list[dict[str, Any]]:
    """Have the book worked off: one clerk proposes and reviews, another approves."""
    asked = city.hall("review").do(f"{BOOK}/work", PLAN)
    return list(city.hall("approve").do(f"/proposals/{asked['proposal_id']}/approve", {})["answer"]["rows"])


def test_papers_of_a_transfer_through_the_window(city: Any) -> None:
    ann, bob, eve = (city.patient(story) for story in ("zb-active-first", "zb-retired-first", "zb-active-over-deductible"))
    counter, reviewer = city.hall("intake"), city.hall("review")

    # 10-11: the counter receives and lists
    city.turn("2021-10-11 09:30")
    rows = [counter.do("/applications", transfer(person)) for person in (ann, bob)]
    assert [(r["state"], r["register_no"]) for r in rows] == [("registered", ROW.format(1)), ("registered", ROW.format(2))]
    # Ann asks twice, from the same place: a second relation cannot run beside the first. That is found out later.
    again = counter.do("/applications", transfer(ann))
    assert again["register_no"] == ROW.format(3)
    short = counter.refused("/applications", transfer(eve, change_form=None))
    assert [f["reason"] for f in short["faults"]] == ["缺少材料：基本医疗保险转移类型变更信息表"]
    for path in ("hall", "app"):
        stopped = problem_of(counter.send("POST", "/applications", body=transfer(eve, channel=path), key=counter.new_key()))
        assert (stopped["status"], stopped["code"]) == (423, "WINDOW_STOPPED")
        assert "3120000" in stopped["faults"][0]["remedy"]
    out = counter.refused("/applications", transfer(eve, kind="out"))
    assert out["code"] == "WINDOW_STOPPED"
    assert "转出暂停办理" in out["faults"][0]["remedy"]

    first = reviewer.read(f"/register-entries/{ROW.format(1)}")
    received = datetime.fromisoformat(first["row"]["received_at"]).astimezone(SHANGHAI)
    assert timedelta(0) <= received - at("2021-10-11 09:30") < timedelta(seconds=5)
    assert first["row"]["phone"] == "13000000000"
    assert [p["title"] for p in first["papers"]] == ["转移接续申请表", "基本医疗保险参保凭证", "基本医疗保险转移类型变更信息表"]
    assert all(len(p["digest"]) == 64 for p in first["papers"])

    # 10-12: still stopped
    city.turn("2021-10-12 09:00")
    assert [r["outcome"] for r in worked(city)] == ["waiting"] * 3
    assert city.fetch("select 1 from transfers.transfer where psn_no = any($1)", [ann["psn_no"], bob["psn_no"]]) == []

    # 10-19 00:00: the stop is over
    city.turn("2021-10-19 08:30")
    done = worked(city)
    assert [(r["register_no"], r["outcome"]) for r in done] == [
        (ROW.format(1), "done"), (ROW.format(2), "done"), (ROW.format(3), "kept")]
    assert "已有一笔从该地转入的业务在办" in done[2]["says"]
    asked = city.fetch(
        "select psn_no, transfer_id, direction, state, begun_on::text, due_on::text from transfers.transfer order by transfer_id")
    assert [(t["psn_no"], t["direction"], t["state"], t["begun_on"], t["due_on"]) for t in asked] == [
        (p["psn_no"], "in", "asked", "2021-10-19", "2021-11-09") for p in (ann, bob)]
    assert [r["says"] for r in done[:2]] == [t["transfer_id"] for t in asked]
    papers = city.fetch("select kind from transfers.paper where transfer_id = $1 order by kind", asked[0]["transfer_id"])
    assert [p["kind"] for p in papers] == ["certificate", "change_form"]
    told = [m["text"] for m in city.fetch(
        "select text from notices.message where psn_no = $1 and about = $2 order by told_at", bob["psn_no"], ROW.format(2))]
    assert [ROW.format(2) in text for text in told] == [True, True]
    assert "已受理" in told[0]
    assert "已办结" in told[1]
    # Worked again, nothing is done twice.
    assert [(r["register_no"], r["outcome"]) for r in worked(city)] == [(ROW.format(3), "kept")]
    assert len(city.fetch("select 1 from transfers.transfer")) == 2

    # 10-20: closing
    city.turn("2021-10-20 09:00")
    left = reviewer.refused(f"{BOOK}/close", PLAN)
    assert [f["received"] for f in left["faults"]] == [ROW.format(3)]
    assert "已有一笔" in left["faults"][0]["reason"]
    counter.do(f"/applications/{again['application_id']}/withdraw", {"says": "重复提交"})
    closed = reviewer.do(f"{BOOK}/close", PLAN)
    assert (closed["rows"], closed["owned"]) == (3, 0)
    states = [r["state"] for r in reviewer.read("/register-entries", admdvs=REGION, kind="transfer_papers")["rows"]]
    assert states == ["done", "done", "withdrawn"]

    sheet = reviewer.send("GET", f"{BOOK}/sheet", query=PLAN)
    assert sheet.status_code == 200
    table = load_workbook(io.BytesIO(sheet.content)).active
    assert [c.value for c in table["A"]][3:6] == [ROW.format(n) for n in (1, 2, 3)]
    assert [c.value for c in table["J"]][3:6] == ["已办结", "已办结", "已撤回"]
    assert city.breaches() == {}
