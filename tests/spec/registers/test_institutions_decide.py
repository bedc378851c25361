"""What hospitals decide or prove while the agency cannot: accidents left to them, referrals on paper. In February 2021.

Huizhou's notice leaves the review of accidents to the hospitals from 25 January on. Zibo stands still on 22 and 23 February in
a plan of our own, in which a paper stands in for the referral.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.support.filing_desk import accident
from tests.support.window_city import Denied
from yibao.domains.registers.model import Paper
from yibao.domains.windows.reading import read_plan
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal
from yibao.usecases.registers.work_filing import KeepFiling, keep_filing
from yibao.usecases.registers.work_rows import WorkRows, work_rows
from yibao.usecases.windows.pass_gate import Gate

HUIZHOU, ZIBO = "441300", "370300"
PLAN = """
format = 1
name = "february"
admdvs = "370300"
title = "两天停机"
version = 1
published_by = "医保局"
source = "通知"
announced_on = "2021-02-01"

[[track]]
code = "all"
title = "备案"
business = ["remote", "agency"]
stop = "2021-02-22 00:00"
restart = "2021-02-24 00:00"

[[rule]]
id = "F1"
disposition = "paper_proof"
when.business = ["referral"]
phase = ["frozen"]
says = "凭医院的纸质转诊证明转院，恢复后补录"
terms.paper = "转诊证明"

[[rule]]
id = "F2"
disposition = "suspend"
when.business = ["referral"]
phase = ["frozen"]
says = "转诊备案暂停，请凭纸质证明"
"""


@pytest.fixture(scope="module")
def city(city_at: Any) -> Any:
    opened = city_at("2021-02-06 08:00")
    opened.publish("huizhou-2021")
    return opened


def insured(city: Any, region: str, n: int = 0) -> dict[str, Any]:
    return dict([p for p in city.world["patients"] if p["insuplc_admdvs"] == region][n])


def filed(city: Any, patient: dict[str, Any], day: str) -> str:
    """File an accident of a day at a hospital of Huizhou and return the filing's number."""
    till = city.till(HUIZHOU)
    content = accident(patient, till, trum_time=day, begndate=day)
    return str(till.call("2507", content)["result"]["trt_dcla_detl_sn"])


def test_accidents_are_decided_by_hospitals_and_audited_until_the_agency_takes_it_back(city: Any) -> None:
    agency, chief = city.hall("review", HUIZHOU), city.hall("approve", HUIZHOU)
    city.turn("2021-02-08 09:00")
    right, wrong = (insured(city, HUIZHOU, n) for n in (0, 1))
    numbers = [filed(city, right, "2021-02-08"), filed(city, wrong, "2021-02-08")]
    rows = agency.read("/register-entries", admdvs=HUIZHOU, kind="delegated")["rows"]
    assert [(r["origin"], r["psn_no"], r["body"]["approved"]) for r in rows] == [
        (f"filing/{number}", p["psn_no"], True) for number, p in zip(numbers, (right, wrong), strict=True)]
    assert {r["fixmedins_code"] for r in rows} == {city.institution(HUIZHOU)["fixmedins_code"]}
    # A hospital's decision counts as a filing meanwhile.
    assert len(city.fetch("select 1 from applications.injury where filing_id = any($1) and approved", numbers)) == 2

    # The agency looks at both: one stands, one is taken back with the reason.
    audit = "/register-entries/{}/audit"
    assert agency.do(audit.format(rows[0]["register_no"]), {"is_right": True})["state"] == "done"
    assert agency.refused(audit.format(rows[1]["register_no"]), {"is_right": False})["code"] == "REASON_MISSING"
    ended = agency.do(audit.format(rows[1]["register_no"]), {"is_right": False, "says": "有第三方责任人"})
    assert (ended["state"], ended["reason"]) == ("refused", "有第三方责任人")
    cancelled = city.fetch("select filing_id from applications.injury where cancelled_at is not null")
    assert [c["filing_id"] for c in cancelled] == [numbers[1]]
    assert agency.refused(audit.format(rows[1]["register_no"]), {"is_right": True})["code"] == "REGISTER_ENDED"

    # The module is there again: the agency takes the decision back, what comes from now on is no delegated one.
    city.turn("2021-02-20 09:00")
    back = {"admdvs": HUIZHOU, "plan": "huizhou-2021", "rule": "HZ-R30", "reason": "模块已上线"}
    assert chief.refused("/delegations/hand-back", {**back, "rule": "HZ-R31"})["code"] == "DELEGATION_UNKNOWN"
    assert chief.do("/delegations/hand-back", back)["business"] == "injury_review"
    assert chief.refused("/delegations/hand-back", back)["code"] == "DELEGATION_ENDED"
    filed(city, wrong, "2021-02-20")
    assert len(agency.read("/register-entries", admdvs=HUIZHOU, kind="delegated")["rows"]) == 2
    closed = agency.do(f"/regions/{HUIZHOU}/registers/delegated/close", {"plan": "huizhou-2021"})
    assert (closed["rows"], closed["owned"]) == (2, 0)
    assert city.breaches() == {}


