"""Decide settlements anew by the law in force, one after the other, without reading or writing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.settlements.model import Settlement
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.usecases.settlement.counters import kept_code, law_counters, law_deltas, pregnancy_in
from yibao.usecases.settlement.shelf import PolicyShelf


class Difference(msgspec.Struct, frozen=True):
    """What a new settlement bears more (+) or less (-) than the old one, in fen.

    Attributes:
        funds: by fund_pay_type, only the funds that bear something else.
        fund_total: all funds together.
        account: own account; cash: paid at the till; deductible: charged as deductible.
    """

    funds: dict[str, int]
    fund_total: int
    account: int
    cash: int
    deductible: int

    def __add__(self, other: Difference) -> Difference:
        """Return both differences together."""
        funds = Counter(self.funds)
        funds.update(other.funds)
        return Difference(
            {fund: amount for fund, amount in sorted(funds.items()) if amount}, self.fund_total + other.fund_total,
            self.account + other.account, self.cash + other.cash, self.deductible + other.deductible,
        )


NO_DIFFERENCE = Difference({}, 0, 0, 0, 0)


class DecidedAgain(msgspec.Struct, frozen=True):
    """A settlement in force beside what the law in force makes of it.

    Attributes:
        settlement: as it was settled.
        case: its facts, with the counters and the account balance as they stand when it is settled again in order.
        decision: what the law in force says, or why it says nothing.
        by_law: the law itself decides it otherwise; else only counters and balance have moved.
        difference: None where the law refuses.
    """

    settlement: Settlement
    case: Case
    decision: Decision | Refusal
    by_law: bool
    difference: Difference | None

    @property
    def comes_out_differently(self) -> bool:
        """Say whether the settlement would not be what it is."""
        return self.by_law or not isinstance(self.decision, Decision) or _result(self.decision) != _held(self.settlement)


def decide_again(
    held: Sequence[Settlement], shelf: PolicyShelf, *, asked: Callable[[Settlement], bool] = lambda _: True
) -> tuple[DecidedAgain, ...]:
    """Decide again what a change of the law touches: the first settlement it decides otherwise and all after it.

    Args:
        held: the settlements in force of one person, benefit year and insurance, in the order they were counted.
        asked: which of them the law may be asked about; the others are only carried along.

    Returns:
        from the first settlement that comes out differently on, in the order of service; empty when none does.
        Each rests on the counters that the ones before it leave, and its account has the money it had then, more
        or less what the ones before it now take from it.
    """
    by_law = [asked(settlement) and differs_alone(settlement, shelf) for settlement in held]
    if True not in by_law:
        return ()
    first = by_law.index(True)
    counters: Counter[str] = Counter()
    for settlement in held[:first]:
        counters.update(_deltas(settlement))
    touched = sorted(zip(held[first:], by_law[first:], strict=True), key=lambda pair: service_order(pair[0]))
    saved = 0
    found = []
    for settlement, otherwise in touched:
        again = _decided(settlement, shelf, counters=counters, saved=saved, by_law=otherwise)
        found.append(again)
        if isinstance(again.decision, Decision):
            counters.update({kept(settlement, c.code): c.delta for c in again.decision.counters})
            saved += settlement.account_fen - again.decision.account_pay
        else:
            counters.update(_deltas(settlement))
    return tuple(found)


def service_order(settlement: Settlement) -> tuple[date, datetime, str]:
    """Return the place of a settlement in the order of service; on one day the one settled first comes first."""
    return settlement.service_on, settlement.settled_at, settlement.setl_id


def differs_alone(settlement: Settlement, shelf: PolicyShelf) -> bool:
    """Say whether the law in force decides the stored facts of a settlement otherwise, or refuses them."""
    policy = shelf.of(settlement.admdvs)
    if isinstance(policy, Refusal):
        return True
    if policy.version == settlement.policy_version:
        return False
    decision = decide(case_of(settlement), policy, trace=False)
    return isinstance(decision, Refusal) or _result(decision) != _held(settlement)


def case_of(settlement: Settlement) -> Case:
    """Return the facts on which a settlement was decided."""
    return msgspec.json.decode(settlement.facts, type=Case)


def _decided(
    settlement: Settlement, shelf: PolicyShelf, *, counters: Mapping[str, int], saved: int, by_law: bool
) -> DecidedAgain:
    stored = case_of(settlement)
    seen = law_counters(sorted(counters.items()), stay=settlement.mdtrt_id, pregnancy=pregnancy_in(settlement.counter_codes))
    case = msgspec.structs.replace(
        stored, counters={code: used for code, used in seen.items() if used},
        account_balance=max(stored.account_balance + saved, 0),
    )
    policy = shelf.of(case.admdvs)
    decision = policy if isinstance(policy, Refusal) else decide(case, policy, trace=False)
    told = None if isinstance(decision, Refusal) else difference(settlement, decision)
    return DecidedAgain(settlement, case, decision, by_law, told)


def kept(settlement: Settlement, code: str) -> str:
    """Return the code under which a counter of the law is kept for what a settlement settles."""
    return kept_code(code, stay=settlement.mdtrt_id, pregnancy=pregnancy_in(settlement.counter_codes))


def difference(settlement: Settlement, decision: Decision) -> Difference:
    funds = _funds(decision)
    funds.subtract(dict(zip(settlement.fund_types, settlement.fund_amounts, strict=True)))
    return Difference(
        {fund: amount for fund, amount in sorted(funds.items()) if amount},
        decision.fund_total - settlement.fund_fen, decision.account_pay - settlement.account_fen,
        decision.cash - settlement.cash_fen, decision.deductible - settlement.deductible_fen,
    )


def _funds(decision: Decision) -> Counter[str]:
    funds: Counter[str] = Counter()
    for share in decision.funds:
        funds[share.fund_pay_type] += share.amount
    return funds


def _deltas(settlement: Settlement) -> dict[str, int]:
    return dict(zip(settlement.counter_codes, settlement.counter_deltas, strict=True))


_Result = tuple[str, int, dict[str, int], tuple[int, ...], dict[str, int]]


def _result(d: Decision) -> _Result:
    """Return what makes two settlements the same: benefit, year, who bears what, and what the year has used up."""
    funds = {fund: amount for fund, amount in _funds(d).items() if amount}
    return (d.benefit, d.year, funds, (d.deductible, d.account_pay, d.cash),
            {c.code: c.delta for c in d.counters})


def _held(s: Settlement) -> _Result:
    funds: Counter[str] = Counter()
    for fund, amount in zip(s.fund_types, s.fund_amounts, strict=True):
        funds[fund] += amount
    used = {code: delta for code, delta in law_deltas(s.counter_codes, s.counter_deltas).items() if delta}
    return s.benefit, s.year, dict(funds), (s.deductible_fen, s.account_fen, s.cash_fen), used
