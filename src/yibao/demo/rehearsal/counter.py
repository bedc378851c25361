"""An institution's own system in a rehearsal: visits, stays and sales as messages, each with an id that never changes.

Whoever carries a message may carry it again until an answer comes: the same id has the same effect once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from yibao.demo.hospital import IDENTITY_CARD
from yibao.demo.rehearsal.script import SALE, STAY, Care
from yibao.kernel.business_time import to_wire

Carry = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Carries a message until it is answered, and returns the reply with its numbers as ``Decimal``."""
DIAGNOSIS = ("J18.900", "肺炎")
_WARD_CLASS, _VISIT_CLASS, _SALE_CLASS = "21", "11", "41"


class Counter:
    """Sends the messages of pieces of care; keeps the platform's numbers of what is open."""

    def __init__(self, carry: Carry) -> None:
        self._carry = carry
        self._mdtrt: dict[int, str] = {}
        self._sent: dict[int, int] = {}

    async def ask(self, care: Care, infno: str, content: dict[str, Any], *, at: datetime) -> dict[str, Any]:
        """Send one message of a piece of care and return the whole reply."""
        serial = self._sent[care.number] = self._sent.get(care.number, 0) + 1
        desk = care.desk
        return await self._carry({
            "infno": infno, "msgid": f"{desk.fixmedins_code}{care.number:012d}{serial:06d}", "mdtrtarea_admvs": desk.admdvs,
            "insuplc_admdvs": care.patient.admdvs, "recer_sys_code": "YIBAO", "dev_no": "", "dev_safe_info": "",
            "cainfo": "", "signtype": "", "infver": "V1.0", "opter_type": "1", "opter": desk.opter,
            "opter_name": desk.opter_name, "inf_time": to_wire(at), "fixmedins_code": desk.fixmedins_code,
            "fixmedins_name": desk.fixmedins_name, "sign_no": "", "input": content,
        })

    async def begin(self, care: Care, *, at: datetime) -> dict[str, Any]:
        """Register the visit (2201) or admit (2401); the time of the care is its own, ``at`` is now."""
        if care.kind == STAY:
            reply = await self.ask(care, "2401", self._admission(care), at=at)
            if reply["infcode"] == 0:
                self._mdtrt[care.number] = str(reply["output"]["result"]["mdtrt_id"])
            return reply
        reply = await self.ask(care, "2201", self._registration(care), at=at)
        if reply["infcode"] == 0:
            self._mdtrt[care.number] = str(reply["output"]["data"]["mdtrt_id"])
        return reply

    async def finish(self, care: Care, *, at: datetime) -> dict[str, Any]:
        """Send the rest, from fee lines to the settlement, up to the first refusal; return the last reply."""
        steps = {STAY: self._stay, SALE: self._sale}.get(care.kind, self._visit)(care)
        reply: dict[str, Any] = {}
        for infno, content in steps:
            reply = await self.ask(care, infno, content, at=at)
            if reply["infcode"] != 0:
                return reply
        return reply

    def has_begun(self, care: Care) -> bool:
        """Say whether the platform knows the visit or stay."""
        return care.number in self._mdtrt

    def _registration(self, care: Care) -> dict[str, Any]:
        desk, who = care.desk, care.patient
        return {"data": {
            "psn_no": who.psn_no, "insutype": who.insutype, "begntime": to_wire(care.begin),
            "mdtrt_cert_type": IDENTITY_CARD, "mdtrt_cert_no": who.certno, "ipt_otp_no": care.visit_no,
            "atddr_no": desk.dr_codg, "dr_name": desk.dr_name, "dept_code": desk.dept_code, "dept_name": desk.dept_name,
            "caty": desk.caty,
        }}

    def _admission(self, care: Care) -> dict[str, Any]:
        desk, who = care.desk, care.patient
        return {
            "mdtrtinfo": {
                "psn_no": who.psn_no, "insutype": who.insutype, "coner_name": "", "tel": "",
                "begntime": to_wire(care.begin), "mdtrt_cert_type": IDENTITY_CARD, "mdtrt_cert_no": who.certno,
                "med_type": _WARD_CLASS, "ipt_no": care.visit_no, "medrcdno": "B0001", "atddr_no": desk.dr_codg,
                "chfpdr_name": desk.dr_name, "adm_diag_dscr": DIAGNOSIS[1], "adm_dept_codg": desk.dept_code,
                "adm_dept_name": desk.dept_name, "adm_bed": "1", "dscg_maindiag_code": DIAGNOSIS[0],
                "dscg_maindiag_name": DIAGNOSIS[1], "main_cond_dscr": "",
            },
            "diseinfo": self._diagnoses(care, care.begin),
        }

    def _diagnoses(self, care: Care, at: datetime, **more: Any) -> list[dict[str, Any]]:
        desk = care.desk
        return [{
            "psn_no": care.patient.psn_no, "diag_type": "1", "maindiag_flag": "1", "diag_srt_no": 1,
            "diag_code": DIAGNOSIS[0], "diag_name": DIAGNOSIS[1], "adm_cond": "", "diag_dept": desk.dept_name,
            "dise_dor_no": desk.dr_codg, "dise_dor_name": desk.dr_name, "diag_time": to_wire(at), **more,
        }]

    def _key(self, care: Care) -> dict[str, Any]:
        return {"mdtrt_id": self._mdtrt[care.number], "psn_no": care.patient.psn_no}

    def _fee_lines(self, care: Care, **more: Any) -> list[dict[str, Any]]:
        desk = care.desk
        return [
            {**self._key(care), "feedetl_sn": str(n), "fee_ocur_time": to_wire(care.begin), "bilg_dept_codg": desk.dept_code,
             "bilg_dept_name": desk.dept_name, "bilg_dr_codg": desk.dr_codg, "bilg_dr_name": desk.dr_name,
             "hosp_appr_flag": "0", "med_list_codg": line.med_list_codg, "medins_list_codg": line.medins_list_codg,
             "pric": line.pric, "cnt": line.cnt, "det_item_fee_sumamt": line.det_item_fee_sumamt, **more}
            for n, line in enumerate(care.lines, 1)
        ]

    def _visit(self, care: Care) -> list[tuple[str, dict[str, Any]]]:
        diagnosis = {
            k: v for k, v in self._diagnoses(care, care.begin)[0].items() if k not in ("psn_no", "maindiag_flag", "adm_cond")
        } | {"vali_flag": "1"}
        info = {**self._key(care), "med_type": _VISIT_CLASS, "begntime": to_wire(care.begin), "dise_codg": ""}
        batch = care.visit_no
        return [
            ("2203A", {"mdtrtinfo": info, "diseinfo": [diagnosis]}),
            ("2204", {"feedetail": self._fee_lines(care, chrg_bchno=batch, dise_codg="", rx_circ_flag="0")}),
            ("2207", {"data": {**self._bill(care), "med_type": _VISIT_CLASS, "chrg_bchno": batch}}),
        ]

    def _stay(self, care: Care) -> list[tuple[str, dict[str, Any]]]:
        assert care.end is not None
        desk = care.desk
        lines = self._fee_lines(care, init_feedetl_sn="", drord_no="", med_type=_WARD_CLASS)
        discharge = {
            **self._key(care), "insutype": care.patient.insutype, "endtime": to_wire(care.end),
            "dscg_dept_codg": desk.dept_code, "dscg_dept_name": desk.dept_name, "dscg_bed": "1", "dscg_way": "1",
            "die_date": "",
        }
        return [
            ("2301", {"feedetail": lines}),
            ("2402", {"dscginfo": discharge,
                      "diseinfo": self._diagnoses(care, care.end, mdtrt_id=self._mdtrt[care.number])}),
            ("2304", {"data": {**self._bill(care), "mid_setl_flag": "0"}}),
        ]

    def _sale(self, care: Care) -> list[tuple[str, dict[str, Any]]]:
        who = care.patient
        head = {
            "psn_no": who.psn_no, "mdtrt_cert_type": IDENTITY_CARD, "mdtrt_cert_no": who.certno,
            "begntime": to_wire(care.begin), "medfee_sumamt": total(care), "insutype": who.insutype, "acct_used_flag": "1",
            "med_type": _SALE_CLASS, "invono": care.visit_no,
        }
        lines = [
            {"feedetl_sn": str(n), "med_list_codg": x.med_list_codg, "medins_list_codg": x.medins_list_codg,
             "pric": x.pric, "cnt": x.cnt, "det_item_fee_sumamt": x.det_item_fee_sumamt}
            for n, x in enumerate(care.lines, 1)
        ]
        return [("2102", {"druginfo": head, "drugdetail": lines})]

    def _bill(self, care: Care) -> dict[str, Any]:
        who = care.patient
        return {
            **self._key(care), "mdtrt_cert_type": IDENTITY_CARD, "mdtrt_cert_no": who.certno, "medfee_sumamt": total(care),
            "psn_setlway": "01", "insutype": who.insutype, "acct_used_flag": "1", "invono": care.visit_no,
            "fulamt_ownpay_amt": 0, "overlmt_selfpay": 0, "preselfpay_amt": 0, "inscp_scp_amt": 0,
        }


def total(care: Care) -> Decimal:
    """Return the bill in yuan."""
    return sum((line.det_item_fee_sumamt for line in care.lines), Decimal(0))


def soon(at: datetime) -> datetime:
    """Return the instant by which a counter has written down what happened at ``at``."""
    return at + timedelta(minutes=2)
