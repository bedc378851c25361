"""Checks of a plan's cells, business x channel x position of the episode: each has one answer and no two. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations

from yibao.domains.windows.checking import Finding
from yibao.domains.windows.gate import ACCESS, SEVERAL, fits, money_rule, sides, specificity
from yibao.domains.windows.model import (
    AFTER,
    DISPOSITIONS,
    FROZEN,
    MONEY,
    NORMAL,
    POSITIONS,
    RESTRICTED,
    Asked,
    Plan,
    Rule,
)
from yibao.domains.windows.tables import Business, businesses, channels

_AS_ALWAYS = frozenset({"late_file", "continue"})
"""Dispositions after which a bill is settled directly, as always: they answer for its money too."""
_FOR_EVER = datetime.max.replace(tzinfo=UTC)
_EVER = datetime.min.replace(tzinfo=UTC)


def check_cells(plan: Plan) -> Iterator[Finding]:
    """Find cells without an answer: what a channel does for a business while it is stopped, what becomes of a bill."""
    for business in businesses().values():
        track = plan.track_of(business.code)
        if track is None:
            continue
        spot = plan.tracks.index(track)
        for channel in [c.code for c in channels().values() if business.kind in c.kinds] or [""]:
            if not _has_access(plan, Asked(business=business.code, admdvs=plan.admdvs, channel=channel)):
                name = channels()[channel].title if channel else "各渠道"
                yield Finding(
                    code="UNCOVERED", says=f"{business.title}在{name}停机期间怎样办没有写", block="track", ordinal=spot,
                    name=track.code, cell=(business.code, channel, ""),
                    proposal="请写一条 phase 含 frozen 的 suspend、continue 或收件规则",
                )
        yield from _bills(plan, business, spot)


def check_causes(plan: Plan) -> Iterator[Finding]:
    """Find bills that a cause leaves without an answer, though it has one for others: who cannot be told what to do."""
    for cause in dict.fromkeys(c for r in plan.rules if r.disposition in MONEY for c in r.when.cause):
        for business in businesses().values():
            if not business.positions or not (track := plan.track_of(business.code)):
                continue
            asked = Asked(business=business.code, admdvs=plan.admdvs, channel="gateway", cause=cause)
            if money_rule(plan, asked) is None:
                yield Finding(
                    code="UNCOVERED", says=f"{business.title}：遇到 {cause} 时费用怎样处理没有写", block="track",
                    ordinal=plan.tracks.index(track), cell=(business.code, "gateway", cause),
                    proposal=f"请写一条 when.cause 含 {cause} 的费用规则",
                )


def check_conflicts(plan: Plan) -> Iterator[Finding]:
    """Find pairs of rules between which nothing decides: equally specific, equally old, and they say different things."""
    for (_, one), (second, other) in combinations(enumerate(plan.rules), 2):
        same_sort = (one.disposition in MONEY and other.disposition in MONEY) or (
            one.disposition in ACCESS and other.disposition in ACCESS and bool(sides(one) & sides(other))
            and _at_once(one, other)
        )
        if one.disposition == other.disposition or not same_sort or specificity(one) != specificity(other):
            continue
        if _meet(one, other):
            yield Finding(
                code="CONFLICT", block="rule", ordinal=second, key="disposition", name=other.id,
                cell=(",".join(sorted(set(one.when.business) & set(other.when.business))[:3]),),
                says=f"{one.id}（{DISPOSITIONS[one.disposition]}）和 {other.id}（{DISPOSITIONS[other.disposition]}）"
                     "适用于同样的情形，分不出先后",
                proposal="请让其中一条写得更具体，或改成相同的处置方式",
            )


def _bills(plan: Plan, business: Business, spot: int) -> Iterator[Finding]:
    for position in business.positions:
        asked = Asked(business=business.code, admdvs=plan.admdvs, channel="gateway", position=position)
        answered = any(r.disposition in _AS_ALWAYS and fits(r.when, asked) for r in plan.rules)
        if money_rule(plan, asked) is None and not answered:
            yield Finding(
                code="UNCOVERED", says=f"{business.title}：{POSITIONS[position]}的费用怎样处理没有写", block="track",
                ordinal=spot, cell=(business.code, "gateway", position),
                proposal=f"请写一条 when.position 含 {position} 的费用规则，如 hold_open、pay_full_backfill",
            )


def _has_access(plan: Plan, asked: Asked) -> bool:
    return any(r.disposition in ACCESS and FROZEN in r.phase and fits(r.when, asked) for r in plan.rules)


def _meet(one: Rule, other: Rule) -> bool:
    """Say whether there is a case that both rules cover."""
    for field in (*SEVERAL, "place"):
        mine, theirs = getattr(one.when, field), getattr(other.when, field)
        if mine and theirs and not set(mine) & set(theirs):
            return False
    if bool(one.when.cause) != bool(other.when.cause):
        return False
    if None not in (one.when.urgent, other.when.urgent) and one.when.urgent != other.when.urgent:
        return False
    begin = max(one.when.amount_from_fen or 0, other.when.amount_from_fen or 0)
    return all(r.when.amount_to_fen is None or begin < r.when.amount_to_fen for r in (one, other))


def _at_once(one: Rule, other: Rule) -> bool:
    """Say whether both rules may hold at the same instant."""
    if not _stages(one) & _stages(other):
        return False
    begin = max(one.begin or _EVER, other.begin or _EVER)
    return begin < min(one.end or _FOR_EVER, other.end or _FOR_EVER)


def _stages(rule: Rule) -> set[str]:
    return {*rule.phase, *((RESTRICTED, NORMAL) if AFTER in rule.phase else ())}
