"""Benefits of the employee insurance over time: month by month from the dues.

The due of month m gives benefits in month m + lag. A month that is paid before its benefits (and the months arrears are
kept) have run out is paid in time. Months that are not form a break: if it is no longer than the law allows, what is paid
back counts as if it had been paid in time; a longer one is not paid for, and a waiting time begins with the payment that
ends it. Money on its way counts from the day of payment. A month that a window kept from being paid counts as paid in time
when it is paid by the day of the plan, benefits go on until then, and such months make no break longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from yibao.policy.reckoning.benefit_facts import (
    EMPLOYEE,
    LUMP,
    MONTHLY,
    ONCE,
    REGULAR_KINDS,
    RETIRED_CLASS,
    Cover,
    LifeFacts,
    RelationFact,
    WaiverFact,
    first_day,
    month_of,
)
from yibao.policy.reckoning.benefit_law import BenefitLaw, Class, Number
from yibao.policy.reckoning.benefit_months import paid_months, resident_months, still_months
from yibao.policy.reckoning.benefit_periods import clip, opened, runs
from yibao.policy.reckoning.cases import WaitingCase

_ALWAYS = date.min
_BEYOND = 12
"""Months looked at after the last fact; what holds in the last of them holds on."""


def employee_cover(facts: LifeFacts, law: BenefitLaw) -> list[Cover]:
    """Return the employee benefits of a person as periods without a hole, the last one open; empty if never insured."""
    relations = sorted(
        (r for r in facts.relations if r.insutype == EMPLOYEE), key=lambda r: (r.insured_on, r.relation_id)
    )
    if not relations:
        return []
    return _Walk(facts, relations, law).walk()


class _Walk:
    """One way through the months of one person; ``last`` is the last month that counted as paid."""

    def __init__(self, facts: LifeFacts, relations: Sequence[RelationFact], law: BenefitLaw) -> None:
        self._law = law
        self._relations = relations
        self._bounds = [
            (month_of(r.insured_on), month_of(r.paused_on or date.max), r) for r in reversed(relations)
        ]
        self._owners: dict[int, RelationFact | None] = {}
        self._asked: dict[tuple[int, str], Number] = {}
        self._paid = paid_months(facts)
        self._lump = min(
            (d.paid_on for d in facts.dues if d.insutype == EMPLOYEE and d.kind == LUMP and d.paid_on), default=None
        )
        self._elsewhere = {m for a, b in facts.elsewhere for m in range(month_of(a), month_of(b))}
        self._known = [
            month_of(d.month) for d in facts.dues if d.insutype == EMPLOYEE and d.kind in REGULAR_KINDS
        ]
        self._loaded_until = min((m for m in self._known if m >= self._first_loaded()), default=None)
        self._bridged = resident_months(facts)
        self._waivers = [w for w in facts.waivers if w.insutype == EMPLOYEE]
        self._transits = {month_of(t.month): t for t in facts.transits if t.insutype == EMPLOYEE}
        self._still = still_months(facts)
        self._tails: list[Cover] = []  # of months that do not end as they began
        self._covers: dict[int, Cover] = {}
        self._count = 0
        self._last_own = -1  # the last month that was paid for here
        self._starts = 0  # no benefits in months before this one ...
        self._why: tuple[str, tuple[str, ...]] = ("not_yet_paid", ())  # ... for this reason

    def walk(self) -> list[Cover]:
        """Return the cover of all months, from the first day insured on."""
        first, end = self._span()
        has_paid = False
        month = first
        while month <= end:
            if not has_paid:
                has_paid = self._begin(month)
                month += 1
            elif self._in_time(month):
                self._count_paid(month)
                month += 1
            else:
                month = self._break(month, end)
        return self._periods()

    # ── facts of a month ──

    def _first_loaded(self) -> int:
        return min((month_of(r.insured_on) for r in self._relations if r.loaded_from), default=0)

    def _span(self) -> tuple[int, int]:
        days = [r.insured_on for r in self._relations] + [r.paused_on for r in self._relations if r.paused_on]
        days += [d for r in self._relations for d in (r.loaded_from, r.loaded_to) if d]
        months = [month_of(d) for d in days] + [*self._paid, *self._elsewhere, *self._known]
        months += [month_of(p) for p in self._paid.values()] + ([month_of(self._lump)] if self._lump else [])
        return min(months), max(months) + _BEYOND

    def _owner(self, month: int) -> RelationFact | None:
        """Return the relation that owes a month: insured in it and not paused in it."""
        if month not in self._owners:
            self._owners[month] = next((r for a, b, r in self._bounds if a <= month < b), None)
        return self._owners[month]

    def _payment(self, month: int) -> date | None:
        """Return when a month was paid for; months that are free of dues were always."""
        owner = self._owner(month)
        if owner is not None and (self._is_free(owner) or self._is_loaded(owner, month)):
            return _ALWAYS
        if month in self._paid:
            return self._paid[month]
        if owner is not None and owner.kind == ONCE and owner.psn_type.startswith(RETIRED_CLASS):
            return self._lump
        return _ALWAYS if month in self._elsewhere or (month in self._bridged and owner is None) else None

    def _is_free(self, owner: RelationFact) -> bool:
        """Say whether a relation owes nothing for its benefits: somebody retired with the years needed."""
        return (
            owner.psn_type.startswith(RETIRED_CLASS) and owner.kind not in (MONTHLY, ONCE) and owner.loaded_to is None
        )

    def _is_loaded(self, owner: RelationFact, month: int) -> bool:
        if owner.loaded_from is None:
            return False
        lag = self._number(month, "benefit_lag")
        if owner.loaded_to is not None and month >= month_of(owner.loaded_to) - lag:
            return False
        return self._loaded_until is None or month < self._loaded_until

    def _class(self, month: int) -> Class:
        r = self._owner(month)
        if r is None:
            begun = [x for x in self._relations if month_of(x.insured_on) <= month]
            r = begun[-1] if begun else self._relations[0]
        return Class(r.admdvs, EMPLOYEE, r.psn_type, r.account_kind, r.kind)

    def _number(self, month: int, key: str) -> int:
        return self._ask(month, key)[0]

    def _ask(self, month: int, key: str) -> Number:
        asked = (month, key)
        if asked not in self._asked:
            self._asked[asked] = self._law.number(self._class(month), key, first_day(month))
        return self._asked[asked]

    def _rules(self, month: int, *keys: str) -> tuple[str, ...]:
        found = [x for key in keys for x in self._ask(month, key)[1]]
        return tuple(dict.fromkeys(found))

    def _in_time(self, month: int) -> bool:
        paid_on = self._payment(month)
        if paid_on is None:
            return False
        return self._is_in_time_by_law(month, paid_on) or self._is_waived(month, paid_on)

    def _is_in_time_by_law(self, month: int, paid_on: date) -> bool:
        return paid_on < first_day(month + self._number(month, "benefit_lag") + self._number(month, "arrears_kept"))

    def _waiver(self, month: int) -> WaiverFact | None:
        """Return the promise of a window that a month costs nothing if it is paid by a day."""
        if not self._waivers:
            return None
        admdvs, day = self._class(month).admdvs, first_day(month)
        return next((w for w in self._waivers if w.covers(admdvs, day)), None)

    def _is_waived(self, month: int, paid_on: date) -> bool:
        waiver = self._waiver(month)
        return waiver is not None and paid_on <= waiver.pay_by

    # ── what a month comes to ──

    def _put(self, month: int, is_due: bool, reason: str, rules: tuple[str, ...]) -> None:
        begin = month + self._number(month, "benefit_lag")
        if is_due and begin < self._starts:
            is_due, (reason, rules) = False, self._why
        months = self._count if is_due else 0
        self._covers[begin] = Cover(first_day(begin), first_day(begin + 1), is_due, reason, rules, months)

    def _begin(self, month: int) -> bool:
        """Take a month before anything was paid; return whether it is the first paid one."""
        is_resident = self._owner(month) is None and month not in self._paid and month not in self._elsewhere
        if self._payment(month) is None or is_resident:
            is_owed = self._owner(month) is not None
            self._put(month, False, self._unpaid_word(month, "not_yet_paid") if is_owed else "not_insured",
                      self._rules(month, "benefit_lag"))
            return False
        self._count_paid(month)
        return True

    def _count_paid(self, month: int) -> None:
        owner = self._owner(month)
        if owner is None and month not in self._paid:
            # Paid elsewhere or as a resident: no gap, and the other region or insurance answers for its benefits.
            self._count += month in self._elsewhere
            word = "not_insured" if self._last_own >= 0 else "not_yet_paid"
            self._put(month, False, word, self._rules(month, "benefit_lag"))
            return
        if self._last_own != month - 1:
            self._start_again(month)
        is_loaded = owner is not None and owner.loaded_from is not None and month not in self._paid
        self._count = owner.loaded_months if owner is not None and is_loaded else self._count + 1
        self._last_own = month
        word = "paid"
        if owner is not None and (self._is_free(owner) or month not in self._paid):
            word = "loaded" if is_loaded else "retired"
        self._put(month, True, word, (*self._rules(month, "benefit_lag"), *self._waived_by(month)))

    def _waived_by(self, month: int) -> tuple[str, ...]:
        """Return the rule of a window without which a paid month would have been late."""
        paid_on, waiver = self._payment(month), self._waiver(month)
        if waiver is None or paid_on is None or self._is_in_time_by_law(month, paid_on):
            return ()
        return (waiver.rule,)

    def _unpaid_word(self, month: int, otherwise: str) -> str:
        owner = self._owner(month)
        return "lump_unpaid" if owner is not None and owner.kind == ONCE and month not in self._paid else otherwise

    def _break(self, start: int, end: int) -> int:
        """Take a break that begins with a month; return the first month after it."""
        after = next((m for m in range(start, end + 1) if self._in_time(m)), None)
        until = after
        if until is None:
            # What was paid back at the very end is a break of its own; what is open after it is another one.
            until = max((m for m in range(start, end + 1) if self._payment(m) is not None), default=end) + 1
        trailing = until
        while trailing > start and self._payment(trailing - 1) is not None:
            trailing -= 1
        length = until - start - self._free(start, until, trailing, after)
        is_short = length <= self._number(start, "gap_allowed")
        self._put_break(start, until, is_short=is_short)
        is_whole = trailing == start
        self._count = (self._count if is_whole and is_short else 0) + until - trailing
        if not is_short:
            self._wait(after, until, trailing, length)
        elif is_whole:
            self._last_own = until - 1
        return until

    def _free(self, start: int, until: int, trailing: int, after: int | None) -> int:
        """Return how many months of a break a window caused: they make it no longer."""
        ending = [*range(trailing, until), *([after] if after is not None else [])]
        paid_on = min((p for p in (self._payment(m) for m in ending) if p), default=None)
        if paid_on is None:
            return 0
        return sum(
            (self._class(m).admdvs, m) in self._still or self._is_waived(m, paid_on) for m in range(start, until)
        )

    def _put_break(self, start: int, until: int, *, is_short: bool) -> None:
        kept, is_kept, waived = self._number(start, "arrears_kept"), self._last_own == start - 1, 0
        for month in range(start, until):
            is_owed = self._owner(month) is not None
            is_paid = self._payment(month) is not None
            is_kept_by_law = is_kept and is_owed and month - start - waived < kept
            is_whole = self._put_waived(month, is_kept_by_law) if is_kept and is_owed and not is_paid else None
            if is_whole is not None:
                waived += is_whole
                continue
            is_kept = is_kept_by_law
            if is_paid and is_short and self._number(month, "gap_paid"):
                self._put(month, True, "back_paid", self._rules(month, "gap_allowed", "gap_paid"))
            elif is_kept:
                self._put(month, True, "arrears_kept", self._rules(month, "arrears_kept"))
            elif is_paid:
                self._put(month, False, "gap_not_paid", self._rules(month, "gap_allowed", "gap_paid"))
            elif is_owed and month in self._transits:
                transit = self._transits[month]
                self._put_until(month, False, "contribution_in_transit", (transit.rule,), transit.until_on)
            else:
                self._put(month, False, self._unpaid_word(month, "unpaid") if is_owed else "not_insured",
                          self._rules(month, "benefit_lag"))

    def _put_waived(self, month: int, is_kept_by_law: bool) -> bool | None:
        """Let benefits go on for an unpaid month of a window until the day to pay by, and where the law keeps it longer.

        Returns whether that is the whole month, None where no window says so.
        """
        waiver = self._waiver(month)
        if waiver is None or not waiver.keeps or waiver.pay_by < first_day(month + self._number(month, "benefit_lag")):
            return None
        return self._put_until(month, True, "window_waived", (waiver.rule,), waiver.pay_by, is_kept_by_law=is_kept_by_law)

    def _put_until(
        self, month: int, is_due: bool, reason: str, rules: tuple[str, ...], last: date, *, is_kept_by_law: bool = False
    ) -> bool:
        """Put a month's status that holds up to a day; what is left of the month is as the law has it. Returns if all is."""
        self._put(month, is_due, reason, rules)
        begin, end = (first_day(month + self._number(month, "benefit_lag") + n) for n in (0, 1))
        if last >= end - timedelta(days=1):
            return True
        word = "arrears_kept" if is_kept_by_law else self._unpaid_word(month, "unpaid")
        basis = self._rules(month, "arrears_kept" if is_kept_by_law else "benefit_lag")
        months = self._count if is_kept_by_law else 0
        self._tails.append(Cover(max(begin, last + timedelta(days=1)), end, is_kept_by_law, word, basis, months))
        return False

    def _wait(self, after: int | None, until: int, trailing: int, length: int) -> None:
        """Set from when benefits are due again: so many months after the payment that ended the break."""
        payments = [p for p in (self._payment(m) for m in range(trailing, until)) if p]
        ends = [max(payments)] if payments else []
        resumed = self._payment(after) if after is not None else None
        if resumed is not None:
            ends.append(resumed)
        days = [d for d in ends if d != _ALWAYS]
        if not days:
            return
        asked = self._class(after if after is not None else until - 1)
        paid_on = min(days)
        day, rules = self._law.wait(asked, WaitingCase(
            admdvs=asked.admdvs, on=paid_on, insutype=EMPLOYEE, psn_type=asked.psn_type,
            account_kind=asked.account_kind, enrolment_kind=asked.kind, gap_months=length,
        ))
        if day is not None and month_of(day) > month_of(paid_on):
            self._starts, self._why = month_of(day), ("waiting", rules)

    def _start_again(self, month: int) -> None:
        """Let benefits begin as those of somebody new: with the month after the payment."""
        paid_on = self._payment(month)
        if paid_on is None or paid_on == _ALWAYS:
            return
        paid_in = month if self._is_waived(month, paid_on) else max(month, month_of(paid_on))
        starts = paid_in + self._number(month, "benefit_lag")
        if starts > self._starts:
            self._starts, self._why = starts, ("not_yet_paid", self._rules(month, "benefit_lag"))

    def _periods(self) -> list[Cover]:
        begin_on = min(r.insured_on for r in self._relations)
        months = sorted(self._covers)
        rules = self._covers[months[0]].rules
        covers = [Cover(date.min, first_day(months[0]), False, "not_yet_paid", rules)]
        covers += [*runs(self._covers[m] for m in months), *self._tails]
        covers += [*self._loaded()]
        covers = clip(covers, begin_on)
        return opened(clip([*covers, *self._registered(covers)], begin_on))

    def _registered(self, covers: Sequence[Cover]) -> list[Cover]:
        """Return the days from a new registration to the first day of its own month's cover: insured, not yet entitled."""
        found = []
        for r in self._relations:
            for c, after in pairwise(covers):
                if c.reason == "not_insured" and c.begin_on <= r.insured_on < (c.end_on or date.max):
                    is_waiting = after.reason == "waiting"
                    rules = after.rules if is_waiting else self._rules(month_of(r.insured_on), "benefit_lag")
                    word = "waiting" if is_waiting else "not_yet_paid"
                    found.append(Cover(r.insured_on, c.end_on, False, word, rules))
        return found

    def _loaded(self) -> list[Cover]:
        """Return the exact days of what was loaded: they do not begin or end with months."""
        covers = []
        for r in self._relations:
            if r.loaded_from is None:
                continue
            lag = self._number(month_of(r.loaded_from), "benefit_lag")
            ends = [r.loaded_to] if r.loaded_to else []
            ends += [first_day(self._loaded_until + lag)] if self._loaded_until and not self._is_free(r) else []
            ends += [first_day(month_of(r.paused_on) + lag)] if r.paused_on and not r.loaded_to else []
            end = min(ends, default=None)
            if r.insured_on < r.loaded_from:
                covers.append(Cover(r.insured_on, r.loaded_from, False, "not_yet_paid"))
            if end is None or r.loaded_from < end:
                covers.append(Cover(r.loaded_from, end, True, "loaded", (), r.loaded_months))
        return covers
