"""What may be done with a suspicion in which state, by whom and until when."""

from __future__ import annotations

from datetime import date

from yibao.domains.supervision.model import (
    ACCEPTED,
    APPEALED,
    CLOSED,
    COLLEGIAL,
    DROPPED,
    FOUND,
    STATE_WORDS,
    UPHELD,
    Suspicion,
)
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse


def refuse_appeal(s: Suspicion, *, appeal_until: date, today: date, field: str) -> Refusal | None:
    """Refuse an answer to a suspicion (appealing or accepting it) that was answered before, or comes too late."""
    if s.state != FOUND:
        return _wrong_state(s, "疑点不在待申诉状态", field, "每个疑点只能答复一次，进展请用3701查询")
    if today > appeal_until:
        return refuse("APPEAL_TOO_LATE", f"申诉期限已于{appeal_until}届满", field=field, received=s.suspicion_id,
                      remedy="请与经办机构联系")
    return None


def refuse_collegial(s: Suspicion, *, today: date, field: str) -> Refusal | None:
    """Refuse asking for a panel (or waiving it) unless the suspicion was appealed, upheld, and the time runs."""
    if s.state != UPHELD:
        return _wrong_state(s, "只有申诉后仍确认扣款的疑点可以申请合议", field, "进展请用3701查询")
    if s.collegial_until is not None and today > s.collegial_until:
        return refuse("COLLEGIAL_TOO_LATE", f"合议申请期限已于{s.collegial_until}届满", field=field,
                      received=s.suspicion_id, remedy="请与经办机构联系")
    return None


def refuse_proposal(
    s: Suspicion, *, amount_fen: int, appeal_until: date, today: date, operator: str, why: str
) -> Refusal | None:
    """Refuse a first decision that the state, the time or the amount does not allow.

    A suspicion that nobody answered is decided once its time to appeal is over. A panel may lower what was
    deducted, never raise it.
    """
    if not operator.strip():
        return refuse("OPERATOR_MISSING", "须注明经办人", field="operator", remedy="请用--operator给出姓名")
    if not why.strip():
        return refuse("REASON_MISSING", "须写明审核意见", field="opinion", remedy="请用--opinion给出意见")
    if s.proposed_by is not None:
        return refuse("DECISION_PENDING", f"{s.proposed_by}已提出处理意见，待另一人复核", field="suspicion_id",
                      received=s.suspicion_id, remedy="请由另一人用confirm复核或退回")
    if s.state == FOUND and today <= appeal_until:
        return refuse("APPEAL_STILL_OPEN", f"申诉期限到{appeal_until}，机构尚未答复", field="suspicion_id",
                      received=s.suspicion_id, remedy="请待机构答复或期限届满")
    if s.state not in (FOUND, APPEALED, ACCEPTED, COLLEGIAL):
        return _wrong_state(s, "疑点已有结论", "suspicion_id", "如有新情况请由机构申请合议")
    most = s.deducted_fen if s.state == COLLEGIAL else s.fund_fen
    if not 0 <= amount_fen <= most:
        return refuse("AMOUNT_TOO_HIGH", f"扣款金额须在0至{yuan_text(most)}元之间", field="amount",
                      received=yuan_text(amount_fen), remedy="扣款不超过基金为违规费用支付的部分，合议不得加重")
    return None


def refuse_confirmation(s: Suspicion, *, operator: str) -> Refusal | None:
    """Refuse a second decision without a first one, or by the person who made the first."""
    if not operator.strip():
        return refuse("OPERATOR_MISSING", "须注明经办人", field="operator", remedy="请用--operator给出姓名")
    if s.proposed_by is None:
        return refuse("NOTHING_TO_CONFIRM", "没有待复核的处理意见", field="suspicion_id", received=s.suspicion_id,
                      remedy="请先用decide提出处理意见")
    if s.proposed_by.strip() == operator.strip():
        return refuse("SAME_PERSON", "初审与复核不能是同一人", field="operator", received=operator,
                      remedy="请由另一名经办人复核")
    return None


def needs_second(s: Suspicion) -> bool:
    """Say whether a decision needs a second person: wherever money of the fund hangs on it."""
    return s.fund_fen > 0


def concluded(s: Suspicion, amount_fen: int) -> str:
    """Return the state that a confirmed decision leads to; only what was appealed may still go to a panel."""
    if s.state == COLLEGIAL:
        return CLOSED
    if amount_fen == 0:
        return DROPPED
    return UPHELD if s.state == APPEALED else CLOSED


def _wrong_state(s: Suspicion, says: str, field: str, remedy: str) -> Refusal:
    return refuse("SUSPICION_STATE", f"{says}，现为{STATE_WORDS[s.state]}", field=field, received=s.suspicion_id,
                  remedy=remedy)
