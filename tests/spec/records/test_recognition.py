"""Reports of other institutions count for so many days, and are shown to whom treats the person or was let by him."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.spec.records.conftest import ORDINARY, PatientOf
from tests.spec.records.test_clinical import record
from tests.support.lists import changed, on_database
from tests.support.till import Refused, Till
from yibao.kernel.business_time import SHANGHAI

EXAMINATION_DAYS, LABORATORY_DAYS = 90, 30
"""How long reports count: ``data/records/recognition.toml``."""


def ago(days: int) -> str:
    """Return the day so many days ago as the wire writes it."""
    return f"{datetime.now(SHANGHAI) - timedelta(days=days):%Y-%m-%d}"


@pytest.fixture
def elsewhere(till_for: Callable[..., Till]) -> Iterator[Till]:
    """Return a till of another institution of the same region."""
    opened = till_for(index=1)
    yield opened
    opened.close()


class Reported:
    """A person with one examination and one laboratory report at our till's institution."""

    def __init__(self, till: Till, patient: dict[str, Any], *, exam_age: int = 0, lab_age: int = 0) -> None:
        self.patient, self.psn_no = patient, str(patient["psn_no"])
        self.mdtrt_id = till.register(patient)
        self.exam_no, self.lab_no = f"CT{secrets.token_hex(4)}", f"JY{secrets.token_hex(4)}"
        link = {"psn_no": self.psn_no, "mdtrt_id": self.mdtrt_id}
        exam = record("4501", **link)
        for name, value in (("rpotc_no", self.exam_no), ("rpt_date", ago(exam_age)), ("exam_item_name", "胸部CT平扫"),
                            ("exam_ccls", "未见异常"), ("exam_item_code", "210300001"), ("exam_rslt_abn", "0")):
            exam = changed(exam, f"examinfo.{name}", value)
        exam["imageinfo"][0]["rpotc_no"] = self.exam_no
        till.call("4501", exam)
        lab = record("4502", **link)
        for name, value in (("rpotc_no", self.lab_no), ("rpt_date", ago(lab_age)), ("exam_item_name", "血常规")):
            lab = changed(lab, f"labinfo.{name}", value)
        lab["iteminfo"] = [{"rpotc_no": self.lab_no, "exam_item_detl_name": "白细胞", "exam_rslt_val": 11,
                            "exam_rslt_dicm": "偏高", "exam_rslt_abn": "1", "ref_val": "4-10", "exam_unt": "10^9/L"}]
        till.call("4502", lab)

    def asked(self, till: Till, **more: str) -> list[str]:
        """Return the numbers of the reports that 5401 lists for a till, ours only."""
        rows = till.call("5401", {"bilgiteminfo": {"psn_no": self.psn_no, **more}})["bilgiteminfo"]
        return sorted(r["rpotc_no"] for r in rows if r["rpotc_no"] in (self.exam_no, self.lab_no))

    def permit(self, till: Till, **wrong: str) -> None:
        """Let a till's institution look (5461)."""
        till.call("5461", {"data": {
            "psnNo": self.psn_no, "mdtrtCertType": "02", "mdtrtCertNo": self.patient["certno"],
            "psnUserIdCard": self.patient["certno"], "psnUserName": self.patient["psn_name"], **wrong}})


@pytest.mark.drives("5401", "5402", "5461")
def test_reports_are_seen_elsewhere_once_the_person_lets_it(till: Till, elsewhere: Till, patient_of: PatientOf) -> None:
    r = Reported(till, patient_of("zb-retired-first"))
    with pytest.raises(Refused, match="没有该参保人的就诊，也没有其授权"):
        r.asked(elsewhere)
    r.permit(elsewhere)
    assert r.asked(elsewhere) == sorted([r.exam_no, r.lab_no])
    detail = elsewhere.call("5402", {"rptdetailinfo": {
        "psn_no": r.psn_no, "rpotc_no": r.lab_no, "fixmedins_code": till.counter.fixmedins_code}})
    [item] = detail["inspectiondetails"]
    assert (item["exam_rslt_val"], item["exam_rslt_qual"], item["exam_rslt_abn"]) == (11, "偏高", "1")
    assert detail["checkreportdetails"] == []
    detail = elsewhere.call("5402", {"rptdetailinfo": {
        "psn_no": r.psn_no, "rpotc_no": r.exam_no, "fixmedins_code": till.counter.fixmedins_code}})
    assert [d["exam_ccls"] for d in detail["checkreportdetails"]] == ["未见异常"]
    summary = {x["rpotc_no"]: x for x in elsewhere.call("5401", {"bilgiteminfo": {"psn_no": r.psn_no}})["bilgiteminfo"]}
    assert (summary[r.lab_no]["exam_rslt_abn"], summary[r.exam_no]["exam_rslt_abn"]) == ("1", "0")


