"""A hospital's ward in miniature: drives whole stays over HTTP as an institution's own system would.

Written apart from the product, from the interface alone, in the spirit of the till, whose envelope and sender checks
it uses.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.support.till import Till, total

DIAGNOSIS = ("J18.900", "肺炎")
"""A diagnosis for stays about which nothing particular is told."""
_serials = itertools.count(1)


def wire(at: datetime) -> str:
    """Return a time of business as the wire writes it."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


class Stay:
    """One stay as the ward keeps it: who, since when, its id, what was uploaded and is not settled."""

    def __init__(self, patient: Mapping[str, Any], mdtrt_id: str, begin: datetime, med_type: str) -> None:
        self.patient, self.mdtrt_id, self.begin, self.med_type = patient, mdtrt_id, begin, med_type
        self.ipt_no = ""

    @property
    def key(self) -> dict[str, str]:
        """Return what names the stay in most messages."""
        return {"mdtrt_id": self.mdtrt_id, "psn_no": self.patient["psn_no"]}

    @property
    def place(self) -> str:
        """Return the insured place of the envelope."""
        return str(self.patient["insuplc_admdvs"])


class Ward(Till):
    """A ward with one connection; a till that also knows stays."""

    def diagnoses(
        self, patient: Mapping[str, Any], at: datetime, *codes: tuple[str, str], mdtrt_id: str = ""
    ) -> list[dict[str, Any]]:
        """Return ``diseinfo``: the first code is the main one."""
        c = self.counter
        rows = [
            {"psn_no": patient["psn_no"], "diag_type": "1", "maindiag_flag": "1" if n == 1 else "0", "diag_srt_no": n,
             "diag_code": code, "diag_name": name, "adm_cond": "", "diag_dept": c.dept_name, "dise_dor_no": c.dr_codg,
             "dise_dor_name": c.dr_name, "diag_time": wire(at)}
            for n, (code, name) in enumerate(codes or (DIAGNOSIS,), 1)
        ]
        return [{**row, "mdtrt_id": mdtrt_id} if mdtrt_id else row for row in rows]

    def admission(
        self, patient: Mapping[str, Any], begin: datetime, *, med_type: str = "21", ipt_no: str = "",
        **more: Any,
    ) -> dict[str, Any]:
        """Return the business content of 2401."""
        c = self.counter
        info = {
            "psn_no": patient["psn_no"], "insutype": patient["insutype"], "coner_name": "", "tel": "",
            "begntime": wire(begin), "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "med_type": med_type,
            "ipt_no": ipt_no or "ZY" + secrets.token_hex(8), "medrcdno": "B0001", "atddr_no": c.dr_codg,
            "chfpdr_name": c.dr_name, "adm_diag_dscr": DIAGNOSIS[1], "adm_dept_codg": c.dept_code,
            "adm_dept_name": c.dept_name, "adm_bed": "12", "dscg_maindiag_code": DIAGNOSIS[0],
            "dscg_maindiag_name": DIAGNOSIS[1], "main_cond_dscr": "", **more,
        }
        return {"mdtrtinfo": info, "diseinfo": self.diagnoses(patient, begin)}

    def admit(self, patient: Mapping[str, Any], begin: datetime, *, med_type: str = "21", **more: Any) -> Stay:
        """Admit somebody (2401)."""
        content = self.admission(patient, begin, med_type=med_type, **more)
        reply = self.call("2401", content, insured_place=patient["insuplc_admdvs"])
        stay = Stay(patient, str(reply["result"]["mdtrt_id"]), begin, med_type)
        stay.ipt_no = content["mdtrtinfo"]["ipt_no"]
        return stay

    def change(self, stay: Stay, *, begin: datetime | None = None, **more: Any) -> Any:
        """Change the admission (2403); ``diseinfo`` may be given."""
        diseinfo = more.pop("diseinfo", [])
        info = self.admission(stay.patient, begin or stay.begin, med_type=stay.med_type, ipt_no=stay.ipt_no)["mdtrtinfo"]
        info |= {"mdtrt_id": stay.mdtrt_id, "ipt_otp_no": info.pop("ipt_no"), **more}
        for name in ("insutype", "mdtrt_cert_no"):
            info.pop(name)
        return self.call("2403", {"adminfo": info, "diseinfo": diseinfo}, insured_place=stay.place)

    def lines(self, stay: Stay, at: datetime, charges: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return ``feedetail`` of 2301; each charge names item, own code, price, count and amount, and what it likes."""
        c = self.counter
        return [
            {**stay.key, "feedetl_sn": str(next(_serials)), "init_feedetl_sn": "", "drord_no": "", "med_type": stay.med_type,
             "fee_ocur_time": wire(at), "bilg_dept_codg": c.dept_code, "bilg_dept_name": c.dept_name,
             "bilg_dr_codg": c.dr_codg, "bilg_dr_name": c.dr_name, "hosp_appr_flag": "0", **charge}
            for charge in charges
        ]

    def charge(self, stay: Stay, at: datetime, charges: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Upload fee lines (2301) and return how each is split."""
        content = {"feedetail": self.lines(stay, at, charges)}
        return list(self.call("2301", content, insured_place=stay.place)["result"])

    def withdraw(self, stay: Stay, *serials: str) -> Any:
        """Withdraw fee lines (2302); ``0000`` is all."""
        rows = [{**stay.key, "feedetl_sn": sn} for sn in serials]
        return self.call("2302", {"data": rows}, insured_place=stay.place)

    def discharge(self, stay: Stay, end: datetime, *, way: str = "1", **more: Any) -> Any:
        """End a stay (2402)."""
        c = self.counter
        diseinfo = more.pop("diseinfo", None)
        info = {
            **stay.key, "insutype": stay.patient["insutype"], "endtime": wire(end), "dscg_dept_codg": c.dept_code,
            "dscg_dept_name": c.dept_name, "dscg_bed": "12", "dscg_way": way, "die_date": "", **more,
        }
        rows = self.diagnoses(stay.patient, end, mdtrt_id=stay.mdtrt_id) if diseinfo is None else diseinfo
        return self.call("2402", {"dscginfo": info, "diseinfo": rows}, insured_place=stay.place)

    def cancel_discharge(self, stay: Stay) -> Any:
        """Take a discharge back (2405)."""
        return self.call("2405", {"data": stay.key}, insured_place=stay.place)

    def cancel_admission(self, stay: Stay) -> Any:
        """Cancel an admission (2404)."""
        return self.call("2404", {"data": stay.key}, insured_place=stay.place)

    def stay_bill(
        self, stay: Stay, medfee: float, *, interim: bool = False, acct_used_flag: str = "1", **more: Any
    ) -> dict[str, Any]:
        """Return the business content of 2303 and, with zero splits, of 2304."""
        return {"data": {
            **stay.key, "mdtrt_cert_type": "02", "mdtrt_cert_no": stay.patient["certno"], "medfee_sumamt": medfee,
            "psn_setlway": "01", "insutype": stay.patient["insutype"], "acct_used_flag": acct_used_flag, "invono": "",
            "mid_setl_flag": "1" if interim else "0", "fulamt_ownpay_amt": 0, "overlmt_selfpay": 0, "preselfpay_amt": 0,
            "inscp_scp_amt": 0, **more,
        }}

    def try_stay(self, stay: Stay, medfee: float, **more: Any) -> Any:
        """Try a settlement (2303)."""
        return self.call("2303", self.stay_bill(stay, medfee, **more), insured_place=stay.place)

    def settle_stay(self, stay: Stay, medfee: float, **more: Any) -> Any:
        """Settle (2304)."""
        return self.call("2304", self.stay_bill(stay, medfee, **more), insured_place=stay.place)

    def cancel_settlement(self, stay: Stay, setl_id: str) -> Any:
        """Cancel a settlement (2305)."""
        return self.call("2305", {"data": {**stay.key, "setl_id": setl_id}}, insured_place=stay.place)

    def whole_stay(
        self, patient: Mapping[str, Any], begin: datetime, charges: Sequence[Mapping[str, Any]], *, days: int = 5,
        med_type: str = "21",
    ) -> tuple[Stay, Any]:
        """Drive a whole stay: admitted, charged on the first day, discharged, settled; return it with the output."""
        stay = self.admit(patient, begin, med_type=med_type)
        self.charge(stay, begin, charges)
        self.discharge(stay, begin + timedelta(days=days))
        return stay, self.settle_stay(stay, total(charges))


def ward_of(till: Till, endpoint: str) -> Ward:
    """Open a ward at the institution of a till."""
    return Ward(endpoint, till.counter)
