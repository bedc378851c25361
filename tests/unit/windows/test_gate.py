"""The gate's judgement: stages to the instant, the most specific rule, one disposition of a bill, stages of reopening."""

from __future__ import annotations

import random

import msgspec
import pytest

from tests.unit.windows.plans import HEAD, RULES, SMALL, asked, at, plan_of
from yibao.domains.windows.gate import (
    WINDOW_STOPPED,
    judge,
    money_rule,
    place_of,
    position_of,
    rule_of,
    stage_of,
)
from yibao.domains.windows.matching import fitting
from yibao.domains.windows.model import NOT_OPENED, Asked, Openings, Plan, Rule, Selector, Track


def track_of(code: str = "care") -> Track:
    """Return a track of the small plan."""
    track = plan_of().track(code)
    assert track is not None
    return track


@pytest.mark.parametrize(("instant", "stage"), [
    ("2021-10-07 23:59:59", "normal"), ("2021-10-08 00:00", "last_call"), ("2021-10-09 17:59:59", "last_call"),
    ("2021-10-09 18:00", "drain"), ("2021-10-09 23:59:59", "drain"), ("2021-10-10 00:00", "frozen"),
    ("2021-10-18 23:59:59", "frozen"), ("2021-10-19 00:00", "restricted"), ("2021-10-20 07:59:59", "restricted"),
    ("2021-10-20 08:00", "normal"),
])
def test_a_stage_begins_at_its_instant(instant: str, stage: str) -> None:
    assert stage_of(track_of(), at(instant)) == stage


def test_a_track_without_restart_stays_frozen() -> None:
    assert stage_of(track_of("desk"), at("2029-01-01 00:00")) == "frozen"


@pytest.mark.parametrize(("begin", "end", "position"), [
    ("2021-10-05 09:00", "2021-10-09 23:59", "P1"), ("2021-10-05 09:00", None, "P2"),
    ("2021-10-05 09:00", "2021-10-10 00:00", "P3"), ("2021-10-05 09:00", "2021-10-18 23:59", "P3"),
    ("2021-10-05 09:00", "2021-10-19 00:00", "P4"), ("2021-10-10 00:00", "2021-10-12 00:00", "P5"),
    ("2021-10-12 09:00", "2021-10-19 00:00", "P6"), ("2021-10-12 09:00", None, "P6"),
    ("2021-10-19 00:00", "2021-10-21 00:00", ""), ("2021-10-19 00:00", None, ""),
])
def test_positions_at_home(begin: str, end: str | None, position: str) -> None:
    found = position_of(track_of(), begin=at(begin), end=at(end) if end else None, is_remote=False, is_filed=False)
    assert found == position


def test_who_can_leave_before_the_stop_is_asked_to_settle() -> None:
    found = position_of(track_of(), begin=at("2021-10-05 09:00"), end=None, is_remote=False, is_filed=False, can_end=True)
    assert found == "P1"


@pytest.mark.parametrize(("end", "filed", "position"), [
    ("2021-10-12 09:00", True, "P7"), ("2021-10-12 09:00", False, "P8"), ("2021-10-20 09:00", False, "P9"),
    (None, False, "P9"), ("2021-10-09 09:00", False, "P1"),
])
def test_positions_away_from_home(end: str | None, filed: bool, position: str) -> None:
    found = position_of(track_of(), begin=at("2021-10-08 09:00"), end=at(end) if end else None, is_remote=True, is_filed=filed)
    assert found == position


def test_the_refusal_says_what_until_when_what_to_do_and_whom_to_call() -> None:
    judged = judge(plan_of(), NOT_OPENED, asked("inpatient_settlement", "gateway"), at("2021-10-10 00:00"))
    assert judged.refusal is not None
    [fault] = judged.refusal.faults
    assert fault.code == WINDOW_STOPPED
    assert fault.reason == "住院费用结算因系统切换暂停办理，恢复时间：10月18日（星期一）24:00"
    assert fault.remedy == "请在恢复后办理；先挂账；医保：3120000"
    assert fault.basis == "small-2021 v1 S1"


