"""What a plan promises about each business, hour by hour: clauses from which text and promises are both made. Pure.

The gate judges one request at one instant; here the same rules are unfolded over time, for every business and way in, by
code of its own: the two are held against each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from yibao.domains.windows.gate import ACCESS, INTAKE, STOPS
from yibao.domains.windows.model import (
    AFTER,
    DRAIN,
    FROZEN,
    LAST_CALL,
    NORMAL,
    RESTRICTED,
    Plan,
    Rule,
    Track,
)
from yibao.domains.windows.tables import BEGINS, businesses, channels

OPEN, ADVISED, REGISTERED, REFUSED, STAGED = "open", "advised", "registered", "refused", "staged"
PROMISES: Mapping[str, str] = {
    OPEN: "照常办理", ADVISED: "可以办理，请留意提示", REGISTERED: "收件登记，恢复后办理", REFUSED: "暂停办理",
    STAGED: "分批开放",
}
"""What is promised of a business for a time, and how the text says it."""
_IN_TIME = frozenset({"settle_before", "interim_settle", "stock_up", "advance"})
"""What has to be done before the stop, so that whoever comes then is told."""
FACTS = ("insutype", "psn_type", "institution", "visit_class", "county", "payer")
"""Facts that a way in knows beside business and channel, by which a rule may make an exception."""


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a business through a channel for a time.

    Attributes:
        channel: ``""`` is whatever channel no other clause names. facts: by which the exception is made, () for everybody.
        begin, end: half-open; None: since ever, or until further notice.
        rule: of the plan, ``""`` where only the track's times are behind it.
    """

    business: str
    channel: str
    facts: tuple[tuple[str, str], ...]
    begin: datetime | None
    end: datetime | None
    promise: str
    rule: str


def clauses(plan: Plan) -> list[Clause]:
    """Return the clauses of every business that the plan stops, in the order of its tracks: without gap or overlap."""
    return [
        clause for track in plan.tracks for business in track.business
        for channel, facts in _ways(plan, business) for clause in _unfold(plan, business, channel, dict(facts))
    ]


