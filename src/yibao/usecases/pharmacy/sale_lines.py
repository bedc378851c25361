"""Lines of a sale: what is wrong with them, and how each splits. Their form is that of every other fee line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from yibao.domains.catalogue.model import ItemTerm
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.lines import LineSplit, classify_line
from yibao.usecases.visits.fee_line import LineInput, amount_faults, group_of

LINES_MAX = 200
SERVICES = "201"
APPROVED = "1"


def line_faults(
    lines: Sequence[LineInput], terms: Mapping[str, ItemTerm], *, on: date, today: date
) -> list[Fault]:
    """Return what is wrong with the lines of a sale on a day."""
    if len(lines) > LINES_MAX:
        return [Fault("TOO_MANY_LINES", f"一次最多结算{LINES_MAX}条明细", "drugdetail", str(len(lines)), "请分次结算")]
    times = Counter(x.sn for x in lines)
    faults: list[Fault] = []
    for i, x in enumerate(lines):
        at = f"drugdetail[{i}]"
        faults += _item_faults(x, terms.get(x.item_code), at=at, on=on)
        if times[x.sn] > 1:
            faults.append(Fault("LINE_SERIAL_TAKEN", "费用明细流水号在这次购药中重复", f"{at}.feedetl_sn", x.sn,
                                "请使用不同的流水号"))
        if x.quantity_e4 <= 0:
            faults.append(Fault("QUANTITY_NOT_POSITIVE", "购药数量须大于0", f"{at}.cnt", f"{x.quantity_e4 / 10000:g}",
                                "退药请用2103撤销"))
        faults += amount_faults(x, at=at, today=today)
        if business_date(x.occurred_at) < on:
            faults.append(Fault("LINE_BEFORE_SALE", "费用发生时间早于购药日", f"{at}.fee_ocur_time",
                                f"{business_date(x.occurred_at)}", "请核对费用发生时间"))
    return faults


def _item_faults(x: LineInput, term: ItemTerm | None, *, at: str, on: date) -> list[Fault]:
    if term is None:
        return [Fault("ITEM_NOT_IN_CATALOGUE", f"医疗目录编码不在{on}的医保目录中", f"{at}.med_list_codg", x.item_code,
                      "请核对国家编码")]
    if term.list_type == SERVICES:
        return [Fault("SERVICE_AT_PHARMACY", "药店不能收取医疗服务项目", f"{at}.med_list_codg", x.item_code,
                      "药店只能销售药品和医用耗材")]
    return []


def split_line(
    line: LineInput, term: ItemTerm, policy: RegionPolicy, *, on: date, insutype: str, med_type: str
) -> LineSplit | Refusal:
    """Split a line by catalogue and law of the day."""
    return classify_line(
        policy=policy, service_on=on, insutype=insutype, list_type=term.list_type, class_level=term.class_level,
        amount=line.amount_fen, price=line.price_micro, quantity=line.quantity_e4, first_pay=term.first_pay,
        price_limit=term.limit_micro, restricted=term.restricted, hosp_appr_flag=line.hosp_appr_flag,
        group=group_of(negotiated=term.negotiated), med_type=med_type,
    )
