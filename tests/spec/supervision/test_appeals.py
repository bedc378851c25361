"""After care: a settled bill is suspected, its institution appeals, two clerks decide, and clearing finds a deduction."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.spec.supervision.conftest import Suspected
from tests.support.doctor import (
    HBA1C,
    ULTRASOUND,
    Agency,
    analysis,
    answer,
    document_of,
    documents,
    documents_asked,
    feedback,
    line,
    order,
    rows,
    upload_material,
    visit,
)
from tests.support.till import Refused, Till, new_msgid

Patient = dict[str, Any]
def fen(yuan: float) -> int:
    """Return yuan of a reply in fen."""
    return round(Decimal(str(yuan)) * 100)


@pytest.mark.drives("3701")
def test_a_settled_bill_that_breaks_rules_is_sent_to_its_institution(suspected: Suspected, man: Patient) -> None:
    document = suspected.document
    assert (document["patnId"], document["mdtrtsn"]) == (man["psn_no"], suspected.settled["mdtrt_id"])
    assert document["patnIdcard"] is None, "an identity number is not handed round"
    assert suspected.sex["volaCont"] == "经阴道B超检查限女性使用，参保人为男性"
    assert suspected.sex["checkoutSusptAmt"] == 142.0
    assert suspected.often["checkoutSusptAmt"] == 9 * 148.0          # one a day: nine of ten are too many
    (detail,) = suspected.sex["violationDetailIds"]
    assert (detail["hilistCode"], detail["sumamt"], detail["cnt"]) == (ULTRASOUND, 142.0, 2.0)
    assert suspected.sex["susptStasName"] == "待申诉"


def test_what_the_funds_bore_is_their_share_of_what_is_in_scope(suspected: Suspected) -> None:
    # The examination is class A: its 142.00 are wholly in scope. The funds bore fund / scope of everything in scope.
    fund, scope = Decimal(str(suspected.settled["fund_pay_sumamt"])), Decimal(str(suspected.settled["inscp_scp_amt"]))
    assert fund > 0, "the example must cost the funds something"
    share = (142 * fund / scope).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert suspected.row()["fund_fen"] == round(share * 100)


@pytest.mark.drives("3702", "3704")
def test_an_appeal_that_two_clerks_reject_ends_in_a_deduction(suspected: Suspected) -> None:
    (taken,) = suspected.appeal(amount=142)
    assert (taken["docCode"], taken["docsuspt"][0]["susptCode"]) == ("0", "0")
    assert suspected.row()["state"] == "appealed"
    told = suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "性别不符，不能成立")["suspicion"]
    assert (told["proposed_by"], told["state"]) == ("甲", "appealed")
    assert suspected.deductions() == [], "one person alone takes no money"
    told = suspected.agency.do("confirm", suspected.id, "--operator", "乙")["suspicion"]
    assert told["state"] == "upheld"
    (deduction,) = suspected.deductions()
    row = suspected.row()
    assert (deduction["amount_fen"], deduction["kind"]) == (row["fund_fen"], "deduction")
    assert (deduction["proposed_by"], deduction["confirmed_by"]) == ("甲", "乙")
    assert deduction["fixmedins_code"] == suspected.till.counter.fixmedins_code
    shown = document_of(suspected.till, suspected.setl_id, suspected.url, stage="2")
    (mine,) = [s for s in shown["docSusptDTOS"] if s["docSusptId"] == suspected.id]
    assert (mine["susptStasName"], mine["volaDetAmt"]) == ("已确认扣款", row["fund_fen"] / 100)
    assert (mine["applRea"], mine["rchker"]) == ("病情需要，已附病历", "乙")


def test_the_same_person_cannot_do_both(suspected: Suspected) -> None:
    suspected.appeal()
    suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "不能成立")
    assert suspected.agency.refused("confirm", suspected.id, "--operator", "甲") == "SAME_PERSON"
    assert suspected.agency.refused("confirm", suspected.id, "--operator", " 甲 ") == "SAME_PERSON"
    assert suspected.agency.refused("return", suspected.id, "--operator", "甲", "--opinion", "再议") == "SAME_PERSON"
    assert suspected.deductions() == []


def test_a_proposal_may_be_sent_back_and_made_anew(suspected: Suspected) -> None:
    suspected.appeal()
    suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "不能成立")
    assert suspected.agency.refused("decide", suspected.id, "--operator", "乙", "--opinion", "另议") == "DECISION_PENDING"
    suspected.agency.do("return", suspected.id, "--operator", "乙", "--opinion", "金额偏高")
    suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "部分成立", "--amount", "1.50")
    suspected.agency.do("confirm", suspected.id, "--operator", "丙")
    assert [d["amount_fen"] for d in suspected.deductions()] == [150]
    steps = suspected.agency.do("show", suspected.id)["steps"]
    assert [s["what"] for s in steps] == ["appealed", "proposed", "returned", "proposed", "upheld"]


def test_an_appeal_that_is_granted_costs_nothing(suspected: Suspected) -> None:
    suspected.appeal()
    suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "理由成立", "--amount", "0")
    assert suspected.agency.do("confirm", suspected.id, "--operator", "乙")["suspicion"]["state"] == "dropped"
    assert suspected.deductions() == []


def test_who_does_not_appeal_is_decided_at_once_and_has_no_panel(suspected: Suspected) -> None:
    suspected.appeal(objects=False)
    assert suspected.row()["state"] == "accepted"
    suspected.upheld()
    assert suspected.row()["state"] == "closed"
    with pytest.raises(Refused, match="申诉后仍确认扣款"):
        suspected.appeal(infno="3703")
    assert len(suspected.deductions()) == 1


def test_silence_is_decided_when_the_time_is_over(suspected: Suspected) -> None:
    assert suspected.agency.refused("decide", suspected.id, "--operator", "甲", "--opinion", "不成立") == "APPEAL_STILL_OPEN"
    suspected.agency.appeal_time_is_over(suspected.document["docId"])
    with pytest.raises(Refused, match="申诉期限已于"):
        suspected.appeal()
    suspected.upheld()
    assert suspected.row()["state"] == "closed"
    assert [d["amount_fen"] for d in suspected.deductions()] == [suspected.row()["fund_fen"]]


@pytest.mark.drives("3703")
def test_a_panel_gives_back_a_part(suspected: Suspected) -> None:
    suspected.appeal()
    suspected.upheld()
    full = suspected.row()["fund_fen"]
    suspected.appeal(infno="3703", amount=full / 100)
    assert suspected.row()["state"] == "collegial"
    too_much = f"{(full + 1) / 100:.2f}"
    assert suspected.agency.refused(
        "decide", suspected.id, "--operator", "甲", "--opinion", "加重", "--amount", too_much) == "AMOUNT_TOO_HIGH"
    suspected.upheld(amount="1.00")
    first, second = suspected.deductions()
    assert (first["amount_fen"], second["amount_fen"]) == (full, 100 - full)
    assert (second["kind"], second["origin_id"]) == ("return", first["deduction_id"])
    assert (suspected.row()["state"], suspected.row()["deducted_fen"]) == ("closed", 100)


@pytest.mark.drives("3703")
def test_who_waives_the_panel_is_done(suspected: Suspected) -> None:
    suspected.appeal()
    suspected.upheld()
    (taken,) = suspected.appeal(objects=False, infno="3703")
    assert taken["docCode"] == "0"
    assert suspected.row()["state"] == "closed"
    assert len(suspected.deductions()) == 1


def test_a_document_with_a_fault_is_not_taken_and_the_others_are(
    suspected: Suspected, suspect: Callable[[], Suspected], till: Till
) -> None:
    other = suspect()
    material = upload_material(till)
    content = answer(till, suspected.document, material=material, suspicions=[suspected.id])
    spoilt = answer(till, other.document, material=material, amount=99_999, suspicions=[other.id, str(other.often["docSusptId"])])
    content["input"]["docs"] += spoilt["input"]["docs"]
    taken = {d["docId"]: d for d in till.call("3702", content)}
    assert taken[suspected.document["docId"]]["docCode"] == "0"
    assert taken[other.document["docId"]]["docCode"] == "1"
    assert "申诉金额须在0至142.00元之间" in taken[other.document["docId"]]["docsuspt"][0]["susptReason"]
    assert (suspected.row()["state"], other.row()["state"]) == ("appealed", "found")


APPEAL_FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("without material", {"material": ""}, "申诉须附材料"),
    ("with material of nobody", {"material": "000000000000000000000000"}, "申诉须附材料"),
    ("without a reason", {"reason": " "}, "申诉须写明原因"),
    ("above what is charged", {"amount": 142.01}, "142.00元之间"),
    ("a suspicion of no document", {"suspicions": ["1"]}, "没有这个疑点"),
]


@pytest.mark.parametrize(("change", "said"), [f[1:] for f in APPEAL_FAULTS], ids=[f[0] for f in APPEAL_FAULTS])
def test_a_faulty_appeal_is_refused_and_nothing_is_kept(suspected: Suspected, change: dict[str, Any], said: str) -> None:
    material = upload_material(suspected.till)
    content = answer(suspected.till, suspected.document, **{"material": material, "suspicions": [suspected.id], **change})
    with pytest.raises(Refused, match=said):
        suspected.till.call("3702", content)
    assert suspected.row()["state"] == "found"


def test_another_institution_neither_sees_nor_answers(suspected: Suspected, till_for: Any) -> None:
    other = till_for(scheme="api_hmac_sha1")
    assert suspected.document["docId"] not in {d["docId"] for d in documents(other)}
    with pytest.raises(Refused, match="只能处理本机构的单据"):
        other.call("3701", documents_asked(other, medinsCodg=suspected.till.counter.fixmedins_code))
    material = upload_material(other)
    with pytest.raises(Refused, match="本机构没有这张单据"):
        other.call("3702", answer(other, suspected.document, material=material, suspicions=[suspected.id]))
    with pytest.raises(Refused, match="申诉须附材料"):
        suspected.till.call("3702", answer(suspected.till, suspected.document, material=material, suspicions=[suspected.id]))
    other.close()


def test_judging_again_finds_nothing_new(suspected: Suspected) -> None:
    again = suspected.agency.run()
    assert (again["judged"], again["suspicions"]) == (0, 0)
    found = rows(suspected.url, "select * from supervision.suspicion where setl_id = $1", suspected.setl_id)
    assert len(found) == 2


def test_a_reversed_settlement_gives_back_what_was_deducted(suspected: Suspected) -> None:
    suspected.appeal(objects=False)
    suspected.upheld()
    taken = suspected.row()["fund_fen"]
    suspected.refund()
    done = suspected.agency.run()
    assert (done["voided"], done["returned_fen"]) == (2, taken)
    assert [d["amount_fen"] for d in suspected.deductions()] == [taken, -taken]
    assert {s["state"] for s in rows(suspected.url, "select state from supervision.suspicion where setl_id = $1",
                                     suspected.setl_id)} == {"void"}
    assert suspected.agency.run()["voided"] == 0, "once"


def test_a_settlement_that_comes_back_to_force_is_suspected_again(suspected: Suspected, man: Patient) -> None:
    suspected.appeal(objects=False)
    suspected.upheld()
    taken, msgid = suspected.row()["fund_fen"], new_msgid()
    suspected.refund(msgid=msgid)
    suspected.agency.run()
    suspected.till.call("2601", {"data": {"psn_no": man["psn_no"], "omsgid": msgid, "oinfno": "2208"}},
                        insured_place=man["insuplc_admdvs"])
    suspected.agency.run()
    row = suspected.row()
    assert (row["state"], row["deducted_fen"], row["appeal_fen"]) == ("found", 0, None)
    suspected.agency.appeal_time_is_over(suspected.document["docId"])
    suspected.upheld()
    assert [d["amount_fen"] for d in suspected.deductions()] == [taken, -taken, taken]


def test_each_region_is_judged_for_itself(
    till_for: Callable[..., Till], southern_man: Patient, agency: Agency, world_url: str
) -> None:
    southern = till_for("441300")
    settled = southern.settle(southern_man, visit(line(ULTRASOUND, 1, 71)))["setlinfo"]
    agency.run(region="370300")
    judged = "select count(*) as n from supervision.analysis where setl_id = $1"
    assert rows(world_url, judged, settled["setl_id"])[0]["n"] == 0
    agency.run(region="441300")
    (suspicion,) = document_of(southern, settled["setl_id"], world_url)["docSusptDTOS"]
    assert (suspicion["ruleId"], suspicion["poolareaNo"]) == (f"R06-{ULTRASOUND}", "441300")
    southern.close()


def test_a_reversed_settlement_is_not_decided(suspected: Suspected) -> None:
    suspected.appeal()
    suspected.agency.do("decide", suspected.id, "--operator", "甲", "--opinion", "不能成立")
    suspected.refund()
    assert suspected.agency.refused("confirm", suspected.id, "--operator", "乙") == "SETTLEMENT_REVERSED"
    assert suspected.deductions() == []


def test_an_overridden_warning_stands_beside_the_suspicion(
    till: Till, man: Patient, agency: Agency, world_url: str
) -> None:
    mdtrt_id = till.register(man)
    bill = visit(line(ULTRASOUND, 2, 71))
    till.record(man, bill, mdtrt_id)
    (hit,) = till.call("3101", analysis(till, man, mdtrt_id, [order(ULTRASOUND, 2, 71)]))["result"]
    till.call("3103", feedback("1", (hit["jr_id"], "1", "变性术后复查")))
    till.upload(man, bill, mdtrt_id)
    settled = till.call("2207", till.bill(man, bill, mdtrt_id), insured_place=man["insuplc_admdvs"])["setlinfo"]
    agency.run()
    (suspicion,) = document_of(till, settled["setl_id"], world_url)["docSusptDTOS"]
    assert "医师说明：变性术后复查" in suspicion["volaDscr"]


def test_a_clean_bill_is_judged_and_not_suspected(till: Till, woman: Patient, agency: Agency, world_url: str) -> None:
    settled = till.settle(woman, visit(line(ULTRASOUND, 1, 71), line(HBA1C, 1, 13.5)))["setlinfo"]
    agency.run()
    analyses = rows(world_url, "select stage, charges from supervision.analysis where setl_id = $1", settled["setl_id"])
    assert [(a["stage"], a["charges"]) for a in analyses] == [("after", 2)]
    assert rows(world_url, "select * from supervision.document where setl_id = $1", settled["setl_id"]) == []


def test_deductions_never_exceed_what_the_funds_paid(suspected: Suspected) -> None:
    for name, suspicion in (("甲", suspected.sex), ("甲", suspected.often)):
        suspected.appeal(objects=False, suspicion=suspicion["docSusptId"])
        suspected.agency.do("decide", suspicion["docSusptId"], "--operator", name, "--opinion", "不能成立")
        suspected.agency.do("confirm", suspicion["docSusptId"], "--operator", "乙")
    total = sum(d["amount_fen"] for d in suspected.deductions())
    assert 0 < total <= fen(suspected.settled["fund_pay_sumamt"])
    # 142.00 and 1 332.00 of 1 622.00, of which the examination and the monitoring are in scope in part
    assert total == sum(suspected.row(s["docSusptId"])["fund_fen"] for s in (suspected.sex, suspected.often))


BAD_FILES = [
    ("施工图.exe", "TVqQAAM=", "附件类型不接受"),
    ("../x.pdf", "JVBERi0=", "附件类型不接受"),
    ("x.pdf", "TVqQAAM=", "附件内容与文件名的类型不符"),
    ("x.pdf", "不是Base64", "附件字节不是Base64文本"),
]


@pytest.mark.parametrize(("name", "content", "said"), BAD_FILES, ids=[f[2] + f[0] for f in BAD_FILES])
def test_a_bad_file_is_refused(till: Till, name: str, content: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        till.call("3704", {"input": {"fsiAppealFileDTOList": [{"name": name, "bytes": content}]}})


@pytest.mark.drives("3704")
def test_more_files_join_an_attachment_of_ones_own(till: Till, till_for: Any, world_url: str) -> None:
    first = upload_material(till)
    more = {"input": {"attUploadId": first, "fsiAppealFileDTOList": [
        {"name": "图.png", "bytes": [-119, 80, 78, 71, 13, 10, 26, 10, 0]}]}}
    assert till.call("3704", more)["FsiFileUploadRsltDTO"]["attUploadId"] == first
    files = rows(world_url, "select name, content from supervision.attachment where attachment_id = $1 order by ordinal", first)
    assert [(f["name"], bytes(f["content"])[:5]) for f in files] == [("申诉材料.pdf", b"%PDF-"), ("图.png", b"\x89PNG\r")]
    other = till_for(scheme="api_hmac_sha1")
    with pytest.raises(Refused, match="本机构没有这个附件"):
        other.call("3704", more)
    other.close()


QUERY_FAULTS = [
    ({"stage": "9"}, "查询节点只有"), ({"endTime": "2020-01-01"}, "结束时间不得早于"), ({"pageSize": 101}, "每页1至100条"),
    ({"currentPage": 0}, "页数从1起"), ({"startTime": "2020-01-01"}, "最多366天"),
]


@pytest.mark.parametrize(("change", "said"), QUERY_FAULTS, ids=[f[1] for f in QUERY_FAULTS])
def test_a_faulty_query_is_refused(till: Till, change: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        till.call("3701", documents_asked(till, **change))


@pytest.mark.drives("3701")
def test_documents_come_in_pages(suspect: Callable[[], Suspected], till: Till) -> None:
    suspect()
    suspect()
    whole = [d["docId"] for d in documents(till)]
    first = till.call("3701", documents_asked(till, page=1, size=1))["pageResult"]
    second = till.call("3701", documents_asked(till, page=2, size=1))["pageResult"]
    assert [d["docId"] for d in first["data"] + second["data"]] == whole[:2]
    assert first["recordCounts"] == second["recordCounts"] == str(len(whole))
