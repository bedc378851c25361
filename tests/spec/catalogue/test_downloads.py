"""1301-1315 and 9102: a list is offered by version and downloaded as a zip of tab-separated text."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.spec.catalogue.conftest import HOSPITAL, Call
from yibao.entrypoints.gateway.interface import load

EXPECTED_ROWS = {  # rows of the published tables, counted in the sources
    "1301": 14_049 + 1_000, "1302": 60, "1305": 3_030, "1307": 33_304, "1308": 13_686, "1309": 45,
    "1313": 190, "1314": 83, "1315": 74,
}
EMPTY = ("1303", "1306", "1306A", "1310", "1311")


async def table(call: Call, infno: str, ver: str = "v0000") -> tuple[dict, list[list[str]]]:
    offer = await call(infno, {"data": {"ver": ver}})
    request = {"file_qury_no": offer["file_qury_no"], "filename": offer["filename"], "fixmedins_code": "plc"}
    content = await call("9102", {"fsDownloadIn": request})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) == 1
        text = archive.read(archive.namelist()[0]).decode()
    return offer, [line.split("\t") for line in text.splitlines()]


def column(infno: str, name: str) -> int:
    return [field.name_zh for field in load().transactions[infno].outfile].index(name)


@pytest.mark.parametrize("infno", EXPECTED_ROWS)
@pytest.mark.drives("1301", "1302", "1305", "1307", "1308", "1309", "1313", "1314", "1315", "9102")
async def test_a_first_download_gives_every_row_with_every_column(call: Call, infno: str) -> None:
    offer, rows = await table(call, infno)
    assert offer["data_cnt"] == len(rows) == EXPECTED_ROWS[infno]
    width = len(load().transactions[infno].outfile)
    assert {len(row) for row in rows} == {width}
    assert all(cell for row in rows for cell in row), "an empty cell is written null"
    assert offer["dld_end_time"] == "2026-12-22"
    assert len(offer["file_qury_no"]) <= 30


@pytest.mark.parametrize("infno", EMPTY)
@pytest.mark.drives("1303", "1306", "1306A", "1310", "1311")
async def test_a_list_without_real_rows_is_empty(call: Call, infno: str) -> None:
    offer, rows = await table(call, infno)
    assert (offer["data_cnt"], rows) == (0, [])


async def test_drug_columns_stand_where_the_field_table_puts_them(call: Call) -> None:
    _, rows = await table(call, "1301")
    row = next(row for row in rows if row[0] == "XA01ABD075A002010100483")
    shown = {name: row[column("1301", name)] for name in ("注册名称", "药品规格", "批准文号", "药品类别名称", "拼音助记码")}
    assert shown == {
        "注册名称": "地喹氯铵含片", "药品规格": "0.25mg", "批准文号": "国药准字H20067255",
        "药品类别名称": "口腔科制剂", "拼音助记码": "DKLAHP",
    }
    assert row[column("1301", "五笔助记码")] == "null"


async def test_the_diagnosis_file_names_code_category_and_name(call: Call) -> None:
    _, rows = await table(call, "1307")
    row = next(row for row in rows if row[column("1307", "诊断代码")] == "A00.000x001")
    assert row[column("1307", "诊断名称")] == "古典生物型霍乱"
    assert row[column("1307", "类目代码")] == "A00"


async def test_invented_codes_are_marked_and_reserved(call: Call) -> None:
    _, rows = await table(call, "1302")
    assert all(row[0].startswith("T9900") for row in rows)
    assert all("示例数据" in row[column("1302", "版本名称")] for row in rows)


async def test_only_what_is_newer_than_the_local_version_comes(call: Call) -> None:
    offer, rows = await table(call, "1301", "v20220701")
    versions = {row[column("1301", "版本号")] for row in rows}
    assert (len(rows), versions) == (14_049, {"v20250101"})
    newest = max(versions)
    again, none = await table(call, "1301", newest)
    assert (again["data_cnt"], none) == (0, [])
    assert again["file_qury_no"] != offer["file_qury_no"]


@pytest.mark.parametrize(("ver", "count"), [("0", 15_049), ("V0000", 15_049), ("20220701", 14_049),
                                            ("2022070100028489", 14_049), ("v99999999999", 0)])
async def test_versions_are_read_as_clients_write_them(call: Call, ver: str, count: int) -> None:
    assert (await call("1301", {"data": {"ver": ver}}))["data_cnt"] == count


async def test_a_version_gives_the_same_bytes_again(call: Call) -> None:
    offer = await call("1308", {"data": {"ver": "v0000"}})
    request = {"fsDownloadIn": {"file_qury_no": offer["file_qury_no"], "filename": offer["filename"],
                                "fixmedins_code": "plc"}}
    assert await call("9102", request) == await call("9102", request)


@pytest.mark.parametrize("file_no", ["1301-0-99999999", "1301-20250101-0", "1399-0-20250101", "../../etc/passwd", "x"])
async def test_an_unknown_file_is_refused_by_name(call: Call, file_no: str) -> None:
    request = {"file_qury_no": file_no, "filename": "a.zip", "fixmedins_code": "plc"}
    reason = await call("9102", {"fsDownloadIn": request}, fails=True)
    assert "file_qury_no" in reason
    assert "1301" in reason or "目录下载" in reason


async def test_files_of_others_are_refused(call: Call) -> None:
    request = {"file_qury_no": "1309-0-20210101", "filename": "a.zip"}
    reason = await call("9102", {"fsDownloadIn": request | {"fixmedins_code": "H99999900001"}}, fails=True)
    assert "fixmedins_code" in reason
    assert isinstance(await call("9102", {"fsDownloadIn": request | {"fixmedins_code": HOSPITAL}}), bytes)


async def test_an_unreadable_version_is_refused(call: Call) -> None:
    assert "data.ver" in await call("1301", {"data": {"ver": "latest"}}, fails=True)
