"""Answers what is no bill: pure, by the law of the day the case names."""

from __future__ import annotations

from datetime import date
from typing import assert_never

from yibao.kernel.refusal import Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.allowance import reckon_allowance
from yibao.policy.reckoning.cases import AllowanceCase, CreditCase, DuesCase, Question, Reckoned, WaitingCase
from yibao.policy.reckoning.credit import reckon_credit
from yibao.policy.reckoning.dues import reckon_dues
from yibao.policy.reckoning.lookup import Lookup, look_up
from yibao.policy.reckoning.trace import Journal
from yibao.policy.reckoning.waiting import reckon_waiting, starts_on

Amounts = tuple[tuple[str, int], ...]


def reckon(case: Question, policy: RegionPolicy, *, trace: bool = True) -> Reckoned | Refusal:
    """Reckon dues, an account credit, an allowance or a waiting time.

    Args:
        case: the question with every fact the law may ask for; amounts in fen.
        policy: the law of the insured region.
        trace: whether to say step by step how it came about; amounts do not depend on it.

    Returns:
        the amounts by name, or a refusal where no law is loaded for the day or no rule covers the case.
    """
    lookup = look_up(case, policy)
    if isinstance(lookup, Refusal):
        return lookup
    journal = Journal(trace)
    amounts = _amounts(case, lookup, journal)
    if isinstance(amounts, Refusal):
        return amounts
    return Reckoned(policy.version, amounts, journal.steps(), _dates(case, amounts, lookup))


def _amounts(case: Question, lookup: Lookup, journal: Journal) -> Amounts | Refusal:
    match case:
        case DuesCase():
            return reckon_dues(case, lookup, journal)
        case CreditCase():
            return reckon_credit(case, lookup, journal)
        case AllowanceCase():
            return reckon_allowance(case, lookup, journal)
        case WaitingCase():
            return reckon_waiting(case, lookup, journal)
        case _:
            assert_never(case)


def _dates(case: Question, amounts: Amounts, lookup: Lookup) -> tuple[tuple[str, date], ...]:
    if not isinstance(case, WaitingCase):
        return ()
    return (("benefit_from", starts_on(case, dict(amounts)["wait_months"], lookup)),)
