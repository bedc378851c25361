"""What a hospital has to know to settle one visit: the patient, the desk, the bill."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Desk(msgspec.Struct, frozen=True):
    """Who treats and who types: one doctor of one department, one operator."""

    fixmedins_code: str
    fixmedins_name: str
    admdvs: str
    opter: str
    opter_name: str
    dept_code: str
    dept_name: str
    caty: str
    dr_codg: str
    dr_name: str


class OrderLine(msgspec.Struct, frozen=True):
    """A fee line in the words of the wire; amounts in yuan."""

    med_list_codg: str
    medins_list_codg: str
    pric: Decimal
    cnt: Decimal
    det_item_fee_sumamt: Decimal
    hosp_appr_flag: str = "0"


class VisitOrder(msgspec.Struct, frozen=True):
    """One visit to settle. ``visit_no`` is the institution's own number of it (ipt_otp_no)."""

    psn_no: str
    psn_name: str
    certno: str
    insutype: str
    insuplc_admdvs: str
    desk: Desk
    visit_no: str
    med_type: str
    diag_code: str
    diag_name: str
    lines: tuple[OrderLine, ...]
    dise_codg: str = ""
    acct_used_flag: str = "1"

    @property
    def total(self) -> Decimal:
        """Return the bill in yuan."""
        return sum((line.det_item_fee_sumamt for line in self.lines), Decimal(0))
