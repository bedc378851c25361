"""A pharmacy's till in miniature, and a hospital that prescribes for it: over HTTP, written from the interface alone.

``Prescriber`` stands at a hospital's till and writes e-prescriptions (7101-7107); ``Drugstore`` at a pharmacy's: it fills
them (7201-7208) and sells (2101-2103), and goes the outpatient chain for pooled outpatient purchases (2201-2207).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.support.till import Till, total, wire_now
from yibao.kernel.business_time import SHANGHAI

Line = Mapping[str, Any]
"""A line as the drugstore sells it: the fields of ``drugdetail``."""


def wire_time(days: float = 0) -> str:
    """Return a business time so many days from now as the wire writes it."""
    return f"{datetime.now(SHANGHAI) + timedelta(days=days):%Y-%m-%d %H:%M:%S}"


def file_of(text: str) -> str:
    """Return a file as Base64 text; its content is the text."""
    return base64.b64encode(text.encode()).decode()


def sold(item: Mapping[str, Any], cnt: float = 1, *, rxno: str = "", **fields: Any) -> dict[str, Any]:
    """Return a sold line of a world's item; with ``rxno`` it is on that outside prescription."""
    amount = round(item["price"] * cnt * 100 + 1e-6) / 100
    line = {
        "med_list_codg": item["med_list_codg"], "medins_list_codg": item["medins_list_codg"], "pric": item["price"],
        "cnt": cnt, "det_item_fee_sumamt": amount,
    }
    if rxno:
        line |= {"rxno": rxno, "rx_circ_flag": "1"}
    return line | fields


