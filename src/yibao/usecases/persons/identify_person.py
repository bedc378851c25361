"""Identify a person by what was shown at the counter, and gather what he or she is insured for (1101)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import asyncpg
import msgspec

from yibao.domains.enrolment.queries import list_identities, list_relations
from yibao.domains.entitlement.queries import spells_on
from yibao.domains.people.card_rules import BLOCKED, card_faults
from yibao.domains.people.cards import find_card
from yibao.domains.people.queries import balance_of, find_by_card, find_by_certificate, has_document
from yibao.infra.database import Connection
from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.reckoning.benefit_words import REASONS, words_of

IDENTITY_CARD, SOCIAL_CARD = "02", "03"
NORMAL = "1"


class Shown(msgspec.Struct, frozen=True):
    """What was shown: a credential, a document, or both; "" where nothing was."""

    credential_type: str
    credential: str
    cert_type: str
    certno: str
    name: str


class Identified(msgspec.Struct, frozen=True):
    """A person with relations, identities and the own account's balance (fen).

    A relation's status is what holds on the day: paused while benefits are stopped, with ``status_reason`` in words.
    """

    person: asyncpg.Record
    relations: Sequence[Mapping[str, Any]]
    identities: Sequence[asyncpg.Record]
    balance_fen: int


async def identify_person(tx: Connection, shown: Shown, *, on: date) -> Identified | Refusal:
    """Find the person; a name that was sent must agree, an empty one is not asked for."""
    if shown.credential_type not in ("", IDENTITY_CARD, SOCIAL_CARD):
        return refuse("CREDENTIAL_NOT_OFFERED", "该就诊凭证类型尚未开通", field="data.mdtrt_cert_type",
                      received=shown.credential_type, remedy="请使用02居民身份证或03社会保障卡")
    if shown.credential_type == SOCIAL_CARD:
        person, field, number = await find_by_card(tx, shown.credential), "data.mdtrt_cert_no", shown.credential
    elif shown.credential_type == IDENTITY_CARD and shown.credential:
        person = await find_by_certificate(tx, cert_type="01", certno=shown.credential)
        field, number = "data.mdtrt_cert_no", shown.credential
    else:
        person = await find_by_certificate(tx, cert_type=shown.cert_type or "01", certno=shown.certno)
        field, number = "data.certno", shown.certno
    if person is None and shown.credential_type == SOCIAL_CARD:
        old = await find_card(tx, number)
        if old is not None and old.state in BLOCKED:
            return Refusal(tuple(card_faults(SOCIAL_CARD, old.state, field=field)))
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该证件的参保人", field=field, received=mask(number),
                      remedy="请核对证件类型与号码；未参保人员请自费就诊")
    blocked = card_faults(shown.credential_type, person["card_state"], field=field)
    if blocked:
        return Refusal(tuple(blocked))
    if shown.name and shown.name != person["name"]:
        return refuse("NAME_DIFFERS", "姓名与证件不一致", field="data.psn_name", received=mask_name(shown.name),
                      remedy="请核对姓名，或留空由平台返回")
    if shown.certno and shown.certno.upper() != person["certno"].upper() and not await has_document(
        tx, person["psn_no"], certno=shown.certno
    ):
        return refuse("CERTIFICATE_DIFFERS", "证件号码与就诊凭证不是同一人", field="data.certno",
                      received=mask(shown.certno), remedy="请核对证件号码")
    return Identified(
        person, await _relations(tx, person["psn_no"], on), await list_identities(tx, person["psn_no"]),
        await balance_of(tx, person["psn_no"]),
    )


async def _relations(tx: Connection, psn_no: str, on: date) -> list[Mapping[str, Any]]:
    """Return the relations with the status that their spell of the day gives them."""
    spells = {s["relation_id"]: s for s in await spells_on(tx, psn_no, on=on)}
    relations: list[Mapping[str, Any]] = []
    for row in await list_relations(tx, psn_no):
        spell = spells.get(row["relation_id"])
        if spell is None or row["status"] != NORMAL:
            relations.append(dict(row))
            continue
        reason, begin = REASONS[spell["reason"]], spell["begin_on"]
        paused_on = row["paused_on"] or (begin if reason.status != NORMAL else None)
        relations.append({
            **row, "status": reason.status, "paused_on": paused_on,
            "status_reason": words_of(spell["reason"], begin, spell["end_on"]),
        })
    return relations