@pytest.mark.parametrize(("business", "county", "phone"), [
    ("contribution", "", "12366"), ("enrolment", "", "3120000"), ("enrolment", "370303", "2860000"),
    ("contribution", "370303", "2860000"),
])
def test_the_telephone_is_that_of_business_and_county(business: str, county: str, phone: str) -> None:
    judged = judge(plan_of(), NOT_OPENED, asked(business, county=county), at("2021-10-06 00:00"))
    assert judged.refusal is not None
    assert judged.refusal.faults[0].remedy.endswith(phone)


def test_enrolment_may_be_frozen_while_settlement_is_open() -> None:
    instant = at("2021-10-06 00:00")
    assert judge(plan_of(), NOT_OPENED, asked("enrolment"), instant).refusal is not None
    assert judge(plan_of(), NOT_OPENED, asked("inpatient_settlement", "gateway"), instant).refusal is None


def test_while_a_track_drains_what_is_begun_is_finished_and_nothing_begins() -> None:
    instant = at("2021-10-09 18:00")
    assert judge(plan_of(), NOT_OPENED, asked("inpatient_settlement", "gateway"), instant).refusal is None
    begins = judge(plan_of(), NOT_OPENED, asked("inpatient_admission", "gateway"), instant)
    assert begins.refusal is not None
    assert begins.refusal.faults[0].reason.startswith("住院登记和费用上传即将停机")


def test_advice_is_given_in_the_last_call_only() -> None:
    ends = asked("outpatient_settlement", "gateway", position="P1")
    assert judge(plan_of(), NOT_OPENED, ends, at("2021-10-08 00:00")).advice == ("请在停机前结清",)
    assert judge(plan_of(), NOT_OPENED, ends, at("2021-10-07 23:59")).advice == ()


MORE = """
[[rule]]
id = "A1"
disposition = "{disposition}"
when.business = ["{business}"]
{more}
phase = ["frozen"]
says = "另有办法"
"""


def with_rule(disposition: str, business: str, more: str = "") -> Plan:
    """Return the small plan with one more rule."""
    return plan_of(SMALL + MORE.format(disposition=disposition, business=business, more=more))


@pytest.mark.parametrize("disposition", ["continue", "delegate", "refund_at_once"])
def test_some_dispositions_let_people_on_while_all_else_is_stopped(disposition: str) -> None:
    plan = with_rule(disposition, "injury_review", 'when.channel = ["gateway"]')
    instant = at("2021-10-10 00:00")
    assert judge(plan, NOT_OPENED, asked("injury_review", "gateway"), instant).refusal is None
    assert judge(plan, NOT_OPENED, asked("injury_review", "window"), instant).refusal is not None


@pytest.mark.parametrize("disposition", ["accept_register", "accept_effective_on_receipt", "pre_accept"])
def test_papers_are_taken_in_under_the_name_of_the_disposition(disposition: str) -> None:
    plan = with_rule(disposition, "transfer_in", 'when.channel = ["window"]')
    judged = judge(plan, NOT_OPENED, asked("transfer_in", "window"), at("2021-10-10 00:00"))
    assert (judged.refusal, judged.intake, judged.advice) == (None, disposition, ("另有办法",))


def test_a_query_is_answered_from_the_state_at_the_stop() -> None:
    plan = with_rule("continue", "query", 'when.channel = ["app"]\nterms.snapshot = true')
    judged = judge(plan, NOT_OPENED, asked("query", "app"), at("2021-10-10 00:00"))
    assert judged.refusal is None
    assert judged.snapshot_at == at("2021-10-05 18:00")
    assert plan.snapshot == ("query",)


