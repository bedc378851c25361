"""Checks of a plan's times: order of stages, times as they are written, weekdays, tracks that gap or overlap. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from yibao.domains.windows.checking import FAULT, NOTE, Finding
from yibao.domains.windows.model import Plan, Track
from yibao.domains.windows.tables import businesses
from yibao.domains.windows.words import instant_says, wrong_weekdays
from yibao.kernel.business_time import SHANGHAI

_SAID = re.compile(r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日(?:\s*[（(][^）)]*[）)])?\s*(?:(\d{1,2})[:：](\d{2}))?")
_ENDLESS = "STAGE_WITHOUT_END"
_PROVINCES = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12]")
"""First two digits of a division code (GB/T 2260)."""


def check_head(plan: Plan) -> Iterator[Finding]:
    """Find regions and counties that do not exist, a plan nobody can ask about, a version that does not follow."""
    if not _PROVINCES.fullmatch(plan.admdvs[:2]):
        yield Finding(code="UNKNOWN_REGION", says=f"没有区划 {plan.admdvs}", proposal="请写统筹区的 6 位区划", key="admdvs")
    if not plan.tracks:
        yield Finding(code="NO_TRACK", says="方案没有任何轨道，什么也不会停", proposal="请写至少一个 [[track]]")
    if not plan.hotlines:
        yield Finding(code="NO_HOTLINE", says="方案没有咨询电话", proposal="请写至少一个 [[hotline]]")
    if plan.version < 1 or plan.amends >= plan.version:
        yield Finding(code="VERSION_DOES_NOT_FOLLOW", says=f"第 {plan.version} 版不能替代第 {plan.amends} 版",
                      proposal="版本从 1 起，替代的版本必须在前", key="version")
    if plan.amends and not plan.reason:
        yield Finding(code="NO_REASON", says="修订没有写原因", proposal="请写 reason", key="reason")
    for ordinal, rule in enumerate(plan.rules):
        for county in rule.when.county:
            if county[:4] != plan.admdvs[:4]:
                yield Finding(code="UNKNOWN_REGION", says=f"{county} 不在统筹区 {plan.admdvs} 内",
                              proposal="请写本统筹区的县区", block="rule", ordinal=ordinal, key="when.county", name=rule.id)


def check_tracks(plan: Plan) -> Iterator[Finding]:
    """Find tracks whose times run backwards, businesses that stop twice, and businesses of which nothing is said."""
    owner: dict[str, str] = {}
    for ordinal, track in enumerate(plan.tracks):
        for code, says, proposal, key in _backwards(track):
            yield Finding(code=code, says=f"{track.title}：{says}", proposal=proposal, block="track", ordinal=ordinal,
                          key=key, name=track.code)
        for business in track.business:
            if business in owner:
                title = businesses()[business].title
                yield Finding(code="OVERLAP", says=f"{title}同时在轨道 {owner[business]} 和 {track.code}",
                              proposal=f"请在其中一个轨道写 \"-{business}\"", block="track", ordinal=ordinal,
                              key="business", name=track.code, cell=(business,))
            owner.setdefault(business, track.code)
        if not track.business:
            yield Finding(code="EMPTY_TRACK", says=f"{track.title}没有任何业务", proposal="请写 business", block="track",
                          ordinal=ordinal, name=track.code)
    going_on = {b for r in plan.rules if r.disposition == "continue" for b in r.when.business}
    for code, known in businesses().items():
        if code not in owner and code not in going_on:
            yield Finding(code="GAP", says=f"没有说{known.title}停不停", cell=(code,),
                          proposal=f"请把 \"{code}\" 放进一个轨道，或写一条 continue 规则")


def check_words(plan: Plan) -> Iterator[Finding]:
    """Find weekdays that are wrong and times written differently from what holds."""
    year = min((t.stop for t in plan.tracks), default=datetime(1970, 1, 1, tzinfo=SHANGHAI)).astimezone(SHANGHAI).year
    for block, ordinal, key, name, text in _texts(plan):
        for said, right in wrong_weekdays(text, year):
            yield Finding(code="WRONG_WEEKDAY", says=f"“{said}”的星期不对", proposal=f"应为{right}", block=block,
                          ordinal=ordinal, key=key, name=name)
    for ordinal, track in enumerate(plan.tracks):
        for key, says, at in (("stop_says", track.stop_says, track.stop), ("restart_says", track.restart_says, track.restart)):
            if at is not None and says and not _says_so(says, at):
                yield Finding(code="SAYS_ANOTHER_TIME", says=f"{track.title}：写的是“{says}”，实际是 {instant_says(at)}",
                              proposal="请改成一致", block="track", ordinal=ordinal, key=key, name=track.code)


def check_stages(plan: Plan) -> Iterator[Finding]:
    """Find stages of the reopening that open before the restart, repeat a number, or open what never stops."""
    seen: set[int] = set()
    for ordinal, stage in enumerate(plan.stages):
        tracks = {t.code: t for b in stage.business if (t := plan.track_of(b))}
        found: list[tuple[str, str, str, str]] = []
        if stage.ordinal in seen:
            found.append(("STAGE_TWICE", "写了两次", "请改序号", "ordinal"))
        seen.add(stage.ordinal)
        if not tracks:
            found.append(("STAGE_OF_NOTHING", "没有停过的业务", "请写 business", "business"))
        for track in tracks.values():
            if stage.opens and (track.restart is None or stage.opens < track.restart):
                found.append(("STAGE_BEFORE_RESTART", f"早于{track.title}的恢复时间", "请改到恢复之后", "opens"))
            if track.normal is None:
                found.append((_ENDLESS, f"之后{track.title}没有写何时全面恢复", "请写 normal，否则由经办人逐批开放", "business"))
        for code, says, proposal, key in found:
            yield Finding(code=code, says=f"第 {stage.ordinal} 批{says}", proposal=proposal, block="stage", key=key,
                          ordinal=ordinal, name=str(stage.ordinal), level=NOTE if code == _ENDLESS else FAULT)


def _backwards(track: Track) -> Iterator[tuple[str, str, str, str]]:
    if track.restart is not None and track.restart <= track.stop:
        yield "RESTART_BEFORE_STOP", "恢复时间不晚于停止时间", "请核对两个时间", "restart"
    if track.last_call and track.last_call >= track.stop:
        yield "LAST_CALL_TOO_LATE", "最后办理期不早于停止时间，没有人来得及", "请提前 last_call", "last_call"
    if track.drain and not (track.last_call or track.drain) <= track.drain < track.stop:
        yield "DRAIN_OUT_OF_ORDER", "只收尾的时间应在最后办理期和停止时间之间", "请核对 drain", "drain"
    if track.normal and (track.restart is None or track.normal < track.restart):
        yield "NORMAL_BEFORE_RESTART", "全面恢复早于恢复时间", "请核对 normal", "normal"
    if track.expected and track.expected <= track.stop:
        yield "RESTART_BEFORE_STOP", "预计恢复时间不晚于停止时间", "请核对 expected", "expected"
    if track.restart is None and not track.expected and not track.restart_says:
        yield "RESTART_NOT_SAID", "恢复时间待公告，也没有预计时间和说法", "请写 expected 或 restart_says", "restart"


def _texts(plan: Plan) -> Iterator[tuple[str, int, str, str, str]]:
    yield "", 0, "title", "", plan.title
    for ordinal, track in enumerate(plan.tracks):
        yield "track", ordinal, "stop_says", track.code, track.stop_says
        yield "track", ordinal, "restart_says", track.code, track.restart_says
    for ordinal, rule in enumerate(plan.rules):
        for key in ("says", "says_employer", "says_institution"):
            yield "rule", ordinal, key, rule.id, getattr(rule, key)


def _says_so(says: str, at: datetime) -> bool:
    """Say whether a text names an instant: by its day and, if it has one, its hour; a text without a day names any."""
    found = _SAID.search(says)
    if found is None:
        return True
    local = at.astimezone(SHANGHAI)
    as_end = instant_says(at, is_end=True)
    for said in (instant_says(at), as_end):
        again = _SAID.search(said)
        assert again is not None
        hour = found[4] is None or (int(found[4]), found[5]) == (int(again[4]), again[5])
        if found.group(2, 3) == again.group(2, 3) and hour and (found[1] is None or int(found[1]) == local.year):
            return True
    return False
