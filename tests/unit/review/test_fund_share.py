"""What the funds bore of a charge that breaks a rule: calculated by hand beside each case."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.review.charges import at, charge
from yibao.domains.supervision.model import ACCEPTED, APPEALED, CLOSED, COLLEGIAL, DROPPED, UPHELD, Suspicion
from yibao.domains.supervision.rules import concluded, needs_second
from yibao.policy.review.facts import Broken, Charge
from yibao.usecases.supervision.gather_question import Line, days_of
from yibao.usecases.supervision.review_settlements import Purse


def line(yuan: float, *, in_scope: float) -> Line:
    return Line(charge("1", at(2), price=yuan), round(in_scope * 100))


def purse(*lines: Line, fund: float, left: float | None = None) -> Purse:
    scope = sum(x.scope_fen for x in lines)
    whole = round(fund * 100)
    return Purse(whole if left is None else round(left * 100), whole, scope, {x.charge.charge_id: x for x in lines})


def broken(charge: Charge, yuan: float | None) -> Broken:
    return Broken(charge, 10_000, None if yuan is None else round(yuan * 100))


def test_a_line_wholly_in_scope_bears_the_common_share() -> None:
    a, b = line(100, in_scope=100), line(300, in_scope=300)
    # funds 120 of 400 in scope = 30 %; of 100.00: 30.00
    assert purse(a, b, fund=120).take([broken(a.charge, 100)]) == (10_000, 3_000)


def test_of_a_line_partly_in_scope_only_that_part_counts() -> None:
    a, b = line(100, in_scope=80), line(320, in_scope=320)
    # of half the line 40.00 are in scope; funds 120 of 400 = 30 %: 12.00
    assert purse(a, b, fund=120).take([broken(a.charge, 50)]) == (5_000, 1_200)


def test_a_line_outside_the_catalogue_cost_the_funds_nothing() -> None:
    a, b = line(100, in_scope=0), line(400, in_scope=400)
    assert purse(a, b, fund=120).take([broken(a.charge, 100)]) == (10_000, 0)


def test_rounding_is_half_up() -> None:
    a, b = line(0.05, in_scope=0.05), line(0.05, in_scope=0.05)
    assert purse(a, b, fund=0.05).take([broken(a.charge, 0.05)]) == (5, 3)      # 2.5 fen


def test_two_rules_about_one_line_count_its_money_once() -> None:
    a, b = line(100, in_scope=100), line(300, in_scope=300)
    both = purse(a, b, fund=120)
    assert both.take([broken(a.charge, 70)]) == (7_000, 2_100)
    assert both.take([broken(a.charge, 70)]) == (3_000, 900)
    assert both.take([broken(a.charge, 70)]) == (0, 0)


def test_all_together_never_exceed_what_the_funds_paid() -> None:
    lines = [line(0.05, in_scope=0.05) for _ in range(4)]
    shared = purse(*lines, fund=0.10)                                            # each 2.5 fen, up to 3
    assert [shared.take([broken(x.charge, 0.05)])[1] for x in lines] == [3, 3, 3, 1]


def test_what_earlier_suspicions_hold_is_not_held_again() -> None:
    a = line(100, in_scope=100)
    assert purse(a, fund=30, left=10).take([broken(a.charge, 100)]) == (10_000, 1_000)


def test_an_unknown_amount_is_a_warning_without_money() -> None:
    a = line(100, in_scope=100)
    assert purse(a, fund=30).take([broken(a.charge, None)]) == (0, 0)


def test_where_nothing_is_in_scope_nothing_was_borne() -> None:
    a = line(100, in_scope=0)
    assert purse(a, fund=0).take([broken(a.charge, 100)]) == (10_000, 0)


@pytest.mark.parametrize(
    ("text", "days"), [("7", 7), (" 14 ", 14), ("7.0", 7), ("", 1), (None, 1), ("一周", 1), ("0", 1), ("-3", 1), ("9999", 366)]
)
def test_days_of_a_prescription_are_read_kindly(text: str | None, days: int) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize(
    ("state", "fen", "becomes"),
    [(APPEALED, 1, UPHELD), (APPEALED, 0, DROPPED), (ACCEPTED, 1, CLOSED), (ACCEPTED, 0, DROPPED), ("found", 1, CLOSED),
     (COLLEGIAL, 1, CLOSED), (COLLEGIAL, 0, CLOSED)],
)
def test_what_a_confirmed_decision_leads_to(state: str, fen: int, becomes: str) -> None:
    s = Suspicion("p", "s", "370300", "d", "H", "t", "m", "R06-1", "1", "因", "据", "", 100, 50, "[]", state)
    assert concluded(s, fen) == becomes
    assert needs_second(s)
    assert not needs_second(msgspec.structs.replace(s, fund_fen=0))
