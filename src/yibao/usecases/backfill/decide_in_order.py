"""Decide settlements again in the order of service, each on what the ones before it leave. Pure, nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from yibao.domains.settlements.model import Settlement
from yibao.kernel.refusal import Refusal
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.usecases.backfill.service_order import Standing
from yibao.usecases.resettlement.decide_again import DecidedAgain, case_of, difference, kept
from yibao.usecases.settlement.counters import law_counters, pregnancy_in
from yibao.usecases.settlement.shelf import PolicyShelf


class Purse(msgspec.Struct):
    """What the own account had for each settlement when it was settled, and what it has now. Fen."""

    before: dict[str, int]
    left: int
    spent: int = 0

    @classmethod
    def of(cls, counted: Sequence[Standing], balance: int) -> Purse:
        """Return the purse with what settlements, in the order counted, have drawn from the account put back."""
        before: dict[str, int] = {}
        drawn = 0
        for one in counted:
            before[one.settlement.setl_id] = drawn
            drawn += own_part(one.settlement)
        return cls(before, balance + drawn)

    def has_for(self, setl_id: str, balance_then: int) -> int:
        """Return what a settlement may draw: what the account had at its time, less what those before it draw now.

        Money that came in since is not touched: a settlement that is only put into its place draws no more than it could.
        """
        return max(min(balance_then + self.before[setl_id], self.left) - self.spent, 0)


def own_part(s: Settlement) -> int:
    """Return what a settlement draws from the person's own account."""
    return s.account_fen - s.shared_fen


def decide_in_order(
    order: Sequence[Standing], first: int, *, counted: Sequence[Standing], used: Mapping[str, int], balance: int,
    shelf: PolicyShelf,
) -> list[DecidedAgain]:
    """Decide everything from place ``first`` of ``order`` on again.

    Args:
        order: the year's settlements in force, in the order of service; ``counted`` the same in the order counted.
        used: the counters of the year and those that outlive it as they stand, by kept code.
        balance: of the own account, now.
    """
    again: list[DecidedAgain] = []
    counters = Counter(used)
    for one in order[first:]:
        counters.subtract(dict(zip(one.settlement.counter_codes, one.settlement.counter_deltas, strict=True)))
    moved = {one.settlement.setl_id for one in order[first:]}
    purse = Purse.of([one for one in counted if one.settlement.setl_id in moved], balance)
    stays = _Stays(order[:first])
    for one in order[first:]:
        found = _decided(one, counters=counters, purse=purse, admission=stays.number_of(one), shelf=shelf)
        again.append(found)
        if isinstance(found.decision, Decision):
            counters.update({kept(one.settlement, c.code): c.delta for c in found.decision.counters})
            purse.spent += found.decision.account_pay - found.decision.shared_pay
        stays.add(one)
    return again


class _Stays:
    """Which stay of the year a stay is: one more than those before it; a stay in parts keeps its number."""

    def __init__(self, before: Sequence[Standing]) -> None:
        self._counted: list[str] = []
        self._number: dict[str, int] = {}
        for one in before:
            self.add(one)

    def number_of(self, one: Standing) -> int | None:
        """Return the number of a stay, None for what is no stay."""
        if not one.is_stay:
            return None
        mdtrt_id = one.settlement.mdtrt_id
        others = sum(other != mdtrt_id for other in self._counted)
        return self._number.setdefault(mdtrt_id, others + 1)

    def add(self, one: Standing) -> None:
        """Count a stay; one of which nothing was in scope bore no deductible and makes no later one cheaper."""
        if not one.is_stay:
            return
        mdtrt_id = one.settlement.mdtrt_id
        self._number.setdefault(mdtrt_id, case_of(one.settlement).admission)
        if one.settlement.scope_fen > 0 and mdtrt_id not in self._counted:
            self._counted.append(mdtrt_id)


def _decided(
    one: Standing, *, counters: Mapping[str, int], purse: Purse, admission: int | None, shelf: PolicyShelf
) -> DecidedAgain:
    s, stored = one.settlement, case_of(one.settlement)
    seen = law_counters(sorted(counters.items()), stay=s.mdtrt_id, pregnancy=pregnancy_in(s.counter_codes))
    case = msgspec.structs.replace(
        stored, counters={code: used for code, used in seen.items() if used},
        account_balance=purse.has_for(s.setl_id, stored.account_balance),
        admission=stored.admission if admission is None else admission,
    )
    policy = shelf.of(case.admdvs)
    decision = policy if isinstance(policy, Refusal) else decide(case, policy, trace=False)
    told = None if isinstance(decision, Refusal) else difference(s, decision)
    return DecidedAgain(s, case, decision, False, told)
