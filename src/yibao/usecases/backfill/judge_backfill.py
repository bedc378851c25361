"""Judge a bill against the window that its care fell into: may it be settled afterwards, and how. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.episodes.model import CLAIMED, LAPSED, OPEN, SETTLED, Episode
from yibao.domains.episodes.queries import read
from yibao.domains.episodes.rules import settle_by_of
from yibao.domains.windows.gate import money_rule, position_of
from yibao.domains.windows.model import Asked, Plan, Rule, Track
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.backfill.model import Backfill, Care
from yibao.usecases.windows.pass_gate import Gate

BY_HAND = "manual_reimburse"
IN_THE_STOP, INTO_THE_STOP = ("P3", "P5"), ("P4", "P6")
"""Positions of care that ended while nothing could be settled, and of care that ended after it but was in it."""
_CHANNEL = "gateway"


def is_touched(row: Any, gate: Gate, *, admdvs: str, at: datetime) -> bool:
    """Say whether a window or a claim may have anything to do with a bill: everybody else's goes on at once."""
    return bool(row["episodes"] or row["claimed"]) or gate.plan_for(admdvs, at) is not None


def has_credential(row: Any) -> bool:
    """Say whether the institution kept the patient's credential when he or she was there: a card lost since does not matter."""
    return any(
        e["credential"] not in ("", "{}") and e["fixmedins_code"] == row["fixmedins_code"] for e in row["episodes"] or ()
    )


def judge_backfill(row: Any, care: Care, *, gate: Gate, now: datetime) -> Backfill | Refusal | None:
    """Return how a bill is settled that a window held up, None where no window did; or refuse with the way that is open.

    Args:
        row: the facts, with the visit's ``episodes`` and the ``claimed`` bills of the institution.
        now: the instant of asking.
    """
    noted = [read(e) for e in row["episodes"] or () if _is_of(e, care)]
    own = next((e for e in noted if e.fixmedins_code == care.fixmedins_code), None)
    fault = _claimed(row["claimed"] or (), care) or (own and _shut(own, care)) or _elsewhere(noted, own, care)
    if fault is not None:
        return Refusal((fault,))
    if own is not None and own.state in OPEN:
        late = _too_late(own.settle_by, care, now, rule_id=own.rule_id)
        if late is not None:
            return late
        return Backfill(care=care, episode=own, plan=own.plan, plan_version=own.plan_version, rule_id=own.rule_id,
                        position=own.position, disposition=own.disposition)
    return _unnoted(care, own, gate=gate, now=now)


def _is_of(row: Any, care: Care) -> bool:
    return bool(care.visit_no) and row["visit_no"] == care.visit_no


def _claimed(bills: Sequence[Mapping[str, Any]], care: Care) -> Fault | None:
    """Refuse a bill that a live claim holds, by visit, by the institution's number or by the number of the receipt."""
    for bill in bills:
        same = (
            (bill["mdtrt_id"] and bill["mdtrt_id"] == care.mdtrt_id) or (care.visit_no and bill["visit_no"] == care.visit_no)
            or (care.invono and bill["bill_no"] == care.invono)
        )
        if same:
            return Fault("BILL_CLAIMED", f"这笔费用已申请手工报销（申请编号 {bill['claim_id']}），不能再在机构结算", care.field,
                         care.visit_no or care.invono, "如要在机构结算，请先由参保人撤回手工报销申请")
    return None


def _shut(episode: Episode, care: Care) -> Fault | None:
    if episode.state == CLAIMED:
        return Fault("BILL_CLAIMED", f"这笔费用已申请手工报销（申请编号 {episode.claim_id}），不能再在机构结算", care.field,
                     care.visit_no, "如要在机构结算，请先由参保人撤回手工报销申请")
    if episode.state == SETTLED and episode.mdtrt_id != care.mdtrt_id:
        return Fault("BILL_ALREADY_SETTLED", f"号码{care.visit_no}的费用已补录结算（结算ID {episode.setl_id}）", care.field,
                     care.visit_no, "同一笔费用只结算一次；如需更正，请先撤销原结算")
    if episode.state in OPEN and episode.is_self_paying:
        return Fault("SELF_PAY_CARRIED", "患者现按自费管理，尚未转回医保", care.field, care.visit_no,
                     "请先办理转回医保，再按原就诊时间结算")
    if episode.state in OPEN and business_date(episode.begin_at) != business_date(care.begin):
        return Fault("EPISODE_BEGIN_DIFFERS", f"就诊日期与停机期间登记的{business_date(episode.begin_at)}不一致", care.field,
                     f"{business_date(care.begin)}", "请更正为原就诊（入院）时间；登记有误的先更正登记")
    if episode.disposition == BY_HAND:
        return _by_hand("这笔费用按停机方案由参保人办理手工报销", care, basis=episode.rule_id)
    if episode.state == LAPSED:
        return _lapsed(episode.settle_by, care, basis=episode.rule_id)
    return None


