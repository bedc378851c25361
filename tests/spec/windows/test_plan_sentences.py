"""Each sentence of the two notices, read by hand into cases, against the plans: who is told what at which minute.

A case is written from the notice alone. ``open``, ``refused``, ``registered``, ``advised`` are what happens to a request;
a name of a disposition is what becomes of a bill, a deadline or a proof.
"""

from __future__ import annotations

import csv
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import pytest

from yibao.domains.windows.gate import judge, money_rule, rule_of
from yibao.domains.windows.model import DISPOSITIONS, MONEY, NOT_OPENED, Asked, Plan
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.shipped import plan_text
from yibao.domains.windows.terms import words_of
from yibao.domains.windows.words import hotline_of, read_instant

PLANS = {"ZB": "zibo-2021", "HZ": "huizhou-2021"}
IN_ZB, AFTER_ZB, BEFORE_ZB = "2021-10-13 10:00", "2021-10-19 00:00", "2021-10-09 23:59:59"
IN_HZ, AFTER_HZ, BEFORE_HZ = "2021-01-28 10:00", "2021-02-05 10:00", "2021-01-24 23:59:59"
TRANSIT = {"cause": "contribution_in_transit"}

Case = tuple[str, str, str, str, dict[str, Any], str]
"""Sentence, business, channel, instant, other facts, what happens."""


def zb(no: int, business: str, channel: str, outcome: str, at: str = IN_ZB, **facts: Any) -> Case:
    """Write a case of the first notice."""
    return f"ZB-{no:02}", business, channel, at, facts, outcome


def hz(no: int, business: str, channel: str, outcome: str, at: str = AFTER_HZ, **facts: Any) -> Case:
    """Write a case of the second notice."""
    return f"HZ-{no:02}", business, channel, at, facts, outcome


