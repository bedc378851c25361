"""The other ways of an episode: self-pay and back, an admission undone, an interim, kept credentials, deposits, notes off
line, a filing after the stop, medicine for the window. Each under a plan made for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.till import Refused
from tests.support.ward import Stay, Ward
from tests.support.window_city import City, at
from tests.support.window_desk import WindowDesk, note_of, plan_with, rule
from yibao.domains.people.cards import Card, hold_card, put_card

EMPLOYEES, RESIDENTS = 'when.insutype = ["310"]', 'when.insutype = ["390"]'
ALWAYS = '"normal", "last_call", "frozen", "after"'
# The Zibo plan with rules that are more specific than its own.
PLAN = plan_with(
    rule("T-SELF", "convert_self_pay", "inpatient_settlement", "P2 P3 P4", 'terms.from = "2021-10-19 08:00"',
         'terms.to = "2021-11-30 24:00"', EMPLOYEES, phase=ALWAYS),
    rule("T-INTERIM", "interim_settle", "inpatient_settlement", "P2 P4", EMPLOYEES, "when.urgent = true", phase=ALWAYS),
    rule("T-CANCEL", "cancel_and_reregister", "inpatient_settlement", "P2 P3 P4", RESIDENTS, 'terms.fee_lines = "resent"',
         phase='"last_call", "frozen", "after"'),
    rule("T-KEEP", "cancel_and_reregister", "inpatient_settlement", "P2 P3 P4", RESIDENTS, 'when.psn_type = ["1404"]',
         'terms.fee_lines = "kept"', phase='"last_call", "frozen", "after"'),
    rule("T-CRED", "capture_credential", "outpatient_settlement", "P5", EMPLOYEES, 'terms.settle_by = "2021-11-30"'),
    rule("T-CARD", "capture_credential", "inpatient_settlement", "P5", EMPLOYEES),
    rule("T-DEP", "deposit", "chronic_settlement", "P5", EMPLOYEES, "terms.share = 5000", 'terms.settle_by = "2021-11-30"'),
    rule("T-PAY", "pay_full_backfill", "outpatient_settlement", "P5", RESIDENTS, "terms.months = 1"),
    rule("T-HOLD", "hold_open", "inpatient_settlement", "P5", RESIDENTS, "terms.deposit = false"),
    rule("T-STOCK", "stock_up", "chronic_settlement", "", "terms.days = 95", 'terms.until = "2021-10-31"',
         phase='"last_call"'),
    rule("T-OFF", "continue", "settlement_query", "", 'when.channel = ["gateway"]', "terms.offline_notes = true",
         phase='"frozen"'),
)
CHARGE = {"pric": 100.0, "cnt": 30, "det_item_fee_sumamt": 3000.0}


@pytest.fixture(scope="module")
def city(city_at: Any) -> Iterator[City]:
    """Open a city in the last call of the plan."""
    opened: City = city_at("2021-10-09 08:00")
    opened.publish(PLAN)
    yield opened
    assert opened.breaches() == {}


@pytest.fixture(scope="module")
def desk(city: City) -> WindowDesk:
    """Return the first hospital's desk."""
    return WindowDesk(city.hall(str(city.institution()["fixmedins_code"])))


@pytest.fixture(scope="module")
def ward(city: City) -> Ward:
    """Return a ward of the first hospital."""
    return city.ward()


@pytest.fixture(scope="module")
def charges(city: City) -> list[dict[str, Any]]:
    """Return 3000 yuan of a service that is in scope as a whole."""
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    return [{**CHARGE, "med_list_codg": item["med_list_codg"], "medins_list_codg": item["medins_list_codg"]}]


