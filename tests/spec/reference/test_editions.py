"""Editions of the catalogue stand beside each other: old bills keep old prices, retired codes name their successor."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.storeroom import send, today
from tests.support.till import Till
from yibao.domains.catalogue.queries import terms_on_days
from yibao.entrypoints.cli.main import app
from yibao.entrypoints.gateway.interface import load
from yibao.infra.database import Database

ITEM_HEAD = "code,name,spec,unit,class_code,charge_type,origin,negotiated,valid_from,valid_to,version,detail\n"
TERM_HEAD = "admdvs,code,valid_from,valid_to,class_level,restricted,restriction,first_pay,source,assumed\n"
LIMIT_HEAD = "admdvs,code,level,valid_from,valid_to,limit_yuan,source,assumed\n"
Load = Callable[..., dict[str, Any]]


@pytest.fixture
def load_file(world_url: str, tmp_path: Path) -> Load:
    """Return a function that loads a file with ``yibao load-catalogue`` and returns what it printed."""

    def run(part: str, text: str, *words: str, code: int = 0) -> dict[str, Any]:
        file = tmp_path / f"{part}.csv"
        file.write_text(text, encoding="utf-8")
        result = CliRunner().invoke(
            app, ["load-catalogue", str(file), *words, "--json"], env={"YIBAO_DATABASE_URL": world_url}
        )
        assert result.exit_code == code, result.output
        return dict(json.loads(result.stdout))

    return run


def terms(url: str, code: str, *days: date) -> list[tuple[str, str, int | None] | None]:
    """Return name, class level and ceiling of an item on days, as a fee line of that day finds them."""

    async def ask() -> list[tuple[str, str, int | None] | None]:
        database = await Database.open(url, role=None, size=1)
        try:
            async with database.connection() as connection:
                found = await terms_on_days(
                    connection, admdvs="370300", wanted=[(code, day) for day in days], level="3"
                )
        finally:
            await database.close()
        return [
            (found[code, day].name, found[code, day].class_level, found[code, day].limit_micro)
            if (code, day) in found else None
            for day in days
        ]

    return asyncio.run(ask())


def rows_of(url: str, sql: str) -> list[tuple[Any, ...]]:
    async def ask() -> list[tuple[Any, ...]]:
        database = await Database.open(url, role=None, size=1)
        try:
            return [tuple(row) for row in await database.fetch(sql)]
        finally:
            await database.close()

    return asyncio.run(ask())


def item(code: str, name: str, begins: str, ends: str = "", version: str = "v20240101") -> str:
    return f"{ITEM_HEAD}{code},{name},1mg,片,XA01,09,national,0,{begins},{ends},{version},\n"


A, B, C, D, E = (f"XA01ABD075A00201077{n}001" for n in range(5))


def test_a_later_edition_leaves_the_days_of_the_earlier_one(load_file: Load, world_url: str) -> None:
    load_file("drugs", item(A, "旧名片", "2024-01-01"))
    load_file("drugs", item(A, "新名片", "2026-07-01", version="v20260701"))
    load_file("terms", f"{TERM_HEAD}370300,{A},2024-01-01,,02,0,,,甲文,0\n")
    overlap = load_file("terms", f"{TERM_HEAD}370300,{A},2026-07-01,,01,0,,0,乙文,0\n", code=1)
    assert "重叠" in overlap["refused"][0]["faults"][0]["reason"]
    load_file("terms", f"{TERM_HEAD}370300,{A},2026-07-01,,01,0,,0,乙文,0\n", "--new-edition")
    load_file("price_limits", f"{LIMIT_HEAD}370300,{A},3,2024-01-01,,5,甲文,0\n")
    load_file("price_limits", f"{LIMIT_HEAD}370300,{A},3,2026-07-01,,3.5,乙文,0\n", "--new-edition")
    assert terms(world_url, A, date(2023, 12, 31), date(2024, 1, 1), date(2026, 6, 30), date(2026, 7, 1)) == [
        None, ("旧名片", "02", 5_000_000), ("旧名片", "02", 5_000_000), ("新名片", "01", 3_500_000),
    ]


def test_editions_may_be_loaded_in_any_order(load_file: Load, world_url: str) -> None:
    first, second, third = (item(B, name, begins, version=f"v{begins[:4]}0101") for name, begins in (
        ("甲", "2021-01-01"), ("乙", "2023-01-01"), ("丙", "2025-01-01"),
    ))
    load_file("drugs", third)
    load_file("drugs", first)
    load_file("drugs", second)
    load_file("terms", f"{TERM_HEAD}370300,{B},2021-01-01,,02,0,,,来源,0\n")
    days = [date(2020, 12, 31), date(2021, 1, 1), date(2022, 12, 31), date(2023, 1, 1), date(2024, 12, 31), date(2025, 1, 1)]
    expected = [None, "甲", "甲", "乙", "乙", "丙"]
    assert [found and found[0] for found in terms(world_url, B, *days)] == expected
    # Every edition again, the oldest last: nothing changes.
    for text in (third, second, first):
        assert [one["changed"] for one in load_file("drugs", text)["loaded"]] == [0]
    assert [found and found[0] for found in terms(world_url, B, *days)] == expected
    assert rows_of(world_url, f"select valid_from, valid_to from catalogue.former_item where code = '{B}' order by 1") == [
        (date(2021, 1, 1), date(2023, 1, 1)), (date(2023, 1, 1), date(2025, 1, 1)),
    ]


def test_an_edition_that_was_followed_by_another_may_be_loaded_again(load_file: Load, world_url: str) -> None:
    load_file("drugs", item(C, "名", "2024-01-01"))
    old = f"{TERM_HEAD}370300,{C},2024-01-01,,02,0,,,甲文,0\n"
    load_file("terms", old)
    load_file("terms", f"{TERM_HEAD}370300,{C},2026-01-01,,01,0,,0,乙文,0\n", "--new-edition")
    assert [one["changed"] for one in load_file("terms", old)["loaded"]] == [0]
    assert [found and found[1] for found in terms(world_url, C, date(2025, 12, 31), date(2026, 1, 1))] == ["02", "01"]


def test_clients_download_both_editions_with_their_own_periods(load_file: Load, till: Till) -> None:
    load_file("drugs", item(D, "初版", "2024-01-01"))
    load_file("drugs", item(D, "再版", "2027-01-01", version="v20270101"))
    offer = send(till, "1301", {"data": {"ver": "v20231231"}}).output
    request = {"fsDownloadIn": {"file_qury_no": offer["file_qury_no"], "filename": offer["filename"], "fixmedins_code": "plc"}}
    content = till.send(till.envelope("9102", request))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        lines = [line.split("\t") for line in archive.read(archive.namelist()[0]).decode().splitlines()]
    names = [field.name_zh for field in load().transactions["1301"].outfile]
    shown = [[row[names.index(name)] for name in ("注册名称", "开始日期", "结束日期")] for row in lines if row[0] == D]
    # The end is what each edition printed, so that a version's file never changes.
    assert shown == [["初版", "2024-01-01", "null"], ["再版", "2027-01-01", "null"]]


def test_a_retired_code_is_refused_with_its_successor(load_file: Load, till: Till) -> None:
    old, new = f"{E[:-1]}2", f"{E[:-1]}3"
    load_file("drugs", item(old, "停用药", "2020-01-01", "2026-01-01"))
    load_file("drugs", item(new, "接替药", "2026-01-01"))
    wrong = load_file("successors", f"code,successor,valid_from,source\n{old},{old},2026-01-01,文\n", code=1)
    assert wrong["refused"][0]["faults"][0]["column"] == "successor"
    unknown = load_file("successors", f"code,successor,valid_from,source\n{old},{new[:-1]}9,2026-01-01,文\n", code=1)
    assert unknown["refused"][0]["faults"][0]["column"] == "successor"
    load_file("successors", f"code,successor,valid_from,source\n{old},{new},2026-01-01,停用通知\n")
    mapping = {"fixmedins_hilist_id": "S1", "fixmedins_hilist_name": "停用药", "list_type": "101", "med_list_codg": old,
               "begndate": "2026-03-01", "enddate": "2099-12-31"}
    refused = send(till, "3301", {"data": [mapping]})
    assert not refused.ok
    assert f"{new}【接替药】" in refused.reason


def test_a_line_with_a_retired_code_is_told_its_successor(
    load_file: Load, till: Till, patient: dict[str, Any]
) -> None:
    old, new = f"{E[:-1]}A", f"{E[:-1]}B"
    load_file("drugs", item(old, "停用片", "2020-01-01", "2026-01-01"))
    load_file("drugs", item(new, "接替片", "2026-01-01"))
    load_file("terms", "".join([TERM_HEAD, *(f"370300,{code},2020-01-01,,01,0,,0,甲文,0\n" for code in (old, new))]))
    load_file("successors", f"code,successor,valid_from,source\n{old},{new},2026-01-01,停用通知\n")
    refused = upload(till, patient, old, own="V1", days_ago=0)
    assert not refused.ok
    assert f"请改用{new}【接替片】" in refused.reason
    assert upload(till, patient, new, own="V1", days_ago=0).ok


def test_editions_are_listed(load_file: Load, world_url: str) -> None:
    load_file("drugs", item(f"{E[:-1]}5", "又一药", "2020-01-01", version="v20200101"))
    result = CliRunner().invoke(app, ["catalogue", "editions", "--json"], env={"YIBAO_DATABASE_URL": world_url})
    newest = json.loads(result.stdout)["editions"][-1]
    assert (newest["part"], newest["rows"], newest["changed"]) == ("drugs", 1, 1)


# ───────────────────────── lines of bills ─────────────────────────


def upload(till: Till, patient: dict[str, Any], code: str, *, own: str, days_ago: int) -> Any:
    """Open a visit of a day and upload one line of ten yuan; return the reply to 2204."""
    begin = f"{today() - timedelta(days=days_ago)} 09:00:00"
    mdtrt_id = till.register(patient, begin=begin)
    visit = {"med_type": "11", "diag_code": "J00.x00", "diag_name": "急性鼻咽炎"}
    till.record(patient, visit, mdtrt_id, begin=begin)
    c = till.counter
    line = {
        "feedetl_sn": "1", "mdtrt_id": mdtrt_id, "psn_no": patient["psn_no"], "chrg_bchno": "1", "dise_codg": "",
        "rx_circ_flag": "0", "fee_ocur_time": begin, "bilg_dept_codg": c.dept_code, "bilg_dept_name": c.dept_name,
        "bilg_dr_codg": c.dr_codg, "bilg_dr_name": c.dr_name, "hosp_appr_flag": "0", "med_list_codg": code,
        "medins_list_codg": own, "pric": 10, "cnt": 1, "det_item_fee_sumamt": 10,
    }
    return send(till, "2204", {"feedetail": [line]})


@pytest.fixture
def patient(world: dict[str, Any]) -> dict[str, Any]:
    return dict(next(p for p in world["patients"] if p["insuplc_admdvs"].startswith("3703")))


@pytest.mark.drives("2204")
def test_a_late_bill_has_the_price_of_its_day(
    load_file: Load, till_for: Callable[..., Till], patient: dict[str, Any]
) -> None:
    till, code, change = till_for(), f"{E[:-1]}6", today() - timedelta(days=2)
    load_file("drugs", item(code, "旧名", "2020-01-01"))
    load_file("terms", f"{TERM_HEAD}370300,{code},2020-01-01,,01,0,,0,甲文,0\n")
    levels = "123"
    old = "".join(f"370300,{code},{level},2020-01-01,,8,甲文,0\n" for level in levels)
    new = "".join(f"370300,{code},{level},{change},,6,乙文,0\n" for level in levels)
    load_file("price_limits", LIMIT_HEAD + old)
    load_file("price_limits", LIMIT_HEAD + new, "--new-edition")
    load_file("drugs", item(code, "新名", str(change), version="v20261101"))
    # Ten yuan a piece: 2 over the ceiling of 8 before the change, 4 over that of 6 from that day on.
    for days_ago, over, ceiling in ((3, 2, 8), (2, 4, 6), (0, 4, 6)):
        reply = upload(till, patient, code, own="W1", days_ago=days_ago)
        assert reply.ok, reply.reason
        line = reply.output["result"][0]
        assert (line["overlmt_amt"], line["pric_uplmt_amt"]) == (over, ceiling)


@pytest.mark.drives("3301", "2204")
def test_own_codes_bind_whoever_uploads_mappings(
    load_file: Load, till_for: Callable[..., Till], patient: dict[str, Any], world_url: str
) -> None:
    till = till_for(index=1)
    code, other = f"{E[:-1]}7", f"{E[:-1]}8"
    for one in (code, other):
        load_file("drugs", item(one, f"药{one[-1]}", "2020-01-01"))
        load_file("terms", f"{TERM_HEAD}370300,{one},2020-01-01,,01,0,,0,甲文,0\n")
    # Before the first mapping everything is taken, and said.
    taken = upload(till, patient, code, own="自编1", days_ago=0)
    assert taken.ok, taken.reason
    assert "未对照" in taken.warning
    mapping = {"fixmedins_hilist_id": "自编1", "fixmedins_hilist_name": "药7", "list_type": "101", "med_list_codg": code,
               "begndate": str(today()), "enddate": "2099-12-31", "prcunt": "片"}
    assert send(till, "3301", {"data": [mapping]}).warning == ""
    matched = upload(till, patient, code, own="自编1", days_ago=0)
    assert (matched.ok, matched.warning) == (True, "")
    # Not mapped, mapped to another item, not mapped yet on that day: each refused with its own reason.
    assert "没有当日有效的目录对照" in upload(till, patient, code, own="自编2", days_ago=0).reason
    assert f"对照的是{code}" in upload(till, patient, other, own="自编1", days_ago=0).reason
    assert "没有当日有效的目录对照" in upload(till, patient, code, own="自编1", days_ago=1).reason
    # What waits for the agency is taken, and said.
    assert send(till, "3301", {"data": [mapping | {"fixmedins_hilist_id": "自编3", "fixmedins_hilist_name": "别名"}]}).ok
    waiting = upload(till, patient, code, own="自编3", days_ago=0)
    assert waiting.ok, waiting.reason
    assert "尚待经办机构审核" in waiting.warning
