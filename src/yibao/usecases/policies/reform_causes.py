"""Finds why a person pays more or less after a change: the counter's own decisions, compared step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.columns.classes import LIST_SEPARATOR
from yibao.policy.decide import decide
from yibao.policy.decision import Decision, Used
from yibao.policy.law.parameters import RegionPolicy

_MED_TYPES = {"11": "普通门诊", "13": "急诊", "14": "门诊慢特病", "21": "住院"}
_LEVELS = {"1": "一级", "2": "二级", "3": "三级"}
_SAME = "规则相同，年内累计或账户结余因前次就诊而不同"


class Cause(msgspec.Struct, frozen=True):
    """Why a person's year differs.

    Attributes:
        visit: the first visit that a changed row decides otherwise, in Chinese.
        rules: ids of the rows that differ there.
        sentence: what differs, in Chinese.
    """

    visit: str
    rules: tuple[str, ...]
    sentence: str


def cause_of(
    visits: Sequence[Mapping[str, Any]], laws: tuple[RegionPolicy, RegionPolicy], *, balance: int, parts: tuple[int, int]
) -> Cause:
    """Decide a person's visits one by one under two laws and return what first makes the difference.

    That is the first visit that a changed row decides otherwise and that moves what the person pays the way the whole
    year moves; where there is none, the first that a changed row decides otherwise, or the first that differs at all.

    Args:
        visits: rows of the frame that the columns decided, in order of service.
        balance: of the own account before the first visit, fen.
        parts: what the columns found that the person pays under each law.

    Raises:
        AssertionError: the counter's decisions add up to something else than the columns did: a defect.
    """
    sides = [_Side(law, balance) for law in laws]
    found, best = Cause("", (), "逐次演算没有差别"), 0
    falls = parts[1] < parts[0]
    for visit in visits:
        before, after = (side.decide(visit) for side in sides)
        cause = _difference(visit, before, after)
        if cause is not None:
            along = (_part(visit, after) < _part(visit, before)) == falls
            weight = 1 + (2 if cause.rules else 0) + along
            if weight > best:
                found, best = cause, weight
    if tuple(side.part for side in sides) != parts:
        raise AssertionError(f"columns and counter differ: {parts}, {[side.part for side in sides]}")
    return found


class _Side:
    """One law, with what the person has used and paid under it so far."""

    def __init__(self, policy: RegionPolicy, balance: int) -> None:
        self._policy = policy
        self._counters: dict[str, int] = {}
        self._balance = balance
        self.part = 0

    def decide(self, visit: Mapping[str, Any]) -> Decision | Refusal:
        """Decide the next visit; what the law does not grant the person pays."""
        case = case_of(visit, self._policy.admdvs, counters=dict(self._counters), balance=self._balance)
        decided = decide(case, self._policy)
        self.part += _part(visit, decided)
        if isinstance(decided, Refusal):
            return decided
        for change in decided.counters:
            if not change.code.endswith("#stay"):
                self._counters[change.code] = self._counters.get(change.code, 0) + change.delta
        self._balance -= decided.account_pay
        return decided


def case_of(visit: Mapping[str, Any], admdvs: str, *, counters: dict[str, int], balance: int) -> Case:
    """Return a visit of the frame as a case of the counter."""
    v = visit
    on: date = v["service_on"]
    person = PersonFacts(
        v["psn_type"], v["age"], _listed(v["identities"]), v["civil_servant"], v["account_kind"], v["paid_months"],
        v["rank"], continuous_years=v["continuous_years"], claim_free=v["claim_free"],
    )  # fmt: skip
    line = LineGroup(v["amount"], v["own"], v["over"], v["first_pay"], v["in_scope"])
    return Case(
        admdvs=admdvs, service_on=on, insutype=v["insutype"], med_type=v["med_type"], person=person,
        institution=InstitutionFacts("", "1", v["level"], _listed(v["traits"])), lines=(line,),
        disease_code=v["disease_code"], counters=counters, account_balance=balance, use_account=v["use_account"],
        recognised=_listed(v["recognised"]), admission=v["admission"], remote=v["remote"],
        remote_place=v["remote_place"], provider=v["provider"],
    )  # fmt: skip


def _part(visit: Mapping[str, Any], decided: Decision | Refusal) -> int:
    """Return what the person pays of a visit."""
    return int(visit["amount"]) if isinstance(decided, Refusal) else decided.person_part


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(LIST_SEPARATOR)) if text else ()


def _difference(visit: Mapping[str, Any], before: Decision | Refusal, after: Decision | Refusal) -> Cause | None:
    """Return why two decisions of a visit differ, None if they do not; without rules where only counters differ."""
    if isinstance(before, Refusal) or isinstance(after, Refusal):
        if isinstance(before, Refusal) and isinstance(after, Refusal):
            return None
        refusal = before if isinstance(before, Refusal) else after
        assert isinstance(refusal, Refusal)
        side = "改前不予支付" if refusal is before else "改后不予支付"
        return Cause(_named(visit), tuple(f.code for f in refusal.faults), f"{side}：{refusal.sentence()}")
    if before.person_part == after.person_part and before.counters == after.counters:
        return None
    old, new = _used(before), _used(after)
    gone = [u for key, u in old.items() if key not in new]
    come = [u for key, u in new.items() if key not in old]
    paid = f"个人负担 {yuan_text(before.person_part)} → {yuan_text(after.person_part)} 元"
    if not gone and not come:
        return Cause(_named(visit), (), f"{_SAME}；{paid}")
    said = [_changed(u, [c for c in come if c.name == u.name]) for u in gone]
    said += [f"{u.rule} {u.name}：新增 {u.value}" for u in come if all(g.name != u.name for g in gone)]
    rules = tuple(dict.fromkeys(u.rule for u in (*gone, *come)))
    return Cause(_named(visit), rules, f"{'；'.join(said)}；{paid}")


def _used(decision: Decision) -> dict[tuple[str, ...], Used]:
    """Return the values that the steps used, by what matters of them: a new clause or source changes nobody's bill."""
    return {(u.rule, u.name, u.value, u.condition): u for step in decision.steps for u in step.used}


def _changed(old: Used, new: Sequence[Used]) -> str:
    if not new:
        return f"{old.rule} {old.name}：{old.value} 不再适用"
    other = new[0]
    rule = old.rule if other.rule == old.rule else f"{old.rule} → {other.rule}"
    return f"{rule} {old.name}：{old.value} → {other.value}"


def _named(visit: Mapping[str, Any]) -> str:
    kind = _MED_TYPES.get(visit["med_type"], visit["med_type"])
    return f"{visit['service_on']} {_LEVELS.get(visit['level'], '')}{kind}，费用 {yuan_text(visit['amount'])} 元"
