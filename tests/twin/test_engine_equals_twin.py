"""The engine and the plain twin agree to the fen over generated lives: bills, years, reversals, accounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from tests.twin.generated import PROOF_N, PROOF_SEED, Life, Reversal, Visit
from tests.twin.generated import life as draw_life
from tests.twin.settlement_twin import NotCovered, Twin, TwinSettlement
from tests.twin.year_book import Kept, YearBook, head_amounts, opening
from yibao.kernel.money import fen_to_yuan
from yibao.kernel.refusal import Refusal


class Both:
    """The same life told to the twin and to the engine."""

    def __init__(self, city: str, life: Life) -> None:
        self.twin = Twin(city)
        self.book = YearBook(city_policy(city))
        self.people = life.people
        for one, balance in zip(life.people, life.money, strict=True):
            self.twin.balances[one.psn_no] = balance
            self.book.balances[one.psn_no] = opening(balance)
        self.standing: list[int] = []

    def live(self, events: list[Visit | Reversal]) -> None:
        """Live through every visit and reversal, comparing after each."""
        for event in events:
            if isinstance(event, Visit):
                self._visit(event)
            elif self.standing:
                ordinal = self.standing.pop(event.n % len(self.standing))
                self.twin.reverse(str(ordinal + 1))
                self.book.reverse(ordinal)
            self._compare_books()

    def _visit(self, visit: Visit) -> None:
        who = self.people[visit.who]
        more = {
            "use_account": visit.use_account,
            "med_type": visit.med_type,
            "disease": visit.disease,
            "institution_kind": visit.institution_kind,
            "children_hospital": visit.children_hospital,
        }
        expected: TwinSettlement | None
        try:
            expected = self.twin.settle(who, visit.level, visit.lines, visit.day, **more)  # type: ignore[arg-type]
        except NotCovered:
            expected = None
        found = self.book.settle(who, visit.level, visit.lines, visit.day, **more)  # type: ignore[arg-type]
        if expected is None:
            assert isinstance(found, Refusal), "the twin refuses, the engine does not"
            return
        assert isinstance(found, Kept), f"the twin settles, the engine refuses: {found}"
        self.standing.append(len(self.twin.settlements) - 1)
        balance = self.book.balances[who.psn_no]
        assert head_amounts(found.decision, balance) == expected.amounts
        assert found.decision.benefit == expected.benefit
        parts = [(fen_to_yuan(s.own), fen_to_yuan(s.over), fen_to_yuan(s.first_pay)) for s in found.splits]
        assert parts == [(x["own"], x["over"], x["first"]) for x in expected.lines]

    def _compare_books(self) -> None:
        for one in self.people:
            assert fen_to_yuan(self.book.balances[one.psn_no]) == self.twin.balances[one.psn_no]
            for year in range(2021, 2028):
                twin_used = {k: v for k, v in self.twin.counted(one, year).items() if v}
                ours = {
                    code: fen_to_yuan(used)
                    for (psn_no, when, insutype, code), used in self.book.counters.items()
                    if (psn_no, when, insutype) == (one.psn_no, year, one.insutype) and used
                }
                assert ours == twin_used


def first_difference(city: str, life: Life) -> str:
    """Live one life on both sides; return what differed first, "" if nothing did."""
    try:
        Both(city, life).live(life.events)
    except AssertionError as difference:
        return str(difference) or "differs"
    return ""


def shortened(city: str, life: Life) -> Life:
    """Leave out every event without which the two sides still differ, so that a failure can be read."""
    for position in reversed(range(len(life.events))):
        shorter = replace(life, events=life.events[:position] + life.events[position + 1 :])
        if first_difference(city, shorter):
            life = shorter
    return life


@pytest.mark.slow
@pytest.mark.parametrize("city", [ZIBO, HUIZHOU])
def test_engine_equals_twin_over_generated_lives(city: str) -> None:
    """Every head field, every line, every counter and every balance agree after every step."""
    print(f"{city}: {PROOF_N} lives, seed {PROOF_SEED}")
    for number in range(PROOF_N):
        one = draw_life(number)
        if first_difference(city, one):
            short = shortened(city, one)
            pytest.fail(
                f"life {number} of seed {PROOF_SEED} in {city}: {first_difference(city, short)}\n{short}"
            )