def test_before_the_stop(city: City, desk: WindowDesk, ward: Ward, charges: list[dict[str, Any]]) -> None:
    """10-09: stays go on through the stop: one becomes self-paying, two are undone, one is settled in between."""
    employee, resident, urgent = (city.patient(s) for s in ("zb-active-first", "zb-resident-first", "zb-retired-first"))
    # An employee's stay: P2, carried as self-paying from now on.
    stay = ward.admit(employee, at("2021-10-06 09:00"), ipt_no="ZYSELF")
    ward.charge(stay, at("2021-10-07 09:00"), charges)
    e = desk.note(employee, kind="stay", visit_no="ZYSELF", begin=at("2021-10-06 09:00"))["episode"]
    assert (e["position"], e["disposition"], e["mdtrt_id"]) == ("P2", "convert_self_pay", stay.mdtrt_id)
    assert desk.do(e, "self-pay", says="停机")["is_self_paying"]
    # A resident's: the admission is undone by the interface itself (2404), lines and all, and noted.
    undone = ward.admit(resident, at("2021-10-06 10:00"), ipt_no="ZYUNDO")
    ward.charge(undone, at("2021-10-07 09:00"), charges)
    ward.cancel_admission(undone)
    rows = city.fetch("select * from episodes.episode where visit_no = 'ZYUNDO'")
    assert [(r["earlier_mdtrt_id"], r["position"], r["state"]) for r in rows] == [(undone.mdtrt_id, "P2", "held")]
    assert city.fetch("select count(*) as n from encounters.fee_line where mdtrt_id = $1", undone.mdtrt_id)[0]["n"] == 0
    # A student's: the lines are kept for the admission to come.
    student = city.patient("zb-university-student")
    keeps = ward.admit(student, at("2021-10-06 12:00"), ipt_no="ZYKEEP")
    ward.charge(keeps, at("2021-10-07 09:00"), charges)
    path = f"/windows/stays/{student['psn_no']}/{keeps.mdtrt_id}/undo"
    assert desk.hall.do(path, {"phone": "13900000002"})["episode"]["rule_id"] == "T-KEEP"
    assert desk.hall.refused(path, {})["code"] == "STAY_CANCELLED"
    assert city.fetch("select count(*) as n from encounters.fee_line where mdtrt_id = $1", keeps.mdtrt_id)[0]["n"] == 1
    # A fourth one, for which the plan says to cut the stay: what it has cost is settled now.
    cut = ward.admit(urgent, at("2021-10-06 11:00"), ipt_no="ZYCUT")
    ward.charge(cut, at("2021-10-07 09:00"), charges)
    e = desk.note(urgent, kind="stay", visit_no="ZYCUT", begin=at("2021-10-06 11:00"), is_urgent=True)["episode"]
    assert e["disposition"] == "interim_settle"
    part = ward.settle_stay(cut, 3000.0, interim=True)["setlinfo"]
    assert 0 < part["fund_pay_sumamt"] < 3000
    assert desk.show(e)["episode"]["state"] == "held"


def test_inside_the_stop(city: City, desk: WindowDesk) -> None:
    """10-12: credentials are kept where the plan says so, deposits up to the share, nothing where bills stay open."""
    city.turn("2021-10-12 10:00")
    patient = city.patient("zb-active-first")
    visit = {"kind": "outpatient", "begin": at("2021-10-12 09:00"), "end_at": at("2021-10-12 09:00")}
    assert desk.refused(patient, visit_no="MZC1", **visit)["code"] == "CREDENTIAL_MISSING"
    wrong = desk.refused(patient, visit_no="MZC1", **visit, cert_type="02", cert_no="11010519491231002X")
    assert wrong["code"] == "CREDENTIAL_DIFFERS"
    assert "11010519491231002X" not in str(wrong)
    kept = desk.note(patient, visit_no="MZC1", **visit, cert_type="02", cert_no=patient["certno"], total_fen=10000)["episode"]
    assert kept["has_credential"]
    assert kept["disposition"] == "capture_credential"
    row = city.fetch("select credential::text as kept from episodes.episode where visit_no = 'MZC1'")[0]["kept"]
    assert patient["certno"] not in row
    assert "digest" in row
    chronic = city.patient("zb-chronic-hypertension")
    above = desk.refused(chronic, visit_no="MZD1", **visit, visit_class="chronic", total_fen=10000,
                         cash=[{"kind": "deposit", "amount_fen": 5001, "receipt_no": "D1"}])
    assert above["code"] == "DEPOSIT_ABOVE_SHARE"
    assert "50.00元" in above["detail"]
    e = desk.note(chronic, visit_no="MZD1", **visit, visit_class="chronic", total_fen=10000,
                  cash=[{"kind": "deposit", "amount_fen": 5000, "receipt_no": "D1"}])["episode"]
    assert (e["disposition"], e["deposit_fen"], e["settle_by"]) == ("deposit", 5000, "2021-11-30")
    resident = city.patient("zb-child-first")
    held = {"kind": "stay", "visit_no": "ZYH1", "begin": at("2021-10-11 09:00"), "end_at": at("2021-10-12 09:00")}
    refused = desk.refused(resident, **held, total_fen=90000, cash=[{"kind": "payment", "amount_fen": 90000}])
    assert refused["code"] == "CASH_NOT_ALLOWED"
    assert desk.note(resident, **held, total_fen=90000)["episode"]["disposition"] == "hold_open"
    # Within one month of the restart, 19 October 00:00: the last day is 18 November.
    paid = desk.note(resident, visit_no="MZM1", **visit, total_fen=3000)["episode"]
    assert (paid["rule_id"], paid["settle_by"]) == ("T-PAY", "2021-11-18")


