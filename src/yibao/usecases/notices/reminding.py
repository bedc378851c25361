"""Reminders before a stop, in words: one for each addressee and rule, naming what is open. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from yibao.domains.notices.model import Message
from yibao.domains.windows.model import Plan, Track
from yibao.domains.windows.words import hotline_of, restart_says, stop_says
from yibao.kernel.money import yuan_text
from yibao.usecases.notices.concerns import (
    APPLICATION,
    CHRONIC,
    DUES,
    NEGOTIATED,
    STAY_ENDED,
    STAY_OPEN,
    TRANSFER,
    USER,
    VISIT,
    Concern,
)
from yibao.usecases.notices.time_lines import since
from yibao.usecases.notices.writing import words_for

_Open = Sequence[Concern]


def reminders(plan: Plan, concerns: Iterable[Concern]) -> list[Message]:
    """Return the messages of the concerns of a plan, in the order of addressees and rules."""
    grouped: dict[tuple[str, str, str, str], list[Concern]] = {}
    for one in concerns:
        grouped.setdefault((one.psn_no, one.emp_no, one.fixmedins_code, one.rule), []).append(one)
    return [_message(plan, found) for _, found in sorted(grouped.items())]


def track_words(plan: Plan, track: Track) -> str:
    """Return what stops and when, with its end."""
    return f"【{plan.title}】{track.title}{since(stop_says(track))}起暂停，恢复时间{restart_says(track)}。"


def phone_words(plan: Plan, business: str = "", county: str = "") -> str:
    """Return the telephone for a business, ``""`` where the plan has none."""
    line = hotline_of(plan, business=business, county=county)
    return f"{line.title}：{line.phone}。" if line else ""


def _message(plan: Plan, found: _Open) -> Message:
    first = found[0]
    rule, track = plan.rule(first.rule), plan.track(first.track)
    assert rule is not None
    assert track is not None
    view = "institution" if first.fixmedins_code else "employer" if first.emp_no else "person"
    whom = {"institution": "贵机构", "employer": "贵单位", "person": "您"}[view]
    said = "；".join(_said(group, some, view) for group, some in _by_group(found).items())
    text = f"{track_words(plan, track)}{whom}{said}。{words_for(rule, view)}{phone_words(plan, first.business)}"
    return Message(
        admdvs=plan.admdvs, kind="last_call", text=text, psn_no=first.psn_no, emp_no=first.emp_no,
        fixmedins_code=first.fixmedins_code, plan=plan.name, version=plan.version, rule=rule.id,
    )


def _by_group(found: _Open) -> dict[str, list[Concern]]:
    groups: dict[str, list[Concern]] = {}
    for one in found:
        groups.setdefault(one.group, []).append(one)
    return groups


def _said(group: str, found: _Open, view: str) -> str:
    words = _WORDS.get((group, view == "institution")) or _WORDS[group, False]
    return words(found)


def _sum(found: _Open) -> str:
    return f"{yuan_text(sum(c.amount_fen for c in found))}元"


def _places(found: _Open) -> str:
    return "、".join(dict.fromkeys(f"{c.on_day:%Y-%m-%d}在{c.name}" for c in found))


# A message may be read by others over a shoulder: it names no disease and no drug.
_WORDS: Mapping[tuple[str, bool], Callable[[_Open], str]] = {
    (STAY_ENDED, False): lambda f: f"{_places(f)}入院的住院已出院，尚未结算",
    (STAY_OPEN, False): lambda f: f"{_places(f)}入院，正在住院",
    (VISIT, False): lambda f: f"{_places(f)}的门诊费用{_sum(f)}尚未结算",
    (STAY_ENDED, True): lambda f: f"有{len(f)}名患者已出院、尚未结算，费用{_sum(f)}",
    (STAY_OPEN, True): lambda f: f"有{len(f)}名住院患者",
    (VISIT, True): lambda f: f"有{len(f)}笔门诊费用{_sum(f)}尚未结算",
    (DUES, False): lambda f: f"有{len(f)}张缴费单共{_sum(f)}尚未缴纳",
    (APPLICATION, False): lambda f: f"有{len(f)}件申请尚未办结（{'、'.join(c.about for c in f)}）",
    (TRANSFER, False): lambda f: f"有{len(f)}件医保关系转移接续尚未办结",
    (CHRONIC, False): lambda _: "已办理门诊慢特病认定",
    (NEGOTIATED, False): lambda _: "近期使用过谈判药",
    (USER, False): lambda f: f"曾通过将停用的渠道办理业务（{len(f)}个渠道）",
}
