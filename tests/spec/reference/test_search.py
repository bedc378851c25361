"""``yibao catalogue find``: by code, by name and by pinyin initials; and 1316, 1317 by page and day."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.storeroom import DRUG, send
from tests.support.till import Till
from yibao.entrypoints.cli.main import app

Find = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def find(world_url: str) -> Find:
    """Return a function that runs ``yibao catalogue find ... --json`` and returns the hits."""

    def run(*words: str) -> list[dict[str, Any]]:
        result = CliRunner().invoke(app, ["catalogue", "find", *words, "--json"], env={"YIBAO_DATABASE_URL": world_url})
        assert result.exit_code == 0, result.output
        return list(json.loads(result.stdout)["hits"])

    return run


def test_a_code_is_found_whole_and_by_its_beginning_in_either_case(find: Find) -> None:
    assert [hit["code"] for hit in find(DRUG)] == [DRUG]
    assert find(DRUG.lower())[0]["code"] == DRUG
    started = find("XA06AD", "--limit", "50")
    assert DRUG in [hit["code"] for hit in started]
    assert all(hit["code"].startswith("XA06AD") for hit in started)
    assert find("I10.x00x002")[0]["part"] == "diagnosis"


def test_a_name_is_found_by_its_characters_and_by_their_initials(find: Find) -> None:
    by_name = find("聚乙二醇", "--limit", "200")
    assert by_name
    assert all("聚乙二醇" in hit["name"] for hit in by_name)
    assert DRUG in [hit["code"] for hit in by_name]
    # 地喹氯铵含片: di kui lü an han pian
    for text in ("DKLAHP", "dklahp", "LAHP"):
        assert "XA01ABD075A002010100483" in [hit["code"] for hit in find(text, "--limit", "50")]


def test_what_begins_so_comes_before_what_only_holds_it(find: Find) -> None:
    names = [hit["name"] for hit in find("高血压", "--part", "diagnosis", "--limit", "200")]
    begins = [name.startswith("高血压") for name in names]
    assert begins == sorted(begins, reverse=True)
    assert any(begins)
    assert not all(begins)


def test_one_list_only_and_what_a_region_pays(find: Find) -> None:
    assert {hit["part"] for hit in find("47.01", "--part", "procedure")} == {"procedure"}
    hit = find(DRUG, "--region", "370300", "--on", "2025-06-01", "--level", "2")[0]
    # The published pay standard of this drug, 3.72 yuan, holds from 2024 to 2025.
    assert (hit["class_level"], hit["limit_micro"], hit["restriction"]) == ("02", 3_720_000, "限2岁至11岁儿童慢性便秘。")
    assert find(DRUG, "--on", "2019-12-31") == []


@pytest.mark.parametrize(("words", "code"), [(["   "], 1), (["药", "--limit", "0"], 1), (["药", "--limit", "201"], 1),
                                             (["药", "--part", "x"], 2), (["药" * 101], 1)])
def test_what_cannot_be_searched_is_said(world_url: str, words: list[str], code: int) -> None:
    result = CliRunner().invoke(app, ["catalogue", "find", *words, "--json"], env={"YIBAO_DATABASE_URL": world_url})
    assert result.exit_code == code
    assert json.loads(result.stdout)["ok"] is False


@pytest.mark.parametrize("text", ["%", "_", "'; drop table catalogue.item; --", "\\", "\U0001F600", "(", "nothing like it"])
def test_odd_texts_are_only_looked_for(find: Find, text: str) -> None:
    assert all(text in hit["name"] for hit in find(text))


@pytest.mark.drives("1316", "1317")
def test_pages_by_own_code_and_by_day(till: Till) -> None:
    rows = [
        {"fixmedins_hilist_id": f"PG{n}", "fixmedins_hilist_name": f"名{n}", "list_type": "101", "med_list_codg": DRUG,
         "begndate": "2026-01-01", "enddate": f"2026-0{n}-28"}
        for n in range(1, 8)
    ]
    assert send(till, "3301", {"data": rows}).ok
    asked = {"updt_time": "2020-01-01", "page_num": 1, "page_size": 3, "med_list_codg": DRUG, "medins_list_name": "名"}
    seen = []
    for page, size in ((1, 3), (2, 3), (3, 1)):
        reply = send(till, "1317", {"data": asked | {"page_num": page}}).output
        assert (reply["recordCounts"], reply["pages"], reply["size"]) == (7, 3, size)
        seen += [row["medins_list_codg"] for row in reply["data"]]
    assert seen == [f"PG{n}" for n in range(1, 8)]
    # PG4 ends on 28 April: that day belongs to it, the next does not.
    for day, codes in (("2026-04-28", seen[3:]), ("2026-04-29", seen[4:]), ("2025-12-31", [])):
        found = send(till, "1317", {"data": asked | {"page_size": 50, "query_date": day}}).output["data"]
        assert [row["medins_list_codg"] for row in found] == codes
    matched = {"updt_time": "2020-01-01", "page_num": 1, "page_size": 50, "insu_admdvs": "370300"}
    assert send(till, "1316", {"data": matched | {"medins_list_codg": "PG1"}}).output["data"] == []  # not approved
    own = send(till, "1317", {"data": {"updt_time": "2020-01-01", "page_num": 1, "page_size": 1, "medins_list_codg": "Y00001"}})
    code = own.output["data"][0]["med_list_codg"]
    found = send(till, "1316", {"data": matched | {"medins_list_codg": "Y00001"}}).output["data"]
    assert {row["med_list_codg"] for row in found} == {code}


@pytest.mark.parametrize(("infno", "criteria", "warned"), [
    ("1318", {"tabname": "elsewhere"}, False), ("1318", {"overlmt_dspo_way": "9"}, False),
    ("1319", {"tabname": "elsewhere"}, False),
    ("1318", {"rid": "x"}, True), ("1319", {"rid": "x"}, True),
])
def test_criteria_that_nothing_fits_and_those_that_cannot_be_asked(
    till: Till, infno: str, criteria: dict[str, str], warned: bool
) -> None:
    asked = {"updt_time": "2020-01-01", "page_num": 1, "page_size": 5, "insu_admdvs": "370300"} | criteria
    reply = send(till, infno, {"data": asked})
    assert reply.ok, reply.reason
    assert ("唯一记录号" in reply.warning) == warned
    assert bool(reply.output["data"]) == warned