def test_of_equally_specific_rules_the_later_dated_one_counts() -> None:
    older = MORE.format(disposition="continue", business="query", more='begin = "2021-10-05 18:00"')
    newer = MORE.replace("A1", "A2").format(disposition="suspend", business="query", more='begin = "2021-10-08 00:00"')
    plan = plan_of(SMALL + newer + older)
    assert judge(plan, NOT_OPENED, asked("query"), at("2021-10-07 00:00")).refusal is None
    assert judge(plan, NOT_OPENED, asked("query"), at("2021-10-08 00:00")).refusal is not None


def test_a_rule_ends_before_its_end() -> None:
    plan = with_rule("continue", "query", 'end = "2021-10-08 00:00"')
    assert judge(plan, NOT_OPENED, asked("query"), at("2021-10-07 23:59:59")).refusal is None
    assert judge(plan, NOT_OPENED, asked("query"), at("2021-10-08 00:00")).refusal is not None


def test_one_disposition_of_a_bill_whatever_the_hour() -> None:
    plan = plan_of()
    for position, rule in (("P1", "M3"), ("P3", "M2"), ("P5", "M2"), ("", None)):
        found = money_rule(plan, asked("inpatient_settlement", "gateway", position=position))
        assert (found.id if found else None) == rule


def test_a_rule_of_a_cause_counts_only_for_who_names_it() -> None:
    plan = plan_of(SMALL + MORE.format(
        disposition="deposit", business="inpatient_settlement", more='when.cause = ["contribution_in_transit"]'))
    with_cause = money_rule(plan, asked("inpatient_settlement", cause="contribution_in_transit"))
    assert with_cause is not None
    assert with_cause.id == "A1"
    assert money_rule(plan, asked("inpatient_settlement")) is None


def test_a_rule_may_name_amounts_and_urgency() -> None:
    plan = plan_of(SMALL + MORE.format(
        disposition="deposit", business="inpatient_settlement",
        more="when.urgent = true\nwhen.amount_from_fen = 100\nwhen.amount_to_fen = 200"))
    for urgent, amount, fits in ((True, 100, True), (True, 199, True), (True, 200, False), (True, 99, False),
                                 (False, 150, False), (True, None, False)):
        found = money_rule(plan, asked("inpatient_settlement", urgent=urgent, amount_fen=amount))
        assert bool(found and found.id == "A1") is fits, (urgent, amount)


@pytest.mark.parametrize(("care", "place"), [("", "local"), ("370303", "local"), ("370100", "province"), ("441300", "cross")])
def test_the_place_is_seen_from_home(care: str, place: str) -> None:
    assert place_of(asked("inpatient_settlement", care_admdvs=care)) == place


def test_a_rule_of_another_sort_holds_at_its_own_time() -> None:
    plan = plan_of()
    remote = asked("remote_inpatient", "gateway", position="P9")
    assert rule_of(plan, remote, "late_file") is not None
    assert rule_of(plan, remote, "late_file", at("2021-10-12 00:00")) is None
    assert rule_of(plan, remote, "late_file", at("2021-10-19 00:00")) is not None


CHANNEL = """
[[channel]]
code = "app"
title = "小程序"
track = "net"

[[track]]
code = "net"
title = "线上"
business = ["e_voucher"]
stop = "2021-10-08 00:00"
restart = "2021-10-25 08:00"
"""


def test_a_channel_on_its_own_track_stops_what_is_open_elsewhere() -> None:
    without = SMALL.replace('"online", "payment", "linked"]\nstop', '"online", "-e_voucher", "payment", "linked"]\nstop')
    plan = plan_of(without + CHANNEL)
    care = asked("remote_filing", "app")
    assert judge(plan, NOT_OPENED, care, at("2021-10-07 23:59")).refusal is None
    stopped = judge(plan, NOT_OPENED, care, at("2021-10-20 08:00"))
    assert stopped.refusal is not None
    assert "10月25日（星期一）08:00" in stopped.refusal.sentence()
    assert judge(plan, NOT_OPENED, asked("remote_filing", "window"), at("2021-10-20 08:00")).refusal is None


