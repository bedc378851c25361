"""The plans that come with the program: sound, complete against the notices, and nothing but data."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

from yibao.domains.windows.model import DISPOSITIONS, MONEY, POSITIONS, Plan
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.shipped import plan_names, plan_text
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.check_plan import check_plan, sound_plan

ROOT = Path(__file__).parents[3]
SEVEN = ("zibo-2021", "huizhou-2021", "shenzhen-2021", "lanzhou-2021", "bozhou-2021", "changsha-2021", "wuhan-2021")
NOTICES = {
    # SM3 of the notice's sentences put together without spaces, taken from the published page
    "zibo-2021": ("ZB", 36, "ba71c1b6b214e94523f17ed78c59572526358ec9e7d0987025004462e4cc0f04"),
    "huizhou-2021": ("HZ", 41, "f52c086573253167874f8a257ad864738d7e16f533cfb7b3708635d888dfdc2c"),
}
HOURS = {
    # stop of settlement in whole hours as published: e.g. Zibo 10-10 00:00 to 10-18 24:00 is 9 x 24
    "zibo-2021": 216, "huizhou-2021": 224, "shenzhen-2021": 56, "lanzhou-2021": 110, "bozhou-2021": 218,
    "changsha-2021": 278, "wuhan-2021": 221,
}


@cache
def plan_of(name: str) -> Plan:
    """Return a plan that comes with the program."""
    plan = read_plan(plan_text(name) or "")
    assert isinstance(plan, Plan), plan.sentence()
    return plan


@cache
def sentences_of(name: str) -> list[dict[str, str]]:
    """Return the table of a notice's sentences."""
    text = resources.files("yibao").joinpath("data", "plans", f"{name}.sentences.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def rows() -> Iterator[tuple[str, dict[str, str]]]:
    """Give every sentence with the name of its plan."""
    for name in NOTICES:
        for row in sentences_of(name):
            yield name, row


def test_the_seven_cities_are_there() -> None:
    assert set(SEVEN) <= set(plan_names())


@pytest.mark.parametrize("name", SEVEN)
def test_a_shipped_plan_is_sound_and_nothing_is_noted(name: str) -> None:
    checked = check_plan(plan_text(name) or "")
    assert not isinstance(checked, Refusal), checked.sentence()
    assert checked[1] == ()
    assert not isinstance(sound_plan(plan_text(name) or ""), Refusal)
    assert checked[0].name == name


@pytest.mark.parametrize("name", SEVEN)
def test_settlement_stops_as_long_as_the_notice_says(name: str) -> None:
    track = plan_of(name).track_of("inpatient_settlement")
    assert track is not None
    assert track.restart is not None
    assert (track.restart - track.stop).total_seconds() == HOURS[name] * 3600


def test_tracks_stop_and_restart_apart_where_the_notice_says_so() -> None:
    # Changsha: settlement comes back ten days before enrolment; Lanzhou: remote first, collection last
    changsha, lanzhou, wuhan = plan_of("changsha-2021"), plan_of("lanzhou-2021"), plan_of("wuhan-2021")
    care, desk = changsha.track_of("inpatient_settlement"), changsha.track_of("enrolment")
    restarts = [t.restart.date() for t in (care, desk) if t and t.restart]
    assert (restarts[1] - restarts[0]).days == 10
    order = [lanzhou.track_of(b) for b in ("remote_inpatient", "contribution", "enrolment")]
    assert [t.stop for t in order if t] == sorted(t.stop for t in order if t)
    assert wuhan.track_of("resident_enrolment") is not None
    assert all(t.restart is None for b in ("resident_enrolment", "enrolment") if (t := wuhan.track_of(b)))


def test_every_disposition_is_in_some_plan() -> None:
    assert len(DISPOSITIONS) == 26
    assert {r.disposition for name in SEVEN for r in plan_of(name).rules} == set(DISPOSITIONS)


def test_neighbours_answer_the_same_cell_differently() -> None:
    """A stay that ends inside the stop: at least four answers in seven cities, each by data only."""
    answers = {
        name: r.disposition for name in SEVEN for r in plan_of(name).rules
        if r.disposition in MONEY and "P3" in r.when.position and "inpatient_settlement" in r.when.business
        and not r.when.cause
    }
    assert len(answers) == len(SEVEN)
    assert len(set(answers.values())) >= 4, answers


@pytest.mark.parametrize("position", POSITIONS)
def test_every_position_is_answered_in_every_plan(position: str) -> None:
    for name in SEVEN:
        answered = [r.id for r in plan_of(name).rules if position in r.when.position]
        assert answered, f"{name} {position}"


@pytest.mark.parametrize("name", NOTICES)
def test_the_table_holds_the_notice_word_by_word(name: str) -> None:
    prefix, count, digest = NOTICES[name]
    table = sentences_of(name)
    assert [r["no"] for r in table] == [f"{prefix}-{n:02}" for n in range(1, count + 1)]
    assert hashlib.new("sm3", "".join(r["text"] for r in table).encode()).hexdigest() == digest


@pytest.mark.parametrize("name", NOTICES)
def test_what_the_table_names_is_in_the_plan(name: str) -> None:
    plan = plan_of(name)
    known = {r.id for r in plan.rules} | {f"hotline:{h.phone}" for h in plan.hotlines}
    known |= {f"register:{r.kind}" for r in plan.registers} | {f"channel:{c.code}" for c in plan.channels}
    known |= {f"track:{t.code}" for t in plan.tracks} | {"track:*", "systems", "title", "source", "published_by", "announced_on"}
    for row in sentences_of(name):
        if row["rules"] == "-":
            assert row["why"], f"{row['no']} has neither a rule nor a reason"
            continue
        assert set(row["rules"].split()) <= known, row
        assert row["tests"] != "-", row


@pytest.mark.parametrize("name", NOTICES)
def test_rules_and_table_name_each_other(name: str) -> None:
    by_table = {(row["no"], word) for row in sentences_of(name) for word in row["rules"].split()}
    by_rules = {(no, r.id) for r in plan_of(name).rules for no in r.sentence}
    ids = {r.id for r in plan_of(name).rules}
    assert {(no, word) for no, word in by_table if word in ids} == by_rules
    assert all(r.sentence for r in plan_of(name).rules)


@pytest.mark.parametrize("name", NOTICES)
def test_whoever_publishes_is_named_as_in_the_notice(name: str) -> None:
    said = {row["no"]: row["text"] for row in sentences_of(name)}
    plan = plan_of(name)
    if name == "huizhou-2021":
        assert plan.published_by == f"{said['HZ-39']}、{said['HZ-40']}"
        assert plan.announced_on == "2021-02-05"  # HZ-41
        assert said["HZ-41"] == "2021年2月5日"
        assert plan.source in said["HZ-01"]
    else:
        assert plan.source == said["ZB-01"].rstrip(":")


def test_the_tests_of_the_table_exist() -> None:
    for name, row in rows():
        for node in row["tests"].split() if row["tests"] != "-" else []:
            path, _, function = node.partition("::")
            file = ROOT / path
            assert file.is_file(), f"{name} {row['no']}: {path}"
            assert re.search(rf"^\s*(async )?def {re.escape(function)}\(", file.read_text("utf-8"), re.MULTILINE), node


def test_an_assumption_says_why() -> None:
    for name in SEVEN:
        for rule in plan_of(name).rules:
            assert rule.mark != "assumed" or rule.terms.get("assumed_why"), f"{name} {rule.id}"


def test_cities_are_data_only() -> None:
    """No plan's name, region or city stands in the program."""
    words = {plan_of(name).admdvs for name in SEVEN} | set(SEVEN)
    ours = [*(ROOT / "src" / "yibao" / "domains" / "windows").glob("*.py"),
            *(ROOT / "src" / "yibao" / "usecases" / "windows").glob("*.py")]
    assert len(ours) > 10
    code = {file.name: re.sub(r'"""[\s\S]*?"""|``[^`]*``', "", file.read_text("utf-8")) for file in ours}
    assert [(name, word) for name, text in code.items() for word in words if word in text] == []
