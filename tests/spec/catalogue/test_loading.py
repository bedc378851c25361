"""Loading the catalogue: the packaged lists in seconds, faulty files refused row by row."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from datetime import date, datetime
from importlib.resources import files

import pytest

from yibao.domains.catalogue.queries import chronic_disease_exists, diagnosis_exists, terms_for
from yibao.infra.database import Database
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import CountingIds
from yibao.usecases.catalogue.load_catalogue import (
    CatalogueFile,
    Loaded,
    LoadProgress,
    LoadRefused,
    load_all,
    load_catalogue,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)
TABLES = ("item", "term", "price_limit", "diagnosis", "procedure", "chronic_disease", "tcm_class", "loaded")


def packaged(name: str) -> list[dict[str, str]]:
    content = (files("yibao") / "data" / "catalogues" / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def as_file(part: str, rows: list[dict[str, str]] | str) -> CatalogueFile:
    if isinstance(rows, str):
        return CatalogueFile(part, "rows.csv", rows.encode(), "test")
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return CatalogueFile(part, "rows.csv", out.getvalue().encode(), "test")


async def contents(database: Database) -> dict[str, str]:
    """Return a digest of every catalogue table and of the audit log."""
    sql = "select coalesce(md5(string_agg(t::text, '' order by t::text)), '') from {} t"
    names = [f"catalogue.{table}" for table in TABLES] + ["platform.audit_entry"]
    return {name: (await database.fetch(sql.format(name)))[0][0] for name in names}


@pytest.fixture(scope="module")
async def loaded(database: Database) -> tuple[tuple[Loaded, ...], float, list[LoadProgress]]:
    steps: list[LoadProgress] = []
    begin = time.process_time()
    result = await load_all(database, now=NOW, ids=CountingIds(), progress=steps.append)
    return result, time.process_time() - begin, steps


async def test_all_packaged_lists_load_with_progress_in_seconds(
    database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]]
) -> None:
    result, cpu_s, steps = loaded
    assert {r.part: r.rows for r in result}["diagnoses"] == 33_304
    assert all(r.rows == r.changed for r in result)
    assert cpu_s < 20
    assert [step for step in steps if step.part == "diagnoses"][-1].rows == 33_304
    assert all(0 <= step.bytes_done <= step.bytes_total for step in steps)
    for table, name in (("diagnosis", "diagnoses.csv.gz"), ("procedure", "procedures.csv.gz")):
        count = (await database.fetch(f"select count(*) from catalogue.{table}"))[0][0]
        assert count == len(packaged(name))


async def test_loading_again_changes_nothing(
    database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]]
) -> None:
    before = await contents(database)
    again = await load_all(database, now=NOW, ids=CountingIds(1000))
    assert [r.changed for r in again] == [0] * len(again)
    assert await contents(database) == before


async def load(database: Database, file: CatalogueFile) -> Loaded | LoadRefused:
    return await load_catalogue(database, file, now=NOW, ids=CountingIds(9000))


HEAD = "code,name,spec,unit,class_code,charge_type,origin,negotiated,valid_from,valid_to,version,detail"
GOOD = "XA01ABD075A0020101{:05d},某药片,0.25mg,片,XA01,09,national,0,2025-01-01,,v20260101,"
FAULTY = (  # what is planted, and the column and reason it must be refused with
    ("XA01,某药片,,,,09,national,0,2025-01-01,,v20260101,", "code", "编码规则"),
    (",某药片,,,,09,national,0,2025-01-01,,v20260101,", "code", "必填列为空"),
    ("xa01abd075a002010100484,某药片,,,,09,national,0,2025-01-01,,v20260101,", "code", "编码规则"),
    ("XA01ABD075A002010100001,,,,,09,national,0,2025-01-01,,v20260101,", "name", "必填列为空"),
    ("XA01ABD075A002010100002," + "药" * 501 + ",,,,09,national,0,2025-01-01,,v20260101,", "name", "超过500个字符"),
    ("XA01ABD075A002010100003,某\x07药,,,,09,national,0,2025-01-01,,v20260101,", "name", "控制字符"),
    ("XA01ABD075A002010100004,某药片,,,,15,national,0,2025-01-01,,v20260101,", "charge_type", "收费项目类别"),
    ("XA01ABD075A002010100005,某药片,,,,,national,0,2025-01-01,,v20260101,", "charge_type", "必填列为空"),
    ("XA01ABD075A002010100006,某药片,,,,09,local,0,2025-01-01,,v20260101,", "origin", "取值不在范围内"),
    ("XA01ABD075A002010100007,某药片,,,,09,demo,0,2025-01-01,,v20260101,", "code", "保留编码段"),
    ("XA01ABD075A002010100008,某药片,,,,09,national,是,2025-01-01,,v20260101,", "negotiated", "0或1"),
    ("XA01ABD075A002010100009,某药片,,,,09,national,0,2025-02-30,,v20260101,", "valid_from", "没有这一天"),
    ("XA01ABD075A002010100010,某药片,,,,09,national,0,2025/01/01,,v20260101,", "valid_from", "日期格式"),
    ("XA01ABD075A002010100011,某药片,,,,09,national,0,2025-01-01,2025-01-01,v20260101,", "valid_to", "不晚于"),
    ("XA01ABD075A002010100012,某药片,,,,09,national,0,2025-01-01,,2026,", "version", "版本号"),
    ('XA01ABD075A002010100013,某药片,,,,09,national,0,2025-01-01,,v20260101,"{""a"":1}"', "detail", "JSON"),
    ("XA01ABD075A002010100014,某药片,,,,09,national,0,2025-01-01,,v20260101,{", "detail", "JSON"),
    ("XA01ABD075A002010100015,某药片,,,,09", "", "应有12列"),
    (GOOD.format(90001), "code", "重复"),
    ("XA01ABD075A002010100016,\udcb0\udca2,,,,09,national,0,2025-01-01,,v20260101,", "name", "UTF-8"),
)


async def test_twenty_planted_rows_are_refused_row_by_row_and_nothing_changes(
    database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]]
) -> None:
    assert len(FAULTY) == 20
    lines, planted = [HEAD], {}
    for number in range(2_000):
        if number % 100 == 50:
            row, column, reason = FAULTY[number // 100]
            lines.append(row)
            planted[len(lines)] = (column, reason)
        lines.append(GOOD.format(90_000 + number))
    # The twin of a good row must come after it.
    twin = next(line for line, (_, reason) in planted.items() if reason == "重复")
    assert lines.index(GOOD.format(90_001)) < twin - 1
    content = "\n".join(lines).encode("utf-8", "surrogateescape")
    before = await contents(database)

    result = await load(database, CatalogueFile("drugs", "drugs.csv", content, "test"))

    assert isinstance(result, LoadRefused)
    assert [fault.line for fault in result.faults] == list(planted)
    for fault in result.faults:
        column, reason = planted[fault.line]
        assert fault.column == column
        assert reason in fault.reason
        assert fault.remedy
        assert f"第{fault.line}行" in result.sentence()
    assert await contents(database) == before


async def test_one_row_may_have_several_faults_and_all_are_told(database: Database) -> None:
    row = "A00,,2025-13-01,2024-01-01,x"
    result = await load(database, as_file("diagnoses", f"code,name,valid_from,valid_to,version\n{row}\n"))
    assert isinstance(result, LoadRefused)
    assert [fault.column for fault in result.faults] == ["name", "valid_from", "version"]


TERM = "370300,{code},{begins},{ends},02,0,,,来源,0"
TERM_HEAD = "admdvs,code,valid_from,valid_to,class_level,restricted,restriction,first_pay,source,assumed"
DRUG = "XA06ADF336P001010100233"


@pytest.mark.parametrize(
    ("rows", "column", "reason"),
    [
        ([TERM.format(code="XA99ZZZ999Z999999999999", begins="2027-01-01", ends="")], "code", "没有这个编码"),
        # the packaged term of this drug is open from 2026-01-01 on
        ([TERM.format(code=DRUG, begins="2027-01-01", ends="")], "valid_from", "2026-01-01起的一行重叠"),
        ([TERM.format(code=DRUG, begins="2020-01-01", ends="2022-01-01")], "valid_from", "2021-01-01起的一行重叠"),
        ([f"370300,{DRUG},2019-01-01,2020-01-01,04,0,,,来源,0"], "class_level", "取值"),
        ([f"370300,{DRUG},2019-01-01,2020-01-01,02,1,,,来源,0"], "restriction", "未写明"),
        ([f"370300,{DRUG},2019-01-01,2020-01-01,02,0,限儿童,,来源,0"], "restricted", "未标记"),
        ([f"370300,{DRUG},2019-01-01,2020-01-01,02,0,,10001,来源,0"], "first_pay", "比例"),
        ([f"3703,{DRUG},2019-01-01,2020-01-01,02,0,,,来源,0"], "admdvs", "医保区划"),
    ],
)
async def test_terms_must_fit_the_catalogue_and_each_other(
    database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]],
    rows: list[str], column: str, reason: str,
) -> None:
    before = await contents(database)
    result = await load(database, as_file("terms", "\n".join([TERM_HEAD, *rows])))
    assert isinstance(result, LoadRefused)
    assert [(fault.line, fault.column) for fault in result.faults] == [(2, column)]
    assert reason in result.faults[0].reason
    assert await contents(database) == before


@pytest.mark.parametrize("amount", ["-1", "1.1234567", "1e3", "NaN", "十", "", "1,5"])
async def test_amounts_must_be_amounts(database: Database, amount: str) -> None:
    text = f'admdvs,code,level,valid_from,limit_yuan,source,assumed\n370300,{DRUG},1,2019-01-01,"{amount}",来源,0\n'
    result = await load(database, as_file("price_limits", text))
    assert isinstance(result, LoadRefused)
    assert result.faults[0].column == "limit_yuan"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "表头"), (b"\x1f\x8bbroken", "解压"), ("编码,名称\n".encode("gbk"), "缺少必需的列"),
        (b"code,name,valid_from,version,code\n", "列名重复"), (b'code,name\n"open', "缺少必需的列"),
    ],
)
async def test_files_that_are_no_catalogue_files_are_refused(database: Database, content: bytes, reason: str) -> None:
    result = await load(database, CatalogueFile("diagnoses", "x.csv", content, "test"))
    assert isinstance(result, LoadRefused)
    assert any(reason in fault.reason for fault in result.faults)
    assert result.faults[0].line == 1


async def test_an_unclosed_quote_is_told_with_its_line(database: Database) -> None:
    result = await load(database, as_file("diagnoses", 'code,name,valid_from,version\nA00.000,"霍乱,2025-01-01,v20260101\n'))
    assert isinstance(result, LoadRefused)
    assert "CSV" in result.faults[0].reason
    assert result.faults[0].line >= 2


async def test_columns_the_file_does_not_have_may_be_given(
    database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]]
) -> None:
    given = {"version": "v20260101", "valid_from": "2026-01-01"}
    content = "\ufeffname,code\r\n新病,Z99.999\r\n".encode()
    file = CatalogueFile("diagnoses", "x.csv", content, "test", "", given)
    result = await load(database, file)
    assert isinstance(result, Loaded)
    assert (result.rows, result.changed) == (1, 1)
    async with database.connection() as connection:
        codes = ["Z99.999", "A00.000x001", "Z88.888"]
        assert await diagnosis_exists(connection, codes=codes, on=date(2026, 1, 1)) == {
            "Z99.999": "新病", "A00.000x001": "古典生物型霍乱",
        }
        assert "Z99.999" not in await diagnosis_exists(connection, codes=codes, on=date(2025, 12, 31))
        assert await chronic_disease_exists(connection, codes=["M03900", "M99999"], on=date(2026, 1, 1)) == {
            "M03900": "高血压病",
        }


async def test_terms_follow_region_day_and_level(
    database: Database, gateway_database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]]
) -> None:
    codes = [DRUG, "001103000010000", "C0331101019900000002", "XA01ABD075A002010100483", "NONE", DRUG]
    async with gateway_database.transaction() as tx:
        for region in ("370300", "441300"):
            found = await terms_for(tx, admdvs=region, codes=codes, on=date(2025, 6, 1), level="2")
            assert set(found) == {DRUG, "001103000010000", "C0331101019900000002"}
            drug, service, implant = (found[code] for code in codes[:3])
            assert (drug.list_type, drug.charge_type, drug.class_level, drug.first_pay) == ("101", "09", "02", None)
            assert (drug.limit_micro, drug.limit_assumed, drug.assumed) == (3_720_000, False, False)
            assert (drug.restricted, drug.restriction) == (True, "限2岁至11岁儿童慢性便秘。")
            assert (drug.negotiated, drug.origin) == (True, "national")
            assert (service.assumed, service.limit_micro, service.origin) == (True, None, "national")
            assert (implant.limit_micro, implant.limit_assumed, implant.origin) == (1_089_540_000, True, "demo")
        assert await terms_for(tx, admdvs="110100", codes=codes, on=date(2025, 6, 1), level="2") == {}
        assert await terms_for(tx, admdvs="370300", codes=codes, on=date(2020, 12, 31), level="2") == {}
        assert await terms_for(tx, admdvs="370300", codes=[], on=date(2025, 6, 1), level="2") == {}


@pytest.mark.parametrize(
    ("on", "is_assumed", "is_limit_assumed"),
    [  # catalogue in force in 2025; agreement from 2024-01-01 to 2025-12-31
        (date(2023, 12, 31), True, True), (date(2024, 1, 1), True, False), (date(2024, 12, 31), True, False),
        (date(2025, 1, 1), False, False), (date(2025, 12, 31), False, False), (date(2026, 1, 1), True, True),
    ],
)
async def test_terms_say_when_they_are_carried_over(
    gateway_database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]],
    on: date, is_assumed: bool, is_limit_assumed: bool,
) -> None:
    async with gateway_database.connection() as connection:
        found = await terms_for(connection, admdvs="370300", codes=[DRUG], on=on, level="3")
    assert (found[DRUG].assumed, found[DRUG].limit_assumed) == (is_assumed, is_limit_assumed)


async def test_every_load_that_changed_something_is_audited(
    database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]]
) -> None:
    rows = await database.fetch("select verb, object, channel from platform.audit_entry where at = $1", NOW)
    assert {"drugs", "terms", "diagnoses"} <= {row["object"] for row in rows}
    assert {(row["verb"], row["channel"]) for row in rows} == {("load_catalogue", "cli")}


async def test_the_formulary_joins_the_catalogue(
    database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]]
) -> None:
    formulary = packaged("demo_formulary.csv")
    async with database.connection() as connection:
        for region in ("370300", "441300"):
            found = await terms_for(
                connection, admdvs=region, codes=[row["med_list_codg"] for row in formulary],
                on=date(2026, 11, 22), level="3",
            )
            for row in formulary:
                term = found[row["med_list_codg"]]
                assert (term.list_type, term.class_level, term.charge_type) == (
                    row["list_type"], row["chrgitm_lv"], row["med_chrgitm_type"],
                )
                assert term.first_pay == {"01": 0, "02": None, "03": 10_000}[row["chrgitm_lv"]]
                assert (term.limit_micro is not None) == bool(row["pay_standard_yuan"])
                assert (term.origin == "demo") == (row["code_source"] == "invented")


def test_classes_joined_by_name_agree_with_those_an_older_directory_prints() -> None:
    printed = {"甲": "01", "乙": "02"}
    older = {
        row["code"]: printed[level] for row in packaged("drugs.csv.gz")
        if (level := json.loads(row["detail"] or "{}").get("national_level")) and row["version"] == "v20220701"
    }
    joined = {
        row["code"]: row["class_level"] for row in packaged("terms.csv.gz")
        if row["valid_from"] == "2025-01-01" and row["admdvs"] == "370300" and row["assumed"] == "0"
    }
    both = older.keys() & joined.keys()
    assert len(both) == 494 + 42  # joined by name; of the formulary
    assert {code: older[code] for code in both} == {code: joined[code] for code in both}


def test_regions_differ_in_nothing_but_the_region() -> None:
    by_region: dict[str, list[tuple[str, ...]]] = {}
    for row in packaged("terms.csv.gz"):
        region = row.pop("admdvs")
        by_region.setdefault(region, []).append(tuple(row.values()))
    assert set(by_region) == {"370300", "441300"}
    assert by_region["370300"] == by_region["441300"]
