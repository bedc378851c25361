"""Why benefits are due or not, in words, and what to do: one line for each reason code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import msgspec


class Reason(msgspec.Struct, frozen=True):
    """The words of a reason code.

    Attributes:
        fault: code of the refusal when benefits are not due; ``""`` for a reason for which they are.
        sentence: why, with ``{begin}`` and ``{end}`` of the period (``end`` in words where it is open).
        remedy: the next step.
        status: what the relation's status (``1`` normal, ``2`` paused, ``4`` ended) is while it lasts.
    """

    fault: str
    sentence: str
    remedy: str = ""
    status: str = "1"


_HALL = "请到参保地经办机构或线上渠道办理"

REASONS: Mapping[str, Reason] = MappingProxyType({
    "paid": Reason("", "按时缴费，自{begin}起享受待遇"),
    "arrears_kept": Reason("", "上月欠费，自{begin}起暂按宽限享受待遇", "请尽快缴清欠费，逾期待遇停止"),
    "back_paid": Reason("", "中断不超过允许的月数并已补缴，自{begin}起待遇连续"),
    "window_waived": Reason("", "停机期间的费用尚未缴纳，自{begin}起待遇照常享受", "请在公告规定的日期前补缴，不收滞纳金"),
    "retired": Reason("", "退休待遇，自{begin}起不再缴费享受"),
    "loaded": Reason("", "按原系统转入的待遇，自{begin}起享受"),
    "newborn": Reason("", "在规定期限内参保的新生儿，自出生之日{begin}起享受待遇"),
    "resident_season": Reason("", "在集中缴费期内缴费，自{begin}起享受本年度待遇"),
    "resident_late": Reason("", "逾期缴费，等待期满后自{begin}起享受待遇"),
    "identity_no_wait": Reason("", "困难人员不设等待期，自{begin}起享受待遇"),
    "from_employee": Reason("", "职工医保停保后及时转入居民医保，不设等待期，自{begin}起享受待遇"),
    "year_back_paid": Reason("", "断缴年度已补缴，自{begin}起按规定支付"),
    "not_yet_paid": Reason("WAITING_PERIOD", "参保登记后尚未到享受待遇之日（{end}）", "缴费到账的次月起享受；" + _HALL),
    "waiting": Reason("WAITING_PERIOD", "尚在待遇等待期内，待遇自{end}起享受", "请自费结算；等待期和断缴期间的费用不支付"),
    "before_year": Reason("WAITING_PERIOD", "已参加下一年度居民医保，待遇自{end}起享受", "请自费结算"),
    "contribution_in_transit": Reason(
        "CONTRIBUTION_IN_TRANSIT", "缴费信息尚未传到（自{begin}），待遇暂不能核定，不作停保处理",
        "请先按停机公告办理，保留票据；缴费信息到达后待遇自始有效，按公告补办结算"),
    "unpaid": Reason("BENEFIT_ENDED", "职工医保未按时缴费，待遇自{begin}起暂停",
                     "请由用人单位或本人到税务渠道缴清欠费；允许月数内补缴的待遇连续", "2"),
    "lump_unpaid": Reason("BENEFIT_ENDED", "退休时缴费年限不足，尚未一次性补足，待遇自{begin}起暂停",
                          "请缴清一次性补缴费用，或改为按月续缴", "2"),
    "gap_not_paid": Reason("BENEFIT_ENDED", "属于断缴期间（自{begin}），补缴后也不支付", "请自费结算", "2"),
    "resident_unpaid": Reason("BENEFIT_ENDED", "未缴纳本年度居民医保费，待遇自{begin}起暂停",
                              "请到税务渠道缴费；逾期缴费的设待遇等待期", "2"),
    "not_insured": Reason("BENEFIT_ENDED", "自{begin}起停保", "如已就业或转入其他险种，请用1101查询险种；" + _HALL, "2"),
    "covered_by_employee": Reason("BENEFIT_ENDED", "自{begin}起享受职工医保待遇，居民医保不重复享受",
                                  "请以险种310就诊结算", "2"),
    "ended": Reason("BENEFIT_ENDED", "参保关系已终止，待遇自{begin}起停止", _HALL + "参保登记", "4"),
    "dead": Reason("PERSON_DEAD", "参保人已死亡，待遇自{begin}起停止", "请核对就诊人身份", "4"),
})
"""Every reason code of a spell."""


def words_of(reason: str, begin: date, end: date | None) -> str:
    """Return why, in one Chinese sentence, for a half-open period."""
    until = end.isoformat() if end is not None else "缴费到账"
    return REASONS[reason].sentence.format(begin=begin.isoformat(), end=until)
