"""What a kind of member owes for a month or a year: the law asked once for each distinct case.

A card is a due without its person. Parts that are paid with the month make one card; a part that the law fixes for a
year, or that nobody pays together with basic insurance, makes a card of its own insurance (410 care, 330 large amount);
what the state owes makes a card of kind ``subsidy``.
"""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.domains.contributions.rules import YEARLY_INSUTYPE
from yibao.kernel.business_time import age_on
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import DuesCase, Reckoned
from yibao.policy.reckoning.collection import is_taken_from_account
from yibao.policy.reckoning.dues import rate_names, yearly_names
from yibao.policy.reckoning.lookup import look_up
from yibao.policy.reckoning.reckon import reckon
from yibao.usecases.funds.fund_map import fund_of

EMPLOYEES, RESIDENTS = "310", "390"
_KEPT = 50_000
"""Distinct cases kept in memory at most."""
_NO_DUES = ("NO_RULE_FOR_CASE", "NO_LAW_FOR_DAY")
_SUBSIDY = "state.subsidy"
_BASIC = ("basic", "account")


class Card(msgspec.Struct, frozen=True):
    """A due without its person: amounts in fen, the fund of each part, and who is asked for it.

    Attributes:
        payer: ``payer`` (unit, person or household, whoever pays for the member), ``state`` or ``account``.
        yearly: owed once for a calendar year.
    """

    insutype: str
    kind: str
    payer: str
    yearly: bool
    base_fen: int
    parts: tuple[str, ...]
    amounts: tuple[int, ...]
    funds: tuple[str, ...]
    total_fen: int


class Member(msgspec.Struct, frozen=True, gc=False):
    """What the law may ask of a member; equal members owe the same."""

    psn_type: str
    account_kind: str
    enrolment_kind: str
    wage_fen: int | None
    identities: tuple[str, ...] = ()
    age: int = 0


