"""What the plan says of a case: its position, the one rule for its money, the book it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from yibao.domains.episodes.model import SALE, STAY
from yibao.domains.episodes.rules import place_of, settle_by_of
from yibao.domains.registers import model as books
from yibao.domains.windows.gate import money_rule, position_of, rule_of
from yibao.domains.windows.model import Asked, Plan, Rule, Track
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.windows.pass_gate import Gate

LOCAL = "local"
CHRONIC, MATERNITY = "chronic", "maternity"
SETTLE_BEFORE, LATE_FILE, HOLD_OPEN = "settle_before", "late_file", "hold_open"
_BOOK: Mapping[str, str] = {
    HOLD_OPEN: books.HELD_OPEN, "deposit": books.DEPOSIT, "pay_full_backfill": books.PAID_IN_FULL,
    "capture_credential": books.CREDENTIAL, "convert_self_pay": books.SELF_PAY, "cancel_and_reregister": books.HELD_OPEN,
    "interim_settle": books.HELD_OPEN, SETTLE_BEFORE: books.HELD_OPEN, "manual_reimburse": books.COUNTER,
}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate is asked with: who, where, when; ``institution`` is ``hospital``, ``pharmacy`` or not known."""

    admdvs: str
    care_admdvs: str
    fixmedins_code: str
    institution: str
    kind: str
    visit_class: str
    negotiated: bool
    insutype: str
    psn_type: str
    begin: datetime
    end: datetime | None
    can_end: bool = False
    is_urgent: bool = False
    is_filed: bool = False
    cause: str = ""
    total_fen: int = 0

    @property
    def is_remote(self) -> bool:
        """Say whether the person is treated away from home."""
        return place_of(self.admdvs, self.care_admdvs) != LOCAL

    @property
    def business(self) -> str:
        """Return the business that settles such a case."""
        if self.is_remote:
            return "remote_inpatient" if self.kind == STAY else "remote_outpatient"
        if self.kind == SALE:
            return "negotiated_drug" if self.negotiated else "pharmacy_sale"
        if self.visit_class == MATERNITY:
            return "maternity_settlement"
        if self.kind == STAY:
            return "inpatient_settlement"
        return "chronic_settlement" if self.visit_class == CHRONIC else "outpatient_settlement"


class JudgedCase(msgspec.Struct, frozen=True, kw_only=True):
    """The plan's answer. ``disposition`` is the rule's, or its fallback where the rule comes too late.

    Attributes:
        book: register it stands in. settle_by: last day of its backfill, None without one.
        asked: what the gate was asked with.
    """

    plan: Plan
    track: Track | None
    rule: Rule
    position: str
    disposition: str
    book: str
    asked: Asked

    @property
    def settle_by(self) -> date | None:
        """Return the last day for the backfill."""
        return settle_by_of(self.rule.terms, self.track.restart if self.track else None)


def judge_case(gate: Gate, facts: Facts, *, now: datetime) -> JudgedCase | Refusal:
    """Return what the plan says of a case, or refuse one that no window touches or that no rule covers."""
    plan, track, position = _found(gate, facts, now)
    if plan is None or (not facts.cause and not position):
        return refuse("EPISODE_OUTSIDE_WINDOW", "这次就诊不在停机期间，按正常程序结算", field="begin_at",
                      received=f"{facts.begin:%Y-%m-%d %H:%M}", remedy="无需登记，请直接用接口结算")
    asked = _asked(facts, position)
    rule = money_rule(plan, asked)
    if rule is None and position == "P9":
        rule = rule_of(plan, asked, LATE_FILE)
    if rule is None:
        return refuse("EPISODE_NO_RULE", "停机方案没有写明这类病例怎样办理", field="kind", received=facts.business,
                      remedy="请联系医保经办机构", basis=f"{plan.name} v{plan.version}")
    disposition = HOLD_OPEN if rule.disposition == LATE_FILE else rule.disposition
    if disposition == SETTLE_BEFORE and track is not None and now >= track.stop:
        fallback = rule.terms.get("fallback")
        if not fallback or facts.kind != STAY:
            return refuse("EPISODE_OUTSIDE_WINDOW", "这次就诊在停机前已结束，不属停机期间的病例", field="end_at",
                          received=f"{facts.end or facts.begin:%Y-%m-%d %H:%M}",
                          remedy="恢复后按原就诊时间正常结算", basis=f"{plan.name} v{plan.version} {rule.id}")
        disposition = str(fallback)
    return JudgedCase(
        plan=plan, track=track, rule=rule, position=position, disposition=disposition,
        book=_book(plan, asked, disposition, position), asked=asked,
    )


def _found(gate: Gate, facts: Facts, now: datetime) -> tuple[Plan | None, Track | None, str]:
    """Return the plan whose stop touches the case, the newest first; for another cause the one that counts now."""
    newest = gate.plan_for(facts.admdvs, now)
    plans = [newest] + [gate.plan_for(facts.admdvs, at) for at in (facts.end, facts.begin) if at is not None]
    for plan in plans:
        if plan is None:
            continue
        track = plan.track_of(facts.business)
        if facts.cause:
            return plan, track, ""
        if track is None:
            continue
        position = position_of(
            track, begin=facts.begin, end=facts.end, is_remote=facts.is_remote, is_filed=facts.is_filed,
            can_end=facts.can_end,
        )
        if position:
            return plan, track, position
    return newest, None, ""


def _asked(facts: Facts, position: str) -> Asked:
    return Asked(
        business=facts.business, admdvs=facts.admdvs, channel="gateway", care_admdvs=facts.care_admdvs,
        fixmedins_code=facts.fixmedins_code, insutype=facts.insutype, psn_type=facts.psn_type,
        institution=facts.institution, visit_class=facts.visit_class, position=position, cause=facts.cause,
        urgent=facts.is_urgent, amount_fen=facts.total_fen or None,
    )


def _book(plan: Plan, asked: Asked, disposition: str, position: str) -> str:
    if position == "P9" and rule_of(plan, asked, LATE_FILE) is not None:
        return books.LATE_FILING
    kept = rule_of(plan, asked, "institution_register")
    named = kept.terms.get("register") if kept is not None else None
    return str(named) if named else _BOOK[disposition]
