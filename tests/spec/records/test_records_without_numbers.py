"""Records that bear only what their tables require: kept, told apart, replaced and given back without own numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.spec.records.conftest import ORDINARY, PatientOf, Stayed
from tests.spec.records.test_clinical import GIVEN_BACK, HEADS, OWN_NUMBERS, documents, link_of, visit
from tests.spec.records.test_lists_as_sent import required_texts
from tests.support.lists import Content, changed
from tests.support.messages import filled
from tests.support.till import Till
from yibao.kernel.business_time import SHANGHAI

__all__ = ["visit"]
Visit = tuple[str, str]


def bare(infno: str, psn_no: str, mdtrt_id: str, serial: str) -> Content:
    """Return a record with only what its table requires, and the link of an insured patient."""
    content = filled(infno)
    if infno == "4401":
        for node in ("diseinfo", "oprninfo", "icuinfo"):
            content[node][0]["mdtrt_sn"] = serial
        content["baseinfo"]["fixmedins_code"] = "H37030300001"
    if infno == "4501":
        del content["imageinfo"]
    own = {OWN_NUMBERS[infno]: f"N{serial}"} if infno in OWN_NUMBERS else {}
    link = {"mdtrt_sn": serial, "psn_no": psn_no, "mdtrt_id": mdtrt_id, **own}
    for name, value in link.items():
        if infno != "4302" or name != "mdtrt_sn":
            content = changed(content, f"{HEADS[infno]}.{name}", value)
    return content


@pytest.mark.parametrize("infno", HEADS)
def test_what_the_table_requires_is_enough(
    till: Till, stayed: Stayed, visit: Visit, world_url: str, infno: str
) -> None:
    psn_no, mdtrt_id = link_of(infno, stayed, visit)
    sent = bare(infno, psn_no, mdtrt_id, f"B{infno}")
    till.call(infno, sent)
    till.call(infno, sent)
    kept = [d for d in documents(world_url, till, infno) if d["mdtrt_id"] == mdtrt_id and d["infno"] == infno]
    assert [d["version"] for d in kept] == [2], "sent again it takes its own place"


NUMBERLESS = ("4503", "4504", "4601")


@pytest.mark.parametrize("infno", NUMBERLESS)
def test_rows_without_numbers_stand_beside_each_other(till: Till, visit: Visit, world_url: str, infno: str) -> None:
    one = bare(infno, *visit, f"N{infno}")["data"][0]
    till.call(infno, {"data": [one, dict(one)]})
    assert [d["version"] for d in documents(world_url, till, infno, "--visit", f"N{infno}")] == [1, 1]
    till.call(infno, {"data": [{**one, "vali_flag": "0"}]})
    kept = documents(world_url, till, infno, "--visit", f"N{infno}")
    assert sorted((d["version"], d["is_valid"]) for d in kept) == [(1, True), (2, False)]


@pytest.mark.drives("4503", "4509")
def test_a_negative_culture_is_kept_and_given_back(till: Till, visit: Visit) -> None:
    """Nothing grew: there is no germ to name."""
    one = {**bare("4503", *visit, "NEG")["data"][0], "rpotc_no": "XJ-NEG", "exam_rslt": "无细菌生长"}
    till.call("4503", {"data": [one]})
    grown = {**one, "germ_code": "G7", "germ_name": "肺炎克雷伯菌", "exam_rslt": "阳性"}
    till.call("4503", {"data": [grown]})
    given = till.call("4509", {"psn_no": visit[0], "pageSize": 50, "pageNum": 1, "fixmedins_code": till.counter.fixmedins_code})
    rows = [(r["exam_Rslt"], r.get("coly_code")) for r in given["data"] if r.get("rpotc_no") == "XJ-NEG"]
    assert sorted(rows) == [("无细菌生长", None), ("阳性", "G7")]


def test_blood_without_a_time_stands_beside_blood_with_one(till: Till, visit: Visit, world_url: str) -> None:
    one = {**bare("4601", *visit, "BLOOD")["data"][0], "bld_cat_code": "1", "bld_amt": 200}
    till.call("4601", {"data": [one, {**one, "bld_time": "2026-01-05 08:00:00"}, {**one, "bld_cnt": 2}]})
    assert len(documents(world_url, till, "4601", "--visit", "BLOOD")) == 3


@pytest.mark.parametrize("infno", GIVEN_BACK)
def test_required_texts_of_reports_are_never_null(till: Till, visit: Visit, infno: str) -> None:
    till.call(infno, bare(infno, *visit, f"T{infno}"))
    asked = {"psn_no": visit[0], "pageSize": 50, "pageNum": 1, "fixmedins_code": till.counter.fixmedins_code}
    rows = till.call(GIVEN_BACK[infno], asked)["data"]
    texts = required_texts(GIVEN_BACK[infno])
    assert rows
    assert texts, "the table is read"
    for row in rows:
        for node, names in texts.items():
            part: Any = row[node.rsplit(".", 1)[-1]] if "." in node else row
            for one in part if isinstance(part, list) else [part]:
                assert [n for n in names if not isinstance(one.get(n), str)] == [], (infno, node)


@pytest.mark.drives("4502", "5401", "5402")
def test_a_recognised_report_without_a_number_bears_that_of_its_request(
    till: Till, till_for: Callable[..., Till], visit: Visit, patient_of: PatientOf
) -> None:
    sent = bare("4502", *visit, "MUTUAL")
    sent["labinfo"] |= {"appy_no": "SQ-MUTUAL", "rpt_date": f"{datetime.now(SHANGHAI):%Y-%m-%d}"}
    till.call("4502", sent)
    other = till_for(index=1)
    other.register(patient_of(ORDINARY))
    listed = other.call("5401", {"bilgiteminfo": {"psn_no": visit[0]}})["bilgiteminfo"]
    assert "SQ-MUTUAL" in [r["rpotc_no"] for r in listed]
    assert [r for r in listed for n in required_texts("5401")["bilgiteminfo"] if not isinstance(r[n], str)] == []
    whole = other.call("5402", {"rptdetailinfo": {"psn_no": visit[0], "rpotc_no": "SQ-MUTUAL",
                                                  "fixmedins_code": till.counter.fixmedins_code}})
    assert [r["rpotc_no"] for r in whole["inspectionreportinformation"]] == ["SQ-MUTUAL"]


def test_a_self_pay_stay_has_a_record_without_insurance_numbers(till: Till, world_url: str) -> None:
    sent = bare("4701", "P", "M", "SELF")
    del sent["adminfo"]["psn_no"], sent["adminfo"]["mdtrt_id"]
    till.call("4701", sent)
    [kept] = documents(world_url, till, "4701", "--visit", "SELF")
    assert (kept["psn_no"], kept["mdtrt_id"]) == ("", "")


@pytest.mark.parametrize("word", ["-", "无", "null"])
def test_a_dash_in_an_optional_code_is_nothing(till: Till, visit: Visit, word: str) -> None:
    sent = bare("4502", *visit, "DASH")
    sent["labinfo"]["rpotc_no"] = f"DASH{word}"
    sent["iteminfo"] = [{"rpotc_no": f"DASH{word}", "exam_rslt_abn": word, "exam_rslt_val": word, "exam_rslt_dicm": "阴性"}]
    till.call("4502", sent)
    asked = {"psn_no": visit[0], "pageSize": 50, "pageNum": 1, "fixmedins_code": till.counter.fixmedins_code}
    [row] = [r for r in till.call("4508", asked)["data"] if r["labinfo"].get("rpotc_no") == f"DASH{word}"]
    assert "exam_rslt_abn" not in row["iteminfo"][0]
    assert row["iteminfo"][0]["exam_rslt_dicm"] == "阴性"
