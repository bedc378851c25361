"""Checks of each rule for itself: may it ever hold, and can those whom it asks something of do it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from yibao.domains.windows.checking import NOTE, Finding
from yibao.domains.windows.gate import INTAKE, stage_of
from yibao.domains.windows.model import AFTER, DRAIN, FROZEN, LAST_CALL, MONEY, RESTRICTED, Plan, Rule, Track
from yibao.domains.windows.tables import BEGINS, businesses, channels
from yibao.domains.windows.terms import day_of, instant_of, words_of
from yibao.domains.windows.words import instant_says
from yibao.kernel.business_time import SHANGHAI

Problem = tuple[str, str, str, str]
"""Code, what is wrong, proposal, key."""
_NOTES = frozenset({"NO_LIMIT", "SAYS_NOTHING_WHY"})
_BACKFILLS = ("pay_full_backfill", "hold_open", "deposit", "capture_credential")
_WAYS = {"fixed_date": "date", "until": "condition", "months": "months"}


def check_rules(plan: Plan) -> Iterator[Finding]:
    """Find rules that never hold, that name what the plan does not have, or that no one can meet."""
    for ordinal, rule in enumerate(plan.rules):
        tracks = _tracks(plan, rule)
        problems = [*_never(rule, tracks), *_names(plan, rule), *_registers(plan, rule)]
        if tracks:
            problems += [*_deadlines(rule, tracks), *_desks(plan, rule, tracks)]
        for code, says, proposal, key in problems:
            yield Finding(code=code, says=f"{rule.id}：{says}", proposal=proposal, block="rule", ordinal=ordinal, key=key,
                          name=rule.id, level=NOTE if code in _NOTES else "fault")


def check_channels(plan: Plan) -> Iterator[Finding]:
    """Find channels on a track that the plan does not have, and retired ones without a successor that works."""
    for ordinal, channel in enumerate(plan.channels):
        if channel.track and plan.track(channel.track) is None:
            yield Finding(code="UNKNOWN_TRACK", says=f"{channel.title}的轨道 {channel.track} 不存在", proposal="请写方案里的轨道",
                          block="channel", ordinal=ordinal, key="track", name=channel.code)
        known = {*channels(), *(c.code for c in plan.channels)}
        if channel.successor and channel.successor not in known:
            yield Finding(code="UNKNOWN_CHANNEL", says=f"{channel.title}的替代渠道 {channel.successor} 不存在",
                          proposal=f"可用：{'、'.join(sorted(known))}", block="channel", ordinal=ordinal, key="successor",
                          name=channel.code)


def _tracks(plan: Plan, rule: Rule) -> list[Track]:
    of_business = [t for t in plan.tracks if set(t.business) & set(rule.when.business)]
    if rule.when.business:
        return of_business
    named = {c.track for c in plan.channels if c.code in rule.when.channel}
    return [t for t in plan.tracks if t.code in named] if rule.when.channel else list(plan.tracks)


def _never(rule: Rule, tracks: list[Track]) -> Iterator[Problem]:
    if not rule.phase:
        yield "NO_PHASE", "没有写在哪个阶段有效", "请写 phase", "phase"
    if rule.begin and rule.end and rule.begin >= rule.end:
        yield "RULE_NEVER", "开始时间不早于截止时间", "请核对 begin 和 end", "end"
    if not tracks:
        yield "RULE_NEVER", "所涉业务或渠道不在任何轨道里", "请把它们放进一个轨道，或删去这条规则", "when.business"
        return
    has = {
        LAST_CALL: any(t.last_call for t in tracks), DRAIN: any(t.drain for t in tracks),
        RESTRICTED: any(t.normal for t in tracks), AFTER: any(t.restart for t in tracks),
    }
    for phase in rule.phase:
        if not has.get(phase, True) and not any(has.get(p, True) for p in rule.phase):
            yield "RULE_NEVER", f"轨道没有 {phase} 阶段", "请写轨道的相应时间，或改 phase", "phase"
    if rule.phase == (FROZEN,) and rule.begin and all(t.restart and rule.begin >= t.restart for t in tracks):
        yield "RULE_NEVER", "开始时已经恢复", "请改 begin 或 phase", "begin"


def _names(plan: Plan, rule: Rule) -> Iterator[Problem]:
    known = {*channels(), *(c.code for c in plan.channels)}
    for channel in (*rule.when.channel, *words_of(rule, "channel")):
        if channel not in known:
            yield "UNKNOWN_CHANNEL", f"没有渠道 {channel}", f"可用：{'、'.join(sorted(known))}", "when.channel"
    if rule.disposition in MONEY:
        for business in rule.when.business:
            missing = set(rule.when.position) - set(businesses()[business].positions)
            if not businesses()[business].positions or (missing == set(rule.when.position) and missing):
                yield ("MONEY_WITHOUT_BILL", f"{businesses()[business].title}没有这样的费用", "请从 when.business 中去掉",
                       "when.business")
    if rule.mark == "assumed" and not rule.terms.get("assumed_why"):
        yield "SAYS_NOTHING_WHY", "推定的规则没有写理由", "请写 terms.assumed_why", "mark"


def _registers(plan: Plan, rule: Rule) -> Iterator[Problem]:
    if rule.disposition in (*INTAKE, "institution_register"):
        kept = rule.terms.get("register")
        if not kept:
            yield "NO_REGISTER", "收件没有写登记在哪本台账", "请写 terms.register", "terms.register"
        elif kept not in {r.kind for r in plan.registers}:
            yield "REGISTER_NOT_KEPT", f"方案没有台账 {kept}", "请写一个 [[register]]", "terms.register"
    if rule.disposition in INTAKE:
        for business in rule.when.business:
            if businesses()[business].kind not in BEGINS:
                yield ("NOTHING_TO_TAKE_IN", f"{businesses()[business].title}不是申请，不能收件",
                       "请从 when.business 中去掉", "when.business")


def _deadlines(rule: Rule, tracks: list[Track]) -> Iterator[Problem]:
    stop = min(t.stop for t in tracks)
    restart = max((t.restart for t in tracks if t.restart), default=None)
    by = instant_of(rule, "by")
    if rule.disposition == "settle_before":
        if by and by > stop:
            yield "CANNOT_BE_MET", f"最迟结清时间晚于停止时间 {instant_says(stop)}", "请提前 terms.by", "terms.by"
        if rule.phase == (LAST_CALL,) and any(t.last_call is None or t.last_call >= t.stop for t in tracks):
            yield "CANNOT_BE_MET", "停机前结清，却没有最后办理期", "请写轨道的 last_call", "phase"
    if rule.disposition == "advance" and by and by > stop:
        yield "CANNOT_BE_MET", "提前支付的期限晚于停止时间", "请提前 terms.by", "terms.by"
    if rule.disposition == "extend_deadline":
        yield from _extension(rule, restart)
    for term in ("settle_by", "pay_by", "to", "until"):
        last = _last_instant(rule, term)
        if rule.disposition == "stock_up" and last and last <= stop:
            yield "CANNOT_BE_MET", "备药在停机前就截止了", "请推迟 terms.until", "terms.until"
        elif rule.disposition != "stock_up" and last and restart and last <= restart:
            yield "CANNOT_BE_MET", f"截止时间早于恢复时间 {instant_says(restart)}", f"请推迟 terms.{term}", f"terms.{term}"
    begin, end = instant_of(rule, "from"), _last_instant(rule, "to")
    if begin and end and begin >= end:
        yield "CANNOT_BE_MET", "开始时间不早于截止时间", "请核对 terms.from 和 terms.to", "terms.from"
    if rule.disposition in _BACKFILLS and not rule.when.cause and not {"settle_by", "months"} & rule.terms.keys():
        yield "NO_LIMIT", "没有写补录截止日", "请写 terms.settle_by", "terms"


def _extension(rule: Rule, restart: datetime | None) -> Iterator[Problem]:
    way = rule.terms.get("way")
    needs = _WAYS.get(str(way), "")
    if not way:
        yield "CANNOT_BE_MET", "没有写怎样顺延", "请写 terms.way", "terms.way"
    elif needs and needs not in rule.terms:
        yield "CANNOT_BE_MET", f"{way} 缺少 {needs}", f"请写 terms.{needs}", "terms.way"
    last = _last_instant(rule, "date")
    if last and restart and last <= restart:
        yield "CANNOT_BE_MET", f"顺延到的日期早于恢复时间 {instant_says(restart)}", "请推迟 terms.date", "terms.date"
    if way == "months" and restart is None:
        yield "CANNOT_BE_MET", "恢复时间待公告，算不出恢复后几个月", "请改用 until，或写明恢复时间", "terms.way"


def _desks(plan: Plan, rule: Rule, tracks: list[Track]) -> Iterator[Problem]:
    """Find papers asked of an office that is closed, other channels that do not work, channels retired for nothing."""
    if rule.disposition in INTAKE and rule.when.channel and all(_closed(plan, c, tracks) for c in rule.when.channel):
        yield "OFFICE_CLOSED", "收件的渠道自己也停了", "请写一个开着的渠道，如 window", "when.channel"
    if rule.disposition == "alternate_channel":
        others = words_of(rule, "channel")
        if not others:
            yield "NO_SUCCESSOR", "没有写改走哪个渠道", "请写 terms.channel", "terms.channel"
        elif set(others) & set(rule.when.channel):
            yield "NO_SUCCESSOR", "让人改走的正是这个渠道", "请写另一个渠道", "terms.channel"
        elif FROZEN in rule.phase and all(_closed(plan, channel, tracks) for channel in others):
            yield "OFFICE_CLOSED", "让人改走的渠道也停了", "请写一个开着的渠道", "terms.channel"
    if rule.disposition == "retire":
        successors = [c.successor for c in plan.channels if c.code in rule.when.channel]
        if not rule.terms.get("successor") and not (successors and all(successors)):
            yield "NO_SUCCESSOR", "渠道停用，没有写替代的", "请写 terms.successor 或渠道的 successor", "terms.successor"


def _closed(plan: Plan, code: str, tracks: list[Track]) -> bool:
    channel = plan.channel(code)
    own = plan.track(channel.track) if channel and channel.track else None
    return own is not None and all(stage_of(own, t.stop) == FROZEN for t in tracks)


def _last_instant(rule: Rule, term: str) -> datetime | None:
    """Return the end of a term: of a date the end of that day, which still counts."""
    said = rule.terms.get(term)
    if not isinstance(said, str):
        return None
    at = instant_of(rule, term)
    if at is None:
        return None
    is_date = len(said) == len("2021-10-18")
    day = day_of(rule, term) if is_date else None
    return datetime.combine(day, time.min, SHANGHAI) + timedelta(days=1) if day else at
