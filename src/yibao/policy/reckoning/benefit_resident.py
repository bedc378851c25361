"""Benefits of the resident insurance over time: year by year, from the dues of each benefit year.

Where a window moved the season or the limit for newborns, who pays by the moved day paid in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from yibao.kernel.deadline import FIXED, moved
from yibao.policy.reckoning.benefit_facts import (
    REGULAR_KINDS,
    RESIDENT,
    Cover,
    DueFact,
    LifeFacts,
    RelationFact,
    WaiverFact,
    first_day,
    month_of,
)
from yibao.policy.reckoning.benefit_law import BenefitLaw, Class
from yibao.policy.reckoning.benefit_periods import clip
from yibao.policy.reckoning.cases import WaitingCase

NEWBORN = "newborn"
"""Kind of enrolment of a child that was registered inside the window of the law."""


class _Start(msgspec.Struct, frozen=True):
    """From when a paid year gives benefits, why, and by which rules."""

    day: date
    reason: str
    rules: tuple[str, ...] = ()


def resident_cover(facts: LifeFacts, employee: Sequence[Cover], law: BenefitLaw) -> list[Cover]:
    """Return the resident benefits of a person as periods without a hole, the last one open; empty if never insured.

    Args:
        employee: the person's employee benefits: while they are due, resident ones are not, and years in which they
            were are no missed years.
    """
    relations = sorted(
        (r for r in facts.relations if r.insutype == RESIDENT), key=lambda r: (r.insured_on, r.relation_id)
    )
    return _Years(facts, relations, employee, law).covers() if relations else []


class _Years:
    """The benefit years of one person."""

    def __init__(
        self, facts: LifeFacts, relations: Sequence[RelationFact], employee: Sequence[Cover], law: BenefitLaw
    ) -> None:
        self._facts, self._relations, self._employee, self._law = facts, relations, employee, law
        dues = [d for d in facts.dues if d.insutype == RESIDENT and d.kind in REGULAR_KINDS]
        self._known = {d.month.year for d in dues}
        self._paid = _by_year(dues)
        self._carried = date.min  # a waiting time that reaches into the next year

    def covers(self) -> list[Cover]:
        """Return the periods of all years, the later word over the earlier one."""
        first = min(r.insured_on for r in self._relations)
        last = self._relations[-1]
        rules = self._season(last, self._years()[-1]).rules
        covers = [Cover(first, None, False, "resident_unpaid", rules)]
        years = [c for y in self._years() for c in self._year(y)]
        covers += years + self._insured() + self._loaded() + self._employed()
        begin = min([first, *(c.begin_on for c in years if c.is_due)])  # a newborn's first day is its birth
        return clip(covers, begin)

    def _years(self) -> range:
        years = [*self._known, *(r.insured_on.year for r in self._relations)]
        years += [r.paused_on.year for r in self._relations if r.paused_on]
        return range(min(years), max(years) + 2)

    def _insured(self) -> list[Cover]:
        """Return what holds without any payment: a relation that is paused, one begun for the year to come."""
        covers = []
        for r in self._relations:
            season = self._season(r, r.insured_on.year + 1)
            if r.insured_on.year not in self._known and season.day <= r.insured_on:
                end = date(r.insured_on.year + 1, 1, 1)
                covers.append(Cover(r.insured_on, end, False, "before_year", season.rules))
            after = self._next_begin(r)
            if r.paused_on is not None and r.paused_on != after:
                covers.append(Cover(r.paused_on, after, False, "not_insured", season.rules))
        return covers

    def _next_begin(self, relation: RelationFact) -> date | None:
        later = [r.insured_on for r in self._relations if r.insured_on > relation.insured_on]
        return min((d for d in later if relation.paused_on is None or d >= relation.paused_on), default=None)

    def _year(self, year: int) -> list[Cover]:
        """Return the periods of a benefit year that somebody paid for."""
        begin, end = date(year, 1, 1), date(year + 1, 1, 1)
        due = self._paid.get(year)
        owner = self._owner(year)
        if owner is None or due is None or due.paid_on is None:
            rules = self._law.word(self._class(owner), "resident_season", begin).rule if owner else ""
            if owner is None:
                return []
            unpaid = (Cover(a, b, False, "resident_unpaid", (rules,) if rules else ())
                      for a, b in self._spans(begin, end) if self._is_due_known(year))
            return [*unpaid, *self._windowed(year, owner)]
        if self._is_back(due):
            is_paid, rules_paid = self._law.number(self._class(owner), "gap_paid", due.paid_on)
            reason = "year_back_paid" if is_paid else "gap_not_paid"
            return [Cover(a, b, bool(is_paid), reason, rules_paid) for a, b in self._spans(begin, end)]
        start = self._start(year, due, owner)
        opening = max(start.day, self._carried if start.reason not in ("newborn", "identity_no_wait") else start.day)
        if start.reason in ("resident_late", "from_employee", "resident_season"):
            self._carried = max(self._carried, start.day)
        spans = self._spans(begin, end)
        if start.reason == "newborn" and self._facts.birth_on.year == year:
            spans = [(start.day, spans[-1][1] if spans else end)]
        covers = []
        for a, b in spans:
            if a < min(opening, b):
                is_waiting = start.reason in ("resident_late", "resident_season")
                season = self._season(owner, year).rules
                reason, rules_of = ("waiting", start.rules) if is_waiting else ("resident_unpaid", season)
                covers.append(Cover(a, min(opening, b), False, reason, rules_of))
            if max(a, opening) < b:
                day = max(a, opening)
                covers.append(Cover(day, b, True, start.reason, start.rules, self._months(year, day)))
        return covers

    def _windowed(self, year: int, owner: RelationFact) -> list[Cover]:
        """Return what a window makes of a year that is not paid: kept until the plan's day, or on its way."""
        covers = []
        begin, end = date(year, 1, 1), date(year + 1, 1, 1)
        transit = next((t for t in self._facts.transits if t.insutype == RESIDENT and t.month.year == year), None)
        if transit is not None:
            until = min(end, transit.until_on + timedelta(days=1))
            covers += [Cover(a, b, False, "contribution_in_transit", (transit.rule,)) for a, b in self._spans(begin, until)]
        waiver = self._waiver(year, owner)
        before = self._paid.get(year - 1)
        if waiver is not None and waiver.keeps and before is not None and not self._is_back(before):
            until = min(end, waiver.pay_by + timedelta(days=1)) if waiver.pay_by < end else end
            covers += [Cover(a, b, True, "window_waived", (waiver.rule,), 12) for a, b in self._spans(begin, until)]
        return covers

    def _waiver(self, year: int, owner: RelationFact) -> WaiverFact | None:
        """Return the promise of a window that fell into the season of a year."""
        if not self._facts.waivers:
            return None
        first, last = self._season(owner, year).day, self._season(owner, year, end=True).day
        return next((
            w for w in self._facts.waivers
            if w.insutype == RESIDENT and w.admdvs == owner.admdvs and w.first <= last and first < w.until
        ), None)

    def _paid_by(self, year: int, owner: RelationFact, season: _Start) -> _Start:
        """Return the last day of a year's season as windows have moved it, with their rules."""
        last = season
        if season.day == date.min:
            return last
        for s in self._facts.standstills:
            if s.clock == "season" and s.admdvs == owner.admdvs and s.year in (0, year):
                window = s.window
                if s.year == year and s.extension.way == FIXED:  # named for this year, whenever its season ended
                    window = msgspec.structs.replace(window, begin=min(window.begin, season.day))
                day = moved(season.day, s.extension, window, begun_on=self._season(owner, year).day)
                last = _Start(day, last.reason, (*season.rules, s.extension.rule)) if day > last.day else last
        waiver = self._waiver(year, owner)
        if waiver is not None and waiver.pay_by > last.day:
            last = _Start(waiver.pay_by, last.reason, (*season.rules, waiver.rule))
        return last

    def _is_due_known(self, year: int) -> bool:
        return year in self._known or year >= min(r.insured_on.year for r in self._relations)

    # ── when a year begins ──

    def _start(self, year: int, due: DueFact, owner: RelationFact) -> _Start:
        """Return from when a year gives benefits that was paid for before it ended."""
        assert due.paid_on is not None
        paid_on, begin = due.paid_on, date(year, 1, 1)
        newborn = self._newborn(year, paid_on, owner)
        if newborn is not None:
            return newborn
        season = self._season(owner, year, end=True)
        missed = self._missed(year)
        # Where the law knows no waiting time, what is paid in the year itself counts from the month after it (HZ-803).
        is_in_season = paid_on <= season.day and (
            paid_on < begin or bool(self._law.number(self._class(owner), "wait_fixed", begin)[1])
        )
        paid_by = self._paid_by(year, owner, season)
        is_in_season = is_in_season or season.day < paid_on <= paid_by.day
        if is_in_season and not missed:
            return _Start(begin, "resident_season", season.rules if paid_on <= season.day else paid_by.rules)
        identities = tuple(i.identity_type for i in self._facts.identities if i.holds(paid_on))
        is_free, rules = self._law.number(
            self._class(owner, identities), "identity_no_wait", max(paid_on, begin)
        )
        if is_free:
            return _Start(begin if is_in_season else max(begin, paid_on), "identity_no_wait", rules)
        gap = self._since_employee(paid_on)
        if gap is not None:
            allowed, rules = self._law.number(self._class(owner), "gap_allowed", max(paid_on, begin))
            if rules and gap <= allowed:
                return _Start(begin if is_in_season else max(begin, paid_on), "from_employee", rules)
        return self._late(year, paid_on, owner, missed)

    def _newborn(self, year: int, paid_on: date, owner: RelationFact) -> _Start | None:
        birth_on = self._facts.birth_on
        if year not in (birth_on.year, birth_on.year + 1):
            return None
        days, rules = self._law.number(self._class(owner), "newborn_window", max(paid_on, birth_on))
        # Who was enrolled as a newborn was so in time; the payment of the first year may take its days.
        limit = birth_on + timedelta(days=days)
        until, by = self._newborn_until(owner, limit)
        is_in_time = paid_on <= until or (owner.kind == NEWBORN and year == birth_on.year)
        if not days or not is_in_time:
            return None
        rules = rules if paid_on <= limit else (*rules, *by)
        return _Start(birth_on if year == birth_on.year else date(year, 1, 1), "newborn", rules)

    def _newborn_until(self, owner: RelationFact, limit: date) -> tuple[date, tuple[str, ...]]:
        """Return the last day for a newborn as windows have moved it, with their rules."""
        days = {
            s.extension.rule: moved(limit, s.extension, s.window, begun_on=self._facts.birth_on)
            for s in self._facts.standstills if s.clock == "newborn" and s.admdvs == owner.admdvs
        }
        last = max(days.values(), default=limit)
        return last, tuple(rule for rule, day in days.items() if day == last > limit)

    def _late(self, year: int, paid_on: date, owner: RelationFact, missed: Sequence[int]) -> _Start:
        """Return the first day after the waiting time; where the law knows none, the month after the payment."""
        begin = date(year, 1, 1)
        repairs = sorted(
            d.paid_on for d in (self._paid[y] for y in missed if y in self._paid) if d.paid_on and self._is_back(d)
        )
        found = []
        for count in range(len(repairs) + 1):
            day, rules = self._waited(year, paid_on, owner, missed=len(missed), repaired=count)
            if count and repairs[count - 1] > paid_on:
                day = max(day, first_day(month_of(repairs[count - 1]) + 1))
            found.append(_Start(max(day, begin), "resident_late", rules))
        return min(found, key=lambda s: s.day)

    def _waited(
        self, year: int, paid_on: date, owner: RelationFact, *, missed: int, repaired: int
    ) -> tuple[date, tuple[str, ...]]:
        begin = date(year, 1, 1)
        day, rules = self._law.wait(self._class(owner), WaitingCase(
            admdvs=owner.admdvs, on=max(paid_on, begin), insutype=RESIDENT, psn_type=owner.psn_type,
            enrolment_kind=owner.kind, years_missed=missed, paid_back_years=repaired, enrolled_on=paid_on,
        ))
        if day is not None:
            return day, rules
        lag, rules = self._law.number(self._class(owner), "benefit_lag", paid_on)
        return first_day(month_of(paid_on) + lag), rules

    # ── facts of a year ──

    def _missed(self, year: int) -> list[int]:
        """Return the years without any insurance since the last one with it; none for somebody never insured before."""
        covered = {y for y, d in self._paid.items() if not self._is_back(d)}
        for c in (*self._employee, *self._loaded()):
            if c.is_due:
                last = c.end_on - timedelta(days=1) if c.end_on else date(year, 1, 1)
                covered |= set(range(c.begin_on.year, last.year + 1))
        before = [y for y in covered if y < year]
        return list(range(max(before) + 1, year)) if before else []

    def _since_employee(self, paid_on: date) -> int | None:
        """Return how many months before a payment the employee benefits had ended (0 while they last), None if never due."""
        begun = [c for c in self._employee if c.is_due and c.begin_on <= paid_on]
        if not begun:
            return None
        end = begun[-1].end_on
        return 0 if end is None else max(month_of(paid_on) - month_of(end), 0)

    def _is_back(self, due: DueFact) -> bool:
        """Say whether a year was paid for when it was over: that repairs the waiting time and nothing else."""
        return due.paid_on is not None and due.paid_on >= date(due.month.year + 1, 1, 1)

    def _season(self, relation: RelationFact, year: int, *, end: bool = False) -> _Start:
        """Return the first (or the last) day of the season in which a year is paid for; a day no year has if none."""
        told = self._law.word(self._class(relation), "resident_season", date(year, 1, 1))
        if not told.word:
            return _Start(date.min if end else date.max, "resident_season")
        first, last = (tuple(map(int, part.split("-"))) for part in told.word.split("/"))
        opened = date(year - 1, *first)
        closed = date(year - 1 if last >= first else year, *last)
        return _Start(closed if end else opened, "resident_season", (told.rule,))

    def _owner(self, year: int) -> RelationFact | None:
        begin, end = date(year, 1, 1), date(year + 1, 1, 1)
        found = [r for r in self._relations if r.insured_on < end and (r.paused_on is None or r.paused_on > begin)]
        return found[-1] if found else None

    def _spans(self, begin: date, end: date) -> list[tuple[date, date]]:
        spans = []
        for r in self._relations:
            a, b = max(begin, r.insured_on), min(end, r.paused_on or end)
            if a < b:
                spans.append((a, b))
        return spans

    def _class(self, relation: RelationFact, identities: tuple[str, ...] = ()) -> Class:
        return Class(
            relation.admdvs, RESIDENT, relation.psn_type, relation.account_kind, relation.kind, identities
        )

    def _months(self, year: int, day: date) -> int:
        """Return the months of continuous insurance on a day: the paid years before this one, and its months so far."""
        earlier = 0
        while self._paid.get(year - earlier - 1) is not None and not self._is_back(self._paid[year - earlier - 1]):
            earlier += 1
        return 12 * earlier + day.month

    def _loaded(self) -> list[Cover]:
        """Return what was loaded, up to the first year for which a due is known."""
        covers = []
        for r in self._relations:
            if r.loaded_from is None:
                continue
            known = [y for y in self._known if y >= r.loaded_from.year]
            ends = [d for d in (r.loaded_to, r.paused_on) if d] + ([date(min(known), 1, 1)] if known else [])
            end = min(ends, default=None)
            if r.insured_on < r.loaded_from:
                covers.append(Cover(r.insured_on, r.loaded_from, False, "waiting"))
            if end is None or r.loaded_from < end:
                covers.append(Cover(r.loaded_from, end, True, "loaded", (), r.loaded_months))
        return covers

    def _employed(self) -> list[Cover]:
        return [
            Cover(c.begin_on, c.end_on, False, "covered_by_employee", c.rules) for c in self._employee if c.is_due
        ]


def _by_year(dues: Sequence[DueFact]) -> dict[int, DueFact]:
    """Return the paid due of each year, the one paid first."""
    paid: dict[int, DueFact] = {}
    for due in dues:
        if due.paid_on is None:
            continue
        known = paid.get(due.month.year)
        if known is None or known.paid_on is None or due.paid_on < known.paid_on:
            paid[due.month.year] = due
    return paid
