"""`yibao group FILE.csv`: MDC, ADRG, DRG and why, for every kind of row.

The expected groups of the single cases are read off the published tables by hand; the row of each table that
decides is named beside the case.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.twin.grouping_cases import COLUMNS, Row, draw_cases
from tests.twin.grouping_reader import PlainReader
from yibao.entrypoints.cli.main import app

EMPTY = dict.fromkeys(COLUMNS, "")
ADULT = EMPTY | {"case": "1", "gend": "1", "age": "50"}
BABY = EMPTY | {"case": "1", "gend": "1", "age": "0", "age_days": "5", "birth_weight_g": "3000"}


def write(path: Path, rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def group(path: Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["group", str(path), "--json"])
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def group_one(tmp_path: Path, **cells: str) -> dict[str, Any]:
    [answer] = group(write(tmp_path / "one.csv", [ADULT | cells]))["cases"]
    assert isinstance(answer, dict)
    return answer


@pytest.mark.slow
def test_every_case_equals_the_plain_reader_and_every_group_is_reached(tmp_path: Path) -> None:
    reader = PlainReader()
    rows = draw_cases(reader, seed=20260101, each=5, wild=1500)
    answers = group(write(tmp_path / "cases.csv", rows))["cases"]
    expected = [(row["case"], *reader.answer(row)) for row in rows]
    found = [(a["case"], a["mdc"], a["adrg"], a["drg"]) for a in answers]
    assert [pair for pair in zip(expected, found, strict=True) if pair[0] != pair[1]] == []
    reached = {drg for *_, drg in expected} - {"0000"}
    assert reached == {row["drg"] for row in reader.drgs}
    assert len(reached) == 628
    assert sum(answer["drg"] == "0000" for answer in answers) > 100
    assert all(answer["why"] for answer in answers)


@pytest.mark.parametrize(("cells", "mdc", "adrg", "drg"), [
    # adrg_dx GZ1,0,K22.301; E11.900 is CC of table 45, K11.901 CC of table 110; K22.301 names table 111
    ({"dx_codes": "K22.301|K11.901|E11.900", "op_codes": "96.0800x005"}, "MDCG", "GZ1", "GZ13"),
    # adrg_op AA1,0,37.5100 is tested before any diagnosis (MDCA, test_order 1)
    ({"dx_codes": "I50.900", "op_codes": "37.5100"}, "MDCA", "AA1", "AA19"),
    # not the first procedure: MDCA asks for the first one, FR2 follows from the diagnosis (adrg_dx FR2,0,I50.900)
    ({"dx_codes": "I50.900", "op_codes": "96.0800x005|37.5100"}, "MDCF", "FR2", "FR25"),
    # prostate cancer is MDCM for a man (MR1 lists C61.x00) …
    ({"dx_codes": "C61.x00"}, "MDCM", "MR1", "MR15"),
    # … and nowhere for a woman
    ({"dx_codes": "C61.x00", "gend": "2"}, "0000", "0000", "0000"),
    # trauma: S82.600 (leg) and S22.300 (chest) are two sites; ZZ1 asks for no operation
    ({"dx_codes": "S82.600|S22.300"}, "MDCZ", "ZZ1", "ZZ15"),
    # one site only: falls through to the leg's own category
    ({"dx_codes": "S82.600"}, "MDCI", "IS2", "IS29"),
    # HIV: B20.001 in mdc_dx MDCY; YC1 asks for a valid operation first
    ({"dx_codes": "B20.001"}, "MDCY", "YR1", "YR15"),
])
def test_known_cases(tmp_path: Path, cells: Row, mdc: str, adrg: str, drg: str) -> None:
    answer = group_one(tmp_path, **cells)
    assert (answer["mdc"], answer["adrg"], answer["drg"]) == (mdc, adrg, drg), answer["why"]


@pytest.mark.parametrize(("weight", "adrg"), [
    ("1499", "PS1"), ("1499.5", "PS1"), ("1500", "PS2"), ("1999", "PS2"), ("2000", "PS3"), ("2499", "PS3"), ("2500", "PS4"),
    ("", "PV1"), ("0", "PV1"), ("abc", "PV1"),
])
def test_birth_weight_decides_to_the_gram_and_a_blank_one_fits_no_weight(
    tmp_path: Path, weight: str, adrg: str
) -> None:
    answer = group_one(tmp_path, **BABY | {"birth_weight_g": weight, "dx_codes": "P07.300"})
    assert answer["adrg"] == adrg, answer["why"]
    assert any("体重未填" in sentence for sentence in answer["why"]) == (adrg == "PV1")


@pytest.mark.parametrize(("days", "adrg"), [("28", "PR1"), ("29", "PV1"), ("", "PV1")])
def test_a_newborn_is_at_most_28_days_old(tmp_path: Path, days: str, adrg: str) -> None:
    assert group_one(tmp_path, **BABY | {"age_days": days, "dx_codes": "P22.000"})["adrg"] == adrg


def test_a_complication_in_the_main_diagnosis_own_table_does_not_count(tmp_path: Path) -> None:
    # K22.100 is CC of table 111, which K22.301 names as its own; K11.901 is CC of table 110
    excluded = group_one(tmp_path, dx_codes="K22.301|K22.100")
    counted = group_one(tmp_path, dx_codes="K22.301|K22.100|K11.901")
    assert (excluded["drg"], counted["drg"]) == ("GZ15", "GZ13")
    assert any("K22.100" in sentence and "不计" in sentence for sentence in excluded["why"])
    assert any("K11.901" in sentence and "110" in sentence and "计入" in sentence for sentence in counted["why"])


@pytest.mark.parametrize("codes", ["k22.301|K11.901", "Ｋ２２.３０１|K11.901", " K22.301 |k11.901"])
def test_codes_are_read_whatever_the_case_of_their_letters(tmp_path: Path, codes: str) -> None:
    answer = group_one(tmp_path, dx_codes=codes)
    assert answer["drg"] == "GZ13"
    assert any("按编码表写作" in sentence for sentence in answer["why"])


def test_an_x_of_a_code_may_be_large(tmp_path: Path) -> None:
    plain, large = group_one(tmp_path, dx_codes="J96.900x001"), group_one(tmp_path, dx_codes="J96.900X001")
    assert plain["drg"] == large["drg"] == "ER35"


def test_an_old_code_is_replaced_by_the_code_map(tmp_path: Path) -> None:
    answer = group_one(tmp_path, dx_codes="A02.200x004+N16.0*")  # code_map: → A02.205+N16.0*
    assert any("A02.205+N16.0*" in sentence and "code_map" in sentence for sentence in answer["why"])
    assert answer["drg"] == group_one(tmp_path, dx_codes="A02.205+N16.0*")["drg"] != "0000"


def test_the_code_map_wins_over_a_code_of_the_scheme(tmp_path: Path) -> None:
    # J96.900 is a code of the scheme that no list names; the map says J96.900x001 (adrg_dx ER3)
    assert group_one(tmp_path, dx_codes="J96.900")["adrg"] == "ER3"


def test_an_unknown_first_procedure_keeps_its_place(tmp_path: Path) -> None:
    answer = group_one(tmp_path, dx_codes="I50.900", op_codes="12.ABCD|37.5100")
    assert answer["adrg"] == "FR2"
    assert any("12.ABCD" in sentence and "保留位置" in sentence for sentence in answer["why"])


@pytest.mark.parametrize(("cells", "state", "says"), [
    ({"dx_codes": ""}, "NO_MAIN_DIAGNOSIS", "没有主要诊断"),
    ({"dx_codes": "ZZZ99"}, "MAIN_DIAGNOSIS_UNKNOWN", "不在方案的编码表内"),
    ({"dx_codes": "A00.000"}, "MAIN_DIAGNOSIS_UNLISTED", "不在任何MDC的主诊表"),
    ({"dx_codes": "K80.100"}, "MAIN_DIAGNOSIS_UNLISTED", "可入组的编码有K80.100x001 胆囊结石伴胆囊炎、K80.101"),
    ({"dx_codes": "C61.x00", "gend": "2"}, "CONDITIONS_NOT_MET", "性别须为男"),
    ({"dx_codes": "C61.x00", "gend": ""}, "CONDITIONS_NOT_MET", "性别“”"),
    ({"dx_codes": "P22.000"}, "CONDITIONS_NOT_MET", "年龄须为0岁"),
    ({"dx_codes": "Z38.000x001"}, "NO_CORE_GROUP", "MDCO"),  # in mdc_dx MDCO, in no adrg_dx
])
def test_an_ungroupable_case_is_0000_and_says_why(tmp_path: Path, cells: Row, state: str, says: str) -> None:
    answer = group_one(tmp_path, **cells)
    assert (answer["drg"], answer["state"]) == ("0000", state)
    assert says in "".join(answer["why"])


def test_every_row_is_answered_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(
        "\ufeffCase , gend,age,age_days,birth_weight_g,dx_codes,op_codes,ward\n"
        "a,1,50,,,K22.301,,x\n\n"
        "b,1,50\n"
        "a,1,50.0,,,K22.301,,x,y,z\n", encoding="utf-8",
    )
    answers = group(path)["cases"]
    assert [(a["case"], a["drg"]) for a in answers] == [("a", "GZ15"), ("b", "0000"), ("a", "GZ15")]
    assert "列" in answers[1]["why"][0]
    assert "列" in answers[2]["why"][0]


def test_a_file_of_another_encoding_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes((",".join(COLUMNS) + "\n病例甲,男,50,,,,,K22.301,\n").encode("gb18030"))
    [answer] = group(path)["cases"]
    assert (answer["case"], answer["drg"]) == ("病例甲", "GZ15")


@pytest.mark.parametrize(("content", "code"), [
    (b"", "FILE_EMPTY"),
    (b"case,gend,age\n1,1,50\n", "COLUMN_MISSING"),
    ((",".join(COLUMNS) + ",age\n").encode(), "COLUMN_REPEATED"),
    (b"\xff\xfe\x00\xd8\xff", "FILE_NOT_TEXT"),
])
def test_a_file_that_is_none_is_refused_with_all_faults(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    result = CliRunner().invoke(app, ["group", str(path), "--json"])
    answer = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {fault["code"] for fault in answer["faults"]} == {code}
    if code == "COLUMN_MISSING":
        assert [f["field"] for f in answer["faults"]] == ["age_days", "birth_weight_g", "dx_codes", "op_codes"]


def test_a_file_that_is_not_there_is_a_usage_fault(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["group", str(tmp_path / "none.csv"), "--json"])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["kind"] == "file"


def test_for_people_each_case_stands_with_its_reasons(tmp_path: Path) -> None:
    path = write(tmp_path / "one.csv", [ADULT | {"dx_codes": "K22.301"}])
    result = CliRunner().invoke(app, ["group", str(path)])
    first, *reasons, last = result.stdout.splitlines()
    assert first == "1  MDCG  GZ1  GZ15  其他消化系统诊断，不伴并发症或合并症"
    assert "K22.301 食管破裂在adrg_dx表GZ1内" in reasons[1]
    assert last == "CHS-DRG 1.1：1 例，入组 1 例，未入组 0 例"
