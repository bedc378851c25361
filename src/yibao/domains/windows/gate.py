"""The gate's judgement: may this be done now, and what holds for it. Pure; every way in and every use case asks it.

Dispositions are of three sorts. *Access* says whether somebody may go on: of those that fit the most specific one counts,
and while a track is frozen nobody may go on without one that lets him. *Money* says what becomes of a bill: exactly one
holds for an episode, whatever the hour. The rest add up: advice, deadlines, stock, delegation of proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from yibao.domains.windows.matching import (
    BY_BUSINESS,
    BY_CHANNEL,
    SEVERAL,
    fits,
    fitting,
    may_fit,
    place_of,
    sides,
    specificity,
)
from yibao.domains.windows.model import (
    AFTER,
    DRAIN,
    FROZEN,
    LAST_CALL,
    MONEY,
    NORMAL,
    NOT_OPENED,
    OPEN,
    RESTRICTED,
    Asked,
    Hit,
    Judged,
    Openings,
    Plan,
    Rule,
    Stage,
    Track,
)
from yibao.domains.windows.tables import BEGINS, businesses
from yibao.domains.windows.words import TO_BE_ANNOUNCED, hotline_of, instant_says, restart_says
from yibao.kernel.refusal import Refusal, refuse

WINDOW_STOPPED = "WINDOW_STOPPED"
INTAKE = ("accept_register", "accept_effective_on_receipt", "pre_accept")
LETS = frozenset({"continue", "delegate", "refund_at_once", *INTAKE})
"""Access dispositions that let somebody go on while the track is frozen."""
STOPS = frozenset({"suspend", "retire", "alternate_channel"})
"""Access dispositions that stop somebody in whatever stage they hold."""
ACCESS = LETS | STOPS
_LAST_ADVICE = frozenset({"settle_before", "interim_settle", "stock_up", "advance"})
_OPENED, _STOPPED = "open", "stopped"


def judge(plan: Plan, opened: Openings, asked: Asked, at: datetime) -> Judged:
    """Say whether something may be done at an instant, and which rules hold for it.

    A request is held against the track of its business and against that of its channel, if the channel has one: both must
    let it through. Rules that name a business belong to the first, rules that name only channels to the second.
    """
    judged = [_against(plan, opened, asked, at, track, rules) for track, rules in _sides(plan, asked)]
    if not judged:
        return OPEN
    refused = min((j for j in judged if j.refusal), key=_returns, default=None)
    hits = tuple(hit for j in judged for hit in j.hits)
    if refused:
        return Judged(stage=refused.stage, refusal=refused.refusal, hits=hits)
    advice = tuple(dict.fromkeys(says for j in judged for says in j.advice))
    return Judged(
        stage=judged[0].stage, advice=advice, hits=hits, intake=next((j.intake for j in judged if j.intake), ""),
        snapshot_at=next((j.snapshot_at for j in judged if j.snapshot_at), None),
    )


def stage_of(track: Track, at: datetime) -> str:
    """Return the stage of a track at an instant; every stage begins at its instant and ends before the next."""
    if at >= track.stop:
        if track.restart is None or at < track.restart:
            return FROZEN
        return RESTRICTED if track.normal and at < track.normal else NORMAL
    if track.drain and at >= track.drain:
        return DRAIN
    return LAST_CALL if track.last_call and at >= track.last_call else NORMAL


def position_of(
    track: Track, *, begin: datetime, end: datetime | None, is_remote: bool, is_filed: bool, can_end: bool = False
) -> str:
    """Return where an episode lies relative to a stop: ``P1`` to ``P9``, ``""`` where the stop does not touch it.

    Args:
        end: when it ended, or for one that is still going on None. One that still goes on belongs to ``P2`` if it began
            before the stop (``P1`` if it could end) and to ``P6`` if it began inside.
        is_remote: treated away from where the person is insured; ``is_filed``: with a filing for that.
    """
    if track.restart is not None and begin >= track.restart:
        return ""
    ended_before = end is not None and end < track.stop
    ended_after = end is None or (track.restart is not None and end >= track.restart)
    if ended_before:
        return "P1"
    if is_remote:
        return "P7" if is_filed else "P9" if ended_after else "P8"
    if begin >= track.stop:
        return "P6" if ended_after else "P5"
    if end is None:
        return "P1" if can_end else "P2"
    return "P4" if ended_after else "P3"


def money_rule(plan: Plan, asked: Asked) -> Rule | None:
    """Return the one rule that says what becomes of an episode's bill, whatever the hour; None: as always."""
    return _first(r for r in fitting(plan, asked) if r.disposition in MONEY)


