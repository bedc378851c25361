"""Words of the law about accounts, and how a person reads them."""

from __future__ import annotations

KINSHIP = {
    "spouse": "配偶", "parent": "父母", "child": "子女", "sibling": "兄弟姐妹", "grandparent": "祖父母、外祖父母",
    "grandchild": "孙子女、外孙子女",
}
"""Words of a sharing circle, seen from the owner of the account."""
WITHDRAWAL_CAUSES = {
    "emigration": "出国（境）定居", "military": "入伍", "transfer": "关系转往没有个人账户的地区", "poolonly": "转为单建统筹",
}
"""Causes for which an account may be paid out as a whole."""
FREEZE_CAUSES = {
    "court": "司法机关冻结", "fraud": "涉嫌违规使用", "dispute": "权属争议", "death": "死亡待继承", "request": "本人申请",
}
KINDS = {
    "opening": "期初余额", "credit": "划入", "account_credit": "月度划入", "interest": "利息", "settlement": "医疗费支付",
    "refund": "医疗费退回", "reinstatement": "恢复医疗费支付", "account_due": "划扣缴费", "withdrawal": "一次性支取",
    "inheritance": "继承", "transfer_in": "转入", "transfer_out": "转出", "correction": "更正",
}
"""Kinds of postings as a statement of an account names them."""
ADULT_FROM = 18
"""Full years from which nobody else consents for a person (Civil Code, article 17)."""
