"""How applications and papers are taken while their business stands still: each way of a small plan of four days in April.

The stop is 2025-04-10 00:00 to 2025-04-14 00:00 (Thursday to Sunday).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.service_desk import ZIBO, Town, at
from yibao.domains.registers.model import Paper
from yibao.domains.windows.reading import read_plan
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal
from yibao.usecases.registers.work_filing import KeepFiling, keep_filing
from yibao.usecases.registers.work_rows import WorkRows, work_rows
from yibao.usecases.services.accept_application import accept_application
from yibao.usecases.services.commands import OnApplication, PaperGiven, SubmitApplication
from yibao.usecases.services.submit_application import submit_application, withdraw_application
from yibao.usecases.windows.pass_gate import Gate

PLAN = """
format = 1
name = "april"
admdvs = "370300"
title = "四天停机"
version = 1
published_by = "医保局"
source = "通知"
announced_on = "2025-04-01"

[[track]]
code = "agency"
title = "经办业务"
business = ["agency", "collection", "remote"]
stop = "2025-04-10 00:00"
restart = "2025-04-14 00:00"

[[rule]]
id = "A1"
disposition = "pre_accept"
when.business = ["certificate"]
when.channel = ["app"]
phase = ["frozen"]
says = "网上提交的先收下，恢复后按顺序办理"
terms.register = "online_intake"

[[rule]]
id = "A2"
disposition = "accept_register"
when.business = ["certificate"]
when.channel = ["window"]
phase = ["frozen"]
says = "窗口收件登记，恢复后办理"
terms.register = "counter_intake"

[[rule]]
id = "A3"
disposition = "accept_effective_on_receipt"
when.business = ["injury_review"]
phase = ["frozen"]
says = "收件登记，自收件之日起生效"
terms.register = "counter_intake"

[[rule]]
id = "A4"
disposition = "suspend"
when.business = ["transfer_out", "maternity_filing"]
phase = ["frozen"]
says = "暂停办理"

