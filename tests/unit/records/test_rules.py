"""The small judgements under the checks of settlement lists: ranges of codes, durations, days, ages."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from yibao.domains.records.check_care import duration_of
from yibao.domains.records.model import CodeRange
from yibao.domains.records.rules import age_in_days, is_before, said, said_duration, stay_days
from yibao.entrypoints.gateway.transactions.settlement_list_forms import read_list
from yibao.kernel.business_time import SHANGHAI
from yibao.usecases.records.tables import list_tables, recognition, uploads


@pytest.mark.parametrize(("code", "inside"), [
    ("C51.000", True), ("C58.x00", True), ("C50.900", False), ("C59.000", False), ("C51.000+M8000", True), ("D51.000", False),
])
def test_a_range_of_categories_holds_its_codes_and_no_others(code: str, inside: bool) -> None:
    assert CodeRange("female", "C51", "C58", "").holds(code) is inside


@pytest.mark.parametrize(("code", "inside"), [
    ("D07.000", True), ("D07.300x001", True), ("D07.400", False), ("D06.900", False),
])
def test_a_range_of_subcategories_holds_its_codes_and_no_others(code: str, inside: bool) -> None:
    assert CodeRange("female", "D07.0", "D07.3", "").holds(code) is inside


@pytest.mark.parametrize(("text", "said"), [
    ("0/3/30", timedelta(hours=3, minutes=30)), ("12/0/0", timedelta(days=12)), ("1/24/0", None), ("1/0/60", None),
    ("3", None), ("-1/0/0", None), ("", None),
])
def test_durations_are_days_hours_minutes(text: str, said: timedelta | None) -> None:
    assert duration_of(text) == said


def test_days_of_a_stay_and_of_a_life() -> None:
    assert stay_days(date(2026, 1, 30), date(2026, 2, 2)) == 3
    assert stay_days(date(2026, 1, 30), date(2026, 1, 30)) == 1, "in and out on one day"
    assert age_in_days(date(2026, 2, 27), date(2026, 3, 1)) == 2


def test_a_list_is_due_so_many_days_after_the_settlement() -> None:
    assert list_tables().due_on(date(2026, 2, 25)) == date(2026, 3, 7), "ten days"


def test_care_that_needs_a_list() -> None:
    tables = list_tables()
    assert (tables.care_of("14", is_stay=False), tables.care_of("11", is_stay=False)) == ("chronic", None)
    assert (tables.care_of("21", is_stay=True), tables.care_of("28", is_stay=True)) == ("stay", "day_surgery")


def test_reports_count_from_the_day_the_rule_begins() -> None:
    assert recognition().since("4501", date(2022, 2, 28)) is None
    assert recognition().since("4502", date(2026, 3, 31)) == date(2026, 3, 1)


def test_forms_of_one_kind_share_their_keys() -> None:
    assert uploads()["4402A"].kind == uploads()["4402"].kind == "4402"
    assert uploads()["4504"].key == (
        (("rpotc_no", "appy_no"), False), (("germ_code", "germ_name"), False), (("sstb_code", "sstb_name"), False))


@pytest.mark.parametrize(("text", "grams"), [("2500/2600", (2500, 2600)), ("2500，2610.4", (2500, 2610)), ("3000", (3000,))])
def test_weights_of_several_children_are_read_whatever_stands_between(text: str, grams: tuple[int, ...]) -> None:
    read = read_list({"setlinfo": {"mdtrt_id": "1", "setl_id": "2", "mul_nwb_bir_wt": text}})
    assert read.newborn.birth_weights_g == grams


def test_where_nobody_says_which_is_the_main_one_it_is_the_first() -> None:
    rows = [{"diag_type": "1", "diag_code": c, "diag_name": c} for c in ("A", "B")]
    read = read_list({"setlinfo": {"mdtrt_id": "1", "setl_id": "2"}, "diseinfo": rows,
                      "oprninfo": [{"oprn_oprt_code": "X"}, {"oprn_oprt_code": "Y"}]})
    assert [d.is_main for d in read.diagnoses] == [True, False]
    assert [p.is_main for p in read.procedures] == [True, False]


FIELDS = Path(__file__).parents[3] / "src/yibao/data/interface/fields"


def required_inputs(infno: str) -> set[str]:
    with (FIELDS / f"{infno}.csv").open(encoding="utf-8") as file:
        return {row["field"] for row in csv.DictReader(file) if row["side"] == "input" and row["required"] == "Y"}


@pytest.mark.parametrize("infno", uploads())
def test_a_record_needs_nothing_for_its_key_that_its_table_does_not_require(infno: str) -> None:
    upload = uploads()[infno]
    parts = upload.otherwise or upload.key
    assert [names for names, is_optional in parts if not is_optional and not required_inputs(infno) & set(names)] == []


@pytest.mark.parametrize(("text", "duration", "word"), [
    ("0/0/0", "", "0/0/0"), ("0", "", ""), ("-", "", ""), ("无", "", ""), ("0天0小时0分钟", "", "0天0小时0分钟"),
    ("0/0/10", "0/0/10", "0/0/10"), ("三天", "三天", "三天"), ("D001", "D001", "D001"), ("00", "", "00"),
])
def test_words_that_say_nothing(text: str, duration: str, word: str) -> None:
    assert (said_duration(text), said(text)) == (duration, word)


@pytest.mark.parametrize(("first", "second", "before"), [
    ((5, 8), (5, 9), True), ((5, 9), (5, 8), False), ((5, 0), (5, 9), False), ((5, 9), (5, 0), False), ((4, 9), (5, 0), True),
    ((5, 0), (6, 0), True),
])
def test_a_day_without_a_time_is_compared_as_a_day(first: tuple[int, int], second: tuple[int, int], before: bool) -> None:
    a, b = (datetime(2026, 1, day, hour, tzinfo=SHANGHAI) for day, hour in (first, second))
    assert is_before(a, b) is before
