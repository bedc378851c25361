"""E-prescriptions in the form of 2021: the same numbers with underscored names and, in part, other meanings.

7101 puts a prescription in force at once (the hospital signs by itself), 7102 and 7204 are a pharmacy's review, 7104
voids, 7201 decodes the patient's code, 7202 finds by credential, 7203 downloads. What that form sends beside these
(7103, 7105, 7205, 7206) is refused by name: it names no national drug code or has no effect here.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from yibao.domains.dispensing.prescriptions_model import Review
from yibao.entrypoints.gateway.registry import Done, Message, Services
from yibao.entrypoints.gateway.transactions.prescription_words import filled_form, stored_document
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.money import round_half_up
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.prescriptions import authorise_pharmacy
from yibao.usecases.prescriptions.check_prescription import (
    PrescribedDrug,
    PrescriptionCommand,
    check_prescription,
)
from yibao.usecases.prescriptions.fill_prescription import download_prescription, review_directly
from yibao.usecases.prescriptions.show_prescription import shown
from yibao.usecases.prescriptions.upload_prescription import put_in_force_unsigned

TO_PRESENT: Mapping[str, str] = {
    "rx_drug_nums": "rxDrugCnt", "rx_way_codg": "rxUsedWayCodg", "rx_way_name": "rxUsedWayName",
    "rx_freq_codg": "rxFrquCodg", "rx_freq_name": "rxFrquName", "valid_days": "valiDays",
    "valid_end_time": "valiEndTime", "drug_cnt_unit": "drugDosunt", "medc_starttime": "medcBegntime",
    "ipt_op_no": "iptOtpNo", "age": "patnAge", "patn_ht": "patnHgt", "fstdiag": "fstdiagFlag",
    "diag_code": "maindiagCode", "diag_name": "maindiagName", "dise_dor_no": "diagDrNo", "dise_dor_name": "diagDrName",
}
"""Names of 2021 that changed by more than their spelling. A diagnosis row keeps diagCode and diagName."""
_AFTER_LINE = re.compile(r"_+([a-z0-9])")
_BEFORE_LETTER = re.compile(r"(?=[A-Z])")
_FROM_PRESENT = {
    **{present: old for old, present in TO_PRESENT.items()},
    "mdtrtinfo.drCode": "diseinfo.dise_dor_no", "mdtrtinfo.fixmedinsCode": "fixmedins_code",
    "data.pharCode": "phar_name", "data.certno": "mdtrt_cert_no",
}
"""Names, or whole paths, of a refusal that read otherwise in the form of 2021."""


def is_old(message: Message) -> bool:
    """Say whether a message came in the form of 2021: its names have underscores."""
    content = message.input.get("data", message.input)
    return any("_" in name for name in content)


def refuse_form(infno: str) -> Refusal:
    """Refuse a message of 2021 whose content has no effect here."""
    return refuse("FORM_NOT_OFFERED", f"交易【{infno}】的2021版报文本平台不受理", field="infno", received=infno,
                  remedy="请使用现行的驼峰字段名报文")


def in_names_of_2021(refusal: Refusal, message: Message) -> Refusal:
    """Return a refusal whose fields are named as the message of 2021 named them."""
    return Refusal(tuple(
        msgspec.structs.replace(fault, field=_old_path(fault.field, is_flat="data" not in message.input))
        for fault in refusal.faults
    ))


def _old_path(path: str, *, is_flat: bool) -> str:
    node, _, name = path.rpartition(".")
    if not path or path in _FROM_PRESENT:
        return _FROM_PRESENT.get(path, path)
    old = _FROM_PRESENT.get(name) or _BEFORE_LETTER.sub("_", name).lower()
    return f"{node}.{old}" if node and not (is_flat and node == "data") else old


def in_present_names(values: Mapping[str, Any], *, node: str) -> dict[str, Any]:
    """Return the fields of a node of 2021 under their present names."""
    special = {} if node == "diseinfo" else TO_PRESENT
    if node == "diseinfo":
        special = {name: TO_PRESENT[name] for name in ("dise_dor_no", "dise_dor_name")}
    return {
        special.get(name) or _AFTER_LINE.sub(lambda found: found[1].upper(), name): value for name, value in values.items()
    }


def names_of(prescription: asyncpg.Record) -> dict[str, Any]:
    """Return what a grant tells of a prescription: hospital, department, disease."""
    document = msgspec.json.decode(prescription["document"])
    visit = document["mdtrtinfo"]
    return {
        "hospital": document.get("upload", {}).get("fixmedinsName") or visit.get("fixmedinsName"),
        "department": visit.get("prscDeptName"), "disease_code": visit.get("diseCodg"),
        "disease_name": visit.get("diseName"), "diagnosis": visit.get("maindiagName"),
    }


async def add_prescription(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Check a prescription and put it in force; its document stands for the file that this form need not send."""
    content = _in_present_form(message)
    command = _command(content)
    if isinstance(command, Refusal):
        return command
    hi_rxno = services.ids.new(message.received_at)
    kept = await check_prescription(
        tx, command=command, institution=message.institution, hi_rxno=hi_rxno, trace_code=secrets.token_hex(10),
        now=message.received_at,
    )
    if isinstance(kept, Refusal):
        return in_names_of_2021(kept, message)
    await put_in_force_unsigned(
        tx, kept, file=str(message.input["data"].get("rx_file") or command.document).encode(),
        addition=stored_document({"upload": _reviewed(content, message)}), now=message.received_at,
    )
    # Clients of that time look for the number directly below output; the trace code is what the patient's code holds.
    return Done({"hi_rxno": hi_rxno, "rx_trace_code": kept.trace_code}, psn_no=kept.psn_no, mdtrt_id=kept.mdtrt_id)


