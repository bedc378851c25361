"""Why a month was not credited: codes with their words and what to do. The first six families are those that real
cut-overs met; the rest follow from the dues and the law."""

from __future__ import annotations

import msgspec


class Reason(msgspec.Struct, frozen=True):
    """A reason in words: what is wrong, and what makes a later run credit the month."""

    says: str
    remedy: str


CARD_NOT_MATCHED, CARD_NOT_ACTIVE = "CARD_NOT_MATCHED", "CARD_NOT_ACTIVE"
LUMP_NOT_MATCHED, OFFSITE_BANK_MISSING = "LUMP_NOT_MATCHED", "OFFSITE_BANK_MISSING"
DOUBLE_MONTH, RETIRED_REMOVED, RETIREE_PAUSED = "DOUBLE_MONTH", "RETIRED_REMOVED", "RETIREE_PAUSED"
NO_FINANCIAL_ACCOUNT, DUES_NOT_ARRIVED, BASE_MISSING = "NO_FINANCIAL_ACCOUNT", "DUES_NOT_ARRIVED", "BASE_MISSING"
DIED, NO_RULE = "DIED", "NO_RULE"

REASONS = {
    CARD_NOT_MATCHED: Reason("社保卡已更换，银行登记的卡号与现用卡号不一致", "请银行更新卡号后重新划账"),
    CARD_NOT_ACTIVE: Reason("新社保卡尚未激活，银行无法匹配账户", "请参保人激活社保卡后重新划账"),
    LUMP_NOT_MATCHED: Reason("退休一次性缴费尚未到账或未匹配", "请核对一次性缴费到账情况后重新划账"),
    OFFSITE_BANK_MISSING: Reason("异地安置人员尚未登记收款银行账户", "请登记银行账户后重新划账"),
    DOUBLE_MONTH: Reason("同一月份既参加职工医保又参加居民医保", "请先停保其中一个险种后重新划账"),
    RETIRED_REMOVED: Reason("退休人员随单位减员被停保", "请恢复退休人员参保关系后重新划账"),
    RETIREE_PAUSED: Reason("新退休人员参保状态为暂停", "请办结退休手续、恢复参保状态后重新划账"),
    NO_FINANCIAL_ACCOUNT: Reason("旧社保卡没有金融账户，银行无法入账", "请更换有金融账户的社保卡后重新划账"),
    DUES_NOT_ARRIVED: Reason("当月缴费尚未到账", "缴费到账后由补划办理"),
    BASE_MISSING: Reason("当月没有核定的缴费", "请先核定当月缴费"),
    DIED: Reason("参保人已死亡，参保关系尚未终止", "请办理死亡停保"),
    NO_RULE: Reason("待遇政策没有适用的划入标准", "请由医保部门补充政策参数"),
}
"""Every reason by its code."""
REMOVALS = frozenset({
    "resigned", "dismissed", "contract_ended", "stopped", "other", "employer_cancelled", "employer_merged",
    "employer_split", "moved", "",
})
"""Causes of an end by which an employer removes people; a retiree is owed credits all the same. An end without any cause
is one that was loaded."""
