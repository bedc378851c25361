"""A fee line on its way in, of a visit or a stay: what is sent, what every line must obey, how it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.encounters.model import FeeLine
from yibao.kernel.business_time import business_date
from yibao.kernel.money import line_amount, yuan_text
from yibao.kernel.refusal import Fault
from yibao.policy.lines import LineSplit

TOLERANCE_FEN = 1
"""A line may differ from price times quantity by one fen: institutions round in their own ways."""
NEGOTIATED = "negotiated"
"""The law's word for lines of items whose price was negotiated."""


class LineInput(msgspec.Struct, frozen=True):
    """One fee line as sent. Money in fen, price in millionths of a yuan, quantity in ten-thousandths.

    Attributes:
        batch, disease_code, rxno, outside_rx: of a visit's line.
        init_sn, med_type: of a stay's line; ``init_sn`` names the line that a return returns.
    """

    sn: str
    psn_no: str
    mdtrt_id: str
    batch: str
    disease_code: str
    rxno: str
    outside_rx: bool
    occurred_at: datetime
    item_code: str
    local_code: str
    amount_fen: int
    quantity_e4: int
    price_micro: int
    dept_code: str
    dept_name: str
    doctor_code: str
    doctor_name: str
    hosp_appr_flag: str
    detail: Mapping[str, str]
    init_sn: str = ""
    med_type: str = ""


class UploadedLine(msgspec.Struct, frozen=True):
    """A line as kept, with the item and the split behind it."""

    line: FeeLine
    term: ItemTerm
    split: LineSplit


def group_of(*, negotiated: bool) -> str:
    """Return the law's word for the group of an item's lines, ``""`` where they are ordinary."""
    return NEGOTIATED if negotiated else ""


def amount_faults(line: LineInput, *, at: str, today: date) -> list[Fault]:
    """Return what is wrong with price, amount and time of one line; ``at`` is its path in the message."""
    faults = []
    if line.price_micro < 0:
        faults.append(Fault("PRICE_NEGATIVE", "单价不能为负", f"{at}.pric", f"{line.price_micro / 1e6:g}", "请核对单价"))
    due = line_amount(line.price_micro, line.quantity_e4)
    if abs(due - line.amount_fen) > TOLERANCE_FEN:
        faults.append(Fault("LINE_DOES_NOT_MULTIPLY", f"明细金额与单价×数量={yuan_text(due)}元不符",
                            f"{at}.det_item_fee_sumamt", yuan_text(line.amount_fen), "允许误差0.01元"))
    if business_date(line.occurred_at) > today:
        faults.append(Fault("LINE_IN_FUTURE", "费用发生时间晚于今天", f"{at}.fee_ocur_time",
                            f"{business_date(line.occurred_at)}", "请核对费用发生时间"))
    return faults


def kept_line(
    line: LineInput, term: ItemTerm, split: LineSplit, *, admdvs: str, batch: str, now: datetime
) -> FeeLine:
    """Return a line as it is stored, in a charge batch or a period of a stay."""
    return FeeLine(
        psn_no=line.psn_no, mdtrt_id=line.mdtrt_id, feedetl_sn=line.sn, admdvs=admdvs, chrg_bchno=batch,
        disease_code=line.disease_code, rxno=line.rxno, outside_rx=line.outside_rx, occurred_at=line.occurred_at,
        item_code=line.item_code, local_code=line.local_code, item_name=term.name, list_type=term.list_type,
        charge_type=term.charge_type, class_level=term.class_level, price_micro=line.price_micro,
        quantity_e4=line.quantity_e4, amount_fen=line.amount_fen, limit_micro=term.limit_micro,
        first_pay=split.first_pay_ratio, own_fen=split.own, over_fen=split.over, first_fen=split.first_pay,
        scope_fen=split.in_scope, restricted=term.restricted, hosp_appr_flag=line.hosp_appr_flag,
        reason=split.reason, catalogue_version=term.version, dept_code=line.dept_code, dept_name=line.dept_name,
        doctor_code=line.doctor_code, doctor_name=line.doctor_name,
        detail=msgspec.json.encode(line.detail).decode(), uploaded_at=now, init_sn=line.init_sn,
        line_group=group_of(negotiated=term.negotiated),
    )
