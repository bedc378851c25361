"""The calculations made by hand are right in themselves and give what the stories promise."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.spec.stories.by_hand import PAGE, HandCalculation, sections, value_of
from tests.spec.stories.write_page import PAGE as STORIES_PAGE
from tests.spec.stories.write_page import page
from yibao.demo.stories import stories

TEXT = PAGE.read_text("utf-8")
BY_HAND = list(sections(TEXT))
STORIES = {s.key: s for s in stories()}


def test_at_least_twelve_stories_of_both_cities_and_schemes_are_calculated_by_hand() -> None:
    assert len({h.key for h in BY_HAND}) == len(BY_HAND) >= 12
    told = [STORIES[h.key] for h in BY_HAND]
    assert {(s.region, s.person.insutype) for s in told} == {
        (region, insutype) for region in ("370300", "441300") for insutype in ("310", "390")
    }
    assert not any(s.apart for s in told)


def test_every_equals_sign_of_the_page_is_checked() -> None:
    assert sum(len(h.equations) for h in BY_HAND) == len(re.findall(r" = \d", TEXT))


@pytest.mark.parametrize("by_hand", BY_HAND, ids=lambda h: h.key)
def test_every_equation_holds(by_hand: HandCalculation) -> None:
    wrong = [(left, right, value_of(left)) for left, right in by_hand.equations if value_of(left) != right]
    assert by_hand.equations
    assert not wrong


@pytest.mark.parametrize("by_hand", BY_HAND, ids=lambda h: h.key)
def test_the_result_is_what_the_story_promises(by_hand: HandCalculation) -> None:
    expected = STORIES[by_hand.key].expected
    assert {"medfee_sumamt", "inscp_scp_amt", "hifp_pay", "psn_part_amt", "acct_pay"} <= set(by_hand.results)
    assert by_hand.results == {name: expected[name] for name in by_hand.results}
    # What a section leaves out is nothing.
    for name in ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "psn_cash_pay", "balc"):
        assert name in by_hand.results or expected[name] == Decimal(0)


@pytest.mark.parametrize("by_hand", BY_HAND, ids=lambda h: h.key)
def test_the_result_is_the_outcome_of_an_equation(by_hand: HandCalculation) -> None:
    outcomes = {right for _, right in by_hand.equations}
    assert by_hand.results["medfee_sumamt"] in outcomes
    assert by_hand.results["psn_part_amt"] in outcomes
    assert by_hand.results["hifp_pay"] in outcomes


def test_the_page_of_stories_is_what_the_data_say() -> None:
    assert STORIES_PAGE.read_text("utf-8") == page()