CASES: list[Case] = [
    zb(2, "inpatient_settlement", "gateway", "open", BEFORE_ZB), zb(2, "inpatient_settlement", "gateway", "refused"),
    zb(3, "manual_claim", "window", "refused"), zb(3, "chronic_filing", "window", "refused"),
    zb(3, "certificate", "window", "refused"), zb(3, "account_service", "window", "refused"),
    zb(3, "manual_claim", "window", "extend_deadline"),
    zb(6, "enrolment", "window", "open", BEFORE_ZB), zb(6, "enrolment", "window", "refused", "2021-10-10 00:00"),
    zb(6, "outpatient_settlement", "gateway", "open", BEFORE_ZB),
    zb(6, "outpatient_settlement", "gateway", "refused", "2021-10-10 00:00"),
    zb(7, "enrolment", "window", "refused", "2021-10-18 23:59:59"), zb(7, "enrolment", "window", "open", AFTER_ZB),
    zb(7, "outpatient_settlement", "gateway", "refused", "2021-10-18 23:59:59"),
    zb(7, "outpatient_settlement", "gateway", "open", AFTER_ZB),
    zb(9, "service_handling", "window", "refused"), zb(9, "entitlement_refresh", "batch", "refused"),
    zb(10, "inpatient_settlement", "gateway", "refused"), zb(10, "pharmacy_sale", "gateway", "refused"),
    zb(10, "outpatient_settlement", "gateway", "refused"), zb(10, "settlement_query", "gateway", "refused"),
    zb(11, "remote_inpatient", "gateway", "refused"), zb(11, "remote_account", "gateway", "refused"),
    zb(12, "online_hall", "app", "refused"), zb(12, "online_hall", "site", "refused"),
    zb(13, "e_voucher", "gateway", "refused"),
    zb(14, "data_exchange", "exchange", "refused"), zb(14, "settlement_list", "gateway", "refused"),
    zb(14, "benefit_payment", "batch", "refused"),
    *[zb(17, business, "window", "refused") for business in (
        "base_declaration", "enrolment", "change_info", "joiners_leavers", "query", "flexible_enrolment")],
    zb(17, "contribution", "tax", "refused"), zb(17, "account_crediting", "batch", "refused"),
    zb(17, "contribution", "tax", "waive_break"),
    *[zb(18, business, "town", "refused") for business in ("resident_enrolment", "resident_change", "resident_query")],
    zb(18, "resident_contribution", "tax", "refused"), zb(18, "resident_enrolment", "town", "open", AFTER_ZB),
    zb(19, "transfer_in", "window", "registered"), zb(19, "transfer_in", "window", "open", AFTER_ZB),
    zb(19, "transfer_in", "app", "refused"),
    zb(20, "transfer_out", "window", "refused"), zb(20, "transfer_out", "window", "open", AFTER_ZB),
    *[zb(22, business, "gateway", "pay_full_backfill", position=position) for business, position in (
        ("outpatient_settlement", "P5"), ("chronic_settlement", "P5"), ("inpatient_settlement", "P3"),
        ("inpatient_settlement", "P5"))],
    zb(22, "inpatient_settlement", "gateway", "hold_open", position="P4"),
    zb(22, "inpatient_settlement", "gateway", "hold_open", position="P6"),
    zb(24, "remote_filing", "window", "refused"), zb(24, "remote_inpatient", "gateway", "late_file", AFTER_ZB, position="P9"),
    zb(24, "remote_filing", "window", "open", AFTER_ZB),
    zb(25, "remote_inpatient", "gateway", "manual_reimburse", position="P7"),
    zb(25, "remote_inpatient", "gateway", "manual_reimburse", position="P8"),
    *[zb(27, business, channel, "refused") for business in ("query", "certificate", "transfer_in")
      for channel in ("site", "gov_site", "app")],
    zb(27, "query", "app", "open", AFTER_ZB),
    *[zb(29, business, "exchange", "refused") for business in ("hr_hall", "work_injury_network", "social_card")],
    zb(31, "inpatient_settlement", "gateway", "settle_before", "2021-10-08 10:00", position="P1"),
    hz(3, "inpatient_settlement", "gateway", "open", BEFORE_HZ), hz(3, "inpatient_settlement", "gateway", "refused", IN_HZ),
    hz(3, "enrolment", "window", "refused", "2021-02-03 07:59:59"), hz(3, "enrolment", "window", "open", "2021-02-03 08:00"),
    hz(3, "outpatient_settlement", "gateway", "pay_full_backfill", IN_HZ, position="P5"),
    hz(3, "inpatient_settlement", "gateway", "deposit", IN_HZ, position="P3"),
    hz(3, "remote_inpatient", "gateway", "manual_reimburse", IN_HZ, position="P8"),
    hz(4, "contribution", "tax", "waive_break", **TRANSIT), hz(6, "contribution", "tax", "waive_break", **TRANSIT),
    hz(8, "inpatient_settlement", "gateway", "deposit", **TRANSIT),
    hz(9, "remote_inpatient", "gateway", "manual_reimburse", care_admdvs="440100", **TRANSIT),
    hz(10, "outpatient_settlement", "gateway", "pay_full_backfill", **TRANSIT),
    hz(10, "chronic_settlement", "gateway", "pay_full_backfill", **TRANSIT),
    hz(11, "negotiated_drug", "gateway", "pay_full_backfill", **TRANSIT),
    hz(12, "negotiated_drug", "gateway", "institution_register", **TRANSIT),
    hz(13, "maternity_filing", "window", "refused", **TRANSIT), hz(13, "maternity_allowance", "app", "refused", **TRANSIT),
    hz(13, "maternity_filing", "window", "extend_deadline"), hz(13, "maternity_filing", "window", "open"),
    hz(14, "maternity_filing", "app", "open"), hz(17, "maternity_filing", "app", "open"),
    hz(18, "maternity_filing", "app", "open"),
    hz(20, "maternity_filing", "app", "refused", cause="registered_outside_province"),
    hz(20, "maternity_filing", "window", "open", cause="registered_outside_province"),
    hz(21, "maternity_filing", "app", "refused", cause="admitted_or_ended_before"),
    hz(21, "maternity_filing", "window", "open", cause="admitted_or_ended_before"),
    *[hz(no, "maternity_filing", "app", "continue") for no in (22, 23, 24, 25)],
    hz(27, "injury_review", "gateway", "open"), hz(27, "injury_review", "gateway", "open", "2021-01-25 00:00"),
    hz(27, "injury_review", "window", "refused"), hz(28, "injury_review", "gateway", "delegate"),
    hz(30, "resident_contribution", "pos", "refused", payer="household"),
    hz(30, "contribution", "pos", "refused", payer="unit"),
    hz(31, "resident_contribution", "app", "open", payer="household"),
    hz(31, "resident_contribution", "tax", "open", payer="household"),
    hz(32, "resident_contribution", "pos", "advised", payer="person"),
    hz(32, "flexible_contribution", "pos", "advised", payer="person"),
    hz(33, "resident_contribution", "app", "refused", cause="enrolled_today"),
    hz(33, "resident_contribution", "app", "refused", "2021-02-28 23:59:59", cause="enrolled_today"),
    hz(33, "resident_contribution", "app", "open", "2021-03-01 00:00", cause="enrolled_today"),
    hz(34, "resident_contribution", "app", "refused", "2021-02-07 23:59:59", cause="paid_before_not_now"),
    hz(34, "resident_contribution", "app", "open", "2021-02-08 00:00", cause="paid_before_not_now"),
    hz(35, "account_crediting", "batch", "refused"), hz(35, "back_payment", "window", "refused"),
    hz(35, "back_payment", "window", "refused", "2021-06-01 00:00"), hz(35, "certificate", "app", "refused"),
    hz(35, "certificate", "site", "refused"), hz(35, "certificate", "window", "open"),
]


