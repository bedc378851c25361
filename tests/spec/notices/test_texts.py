"""The notice is made from the plan, and says what the gate does: every line is read back and held against the judge."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import pytest

from tests.support.window_city import at
from yibao.domains.windows.gate import WINDOW_STOPPED, judge
from yibao.domains.windows.model import NOT_OPENED, Asked, Judged, Openings, Plan
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.shipped import plan_names, plan_text
from yibao.domains.windows.tables import businesses
from yibao.usecases.notices.print_notice import print_notice
from yibao.usecases.notices.promises import Promise, promises
from yibao.usecases.notices.writing import long_text, phone_text

EVER, FAR = at("2019-01-01"), at("2032-01-01")
TICK = timedelta(milliseconds=1)
VIEWS = ("person", "employer", "institution")


def plan_of(name: str) -> Plan:
    """Return a plan that comes with the program."""
    plan = read_plan(plan_text(name) or "")
    assert isinstance(plan, Plan), plan
    return plan


def judged(plan: Plan, promise: Promise, instant: datetime) -> Judged:
    """Ask the gate what a promise is about."""
    asked = Asked(business=promise.business, admdvs=plan.admdvs, channel=promise.channel, **promise.facts)
    return judge(plan, NOT_OPENED, asked, instant)


def edges(promise: Promise) -> Iterator[datetime]:
    """Give the first and the last instant of a promise."""
    yield promise.begin or EVER
    yield (promise.end or FAR) - TICK


@pytest.mark.parametrize("name", plan_names())
def test_what_the_notice_promises_is_what_the_gate_does_to_the_millisecond(name: str) -> None:
    plan = plan_of(name)
    wrong, checked = [], 0
    for promise in promises(plan):
        for instant in edges(promise):
            answer = judged(plan, promise, instant)
            refused = answer.refusal is not None and answer.refusal.code == WINDOW_STOPPED
            held = {
                "refused": refused, "registered": not refused and bool(answer.intake),
                "advised": not refused and bool(answer.advice) and not answer.intake,
                "open": not refused and not answer.intake, "staged": True,
            }[promise.promise]
            checked += 1
            if not held:
                wrong.append(f"{promise.business}/{promise.channel}/{promise.facts} {instant}: {promise.promise}, {answer}")
    assert not wrong, "\n".join(wrong[:10])
    assert checked >= 2 * len({b for t in plan.tracks for b in t.business})


@pytest.mark.parametrize("name", plan_names())
def test_a_promise_follows_the_one_before_without_gap_or_overlap(name: str) -> None:
    plan = plan_of(name)
    lines: dict[tuple[str, str, str], list[Promise]] = {}
    for promise in promises(plan):
        lines.setdefault((promise.business, promise.channel, repr(promise.facts)), []).append(promise)
    assert {key[0] for key in lines} == {b for t in plan.tracks for b in t.business}
    for spans in lines.values():
        assert spans[0].begin is None
        assert spans[-1].end is None
        assert all(one.end == other.begin for one, other in itertools.pairwise(spans))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", plan_names())
def test_every_promise_stands_in_the_text_word_for_word(name: str, view: str) -> None:
    plan = plan_of(name)
    text = long_text(plan, view=view)
    assert {p.says for p in promises(plan)} <= {re.sub(r"^（\d+）", "", line) for line in text.split("\n")}
    for line in plan.hotlines:
        assert f"{line.title}：{line.phone}" in text


@pytest.mark.parametrize("name", plan_names())
def test_every_rule_is_told_to_somebody_in_its_own_words(name: str) -> None:
    plan = plan_of(name)
    texts = "".join(long_text(plan, view=view) for view in VIEWS)
    for rule in plan.rules:
        for says in (rule.says, rule.says_employer, rule.says_institution):
            assert says in texts, (rule.id, says)


def test_a_business_that_stops_is_named_in_the_line_of_its_stop() -> None:
    plan = plan_of("huizhou-2021")
    text = long_text(plan)
    # 个人账户划拨 and 补缴 have no restart: the line names the track that is all of them, and that it is to be announced.
    line = next(p.says for p in promises(plan) if p.business == "account_crediting" and p.promise == "refused")
    assert "另行通知" in line
    assert line in text
    track = plan.track_of("back_payment")
    assert track is not None
    assert track.title in line or businesses()["back_payment"].title in line


@pytest.mark.parametrize("name", plan_names())
def test_the_short_text_fits_a_phone_and_begins_with_what_to_do(name: str) -> None:
    plan = plan_of(name)
    text = phone_text(plan)
    assert len(text) <= 500
    first = text.split("】")[1]
    assert first.startswith("1.")
    # The first thing said is a rule that asks somebody to act, in its own words.
    acting = {r.says.rstrip("。") for r in plan.rules if r.disposition != "suspend"}
    assert first.removeprefix("1.").split("。")[0] in {a.split("。")[0] for a in acting}
    assert plan.hotlines[0].phone in text


def test_views_differ_where_the_plan_speaks_to_them() -> None:
    plan = plan_of("zibo-2021")
    of_institution = [r for r in plan.rules if r.says_institution]
    assert of_institution
    person, institution = long_text(plan, view="person"), long_text(plan, view="institution")
    for rule in of_institution:
        assert rule.says_institution in institution
        assert rule.says_institution not in person


def test_what_stages_open_is_promised_as_staged() -> None:
    text = (plan_text("zibo-2021") or "") + """
[[stage]]
ordinal = 1
title = "转移接续"
business = ["transfer_in"]
"""
    plan = read_plan(text)
    assert isinstance(plan, Plan)
    staged = [p for p in promises(plan) if p.promise == "staged"]
    assert {p.business for p in staged} == {"transfer_in"}
    promise = next(p for p in staged if not p.channel)
    assert (promise.begin, promise.end) == (at("2021-10-19"), None)
    assert "分批开放：职工医保关系转入" in promise.says
    assert "第1批：转移接续（职工医保关系转入），开放时间待公告。" in long_text(plan)
    asked = Asked(business="transfer_in", admdvs=plan.admdvs, channel="window")
    assert judge(plan, NOT_OPENED, asked, at("2021-10-19")).refusal is not None
    assert judge(plan, Openings({1: "open"}), asked, at("2021-10-19")).refusal is None


def test_an_amended_plan_says_which_version_it_replaces() -> None:
    plan = msgspec.structs.replace(plan_of("zibo-2021"), version=2, amends=1, reason="系统验收推迟")
    assert "（第2版，代替第1版。系统验收推迟。）" in long_text(plan)


def test_the_same_notice_is_printed_in_the_same_bytes() -> None:
    text = long_text(plan_of("zibo-2021"))
    page = print_notice(text)
    assert isinstance(page, bytes)
    assert page.startswith(b"%PDF")
    assert page == print_notice(text)


def test_a_promise_that_was_broken_is_noticed() -> None:
    plan = plan_of("zibo-2021")
    promise = next(p for p in promises(plan) if p.promise == "refused" and p.end is not None)
    assert promise.end is not None
    early = msgspec.structs.replace(plan, tracks=tuple(
        msgspec.structs.replace(t, restart=promise.end - timedelta(hours=1)) for t in plan.tracks))
    assert judged(early, promise, promise.end - TICK).refusal is None
