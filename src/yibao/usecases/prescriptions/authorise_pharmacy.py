"""Give a pharmacy a way to a prescription: by the patient's document (7201), online (7202) or code (7203)."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg
import msgspec

from yibao.domains.dispensing import prescriptions_operations as operations
from yibao.domains.dispensing import prescriptions_queries as queries
from yibao.domains.dispensing.prescriptions_model import GRANTED, Authorisation
from yibao.domains.institutions.model import Institution
from yibao.domains.people.card_rules import card_faults
from yibao.domains.people.queries import find_by_card, find_by_certificate
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.prescriptions.upload_prescription import refuse_unless_alive, refuse_unless_uploaded

IDENTITY_CARD, SOCIAL_CARD = "02", "03"
"""Kinds of credential (``mdtrt_cert_type``)."""
RESIDENT = "01"
"""The kind of document (``psn_cert_type``) that an identity card is."""
TOKEN_LIFE = timedelta(hours=2)
"""How long a pharmacy may work with a prescription it was let to; no source states it."""


class Means(msgspec.Struct, frozen=True):
    """What the entrypoint draws for a grant."""

    auth_rxno: str
    token: str
    now: datetime


class Granted(msgspec.Struct, frozen=True):
    """A way to a prescription, with the prescription and how many others of the patient are open."""

    authorisation: Authorisation
    token: str
    prescription: asyncpg.Record
    others: int = 0


async def authorise_by_document(
    tx: Connection, *, name: str, cert_type: str, certno: str, institution: Institution, means: Means
) -> Granted | Refusal:
    """Let a pharmacy to the newest open prescription of the patient who shows a document.

    The token of an electronic credential is not looked into: the platform has no credential service.
    """
    person = await find_by_certificate(tx, cert_type=cert_type, certno=certno)
    if person is None or person["name"] != name:
        return refuse("PERSON_NOT_FOUND", "没有该姓名和证件的参保人", field="data.certno", remedy="请核对姓名、证件类型和号码")
    found = [p for p in await queries.list_open(tx, person["psn_no"], at=means.now) if p["admdvs"] == institution.region]
    if not found:
        return refuse("NO_OPEN_PRESCRIPTION", "该参保人在本统筹区没有可调配的电子处方", field="data.certno",
                      remedy="请核对处方是否已上传、未过期、未取完")
    granted = await _grant(tx, found[0], "credential", institution, means)
    return granted if isinstance(granted, Refusal) else msgspec.structs.replace(granted, others=len(found) - 1)


async def authorise_by_credential(
    tx: Connection, *, kind: str, number: str, institution: Institution, means: Means
) -> Granted | Refusal:
    """Let a pharmacy to the newest open prescription of whoever shows an identity or social-security card."""
    if kind not in (IDENTITY_CARD, SOCIAL_CARD):
        return refuse("CREDENTIAL_NOT_OFFERED", "该就诊凭证类型尚未开通", field="mdtrt_cert_type", received=kind,
                      remedy="请使用02居民身份证或03社会保障卡")
    by_card = kind == SOCIAL_CARD
    person = await (find_by_card(tx, number) if by_card else find_by_certificate(tx, cert_type=RESIDENT, certno=number))
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该证件的参保人", field="mdtrt_cert_no", remedy="请核对就诊凭证编号")
    blocked = card_faults(kind, person["card_state"], field="mdtrt_cert_type")
    if blocked:
        return Refusal(tuple(blocked))
    return await authorise_by_document(
        tx, name=person["name"], cert_type=person["cert_type"], certno=person["certno"], institution=institution,
        means=means,
    )


async def authorise_online(
    tx: Connection, *, hi_rxno: str, institution: Institution, means: Means
) -> Granted | Refusal:
    """Let a pharmacy to a prescription that the patient sent to it online."""
    found = await queries.find_prescription(tx, hi_rxno)
    return await _grant_found(tx, found, "online", institution, means, field="data.hiRxno", received=hi_rxno)


async def authorise_by_code(
    tx: Connection, *, code: str, institution: Institution, means: Means, field: str = "data.epcQrcd"
) -> Granted | Refusal:
    """Let a pharmacy to the prescription whose trace code the patient's code holds."""
    found = await queries.find_by_trace_code(tx, code)
    return await _grant_found(tx, found, "code", institution, means, field=field, received=code)


async def _grant_found(
    tx: Connection, found: asyncpg.Record | None, way: str, institution: Institution, means: Means, *, field: str,
    received: str,
) -> Granted | Refusal:
    if found is None:
        return refuse("PRESCRIPTION_NOT_FOUND", "平台上没有这张电子处方", field=field, received=received,
                      remedy="请核对医保处方编号或二维码")
    return await _grant(tx, found, way, institution, means, field=field)


async def _grant(
    tx: Connection, found: asyncpg.Record, way: str, institution: Institution, means: Means, *, field: str = "data.certno"
) -> Granted | Refusal:
    refusal = refuse_elsewhere(found, institution, field=field) or refuse_unless_uploaded(found, field=field)
    refusal = refusal or refuse_unless_alive(found, now=means.now, field=field)
    if refusal is not None:
        return refusal
    lines = await queries.list_prescribed(tx, psn_no=found["psn_no"], hi_rxno=found["hi_rxno"])
    if all(line["dispensed_e4"] >= line["allowed_e4"] for line in lines):
        return refuse("PRESCRIPTION_USED_UP", "处方药品已全部取完", field=field, received=found["hi_rxno"],
                      remedy="不能重复取药；需要时请医师重新开方")
    authorisation = Authorisation(
        psn_no=found["psn_no"], auth_rxno=means.auth_rxno, hi_rxno=found["hi_rxno"], admdvs=found["admdvs"],
        fixmedins_code=institution.fixmedins_code, way=way, token_digest=sm3(means.token.encode()),
        expires_at=means.now + TOKEN_LIFE, granted_at=means.now, state=GRANTED,
    )
    await operations.grant(tx, authorisation)
    return Granted(authorisation, means.token, found)


def refuse_elsewhere(found: asyncpg.Record, institution: Institution, *, field: str) -> Refusal | None:
    """Refuse a prescription of another city."""
    if found["admdvs"] == institution.region:
        return None
    return refuse("PRESCRIPTION_ELSEWHERE",
                  f"处方属于统筹区{found['admdvs']}，本机构属{institution.region}，异地处方流转尚未开通", field=field,
                  received=found["hi_rxno"], remedy="请到开方地的定点机构取药")