def rule_of(plan: Plan, asked: Asked, disposition: str, at: datetime | None = None) -> Rule | None:
    """Return the most specific rule of a disposition; with an instant only if it holds then."""
    found = [r for r in fitting(plan, asked) if r.disposition == disposition]
    if at is not None:
        track = plan.track_of(asked.business)
        found = [r for r in found if track and holds(r, track, at)]
    return _first(found)


def holds(rule: Rule, track: Track, at: datetime) -> bool:
    """Say whether a rule holds at an instant: in one of its stages and between its own bounds, half-open."""
    if (rule.begin and at < rule.begin) or (rule.end and at >= rule.end):
        return False
    return stage_of(track, at) in rule.phase or (AFTER in rule.phase and bool(track.restart and at >= track.restart))











def stage_closed_for(plan: Plan, opened: Openings, asked: Asked, at: datetime) -> Stage | None:
    """Return the stage of the reopening that keeps something closed after the restart; None: it is open.

    A business that no stage names is open. One that stages name for other institutions only waits for the first of them
    that has not opened, or for the end of the restricted time.
    """
    named = [s for s in plan.stages if asked.business in s.business]
    own = [s for s in named if _is_for(s, asked)] or named
    if not own or any(_is_open(s, opened, at) for s in own if _is_for(s, asked)):
        return None
    track = plan.track_of(asked.business)
    stopped = next((s for s in own if opened.states.get(s.ordinal) == _STOPPED), None)
    if stopped is None and track and track.normal and at >= track.normal:
        return None
    return stopped or own[0]


def _sides(plan: Plan, asked: Asked) -> Iterable[tuple[Track, list[Rule]]]:
    track, channel = plan.track_of(asked.business), plan.channel(asked.channel)
    through = plan.track(channel.track) if channel and channel.track else None
    if track:
        yield track, fitting(plan, asked, BY_BUSINESS)
    if through:
        yield through, fitting(plan, asked, BY_CHANNEL)


def _against(
    plan: Plan, opened: Openings, asked: Asked, at: datetime, track: Track, rules: list[Rule]
) -> Judged:
    stage = stage_of(track, at)
    holding = [r for r in rules if holds(r, track, at)]
    hits = tuple(Hit(r, track.code, stage) for r in holding)
    access = _first(r for r in holding if r.disposition in ACCESS)
    if access and access.disposition in STOPS:
        return Judged(stage=stage, hits=hits, refusal=_refusal(plan, track, asked, stage, access, at))
    if stage == FROZEN and access is None:
        return Judged(stage=stage, hits=hits, refusal=_refusal(plan, track, asked, stage, None, at))
    if stage == DRAIN and access is None and businesses()[asked.business].kind in BEGINS:
        return Judged(stage=stage, hits=hits, refusal=_refusal(plan, track, asked, stage, None, at))
    if stage in (RESTRICTED, NORMAL) and at >= track.stop and access is None and (
        closed := stage_closed_for(plan, opened, asked, at)
    ):
        return Judged(stage=RESTRICTED, hits=hits, refusal=_not_yet(plan, closed, asked))
    frozen_query = stage == FROZEN and access is not None and access.terms.get("snapshot") is True
    return Judged(
        stage=stage, hits=hits, intake=access.disposition if access and access.disposition in INTAKE else "",
        advice=tuple(dict.fromkeys(r.says for r in holding if _advises(r, access, stage))),
        snapshot_at=track.stop if frozen_query else None,
    )