[[hotline]]
title = "咨询电话"
phone = "12393"
"""
ITEM = "002036003001"
BEFORE, INSIDE, LATER, AFTER = "2025-04-09", "2025-04-11", "2025-04-12", "2025-04-14"


@pytest.fixture(scope="module")
def gate() -> Gate:
    plan = read_plan(PLAN)
    assert not isinstance(plan, Refusal), plan.sentence()
    return Gate.of([plan])


def asks(town: Town, *, channel: str) -> tuple[str, SubmitApplication]:
    """Return somebody who was enrolled here, and the application for a certificate."""
    psn_no, _ = town.person("申请人")
    town.relation(psn_no, begin=date(2024, 1, 1), until=None)
    return psn_no, SubmitApplication(
        admdvs=ZIBO, item_code=ITEM, applicant_kind="person", applicant_no=psn_no, applicant_name="申请人", phone="13000000002",
        channel=channel, body={"psn_no": psn_no}, materials=[PaperGiven(material=m, file_name="scan") for m in papers()])


def papers() -> list[str]:
    from yibao.domains.services.items import service_book

    return [p.material for p in service_book().papers[ITEM] if p.rule == "required"]


def work(town: Town, gate: Gate, kind: str, *, on: str) -> list[tuple[str, str]]:
    """Work a book off by two people and return number and outcome of each row."""
    checker = Actor(login="钱复核", channel="api", regions=(ZIBO,))
    done: Any = town.clerk("赵受理").do(
        work_rows, WorkRows(admdvs=ZIBO, kind=kind, plan="april"), on=on, checker=checker, gate=gate)
    return [(r.register_no.rsplit("-", 1)[1], r.outcome) for r in done.rows]


def test_what_is_sent_online_is_stored_undecided_and_handed_over_in_order(town: Town, gate: Gate) -> None:
    clerk = town.clerk("赵受理")
    before = clerk.do(submit_application, asks(town, channel="app")[1], on=BEFORE, gate=gate)
    assert (before.state, before.register_no) == ("submitted", "")
    stored = [clerk.do(submit_application, asks(town, channel="app")[1], on=INSIDE, gate=gate) for _ in range(3)]
    assert [(a.state, a.register_no) for a in stored] == [
        ("registered", f"R{ZIBO}-online_intake-{n:06d}") for n in (1, 2, 3)]
    assert work(town, gate, "online_intake", on=LATER) == [("000001", "waiting"), ("000002", "waiting"), ("000003", "waiting")]
    # Whoever takes the application back leaves the queue.
    clerk.do(withdraw_application, OnApplication(application_id=stored[1].application_id, says="不办了"), on=LATER)
    assert work(town, gate, "online_intake", on=AFTER) == [("000001", "done"), ("000003", "done")]
    assert work(town, gate, "online_intake", on=AFTER) == []
    states = {row["application_id"]: row["state"] for row in town.fetch("select application_id, state from services.application")}
    assert [states[a.application_id] for a in stored] == ["submitted", "withdrawn", "submitted"]
    released = town.fetch(
        "select s.application_id from services.step s where s.what = 'release' order by s.at, s.application_id")
    assert [r["application_id"] for r in released] == [stored[0].application_id, stored[2].application_id]
    ended = clerk.do(accept_application, OnApplication(application_id=stored[0].application_id), on=AFTER)
    assert ended.state == "closed"


def test_what_is_registered_at_the_counter_is_done_afterwards_with_its_papers(town: Town, gate: Gate) -> None:
    clerk = town.clerk("赵受理")
    psn_no, application = asks(town, channel="window")
    filed = clerk.do(submit_application, application, on=INSIDE, gate=gate)
    assert filed.register_no == f"R{ZIBO}-counter_intake-000001"
    assert work(town, gate, "counter_intake", on=AFTER) == [("000001", "done")]
    row = town.fetch("select state, result, answered_at from registers.entry where register_no = $1", filed.register_no)[0]
    made = town.fetch("select certificate_no from certificates.certificate where psn_no = $1", psn_no)
    assert (row["state"], row["result"]) == ("done", made[0]["certificate_no"])
    assert row["answered_at"] == at(AFTER)
    # Another channel of the same business is simply stopped.
    refused = clerk.refused(submit_application, asks(town, channel="hall")[1], on=INSIDE, gate=gate)
    assert refused == ["WINDOW_STOPPED"]


def test_a_filing_holds_from_the_day_its_papers_came_in(town: Town, gate: Gate) -> None:
    clerk = town.clerk("赵受理")
    psn_no, _ = town.person("受伤人")
    town.relation(psn_no, begin=date(2024, 1, 1), until=None)
    content = {"insutype": "", "kind": "accident", "injured_on": "2025-04-08", "place": "家中", "cause": "跌倒",
               "has_undertaking": False, "approved": True, "begin": "2025-04-20", "end": None, "detail": "{}"}
    command = KeepFiling(admdvs=ZIBO, filing="injury", psn_no=psn_no, applicant_name="受伤人", content=content,
                         papers=(Paper("record", "调查记录", b"x"),))
    kept = clerk.do(keep_filing, command, on=INSIDE, gate=gate)
    assert (kept.effective_on, kept.state) == (date(2025, 4, 11), "received")
    assert town.fetch("select 1 from applications.injury where psn_no = $1", psn_no) == []
    outcomes = work(town, gate, "counter_intake", on=AFTER)
    assert (kept.register_no.rsplit("-", 1)[1], "done") in outcomes
    (filed,) = town.fetch("select valid_from, filed_at from applications.injury where psn_no = $1", psn_no)
    assert (filed["valid_from"], filed["filed_at"]) == (date(2025, 4, 11), at(INSIDE))
    # Filings that nobody may hand in are refused by the plan, and on an open day by the open way.
    assert clerk.refused(keep_filing, command, on=AFTER, gate=gate) == ["FILING_OPEN"]
    maternity = {"insutype": "", "fixmedins_code": "", "due_on": None, "spouse_psn_no": "", "begin": "2025-04-11", "end": None}
    stopped = KeepFiling(admdvs=ZIBO, filing="maternity", psn_no=psn_no, applicant_name="受伤人", content=maternity)
    assert clerk.refused(keep_filing, stopped, on=INSIDE, gate=gate) == ["WINDOW_STOPPED"]


def test_a_row_that_is_refused_stays_with_its_reason_and_is_tried_again(town: Town, gate: Gate) -> None:
    clerk = town.clerk("赵受理")
    psn_no, _ = town.person("无参保人")
    content = {"insutype": "", "kind": "accident", "injured_on": "2025-04-08", "place": "", "cause": "", "has_undertaking": False,
               "approved": True, "begin": "2025-04-11", "end": None, "detail": "{}"}
    command = KeepFiling(admdvs=ZIBO, filing="injury", psn_no=psn_no, applicant_name="无参保人", content=content)
    kept = clerk.do(keep_filing, command, on=INSIDE, gate=gate)
    assert (kept.register_no.rsplit("-", 1)[1], "kept") in work(town, gate, "counter_intake", on=AFTER)
    (row,) = town.fetch("select state, reason, tried_at from registers.entry where psn_no = $1", psn_no)
    assert row["state"] == "received"
    assert "参保" in row["reason"]
    town.relation(psn_no, begin=date(2024, 1, 1), until=None)
    assert (kept.register_no.rsplit("-", 1)[1], "done") in work(town, gate, "counter_intake", on="2025-04-15")




def test_a_batch_that_is_cut_off_goes_on_where_it_stood(town: Town, gate: Gate) -> None:
    clerk = town.clerk("赵受理")
    numbers = [clerk.do(submit_application, asks(town, channel="window")[1], on=INSIDE, gate=gate).register_no for _ in range(4)]
    checker = Actor(login="钱复核", channel="api", regions=(ZIBO,))

    def chunk(after: str) -> Any:
        command = WorkRows(admdvs=ZIBO, kind="counter_intake", plan="april", after=after, limit=2)
        return clerk.do(work_rows, command, on=AFTER, checker=checker, gate=gate)

    async def cut_off(tx: Any, command: WorkRows, *, actor: Actor, now: Any, ids: Any, shelf: Any) -> None:
        await work_rows(tx, command, actor=actor, checker=checker, now=now, ids=ids, shelf=shelf, gate=gate)
        raise ConnectionError

    done: list[str] = []
    first = chunk("")
    done += [r.register_no for r in first.rows if r.outcome == "done"]
    with pytest.raises(ConnectionError):
        clerk.do(cut_off, WorkRows(admdvs=ZIBO, kind="counter_intake", plan="april", limit=1), on=AFTER)
    after = ""
    while (again := chunk(after)).last:
        done += [r.register_no for r in again.rows if r.outcome == "done"]
        after = again.last
    assert [n for n in done if n in numbers] == numbers
    ended = town.fetch("select result from registers.entry where register_no = any($1) and state = 'done'", numbers)
    made = town.fetch("select certificate_no from certificates.certificate")
    assert len({r["result"] for r in ended} & {m["certificate_no"] for m in made}) == 4
