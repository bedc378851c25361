"""The law that benefit status asks again and again, remembered for the months already asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec

from yibao.kernel.refusal import Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import WaitingCase
from yibao.policy.reckoning.lookup import look_up
from yibao.policy.reckoning.reckon import reckon

Number = tuple[int, tuple[str, ...]]
"""A number of the law with the ids of the rows behind it; 0 and no row where the law says nothing."""


class Told(msgspec.Struct, frozen=True):
    """A word of the law with the rule behind it."""

    word: str
    rule: str


class Class(msgspec.Struct, frozen=True):
    """Whom the law is asked about."""

    admdvs: str
    insutype: str
    psn_type: str
    account_kind: str = "none"
    kind: str = ""
    identities: tuple[str, ...] = ()


_REACH_BACK = ("benefit_lag", "arrears_kept", "gap_allowed")
"""What also holds for months before the first row: dues of long ago are reckoned by the oldest law that is loaded."""


class BenefitLaw:
    """Answers numbers and words of the regions' law, each question once."""

    def __init__(self, policy_of: Callable[[str], RegionPolicy | Refusal]) -> None:
        self._policy_of = policy_of
        self._answers: dict[tuple[Class, str, date], tuple[Number, Told]] = {}
        self._first: dict[tuple[str, str, str], date] = {}

    def knows(self, admdvs: str) -> bool:
        """Say whether the law of a region is loaded."""
        return isinstance(self._policy_of(admdvs), RegionPolicy)

    def version(self, admdvs: str) -> str:
        """Return the version of a region's law, ``""`` where none is loaded."""
        policy = self._policy_of(admdvs)
        return policy.version if isinstance(policy, RegionPolicy) else ""

    def number(self, who: Class, key: str, on: date) -> Number:
        """Return a count (months, days) or a truth (1, 0) of the law."""
        return self._ask(who, key, on)[0]

    def word(self, who: Class, key: str, on: date) -> Told:
        """Return a word of the law, ``""`` where it says nothing."""
        return self._ask(who, key, on)[1]

    def wait(self, who: Class, case: WaitingCase) -> tuple[date | None, tuple[str, ...]]:
        """Return the first day of benefits after waiting, None where the law knows no waiting time."""
        policy = self._policy_of(who.admdvs)
        if isinstance(policy, Refusal):
            return None, ()
        reckoned = reckon(case, policy)
        if isinstance(reckoned, Refusal):
            return None, ()
        rules = tuple(dict.fromkeys(used.rule for step in reckoned.steps for used in step.used))
        return dict(reckoned.dates)["benefit_from"], rules

    def _ask(self, who: Class, key: str, on: date) -> tuple[Number, Told]:
        asked = (who, key, on)
        if asked not in self._answers:
            self._answers[asked] = self._look(who, key, on)
        return self._answers[asked]

    def _look(self, who: Class, key: str, on: date) -> tuple[Number, Told]:
        policy = self._policy_of(who.admdvs)
        if isinstance(policy, Refusal):
            return (0, ()), Told("", "")
        day = max(on, self._first_day(policy, key, who.insutype)) if key in _REACH_BACK else on
        lookup = look_up(
            WaitingCase(
                admdvs=who.admdvs, on=day, insutype=who.insutype,
                psn_type=who.psn_type, account_kind=who.account_kind, enrolment_kind=who.kind,
                identities=who.identities,
            ),
            policy,
        )
        row = None if isinstance(lookup, Refusal) else lookup.first(key)
        if row is None:
            return (0, ()), Told("", "")
        return (0 if row.absent else row.number, (row.used.rule,)), Told(row.word, row.used.rule)

    def _first_day(self, policy: RegionPolicy, key: str, insutype: str) -> date:
        asked = (policy.version, key, insutype)
        if asked not in self._first:
            days = [r.valid_from for r in policy.rows if r.key == key and r.allows("insutype", insutype)]
            self._first[asked] = min(days, default=date.min)
        return self._first[asked]