def test_notes_off_line_are_sent_in_later_and_conflicts_are_listed(city: City, desk: WindowDesk) -> None:
    patient = city.patient("zb-active-first")

    def note(number: str, day: str, **more: Any) -> dict[str, Any]:
        when = at(f"2021-10-{day} 09:00")
        return note_of(patient, kind="outpatient", visit_no=number, begin=when, end_at=when, noted_at=when, cert_type="02",
                       cert_no=patient["certno"], **more)

    notes = [note("MZO2", "11"), note("MZO1", "10", cash=[{"kind": "payment", "amount_fen": 700, "receipt_no": "O1"}]),
             note("MZO2", "12"), note("MZO4", "11", account_fen=700)]
    rows = desk.send(*notes)
    assert [r["outcome"] for r in rows] == ["noted", "noted", "conflict", "conflict"]
    assert [r["faults"][0]["code"] for r in rows[2:]] == ["EPISODE_NUMBER_TAKEN", "ACCOUNT_BLIND"]
    # Sent again: what was kept is known, nothing is kept twice.
    assert [r["outcome"] for r in desk.send(*notes)] == ["known", "known", "conflict", "conflict"]
    assert city.fetch("select count(*) as n from episodes.episode where visit_no like 'MZO%'")[0]["n"] == 2
    untouched = "select count(*) as n from ledger.posting where posted_at >= '2021-10-10 00:00+08'"
    assert city.fetch(untouched)[0]["n"] == 0


def test_a_card_that_was_shown_may_be_lost_afterwards(city: City, desk: WindowDesk) -> None:
    """On 12 October a card is shown at admission and kept; on the 13th it is reported lost."""
    city.turn("2021-10-12 16:00")
    patient = city.patient("zb-chronic-hypertension")
    card = city.fetch("select card_no from people.person where psn_no = $1", patient["psn_no"])[0]["card_no"]
    desk.note(patient, kind="stay", visit_no="ZYCARD", begin=at("2021-10-11 08:00"), end_at=at("2021-10-12 15:00"),
              cert_type="03", cert_no=card, total_fen=300000)

    async def lose(tx: Any, *, actor: Any, now: Any, ids: Any) -> None:
        await put_card(tx, Card(psn_no=patient["psn_no"], card_no=card, admdvs="370300", state="lost", since=now,
                                recorded_at=now))
        await hold_card(tx, patient["psn_no"], card_no=card, state="lost")

    city.turn("2021-10-13 09:00")
    city.do(lose)


