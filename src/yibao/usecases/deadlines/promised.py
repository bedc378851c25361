"""Read from a plan what it promises about time: one term for each promise of each rule. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from yibao.domains.deadlines.model import ADVANCE, CREDITING, EXTENSION, PAYING, TRANSIT, WAIVER, Term
from yibao.domains.windows.model import Plan, Rule, Track
from yibao.domains.windows.words import read_instant
from yibao.kernel.business_time import business_date
from yibao.kernel.deadline import CONDITION, FIXED, MONTHS, WINDOW, Window, days_lost, months_later

IN_TRANSIT = "contribution_in_transit"
_WAYS = {"": WINDOW, "window_length": WINDOW, "fixed_date": FIXED, "until": CONDITION, "months": MONTHS}
"""The ways of a plan's words, in ours."""
EVERYBODY = ("310", "390")
_CLOCKS = {
    "manual_claim": ("claim",), "transfer_in": ("transfer",), "transfer_out": ("transfer",), "maternity_filing": ("maternity",),
    "maternity_allowance": ("maternity",), "resident_contribution": ("season",), "resident_enrolment": ("newborn",),
    "enrolment": ("newborn",), "contribution": ("due", "gap"), "flexible_contribution": ("due", "gap"),
    "joiners_leavers": ("due", "gap"), "back_payment": ("due", "gap"), "injury_review": ("injury",),
    "certificate": ("certificate",),
    "pharmacy_sale": ("backfill",), "negotiated_drug": ("backfill",),
}
"""Which clocks a business is about, where a rule does not name them; a settlement is about its backfill, the rest is served."""
_PAYMENT = {"310": ("contribution", "flexible_contribution"), "390": ("resident_contribution",)}
_KEPT_MONTHS = 6
"""How many months after the restart dues are believed to be on their way, where the plan does not say."""


def promised(plan: Plan, *, now: datetime) -> list[Term]:
    """Return every promise of a plan about time, as it is known from ``now`` on.

    Rules without dates of their own take those of the track that stops their first business. A track whose restart is to
    be announced leaves the end open.
    """
    return [t for rule in plan.rules for t in _of_rule(plan, rule, now)]


def _of_rule(plan: Plan, rule: Rule, now: datetime) -> Iterator[Term]:
    if rule.disposition == "extend_deadline":
        yield from _extensions(plan, rule, now)
    elif rule.disposition == "waive_break":
        yield from _waivers(plan, rule, now)
    elif rule.disposition == "advance":
        yield from _advances(plan, rule, now)


def _extensions(plan: Plan, rule: Rule, now: datetime) -> Iterator[Term]:
    window = _window(plan, rule.when.business, rule)
    if window is None:
        return
    way = _WAYS[str(rule.terms.get("way", ""))]
    for clock in _texts(rule, "clocks") or _clocks(rule.when.business):
        yield _term(
            plan, rule, EXTENSION, clock, now, way=way, begin_on=window.begin, end_on=window.end, until_on=_day(rule, "date"),
            months=_count(rule, "months") if way == MONTHS else 0, year=_count(rule, "year"),
            condition=str(rule.terms.get("condition", "")),
        )


def _waivers(plan: Plan, rule: Rule, now: datetime) -> Iterator[Term]:
    for insutype in rule.when.insutype or EVERYBODY:
        track = _track(plan, rule.when.business or _PAYMENT[insutype])
        months = [_month(text) for text in _texts(rule, "months")]
        if not months and track is not None:
            months = _touched(days_lost(track.stop, track.restart), track)
        if not months:
            continue
        first, until = min(months), months_later(max(months), 1)
        is_of_transit = IN_TRANSIT in rule.when.cause
        yield _term(
            plan, rule, WAIVER, insutype, now, until_on=_pay_by(rule, track), first_month=first, until_month=until,
            is_wide=bool(rule.terms.get("keeps_benefits", not is_of_transit)),
        )
        if is_of_transit:
            yield _term(
                plan, rule, TRANSIT, insutype, now, until_on=_believed_until(rule, track), first_month=first,
                until_month=until, is_wide=bool(rule.terms.get("presumed", True)), from_at=track.stop if track else None,
            )


