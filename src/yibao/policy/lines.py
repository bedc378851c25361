"""Splits one fee line into fully own, over limit, first-pay and in-scope cost."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.kernel.money import WHOLE, div_half_up, share
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.decision import Used
from yibao.policy.law.parameters import RegionPolicy, Row, first_match

_FULLY_OWN = "03"
_APPROVED = "1"
_DECLINED = "2"


class LineSplit(msgspec.Struct, frozen=True, gc=False):
    """How one fee line splits; the four amounts (fen) add up to the line.

    Attributes:
        own: fully own cost.
        over: part above the price limit.
        first_pay: first-pay of the rest.
        in_scope: what the benefit rules work on.
        first_pay_ratio: the ratio that applied, ten-thousandths; 10000 for a line that is fully own.
        reason: why the line fell out of scope, in Chinese, ``""`` if it did not.
        used: dated values the split used (the region's default ratio); empty where the item decides.
    """

    own: int
    over: int
    first_pay: int
    in_scope: int
    first_pay_ratio: int
    reason: str = ""
    used: tuple[Used, ...] = ()


def classify_line(
    *,
    policy: RegionPolicy,
    service_on: date,
    insutype: str,
    list_type: str,
    class_level: str,
    amount: int,
    price: int,
    quantity: int,
    first_pay: int | None = None,
    price_limit: int | None = None,
    restricted: bool = False,
    hosp_appr_flag: str = "0",
    reason: str = "",
    group: str = "",
    med_type: str = "",
) -> LineSplit | Refusal:
    """Split a fee line by its class, use limits, price limit and first-pay ratio.

    A restricted item that the hospital did not approve, an unrestricted one it declined, and class 03 are
    fully own. What is left after the price limit bears the first-pay, rounded half up to the fen.

    Args:
        policy: the law of the region whose defaults apply.
        service_on: day of service.
        insutype: ``310`` or ``390``.
        list_type: kind of list (``101`` drugs ... ``301`` materials).
        class_level: ``01``, ``02``, ``03``.
        amount: fen, not negative.
        price: millionths of a yuan.
        quantity: ten-thousandths.
        first_pay: ratio of the item in ten-thousandths; None takes the region's default.
        price_limit: millionths of a yuan; None if there is none.
        restricted: whether the item has use limits.
        hosp_appr_flag: ``0`` no approval needed, ``1`` approved, ``2`` declined.
        reason: set by the caller when the line is not paid for a cause of its own (not paid when prescribed
            alone); the line is then fully own and keeps this reason.
        group: the law's word for the group of lines it belongs to (``negotiated``), ``""`` for none.
        med_type: visit class of the bill the line stands in.

    Returns:
        the split, or a refusal where the region has no default ratio for such an item on that day.
    """
    cause = reason or _cause(class_level, restricted, hosp_appr_flag)
    if cause:
        return LineSplit(amount, 0, 0, 0, WHOLE, cause)
    over = 0
    if price_limit is not None and price > price_limit:
        over = min(div_half_up((price - price_limit) * quantity, 100_000_000), amount)
    if first_pay is not None:
        first = share(amount - over, first_pay)
        return LineSplit(0, over, first, amount - over - first, first_pay)
    row = default_first_pay(
        policy, service_on, insutype=insutype, list_type=list_type, class_level=class_level, group=group,
        med_type=med_type,
    )
    if row is None:
        return refuse(
            "NO_FIRST_PAY_RATIO",
            f"{policy.name}未载入 {service_on.isoformat()} 当日该类项目的先行自付比例",
            received=f"list_type={list_type}，chrgitm_lv={class_level}",
            remedy="请在目录中写明该项目的先行自付比例，或由医保部门补充政策参数",
        )
    first = share(amount - over, row.number)
    return LineSplit(0, over, first, amount - over - first, row.number, "", (row.used,))


def default_first_pay(
    policy: RegionPolicy,
    day: date,
    *,
    insutype: str,
    list_type: str,
    class_level: str,
    group: str = "",
    med_type: str = "",
) -> Row | None:
    """Return the region's first-pay row for items without a ratio of their own, None if the law has none.

    ``group`` is the law's word for a group of lines such as ``negotiated``, ``""`` for ordinary items; an empty
    ``med_type`` asks for what holds whatever the visit class.
    """
    law = policy.law_on(day)
    if law is None:
        return None
    facts = {
        "insutype": insutype,
        "med_type": med_type,
        "list_type": list_type,
        "class_level": class_level,
        "group": group,
    }
    return first_match(law.first_pay.get(insutype, ()), facts)


def _cause(class_level: str, restricted: bool, hosp_appr_flag: str) -> str:
    if class_level == _FULLY_OWN:
        return "丙类（目录外）项目，全自费"
    if restricted and hosp_appr_flag != _APPROVED:
        return "限制使用项目，医疗机构未审批通过，全自费"
    if not restricted and hosp_appr_flag == _DECLINED:
        return "医疗机构审批不通过，全自费"
    return ""
