"""7201-7208: e-prescriptions as pharmacies are let to them, download, verify, review and dispense them."""

from __future__ import annotations

import secrets
from typing import Any

from yibao.domains.dispensing.prescriptions_model import Review
from yibao.entrypoints.gateway.registry import Done, Message, Services, deed
from yibao.entrypoints.gateway.transactions import prescriptions_2021 as of_2021
from yibao.entrypoints.gateway.transactions.prescription_words import ATTRIBUTES, filled, stored_document
from yibao.entrypoints.gateway.transactions.prescriptions import certificate, content_output
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.money import round_half_up
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.prescriptions.authorise_pharmacy import (
    Granted,
    Means,
    authorise_by_code,
    authorise_by_document,
    authorise_online,
)
from yibao.usecases.prescriptions.fill_prescription import (
    download_prescription,
    review_prescription,
    verify_file,
)
from yibao.usecases.prescriptions.hand_out import HandOutCommand, hand_out, take_back
from yibao.usecases.prescriptions.show_prescription import shown

CASH = "0"
"""``hi_feesetl_type`` of what insurance does not settle."""


def means_of(message: Message, services: Services) -> Means:
    """Draw what a grant needs: its number and a token that nobody can guess."""
    return Means(services.ids.new(message.received_at), secrets.token_urlsafe(32), message.received_at)


def refuse_other_pharmacy(message: Message, data: dict[str, Any]) -> Refusal | None:
    """Refuse a message that names another institution than its sender as the pharmacy."""
    sender = message.institution.fixmedins_code
    if data.get("fixmedinsCode", sender) == sender:
        return None
    return refuse("PHARMACY_DIFFERS", "取药机构与发送方不是同一机构", field="data.fixmedinsCode",
                  received=data["fixmedinsCode"], remedy="请填写本机构编号")


