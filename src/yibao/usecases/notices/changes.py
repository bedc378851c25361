"""What a new version of a plan changes, in words: times that moved, rules that came, went or say something else. Pure."""

from __future__ import annotations

import msgspec

from yibao.domains.windows.model import DISPOSITIONS, Plan, Rule, Track
from yibao.domains.windows.words import instant_says, restart_says, stop_says
from yibao.usecases.notices.time_lines import since, titles_of

RESTART, STOP, STAGE, RULE = "restart", "stop", "stage", "rule"
_STAGES = {"last_call": "停机前最后办理起始时间", "drain": "只收尾起始时间", "normal": "全面恢复时间"}
_SILENT = frozenset({"sentence", "mark"})


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is no longer as it was.

    Attributes:
        kind: ``restart``, ``stop``, ``stage`` or ``rule``.
        businesses: those that it is about.
        text: what it was and what it is, without full stop.
    """

    kind: str
    businesses: tuple[str, ...]
    text: str
    rule: str = ""


def changes(old: Plan, new: Plan) -> list[Change]:
    """Return everything that people have to be told when a version replaces another, in the order of the plan."""
    found = [c for track in new.tracks for c in _of_track(old.track(track.code), track)]
    found += [
        Change(kind=STOP, businesses=t.business, text=f"{t.title}不再暂停") for t in old.tracks if new.track(t.code) is None
    ]
    for rule in new.rules:
        found += _of_rule(new, old.rule(rule.id), rule)
    found += [
        Change(kind=RULE, businesses=r.when.business, rule=r.id, text=f"{_about(old, r)}不再适用：{_bare(r.says)}")
        for r in old.rules if new.rule(r.id) is None
    ]
    return found


def _of_track(old: Track | None, new: Track) -> list[Change]:
    if old is None:
        return [Change(kind=STOP, businesses=new.business,
                       text=f"{new.title}{since(stop_says(new))}起暂停，恢复时间{restart_says(new)}")]
    found = []
    if old.restart != new.restart or old.expected != new.expected:
        text = f"{new.title}的恢复时间由{restart_says(old)}改为{restart_says(new)}"
        found.append(Change(kind=RESTART, businesses=new.business, text=text))
    if old.stop != new.stop:
        text = f"{new.title}的暂停时间由{stop_says(old)}改为{stop_says(new)}"
        found.append(Change(kind=STOP, businesses=new.business, text=text))
    for name, title in _STAGES.items():
        was, now = getattr(old, name), getattr(new, name)
        if was != now and now is not None:
            found.append(Change(kind=STAGE, businesses=new.business, text=f"{new.title}的{title}改为{instant_says(now)}"))
    return found


def _of_rule(plan: Plan, old: Rule | None, new: Rule) -> list[Change]:
    if old is None:
        return [Change(kind=RULE, businesses=new.when.business, rule=new.id, text=f"{_about(plan, new)}新增：{_bare(new.says)}")]
    names = [n for n in new.__struct_fields__ if n not in _SILENT and getattr(old, n) != getattr(new, n)]
    if not names:
        return []
    if names == ["end"] and new.end is not None:
        text = f"{_about(plan, new)}适用至{instant_says(new.end, is_end=True)}：{_bare(new.says)}"
    else:
        text = f"{_about(plan, new)}改为：{_bare(new.says)}"
    return [Change(kind=RULE, businesses=new.when.business, rule=new.id, text=text)]


def _about(plan: Plan, rule: Rule) -> str:
    title = titles_of(plan, rule.when.business)
    return f"{title}的“{DISPOSITIONS[rule.disposition]}”" if title else f"“{DISPOSITIONS[rule.disposition]}”"


def _bare(text: str) -> str:
    return text.rstrip("。")
