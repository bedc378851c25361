"""7101-7107, 7211: e-prescriptions as hospitals write, sign, upload, void and look them up.

The form of 2021 with its underscores is told apart by its field names and translated in ``prescriptions_2021``.
"""

from __future__ import annotations

import base64
import secrets
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from yibao.entrypoints.gateway.registry import Done, Message, Output, Services, deed, query
from yibao.entrypoints.gateway.transactions import prescriptions_2021 as of_2021
from yibao.entrypoints.gateway.transactions.prescription_words import (
    ATTRIBUTES,
    BUSINESS_KINDS,
    filled,
    stored_document,
)
from yibao.entrypoints.gateway.wire_words import code_text
from yibao.infra.database import Connection
from yibao.infra.sm2 import Seal, seal_at, serial_of
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.money import round_half_up
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.prescriptions.check_prescription import (
    PrescribedDrug,
    PrescriptionCommand,
    check_prescription,
)
from yibao.usecases.prescriptions.find_drugs import find_drugs
from yibao.usecases.prescriptions.show_prescription import (
    IN_FORCE,
    VOID,
    Asking,
    Shown,
    show_prescription,
)
from yibao.usecases.prescriptions.sign_prescription import sign_prescription
from yibao.usecases.prescriptions.upload_prescription import (
    UploadCommand,
    cancel_prescription,
    upload_prescription,
)

NEEDED = (
    ("data", "hospRxno"), ("data", "prscTime"), ("data", "valiEndTime"), ("mdtrtinfo", "mdtrtId"),
    ("mdtrtinfo", "psnNo"), ("mdtrtinfo", "drCode"),
)
"""What a prescription cannot do without, though clients may leave required text empty."""
NO_CERTIFICATE = "NONE"
SEAL_FILE = "prescription-seal.pem"
"""Where the key that signs prescriptions is kept, in the platform's home."""


