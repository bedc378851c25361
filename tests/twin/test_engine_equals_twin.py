"""The engine and the plain twin agree to the fen over generated lives: bills, years, reversals, accounts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from tests.twin.generated import PROOF_N, PROOF_SEED, Reversal, Visit, balances, lives, person
from tests.twin.settlement_twin import NotCovered, Twin, TwinPerson, TwinSettlement
from tests.twin.year_book import Kept, YearBook, head_amounts, opening
from yibao.kernel.money import fen_to_yuan
from yibao.kernel.refusal import Refusal

Life = list[Visit | Reversal]


class Both:
    """The same life told to the twin and to the engine."""

    def __init__(self, city: str, people: tuple[TwinPerson, TwinPerson], money: tuple[Decimal, Decimal]) -> None:
        self.twin = Twin(city)
        self.book = YearBook(city_policy(city))
        self.people = people
        for one, balance in zip(people, money, strict=True):
            self.twin.balances[one.psn_no] = balance
            self.book.balances[one.psn_no] = opening(balance)
        self.standing: list[int] = []

    def live(self, life: Life) -> None:
        """Live through every visit and reversal, comparing after each."""
        for event in life:
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


@pytest.mark.slow
@pytest.mark.parametrize("city", [ZIBO, HUIZHOU])
def test_engine_equals_twin_over_generated_lives(city: str) -> None:
    """Every head field, every line, every counter and every balance agree after every step."""
    lived = 0

    @seed(PROOF_SEED)
    @settings(max_examples=PROOF_N, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(people=st.tuples(person(0), person(1)), money=balances, life=lives)
    def compare(people: tuple[TwinPerson, TwinPerson], money: tuple[Decimal, Decimal], life: Life) -> None:
        nonlocal lived
        lived += 1
        Both(city, people, money).live(life)

    compare()
    print(f"{city}: {lived} lives compared, seed {PROOF_SEED}")
    assert lived >= PROOF_N
