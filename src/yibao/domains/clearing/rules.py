"""What a claim may become, and who may say so. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from yibao.domains.clearing.model import Claim
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse

STATES = {
    "claimed": "已申报", "reviewed": "已初审", "approved": "已复核", "ordered": "已发送支付", "paid": "已支付",
    "withdrawn": "机构已撤销", "rejected": "已退回",
}
"""States of a claim and what they are called."""
_NEXT = {
    "claimed": "请先由经办机构初审", "reviewed": "请由初审人以外的人复核，或退回申报",
    "approved": "请等待支付，已复核的申报不能再改", "ordered": "请等待银行回盘", "paid": "无需再办理",
    "withdrawn": "请由机构重新申报", "rejected": "请由机构更正后重新申报",
}


def same_person(one: str, other: str) -> bool:
    """Say whether two names are one person's, however they are typed: width, case and spaces do not count."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def refuse_state(claim: Claim, *, wanted: tuple[str, ...], field: str = "") -> Refusal | None:
    """Refuse what the claim's state does not allow, with what to do instead."""
    if claim.state in wanted:
        return None
    return refuse(
        "CLAIM_STATE", f"清算申报{claim.claim_id}{STATES[claim.state]}，不能办理", field=field,
        received=claim.claim_id, remedy=_NEXT[claim.state],
    )


def refuse_approver(first: Iterable[str], operator: str) -> Refusal | None:
    """Refuse somebody who took part in the first step as the one who confirms it: four eyes on every payment."""
    own = next((name for name in first if same_person(name, operator)), None)
    if own is None:
        return None
    return refuse("FOUR_EYES", f"初审与复核须由两人办理，{own}已参与初审", field="operator", received=operator,
                  remedy="请由另一名经办人复核")


def refuse_operator(operator: str) -> Refusal | None:
    """Refuse a deed without the name of who does it."""
    if _folded(operator):
        return None
    return refuse("OPERATOR_MISSING", "须写明经办人", field="operator", remedy="请填写经办人姓名")


def refuse_deductions(claim: Claim, total: int) -> Refusal | None:
    """Refuse to deduct by hand more than the funds pay for the claim; the personal accounts' money is never deducted."""
    if total <= max(claim.fund_fen, 0):
        return None
    return refuse(
        "DEDUCTION_TOO_LARGE", f"扣款合计{yuan_text(total)}超过申报的基金金额{yuan_text(claim.fund_fen)}", field="amount",
        received=yuan_text(total), remedy="请核对扣款金额；个人账户支付部分不得扣减",
    )
