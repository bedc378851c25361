"""Show the effect of a plan on named sample cases day by day, without a database: what each would be told, and why."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import StringIO

import msgspec

from yibao.domains.windows.gate import ACCESS, judge, money_rule, position_of, rule_of, stage_of
from yibao.domains.windows.model import DISPOSITIONS, FROZEN, NOT_OPENED, STAGES, Asked, Plan, Sample, Track
from yibao.domains.windows.tables import businesses
from yibao.domains.windows.words import day_says, read_instant
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Fault, Refusal

_DAY = timedelta(days=1)
_DAYS_AROUND = 1
_NOON = 12
_BAD = "SAMPLE_NOT_READABLE"


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a case on one day, asked at noon; days on which nothing changes are left out.

    Attributes:
        answer: ``open``, ``advised``, ``registered`` or ``refused``; ``says``: what the person is told.
        rules: ids of the rules that hold.
    """

    day: str
    at: datetime
    stage: str
    answer: str
    says: str
    rules: tuple[str, ...]


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """The effect of a plan on one case.

    Attributes:
        position: ``P1`` to ``P9``, ``""`` where the stop does not touch the episode or it is none.
        disposition: what becomes of the bill, with the rule and its words.
    """

    name: str
    psn: str
    business: str
    position: str
    disposition: str
    disposition_says: str
    rule: str
    says: str
    days: tuple[Day, ...]


def dry_run(plan: Plan, samples: Sequence[Sample]) -> tuple[Effect, ...]:
    """Return the effect of a plan on each case, in their order."""
    return tuple(_effect(plan, sample) for sample in samples)


def read_samples(text: str, admdvs: str) -> tuple[Sample, ...] | Refusal:
    """Return the cases of a CSV: ``name,psn,begin,end,is_filed,can_end,business,channel`` and any other fact of a request."""
    facts = {f.name for f in msgspec.structs.fields(Asked)} - {"admdvs", "urgent", "amount_fen"}
    found, faults = [], []
    for number, row in enumerate(csv.DictReader(StringIO(text)), 2):
        begin, end = read_instant(row.get("begin") or ""), read_instant(row.get("end") or "")
        business = row.get("business") or ""
        for key, is_wrong in (("begin", begin is None), ("business", business not in businesses()),
                              ("channel", not row.get("channel")), ("end", bool(row.get("end")) and end is None),
                              ("amount_fen", not (row.get("amount_fen") or "0").isdecimal())):
            if is_wrong:
                faults.append(Fault(_BAD, "缺少或不认识", f"第 {number} 行 {key}", row.get(key) or "", "请照表头补上"))
        asked = Asked(
            admdvs=admdvs, urgent=row.get("urgent") == "1",
            amount_fen=int(amount) if (amount := row.get("amount_fen") or "").isdecimal() else None,
            **{name: row.get(name) or "" for name in facts},
        )
        found.append(Sample(
            name=row.get("name") or f"第 {number} 行", psn=row.get("psn") or "", end=end, asked=asked,
            begin=begin or datetime.max.replace(tzinfo=SHANGHAI), is_filed=row.get("is_filed") == "1",
            can_end=row.get("can_end") == "1",
        ))
    return Refusal(tuple(faults)) if faults else tuple(found)


def _effect(plan: Plan, sample: Sample) -> Effect:
    track = plan.track_of(sample.asked.business)
    business = businesses()[sample.asked.business]
    position = ""
    if track and business.positions:
        position = position_of(
            track, begin=sample.begin, end=sample.end, is_remote=business.track == "remote", is_filed=sample.is_filed,
            can_end=sample.can_end,
        )
    asked = msgspec.structs.replace(sample.asked, position=position)
    touched = bool(position or sample.asked.cause)
    money = None
    if business.positions and touched:
        money = money_rule(plan, asked) or rule_of(plan, asked, "late_file")
    return Effect(
        name=sample.name, psn=sample.psn, business=business.title, position=position,
        disposition=money.disposition if money else "", rule=money.id if money else "",
        disposition_says=DISPOSITIONS[money.disposition] if money else "照常", says=money.says if money else "",
        days=tuple(_days(plan, track, sample, asked)) if track else (),
    )


def _days(plan: Plan, track: Track, sample: Sample, asked: Asked) -> Iterator[Day]:
    """Give the days from a day before the case to a day after its end or the restart, as far as something changes."""
    last = max(t for t in (sample.begin, sample.end, track.restart) if t) + _DAYS_AROUND * _DAY
    at = (sample.begin - _DAYS_AROUND * _DAY).astimezone(SHANGHAI).replace(hour=_NOON, minute=0, second=0, microsecond=0)
    before: tuple[str, str] | None = None
    while at <= last:
        judged = judge(plan, NOT_OPENED, asked, at)
        answer, says = "open", ""
        if judged.refusal:
            answer, says = "refused", judged.refusal.sentence()
        elif judged.intake:
            answer, says = "registered", "；".join(judged.advice)
        elif judged.advice:
            answer, says = "advised", "；".join(judged.advice)
        elif judged.stage == FROZEN:
            says = next((h.rule.says for h in judged.hits if h.rule.disposition in ACCESS), "")
        if (answer, says) != before:
            yield Day(
                day=day_says(at.date()), at=at, stage=STAGES[stage_of(track, at)], answer=answer, says=says,
                rules=tuple(h.rule.id for h in judged.hits),
            )
        before = (answer, says)
        at += _DAY
