"""What holds for an episode by its facts alone: kinds and positions that fit, cash that may be taken, last days. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from yibao.domains.episodes.model import (
    DEPOSIT,
    ENDED,
    KINDS,
    LAPSED,
    PAYMENT,
    SALE,
    STATES,
    STAY,
    Cash,
    Episode,
)
from yibao.kernel.business_time import business_date
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse

WITHOUT_CASH = frozenset({"settle_before", "interim_settle", "cancel_and_reregister", "convert_self_pay"})
"""Dispositions for which an institution takes no cash beforehand because of the window."""
WITHOUT_PATIENT = "capture_credential"

Terms = Mapping[str, str | int | bool | tuple[str, ...]]
"""What a rule says beside its disposition; see docs/window-plans.md."""
_RATIO_ONE = 10_000
_MONTHS = 12


def settle_by_of(terms: Terms, restart: datetime | None) -> date | None:
    """Return the last day for the backfill of an episode as the plan's rule says it, None where it says none.

    ``settle_by`` names a day; ``months`` counts from the restart: the day before the same day of that month.
    """
    named = terms.get("settle_by")
    if isinstance(named, date):
        return named
    if isinstance(named, str) and named:
        return date.fromisoformat(named[:10])
    months = terms.get("months")
    if restart is None or not isinstance(months, int) or isinstance(months, bool):
        return None
    opened = business_date(restart)
    year, month = divmod(opened.year * _MONTHS + opened.month - 1 + months, _MONTHS)
    day = min(opened.day, calendar.monthrange(year, month + 1)[1])
    return date(year, month + 1, day) - timedelta(days=1)


def note_faults(
    *, kind: str, visit_no: str, begin: datetime, end: datetime | None, total_fen: int, cash: Sequence[tuple[str, int]],
    noted: datetime, now: datetime,
) -> list[Fault]:
    """Say what is wrong with what an institution notes, before anything is looked up."""
    faults = []
    if kind not in KINDS:
        faults.append(Fault("EPISODE_KIND", "须为门诊、住院或购药", "kind", kind[:20], f"可用：{'、'.join(KINDS)}"))
    if not visit_no.strip():
        faults.append(Fault("VISIT_NUMBER_MISSING", "须填写机构自己的门诊号、住院号或发票号", "visit_no",
                            remedy="恢复后补录时使用同一号码"))
    if begin > now:
        faults.append(Fault("EPISODE_IN_FUTURE", "就诊时间晚于现在", "begin_at", f"{business_date(begin)}", "请核对就诊时间"))
    if end is not None and not begin <= end <= now:
        faults.append(Fault("EPISODE_END", "结束时间须在开始之后、不晚于现在", "end_at", f"{business_date(end)}",
                            "请核对结束时间"))
    if noted > now:
        faults.append(Fault("NOTE_IN_FUTURE", "登记时间晚于现在", "noted_at", f"{business_date(noted)}", "请核对登记时间"))
    if kind in KINDS and kind != STAY and end is None:
        faults.append(Fault("EPISODE_END_MISSING", "门诊和购药须填写结束时间", "end_at", remedy="与开始时间相同即可"))
    if total_fen < 0:
        faults.append(Fault("AMOUNT_NEGATIVE", "费用总额不能为负", "total_fen", str(total_fen), "请核对金额"))
    for i, (what, amount) in enumerate(cash):
        faults += cash_faults(what, amount, at=f"cash[{i}]")
    return faults


def cash_faults(kind: str, amount_fen: int, *, at: str = "") -> list[Fault]:
    """Say what is wrong with cash that a patient gives."""
    dot = f"{at}." if at else ""
    faults = []
    if kind not in (DEPOSIT, PAYMENT):
        faults.append(Fault("CASH_KIND", "收款须为押金或垫付", f"{dot}kind", kind[:20], f"可用：{DEPOSIT}、{PAYMENT}"))
    if amount_fen <= 0:
        faults.append(Fault("AMOUNT_NOT_POSITIVE", "收款金额须大于0", f"{dot}amount_fen", str(amount_fen), "请核对金额"))
    return faults


def allowed_cash(
    *, disposition: str, terms: Terms, total_fen: int, deposit_fen: int, paid_fen: int, field: str = "cash"
) -> list[Fault]:
    """Say what an institution must not take: nothing where the plan lets the patient leave, no more than its share."""
    if not paid_fen:
        return []
    if disposition in WITHOUT_CASH or (disposition == "hold_open" and terms.get("deposit") is False):
        return [Fault("CASH_NOT_ALLOWED", "按停机方案这类病例不收取现金", field, yuan_text(paid_fen),
                      "请退还已收款项，恢复后结算")]
    faults = []
    if total_fen and paid_fen > total_fen:
        faults.append(Fault("CASH_ABOVE_BILL", f"收款合计{yuan_text(paid_fen)}元超过费用总额{yuan_text(total_fen)}元", field,
                            yuan_text(paid_fen), "请核对金额"))
    share = terms.get("share")
    if disposition == "deposit" and isinstance(share, int) and total_fen and deposit_fen * _RATIO_ONE > total_fen * share:
        most = total_fen * share // _RATIO_ONE
        faults.append(Fault("DEPOSIT_ABOVE_SHARE", f"押金不得超过费用总额的{share / 100:g}%（{yuan_text(most)}元）", field,
                            yuan_text(deposit_fen), "请按方案规定的比例收取"))
    return faults


def refuse_change(e: Episode, what: str, *, also: frozenset[str] = frozenset()) -> Refusal | None:
    """Refuse to change an episode that has ended, naming what came of it; states in ``also`` may be changed too."""
    if e.state not in {*ENDED, LAPSED} or e.state in also:
        return None
    remedy = {
        "settled": "如需更正，请先撤销这次结算", "claimed": "已由手工报销受理，请先撤回报销申请",
        "lapsed": "已过补录期限，请携材料到经办机构办理手工报销",
    }.get(e.state, "无需再办理")
    return refuse("EPISODE_ENDED", f"该病例{STATES[e.state]}，不能{what}", field="episode_id", received=e.episode_id,
                  remedy=remedy)


def refuse_return(e: Episode, cash: Sequence[Cash]) -> Refusal | None:
    """Refuse to give the money of an episode back where there is none, or where it went back already."""
    if any(c.kind == "return" for c in cash) or e.state == "returned":
        at = next((business_date(c.at) for c in reversed(cash) if c.kind == "return"), None)
        return refuse("DEPOSIT_RETURNED", f"这笔款项已于{at}退还", field="episode_id", received=e.episode_id,
                      remedy="同一笔款项只退一次")
    refusal = refuse_change(e, "退还押金", also=frozenset({LAPSED}))
    if refusal is None and not e.paid_fen:
        return refuse("NOTHING_TO_RETURN", "这个病例没有收过款", field="episode_id", received=e.episode_id, remedy="无需退款")
    return refusal


def cash_words(e: Episode) -> str:
    """Say in a sentence what the patient gave and what came of it."""
    if e.state == "settled":
        if e.back_fen:
            return f"已交{yuan_text(e.paid_fen)}元，应付{yuan_text(e.due_fen)}元，退回{yuan_text(e.back_fen)}元"
        if e.topup_fen:
            return f"已交{yuan_text(e.paid_fen)}元，应付{yuan_text(e.due_fen)}元，补交{yuan_text(e.topup_fen)}元"
        return f"已交{yuan_text(e.paid_fen)}元，与应付相同，不退不补"
    if e.state == "returned":
        return f"已退还{yuan_text(e.back_fen)}元"
    return f"已交{yuan_text(e.paid_fen)}元" if e.paid_fen else "未收款"


def place_of(admdvs: str, care_admdvs: str) -> str:
    """Return where somebody is treated as seen from where he or she is insured: ``local``, ``province`` or ``cross``."""
    if admdvs[:4] == care_admdvs[:4]:
        return "local"
    return "province" if admdvs[:2] == care_admdvs[:2] else "cross"


def classes_of(kind: str, med_type: str = "") -> str:  # noqa: ARG001
    """Return the plain visit class of a kind where nobody names a finer one."""
    return {STAY: "inpatient", SALE: "drug"}.get(kind, "outpatient")
