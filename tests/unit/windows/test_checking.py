"""What the check finds: each fault is planted in a sound plan, and is found on its line with a proposal."""

from __future__ import annotations

import pytest

from tests.unit.windows.plans import HEAD, RULES, SMALL
from yibao.domains.windows.checking import NOTE
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.check_plan import check_plan, sound_plan

EXTRA = """
[[rule]]
id = "X1"
disposition = "{disposition}"
{when}
phase = {phase}
says = "多出来的规则"
{more}
"""


def extra(disposition: str, when: str, phase: str = '["frozen"]', more: str = "") -> str:
    """Return the small plan with one more rule."""
    return SMALL + EXTRA.format(disposition=disposition, when=when, phase=phase, more=more)


def found_in(text: str) -> list[tuple[str, int, str]]:
    """Return code, line and words of every finding."""
    checked = check_plan(text)
    assert not isinstance(checked, Refusal), checked.sentence()
    return [(f.code, f.line, f.says) for f in checked[1]]


def codes_of(text: str) -> set[str]:
    """Return the codes of all findings."""
    return {code for code, _, _ in found_in(text)}


def test_the_small_plan_is_sound() -> None:
    assert found_in(SMALL) == []
    assert not isinstance(sound_plan(SMALL), Refusal)


PLANTED = {
    "a restart before its stop": (
        SMALL.replace('restart = "2021-10-18 24:00"', 'restart = "2021-10-09 08:00"'), "RESTART_BEFORE_STOP"),
    "a last call after the stop": (
        SMALL.replace('last_call = "2021-10-08 00:00"', 'last_call = "2021-10-11 00:00"'), "LAST_CALL_TOO_LATE"),
    "draining before the last call": (
        SMALL.replace('drain = "2021-10-09 18:00"', 'drain = "2021-10-07 18:00"'), "DRAIN_OUT_OF_ORDER"),
    "normal before the restart": (
        SMALL.replace('normal = "2021-10-20 08:00"', 'normal = "2021-10-12 08:00"'), "NORMAL_BEFORE_RESTART"),
    "nothing said of a restart to come": (SMALL.replace('restart_says = "另行公告"\n', ""), "RESTART_NOT_SAID"),
    "a business on two tracks": (
        SMALL.replace('"payment", "linked"]\nstop', '"payment", "linked", "referral"]\nstop'), "OVERLAP"),
    "a business of which nothing is said": (
        SMALL.replace('"payment", "linked"]\nstop', '"payment"]\nstop'), "GAP"),
    "a wrong weekday": (
        SMALL.replace('stop = "2021-10-10 00:00"', 'stop = "2021-10-10 00:00"\nstop_says = "10月10日（星期一）00:00"'),
        "WRONG_WEEKDAY"),
    "another time than written": (
        SMALL.replace('stop = "2021-10-10 00:00"', 'stop = "2021-10-10 00:00"\nstop_says = "10月10日（星期日）08:00"'),
        "SAYS_ANOTHER_TIME"),
    "another day than written": (
        SMALL.replace('restart = "2021-10-18 24:00"', 'restart = "2021-10-18 24:00"\nrestart_says = "10月20日"'),
        "SAYS_ANOTHER_TIME"),
    "a region that does not exist": (SMALL.replace('admdvs = "370300"', 'admdvs = "990300"'), "UNKNOWN_REGION"),
    "a county of another city": (
        extra("suspend", 'when.business = ["query"]\nwhen.county = ["440303"]'), "UNKNOWN_REGION"),
    "a version that does not follow": (SMALL.replace("version = 1", "version = 1\namends = 1"), "VERSION_DOES_NOT_FOLLOW"),
    "an amendment without a reason": (SMALL.replace("version = 1", "version = 2\namends = 1"), "NO_REASON"),
    "no telephone": (SMALL.replace(HEAD[HEAD.index("\n[[hotline]]"):], "\n"), "NO_HOTLINE"),
    "a stop without a word": (SMALL.replace('"collection", "online", "payment", "linked"]\nphase',
                                            '"collection", "online", "payment"]\nphase'), "UNCOVERED"),
    "a bill without a disposition": (SMALL.replace('"P3", "P4", "P5", "P6"]', '"P3", "P4", "P6"]'), "UNCOVERED"),
    "two dispositions of one bill": (
        extra("deposit", 'when.business = ["inpatient_settlement"]\nwhen.position = ["P3"]', more="terms.share = 10000"),
        "CONFLICT"),
    "two answers to one request": (extra("continue", 'when.business = ["query"]'), "CONFLICT"),
    "a rule without a stage": (extra("suspend", 'when.business = ["query"]', phase="[]"), "NO_PHASE"),
    "a rule for a stage that never comes": (
        extra("suspend", 'when.business = ["query"]', phase='["drain"]'), "RULE_NEVER"),
    "a rule that ends before it begins": (
        extra("continue", 'when.business = ["query"]\nbegin = "2021-10-09 00:00"\nend = "2021-10-08 00:00"'), "RULE_NEVER"),
    "a channel that does not exist": (
        extra("continue", 'when.business = ["query"]\nwhen.channel = ["pigeon"]'), "UNKNOWN_CHANNEL"),
    "money where there is no bill": (
        extra("hold_open", 'when.business = ["enrolment"]', more='terms.settle_by = "2021-12-31"'), "MONEY_WITHOUT_BILL"),
    "an assumption without a reason": (extra("continue", 'when.business = ["query"]\nwhen.channel = ["app"]',
                                             more='mark = "assumed"'), "SAYS_NOTHING_WHY"),
    "papers without a register": (
        extra("accept_register", 'when.business = ["transfer_in"]\nwhen.channel = ["window"]'), "NO_REGISTER"),
    "a register that nobody keeps": (
        extra("accept_register", 'when.business = ["transfer_in"]\nwhen.channel = ["window"]',
              more='terms.register = "transfer_papers"'), "REGISTER_NOT_KEPT"),
    "papers of what is no application": (
        extra("accept_register", 'when.business = ["query"]\nwhen.channel = ["window"]',
              more='terms.register = "counter_intake"'), "NOTHING_TO_TAKE_IN"),
    "to settle before a last call of no length": (SMALL.replace('last_call = "2021-10-08 00:00"\n', ""), "CANNOT_BE_MET"),
    "to settle after the stop": (
        SMALL.replace('says = "请在停机前结清"', 'says = "请在停机前结清"\nterms.by = "2021-10-11 00:00"'), "CANNOT_BE_MET"),
    "to enter bills before the restart": (
        SMALL.replace('settle_by = "2021-12-31"', 'settle_by = "2021-10-15"'), "CANNOT_BE_MET"),
    "a deadline that ends before the restart": (
        extra("extend_deadline", 'when.business = ["remote_filing"]',
              more='terms.way = "fixed_date"\nterms.date = "2021-10-12"'), "CANNOT_BE_MET"),
    "a deadline to a date that is not named": (
        extra("extend_deadline", 'when.business = ["query"]', more='terms.way = "fixed_date"'), "CANNOT_BE_MET"),
    "months after a restart that is not known": (
        extra("extend_deadline", 'when.business = ["query"]', more='terms.way = "months"\nterms.months = 3'), "CANNOT_BE_MET"),
    "stock that ends before the stop": (
        extra("stock_up", 'when.business = ["chronic_settlement"]', phase='["last_call"]',
              more='terms.until = "2021-10-08"'), "CANNOT_BE_MET"),
    "claims that close before they open": (
        SMALL.replace('says = "垫付后手工报销"', 'says = "垫付后手工报销"\nterms.from = "2021-12-15"\nterms.to = "2021-12-01"'),
        "CANNOT_BE_MET"),
    "an advance after the stop": (
        extra("advance", 'when.business = ["account_crediting"]', phase='["normal"]', more='terms.by = "2021-10-06 00:00"'),
        "CANNOT_BE_MET"),
    "no other channel named": (extra("alternate_channel", 'when.business = ["query"]\nwhen.channel = ["app"]'), "NO_SUCCESSOR"),
    "the same channel named": (
        extra("alternate_channel", 'when.business = ["query"]\nwhen.channel = ["app"]', more='terms.channel = ["app"]'),
        "NO_SUCCESSOR"),
    "a channel retired for nothing": (
        extra("retire", 'when.business = ["query"]\nwhen.channel = ["hall"]'), "NO_SUCCESSOR"),
    "a closed office that takes papers": (
        extra("accept_register", 'when.business = ["transfer_in"]\nwhen.channel = ["app"]',
              more='terms.register = "transfer_papers"\n\n[[channel]]\ncode = "app"\ntitle = "小程序"\ntrack = "desk"'),
        "OFFICE_CLOSED"),
    "a channel on a track that does not exist": (
        SMALL + '\n[[channel]]\ncode = "app"\ntitle = "小程序"\ntrack = "net"\n', "UNKNOWN_TRACK"),
    "a stage before the restart": (
        SMALL + '\n[[stage]]\nordinal = 1\ntitle = "医院"\nbusiness = ["settlement"]\nopens = "2021-10-12 00:00"\n',
        "STAGE_BEFORE_RESTART"),
    "two stages of one number": (
        SMALL + '\n[[stage]]\nordinal = 1\ntitle = "甲"\nbusiness = ["settlement"]\n'
        '\n[[stage]]\nordinal = 1\ntitle = "乙"\nbusiness = ["remote"]\n', "STAGE_TWICE"),
    "a stage of nothing": (SMALL + '\n[[stage]]\nordinal = 1\ntitle = "甲"\nbusiness = []\n', "STAGE_OF_NOTHING"),
    "a bill without a limit": (SMALL.replace('says = "先挂账"\nterms.settle_by = "2021-12-31"', 'says = "先挂账"'), "NO_LIMIT"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found(planted: str) -> None:
    text, code = PLANTED[planted]
    assert text != SMALL, planted
    assert code in codes_of(text), found_in(text)


def test_every_finding_has_a_proposal_and_a_place() -> None:
    for planted, (text, code) in PLANTED.items():
        checked = check_plan(text)
        assert not isinstance(checked, Refusal)
        for finding in checked[1]:
            assert finding.proposal, planted
            assert finding.line > 0 or code == "NO_HOTLINE", planted


def test_a_finding_stands_on_its_line() -> None:
    text = SMALL.replace('restart = "2021-10-18 24:00"', 'restart = "2021-10-09 08:00"')
    line = next(n for n, words in enumerate(text.split("\n"), 1) if words == 'restart = "2021-10-09 08:00"')
    assert ("RESTART_BEFORE_STOP", line) in [(code, at) for code, at, _ in found_in(text)]


def test_an_uncovered_cell_names_business_channel_and_position() -> None:
    checked = check_plan(SMALL.replace('"P3", "P4", "P5", "P6"]', '"P3", "P4", "P6"]', 1))
    assert not isinstance(checked, Refusal)
    # pharmacies sell within the day: P1 and P5 only, so all four lose P5
    assert {f.cell for f in checked[1] if f.code == "UNCOVERED"} == {
        (business, "gateway", "P5")
        for business in ("outpatient_settlement", "chronic_settlement", "pharmacy_sale", "negotiated_drug")
    }


def test_a_cause_that_leaves_bills_without_an_answer() -> None:
    text = extra("deposit", 'when.business = ["inpatient_settlement"]\nwhen.cause = ["contribution_in_transit"]',
                 phase='["after"]', more="terms.share = 10000")
    checked = check_plan(text)
    assert not isinstance(checked, Refusal)
    # of the eight kinds of bill only the one is answered
    assert len([f for f in checked[1] if f.code == "UNCOVERED" and f.cell[2] == "contribution_in_transit"]) == 7


def test_more_specific_rules_do_not_conflict() -> None:
    text = extra("continue", 'when.business = ["query"]\nwhen.channel = ["app"]')
    assert codes_of(text) == set()


def test_rules_of_a_channel_and_of_a_business_do_not_conflict() -> None:
    text = extra("retire", 'when.channel = ["old_hall"]', phase='["frozen"]', more='terms.successor = "hall"') + (
        '\n[[channel]]\ncode = "old_hall"\ntitle = "旧大厅"\ntrack = "desk"\nis_ours = false\n')
    assert codes_of(text) == set()


def test_notes_do_not_keep_a_plan_from_being_published() -> None:
    text = PLANTED["a bill without a limit"][0]
    checked = check_plan(text)
    assert not isinstance(checked, Refusal)
    assert {f.level for f in checked[1]} == {NOTE}
    assert not isinstance(sound_plan(text), Refusal)


def test_a_plan_with_faults_is_refused_with_all_of_them() -> None:
    text = SMALL.replace('restart = "2021-10-18 24:00"', 'restart = "2021-10-09 08:00"').replace(
        'admdvs = "370300"', 'admdvs = "990300"')
    refusal = sound_plan(text)
    assert isinstance(refusal, Refusal)
    assert {"RESTART_BEFORE_STOP", "UNKNOWN_REGION"} <= {f.received for f in refusal.faults}
    assert all(f.remedy and f.field for f in refusal.faults)


def test_the_rules_stand_after_the_head() -> None:
    assert SMALL == HEAD + RULES