def _returns(judged: Judged) -> bool:
    """Say whether what is refused comes back: of two refusals the one for good is told, so that nobody waits in vain."""
    return not any(hit.rule.disposition == "retire" for hit in judged.hits)


def _advises(rule: Rule, access: Rule | None, stage: str) -> bool:
    """Say whether somebody who may go on is told a rule: what it asks of him now, not what becomes of a bill later."""
    if rule.disposition == "defer_advice" or (stage in (LAST_CALL, DRAIN) and rule.disposition in _LAST_ADVICE):
        return True
    return rule is access and (rule.disposition in INTAKE or rule.terms.get("snapshot") is True)


def _refusal(plan: Plan, track: Track, asked: Asked, stage: str, rule: Rule | None, at: datetime) -> Refusal:
    title = businesses()[asked.business].title
    if rule and rule.disposition == "retire":
        channel = plan.channel(asked.channel)
        reason = f"{channel.title if channel else title}已停用"
    elif stage == FROZEN:
        reason = f"{title}因系统切换暂停办理，恢复时间：{restart_says(track)}"
    elif stage == DRAIN:
        reason = f"{title}即将停机，只办结已开始的业务，不再新办；恢复时间：{restart_says(track)}"
    else:
        until = instant_says(rule.end, is_end=True) if rule and rule.end else TO_BE_ANNOUNCED
        reason = f"{title}暂不办理" + ("" if rule and rule.disposition == "alternate_channel" else f"，恢复时间：{until}")
    return refuse(
        WINDOW_STOPPED, reason, remedy=_what_to_do(plan, asked, rule, track, at),
        basis=f"{plan.name} v{plan.version} {rule.id if rule else track.code}",
    )


def _not_yet(plan: Plan, stage: Stage, asked: Asked) -> Refusal:
    title = businesses()[asked.business].title
    opens = f"，开放时间：{instant_says(stage.opens)}" if stage.opens else "，开放时间待公告"
    return refuse(
        WINDOW_STOPPED, f"{title}在分批恢复中，第 {stage.ordinal} 批（{stage.title}）尚未开放{opens}",
        remedy=_with_phone(plan, asked, "请在开放后办理"), basis=f"{plan.name} v{plan.version} stage {stage.ordinal}",
    )


def _what_to_do(plan: Plan, asked: Asked, rule: Rule | None, track: Track, at: datetime) -> str:
    """Return what the rules tell people who are refused: the rule's own words, then what may become of their bill."""
    told = [rule.says] if rule else []
    if businesses()[asked.business].positions:
        told += [r.says for r in may_fit(plan.rules, asked) if r.disposition in MONEY and holds(r, track, at)]
    return _with_phone(plan, asked, "；".join(dict.fromkeys(told)) or "请在恢复后办理")


def _with_phone(plan: Plan, asked: Asked, says: str) -> str:
    line = hotline_of(plan, business=asked.business, county=asked.county)
    says = says.rstrip("。")
    return f"{says}；{line.title}：{line.phone}" if line else says





def _first(rules: Iterable[Rule]) -> Rule | None:
    return next(iter(rules), None)


def _is_for(stage: Stage, asked: Asked) -> bool:
    return not stage.institutions or bool({asked.fixmedins_code, asked.institution} & set(stage.institutions) - {""})


def _is_open(stage: Stage, opened: Openings, at: datetime) -> bool:
    state = opened.states.get(stage.ordinal)
    return state == _OPENED or (state is None and stage.opens is not None and at >= stage.opens)


__all__ = [
    "ACCESS", "INTAKE", "LETS", "NOT_OPENED", "SEVERAL", "STOPS", "WINDOW_STOPPED", "fits", "holds", "judge",
    "money_rule", "place_of", "position_of", "rule_of", "sides", "specificity", "stage_closed_for", "stage_of",
]