class Deck:
    """The cards of one insurance and month (or year), for every kind of member that was met."""

    def __init__(self, policy: RegionPolicy, *, insutype: str, month: date, late: bool = False) -> None:
        """Make a deck; ``late``: the public subsidy is owed by the member too."""
        self.policy = policy
        self._insutype = insutype
        self._month = month
        self._late = late
        self._cards: dict[Member, tuple[Card, ...] | Refusal] = {}
        self._shapes: dict[Member, tuple[frozenset[str], frozenset[str]]] = {}
        law = policy.law_on(month)
        asked = {
            condition.dimension for key in ("dues_rate", "dues_fixed", "dues_floor", "dues_ceiling")
            for row in (law.reckoning.get(key, ()) if law else ()) for condition in row.conditions
        }
        self.asks_age = "age" in asked
        self.asks_identity = "identity" in asked

    def member(
        self, *, psn_type: str, account_kind: str, enrolment_kind: str, wage_fen: int | None, identities: tuple[str, ...] = (),
        birth_on: date | None = None,
    ) -> Member:
        """Return what of a person the law looks at; the rest is left out, so that the law is asked seldom."""
        return Member(
            psn_type, account_kind, enrolment_kind, wage_fen, identities if self.asks_identity else (),
            age_on(birth_on, self._month) if self.asks_age and birth_on is not None else 0,
        )

    def cards(self, member: Member) -> tuple[Card, ...] | Refusal:
        """Return what such a member owes; empty where the law asks nothing of a retired one."""
        found = self._cards.get(member)
        if found is None:
            if len(self._cards) >= _KEPT:
                self._cards.clear()
            found = self._cards[member] = self._reckon(member)
        return found

    def _reckon(self, member: Member) -> tuple[Card, ...] | Refusal:
        case = DuesCase(
            admdvs=self.policy.admdvs, on=self._month, insutype=self._insutype, psn_type=member.psn_type, age=member.age,
            identities=member.identities, account_kind=member.account_kind, enrolment_kind=member.enrolment_kind,
            wage=member.wage_fen,
        )
        shape = self._shape(member, case)
        if isinstance(shape, Refusal):
            return shape
        yearly, rated = shape
        answer = reckon(case, self.policy, trace=False)
        if isinstance(answer, Reckoned) and rated and all(name != "base" for name, _fen in answer.amounts):
            # What stands in for a base of one's own (an index) is told by the trace only.
            answer = reckon(case, self.policy)
        if isinstance(answer, Refusal):
            is_retired = self.policy.person_class(member.psn_type) == "retired"
            return () if is_retired and answer.code in _NO_DUES else answer
        named = [(name, fen) for name, fen in answer.amounts if "." in name and not name.startswith("base")]
        if self._late and all(name != _SUBSIDY for name, _fen in named):
            # A late payer owes it by law; an amount that nobody published is not guessed.
            return refuse("NO_LAW_FOR_DAY", f"{self.policy.name}未载入 {self._month.year} 年度的财政补助标准，逾期缴费无法核定",
                          field="on", received=self._month.isoformat(), remedy="请补充政策参数")
        return self._deal(member, named, yearly, _base_of(answer, rated))

    def _shape(self, member: Member, case: DuesCase) -> tuple[frozenset[str], frozenset[str]] | Refusal:
        """Return which dues are owed for a year and which are rates: the same for every wage of such a member."""
        kin = msgspec.structs.replace(member, wage_fen=None)
        found = self._shapes.get(kin)
        if found is None:
            lookup = look_up(case, self.policy)
            if isinstance(lookup, Refusal):
                return lookup
            found = self._shapes[kin] = (yearly_names(case, lookup), rate_names(case, lookup))
        return found

    def _deal(
        self, member: Member, named: list[tuple[str, int]], yearly: frozenset[str], base_fen: int
    ) -> tuple[Card, ...]:
        heaps: dict[tuple[str, str, str, bool], list[tuple[str, int]]] = {}
        has_basic = self._insutype == RESIDENTS or any(
            name.partition(".")[2] in _BASIC and name not in yearly for name, _fen in named
        )
        for name, fen in named:
            for heap, owed in self._heaps(member, name, is_yearly=name in yearly, has_basic=has_basic):
                heaps.setdefault(heap, []).append((owed, fen))
        return tuple(
            Card(
                insutype, kind, payer, is_yearly, base_fen if insutype == self._insutype else 0,
                tuple(n for n, _ in parts), tuple(f for _, f in parts),
                tuple(self._fund(member, insutype, n) for n, _ in parts), sum(f for _, f in parts),
            )
            for (insutype, kind, payer, is_yearly), parts in heaps.items()
        )

    def _heaps(
        self, member: Member, name: str, *, is_yearly: bool, has_basic: bool
    ) -> list[tuple[tuple[str, str, str, bool], str]]:
        payer, _, part = name.partition(".")
        insutype = self._insutype
        if insutype == EMPLOYEES and part in YEARLY_INSUTYPE and (is_yearly or not has_basic):
            insutype = YEARLY_INSUTYPE[part]
        yearly = is_yearly and insutype != RESIDENTS
        if payer == "state":
            heaps = [((insutype, "subsidy", "state", yearly), name)]
            # Who pays late owes the public share himself: the state does not pay it again.
            return [((RESIDENTS, "regular", "payer", False), f"person.{part}")] if self._late and part == "subsidy" else heaps
        from_account = insutype != RESIDENTS and is_taken_from_account(
            self.policy, self._month, insutype=self._insutype, part=part, account_kind=member.account_kind,
            person=self.policy.person_class(member.psn_type) or "",
        )
        return [((insutype, "regular", "account" if from_account else "payer", yearly), name)]

    def _fund(self, member: Member, insutype: str, name: str) -> str:
        payer, _, part = name.partition(".")
        asked = EMPLOYEES if insutype == "330" else insutype
        return fund_of(
            insutype=asked, payer=payer, part=part, account_kind=member.account_kind, enrolment_kind=member.enrolment_kind
        )


def _base_of(answer: Reckoned, rated: frozenset[str]) -> int:
    """Return the base a due rests on: the member's own, or the index that stands in for it; 0 for what is fixed."""
    for name, fen in answer.amounts:
        if name == "base":
            return fen
    if not rated:
        return 0
    return next((step.base for step in answer.steps if step.code == "dues" and step.amount < step.base), 0)