STAGES = """
[[stage]]
ordinal = 1
title = "首批医院"
business = ["settlement"]
institutions = ["H37030000001"]
opens = "2021-10-18 24:00"

[[stage]]
ordinal = 2
title = "其他医院"
business = ["settlement"]
institutions = ["hospital"]
error_rate = 50
"""


@pytest.mark.parametrize(("institution", "states", "is_open"), [
    ("H37030000001", {}, True), ("H37030000002", {}, False), ("H37030000002", {2: "open"}, True),
    ("H37030000001", {1: "stopped"}, False), ("H37030000001", {1: "stopped", 2: "open"}, True),
])
def test_a_reopening_in_stages(institution: str, states: dict[int, str], is_open: bool) -> None:
    plan = plan_of(HEAD + RULES + STAGES)
    request = asked("inpatient_settlement", "gateway", fixmedins_code=institution, institution="hospital")
    judged = judge(plan, Openings(states), request, at("2021-10-19 00:00"))
    assert (judged.refusal is None) is is_open
    if judged.refusal:
        assert judged.refusal.code == WINDOW_STOPPED
        assert "分批恢复" in judged.refusal.sentence()


def test_stages_end_with_the_restricted_time_unless_one_was_stopped() -> None:
    plan = plan_of(HEAD + RULES + STAGES)
    request = asked("inpatient_settlement", "gateway", fixmedins_code="H37030000002", institution="hospital")
    assert judge(plan, NOT_OPENED, request, at("2021-10-20 08:00")).refusal is None
    assert judge(plan, Openings({2: "stopped"}), request, at("2021-10-20 08:00")).refusal is not None


def test_no_plan_for_a_business_leaves_it_alone() -> None:
    plan = plan_of(SMALL.replace('"linked"]\nstop', '"-social_card", "linked", "-social_card"]\nstop'))
    judged = judge(plan, NOT_OPENED, asked("social_card"), at("2021-10-10 00:00"))
    assert judged == msgspec.structs.replace(judged, refusal=None, hits=(), advice=(), stage="normal")


FACTS: dict[str, tuple[str, ...]] = {
    "business": ("inpatient_settlement", "query", "transfer_in"), "channel": ("gateway", "app", "window"),
    "insutype": ("310", "390"), "institution": ("hospital", "pharmacy"), "position": ("P1", "P3"),
    "cause": ("contribution_in_transit",), "payer": ("unit", "person"), "place": ("local", "cross"),
}
PLACES = {"local": "370300", "cross": "441300", "": ""}


def test_the_layout_finds_what_looking_at_every_rule_finds() -> None:
    """Random rules and requests: the same rules in the same order as by trying each rule, written plainly."""
    seed = 20211010
    chance = random.Random(seed)
    for turn in range(300):
        written = []
        for number in range(12):
            named = {f: tuple(chance.sample(v, chance.randint(1, len(v)))) for f, v in FACTS.items() if chance.random() < 0.25}
            begin = at(f"2021-10-0{chance.randint(1, 3)} 00:00") if chance.random() < 0.3 else None
            written.append((number, named, begin))
        rules = tuple(Rule(id=str(n), disposition="suspend", when=Selector(**named), phase=("frozen",), says="", begin=begin)
                      for n, named, begin in written)
        plan = Plan(name="x", admdvs="370300", title="", version=1, published_by="", source="", tracks=(), rules=rules)
        for _ in range(10):
            told = {f: chance.choice((*v, "")) for f, v in FACTS.items()}
            place = told.pop("place")
            request = Asked(admdvs="370300", care_admdvs=PLACES[place], **told)
            told["place"] = place or "local"
            covers = [(len(named), begin.timestamp() if begin else 0.0, n) for n, named, begin in written
                      if all(told[f] in allowed for f, allowed in named.items())]
            expected = [str(n) for _, _, n in sorted(covers, reverse=True)]
            assert [r.id for r in fitting(plan, request)] == expected, f"seed {seed}, turn {turn}"
