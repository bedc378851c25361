"""Whether benefits are due on a day, and if not, why and what to do."""

from __future__ import annotations

from datetime import date

from yibao.kernel.refusal import Fault

STATUS_TEXT = {"1": "正常参保", "2": "暂停参保", "4": "终止参保"}


def benefit_faults(
    *, insutype: str, status: str | None, status_reason: str | None, benefit_from: date | None,
    benefit_to: date | None, died_on: date | None, on: date,
) -> list[Fault]:
    """Return why benefits of an enrolment relation are not due on a day; empty when they are.

    Args:
        status: status of the relation (``1`` normal, ``2`` paused, ``4`` ended), None if there is no relation.
        benefit_from, benefit_to: half-open period of benefits.
        died_on: day of death, the last day with benefits.
    """
    if died_on is not None and died_on < on:
        return [Fault("PERSON_DEAD", f"参保人已于{died_on}死亡，不能享受待遇", "psn_no", remedy="请核对就诊人身份")]
    if status is None or benefit_from is None:
        return [Fault("NOT_ENROLLED", f"参保人没有险种{insutype}的参保关系", "insutype", insutype,
                      "请用1101查询参保险种后重新登记")]
    if on < benefit_from:
        return [Fault("WAITING_PERIOD", f"参保人待遇自{benefit_from}起享受，就诊日{on}尚在等待期内", "psn_no",
                      remedy="请自费结算，或到参保地经办机构核实待遇起始日期")]
    if benefit_to is not None and on >= benefit_to:
        reason = status_reason or "未按时缴费或关系已终止"
        return [Fault("BENEFIT_ENDED", f"参保人待遇已于{benefit_to}停止：{reason}", "psn_no",
                      remedy="请自费结算，并到参保地经办机构或线上渠道查询缴费情况")]
    return []
