"""3301, 3302, 1317, 1201, 5101, 5102."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.catalogue.conftest import CLINIC, HOSPITAL, PHARMACY, Call

DRUG, SERVICE = "XA06ADF336P001010100233", "001102000000100"


def own_item(**changes: Any) -> dict[str, Any]:
    return {
        "fixmedins_hilist_id": "YP001", "fixmedins_hilist_name": "本院聚乙二醇散", "list_type": "101",
        "med_list_codg": DRUG, "begndate": "2026-01-01", "enddate": "2099-12-31", "spec": "6.9g", "prcunt": "袋",
    } | changes


def asked(**criteria: Any) -> dict[str, Any]:
    return {"data": {"updt_time": "2026-11-22", "page_num": 1, "page_size": 50} | criteria}


@pytest.mark.drives("3301", "3302", "1317")
async def test_a_mapping_is_added_seen_replaced_and_taken_back(call: Call) -> None:
    await call("3301", {"data": [own_item(), own_item(fixmedins_hilist_id="FW1", list_type="201", med_list_codg=SERVICE)]})
    rows = (await call("1317", asked()))["data"]
    assert [(row["medins_list_codg"], row["med_list_codg"], row["vali_flag"]) for row in rows] == [
        ("YP001", DRUG, "1"), ("FW1", SERVICE, "1"),
    ]
    assert (rows[0]["spec"], rows[0]["prcunt"], rows[0]["enddate"]) == ("6.9g", "袋", "2099-12-31")

    await call("3301", {"data": own_item(fixmedins_hilist_name="新名", enddate="2026-06-30")})  # an object for a list
    rows = (await call("1317", asked(list_type="101")))["data"]
    assert [(row["medins_list_name"], row["vali_flag"]) for row in rows] == [("新名", "0")]
    assert (await call("1317", asked(list_type="101", vali_flag="1")))["data"] == []

    key = {"fixmedins_code": HOSPITAL, "fixmedins_hilist_id": "YP001", "list_type": "101", "med_list_codg": DRUG}
    assert await call("3302", {"data": key}) in (None, {})
    assert (await call("1317", asked(list_type="101")))["data"] == []
    assert "没有这条目录对照" in await call("3302", {"data": key}, fails=True)


async def test_every_fault_of_an_upload_is_named_and_nothing_is_written(call: Call) -> None:
    reason = await call("3301", {"data": [
        own_item(fixmedins_hilist_id="X1"), own_item(fixmedins_hilist_id="X1"),
        own_item(fixmedins_hilist_id="X2", med_list_codg="XA01AB00000000000000000"),
        own_item(fixmedins_hilist_id="X3", list_type="201"),
        own_item(fixmedins_hilist_id="X4", enddate="2025-12-31"),
    ]}, fails=True)
    for path in ("data[1].fixmedins_hilist_id", "data[2].med_list_codg", "data[3].list_type", "data[4].enddate"):
        assert path in reason
    assert "data[0]." not in reason
    assert (await call("1317", asked(medins_list_codg="X1")))["data"] == []


async def test_mappings_of_others_stay_theirs(call: Call) -> None:
    await call("3301", {"data": [own_item(fixmedins_hilist_id="C1")]}, sender=CLINIC)
    key = {"fixmedins_code": CLINIC, "fixmedins_hilist_id": "C1", "list_type": "101", "med_list_codg": DRUG}
    assert "fixmedins_code" in await call("3302", {"data": key}, fails=True)
    assert "fixmedins_code" in await call("1317", asked(fixmedins_code=CLINIC), fails=True)
    assert (await call("1317", asked(medins_list_codg="C1")))["data"] == []
    assert len((await call("1317", asked(medins_list_codg="C1"), sender=CLINIC))["data"]) == 1


@pytest.mark.drives("1201")
async def test_institutions_are_found_by_code_and_by_keyword(call: Call) -> None:
    one = await call("1201", {"medinsinfo": {"fixmedins_type": "1", "fixmedins_code": CLINIC}})
    assert one["medinsinfo"]["fixmedins_name"] == "示例社区卫生服务中心"
    many = await call("1201", {"medinsinfo": {"fixmedins_type": "1", "fixmedins_name": "示例"}})
    assert [row["fixmedins_code"] for row in many["medinsinfo"]] == [HOSPITAL, CLINIC]
    pharmacy = await call("1201", {"medinsinfo": {"fixmedins_type": "2", "fixmedins_name": "药房"}})
    assert pharmacy["medinsinfo"]["fixmedins_code"] == PHARMACY
    assert (await call("1201", {"medinsinfo": {"fixmedins_type": "1", "fixmedins_name": "%"}}))["medinsinfo"] == []
    assert "fixmedins_code" in await call("1201", {"medinsinfo": {"fixmedins_type": "1"}}, fails=True)


@pytest.mark.drives("5101")
async def test_departments_come_with_how_many_work_there_today(call: Call) -> None:
    rows = (await call("5101", ""))["feedetail"]  # clients send an empty text
    assert [(row["hosp_dept_codg"], row["hosp_dept_name"], row["dr_psncnt"], row["nurs_psncnt"]) for row in rows] == [
        ("0101", "心内科", 1, 1), ("0102", "中医科", 0, 0),
    ]
    assert rows[0]["begntime"] == "2001-05-01 00:00:00"
    assert (await call("5101", "", sender=CLINIC))["feedetail"] == []


@pytest.mark.drives("5102")
async def test_practitioners_of_the_own_institution_only(call: Call) -> None:
    doctors = (await call("5102", {"data": {"prac_psn_type": "1"}}))["feedetail"]
    assert [(row["prac_psn_code"], row["hi_dr_flag"], row["endtime"]) for row in doctors] == [
        ("D370303000001", "1", None), ("D370303000002", "0", "2025-01-01 00:00:00"),
    ]
    one = await call("5102", {"data": {"prac_psn_type": "1", "prac_psn_name": "李"}})
    assert [row["prac_psn_name"] for row in one["feedetail"]] == ["李医师"]
    assert (await call("5102", {"data": {"prac_psn_type": "1"}}, sender=CLINIC))["feedetail"] == []
