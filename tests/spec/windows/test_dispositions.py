"""Each of the 26 dispositions is driven through a way in by a test; this is the table of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from yibao.domains.windows.model import DISPOSITIONS

ROOT = Path(__file__).parents[3]
DRIVEN = {
    # who may go on
    "suspend": "tests/spec/windows/test_gate_boundaries.py::test_the_api_is_locked_with_the_same_words",
    "continue": "tests/spec/windows/test_disposition_doors.py::test_continue_goes_on_while_all_else_is_stopped",
    "retire": "tests/spec/windows/test_disposition_doors.py::test_retire_ends_a_channel_for_good_and_names_its_successor",
    "alternate_channel":
        "tests/spec/windows/test_disposition_doors.py::test_alternate_channel_refuses_here_and_names_the_other_way",
    "delegate":
        "tests/spec/registers/test_institutions_decide.py"
        "::test_accidents_are_decided_by_hospitals_and_audited_until_the_agency_takes_it_back",
    "refund_at_once": "tests/spec/windows/test_disposition_papers.py::test_papers_and_money_of_the_stop",
    "accept_register": "tests/spec/windows/test_scenario_04_transfer_papers.py::test_papers_of_a_transfer_through_the_window",
    "accept_effective_on_receipt": "tests/spec/windows/test_disposition_papers.py::test_papers_and_money_of_the_stop",
    "pre_accept": "tests/spec/windows/test_disposition_papers.py::test_papers_and_money_of_the_stop",
    "defer_advice":
        "tests/spec/windows/test_disposition_doors.py::test_defer_advice_lets_people_on_and_asks_them_to_wait",
    # what becomes of a bill
    "settle_before":
        "tests/spec/windows/test_gate_messages.py"
        "::test_a_bill_that_the_notice_wants_settled_before_the_stop_is_settled_to_its_last_instant",
    "interim_settle": "tests/spec/episodes/test_ways.py::test_before_the_stop",
    "cancel_and_reregister": "tests/spec/episodes/test_ways.py::test_after_the_restart",
    "convert_self_pay": "tests/spec/episodes/test_ways.py::test_after_the_restart",
    "hold_open":
        "tests/spec/episodes/test_notes.py::test_a_stay_that_goes_on_is_held_open_and_its_rule_follows_its_end",
    "deposit": "tests/spec/episodes/test_ways.py::test_inside_the_stop",
    "pay_full_backfill":
        "tests/spec/windows/test_scenario_01_stay.py::test_a_stay_from_5_to_12_october_is_settled_on_the_20th",
    "capture_credential":
        "tests/spec/episodes/test_ways.py::test_a_stay_is_entered_without_the_patient_by_the_credential_that_was_kept",
    "manual_reimburse":
        "tests/spec/windows/test_scenario_03_claimed_by_hand.py::test_the_stay_is_claimed_by_hand_after_the_restart",
    # what comes in addition
    "late_file":
        "tests/spec/episodes/test_ways.py"
        "::test_care_away_from_home_is_filed_after_the_stop_while_the_person_is_still_there",
    "paper_proof":
        "tests/spec/registers/test_institutions_decide.py::test_a_referral_on_paper_becomes_a_filing_with_its_own_date",
    "institution_register": "tests/spec/windows/test_scenario_06_negotiated_drug.py::test_two_months_of_a_negotiated_drug",
    "stock_up": "tests/spec/episodes/test_ways.py::test_more_medicine_may_be_taken_until_the_day_the_plan_names",
    "extend_deadline":
        "tests/spec/deadlines/test_kept_promises.py"
        "::test_an_amendment_moves_again_from_the_laws_day_and_a_withdrawal_moves_back",
    "waive_break":
        "tests/spec/deadlines/test_kept_promises.py::test_a_month_of_the_window_paid_late_costs_no_surcharge",
    "advance":
        "tests/spec/deadlines/test_advance.py::test_a_month_to_come_is_credited_before_the_stop_where_the_plan_says_so",
}


def test_none_of_the_26_lacks() -> None:
    assert set(DRIVEN) == set(DISPOSITIONS)
    assert len(DRIVEN) == 26


@pytest.mark.parametrize("disposition", DRIVEN)
def test_its_test_is_there(disposition: str) -> None:
    path, _, function = DRIVEN[disposition].partition("::")
    file = ROOT / path
    assert file.is_file(), path
    text = file.read_text("utf-8")
    assert re.search(rf"^(async )?def {re.escape(function)}\(", text, re.MULTILINE), function
