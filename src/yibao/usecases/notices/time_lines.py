"""Clauses in words: one line for all businesses of which the same holds at the same time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from yibao.domains.windows.model import Plan
from yibao.domains.windows.tables import businesses, channels
from yibao.domains.windows.words import instant_says, restart_says, stop_says
from yibao.usecases.notices.clauses import OPEN, PROMISES, Clause

ELSE_OPEN = "除上列时间和情形外，各项业务照常办理。"
_SINCE = "起"
_FACTS: Mapping[str, Mapping[str, str]] = {
    "payer": {"unit": "由单位缴费的", "person": "以个人身份缴费的", "household": "以家庭为单位缴费的"},
    "institution": {"hospital": "在医院的", "pharmacy": "在药店的"},
    "visit_class": {"outpatient": "普通门诊", "chronic": "门诊慢特病", "inpatient": "住院", "maternity": "生育", "drug": "购药"},
    "insutype": {"310": "职工医保", "390": "居民医保"},
}
_FACT_NAMES: Mapping[str, str] = {"psn_type": "人员类别", "county": "区县"}


class _Group(msgspec.Struct, frozen=True):
    """What the clauses of one line have in common, without the businesses and the channels."""

    facts: tuple[tuple[str, str], ...]
    time: str
    promise: str
    advice: str


def said(plan: Plan, found: Sequence[Clause]) -> dict[Clause, str]:
    """Return the line of the notice for each clause; what is as always is said once for all.

    A channel in which the same holds as in every other is not named.
    """
    general = {(c.business, c.begin, c.end, c.promise, c.rule): c for c in found if not c.channel and not c.facts}
    stands_for = {c: general.get((c.business, c.begin, c.end, c.promise, c.rule), c) for c in found}
    told = [c for c in dict.fromkeys(stands_for.values()) if not _is_plain(c)]
    lines = _lines(plan, told)
    return {c: ELSE_OPEN if _is_plain(stood) else lines[stood] for c, stood in stands_for.items()}


def time_lines(plan: Plan, found: Sequence[Clause]) -> list[str]:
    """Return the lines in the order in which they begin, and at the end what holds otherwise."""
    words = said(plan, found)
    latest = max((t for c in found for t in (c.begin, c.end) if t), default=None)
    first = sorted(
        (c for c in words if words[c] != ELSE_OPEN),
        key=lambda c: (c.begin is not None, c.begin or latest, c.end is None, c.end or latest, c.promise),
    )
    return [*dict.fromkeys(words[c] for c in first), ELSE_OPEN]


def titles_of(plan: Plan, codes: Iterable[str]) -> str:
    """Return the titles of businesses; a track that is meant with all it has is called by its own title."""
    left = dict.fromkeys(codes)
    found: list[str] = []
    for track in plan.tracks:
        if len(track.business) > 1 and all(code in left for code in track.business):
            found.append(track.title)
            for code in track.business:
                left.pop(code)
    return "、".join([*found, *(businesses()[code].title for code in left)])


def since(text: str) -> str:
    """Return a time as it stands before another word: notices like to write it with a 起 of its own."""
    return text.removesuffix(_SINCE)


def _lines(plan: Plan, told: Sequence[Clause]) -> dict[Clause, str]:
    """Return one line for what has time and promise in common: first over businesses, then over channels."""
    of_channel: dict[tuple[_Group, str], list[str]] = {}
    for clause in told:
        of_channel.setdefault((_group(plan, clause), clause.channel), []).append(clause.business)
    of_business: dict[tuple[_Group, tuple[str, ...]], list[str]] = {}
    for (group, channel), codes in of_channel.items():
        if channel:
            of_business.setdefault((group, tuple(codes)), []).append(channel)
    lines = {}
    for clause in told:
        group = _group(plan, clause)
        codes = of_channel[group, clause.channel]
        through = of_business[group, tuple(codes)] if clause.channel else []
        lines[clause] = f"{group.time}，{_whom(plan, through, clause.facts)}{PROMISES[clause.promise]}" \
                        f"：{titles_of(plan, codes)}。{group.advice}"
    return lines


def _is_plain(clause: Clause) -> bool:
    return clause.promise == OPEN and not clause.rule


def _group(plan: Plan, clause: Clause) -> _Group:
    rule = plan.rule(clause.rule)
    advice = rule.says if rule is not None and clause.promise == "advised" else ""
    return _Group(clause.facts, _time(plan, clause), clause.promise, advice)


def _time(plan: Plan, clause: Clause) -> str:
    """Return from when to when, in the words of the notice where they are times of the track."""
    track = plan.track_of(clause.business)
    assert track is not None
    begin, end = "", ""
    if clause.begin is not None:
        begin = since(stop_says(track)) if clause.begin == track.stop else instant_says(clause.begin)
        begin = since(restart_says(track)) if clause.begin == track.restart else begin
    if clause.end is not None:
        end = since(restart_says(track)) if clause.end == track.restart else instant_says(clause.end, is_end=True)
    elif track.restart is None and clause.begin is not None and clause.begin >= track.stop:
        end = f"恢复（恢复时间{restart_says(track)}）"
    if begin and end:
        return f"{begin}起至{end}"
    return f"{begin}起" if begin else f"至{end}" if end else "自始至终"


def _whom(plan: Plan, through: Sequence[str], facts: Sequence[tuple[str, str]]) -> str:
    named = [(plan.channel(code), code) for code in through]
    ways = "、".join(found.title if found else channels()[code].title for found, code in named)
    about = "、".join(
        _FACTS[name].get(value, value) if name in _FACTS else f"{_FACT_NAMES[name]}{value}的" for name, value in facts
    )
    return "".join(f"{part}，" for part in (f"通过{ways}" if ways else "", about) if part)