def test_who_treats_the_person_may_look(till: Till, elsewhere: Till, patient_of: PatientOf) -> None:
    r = Reported(till, patient_of(ORDINARY))
    elsewhere.register(r.patient)
    assert r.asked(elsewhere) == sorted([r.exam_no, r.lab_no])
    assert r.asked(elsewhere, exam_item_name="CT") == [r.exam_no]
    assert r.asked(elsewhere, exam_org_code=elsewhere.counter.fixmedins_code) == []
    assert r.asked(till) == [], "own reports are no recognised ones"
    everywhere = elsewhere.call("4507", {"psn_no": r.psn_no, "pageSize": 100, "pageNum": 1})["data"]
    assert r.exam_no in {x["examinfo"]["rpotc_no"] for x in everywhere}


def test_without_a_right_a_query_gives_the_own_records_only(
    till: Till, elsewhere: Till, patient_of: PatientOf, world_url: str
) -> None:
    r = Reported(till, patient_of("zb-flexible"))
    asked = {"psn_no": r.psn_no, "pageSize": 100, "pageNum": 1}
    assert elsewhere.call("4507", asked)["data"] == []
    with pytest.raises(Refused, match="不能查看其他机构的报告"):
        elsewhere.call("4507", {**asked, "fixmedins_code": till.counter.fixmedins_code})
    on_database(world_url, "update records.look_permit set valid_to = current_date where psn_no = $1", r.psn_no)
    with pytest.raises(Refused, match="不能查看其他机构的报告"):
        r.asked(elsewhere)


@pytest.mark.parametrize(("exam_age", "lab_age", "kept"), [
    (EXAMINATION_DAYS, LABORATORY_DAYS, "both"), (EXAMINATION_DAYS + 1, LABORATORY_DAYS, "lab"),
    (EXAMINATION_DAYS, LABORATORY_DAYS + 1, "exam"),
])
def test_a_report_counts_for_its_days(
    till: Till, elsewhere: Till, patient_of: PatientOf, exam_age: int, lab_age: int, kept: str
) -> None:
    r = Reported(till, patient_of("zb-active-over-deductible"), exam_age=exam_age, lab_age=lab_age)
    r.permit(elsewhere)
    wanted = {"both": [r.exam_no, r.lab_no], "lab": [r.lab_no], "exam": [r.exam_no]}[kept]
    assert r.asked(elsewhere) == sorted(wanted)
    gone = r.exam_no if kept == "lab" else r.lab_no
    if kept != "both":
        with pytest.raises(Refused, match="没有这份在互认期限内的报告"):
            elsewhere.call("5402", {"rptdetailinfo": {
                "psn_no": r.psn_no, "rpotc_no": gone, "fixmedins_code": till.counter.fixmedins_code}})


@pytest.mark.parametrize(("wrong", "said"), [
    ({"psnNo": "0"}, "没有该人员编号的参保人"), ({"mdtrtCertType": "01", "ecToken": "T"}, "该就诊凭证类型尚未开通"),
    ({"mdtrtCertNo": "370301198001010015"}, "凭证不是该参保人的"),
    ({"psnUserIdCard": "370301198001010015"}, "证件号码不是该参保人的"), ({"psnUserName": "他人"}, "授权人姓名与参保人不一致"),
])
def test_a_permit_is_given_by_the_person_alone(
    till: Till, elsewhere: Till, patient_of: PatientOf, world_url: str, wrong: dict[str, str], said: str
) -> None:
    r = Reported(till, patient_of("zb-active-emergency"))
    with pytest.raises(Refused, match=said):
        r.permit(elsewhere, **wrong)
    assert on_database(world_url, "select 1 from records.look_permit where psn_no = $1", r.psn_no) == []


def test_the_other_city_sees_nothing(till: Till, till_for: Callable[..., Till], patient_of: PatientOf) -> None:
    r = Reported(till, patient_of("zb-resident-first"))
    far = till_for(region="441300")
    r.permit(far)
    assert r.asked(far) == []
