"""A list is given back with what the platform knows (4103), its check is paged (4104), lists are counted (4105)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.spec.records.conftest import CHRONIC, PatientOf, Stayed
from tests.support.lists import changed, chronic_list, funds_of, on_database
from tests.support.till import Refused, Till
from yibao.domains.records.queries import list_cases
from yibao.entrypoints.cli.records import app
from yibao.infra.database import Database
from yibao.kernel.business_time import SHANGHAI

RULES = Path(__file__).parents[3] / "src/yibao/data/records/quality_rules.csv"


def shown(till: Till, stayed: Stayed) -> dict[str, Any]:
    return dict(till.call("4103", {"data": {"psn_no": stayed.psn_no, "setl_id": stayed.setl_id}}))


@pytest.mark.drives("4103")
def test_a_list_comes_back_with_person_bill_and_names(till: Till, stayed: Stayed, world_url: str) -> None:
    list_id = till.call("4101", stayed.content)["data"]["setl_list_id"]
    told = shown(till, stayed)
    head, sent, settled = told["setlinfo"], stayed.content["setlinfo"], stayed.settled["setlinfo"]
    assert head["setl_list_sn"] == list_id
    same = ("medcasno", "prfs", "curr_addr", "coner_name", "bill_code", "bill_no", "biz_sn", "trt_type", "adm_time",
            "dscg_time", "dscg_way", "setl_begn_date", "setl_end_date", "chfpdr_code", "medins_fill_psn", "adm_caty")
    assert {n: head[n] for n in same} == {n: sent[n] for n in same}
    assert (head["adm_way_code"], head["act_ipt_days"], head["stas_type"]) == (sent["adm_way"], 5, "1")
    assert (head["vent_used_days"], head["vent_used_h_cnt"], head["vent_used_m_cnt"]) == (0, 3, 30)
    assert (head["psn_name"], head["certno"], head["gend"]) == (settled["psn_name"], settled["certno"], settled["gend"])
    assert head["chfpdr_name"] == till.counter.dr_name
    assert round(head["psn_selfpay"] + head["psn_ownpay"], 2) == settled["psn_part_amt"]
    assert round(sum(i["item_sumamt"] for i in told["iteminfo"]), 2) == settled["medfee_sumamt"]
    assert [(p["fund_pay_type"], p["fund_payamt"]) for p in told["payinfo"]] == [
        (p["fund_pay_type"], p["fund_payamt"]) for p in funds_of(stayed.settled)]
    assert [(d["diag_code"], d["maindiag_flag"]) for d in told["diseinfo"]] == [("K80.100", "1"), ("I10.x00x002", "0")]
    op, sent_op = told["oprninfo"][0], stayed.content["oprninfo"][0]
    assert {n: op[n] for n in ("oprn_oprt_code", "oprn_oprt_begntime", "oper_dr_code", "anst_way", "anst_endtime")} == {
        n: sent_op[n] for n in ("oprn_oprt_code", "oprn_oprt_begntime", "oper_dr_code", "anst_way", "anst_endtime")}
    assert told["icuinfo"][0]["scs_cutd_sum_dura"] == "1/0/30"
    with pytest.raises(Refused, match="没有该参保人的这笔结算"):
        till.call("4103", {"data": {"psn_no": "0", "setl_id": stayed.setl_id}})


def test_another_institution_does_not_see_the_list(
    till: Till, till_for: Callable[..., Till], stayed: Stayed
) -> None:
    till.call("4101", stayed.content)
    other = till_for(index=1)
    with pytest.raises(Refused, match="本机构没有"):
        other.call("4103", {"data": {"setl_id": stayed.setl_id}})
    with pytest.raises(Refused, match="本机构没有这笔结算"):
        other.call("4102", {"data": {"stastinfo": [{"setl_id": stayed.setl_id, "stas_type": "0"}]}})
    with pytest.raises(Refused, match="只能查询本机构的清单"):
        other.call("4105", {"data": {"fixmedins_code": till.counter.fixmedins_code, "medtype_list": ["14"],
                                     "stt_begntime": "2026-01-01 00:00:00", "stt_endtime": "2026-01-02 00:00:00"}})


@pytest.mark.drives("4101A")
def test_the_short_form_is_read_too(till: Till, stayed: Stayed) -> None:
    content = changed(stayed.content, "setlinfo.dscg_time", stayed.content["setlinfo"]["dscg_time"][:10])
    del content["payinfo"]
    assert till.call("4101A", content) is None
    assert shown(till, stayed)["setlinfo"]["chk_cont"] is None
    with pytest.raises(Refused, match=r"setlinfo.mdtrt_id.*必填"):
        till.call("4101A", changed(changed(content, "setlinfo.mdtrt_id", None), "setlinfo.setl_id", None))


@pytest.mark.drives("4104")
def test_the_check_is_filtered_and_paged(till: Till, patient_of: PatientOf, world_url: str) -> None:
    patient = patient_of("zb-chronic-psychosis")
    month = f"{datetime.now(SHANGHAI):%Y%m}"
    ids = []
    for change in ((), ("setlinfo.hi_paymtd", "4"), ("diseinfo.0.diag_code", "R50.900")):
        settled = till.settle(patient, patient["visit"])
        content = chronic_list(settled, till, patient["visit"])
        till.call("4101", changed(content, *change) if change else content)
        ids.append(settled["setlinfo"]["setl_id"])
    draft = till.settle(patient, patient["visit"])
    till.call("4101", changed(chronic_list(draft, till, patient["visit"]), "setlinfo.stas_type", "0"))

    def asked(**more: Any) -> list[str]:
        data = {"setl_ym": month, "psn_no": patient["psn_no"], "page_num": 1, "page_size": 50, **more}
        return [r["setl_id"] for r in till.call("4104", {"data": data})]

    assert asked() == ids, "a draft is not checked yet as far as anybody is told"
    assert (asked(err_lv="1"), asked(err_lv="2"), asked(retn_flag="1"), asked(retn_flag="0")) == (
        [ids[1]], [ids[2]], [ids[2]], ids[:2])
    assert [asked(page_size=1, page_num=n) for n in (1, 2, 3, 4)] == [[ids[0]], [ids[1]], [ids[2]], []]
    assert asked(setl_ym="202001") == []
    with pytest.raises(Refused, match="不是年月"):
        asked(setl_ym="202613")


@pytest.mark.drives("4105")
def test_needed_and_uploaded_lists_are_counted(till: Till, patient_of: PatientOf) -> None:
    patient, ordinary = patient_of("zb-chronic-transplant"), patient_of("zb-active-first")
    today = datetime.now(SHANGHAI)
    data = {"fixmedins_code": till.counter.fixmedins_code, "medtype_list": ["14", "21", "11"],
            "stt_begntime": f"{today:%Y-%m-%d} 00:00:00", "stt_endtime": f"{today:%Y-%m-%d} 00:00:00"}

    def counted(**more: Any) -> tuple[int, int]:
        found = till.call("4105", {"data": {**data, **more}})
        return found["needUploadCnt"], found["uploadedCnt"]

    needed, uploaded = counted()
    settled = till.settle(patient, patient["visit"])
    till.settle(ordinary, ordinary["visit"])
    assert counted() == (needed + 1, uploaded), "an ordinary visit needs no list"
    content = chronic_list(settled, till, patient["visit"])
    till.call("4101", changed(content, "setlinfo.stas_type", "0"))
    assert counted() == (needed + 1, uploaded), "a draft is not filed"
    till.call("4102", {"data": {"stastinfo": [{"setl_id": content["setlinfo"]["setl_id"], "stas_type": "1"}]}})
    assert counted() == (needed + 1, uploaded + 1)
    assert counted(medtype_list=["21"])[0] < needed + 1
    assert counted(pay_loc_list=["3"]) == (0, 0)
    yesterday = today - timedelta(days=1)
    assert counted(stt_begntime=f"{yesterday:%Y-%m-%d} 00:00:00", stt_endtime=f"{yesterday:%Y-%m-%d} 00:00:00") == (0, 0)
    info = settled["setlinfo"]
    till.call("2208", {"data": {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": info["psn_no"]}})
    assert counted() == (needed, uploaded)
    assert counted(refd_setl_flag="1") == (needed + 1, uploaded + 1)


def test_missing_and_late_lists_are_reported(till: Till, patient_of: PatientOf, world_url: str) -> None:
    patient = patient_of(CHRONIC)
    made = [till.settle(patient, patient["visit"])["setlinfo"] for _ in range(3)]
    missing, late, filed = (m["setl_id"] for m in made)
    back = datetime.now(SHANGHAI) - timedelta(days=40)
    for setl_id in (missing, late, filed):
        on_database(world_url, "update settlements.settlement set settled_at = $2 where setl_id = $1", setl_id, back)
    for info in made[1:]:
        content = chronic_list({"setlinfo": {**info, "setl_time": f"{back:%Y-%m-%d}"}, "setldetail": []}, till, patient["visit"])
        del content["payinfo"]
        till.call("4101", content)
    on_database(world_url, "update records.settlement_list set filed_at = $2 where setl_id = $1", filed,
                back + timedelta(days=10))
    words = ["overdue", "--region", "370300", "--month", f"{back:%Y%m}", "--json"]
    result = CliRunner().invoke(app, words, env={"YIBAO_DATABASE_URL": world_url})
    found = {o["setl_id"]: (o["days_late"], o["filed_on"] is None) for o in json.loads(result.stdout)["overdue"]}
    assert found == {missing: (30, True), late: (30, False)}, "ten days to file, forty days ago"


async def cases(url: str, **more: Any) -> dict[str, Any]:
    database = await Database.open(url, role=None, size=1)
    begin = datetime.now(SHANGHAI) - timedelta(days=1)
    try:
        async with database.connection() as tx:
            found = await list_cases(tx, "370300", begin, begin + timedelta(days=2), **more)
    finally:
        await database.close()
    return {c.case: c for c in found}


def test_an_accepted_list_is_a_case_for_the_grouper(till: Till, stayed: Stayed, world_url: str) -> None:
    till.call("4101", changed(stayed.content, "diseinfo", list(reversed(stayed.content["diseinfo"]))))
    assert stayed.setl_id not in asyncio.run(cases(world_url))
    CliRunner().invoke(app, ["accept", stayed.setl_id, "--region", "370300", "--by", "经办员"],
                       env={"YIBAO_DATABASE_URL": world_url})
    case = asyncio.run(cases(world_url))[stayed.setl_id]
    settled = stayed.settled["setlinfo"]
    assert (case.gend, case.los_days, case.dscg_way, case.age_days) == (settled["gend"], 5, "1", None)
    assert case.dx_codes == ("K80.100", "I10.x00x002"), "the main one first, wherever it stood"
    assert case.op_codes == ("51.2200",)
    assert asyncio.run(cases(world_url, fixmedins_code="H37030399999")) == {}


def test_every_rule_of_the_table_is_planted_in_a_test() -> None:
    rules = [line.split(",")[0] for line in RULES.read_text("utf-8").splitlines()[1:]]
    tests = "".join(p.read_text("utf-8") for p in Path(__file__).parent.glob("test_*.py"))
    assert [r for r in rules if f'"{r}"' not in tests] == []
