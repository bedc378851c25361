"""Lines of a sale: what is wrong with them, how each splits, how it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.encounters.model import FeeLine
from yibao.kernel.business_time import business_date
from yibao.kernel.money import line_amount, yuan_text
from yibao.kernel.refusal import Fault, Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.lines import LineSplit, classify_line

TOLERANCE_FEN = 1
"""A line may differ from price times quantity by one fen: institutions round in their own ways."""
LINES_MAX = 200
SERVICES = "201"
NEGOTIATED = "negotiated"
"""The law's word for drugs whose price was negotiated."""


class SoldLine(msgspec.Struct, frozen=True):
    """A line as the pharmacy sends it. Money in fen, price in millionths of a yuan, quantity in ten-thousandths.

    Attributes:
        outside_rx: dispensed on a prescription of another institution, whose number is ``rxno``.
        occurred_at: None where the client left it out: the time of the purchase.
    """

    sn: str
    rxno: str
    outside_rx: bool
    occurred_at: datetime | None
    item_code: str
    local_code: str
    amount_fen: int
    quantity_e4: int
    price_micro: int
    doctor_code: str
    doctor_name: str
    detail: Mapping[str, str]

    def kept(
        self, term: ItemTerm, split: LineSplit, *, psn_no: str, mdtrt_id: str, admdvs: str, batch: str,
        disease_code: str, at: datetime, is_approved: bool, now: datetime,
    ) -> FeeLine:
        """Return the line as it is stored."""
        return FeeLine(
            psn_no=psn_no, mdtrt_id=mdtrt_id, feedetl_sn=self.sn, admdvs=admdvs, chrg_bchno=batch,
            disease_code=disease_code, rxno=self.rxno, outside_rx=self.outside_rx, occurred_at=self.occurred_at or at,
            item_code=self.item_code, local_code=self.local_code, item_name=term.name, list_type=term.list_type,
            charge_type=term.charge_type, class_level=term.class_level, price_micro=self.price_micro,
            quantity_e4=self.quantity_e4, amount_fen=self.amount_fen, limit_micro=term.limit_micro,
            first_pay=split.first_pay_ratio, own_fen=split.own, over_fen=split.over, first_fen=split.first_pay,
            scope_fen=split.in_scope, restricted=term.restricted, hosp_appr_flag="1" if is_approved else "0",
            reason=split.reason, catalogue_version=term.version, dept_code="", dept_name="",
            doctor_code=self.doctor_code, doctor_name=self.doctor_name,
            detail=msgspec.json.encode(self.detail).decode(), uploaded_at=now,
            line_group=NEGOTIATED if term.negotiated else "",
        )


def line_faults(
    lines: Sequence[SoldLine], terms: Mapping[str, ItemTerm], *, on: date, today: date
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
        due = line_amount(x.price_micro, x.quantity_e4)
        if abs(due - x.amount_fen) > TOLERANCE_FEN:
            faults.append(Fault("LINE_DOES_NOT_MULTIPLY", f"明细金额与单价×数量={yuan_text(due)}元不符",
                                f"{at}.det_item_fee_sumamt", yuan_text(x.amount_fen), "允许误差0.01元"))
        if x.occurred_at is not None and business_date(x.occurred_at) > today:
            faults.append(Fault("LINE_IN_FUTURE", "费用发生时间晚于今天", f"{at}.fee_ocur_time",
                                f"{business_date(x.occurred_at)}", "请核对费用发生时间"))
    return faults


def _item_faults(x: SoldLine, term: ItemTerm | None, *, at: str, on: date) -> list[Fault]:
    faults = []
    if term is None:
        faults.append(Fault("ITEM_NOT_IN_CATALOGUE", f"医疗目录编码不在{on}的医保目录中", f"{at}.med_list_codg",
                            x.item_code, "请核对国家编码"))
    elif term.list_type == SERVICES:
        faults.append(Fault("SERVICE_AT_PHARMACY", "药店不能收取医疗服务项目", f"{at}.med_list_codg", x.item_code,
                            "药店只能销售药品和医用耗材"))
    if x.quantity_e4 <= 0:
        faults.append(Fault("QUANTITY_NOT_POSITIVE", "购药数量须大于0", f"{at}.cnt", f"{x.quantity_e4 / 10000:g}",
                            "退药请用2103撤销"))
    if x.price_micro < 0:
        faults.append(Fault("PRICE_NEGATIVE", "单价不能为负", f"{at}.pric", f"{x.price_micro / 1e6:g}", "请核对单价"))
    return faults


def split_line(
    line: SoldLine, term: ItemTerm, policy: RegionPolicy, *, on: date, insutype: str, is_approved: bool
) -> LineSplit | Refusal:
    """Split a line by catalogue and law of the day; a restricted drug needs the approval its prescription bears."""
    return classify_line(
        policy=policy, service_on=on, insutype=insutype, list_type=term.list_type, class_level=term.class_level,
        amount=line.amount_fen, price=line.price_micro, quantity=line.quantity_e4, first_pay=term.first_pay,
        price_limit=term.limit_micro, restricted=term.restricted, hosp_appr_flag="1" if is_approved else "0",
    )