def test_a_referral_on_paper_becomes_a_filing_with_its_own_date(city: Any) -> None:
    plan = read_plan(PLAN)
    assert not isinstance(plan, Refusal), plan.sentence()
    gate, patient = Gate.of([plan]), insured(city, ZIBO)
    sends, takes = city.institution(ZIBO, 0), city.institution(ZIBO, 1)
    content = {
        "insutype": patient["insutype"], "insured_place": ZIBO, "diagnosis_code": "J18.900", "diagnosis_name": "肺炎",
        "to_code": takes["fixmedins_code"], "to_name": takes["fixmedins_name"], "care_admdvs": ZIBO, "agreed": True, "kind": "1",
        "referred_on": "2021-02-22", "begin": "2021-02-22", "end": None, "from_mdtrt_id": "", "detail": "{}",
    }
    paper = Paper("paper_referral", "纸质转诊证明", b"scan")
    asked = KeepFiling(
        admdvs=ZIBO, filing="referral", psn_no=patient["psn_no"], applicant_name=patient["psn_name"], content=content,
        fixmedins_code=sends["fixmedins_code"], papers=(paper,))
    city.turn("2021-02-21 09:00")  # nothing stands still yet
    with pytest.raises(Denied) as open_day:
        city.do(keep_filing, asked, gate=gate)
    assert open_day.value.refusal.code == "FILING_OPEN"

    city.turn("2021-02-22 09:00")
    with pytest.raises(Denied) as bare:
        city.do(keep_filing, msgspec.structs.replace(asked, papers=()), gate=gate)
    assert [f.reason for f in bare.value.refusal.faults] == ["缺少材料：纸质转诊（备案）证明"]
    kept = city.do(keep_filing, asked, gate=gate)
    assert kept.register_no == "R370300-paper_proof-000001"
    work = WorkRows(admdvs=ZIBO, kind="paper_proof", plan="february")
    second = Actor(login="钱复核", channel="cli", regions=(ZIBO,))
    more = {"checker": second, "shelf": city.shelf, "gate": gate}
    assert [r.outcome for r in city.do(work_rows, work, **more).rows] == ["waiting"]

    city.turn("2021-02-24 09:00")
    done = city.do(work_rows, work, **more).rows
    assert [r.outcome for r in done] == ["done"], done
    (referral,) = city.fetch("select valid_from, filed_at from applications.referral where psn_no = $1", patient["psn_no"])
    assert f"{referral['valid_from']}" == "2021-02-22"
    assert f"{referral['filed_at'].astimezone(SHANGHAI):%Y-%m-%d}" == "2021-02-22"
    assert city.breaches() == {}
