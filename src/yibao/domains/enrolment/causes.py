"""Why a relation began or ended: codes with their words. The rules read the codes, people read the words."""

from __future__ import annotations

BEGINS = {
    "joined": "单位增员",
    "moved": "单位间转移",
    "employer_merged": "单位合并",
    "employer_split": "单位分立",
    "flexible": "灵活就业参保",
    "resident": "居民参保",
    "newborn": "新生儿参保",
    "retired": "在职转退休",
    "continuing": "退休时年限不足按月续缴",
    "transferred_in": "关系转入",
    "corrected": "更正",
}
"""Causes of a beginning."""
ENDS = {
    "resigned": "辞职",
    "dismissed": "解除劳动合同",
    "contract_ended": "劳动合同期满",
    "stopped": "停止缴费",
    "to_employee": "转为职工医保",
    "to_resident": "转为居民医保",
    "to_retired": "转为退休人员",
    "moved": "转往其他单位",
    "employer_merged": "单位合并",
    "employer_split": "单位分立",
    "employer_cancelled": "单位注销",
    "category_changed": "参保身份变更",
    "death": "参保人死亡",
    "transfer": "关系转出",
    "emigration": "出国定居",
    "military": "入伍",
    "person_merged": "人员编号合并",
    "other": "其他",
}
"""Causes of an end."""
LEAVING = ("resigned", "dismissed", "contract_ended", "stopped", "other")
"""Ends that an employer or a person reports."""
GOING = ("transfer", "emigration", "military", "other")
"""Ends for who leaves the region."""