def test_an_amended_plan_moves_the_last_day_of_open_cases(city: City) -> None:
    """13 October: the restart moves by a day; whoever has another last day is told, once."""
    amended = PLAN.replace('restart = "2021-10-18 24:00"', 'restart = "2021-10-19 24:00"')
    city.publish(amended.replace("10月18日（星期一）24:00", "10月19日（星期二）24:00"), reason="数据核对未完成")
    review = city.hall("review")
    rows = {e["visit_no"]: e for e in review.do("/regions/370300/windows/rejudge")["rows"]}
    assert {e["plan_version"] for e in rows.values()} == {2}
    assert (rows["MZM1"]["settle_by"], rows["ZYUNDO"]["disposition"]) == ("2021-11-19", "cancel_and_reregister")
    assert review.do("/regions/370300/windows/rejudge")["rows"] == []
    told = city.fetch("select about, text from notices.message where kind = 'deadline_moved' and about = $1",
                      rows["MZM1"]["episode_id"])
    assert ["2021-11-18" in m["text"] and "2021-11-19" in m["text"] for m in told] == [True]


def test_care_away_from_home_is_filed_after_the_stop_while_the_person_is_still_there(city: City, desk: WindowDesk) -> None:
    patient = city.patient("zb-active-over-deductible")
    clerk = WindowDesk(city.hall("intake"))
    away = {"kind": "stay", "fixmedins_code": "H37010000001", "institution_name": "济南某医院", "care_admdvs": "370100"}
    assert desk.refused(patient, visit_no="JN1", begin=at("2021-10-08 09:00"), **away)["code"] == "EPISODE_ELSEWHERE"
    e = clerk.note(patient, visit_no="JN1", begin=at("2021-10-08 09:00"), **away)["episode"]
    assert (e["position"], e["business"], e["fixmedins_code"]) == ("P9", "remote_inpatient", "H37010000001")
    assert e["register_no"].startswith("R370300-late_filing-")
    late = {"psn_no": patient["psn_no"], "insutype": patient["insutype"], "care_admdvs": "370100", "kind": "temporary",
            "fixmedins_code": "H37010000001", "institution_name": "济南某医院", "admitted_on": "2021-10-08",
            "episode_id": e["episode_id"]}
    assert clerk.hall.refused("/windows/late-filings", late)["code"] == "LATE_FILING_NOT_YET"
    city.turn("2021-10-20 09:00")
    gone = clerk.hall.refused("/windows/late-filings", late | {"discharged_on": "2021-10-19", "episode_id": ""})
    assert gone["code"] == "LATE_FILING_DISCHARGED"
    assert "手工报销" in gone["faults"][0]["remedy"]
    filed = clerk.hall.do("/windows/late-filings", late)
    assert (filed["valid_from"], filed["valid_to"], filed["register_no"]) == ("2021-10-08", None, e["register_no"])
    assert clerk.hall.refused("/windows/late-filings", late)["code"] == "FILING_REPEATED"
    row = city.fetch("select state, result from registers.entry where register_no = $1", e["register_no"])[0]
    assert dict(row) == {"state": "done", "result": filed["filing_id"]}


def test_a_stay_is_entered_without_the_patient_by_the_credential_that_was_kept(
    city: City, ward: Ward, charges: list[dict[str, Any]]
) -> None:
    city.turn("2021-10-20 09:30")
    patient = city.patient("zb-chronic-hypertension")
    card = city.fetch("select card_no from people.person where psn_no = $1", patient["psn_no"])[0]["card_no"]
    shown = {"mdtrt_cert_type": "03", "mdtrt_cert_no": card, "card_sn": "1"}
    with pytest.raises(Refused, match="已挂失"):
        ward.admit(patient, at("2021-10-11 08:00"), ipt_no="ZYOTHER", **shown)
    stay = ward.admit(patient, at("2021-10-11 08:00"), ipt_no="ZYCARD", **shown)
    ward.charge(stay, at("2021-10-11 09:00"), charges)
    ward.discharge(stay, at("2021-10-12 15:00"))
    ward.settle_stay(stay, 3000.0, **shown)
    assert city.fetch("select state from episodes.episode where visit_no = 'ZYCARD'")[0]["state"] == "settled"