def _in_present_form(message: Message) -> dict[str, Any]:
    content = message.input
    visit = in_present_names(content.get("mdtrtinfo", {}), node="mdtrtinfo")
    diagnoses = [in_present_names(row, node="diseinfo") for row in content.get("diseinfo", ())]
    # That form names the doctor in the diagnoses only.
    main = next((d for d in diagnoses if d.get("maindiagFlag") == "1"), diagnoses[0] if diagnoses else {})
    return {
        "data": in_present_names(content["data"], node="data"),
        "rxdrugdetail": [in_present_names(row, node="rxdrugdetail") for row in content.get("rxdrugdetail", ())],
        "mdtrtinfo": {
            **visit, "drCode": main.get("diagDrNo", ""), "fixmedinsCode": message.institution.fixmedins_code,
            "fixmedinsName": message.institution.name,
        },
        "diseinfo": diagnoses,
    }


def _reviewed(content: Mapping[str, Any], message: Message) -> dict[str, Any]:
    visit = content["mdtrtinfo"]
    return {"pharName": visit.get("pharName"), "pharChkTime": visit.get("pharChkTime"),
            "fixmedinsName": message.institution.name}


def _command(content: Mapping[str, Any]) -> PrescriptionCommand | Refusal:
    data, visit = content["data"], content["mdtrtinfo"]
    for node, field, value in (
        ("data", "hosp_rxno", data.get("hospRxno")), ("data", "prsc_time", data.get("prscTime")),
        ("data", "valid_end_time", data.get("valiEndTime")), ("mdtrtinfo", "mdtrt_id", visit.get("mdtrtId")),
        ("mdtrtinfo", "psn_no", visit.get("psnNo")), ("diseinfo", "dise_dor_no", visit.get("drCode")),
    ):
        if not value:
            return refuse("FIELD_MISSING", "为必填项", field=f"{node}.{field}", remedy="请填写后重发")
    is_repeated = data.get("reptFlag") == "1"
    return PrescriptionCommand(
        psn_no=visit["psnNo"], mdtrt_id=visit["mdtrtId"], name=visit.get("patnName", ""),
        cert_type=visit.get("psnCertType", ""), certno=visit.get("certno", ""), hosp_rxno=data["hospRxno"],
        is_continued=data.get("rxCotnFlag") == "1", init_rxno=data.get("initRxno", ""), attribute="",
        prescribed_at=data["prscTime"], valid_until=data["valiEndTime"],
        uses_max=int(data.get("maxReptCnt", 1)) if is_repeated else 1,
        interval_days=int(data.get("minInrvDays", 0)) if is_repeated else 0, doctor_code=visit["drCode"],
        diagnosis_codes=[d["diagCode"] for d in content["diseinfo"] if d.get("diagCode")],
        drugs=[
            PrescribedDrug(d.get("medListCodg", ""), round_half_up(d.get("drugCnt", Decimal(0)), 4), True)
            for d in content["rxdrugdetail"]
        ],
        document=stored_document(content),
    )