@cache
def plan_of(name: str) -> Plan:
    """Return a plan that comes with the program."""
    plan = read_plan(plan_text(name) or "")
    assert isinstance(plan, Plan)
    return plan


def happens(plan: Plan, asked: Asked, at: datetime) -> str:
    """Return what happens to a request."""
    judged = judge(plan, NOT_OPENED, asked, at)
    if judged.refusal:
        return "refused"
    return "registered" if judged.intake else "advised" if judged.advice else "open"


@pytest.mark.parametrize(("sentence", "business", "channel", "at", "facts", "outcome"), CASES)
def test_the_plan_does_what_the_sentence_says(
    sentence: str, business: str, channel: str, at: str, facts: dict[str, Any], outcome: str,
) -> None:
    plan = plan_of(PLANS[sentence[:2]])
    instant = read_instant(at)
    assert instant is not None
    asked = Asked(business=business, admdvs=plan.admdvs, channel=channel, **facts)
    if outcome not in DISPOSITIONS:
        assert happens(plan, asked, instant) == outcome
        return
    rule = money_rule(plan, asked) if outcome in MONEY else rule_of(plan, asked, outcome)
    assert rule is not None
    assert rule.disposition == outcome
    assert sentence in rule.sentence or outcome == "waive_break", rule.id


def test_the_papers_of_a_transfer_are_the_two_of_the_notice() -> None:
    rule = plan_of("zibo-2021").rule("ZB-R03")
    assert rule is not None
    assert words_of(rule, "papers") == ("基本医疗保险参保凭证", "基本医疗保险转移类型变更信息表")
    assert rule.terms["register"] == "transfer_papers"


def test_the_papers_of_a_claim_are_the_three_of_the_notice() -> None:
    rule = plan_of("huizhou-2021").rule("HZ-R11")
    assert rule is not None
    assert words_of(rule, "papers") == ("原始发票", "费用清单", "住院资料")


def test_the_deposit_is_the_whole_cost() -> None:
    rule = plan_of("huizhou-2021").rule("HZ-R10")
    assert rule is not None
    assert rule.terms["share"] == 10_000  # 按医疗费用总额: ten-thousandths of the cost


def test_the_pharmacy_seals_its_receipts_and_keeps_a_monthly_book() -> None:
    rule = plan_of("huizhou-2021").rule("HZ-R14")
    assert rule is not None
    assert (rule.terms["seal"], rule.terms["monthly"], rule.terms["register"]) == (True, True, "negotiated_drug")


@pytest.mark.parametrize(("plan", "business", "phone"), [
    ("zibo-2021", "manual_claim", "3120000"), ("zibo-2021", "social_card", "12333"), ("zibo-2021", "contribution", "12366"),
    ("huizhou-2021", "online_hall", "12345"), ("huizhou-2021", "enrolment", "12333"),
])
def test_the_telephones_are_those_of_the_notice(plan: str, business: str, phone: str) -> None:
    line = hotline_of(plan_of(plan), business=business)
    assert line is not None
    assert line.phone == phone


def test_the_systems_are_those_of_the_notice() -> None:
    rows = resources.files("yibao").joinpath("data", "plans", "zibo-2021.sentences.csv").read_text("utf-8").splitlines()
    said = {r["no"]: r["text"] for r in csv.DictReader(rows)}
    systems = [said[f"ZB-{no:02}"].strip(";。").replace("(", "（").replace(")", "）").replace(",", "，") for no in range(9, 15)]
    assert list(plan_of("zibo-2021").systems) == systems