def _pay_by(rule: Rule, track: Track | None) -> date | None:
    """Return until when unpaid months cost nothing: as the rule says, else the month of the restart; None: not known yet."""
    restart = business_date(track.restart) if track is not None and track.restart is not None else None
    if (said := _day(rule, "pay_by")) is not None or restart is None:
        return said
    within = _count(rule, "within_months")
    return months_later(restart, within) if within else _end_of_month(restart)


def _believed_until(rule: Rule, track: Track | None) -> date | None:
    if (said := _day(rule, "until")) is not None or track is None or track.restart is None:
        return said
    return months_later(business_date(track.restart), _KEPT_MONTHS)


def _advances(plan: Plan, rule: Rule, now: datetime) -> Iterator[Term]:
    what = str(rule.terms.get("what", "")) or (CREDITING if CREDITING in rule.when.business else PAYING)
    track = _track(plan, rule.when.business or (what,))
    if track is None:
        return
    named = rule.terms.get("month")
    month = _month(named) if isinstance(named, str) else months_later(business_date(track.stop).replace(day=1), 1)
    yield _term(
        plan, rule, ADVANCE, what, now, first_month=month, until_month=months_later(month, 1),
        from_at=rule.begin or track.last_call, until_at=_instant(rule, "by") or rule.end or track.stop,
    )


def _term(plan: Plan, rule: Rule, kind: str, what: str, now: datetime, **more: object) -> Term:
    return Term(
        admdvs=plan.admdvs, plan=plan.name, version=plan.version, rule=rule.id, kind=kind, what=what,
        business=list(rule.when.business), says=rule.says, noted_at=now, **more,  # type: ignore[arg-type]
    )


def _clocks(businesses: Iterable[str]) -> list[str]:
    found: list[str] = []
    for business in businesses:
        clocks = _CLOCKS.get(business, ("backfill",) if business.endswith("_settlement") else ("application",))
        found += [c for c in clocks if c not in found]
    return found or ["application"]


def _track(plan: Plan, businesses: Iterable[str]) -> Track | None:
    wanted = list(businesses)
    return next((t for b in wanted for t in plan.tracks if b in t.business), None)


def _window(plan: Plan, businesses: Iterable[str], rule: Rule) -> Window | None:
    """Return the days lost: by the rule's own times, else by the track of its business, else by all tracks together."""
    if rule.begin is not None:
        return days_lost(rule.begin, rule.end)
    track = _track(plan, businesses)
    if track is not None:
        return days_lost(track.stop, track.restart)
    if not plan.tracks:
        return None
    ends = [t.restart for t in plan.tracks]
    return days_lost(min(t.stop for t in plan.tracks), None if None in ends else max(e for e in ends if e is not None))


def _touched(window: Window, track: Track) -> list[date]:
    """Return the months that the days lost lie in; only the first where nobody knows how many there will be."""
    first = business_date(track.stop).replace(day=1)
    if window.end is None:
        return [first]
    months = [first]
    while months_later(months[-1], 1) < window.end:
        months.append(months_later(months[-1], 1))
    return months


def _texts(rule: Rule, name: str) -> tuple[str, ...]:
    said = rule.terms.get(name)
    if isinstance(said, str):
        return (said,)
    return said if isinstance(said, tuple) else ()


def _count(rule: Rule, name: str) -> int:
    said = rule.terms.get(name)
    return said if isinstance(said, int) else 0


def _day(rule: Rule, name: str) -> date | None:
    said = rule.terms.get(name)
    return date.fromisoformat(said[:10]) if isinstance(said, str) and said else None


def _instant(rule: Rule, name: str) -> datetime | None:
    said = rule.terms.get(name)
    return read_instant(said) if isinstance(said, str) else None


def _month(text: str) -> date:
    return date.fromisoformat(f"{text[:7]}-01")


def _end_of_month(day: date) -> date:
    return date.fromordinal(months_later(day.replace(day=1), 1).toordinal() - 1)