async def authorise_by_code(message: Message, tx: Connection, means: authorise_pharmacy.Means) -> Done | Refusal:
    """Decode the patient's code (7201): token and who the patient is."""
    granted = await authorise_pharmacy.authorise_by_code(
        tx, code=message.input["epc_qrcd"], institution=message.institution, means=means, field="epc_qrcd"
    )
    if isinstance(granted, Refusal):
        return in_names_of_2021(granted, message)
    document = msgspec.json.decode(granted.prescription["document"])["mdtrtinfo"]
    return Done({
        "epc_token": granted.token, "auth_rxno": granted.authorisation.auth_rxno,
        "cert_type": document.get("psnCertType"), "name": document.get("patnName"), "certno": document.get("certno"),
        "insuplc_admdvs": granted.authorisation.admdvs,
    }, psn_no=granted.authorisation.psn_no)


async def authorise_by_document(message: Message, tx: Connection, means: authorise_pharmacy.Means) -> Done | Refusal:
    """Find the patient's newest open prescription by credential (7202)."""
    granted = await authorise_pharmacy.authorise_by_credential(
        tx, kind=message.input["mdtrt_cert_type"], number=message.input["mdtrt_cert_no"],
        institution=message.institution, means=means,
    )
    if isinstance(granted, Refusal):
        return in_names_of_2021(granted, message)
    p, names = granted.prescription, names_of(granted.prescription)
    return Done({
        "auth_rxno": granted.authorisation.auth_rxno, "epc_token": granted.token, "diag_name": names["diagnosis"],
        "fixmedins_code": p["fixmedins_code"], "fixmedins_name": names["hospital"],
        "prsc_time": to_wire(p["prescribed_at"]), "dept_name": names["department"],
        "valid_end_time": to_wire(p["valid_until"]),
    }, psn_no=p["psn_no"])


async def download(message: Message, tx: Connection) -> Done | Refusal:
    """Hand the prescription to the pharmacy (7203), in the names of 2021."""
    for name in ("auth_rxno", "epc_token"):
        if name not in message.input:
            return refuse("FIELD_MISSING", "为必填项", field=name, remedy="请填写7201或7202返回的值")
    filling = await download_prescription(
        tx, auth_rxno=message.input["auth_rxno"], token=message.input["epc_token"], institution=message.institution,
        now=message.received_at,
    )
    if isinstance(filling, Refusal):
        return in_names_of_2021(filling, message)
    p = filling.prescription
    whole = await shown(tx, p, now=message.received_at)
    document = whole.document
    head = {**document["data"], "hiRxno": p["hi_rxno"], "fixmedinsCode": p["fixmedins_code"],
            "fixmedinsName": names_of(p)["hospital"], "reptdCnt": whole.uses}
    visit = {**document["mdtrtinfo"], "insuplcAdmdvs": p["admdvs"]}

    def of(node: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return filled_form("7203_alt", node, lambda name: values.get(next(iter(in_present_names({name: 0}, node=node)))))

    # The table of that form states single nodes; several drugs go as the list that clients take in its place.
    return Done({
        "data": of("data", head), "rxdrugdetail": [of("rxdrugdetail", row) for row in document["rxdrugdetail"]],
        "mdtrtinfo": of("mdtrtinfo", visit), "diseinfo": [of("diseinfo", row) for row in document.get("diseinfo", ())],
    }, psn_no=p["psn_no"])


async def review(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Keep what the pharmacy's pharmacist found (7102, 7204); that form names the pharmacist without a national code."""
    content = message.input
    found = Review(
        content["rx_chk_stas_codg"] == "1", content.get("rx_chk_opnn", ""), "", content["phar_name"],
        content["rx_chk_time"],
    )
    kept = await review_directly(
        tx, hi_rxno=content["hi_rxno"], review=found, certno=content.get("phar_certno"), institution=message.institution,
        review_sn=services.ids.new(message.received_at), now=message.received_at,
    )
    if isinstance(kept, Refusal):
        return in_names_of_2021(kept, message)
    return Done(None, psn_no=kept.prescription["psn_no"])