@deed("7201")
async def authorise_offline(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Let a pharmacy to the newest open prescription of who stands at its counter."""
    if of_2021.is_old(message):
        return await of_2021.authorise_by_code(message, tx, means_of(message, services))
    data = message.input["data"]
    if data.get("outFlag") == "1":
        return refuse("REMOTE_PRESCRIPTION_NOT_OFFERED", "异地处方流转尚未开通", field="data.outFlag", received="1",
                      remedy="请到开方地的定点机构取药")
    granted = refuse_other_pharmacy(message, data) or await authorise_by_document(
        tx, name=data["psnName"], cert_type=data["psnCertType"], certno=data["certno"], institution=message.institution,
        means=means_of(message, services),
    )
    if isinstance(granted, Refusal):
        return granted
    if granted.others:
        message.warnings.append(f"该参保人另有{granted.others}张可调配的处方，可按处方编号或二维码取得授权")
    return _granted(granted, message.infno)


@deed("7202")
async def authorise_sent(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Let a pharmacy to a prescription that was sent to it online."""
    if of_2021.is_old(message):
        return await of_2021.authorise_by_document(message, tx, means_of(message, services))
    data = message.input["data"]
    granted = refuse_other_pharmacy(message, data) or await authorise_online(
        tx, hi_rxno=data["hiRxno"], institution=message.institution, means=means_of(message, services)
    )
    return granted if isinstance(granted, Refusal) else _granted(granted, message.infno)


@deed("7203")
async def authorise_code(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Let a pharmacy to the prescription whose code the patient shows; the code is the trace code of 7101."""
    if of_2021.is_old(message):
        return await of_2021.download(message, tx)
    data = message.input["data"]
    granted = refuse_other_pharmacy(message, data) or await authorise_by_code(
        tx, code=data["epcQrcd"], institution=message.institution, means=means_of(message, services)
    )
    return granted if isinstance(granted, Refusal) else _granted(granted, message.infno)


def _granted(granted: Granted, infno: str) -> Done:
    p, authorisation = granted.prescription, granted.authorisation
    attribute = p["attribute"]
    names = of_2021.names_of(p)
    output = filled(infno, "data", {
        "authRxno": authorisation.auth_rxno, "epcToken": granted.token, "expiresIn": to_wire(authorisation.expires_at),
        "fixmedinsCode": p["fixmedins_code"], "fixmedinsName": names["hospital"], "prscTime": to_wire(p["prescribed_at"]),
        "deptName": names["department"], "diseCodg": names["disease_code"], "diseName": names["disease_name"],
        "valiEndTime": to_wire(p["valid_until"]), "rxExraAttrCode": attribute or None,
        "rxExraAttrName": ATTRIBUTES.get(attribute),
    })
    return Done({"data": output}, psn_no=authorisation.psn_no)


@deed("7204")
async def download(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Hand a prescription with its file to the pharmacy that was let to it."""
    if of_2021.is_old(message):
        return await of_2021.review(message, services, tx)
    data = message.input["data"]
    filling = refuse_other_pharmacy(message, data) or await download_prescription(
        tx, auth_rxno=data["authRxno"], token=data["epcToken"], institution=message.institution, now=message.received_at
    )
    if isinstance(filling, Refusal):
        return filling
    whole = await shown(tx, filling.prescription, now=message.received_at)
    return Done(content_output(message.infno, whole), psn_no=filling.prescription["psn_no"])


@deed("7205")
async def verify(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Say whether the file at hand is the one that was signed."""
    if of_2021.is_old(message):
        return of_2021.refuse_form(message.infno)
    data = message.input["data"]
    verified = refuse_other_pharmacy(message, data) or await verify_file(
        tx, hi_rxno=data["hiRxno"], trace_code=data["rxTraceCode"], file=data["rxFile"], token=data["epcToken"],
        institution=message.institution, verify_sn=services.ids.new(message.received_at), now=message.received_at,
    )
    if isinstance(verified, Refusal):
        return verified
    return Done({"data": {
        "flag": verified.is_same, "rxSignVerifySn": verified.verify_sn,
        **certificate(verified.public_key.encode()),
    }})


@deed("7206")
async def review(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Keep what the pharmacy's pharmacist found of a prescription."""
    if of_2021.is_old(message):
        return of_2021.refuse_form(message.infno)
    data = message.input["data"]
    review_sn = services.ids.new(message.received_at)
    found = Review(data["rxChkStasCodg"] == "1", data["rxChkOpnn"], data["pharCode"], data["pharName"], data["rxChkTime"])
    kept = refuse_other_pharmacy(message, data) or await review_prescription(
        tx, hi_rxno=data["hiRxno"], token=data["epcToken"], verify_sn=data["rxSignVerifySn"], review=found,
        institution=message.institution, review_sn=review_sn, now=message.received_at,
    )
    if isinstance(kept, Refusal):
        return kept
    return Done({"data": {"flag": True, "rxChkBizSn": review_sn}}, psn_no=kept.prescription["psn_no"])


@deed("7207")
async def tell_handed_out(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Keep the details of a drug that left the pharmacy."""
    data, drug = message.input["data"], message.input["rxSaleDrugDetl"]
    command = HandOutCommand(
        hi_rxno=data["hiRxno"], review_sn=data["rxChkBizSn"], item_code=drug["medListCodg"],
        quantity_e4=round_half_up(drug["drugTotlcnt"], 4), is_insured=data.get("hiFeesetlFlag") != CASH,
        at=drug["stooutTime"], document=stored_document({**data, **drug}),
    )
    kept = refuse_other_pharmacy(message, data) or await hand_out(
        tx, command=command, institution=message.institution, stoout_sn=services.ids.new(message.received_at),
        now=message.received_at,
    )
    if isinstance(kept, Refusal):
        return kept
    return Done({"data": {"flag": True, "selStooutSn": kept.stoout_sn}}, psn_no=kept.psn_no)


@deed("7208")
async def void_handed_out(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Void details of drugs handed out."""
    data = message.input["data"]
    found = refuse_other_pharmacy(message, data) or await take_back(
        tx, hi_rxno=data["hiRxno"], stoout_sn=data.get("selStooutSn", ""), institution=message.institution
    )
    if isinstance(found, Refusal):
        return found
    return Done({"data": {"flag": True}}, psn_no=found["psn_no"])