def _elsewhere(noted: Sequence[Episode], own: Episode | None, care: Care) -> Fault | None:
    """Refuse another institution that sends the bill of the one that treated the patient: same number, same time."""
    if own is not None:
        return None
    other = next((e for e in noted if e.begin_at == care.begin), None)
    if other is None:
        return None
    return Fault("EPISODE_ELSEWHERE", "停机期间的这次就诊由另一机构登记，补录结算只能由原就诊机构办理", care.field, care.visit_no,
                 f"请由原就诊机构（{other.fixmedins_code}）办理")


def _unnoted(care: Care, own: Episode | None, *, gate: Gate, now: datetime) -> Backfill | Refusal | None:
    """Judge what nobody noted by the plan alone; ``own`` was settled before with another bill of the same visit."""
    at = care.end or care.begin
    plan = gate.plan_for(care.admdvs, at)
    track = None if plan is None else plan.track_of(care.business)
    if plan is None or track is None or care.admdvs[:4] != care.care_admdvs[:4]:
        return None
    position = position_of(track, begin=care.begin, end=care.end, is_remote=False, is_filed=False)
    if position not in IN_THE_STOP + INTO_THE_STOP or (track.restart is not None and now < track.restart):
        # Before the restart the gate has let it through: it is an ordinary settlement that the plan goes on with.
        return None
    if position in INTO_THE_STOP:
        # Settled when it ended, as always; only its place among the others of the year may have been taken meanwhile.
        return _by(plan, None, position, care, own)
    rule = money_rule(plan, _asked(care, position))
    if rule is None:
        return _by(plan, None, position, care, own)
    if rule.disposition == BY_HAND:
        return Refusal((_by_hand(rule.says, care, basis=rule.id),))
    return _too_late(_last_day(rule, track), care, now, rule_id=rule.id) or _by(plan, rule, position, care, own)


def _by(plan: Plan, rule: Rule | None, position: str, care: Care, own: Episode | None) -> Backfill:
    found = Backfill(care=care, episode=None, plan=plan.name, plan_version=plan.version, rule_id=rule.id if rule else "",
                     position=position, disposition=rule.disposition if rule else "")
    if own is not None:
        # Its visit has its episode already: nothing more is noted, and the cash of this bill is its own.
        return msgspec.structs.replace(found, care=msgspec.structs.replace(care, is_part=True), episode=own)
    return found


def _asked(care: Care, position: str) -> Asked:
    return Asked(
        business=care.business, admdvs=care.admdvs, channel=_CHANNEL, care_admdvs=care.care_admdvs,
        fixmedins_code=care.fixmedins_code, insutype=care.insutype, psn_type=care.psn_type, institution=care.institution,
        visit_class=care.visit_class, position=position, amount_fen=care.amount_fen,
    )


def _last_day(rule: Rule, track: Track) -> date | None:
    return settle_by_of(rule.terms, track.restart)


def _too_late(last_day: date | None, care: Care, now: datetime, *, rule_id: str) -> Refusal | None:
    if last_day is None or business_date(now) <= last_day:
        return None
    return Refusal((_lapsed(last_day, care, basis=rule_id),))


def _lapsed(last_day: date | None, care: Care, *, basis: str) -> Fault:
    fault = refuse(
        "BACKFILL_TOO_LATE", f"停机期间费用的补录结算已于{last_day}截止", field=care.field, received=care.visit_no, basis=basis,
        remedy="请参保人持发票、费用清单等材料到参保地经办机构办理手工报销",
    )
    return fault.faults[0]


def _by_hand(reason: str, care: Care, *, basis: str) -> Fault:
    fault = refuse("BACKFILL_BY_HAND", reason, field=care.field, received=care.visit_no, basis=basis,
                   remedy="请参保人持发票、费用清单等材料到参保地经办机构办理手工报销")
    return fault.faults[0]
