"""The notice of a plan in words, for people, employers and institutions, and as a short text for phones. Pure.

Every sentence is the plan's own or is made of its times and titles: nothing is typed a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from yibao.domains.notices.model import EMPLOYER, INSTITUTION, PERSON, VIEWS
from yibao.domains.windows.model import AFTER, DISPOSITIONS, MONEY, Plan, Rule, Track
from yibao.domains.windows.tables import businesses, channels
from yibao.domains.windows.words import instant_says, restart_says, stop_says
from yibao.usecases.notices.clauses import clauses
from yibao.usecases.notices.time_lines import since, time_lines, titles_of

PHONE_MOST = 500
"""Characters of the short text."""
_NUMBERS = "一二三四五六七八九十"
_FAMILIES = {EMPLOYER: ("agency", "collection", "online", "payment", "linked"),
             INSTITUTION: ("settlement", "remote", "institution", "payment", "linked", "online")}
_BEFORE = ("settle_before", "interim_settle", "cancel_and_reregister", "stock_up", "advance")
_TIME = ("extend_deadline", "waive_break")
_MORE = "其余事项见公告全文。"
_HEADS = {PERSON: "各位参保人：", EMPLOYER: "各参保单位：", INSTITUTION: "各定点医药机构："}


def long_text(plan: Plan, *, view: str = PERSON) -> str:
    """Return the notice as people, employers or institutions should read it.

    Raises:
        ValueError: there is no such view.
    """
    if view not in _HEADS:
        raise ValueError(f"no view {view}: {sorted(VIEWS)}")
    parts = [(title, lines) for title, lines in _parts(plan, view) if lines]
    body = [line for n, (title, lines) in enumerate(parts) for line in ("", f"{_NUMBERS[n]}、{title}", *lines)]
    return "\n".join([plan.title, *_opening(plan), _HEADS[view], *body, "", *_closing(plan)]) + "\n"


def phone_text(plan: Plan) -> str:
    """Return the notice in at most 500 characters: first what to do, then the times and the telephones."""
    times = _times(plan)
    phones = "；".join(dict.fromkeys(f"{h.title}{h.phone}" for h in plan.hotlines))
    head, tail = f"【{plan.title}】", f"咨询：{phones}。" if phones else ""
    if len(head) + len(times) + len(tail) + len(_MORE) > PHONE_MOST // 2:
        times = _whole(plan.tracks)
    said = list(dict.fromkeys(_sentence(r.says) for r in sorted(plan.rules, key=_urgency)))
    room = PHONE_MOST - len(head) - len(times) - len(tail) - len(_MORE)
    taken = ""
    for number, sentence in enumerate(said, 1):
        if len(taken) + len(f"{number}.{sentence}") > room:
            return f"{head}{taken}{_MORE}{times}{tail}"[:PHONE_MOST]
        taken += f"{number}.{sentence}"
    return f"{head}{taken}{times}{tail}"


def rules_for(plan: Plan, view: str) -> list[Rule]:
    """Return the rules that a view tells of: those about its businesses, and those that speak to it by name."""
    families = _FAMILIES.get(view)
    if families is None:
        return [r for r in plan.rules if not _is_theirs(r)]
    return [
        r for r in plan.rules
        if _own_words(r, view) or not r.when.business or any(businesses()[b].track in families for b in r.when.business)
    ]


def words_for(rule: Rule, view: str) -> str:
    """Return what a rule says in a view."""
    return _sentence(_own_words(rule, view) or rule.says)


def _opening(plan: Plan) -> Iterator[str]:
    if plan.announced_on:
        yield f"（{plan.announced_on}）"
    if plan.amends:
        yield f"（第{plan.version}版，代替第{plan.amends}版。{_sentence(plan.reason)}）"


def _parts(plan: Plan, view: str) -> Iterator[tuple[str, list[str]]]:
    rules = rules_for(plan, view)
    yield "停办和恢复时间", [f"{'、'.join(titles)}：{times}" for times, titles in _by_times(plan).items()]
    yield "停机系统范围", [f"{'；'.join(plan.systems)}。"] if plan.systems else []
    yield "停机前请先办理", _numbered(_rule_line(plan, r, view) for r in rules if r.disposition in _BEFORE)
    yield "停机期间办理", _numbered(
        _rule_line(plan, r, view) for r in rules
        if r.disposition not in (*_BEFORE, *_TIME, "retire") and not _is_later(r)
    )
    yield "恢复以后办理", _numbered(
        _rule_line(plan, r, view) for r in rules if _is_later(r) and r.disposition not in (*_BEFORE, *_TIME)
    )
    yield "时限和待遇", _numbered(_rule_line(plan, r, view) for r in rules if r.disposition in _TIME)
    yield "停用的渠道", _numbered([
        *(_rule_line(plan, r, view) for r in rules if r.disposition == "retire"),
        *(f"{c.title}停用，改用{c.successor}。" for c in plan.channels if c.successor),
    ])
    yield "各项业务办理时间", _numbered(time_lines(plan, clauses(plan)))
    yield "登记造册", [f"{r.title}（{'定点医药机构' if r.keeper == 'institution' else '经办机构'}登记）"
                  f"{f'：{r.answer_within}答复' if r.answer_within else ''}。" for r in plan.registers]
    yield "分批恢复", [
        f"第{s.ordinal}批：{s.title}（{'、'.join(businesses()[b].title for b in s.business)}），"
        f"{f'{instant_says(s.opens)}起开放' if s.opens else '开放时间待公告'}。" for s in plan.stages
    ]
    yield "咨询电话", [f"{h.title}：{h.phone}" for h in plan.hotlines]


def _closing(plan: Plan) -> Iterator[str]:
    yield plan.published_by


def _rule_line(plan: Plan, rule: Rule, view: str) -> str:
    """Return a rule as a line: what it is about, what holds, and its own words."""
    titles = titles_of(plan, rule.when.business)
    through = "、".join(_channel_title(plan, c) for c in rule.when.channel)
    about = "，".join(part for part in (through, titles) if part)
    return f"{about}（{DISPOSITIONS[rule.disposition]}）：{words_for(rule, view)}" if about else words_for(rule, view)


def _channel_title(plan: Plan, code: str) -> str:
    named = plan.channel(code)
    return named.title if named else channels()[code].title if code in channels() else code


def _numbered(lines: Iterable[str]) -> list[str]:
    return [f"（{n}）{line}" for n, line in enumerate(dict.fromkeys(lines), 1)]


def _by_times(plan: Plan) -> dict[str, list[str]]:
    """Return the titles of tracks by their times: what stops and comes back together is said together."""
    found: dict[str, list[str]] = {}
    for track in plan.tracks:
        found.setdefault(f"{_span(track)}。{_stages(track)}", []).append(track.title)
    return found


def _times(plan: Plan) -> str:
    """Return the times in short: of all tracks, or of each kind of track where they differ."""
    found: dict[str, list[str]] = {}
    for track in plan.tracks:
        found.setdefault(_span(track), []).append(track.title)
    return "".join(f"{'、'.join(titles) if len(found) > 1 else ''}{span}。" for span, titles in found.items())


def _span(track: Track) -> str:
    return f"{since(stop_says(track))}起暂停，恢复时间{restart_says(track)}"


def _stages(track: Track) -> str:
    """Return the stages of a track around its stop."""
    said = ""
    if track.last_call:
        said += f"{instant_says(track.last_call)}起为停机前最后办理时间。"
    if track.drain:
        said += f"{instant_says(track.drain)}起只办结已开始的业务，不再新办。"
    if track.normal:
        said += f"恢复后至{instant_says(track.normal, is_end=True)}逐步恢复。"
    return said


def _whole(tracks: Iterable[Track]) -> str:
    """Return the first stop and the last restart of all tracks."""
    found = list(tracks)
    first = min(found, key=lambda t: t.stop)
    known = [t for t in found if t.restart is not None]
    if len(known) < len(found):
        return f"{since(stop_says(first))}起陆续暂停，部分业务恢复时间待公告。"
    last = max(known, key=lambda t: t.restart or t.stop)
    return f"{since(stop_says(first))}起陆续暂停，{since(restart_says(last))}前陆续恢复。"


def _is_later(rule: Rule) -> bool:
    return rule.phase == (AFTER,) or bool(rule.when.cause)


def _is_theirs(rule: Rule) -> bool:
    """Say whether a rule speaks to nobody but employers or institutions."""
    return bool(rule.when.business) and all(businesses()[b].track == "institution" for b in rule.when.business)


def _own_words(rule: Rule, view: str) -> str:
    return {EMPLOYER: rule.says_employer, INSTITUTION: rule.says_institution}.get(view, "")


def _urgency(rule: Rule) -> int:
    """Order rules by what a reader has to do: before the stop, with a bill, later, and what merely holds."""
    if rule.disposition in _BEFORE:
        return 0
    if rule.disposition in MONEY:
        return 1
    if rule.disposition in _TIME:
        return 3
    return 2 if rule.disposition != "suspend" else 4


def _sentence(text: str) -> str:
    return text if text.endswith(("。", "！", "？")) else f"{text}。"