def _ways(plan: Plan, business: str) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Give the channels that some rule treats apart, and the facts by which some rule makes an exception."""
    kind = businesses()[business].kind
    about = [r for r in plan.rules if (not r.when.business or business in r.when.business) and _is_at_the_door(r)]
    named = [c.code for c in plan.channels if c.track and c.is_ours] + [c for r in about for c in r.when.channel]
    able = [c for c in dict.fromkeys(named) if c in channels() and kind in channels()[c].kinds]
    exceptions: dict[tuple[str, str | None], tuple[tuple[str, str], ...]] = {}
    for rule in about:
        facts = tuple((name, getattr(rule.when, name)[0]) for name in FACTS if getattr(rule.when, name))
        for channel in rule.when.channel or ("",):
            if facts and (not channel or channel in able):
                exceptions[channel, repr(facts)] = facts
    yield "", ()
    yield from ((channel, ()) for channel in able)
    yield from ((channel, facts) for (channel, _), facts in exceptions.items())


def _is_at_the_door(rule: Rule) -> bool:
    """Say whether a way in can know that a rule holds: not by the bill, the episode or the cause."""
    when = rule.when
    return not (
        when.transaction or when.position or when.cause or when.place or when.urgent is not None
        or when.amount_from_fen is not None or when.amount_to_fen is not None
    )


def _unfold(plan: Plan, business: str, channel: str, facts: Mapping[str, str]) -> Iterator[Clause]:
    track, named = plan.track_of(business), plan.channel(channel)
    assert track is not None
    sides = [(track, [r for r in plan.rules if r.when.business or not r.when.channel])]
    through = plan.track(named.track) if named and named.track else None
    if through is not None:
        sides.append((through, [r for r in plan.rules if r.when.channel]))
    fitting = [(t, [r for r in rules if _covers(r, business, channel, facts)]) for t, rules in sides]
    edges: list[datetime | None] = [None, *sorted(set(_edges(fitting))), None]
    spans: list[Clause] = []
    for begin, end in itertools.pairwise(edges):
        promise, rule = _promise(plan, business, fitting, begin)
        if spans and (spans[-1].promise, spans[-1].rule) == (promise, rule):
            spans[-1] = msgspec.structs.replace(spans[-1], end=end)
            continue
        spans.append(Clause(
            business=business, channel=channel, facts=tuple(facts.items()), begin=begin, end=end, promise=promise, rule=rule
        ))
    yield from spans


def _covers(rule: Rule, business: str, channel: str, facts: Mapping[str, str]) -> bool:
    when = rule.when
    if not _is_at_the_door(rule) or (when.business and business not in when.business):
        return False
    return (not when.channel or channel in when.channel) and all(
        not getattr(when, name) or facts.get(name, "") in getattr(when, name) for name in FACTS
    )


def _edges(sides: Iterable[tuple[Track, list[Rule]]]) -> Iterator[datetime]:
    for track, rules in sides:
        yield from (t for t in (track.last_call, track.drain, track.stop, track.restart, track.normal) if t)
        yield from (t for r in rules for t in (r.begin, r.end) if t)


def _promise(
    plan: Plan, business: str, sides: Iterable[tuple[Track, list[Rule]]], at: datetime | None
) -> tuple[str, str]:
    """Return what holds from an instant (None: before all), and by which rule: what closes any side closes the way."""
    found = [_of_side(plan, business, track, rules, at) for track, rules in sides]
    order = (REFUSED, STAGED, REGISTERED, ADVISED, OPEN)
    return min(found, key=lambda f: order.index(f[0]))


def _of_side(
    plan: Plan, business: str, track: Track, rules: Iterable[Rule], at: datetime | None
) -> tuple[str, str]:
    stage, is_after = _stage(track, at)
    holding = [r for r in rules if _holds(r, stage, is_after, at)]
    access = _strongest([r for r in holding if r.disposition in ACCESS])
    if access is not None:
        if access.disposition in STOPS:
            return REFUSED, access.id
        return (REGISTERED, access.id) if access.disposition in INTAKE else _advised(holding, access.id, stage)
    if stage == FROZEN or (stage == DRAIN and businesses()[business].kind in BEGINS):
        return REFUSED, ""
    if is_after and any(business in s.business for s in plan.stages) and (track.normal is None or stage == RESTRICTED):
        return STAGED, ""
    return _advised(holding, "", stage)


def _advised(holding: Iterable[Rule], rule: str, stage: str) -> tuple[str, str]:
    """Return what is told to whoever may go on: to wait if that can be, and what to do while there is time."""
    is_late = stage in (LAST_CALL, DRAIN)
    said = _strongest([r for r in holding if r.disposition == "defer_advice" or (is_late and r.disposition in _IN_TIME)])
    return (ADVISED, said.id) if said else (OPEN, rule)


def _stage(track: Track, at: datetime | None) -> tuple[str, bool]:
    """Return the stage that begins at an instant or has begun before it, and whether the track has restarted."""
    begun = NORMAL
    for stage, since in ((LAST_CALL, track.last_call), (DRAIN, track.drain), (FROZEN, track.stop)):
        if since is not None and at is not None and at >= since:
            begun = stage
    if at is None or track.restart is None or at < track.restart:
        return begun, False
    return (RESTRICTED if track.normal is not None and at < track.normal else NORMAL), True


def _holds(rule: Rule, stage: str, is_after: bool, at: datetime | None) -> bool:
    if rule.begin is not None and (at is None or at < rule.begin):
        return False
    if rule.end is not None and at is not None and at >= rule.end:
        return False
    return stage in rule.phase or (is_after and AFTER in rule.phase)


def _strongest(rules: list[Rule]) -> Rule | None:
    """Return the rule that names most; of equals the one that begins later, then the one further down."""
    def weight(numbered: tuple[int, Rule]) -> tuple[int, float, int]:
        ordinal, rule = numbered
        named = sum(1 for name in (*FACTS, "business", "channel") if getattr(rule.when, name))
        return named, rule.begin.timestamp() if rule.begin else 0.0, ordinal

    return max(enumerate(rules), key=weight, default=(0, None))[1]
