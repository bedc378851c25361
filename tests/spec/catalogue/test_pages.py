"""1304, 1312, 1316-1319: the catalogue by page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.catalogue.conftest import CLINIC, HOSPITAL, Call
from tests.spec.catalogue.test_loading import packaged

NEGOTIATED_DRUG = "XA06ADF336P001010100233"  # 复方聚乙二醇(3350)电解质散, 3.72 yuan from 2024-01-01 to 2025-12-31


def wanted(**criteria: Any) -> dict[str, Any]:
    return {"data": {"updt_time": "2020-01-01", "page_num": 1, "page_size": 100} | criteria}


@pytest.mark.drives("1312")
async def test_pages_cover_a_region_once_and_say_where_they_stand(call: Call) -> None:
    in_force = [row for row in packaged("terms.csv.gz") if row["admdvs"] == "370300" and not row["valid_to"]]
    seen: list[str] = []
    page_num = pages = 1
    while page_num <= pages:
        out = await call("1312", wanted(query_date="2026-11-22", page_num=page_num, page_size=400))
        pages, rows = out["pages"], out["data"]
        assert out["recordCounts"] == len(in_force)
        assert (out["pageNum"], out["pageSize"], out["size"]) == (page_num, 400, len(rows))
        assert out["startRow"] == (page_num - 1) * 400 + 1
        assert (out["firstPage"], out["lastPage"]) == (
            "true" if page_num == 1 else "false", "true" if page_num == pages else "false",
        )
        seen += [row["hilist_code"] for row in rows]
        page_num += 1
    assert seen == sorted(row["code"] for row in in_force)


async def test_a_page_beyond_the_last_is_empty(call: Call) -> None:
    out = await call("1312", wanted(query_date="2026-11-22", page_num=999))
    assert (out["data"], out["startRow"]) == ([], 0)
    assert out["recordCounts"] > 0


@pytest.mark.parametrize("name", ["page_num", "page_size"])
async def test_a_page_below_one_is_refused(call: Call, name: str) -> None:
    assert f"data.{name}" in await call("1312", wanted(**{name: 0}), fails=True)


async def test_names_and_pinyin_initials_find_items(call: Call) -> None:
    by_name = await call("1312", wanted(hilist_name="聚乙二醇(3350)", query_date="2026-11-22"))
    by_pinyin = await call("1312", wanted(pinyin="fFJYECDJZS"[1:], query_date="2026-11-22"))
    assert {row["hilist_code"] for row in by_name["data"]} == {NEGOTIATED_DRUG}
    assert [row["pinyin"] for row in by_name["data"]] == ["FFJYEC3350DJZS"]
    assert by_pinyin["data"] == []
    by_part = await call("1312", wanted(pinyin="ffjyec", query_date="2026-11-22"))
    assert NEGOTIATED_DRUG in {row["hilist_code"] for row in by_part["data"]}


async def test_rows_that_changed_before_the_asked_day_stay_out(call: Call) -> None:
    assert (await call("1312", wanted(updt_time="2026-11-20")))["recordCounts"] > 0
    assert (await call("1312", wanted(updt_time="2026-11-21")))["recordCounts"] == 0


async def test_a_region_sees_its_own_rows(call: Call) -> None:
    own = await call("1312", wanted(hilist_code=NEGOTIATED_DRUG), sender=CLINIC)
    named = await call("1312", wanted(hilist_code=NEGOTIATED_DRUG, insu_admdvs="441302"), sender=HOSPITAL)
    assert {row["insu_admdvs"] for row in own["data"]} == {"441300"}
    assert own["data"] == named["data"]


async def test_periods_are_inclusive_on_the_wire_and_assumed_rows_say_so(call: Call) -> None:
    rows = (await call("1312", wanted(hilist_code=NEGOTIATED_DRUG)))["data"]
    assert [(row["begndate"], row["enddate"], row["vali_flag"]) for row in rows] == [
        ("2021-01-01", "2024-12-31", "0"), ("2025-01-01", "2025-12-31", "0"), ("2026-01-01", None, "1"),
    ]
    assert ["推定" in row["memo"] for row in rows] == [True, False, True]
    assert all("限2岁至11岁儿童慢性便秘" in row["memo"] and row["lmt_used_flag"] == "1" for row in rows)
    valid = await call("1312", wanted(hilist_code=NEGOTIATED_DRUG, vali_flag="1"))
    assert [row["begndate"] for row in valid["data"]] == ["2026-01-01"]


async def test_invented_items_say_so(call: Call) -> None:
    rows = (await call("1312", wanted(list_type="301")))["data"]
    assert len(rows) == 40
    assert all("示例数据" in row["memo"] for row in rows)


async def test_classes_narrow_the_list(call: Call) -> None:
    found = await call("1312", wanted(chrgitm_lv="03", list_type="101", query_date="2025-06-01"))
    assert found["recordCounts"] == 30  # drugs of the formulary that the 2024 catalogue does not name


@pytest.mark.drives("1316")
async def test_national_codes_match_the_insurance_catalogue(call: Call) -> None:
    rows = (await call("1316", wanted(med_list_codg=NEGOTIATED_DRUG, query_date="2025-06-01")))["data"]
    assert [(row["med_list_codg"], row["hilist_code"], row["list_type"]) for row in rows] == [
        (NEGOTIATED_DRUG, NEGOTIATED_DRUG, "101"),
    ]


@pytest.mark.drives("1318")
async def test_price_ceilings_by_level_of_institution(call: Call) -> None:
    rows = (await call("1318", wanted(hilist_code=NEGOTIATED_DRUG, query_date="2025-06-01")))["data"]
    assert [(row["hilist_lmtpric_type"], row["hilist_pric_uplmt_amt"]) for row in rows] == [
        ("1", 3.72), ("2", 3.72), ("3", 3.72),
    ]
    assert {(row["begndate"], row["enddate"]) for row in rows} == {("2024-01-01", "2025-12-31")}
    one = await call("1318", wanted(hilist_code=NEGOTIATED_DRUG, hilist_lmtpric_type="2", query_date="2025-06-01"))
    assert [row["hilist_lmtpric_type"] for row in one["data"]] == ["2"]


@pytest.mark.parametrize(
    ("sender", "code", "expected"),
    [  # ZB-415: 10 % drugs, 15 % services, 20 % materials; HZ-408: 5 / 10 / 10 %
        (HOSPITAL, NEGOTIATED_DRUG, 0.1), (HOSPITAL, "001103000010000", 0.15),
        (HOSPITAL, "C0331101019900000002", 0.2), (CLINIC, NEGOTIATED_DRUG, 0.05),
        (CLINIC, "001103000010000", 0.1), (CLINIC, "C0331101019900000002", 0.1),
        (HOSPITAL, "001102000000100", 0), (CLINIC, "001102000030000", 1),
    ],
)
@pytest.mark.drives("1319")
async def test_first_pay_is_the_items_own_or_what_the_regions_law_says(
    call: Call, sender: str, code: str, expected: float
) -> None:
    rows = (await call("1319", wanted(hilist_code=code, query_date="2026-11-22"), sender=sender))["data"]
    assert [(row["selfpay_prop_psn_type"], row["selfpay_prop"]) for row in rows] == [
        ("310", expected), ("390", expected),
    ]
    one = await call("1319", wanted(hilist_code=code, selfpay_prop_psn_type="390"), sender=sender)
    assert {row["selfpay_prop_psn_type"] for row in one["data"]} == {"390"}


async def test_a_region_not_served_is_refused(call: Call) -> None:
    assert "110100" in await call("1319", wanted(insu_admdvs="110101"), fails=True)
    assert (await call("1312", wanted(insu_admdvs="110101")))["data"] == []


@pytest.mark.drives("1304")
async def test_ethnic_medicine_by_name_and_by_initials(call: Call) -> None:
    rows = (await call("1304", wanted()))["data"]
    assert len(rows) == 8  # of class ZI in the national list
    first = rows[0]
    found = (await call("1304", wanted(drug_genname=first["pinyin"].lower())))["data"]
    assert first["med_list_codg"] in {row["med_list_codg"] for row in found}
    named = (await call("1304", wanted(drug_genname=first["drug_genname"])))["data"]
    assert {row["drug_genname"] for row in named} == {first["drug_genname"]}
    required = ("rid", "crte_time", "updt_time", "crter_id", "crter_name", "crte_optins_no", "opter_id",
                "opter_name", "opt_time", "optins_no", "ver", "vali_flag")
    assert all(row[name] for row in rows for name in required)


@pytest.mark.parametrize("infno", ["1304", "1312", "1316", "1317", "1318", "1319"])
@pytest.mark.parametrize(
    "extreme",
    [
        {"updt_time": "0001-01-01"}, {"updt_time": "9999-12-31"}, {"begndate": "0001-01-01"},
        {"enddate": "9999-12-31"}, {"begndate": "9999-12-31"}, {"page_num": 9999, "page_size": 9999},
        {"hilist_name": "%", "medins_list_name": "_", "drug_genname": "\\"}, {"pinyin": "'"}, {"wubi": "x"},
        {"insu_admdvs": "3"}, {"vali_flag": "0"},
    ],
)
async def test_extreme_questions_have_an_answer(call: Call, infno: str, extreme: dict[str, Any]) -> None:
    if infno == "1319" and extreme.get("insu_admdvs") == "3":
        assert "参保地" in await call(infno, wanted(**extreme), fails=True)
        return
    out = await call(infno, wanted(**extreme))
    assert len(out["data"]) <= out["pageSize"]
    assert out["size"] == len(out["data"]) <= out["recordCounts"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_days_without_law_are_refused_or_answered(call: Call, day: str) -> None:
    rows = (await call("1312", wanted(query_date=day)))["data"]
    assert (rows == []) == (day < "2021-01-01")
    if day < "2021-01-01":
        assert "query_date" in await call("1319", wanted(query_date=day), fails=True)
