"""What an amendment may not change: whatever has passed, and whatever a rule said while it was in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from yibao.domains.windows.gate import holds
from yibao.domains.windows.model import NORMAL, Plan, Rule, Track
from yibao.domains.windows.tables import terms
from yibao.domains.windows.words import instant_says, read_instant
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Fault

PAST = "AMENDS_THE_PAST"
_INSTANTS = {
    "last_call": "最后办理起始时间", "drain": "只收尾起始时间", "stop": "停机时间", "restart": "恢复时间",
    "normal": "全面恢复时间",
}
_FREE = frozenset({"sentence", "mark", "terms"})
"""Parts of a rule whose change is looked at apart, or changes nothing that people were told."""


def past_faults(old: Plan, new: Plan, *, at: datetime) -> list[Fault]:
    """Return everything in which a new version would change what an older one said of the time before ``at``.

    A rule that has been in force is changed by ending it (``end`` at ``at`` or later) and adding another that begins then.
    A day or time that a rule names may be moved while it lies ahead, to another that lies ahead.
    """
    found = list(_tracks(old, new, at))
    found += _rules(old, new, at)
    begun = any(t.stop <= at for t in old.tracks)
    kept = {r.kind for r in new.registers}
    found += [
        _fault(f"registers[{r.kind}]", f"台账“{r.title}”已经启用，不能取消", "请保留该台账")
        for r in old.registers if begun and r.kind not in kept
    ]
    return found


def _tracks(old: Plan, new: Plan, at: datetime) -> Iterator[Fault]:
    for track in old.tracks:
        other = new.track(track.code)
        if other is None:
            if track.stop <= at:
                yield _fault(f"tracks[{track.code}]", f"“{track.title}”已经停机，不能删去", "请保留该项，可以改恢复时间")
            continue
        if track.stop <= at and set(track.business) != set(other.business):
            yield _fault(f"tracks[{track.code}].business", f"“{track.title}”已经停机，业务范围不能改",
                         "新增业务请另立一项，从修订后的时间停机")
        yield from _instants(track, other, at)
    for track in new.tracks:
        if old.track(track.code) is None and track.stop < at:
            yield _fault(f"tracks[{track.code}].stop", f"新增的“{track.title}”停机时间在修订之前：{instant_says(track.stop)}",
                         "请改为修订之后的时间")


def _instants(track: Track, other: Track, at: datetime) -> Iterator[Fault]:
    for name, title in _INSTANTS.items():
        was, is_now = getattr(track, name), getattr(other, name)
        if was == is_now:
            continue
        path = f"tracks[{track.code}].{name}"
        if was is not None and was <= at:
            yield _fault(path, f"“{track.title}”的{title}{instant_says(was)}已经过去，不能改", "请保留原来的时间")
        elif is_now is not None and is_now <= at:
            yield _fault(path, f"“{track.title}”的{title}不能改到过去：{instant_says(is_now)}", "请改为将来的时间")


def _rules(old: Plan, new: Plan, at: datetime) -> Iterator[Fault]:
    for rule in old.rules:
        if not _was_in_force(old, rule, at):
            continue
        other = new.rule(rule.id)
        if other is None:
            yield _fault(f"rules[{rule.id}]", "规则已经生效，不能删去", "请写明失效时间 end（不早于修订时间）")
            continue
        changed = [
            f for f in rule.__struct_fields__ if f not in _FREE and f != "end" and getattr(rule, f) != getattr(other, f)
        ]
        if changed or not _same_terms(rule, other, at):
            words = "、".join(changed) or "terms"
            yield _fault(f"rules[{rule.id}]", f"规则已经生效，不能改成从前就不一样（{words}）",
                         "请给原规则写明失效时间 end，另立一条从修订后生效的规则")
        if rule.end != other.end and not (_lies_ahead(rule.end, at) and _lies_ahead(other.end, at)):
            yield _fault(f"rules[{rule.id}].end", "规则的失效时间不能改到过去，已经失效的不能改", "请改为将来的时间")
    for rule in new.rules:
        if old.rule(rule.id) is None and _was_in_force(new, rule, at):
            yield _fault(f"rules[{rule.id}]", "新增的规则会在修订之前就生效", f"请写明 begin，不早于 {instant_says(at)}")


def _was_in_force(plan: Plan, rule: Rule, at: datetime) -> bool:
    """Say whether a rule has held at any instant before ``at``: looked at wherever a stage or the rule itself begins."""
    just_before = at - timedelta(microseconds=1)
    if rule.begin is not None and rule.begin > just_before:
        return False
    for track in _tracks_of(plan, rule):
        points = [track.last_call, track.drain, track.stop, track.restart, track.normal, rule.begin, just_before]
        if any(p is not None and p <= just_before and holds(rule, track, p) for p in points):
            return True
        if NORMAL in rule.phase and rule.begin is None and (rule.end is None or rule.end > just_before):
            return True
    return False


def _tracks_of(plan: Plan, rule: Rule) -> tuple[Track, ...]:
    when = rule.when
    codes = {t.code for b in when.business if (t := plan.track_of(b))}
    codes |= {c.track for code in when.channel if (c := plan.channel(code)) and c.track}
    return tuple(t for t in plan.tracks if t.code in codes) if codes else plan.tracks


def _same_terms(rule: Rule, other: Rule, at: datetime) -> bool:
    names = {*rule.terms, *other.terms}
    return all(
        rule.terms.get(n) == other.terms.get(n)
        or (_lies_ahead(_named(rule, n), at) and _lies_ahead(_named(other, n), at) and n in rule.terms and n in other.terms)
        for n in names
    )


def _named(rule: Rule, name: str) -> datetime | None:
    """Return the instant that a term names, of a day its end; the distant past for what names none."""
    known: Mapping[tuple[str, str], object] = terms()
    term = known.get((rule.disposition, name))
    value = rule.terms.get(name)
    if getattr(term, "type", "") not in ("date", "time") or not isinstance(value, str):
        return datetime.min.replace(tzinfo=SHANGHAI)
    told = read_instant(value)
    if told is not None and getattr(term, "type", "") == "date":
        told += timedelta(days=1)
    return told


def _lies_ahead(instant: datetime | None, at: datetime) -> bool:
    return instant is None or instant >= at


def _fault(path: str, reason: str, remedy: str) -> Fault:
    return Fault(PAST, reason, path, remedy=remedy)


def amended(plan: Plan, *, version: int, amends: int, reason: str) -> Plan:
    """Return a plan as the version it is kept under."""
    return msgspec.structs.replace(plan, version=version, amends=amends, reason=reason)
