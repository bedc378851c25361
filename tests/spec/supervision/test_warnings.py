"""Before care (3101) and during care (3102) a doctor is warned of orders that break a rule, and answers (3103)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.doctor import (
    HBA1C,
    MONITORING,
    ULTRASOUND,
    WARD_BED,
    analysis,
    feedback,
    line,
    order,
    rows,
    visit,
)
from tests.support.till import Refused, Till, new_msgid

Patient = dict[str, Any]


def warned(till: Till, patient: Patient, mdtrt_id: str, *orders: dict[str, Any], infno: str = "3101", **more: Any) -> list[Any]:
    """Send orders and return the warnings."""
    output = till.call(infno, analysis(till, patient, mdtrt_id, orders, **more), insured_place=patient["insuplc_admdvs"])
    return list(output["result"])


def kept(world_url: str, hit_id: str) -> dict[str, Any]:
    """Return a warning as it is kept."""
    (row,) = rows(world_url, "select * from supervision.hit where hit_id = $1", hit_id)
    return row


@pytest.mark.drives("3101")
def test_an_order_for_women_is_warned_of_before_a_man_is_registered(till: Till, man: Patient, world_url: str) -> None:
    (hit,) = warned(till, man, "HIS-0001", order(ULTRASOUND, 2, 71))
    assert hit["rule_id"] == f"R06-{ULTRASOUND}"
    assert hit["rule_name"] == "性别不符"
    assert hit["vola_cont"] == "经阴道B超检查限女性使用，参保人为男性"     # the catalogue's name, not the one sent
    assert (hit["vola_amt"], hit["vola_amt_stas"], hit["sev_deg"]) == (142.0, "1", "1")
    assert "第1批" in hit["vola_evid"]
    (detail,) = hit["judge_result_detail_dtos"]
    assert (detail["rx_id"], detail["vola_item_type"], detail["vola_amt"]) == (f"RX{ULTRASOUND}", "1", 142.0)
    row = kept(world_url, hit["jr_id"])
    assert (row["stage"], row["state"], row["mdtrt_id"], row["amount_fen"]) == ("before", "open", "HIS-0001", 14_200)


@pytest.mark.drives("3101")
def test_the_same_order_for_a_woman_is_fine(till: Till, woman: Patient) -> None:
    assert warned(till, woman, "HIS-0002", order(ULTRASOUND, 2, 71)) == []


def test_our_record_of_the_person_decides_and_a_difference_is_warned_of(till: Till, woman: Patient) -> None:
    content = analysis(till, woman, "HIS-0003", [order(ULTRASOUND)], gend="1")
    import json

    reply = json.loads(till.ask(till.envelope("3101", content, insured_place=woman["insuplc_admdvs"])))
    assert reply["output"]["result"] == []
    assert "性别不一致" in json.dumps(reply["warn_msg"], ensure_ascii=False)


@pytest.mark.drives("3102")
def test_during_care_uploaded_lines_are_judged_with_the_orders(till: Till, woman: Patient) -> None:
    mdtrt_id = till.register(woman)
    bill = visit(line(MONITORING, 1, 148))
    till.record(woman, bill, mdtrt_id)
    till.upload(woman, bill, mdtrt_id)
    (hit,) = warned(till, woman, mdtrt_id, order(WARD_BED, 1, 98), infno="3102")
    assert hit["rule_id"] == f"R01-{MONITORING}-{WARD_BED}"
    assert hit["vola_amt"] == 98.0
    assert {(d["rx_id"], d["vola_item_type"]) for d in hit["judge_result_detail_dtos"]} == {
        (f"RX{WARD_BED}", "1"), ("1001", "2")}


@pytest.mark.drives("3102")
def test_an_order_that_was_charged_already_is_not_counted_twice(till: Till, woman: Patient) -> None:
    mdtrt_id = till.register(woman)
    bill = visit({**line(HBA1C, 1, 13.5), "rxno": "CF1"})
    till.record(woman, bill, mdtrt_id)
    till.upload(woman, bill, mdtrt_id)
    assert warned(till, woman, mdtrt_id, order(HBA1C, 1, 13.5, rxno="CF1"), infno="3102") == []
    assert len(warned(till, woman, mdtrt_id, order(HBA1C, 1, 13.5, rxno="CF2"), infno="3102")) == 1


@pytest.mark.drives("3101")
def test_what_was_settled_before_counts(till: Till, woman: Patient) -> None:
    assert warned(till, woman, "HIS-0004", order("002503020020000", 1, 89)) == []      # once in 7 days
    till.settle(woman, visit(line("002503020020000", 1, 89)))
    (hit,) = warned(till, woman, "HIS-0004", order("002503020020000", 1, 89))
    assert hit["rule_id"] == "R03-002503020020000"


def test_only_current_orders_are_judged_and_the_others_count(till: Till, woman: Patient) -> None:
    earlier = order(HBA1C, 1, 13.5, rx_id="A", rxno="CFA", curr_drord_flag="0")
    now = order(HBA1C, 1, 13.5, rx_id="B", rxno="CFB")
    hits = warned(till, woman, "HIS-0005", earlier, now, rule_ids=[f"R03-{HBA1C}"])
    assert [d["rx_id"] for h in hits for d in h["judge_result_detail_dtos"] if d["vola_item_type"] == "1"] == ["B"]
    assert warned(till, woman, "HIS-0005", earlier, rule_ids=["R03"]) == []


def test_rules_may_be_chosen_and_an_unknown_one_is_refused(till: Till, man: Patient) -> None:
    orders = order(ULTRASOUND), order(HBA1C, 2, 13.5)
    assert {h["rule_id"][:3] for h in warned(till, man, "HIS-0006", *orders)} == {"R03", "R06"}
    assert {h["rule_id"][:3] for h in warned(till, man, "HIS-0006", *orders, rule_ids=["R06"])} == {"R06"}
    with pytest.raises(Refused, match=r"没有这些规则.*X99"):
        warned(till, man, "HIS-0006", *orders, rule_ids=["R06", "X99"])


def test_asked_again_with_the_same_msgid_the_same_warning_comes(till: Till, man: Patient, world_url: str) -> None:
    content, msgid = analysis(till, man, "HIS-0007", [order(ULTRASOUND)]), new_msgid()
    first = till.call("3101", content, msgid=msgid, insured_place=man["insuplc_admdvs"])
    assert till.call("3101", content, msgid=msgid, insured_place=man["insuplc_admdvs"]) == first
    found = rows(world_url, "select * from supervision.analysis where mdtrt_id = 'HIS-0007'")
    assert len(found) == 1


@pytest.mark.drives("3103")
def test_a_doctor_goes_on_with_a_reason_or_goes_back(till: Till, man: Patient, world_url: str) -> None:
    one, two = (hit["jr_id"] for hit in warned(till, man, "HIS-0008", order(ULTRASOUND), order(HBA1C, 2, 13.5)))
    till.call("3103", feedback("1", (one, "1", "多学科会诊需要"), (two, "2", "")))
    row = kept(world_url, one)
    assert (row["state"], row["answer"], row["answered_by"]) == ("continued", "多学科会诊需要", till.counter.opter)
    assert (kept(world_url, two)["state"], kept(world_url, two)["answer"]) == ("revised", "")


def test_going_on_needs_a_reason(till: Till, man: Patient, world_url: str) -> None:
    (hit,) = warned(till, man, "HIS-0009", order(ULTRASOUND))
    with pytest.raises(Refused, match="dspo_way_rea"):
        till.call("3103", feedback("1", (hit["jr_id"], "1", "")))
    assert kept(world_url, hit["jr_id"])["state"] == "open"


FEEDBACK_FAULTS = [
    ("answered twice", "1", [("mine", "2", ""), ("mine", "2", "")], "已反馈过"),
    ("of the other stage", "2", [("mine", "2", "")], "来自事前审核"),
    ("unknown", "1", [("000000000000000000000000", "2", "")], "没有这条违规提示"),
    ("one good, one unknown", "1", [("mine", "2", ""), ("1", "2", "")], "没有这条违规提示"),
    ("unknown way", "1", [("mine", "3", "")], "处理方式只有"),
    ("unknown stage", "3", [("mine", "2", "")], "反馈类型只有"),
    ("no answers", "1", [], "warns"),
]


@pytest.mark.parametrize(("stage", "answers", "said"), [f[1:] for f in FEEDBACK_FAULTS], ids=[f[0] for f in FEEDBACK_FAULTS])
def test_a_faulty_feedback_is_refused_and_nothing_is_kept(
    till: Till, man: Patient, world_url: str, stage: str, answers: list[tuple[str, str, str]], said: str
) -> None:
    (hit,) = warned(till, man, "HIS-0010", order(ULTRASOUND))
    mine = [(hit["jr_id"] if name == "mine" else name, way, why) for name, way, why in answers]
    with pytest.raises(Refused, match=said):
        till.call("3103", feedback(stage, *mine))
    assert kept(world_url, hit["jr_id"])["state"] == "open"


def test_a_warning_is_answered_once(till: Till, man: Patient) -> None:
    (hit,) = warned(till, man, "HIS-0011", order(ULTRASOUND))
    till.call("3103", feedback("1", (hit["jr_id"], "2", "")))
    with pytest.raises(Refused, match="已反馈过"):
        till.call("3103", feedback("1", (hit["jr_id"], "1", "改变主意")))


def test_another_institution_cannot_answer(till: Till, till_for: Any, man: Patient, world_url: str) -> None:
    (hit,) = warned(till, man, "HIS-0012", order(ULTRASOUND))
    other = till_for(scheme="api_hmac_sha1")
    with pytest.raises(Refused, match="没有这条违规提示"):
        other.call("3103", feedback("1", (hit["jr_id"], "2", "")))
    other.close()
    assert kept(world_url, hit["jr_id"])["state"] == "open"


def test_the_notice_of_admission_under_this_number_is_refused_by_name(till: Till) -> None:
    notice = {"data": {"adm_time": "2026-01-01 08:00:00", "dept_name": "内科", "dr_name": "医师", "patn_name": "某人"}}
    with pytest.raises(Refused, match="入院通知形式"):
        till.call("3103", notice)


def change_patient(content: dict[str, Any], **change: Any) -> dict[str, Any]:
    """Return the content of 3101 with fields of its patient, or of the visit, changed."""
    patient = dict(content["data"]["patient_dtos"][0])
    sent = {**patient["fsi_encounter_dtos"][0], **change.pop("visit", {})}
    patient.update({"fsi_encounter_dtos": [sent], **change})
    return {"data": {**content["data"], "patient_dtos": [patient]}}


def test_bad_requests_are_refused_and_leave_nothing(
    till: Till, till_for: Any, man: Patient, woman: Patient, world_url: str
) -> None:
    place = man["insuplc_admdvs"]
    count = "select count(*) as n from supervision.analysis"
    before = rows(world_url, count)[0]["n"]
    good = analysis(till, man, "HIS-0013", [order(ULTRASOUND)])
    mine = till.register(man)
    other = till_for(scheme="api_hmac_sha1")
    theirs = other.register(woman)
    cancelled = till.register(woman)
    visit_no = rows(world_url, "select ipt_otp_no from encounters.encounter where mdtrt_id = $1", cancelled)[0]["ipt_otp_no"]
    till.call("2202", {"data": {"psn_no": woman["psn_no"], "mdtrt_id": cancelled, "ipt_otp_no": visit_no}})
    faults = [
        ("3101", change_patient(good, patn_id="37030000000000"), "没有该人员编号的参保人"),
        ("3101", change_patient(good, visit={"medins_id": other.counter.fixmedins_code}), "只能审核本机构的就诊"),
        ("3102", good, "事中审核须先登记就诊"),
        ("3102", change_patient(good, curr_mdtrt_id=theirs), "本机构没有该参保人的这次就诊"),
        ("3101", analysis(till, woman, theirs, [order(HBA1C)]), "本机构没有该参保人的这次就诊"),
        ("3101", analysis(till, woman, cancelled, [order(HBA1C)]), "就诊登记已撤销"),
        ("3102", analysis(till, woman, mine, [order(HBA1C)]), "本机构没有该参保人的这次就诊"),
        ("3101", {"data": {"patient_dtos": []}}, "patient_dtos"),
        ("3102", {"data": {"trig_scen": "1"}}, "没有参保人信息"),
        ("3101", analysis(till, man, "HIS-0013", [order(ULTRASOUND, rx_id=f"R{n}") for n in range(1001)]), "1000条医嘱"),
    ]
    for infno, content, said in faults:
        with pytest.raises(Refused, match=said):
            till.call(infno, content, insured_place=place)
    other.close()
    assert rows(world_url, count)[0]["n"] == before


def test_several_patients_in_one_call(till: Till, man: Patient, woman: Patient) -> None:
    both = analysis(till, man, "HIS-0014", [order(ULTRASOUND)])
    both["data"]["patient_dtos"] += analysis(till, woman, "HIS-0015", [order(ULTRASOUND)])["data"]["patient_dtos"]
    hits = till.call("3101", both)["result"]
    assert [h["patn_id"] for h in hits] == [man["psn_no"]]
    both["data"]["patient_dtos"][1]["patn_id"] = "nobody"
    with pytest.raises(Refused, match=r"patient_dtos\[1\].patn_id"):
        till.call("3101", both)