@deed("7101")
async def check(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Check a prescription; in the form of 2021, which knows no signature of the platform, it is in force at once."""
    if of_2021.is_old(message):
        return await of_2021.add_prescription(message, services, tx)
    command = prescription_command(message.input)
    if isinstance(command, Refusal):
        return command
    kept = await check_prescription(
        tx, command=command, institution=message.institution, hi_rxno=services.ids.new(message.received_at),
        trace_code=secrets.token_hex(10), now=message.received_at,
    )
    if isinstance(kept, Refusal):
        return kept
    return Done({"data": {"rxTraceCode": kept.trace_code, "hiRxno": kept.hi_rxno}}, psn_no=kept.psn_no,
                mdtrt_id=kept.mdtrt_id)


def prescription_command(content: dict[str, Any]) -> PrescriptionCommand | Refusal:
    """Return the prescription of a message in the present form."""
    for node, field in NEEDED:
        if field not in content.get(node, {}):
            return refuse("FIELD_MISSING", "为必填项", field=f"{node}.{field}", remedy="请填写后重发")
    data, visit = content["data"], content["mdtrtinfo"]
    is_repeated = data.get("reptFlag") == "1"
    return PrescriptionCommand(
        psn_no=visit["psnNo"], mdtrt_id=visit["mdtrtId"], name=visit.get("patnName", ""),
        cert_type=visit.get("psnCertType", ""), certno=visit.get("certno", ""), hosp_rxno=data["hospRxno"],
        is_continued=data.get("rxCotnFlag") == "1", init_rxno=data.get("initRxno", ""),
        attribute=data.get("rxExraAttrCode", ""), prescribed_at=data["prscTime"], valid_until=data["valiEndTime"],
        uses_max=int(data.get("maxReptCnt", 1)) if is_repeated else 1,
        interval_days=int(data.get("minInrvDays", 0)) if is_repeated else 0, doctor_code=visit["drCode"],
        diagnosis_codes=[
            code for code in (visit.get("maindiagCode"), *(d.get("diagCode") for d in content.get("diseinfo", ()))) if code
        ],
        drugs=[
            PrescribedDrug(d.get("medListCodg", ""), round_half_up(d.get("drugCnt", Decimal(0)), 4),
                           d.get("hospApprFlag") == "1")
            for d in content.get("rxdrugdetail", ())
        ],
        document=stored_document(content),
    )


@deed("7102")
async def sign(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Sign a prescription's file; in the form of 2021 the number means a pharmacy's review."""
    if of_2021.is_old(message):
        return await of_2021.review(message, services, tx)
    data = message.input["data"]
    signed = await sign_prescription(
        tx, text=data["originalValue"], file=data["originalRxFile"], institution=message.institution,
        seal=_seal(services), now=message.received_at,
    )
    if isinstance(signed, Refusal):
        return signed
    return Done({"data": {
        "rxFile": signed.file, "signDigest": signed.sign_value, **certificate(signed.public_key),
    }})


def _seal(services: Services) -> Seal | None:
    """Return the platform's seal, kept beside its database; None where there is no place or no SM2."""
    return None if services.settings is None else seal_at(services.settings.home / SEAL_FILE)


def certificate(public_key: bytes) -> dict[str, str]:
    """Return what stands behind a signature value: the platform's own key, or the SM3 digest that it keeps."""
    if not public_key:
        return {"signCertSn": NO_CERTIFICATE, "signCertDn": "SM3摘要存证，未使用数字证书"}
    return {"signCertSn": serial_of(public_key), "signCertDn": "SM2平台签章密钥，未经电子认证机构认证；序号为公钥SM3摘要"}


@deed("7103")
async def upload(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Put a signed prescription in force; in the form of 2021 the number means details of a sale."""
    if of_2021.is_old(message):
        # Its details of a sale name no national drug code, so nothing could be counted.
        return of_2021.refuse_form(message.infno)
    data = message.input["data"]
    kept = {name: value for name, value in data.items() if name not in ("rxFile", "signDigest")}
    command = UploadCommand(
        hi_rxno=data["hiRxno"], trace_code=data["rxTraceCode"], mdtrt_id=data["mdtrtId"], name=data["patnName"],
        cert_type=data["psnCertType"], certno=data["certno"], doctor_code=data["drCode"],
        pharmacist_code=data["pharCode"], reviewed_at=data["pharChkTime"], file=data["rxFile"],
        sign_value=data["signDigest"], addition=stored_document({"upload": kept}),
    )
    found = await upload_prescription(tx, command=command, institution=message.institution, now=message.received_at)
    if isinstance(found, Refusal):
        return found
    return Done({"data": {"hiRxno": command.hi_rxno, **status_fields(IN_FORCE)}}, psn_no=found["psn_no"],
                mdtrt_id=found["mdtrt_id"])


@deed("7104")
async def cancel(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Make a prescription void; both forms differ in their names alone."""
    data = message.input.get("data", {})
    hi_rxno = data.get("hiRxno") or data.get("hi_rxno") or ""
    if not hi_rxno:
        return refuse("FIELD_MISSING", "为必填项", field="data.hiRxno", remedy="请填写医保处方编号")
    found = await cancel_prescription(tx, hi_rxno=hi_rxno, institution=message.institution, now=message.received_at)
    if isinstance(found, Refusal):
        return of_2021.in_names_of_2021(found, message) if of_2021.is_old(message) else found
    return Done({"data": {"hiRxno": hi_rxno, **status_fields(VOID)}}, psn_no=found["psn_no"],
                mdtrt_id=found["mdtrt_id"])


def status_fields(status: str) -> dict[str, str]:
    """Return the status of a prescription as code and name."""
    return {"rxStasCodg": status, "rxStasName": code_text("rx_stas_codg", status)}


async def _shown(message: Message, services: Services) -> Shown | Refusal:
    data = message.input.get("data")
    if not isinstance(data, dict) or "hiRxno" not in data:
        return of_2021.refuse_form(message.infno)
    asking = Asking(data["hiRxno"], data["mdtrtId"], data["psnName"], data["psnCertType"], data["certno"])
    async with services.database.connection() as tx:
        return await show_prescription(tx, asking=asking, institution=message.institution, now=message.received_at)


@query("7105")
async def show(message: Message, services: Services) -> Output | Refusal:
    """Show a prescription with its drugs and diagnoses."""
    shown = await _shown(message, services)
    if isinstance(shown, Refusal):
        return shown
    message.found_psn_no = shown.prescription["psn_no"]
    return content_output(message.infno, shown)


def content_output(infno: str, shown: Shown) -> dict[str, Any]:
    """Return what 7105 and 7204 tell of a prescription: every field of their tables that was sent once."""
    p, document = shown.prescription, shown.document
    sent, visit, uploaded = document["data"], document["mdtrtinfo"], document.get("upload", {})
    head = {
        **sent, "hiRxno": p["hi_rxno"], "rxTraceCode": p["trace_code"], "fixmedinsCode": p["fixmedins_code"],
        "fixmedinsName": uploaded.get("fixmedinsName") or visit.get("fixmedinsName"), **status_fields(shown.status),
        "rxUsedStasCodg": shown.used, "rxUsedStasName": code_text("rx_used_stas_codg", shown.used),
        "rxTypeName": code_text("rx_type_code", str(sent.get("rxTypeCode", ""))), "reptdCnt": shown.uses,
        "reptFlag": sent.get("reptFlag", "0"), "bizTypeName": BUSINESS_KINDS.get(str(sent.get("bizTypeCode"))),
        "rxExraAttrName": ATTRIBUTES.get(str(sent.get("rxExraAttrCode"))), "rxCircLimitFlag": "0",
        "prscDeptName": visit.get("prscDeptName"), "rxFile": base64.b64encode(p["file"] or b"").decode(), "fileSuffix": "pdf",
    }
    patient = {
        **visit, "iptOpNo": visit.get("iptOtpNo"), "suckPrdFag": visit.get("suckPrdFlag"),
        "pharName": uploaded.get("pharName"), "pharChkTime": uploaded.get("pharChkTime"),
        "insutype": visit.get("insutype") or shown.insutype,
    }
    return {
        "data": filled(infno, "data", head), "rxOtpinfo": filled(infno, "rxOtpinfo", patient),
        "rxDetlList": [
            filled(infno, "rxDetlList[]", {
                **named(drug), "drugTotlcnt": drug.get("drugCnt"), "drugTotlcntEmp": drug.get("drugDosunt"),
            })
            for drug in document["rxdrugdetail"]
        ],
        "rxDiseList": [
            filled(infno, "rxDiseList[]", {"diagDeptCode": visit.get("prscDeptCode"), **row})
            for row in document.get("diseinfo", ())
        ],
    }


def named(drug: dict[str, Any]) -> dict[str, Any]:
    """Return a prescribed drug with a trade name: one that is prescribed by its generic name has that."""
    return {**drug, "drugProdname": drug.get("drugProdname") or drug.get("drugGenname"), "prdrName": drug.get("prdrName") or ""}


@query("7106")
async def show_review(message: Message, services: Services) -> Output | Refusal:
    """Show what a pharmacy's pharmacist found of a prescription."""
    shown = await _shown(message, services)
    if isinstance(shown, Refusal):
        return shown
    message.found_psn_no = shown.prescription["psn_no"]
    review = shown.review
    if review is None:
        return refuse("NOT_REVIEWED_YET", "还没有药店审核这张处方", field="data.hiRxno",
                      received=shown.prescription["hi_rxno"], remedy="请在药店审方后再查询")
    code = "1" if review["state"] == "passed" else "0"
    return {"data": {
        "hiRxno": shown.prescription["hi_rxno"], "pharName": review["pharmacist_name"],
        "pharCode": review["pharmacist_code"], "rxChkStasCodg": code, "rxChkOpnn": review["opinion"],
        "rxChkTime": to_wire(review["reviewed_at"]), **status_fields(shown.status),
        "rxChkStasName": code_text("rx_chk_stas_codg", code),
    }}


@query("7107")
async def show_dispensing(message: Message, services: Services) -> Output | Refusal:
    """Show what was dispensed on a prescription."""
    shown = await _shown(message, services)
    if isinstance(shown, Refusal):
        return shown
    message.found_psn_no = shown.prescription["psn_no"]
    head: dict[str, Any] = {
        "hiRxno": shown.prescription["hi_rxno"], **status_fields(shown.status), "rxUsedStasCodg": shown.used,
        "rxUsedStasName": code_text("rx_used_stas_codg", shown.used), "setlTime": None,
    }
    if shown.settled:
        head["setlTime"] = to_wire(shown.settled[-1]["settled_at"])
    drugs = {d["medListCodg"]: d for d in shown.document["rxdrugdetail"]}
    told = [(row["item_code"], row["quantity_e4"], msgspec.json.decode(row["document"])) for row in shown.handed_out]
    # What stands in a bill and in a pharmacy's details is the same box: details are told where there are any.
    detailed = {code for code, _, _ in told}
    told += [(row["item_code"], row["quantity_e4"], {}) for row in shown.settled if row["item_code"] not in detailed]
    return {"data": head, "seltdelts": [
        filled("7107", "seltdelts[]", {
            **named(drugs[code]), "manuLotnum": detail.get("manuLotNum"), "bchno": detail.get("bchno"),
            "aprvno": detail.get("aprvno"), "prdrName": detail.get("prdrName") or drugs[code].get("prdrName") or "",
            "cnt": Decimal(quantity).scaleb(-4), "takeDrugFlag": "1",
        })
        for code, quantity, detail in told
    ]}


@query("7211")
async def list_drugs(message: Message, services: Services) -> Output | Refusal:
    """List the drugs that a prescription may name in the institution's region."""
    data = message.input["data"]
    codes = [*data.get("medListCodgs", ()), *([data["medListCodg"]] if "medListCodg" in data else [])]
    flags = {"0": False, "1": True}
    async with services.database.connection() as tx:
        rows = await find_drugs(
            tx, institution=message.institution, codes=codes or None, name=data.get("drugName", ""),
            is_dual_channel=flags.get(data.get("dualchnlFlag", "")), is_paid=flags.get(data.get("oppoolFlag", "")),
            on=business_date(message.received_at), page=int(data["pageNum"]), size=int(data["pageSize"]),
        )
    if isinstance(rows, Refusal):
        return rows
    total = rows[0]["total"] if rows else 0
    return {"data": {"total": total, "size": len(rows)}, "list": [_drug(row, message) for row in rows]}


def _drug(row: Any, message: Message) -> dict[str, Any]:
    detail = msgspec.json.decode(row["detail"])
    return filled("7211", "list[]", {
        "medListCodg": row["code"], "natDrugNo": row["code"][:20], "genname": row["name"], "regName": row["name"],
        "listType": row["list_type"], "listTypeName": code_text("list_type", row["list_type"]), "specName": row["spec"],
        "prdrName": row["maker"], "aprvno": row["approval_no"] or None, "dosformName": row["dosage_form"],
        "minPacunt": detail.get("pack_unit"), "minPacCnt": detail.get("pack_count"), "minPrepunt": row["unit"] or None,
        "poolareaNo": message.institution.region, "dualchnlFlag": "1" if row["negotiated"] else "0",
        "oppoolFlag": "0" if row["class_level"] == "03" else "1", "begntime": _midnight(row["valid_from"]),
        "endtime": _midnight(row["valid_to"]), "natHiDruglistMemo": row["restriction"] or None,
        "natHiDruglistChrgitmLv": {"01": "甲", "02": "乙"}.get(row["class_level"]), "chrgitmLv": row["class_level"],
    })


def _midnight(day: date | None) -> str | None:
    return None if day is None else f"{datetime.combine(day, datetime.min.time())}"
