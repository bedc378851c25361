"""What changed between two versions of a plan, in words that people affected by it understand. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from yibao.domains.windows.model import DISPOSITIONS, Plan, Rule, Track
from yibao.domains.windows.tables import businesses
from yibao.domains.windows.words import TO_BE_ANNOUNCED, instant_says

_TIMES = {
    "stop": "停止时间", "restart": "恢复时间", "expected": "预计恢复时间", "last_call": "最后办理期", "drain": "只收尾的时间",
    "normal": "全面恢复时间",
}
_RULE_WORDS = {
    "disposition": "处置方式", "when": "适用情形", "phase": "阶段", "begin": "开始时间", "end": "截止时间", "terms": "条件",
    "says": "说明", "says_employer": "对单位的说明", "says_institution": "对机构的说明",
}
_OTHERS = (
    ("hotlines", "咨询电话", "title"), ("registers", "台账", "kind"), ("channels", "渠道", "code"),
    ("stages", "恢复批次", "ordinal"),
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference.

    Attributes:
        kind: ``added``, ``removed``, ``changed`` or ``moved`` (a time).
        what: ``track``, ``rule``, ``hotlines`` ...; ``name``: its code; ``field``: what of it.
        business: codes of the businesses it concerns, for who must be told.
    """

    kind: str
    what: str
    name: str
    says: str
    field: str = ""
    before: str = ""
    after: str = ""
    business: tuple[str, ...] = ()


def compare_plans(old: Plan, new: Plan) -> tuple[Change, ...]:
    """Return what changed from one version of a plan to another: tracks, rules, then the rest."""
    found = [*_tracks(old, new), *_rules(old, new)]
    for field, title, key in _OTHERS:
        found += _list(field, title, key, getattr(old, field), getattr(new, field))
    if old.title != new.title:
        found.append(Change(kind="changed", what="plan", name=new.name, field="title", before=old.title, after=new.title,
                            says=f"名称由“{old.title}”改为“{new.title}”"))
    return tuple(found)


def _tracks(old: Plan, new: Plan) -> Iterator[Change]:
    before, after = {t.code: t for t in old.tracks}, {t.code: t for t in new.tracks}
    for kind, verb, tracks, others in (("added", "新增", after, before), ("removed", "取消", before, after)):
        for code, track in tracks.items():
            if code not in others:
                yield Change(kind=kind, what="track", name=code, says=f"{verb}轨道：{track.title}", business=track.business)
    for code, track in after.items():
        if code in before:
            yield from _track(before[code], track)


def _track(old: Track, new: Track) -> Iterator[Change]:
    for field, title in _TIMES.items():
        was, now = getattr(old, field), getattr(new, field)
        if was != now:
            first, then = _instant(field, was), _instant(field, now)
            yield Change(kind="moved", what="track", name=new.code, field=field, before=first, after=then,
                         business=new.business, says=f"{new.title}的{title}由{first}改为{then}{_by(was, now)}")
    gone, come = set(old.business) - set(new.business), set(new.business) - set(old.business)
    for codes, verb in ((gone, "不再包括"), (come, "增加")):
        if codes:
            names = "、".join(businesses()[c].title for c in new.business + old.business if c in codes)
            yield Change(kind="changed", what="track", name=new.code, field="business", says=f"{new.title}{verb}{names}",
                         business=tuple(sorted(codes)))


def _rules(old: Plan, new: Plan) -> Iterator[Change]:
    before, after = {r.id: r for r in old.rules}, {r.id: r for r in new.rules}
    for rule in new.rules:
        if rule.id not in before:
            yield Change(kind="added", what="rule", name=rule.id, business=rule.when.business,
                         says=f"新增规则 {rule.id}（{DISPOSITIONS[rule.disposition]}）：{rule.says}")
        else:
            yield from _rule(before[rule.id], rule)
    for rule in old.rules:
        if rule.id not in after:
            yield Change(kind="removed", what="rule", name=rule.id, business=rule.when.business,
                         says=f"取消规则 {rule.id}（{DISPOSITIONS[rule.disposition]}）：{rule.says}")


def _rule(old: Rule, new: Rule) -> Iterator[Change]:
    both = tuple(dict.fromkeys((*old.when.business, *new.when.business)))
    for field, title in _RULE_WORDS.items():
        was, now = getattr(old, field), getattr(new, field)
        if was != now:
            first, then = _plain(was), _plain(now)
            yield Change(kind="changed", what="rule", name=new.id, field=field, before=first, after=then, business=both,
                         says=f"规则 {new.id} 的{title}由“{first}”改为“{then}”")


def _list(field: str, title: str, key: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    before, after = {str(getattr(x, key)): x for x in old}, {str(getattr(x, key)): x for x in new}
    for name, item in after.items():
        was = before.get(name)
        if was is None:
            yield Change(kind="added", what=field, name=name, says=f"新增{title}：{getattr(item, 'title', name)}")
        elif was != item:
            changed = [f for f in item.__struct_fields__ if getattr(was, f) != getattr(item, f)]
            said = "，".join(f"{_plain(getattr(was, f))} → {_plain(getattr(item, f))}" for f in changed)
            yield Change(kind="changed", what=field, name=name, field=changed[0], says=f"{title} {name} 有变：{said}")
    for name, item in before.items():
        if name not in after:
            yield Change(kind="removed", what=field, name=name, says=f"取消{title}：{getattr(item, 'title', name)}")


def _instant(field: str, at: Any) -> str:
    if at is None:
        return TO_BE_ANNOUNCED if field == "restart" else "没有"
    return instant_says(at, is_end=field == "restart")


def _by(was: Any, now: Any) -> str:
    if was is None or now is None:
        return ""
    hours = round(abs((now - was).total_seconds()) / 3600)
    length = f"{hours // 24} 天" if hours % 24 == 0 else f"{hours} 小时"
    return f"（{'推迟' if now > was else '提前'} {length}）"


def _plain(value: Any) -> str:
    """Return a value as people read it: only what a selector or the terms really say."""
    if value is None or value == () or value == "":
        return "没有"
    if hasattr(value, "isoformat"):
        return instant_says(value)
    if isinstance(value, msgspec.Struct):
        said = {f: getattr(value, f) for f in value.__struct_fields__ if getattr(value, f) not in ((), None, "")}
        return "；".join(f"{f} {_plain(v)}" for f, v in said.items()) or "全部"
    if isinstance(value, dict):
        return "；".join(f"{k} {_plain(v)}" for k, v in value.items()) or "没有"
    if isinstance(value, tuple):
        return "、".join(_plain(v) for v in value)
    return DISPOSITIONS.get(str(value), str(value))