class Prescriber:
    """A hospital that writes prescriptions for a patient who visits it; ``pharmacist`` is the code of its own one."""

    def __init__(self, till: Till, *, pharmacist: str) -> None:
        self.till, self.pharmacist = till, pharmacist

    def visit(self, patient: Mapping[str, Any]) -> str:
        """Register a visit and return its id."""
        return self.till.register(patient)

    def content(
        self, patient: Mapping[str, Any], drugs: Sequence[tuple[Mapping[str, Any], float]], *, mdtrt_id: str,
        days: float = 3, attribute: str = "02", approved: str = "1", **head: Any,
    ) -> dict[str, Any]:
        """Return the business content of 7101; ``drugs`` are items of the world with their quantities."""
        c, at = self.till.counter, wire_now()
        return {
            "data": {
                "mdtrtCertType": "02", "mdtrtCertNo": patient["certno"], "bizTypeCode": "01", "rxExraAttrCode": attribute,
                "ecToken": "none", "authNo": "none", "hospRxno": "RX" + secrets.token_hex(8), "rxTypeCode": "1",
                "prscTime": at, "rxDrugCnt": len(drugs), "valiDays": int(days), "valiEndTime": wire_time(days),
                "rxCotnFlag": "0", **head,
            },
            "rxdrugdetail": [
                {
                    "medListCodg": item["med_list_codg"], "rxItemTypeCode": "11", "drugGenname": item["name"],
                    "drugDosform": "片剂", "drugSpec": "0.1g", "medcWayCodg": "1", "medcWayDscr": "口服",
                    "medcBegntime": at, "medcEndtime": wire_time(days), "medcDays": int(days), "sinDosunt": "片",
                    "sinDoscnt": 1, "usedFrquCodg": "11", "usedFrquName": "qd", "drugDosunt": "盒", "drugCnt": cnt,
                    "hospApprFlag": approved,
                }
                for item, cnt in drugs
            ],
            "mdtrtinfo": {
                "fixmedinsName": c.fixmedins_name, "fixmedinsCode": c.fixmedins_code, "mdtrtId": mdtrt_id,
                "medType": "11", "iptOtpNo": "MZ1", "psnNo": patient["psn_no"], "patnName": patient["psn_name"],
                "psnCertType": "01", "certno": patient["certno"], "patnAge": 40, "gend": "1",
                "prscDeptName": c.dept_name, "prscDeptCode": c.dept_code, "drCode": c.dr_codg, "prscDrName": c.dr_name,
                "drProfttlCodg": "231", "drProfttlName": "主任医师", "drDeptCode": c.dept_code, "drDeptName": c.dept_name,
                "mdtrtTime": at, "spDiseFlag": "0", "maindiagCode": patient["visit"]["diag_code"],
                "maindiagName": patient["visit"]["diag_name"],
            },
            "diseinfo": [{
                "diagType": "1", "maindiagFlag": "1", "diagSrtNo": 1, "diagCode": patient["visit"]["diag_code"],
                "diagName": patient["visit"]["diag_name"], "diagDept": c.dept_name, "diagDrNo": c.dr_codg,
                "diagDrName": c.dr_name, "diagTime": at,
            }],
        }

    def check(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Have a prescription checked (7101) and return its numbers."""
        return dict(self.till.call("7101", content)["data"])

    def sign(self, hi_rxno: str) -> dict[str, Any]:
        """Have the prescription's file signed (7102) and return file and value."""
        c = self.till.counter
        content = {"fixmedinsCode": c.fixmedins_code, "originalValue": f"处方{hi_rxno}",
                   "originalRxFile": file_of(f"file of {hi_rxno}")}
        return dict(self.till.call("7102", {"data": content})["data"])

    def uploading(
        self, patient: Mapping[str, Any], numbers: Mapping[str, Any], signed: Mapping[str, Any], *, mdtrt_id: str
    ) -> dict[str, Any]:
        """Return the business content of 7103."""
        c = self.till.counter
        return {"data": {
            "rxTraceCode": numbers["rxTraceCode"], "hiRxno": numbers["hiRxno"], "mdtrtId": mdtrt_id,
            "patnName": patient["psn_name"], "psnCertType": "01", "certno": patient["certno"],
            "fixmedinsName": c.fixmedins_name, "fixmedinsCode": c.fixmedins_code, "drCode": c.dr_codg,
            "prscDrName": c.dr_name, "pharDeptName": "药剂科", "pharDeptCode": c.dept_code, "pharCode": self.pharmacist,
            "pharName": "药师", "pharChkTime": wire_now(), "rxFile": signed["rxFile"], "signDigest": signed["signDigest"],
        }}

    def prescribe(
        self, patient: Mapping[str, Any], drugs: Sequence[tuple[Mapping[str, Any], float]], **more: Any
    ) -> dict[str, Any]:
        """Write, sign and upload a prescription for a new visit; return its numbers, ``mdtrtId`` and ``rxFile``."""
        mdtrt_id = self.visit(patient)
        numbers = self.check(self.content(patient, drugs, mdtrt_id=mdtrt_id, **more))
        signed = self.sign(numbers["hiRxno"])
        self.till.call("7103", self.uploading(patient, numbers, signed, mdtrt_id=mdtrt_id))
        return {**numbers, "mdtrtId": mdtrt_id, "rxFile": signed["rxFile"]}

    def cancel(self, hi_rxno: str) -> dict[str, Any]:
        """Make a prescription void (7104)."""
        c = self.till.counter
        return dict(self.till.call("7104", {"data": {
            "hiRxno": hi_rxno, "fixmedinsCode": c.fixmedins_code, "drCode": c.dr_codg, "undoDrName": c.dr_name,
            "undoDrCertType": "01", "undoDrCertno": "none", "undoRea": "开错", "undoTime": wire_now(),
        }})["data"])

    def ask(self, infno: str, patient: Mapping[str, Any], rx: Mapping[str, Any]) -> dict[str, Any]:
        """Look a prescription up: 7105 content, 7106 review, 7107 dispensing."""
        return dict(self.till.call(infno, {"data": {
            "hiRxno": rx["hiRxno"], "fixmedinsCode": self.till.counter.fixmedins_code, "mdtrtId": rx["mdtrtId"],
            "psnName": patient["psn_name"], "psnCertType": "01", "certno": patient["certno"],
        }}))


class Drugstore:
    """A pharmacy at its till; ``pharmacist`` is the code of one of its pharmacists, by default who sits there."""

    def __init__(self, till: Till, *, pharmacist: str = "") -> None:
        self.till = till
        self.pharmacist = pharmacist or till.counter.dr_codg

    # ── prescriptions ──

    def who(self) -> dict[str, str]:
        """Return the fields that every 72xx message begins with."""
        c = self.till.counter
        return {"fixmedinsCode": c.fixmedins_code, "ipInfo": "127.0.0.1", "devInfo": "till", "opter": c.opter,
                "opterName": c.opter_name, "optinsNo": c.fixmedins_code}

    def authorise(self, patient: Mapping[str, Any]) -> dict[str, Any]:
        """Be let to the patient's newest open prescription by document (7201)."""
        return dict(self.till.call("7201", {"data": {
            **self.who(), "psnName": patient["psn_name"], "psnCertType": "01", "certno": patient["certno"], "ecToken": "none",
        }})["data"])

    def authorise_sent(self, hi_rxno: str) -> dict[str, Any]:
        """Be let to a prescription sent online (7202)."""
        return dict(self.till.call("7202", {"data": {
            **self.who(), "hiRxno": hi_rxno, "authCircBizSn": "S1", "epcChnlId": "C1",
        }})["data"])

    def authorise_code(self, trace_code: str) -> dict[str, Any]:
        """Be let to the prescription whose code the patient shows (7203)."""
        return dict(self.till.call("7203", {"data": {**self.who(), "epcQrcd": trace_code}})["data"])

    def download(self, grant: Mapping[str, Any]) -> dict[str, Any]:
        """Download the prescription (7204)."""
        content = {**self.who(), "epcToken": grant["epcToken"], "authRxno": grant["authRxno"]}
        return dict(self.till.call("7204", {"data": content}))

    def verify(self, rx: Mapping[str, Any], grant: Mapping[str, Any]) -> dict[str, Any]:
        """Have the file verified (7205); ``rx`` has hiRxno, rxTraceCode and rxFile."""
        return dict(self.till.call("7205", {"data": {
            "hiRxno": rx["hiRxno"], "fixmedinsCode": self.till.counter.fixmedins_code, "rxTraceCode": rx["rxTraceCode"],
            "rxFile": rx["rxFile"], "epcToken": grant["epcToken"],
        }})["data"])

    def review(
        self, hi_rxno: str, grant: Mapping[str, Any], verify_sn: str, *, passed: bool = True, opinion: str = "同意"
    ) -> str:
        """Upload the pharmacist's review (7206) and return its number."""
        c = self.till.counter
        return str(self.till.call("7206", {"data": {
            "hiRxno": hi_rxno, "epcToken": grant["epcToken"], "ecToken": "none", "fixmedinsCode": c.fixmedins_code,
            "fixmedinsName": c.fixmedins_name, "pharCertType": "01", "pharCertno": "none", "pharName": "药师",
            "pharCode": self.pharmacist, "rxChkOpnn": opinion, "rxChkStasCodg": "1" if passed else "0",
            "rxChkTime": wire_now(), "rxSignVerifySn": verify_sn,
        }})["data"]["rxChkBizSn"])

    def accept(self, rx: Mapping[str, Any], *, passed: bool = True) -> dict[str, Any]:
        """Go from the patient's code to the pharmacist's review; return the grant with ``rxChkBizSn``."""
        grant = self.authorise_code(rx["rxTraceCode"])
        told = self.download(grant)["data"]
        verified = self.verify({**rx, "rxFile": told["rxFile"]}, grant)
        return {**grant, "rxChkBizSn": self.review(rx["hiRxno"], grant, verified["rxSignVerifySn"], passed=passed)}

    def hand_out(
        self, rx: Mapping[str, Any], accepted: Mapping[str, Any], item: Mapping[str, Any], cnt: float, *, flag: str = "1"
    ) -> str:
        """Tell of a drug handed out (7207); ``flag`` 0 is paid in cash. Return its number."""
        c = self.till.counter
        return str(self.till.call("7207", {
            "data": {"hiRxno": rx["hiRxno"], "fixmedinsCode": c.fixmedins_code, "fixmedinsName": c.fixmedins_name,
                     "rxChkBizSn": accepted["rxChkBizSn"], "hiFeesetlFlag": flag},
            "rxSaleDrugDetl": {
                "rtalDocno": "R" + secrets.token_hex(6), "stooutTime": wire_now(), "medListCodg": item["med_list_codg"],
                "medinsListCodg": item["medins_list_codg"], "drugGenname": item["name"], "drugSpec": "0.1g",
                "drugTotlcnt": cnt, "drugTotlcntEmp": "盒",
            },
        })["data"]["selStooutSn"])

    def take_back(self, hi_rxno: str, serial: str = "") -> None:
        """Void what was told of drugs handed out (7208); without a number everything unsettled."""
        self.till.call("7208", {"data": {
            "hiRxno": hi_rxno, "fixmedinsCode": self.till.counter.fixmedins_code, "hiFeesetlFlag": "1",
            "selStooutSn": serial,
        }})

    # ── sales ──

    def purchase(
        self, patient: Mapping[str, Any], lines: Sequence[Line], *, med_type: str = "41", acct_used_flag: str = "1",
        begin: str | None = None, **head: Any,
    ) -> dict[str, Any]:
        """Return the business content of 2101 and 2102."""
        return {
            "druginfo": {
                "psn_no": patient["psn_no"], "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"],
                "begntime": begin or wire_now(), "medfee_sumamt": total(lines), "insutype": patient["insutype"],
                "acct_used_flag": acct_used_flag, "med_type": med_type, **head,
            },
            "drugdetail": [{"feedetl_sn": f"{n}", **line} for n, line in enumerate(lines, 1)],
        }

    def quote(self, patient: Mapping[str, Any], lines: Sequence[Line], **more: Any) -> Any:
        """Try a sale (2101)."""
        return self.till.call("2101", self.purchase(patient, lines, **more), insured_place=patient["insuplc_admdvs"])

    def sell(self, patient: Mapping[str, Any], lines: Sequence[Line], *, msgid: str | None = None, **more: Any) -> Any:
        """Sell (2102) and return the settlement's output."""
        content = self.purchase(patient, lines, **more)
        return self.till.call("2102", content, msgid=msgid, insured_place=patient["insuplc_admdvs"])

    def refund(self, patient: Mapping[str, Any], sale: Mapping[str, Any], *, msgid: str | None = None) -> Any:
        """Cancel a sale (2103); ``sale`` is the output of 2102."""
        info = sale["setlinfo"]
        return self.till.call("2103", {"data": {
            "psn_no": patient["psn_no"], "mdtrt_id": info["mdtrt_id"], "setl_id": info["setl_id"],
        }}, msgid=msgid, insured_place=patient["insuplc_admdvs"])