def test_after_the_restart(city: City, desk: WindowDesk, ward: Ward, charges: list[dict[str, Any]]) -> None:
    """10-20: the self-paying stay is settled once it is insured again; the undone one is admitted anew; both with their days."""
    rows = {e["visit_no"]: e for e in desk.hall.read("/windows/episodes", state="held")["rows"]}
    employee, resident = city.patient("zb-active-first"), city.patient("zb-resident-first")
    found = city.fetch("select mdtrt_id from encounters.encounter where ipt_otp_no = 'ZYSELF'")[0]["mdtrt_id"]
    stay = Stay(employee, found, at("2021-10-06 09:00"), "21")
    ward.discharge(stay, at("2021-10-20 08:00"))
    with pytest.raises(Refused, match="自费"):
        ward.settle_stay(stay, 3000.0)
    assert not desk.do(rows["ZYSELF"], "insured")["is_self_paying"]
    assert desk.refuse(rows["ZYSELF"], "insured")["code"] == "NOT_SELF_PAYING"
    paid = ward.settle_stay(stay, 3000.0)["setlinfo"]
    e = desk.show(rows["ZYSELF"])["episode"]
    assert (e["state"], e["topup_fen"], e["back_fen"]) == ("settled", round(paid["psn_cash_pay"] * 100), 0)

    # Not admitted yet: nothing to enter. Admitted on another day: not this case.
    assert desk.refuse(rows["ZYUNDO"], "enter")["code"] == "ENCOUNTER_NOT_FOUND"
    again = ward.admit(resident, at("2021-10-06 10:00"), ipt_no="ZYUNDO")
    assert desk.do(rows["ZYUNDO"], "enter")["mdtrt_id"] == again.mdtrt_id
    ward.charge(again, at("2021-10-07 09:00"), charges)
    ward.discharge(again, at("2021-10-20 08:00"))
    paid = ward.settle_stay(again, 3000.0)["setlinfo"]
    e = desk.show(rows["ZYUNDO"])["episode"]
    assert (e["state"], e["due_fen"]) == ("settled", round(paid["psn_cash_pay"] * 100))

    # The student's lines come with the new admission.
    again = ward.admit(city.patient("zb-university-student"), at("2021-10-06 12:00"), ipt_no="ZYKEEP")
    assert desk.do(rows["ZYKEEP"], "enter")["state"] == "entered"
    ward.discharge(again, at("2021-10-20 08:00"))
    paid = ward.settle_stay(again, 3000.0)["setlinfo"]
    assert desk.show(rows["ZYKEEP"])["episode"]["due_fen"] == round(paid["psn_cash_pay"] * 100)

    # The interim before the stop stands; the rest settles the case with its own cash.
    cut = Stay(city.patient("zb-retired-first"), rows["ZYCUT"]["mdtrt_id"], at("2021-10-06 11:00"), "21")
    ward.charge(cut, at("2021-10-14 09:00"), charges)
    ward.discharge(cut, at("2021-10-20 08:00"))
    paid = ward.settle_stay(cut, 3000.0)["setlinfo"]
    e = desk.show(rows["ZYCUT"])["episode"]
    assert (e["state"], e["due_fen"]) == ("settled", round(paid["psn_cash_pay"] * 100))


def test_more_medicine_may_be_taken_until_the_day_the_plan_names(city: City) -> None:
    till, patient = city.till(), city.patient("zb-chronic-hypertension")

    def take(days: int, on: str) -> Any:
        begin = f"{on} 09:00:00"
        mdtrt_id = till.register(patient, begin=begin)
        visit = {**patient["visit"], "mdtrt_id": mdtrt_id}
        till.record(patient, visit, mdtrt_id, begin=begin)
        lines = [{**line, "prd_days": days} for line in visit["lines"]]
        return till.upload(patient, {**visit, "lines": lines}, mdtrt_id, begin=begin)

    # SUP-01: twelve weeks, 84 days, since 2021-08-10; the plan allows 95 to the end of October.
    assert take(95, "2021-10-20")
    with pytest.raises(Refused, match="一次最多取95天"):
        take(96, "2021-10-20")
    city.turn("2021-11-01 09:00")
    with pytest.raises(Refused, match="一次最多取84天"):
        take(85, "2021-11-01")
    assert take(84, "2021-11-01")
